/** The Debian package: the same octets each time, what is in it, and that it runs with nothing else. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { productionPackages } from "../../scripts/package/closure.ts";
import { debianChangelog } from "../../scripts/package/control.ts";
import { makeDebianPackage } from "../../scripts/package/debian.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { freePorts, waitFor } from "../gateway/harness.ts";

const root = projectRoot();
const debian = existsSync("/usr/bin/dpkg-deb") && process.platform === "linux";
const skip = debian ? false : "packages are made on Debian: dpkg-deb is not here";

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "cyg-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("the changelog is Debian's", async (t) => {
  const ours = `# Changelog\n\n## 0.2.0\n\n- A \`word\` ${"and more ".repeat(20)}.\n- Second.\n\n## 0.1.0\n\n- Old.\n`;
  const text = debianChangelog(ours, "0.2.0", 1_795_000_000);
  t.match(text, /^cygnet \(0\.2\.0\) unstable; urgency=medium\n\n {2}\* A word and more /);
  t.match(
    text,
    /\n {2}\* Second\.\n\n -- Cygnet maintainers <\S+> {2}\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\n$/,
  );
  t.notMatch(text, /Old/);
  const long = text.split("\n").filter((line) => line.length > 80 && !line.startsWith(" -- "));
  t.same(long, []);
});

test("the package", { skip, timeout: 240_000 }, async (t) => {
  const place = folder(t);
  const before = process.env.SOURCE_DATE_EPOCH;
  t.teardown(() => {
    if (before === undefined) delete process.env.SOURCE_DATE_EPOCH;
    else process.env.SOURCE_DATE_EPOCH = before;
  });
  process.env.SOURCE_DATE_EPOCH = "1795000000";
  const umask = process.umask(0o022);
  const first = makeDebianPackage({ root, out: join(place, "one"), compression: "none" });
  process.umask(0o077);
  const second = makeDebianPackage({ root, out: join(place, "two"), compression: "none" });
  process.umask(umask);
  t.equal(sha256(first), sha256(second), "the same input, the same octets, whatever the umask");
  rmSync(second);
  process.env.SOURCE_DATE_EPOCH = "yesterday";
  t.throws(() => makeDebianPackage({ root, out: place, compression: "none" }), { code: "CYG_PACKAGE_TIME" });

  const listing = execFileSync("dpkg-deb", ["-c", first], { encoding: "utf8", maxBuffer: 1e8 });
  const entries = listing
    .trim()
    .split("\n")
    .map((line) => {
      const [, mode = "", owner = "", path = ""] = /^(\S+)\s+(\S+)\s+\d+\s+\S+ \S+ (\S+)/.exec(line) ?? [];
      return { mode, owner, path: path.slice(1) };
    });
  const paths = new Set(entries.map(({ path }) => path));
  t.ok(
    entries.every(({ owner }) => owner === "root/root"),
    "all belongs to root",
  );
  t.same(
    entries.filter(({ mode }) => /^.{8}w|[sStT]/.test(mode)),
    [],
    "nobody else writes; no setuid, no sticky bits",
  );
  for (const path of [
    "/etc/cygnet/cygnet.toml",
    "/usr/bin/cygnet",
    "/usr/lib/cygnet/bin/node",
    "/usr/lib/cygnet/dist/src/cli/main.js",
    "/usr/lib/cygnet/dist/src/cms/worker.js",
    "/usr/lib/cygnet/dist/src/oftp/wire/subrecords.generated.js",
    "/usr/lib/cygnet/schemas/cftpart.schema.json",
    "/usr/lib/cygnet/sbom.cdx.json",
    "/usr/lib/cygnet/systemd/notify-socket",
    "/usr/lib/systemd/system/cygnet.service",
    "/usr/lib/sysusers.d/cygnet.conf",
    "/usr/lib/tmpfiles.d/cygnet.conf",
    "/usr/share/bash-completion/completions/cygnet",
    "/usr/share/doc/cygnet/copyright",
    "/usr/share/doc/cygnet/installation.md",
    "/usr/share/man/man1/cygnet.1.gz",
    "/usr/share/man/man5/cygnet.toml.5.gz",
  ]) {
    t.ok(paths.has(path), path);
  }
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const development = Object.keys(lock).filter((path) => lock[path].dev);
  t.ok(development.length > 50);
  t.same(
    development.filter((path) => paths.has(`/usr/lib/cygnet/${path}/`)),
    [],
    "nothing that only development needs",
  );
  t.same(
    [...paths].filter((path) => /\.(ts|map)$|\/test\//.test(path)),
    [],
    "no sources, no tests",
  );

  const tree = join(place, "tree");
  execFileSync("dpkg-deb", ["-R", first, tree]);
  rmSync(first);
  t.equal(readFileSync(join(tree, "DEBIAN/conffiles"), "utf8"), "/etc/cygnet/cygnet.toml\n");
  const sums = readFileSync(join(tree, "DEBIAN/md5sums"), "utf8").trim().split("\n");
  const files = entries.filter(({ mode }) => mode.startsWith("-")).length;
  t.equal(sums.length, files - 1, "a checksum for each file but the configuration");

  const bill = JSON.parse(readFileSync(join(tree, "usr/lib/cygnet/sbom.cdx.json"), "utf8"));
  const { modules, runtime } = productionPackages(root);
  t.same(
    bill.components.map((each: { name: string; version: string }) => `${each.name} ${each.version}`),
    [...modules, runtime].map(({ name, version }) => `${name} ${version}`),
    "the bill of materials lists what is there",
  );
  t.ok(
    bill.components.every((each: { hashes: { content: string }[] }) =>
      /^[0-9a-f]{128}$/.test(each.hashes[0]?.content ?? ""),
    ),
  );
  const copyright = readFileSync(join(tree, "usr/share/doc/cygnet/copyright"), "utf8");
  t.same(
    [...modules, runtime].filter(({ name, version }) => !copyright.includes(`${name} ${version} (`)),
    [],
    "everybody's terms are told",
  );

  await t.test("runs with nothing but its own files", async (t) => {
    const config = join(place, "etc");
    const data = join(place, "data");
    cpSync(join(tree, "etc/cygnet"), config, { recursive: true });
    cpSync(join(tree, "usr/share/doc/cygnet/examples/loop.toml"), join(config, "partners.d/loop.toml"));
    const edit = (file: string, change: (text: string) => string) =>
      writeFileSync(join(config, file), change(readFileSync(join(config, file), "utf8")));
    const main = readFileSync(join(config, "cygnet.toml"), "utf8");
    t.match(main, /^host = "127\.0\.0\.1"/m, "as installed it listens for this machine alone");
    t.notMatch(main, /^allow_plain_secrets/m);
    const [port = 0] = await freePorts(1);
    edit("cygnet.toml", (text) => text.replaceAll("/var/lib/cygnet", data).replace("6619", String(port)));
    edit("partners.d/loop.toml", (text) =>
      text
        .replace("6619", String(port))
        .replace(/^nspart/m, "sign = true\nencrypt = true\ncompress = true\nnspart"),
    );
    writeFileSync(
      join(config, "partners.d/keys.toml"),
      `[[pki]]\nid = "loop"\npart = "LOOP"\nfile = "${data}/pki/site.pem"\n`,
    );
    // the command as it is, with the paths of this tree
    const command = join(place, "cygnet");
    const wrapper = readFileSync(join(tree, "usr/bin/cygnet"), "utf8");
    writeFileSync(
      command,
      wrapper.replaceAll("/usr/lib/cygnet", join(tree, "usr/lib/cygnet")).replaceAll("/etc/cygnet", config),
    );
    chmodSync(command, 0o755);
    const env = { PATH: "/usr/bin:/bin" };
    const cygnet = (...args: string[]) =>
      new Promise<{ status: unknown; text: string }>((resolve) => {
        execFile(command, args, { cwd: place, env }, (error, stdout, stderr) =>
          resolve({ status: error?.code ?? 0, text: stdout + stderr }),
        );
      });
    t.equal(
      (await cygnet("--version")).text.trim(),
      JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version,
    );
    t.match(await cygnet("check"), { status: 0, text: /is good/ });
    t.match(await cygnet("explain", "DIAGI", "302"), { status: 0 });
    t.match(await cygnet("migrate", "--help"), { status: 0 });

    const gateway = spawn(command, ["run"], { cwd: place, env, stdio: ["ignore", "ignore", "inherit"] });
    t.teardown(() => gateway.kill("SIGKILL"));
    await waitFor("the gateway", async () => (await cygnet("status")).status === 0);
    writeFileSync(join(place, "orders.edi"), "UNA:+.? '");
    const sent = await cygnet("send", "--part", "LOOP", "--wait", join(place, "orders.edi"));
    t.match(sent, { status: 0, text: /state X, ack A/ }, "sealed, sent, opened, answered");
    t.equal(readFileSync(join(data, "inbox/LOOP/orders.edi"), "utf8"), "UNA:+.? '");
    t.match(await cygnet("shut", "--fast"), { status: 0 });
  });
});
