/** `cygnet doctor`: what it finds, with the gateway running and stopped, and that it changes nothing. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Test, test } from "tap";
import { allEnded } from "./arrivals.ts";
import { type Gateway, site } from "./harness.ts";

interface Line {
  check: string;
  level: string;
  text: string;
  action: string;
}

/** What the doctor says about a gateway: exit status and lines. */
async function ask(t: Test, gateway: Gateway, ...args: string[]) {
  const before = traces(gateway.directory);
  const { status, json, stderr } = await gateway.cli("doctor", "--json", ...args);
  if (!gateway.running) t.same(traces(gateway.directory), before, "nothing was made, removed or changed");
  const lines: Line[] = json?.findings ?? [];
  t.equal(status, lines.some(({ level }) => level === "fail") ? 1 : 0, stderr);
  t.ok(
    lines.every(({ level, action }) => level === "ok" || action !== ""),
    "whatever is wrong, it says what to do",
  );
  return lines;
}

/** Every file below a folder with its size and time of change. */
function traces(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const { size, mtimeMs, mode } = statSync(join(directory, name));
      return `${name} ${size} ${mtimeMs} ${mode}`;
    });
}

/** All that is not well, but for the clock, which this machine may not tell of. */
function wrong(lines: readonly Line[]): string[] {
  return lines
    .filter(
      ({ level, check, text }) =>
        level !== "ok" && !(check === "clock" && level === "warn") && !/keepalive|reload/.test(text),
    )
    .map(({ check, level, text }) => `${check} ${level}: ${text}`);
}

test("a gateway that is well, running and stopped; TLS with its partner", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"], disctd: "200ms" });
  for (const file of [hub.config, hub.partnerFile]) chmodSync(file, 0o640);
  await Promise.all([hub.start(), acme.start()]);
  const expected = new Map([["a.bin", await hub.drop("a.bin", { size: 5000, seed: 1 })]]);
  await allEnded(t, [{ from: hub, to: acme, expected }], 60_000);
  const running = await ask(t, hub, "--deep");
  t.same(wrong(running.filter(({ check }) => check !== "config" && check !== "service")), []);
  const said = running.map(({ check, text }) => `${check} ${text}`).join("\n");
  t.match(said, /^gateway running, process \d+/m);
  t.match(said, /^ports OFTPS 127\.0\.0\.1:\d+ is open/m);
  t.match(said, /^reach ACME at 127\.0\.0\.1:\d+ \(OFTPS\) answers: TLSv1\.3/m);
  t.match(said, /^catalog .* schema version (\d+), this program knows \1/m);
  await Promise.all([hub.kill("SIGTERM"), acme.kill("SIGTERM")]);
  const stopped = await ask(t, hub);
  t.match(wrong(stopped.filter(({ check }) => check !== "config" && check !== "service")), [
    /^reach warn: ACME at 127\.0\.0\.1:\d+ \(OFTPS\): /,
  ]);
  t.match(stopped.map(({ text }) => text).join("\n"), /127\.0\.0\.1:\d+ is free/);
  t.match((await hub.cli("doctor")).stdout, /^ok +gateway +none is running$/m, "for people");
});

test("whatever is broken is found, each with its own line", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"], disctd: "200ms" });
  await Promise.all([hub.start(), acme.start()]);
  const expected = new Map([["a.bin", await hub.drop("a.bin", { size: 5000, seed: 1 })]]);
  await allEnded(t, [{ from: hub, to: acme, expected }], 60_000);
  await hub.kill("SIGKILL");
  const pki = join(hub.directory, "pki");
  const until = ["-days", "3", "-subj", "/CN=soon"];
  const key = [
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    join(pki, "hub.key"),
    "-out",
    join(pki, "hub.pem"),
  ];
  execFileSync("openssl", ["req", "-x509", ...key, ...until], { stdio: "ignore" });
  chmodSync(join(pki, "hub.key"), 0o644);
  mkdirSync(join(hub.rundir, "work", "outbox"), { recursive: true });
  writeFileSync(join(hub.rundir, "work", "outbox", "00099999"), "whose?");
  writeFileSync(join(hub.rundir, ".restoring"), "");
  chmodSync(join(hub.rundir, "catalog.db"), 0o666);
  const partner = await fs.readFile(hub.partnerFile, "utf8");
  await hub.write(
    "partners.d/nobody.toml",
    partner
      .replaceAll('"ACME"', '"NOBODY"')
      .replace("127.0.0.1", "nobody.invalid")
      .replace(/nrpart.*/, 'nrpart = "O0999NOBODY"'),
  );
  const ours = createServer();
  await new Promise<void>((resolve) => ours.listen(hub.ports.OFTPS, "127.0.0.1", resolve));
  t.teardown(() => ours.close());
  const database = new DatabaseSync(join(hub.rundir, "catalog.db"));
  database.exec(`UPDATE transfer SET kdate = ${Date.now() + 86_400_000}; PRAGMA user_version = 99`);
  database.close();

  const found = wrong(await ask(t, hub, "--deep"));
  const all = [
    /^work fail: a restore into .* was cut off/,
    /^work warn: 1 files in work belong to no record: .*00099999/,
    /^permissions fail: everybody may write: .*catalog\.db/,
    /^permissions fail: more than the owner and its group may read a key.*hub\.key/,
    /^permissions warn: passwords stand in files that everybody may read: .*cygnet\.toml/,
    /^catalog fail: .*schema version 99, this program knows \d+/,
    /^clock fail: .*but the catalog has a record of/,
    /^ports fail: OFTPS 127\.0\.0\.1:\d+ cannot be opened: another program has it/,
    /^ports warn: nobody listens on the control socket/,
    /^certificates warn: own \(SHA-256 .*expires on .*, in 2 days/,
    /^(dns fail: NOBODY at nobody\.invalid:\d+ \(OFTPS\): the name nobody\.invalid is not known|dns warn: NOBODY)/,
  ];
  for (const pattern of all)
    t.ok(
      found.some((line) => pattern.test(line)),
      String(pattern),
    );
  t.ok(existsSync(join(hub.rundir, "control.sock")));

  await hub.write("partners.d/nobody.toml", "[[cftpart]]\n");
  t.match(
    wrong(await ask(t, hub)),
    [/^config fail: .*nobody\.toml:1/],
    "a broken configuration does not hide the rest",
  );
  t.match(wrong(await ask(t, hub)).join("\n"), /catalog fail/);
});
