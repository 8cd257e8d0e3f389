/** `cygnet migrate` as a person and as a program meet it. */
import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { projectRoot } from "../../src/platform/root.ts";
import { folder } from "../config/site.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const EXTRACT = join(projectRoot(), "test", "migrate", "extract", "cft-extract.conf");

function cygnet(
  cwd: string,
  ...words: string[]
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const node = ["--disable-warning=ExperimentalWarning", MAIN, ...words];
    execFile(process.execPath, node, { cwd, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

const mode = (path: string) => statSync(path).mode & 0o777;

test("migrate writes a folder, tells what became of everything, and never overwrites unasked", async (t) => {
  const { path, remove } = folder();
  t.teardown(remove);
  const first = await cygnet(path, "migrate", EXTRACT);
  t.equal(first.status, 0, `missing certificates are no failure ${first.stderr}`);
  const out = join(path, "cygnet-migrated");
  t.strictSame(readdirSync(out).sort(), ["cygnet.toml", "partners.d", "secrets"]);
  t.strictSame([mode(join(out, "secrets")), mode(join(out, "secrets", "acme.out"))], [0o700, 0o600]);
  t.match(first.stdout, /\tCFTPART ACME\tPROT\tchanged\t\('PESITANY', 'OFTPS', 'OFTP'\)\tcftpart\.prot = /);
  t.match(first.stdout, /\tCFTPROT PESITANY\t\tleft out\t\t\tPeSIT is not spoken here/);
  t.notMatch(first.stdout, /\tCFTPROT PESITANY\tSAP\t/, "one line for an object that is left out");
  t.match(first.stdout, /To do:\n(.*\n)*? {2}- export certificate CA3 /);
  t.match(
    first.stdout,
    /\d+ parameters the same, \d+ changed, \d+ left out; \d+ files written\. Next: cygnet check/,
  );
  t.notMatch(first.stdout + first.stderr, /OURPW|THEIRPW|proxysecret|pkipassword|hiddenlyon/);

  const again = await cygnet(path, "migrate", EXTRACT);
  t.equal(again.status, 1);
  t.match(again.stderr, /cygnet-migrated is not empty; .*--force/);

  chmodSync(join(out, "secrets", "acme.out"), 0o666);
  writeFileSync(join(out, "mine.txt"), "kept");
  const forced = await cygnet(path, "migrate", "--force", "--json", EXTRACT);
  t.equal(forced.status, 0, forced.stderr);
  t.equal(mode(join(out, "secrets", "acme.out")), 0o600, "a replaced file has its own rights again");
  t.equal(readFileSync(join(out, "mine.txt"), "utf8"), "kept", "other files stay");
  const { ok, directory, files, counts, items, todo, faults } = JSON.parse(forced.stdout);
  t.match({ ok, directory, faults }, { ok: true, directory: out, faults: [] });
  t.ok(files.includes("partners.d/acme.toml") && todo.length > 3 && counts.problem === 0);
  t.strictSame(Object.keys(items[0]), ["fate", "file", "line", "object", "parameter", "from", "to", "why"]);
  t.notMatch(forced.stdout, /OURPW|THEIRPW|proxysecret|pkipassword|hiddenlyon/);
});

test("exit statuses", async (t) => {
  const { path, remove } = folder();
  t.teardown(remove);
  const file = (name: string, text: string | Buffer) => writeFileSync(join(path, name), text);
  file("bad.txt", "CFTPARM PART=A\nCFTNET ID=B, HOST='open\nnonsense here\n");
  file("commands.txt", "SEND PART=A\n");
  file(
    "fault.txt",
    "CFTPARM PART=A\nCFTPART ID=B PROT=P\nCFTNET ID=N\nCFTPROT ID=P TYPE=ODETTE NET=N SSL=NONE\n",
  );
  file("latin.txt", Buffer.from("CFTPARM PART=A COMMENT='M\xfcller'\n", "latin1"));
  mkdirSync(join(path, "folder"));
  const rows: [words: string[], status: number, stderr: RegExp][] = [
    [[], 2, /missing required argument/],
    [["none.txt"], 1, /cannot read none\.txt: there is no such file/],
    [["folder"], 1, /cannot read folder/],
    [["latin.txt", "--charset", "klingon"], 1, /there is no charset "klingon"/],
    [["commands.txt"], 2, /nothing in the extract/],
    [["bad.txt", "-o", "bad"], 2, /places of the extract were not understood/],
    [["fault.txt", "-o", "fault"], 2, /1 faults? (?:are|is) left in the new configuration/],
    [["latin.txt", "-o", "bad.txt"], 1, /cannot use .*bad\.txt/],
    [["latin.txt", "-o", "latin"], 0, /^$/],
  ];
  for (const [words, status, stderr] of rows) {
    const result = await cygnet(path, "migrate", ...words);
    t.equal(result.status, status, `${words.join(" ")}: ${result.stderr}`);
    t.match(result.stderr, stderr, words.join(" "));
  }
  t.ok(existsSync(join(path, "bad", "cygnet.toml")), "what was understood is written all the same");
  t.notOk(existsSync(join(path, "cygnet-migrated")), "nothing is written for nothing");
  t.match(readFileSync(join(path, "latin", "cygnet.toml"), "utf8"), /comment = "Müller"/);
});
