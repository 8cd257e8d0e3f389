/** The finished package before the judges that Debian has: lintian, systemd-analyze, man. */
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { makeDebianPackage, sourceTime } from "../../scripts/package/debian.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { has } from "./machine.ts";

const without = (...tools: string[]) => {
  const missing = tools.filter((tool) => !has(tool));
  return missing.length > 0
    ? `needs ${missing.join(", ")}: "npm run test:system" as root installs them`
    : false;
};

function run(program: string, args: string[]): Promise<{ status: number; text: string; errors: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({
        status: typeof error?.code === "number" ? error.code : error ? -1 : 0,
        text: stdout + stderr,
        errors: stderr,
      }),
    );
  });
}

test("judges of Debian", { timeout: 900_000 }, async (t) => {
  const place = mkdtempSync("/var/tmp/cygnet-package-test-");
  t.teardown(() => rmSync(place, { recursive: true, force: true }));
  const root = projectRoot();
  process.env.SOURCE_DATE_EPOCH ??= String(sourceTime(root));
  const make = (out: string) => makeDebianPackage({ root, out: join(place, out), compression: "xz" });
  const sum = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
  const deb = make("one");
  t.equal(sum(make("two")), sum(deb), "the same input, the same octets, compressed");

  await t.test("lintian has no errors and no warnings", { skip: without("lintian") }, async (t) => {
    const { text } = await run("lintian", ["--allow-root", "--fail-on=error,warning", deb]);
    t.same(
      text.split("\n").filter((line) => /^[EW]:/.test(line)),
      [],
    );
  });

  const tree = join(place, "tree");
  mkdirSync(tree);
  execFileSync("dpkg-deb", ["-x", deb, tree]);
  await t.test("systemd-analyze", { skip: without("systemd-analyze") }, async (t) => {
    const unit = join(tree, "usr/lib/systemd/system/cygnet.service");
    const examples = join(tree, "usr/share/doc/cygnet/examples");
    const exposure = async () => {
      const { text } = await run("systemd-analyze", ["security", "--offline=true", unit]);
      return Number(/exposure level for cygnet\.service: ([\d.]+)/.exec(text)?.[1] ?? 99);
    };
    const plain = await exposure();
    t.ok(plain <= 1.5, `exposure ${plain}`);
    const timed = await run("systemd-analyze", [
      "security",
      "--offline=true",
      unit.replace("cygnet.", "cygnet-backup."),
    ]);
    t.match(timed.text, /exposure level for cygnet-backup\.service: (0\.\d|1\.[0-5])/);
    mkdirSync(`${unit}.d`);
    for (const name of ["low-ports.conf", "encrypted-credentials.conf"]) {
      cpSync(join(examples, name), join(`${unit}.d`, name));
    }
    const withDropIns = await exposure();
    t.ok(withDropIns <= 1.5, `exposure with drop-ins ${withDropIns}`);
  });

  await t.test("manual pages have no errors", { skip: without("man") }, async (t) => {
    for (const page of ["man1/cygnet.1.gz", "man5/cygnet.toml.5.gz"]) {
      const file = join(tree, "usr/share/man", page);
      const { status, errors } = await run("man", ["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file]);
      t.equal(status, 0, page);
      t.equal(errors, "");
    }
  });
});
