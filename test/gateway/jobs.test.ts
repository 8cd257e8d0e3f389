/** Jobs at set times, and the accounting of what has ended. */
import { existsSync, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { lastSwitch } from "../../src/engine/accounting/accounting.ts";
import { type Gateway, site, waitFor } from "./harness.ts";

async function script(gateway: Gateway, name: string, text: string): Promise<void> {
  await gateway.write(`scripts/${name}`, `#!/bin/sh\n${text}\n`);
  await fs.chmod(join(gateway.directory, "scripts", name), 0o755);
}

async function replace(gateway: Gateway, from: string, to: string): Promise<void> {
  const text = await fs.readFile(gateway.config, "utf8");
  await gateway.write("cygnet.toml", text.replace(from, to));
}

const job = (id: string, keys: string) => `[[cftcron]]\nid = "${id}"\ntime = "* * * * * *"\n${keys}\n`;
/** A time that does not come while the test runs. */
const never = (id: string, keys: string) => job(id, keys).replace("* * * * * *", "0 0 0 29 2 *");

test("jobs run programs and commands, never over themselves, and follow a reload", async (t) => {
  const more = [
    job("TOLD", 'exec = ["scripts/told.sh", "&PARM", "&ID", "&CFTNAME"]\nparm = "two words"'),
    job("LONG", 'exec = "scripts/long.sh"'),
    job("BAD", 'exec = "scripts/bad.sh"'),
    job("LATE", 'exec = ["sleep", "20"]\nexectimeout = "300ms"'),
    job("OFF", 'exec = ["touch", "off"]\nstate = "noactive"'),
    job("SEND", 'type = "cftutil"\nexec = "send --part ACME --nfname JOB.&SYSDAY report.txt"'),
    job("CALL", 'type = "cftutil"\nexec = ["recv", "--part", "ACME"]'),
    job("PURGE", 'type = "cftutil"\nexec = "purge"'),
    never("READ", 'type = "cftutil"\nexec = "reload"'),
  ].join("");
  const { hub, acme } = await site(t, { prot: ["OFTP"], hub: { more } });
  await script(
    hub,
    "told.sh",
    'echo "$1|$2|$3|$CYGNET_CFTEVENT|$CYGNET_PARM" > told.new && mv told.new told',
  );
  await script(hub, "long.sh", "echo $$ > long.pid; echo run >> long; sleep 600 & wait");
  await script(hub, "bad.sh", "echo no disk >&2; exit 4");
  await hub.write("var/report.txt", "report\n");
  await Promise.all([hub.start(), acme.start()]);
  await waitFor("a program", () => existsSync(join(hub.rundir, "told")));
  t.equal(readFileSync(join(hub.rundir, "told"), "utf8"), "two words|TOLD|HUB|CFTCRON|two words\n");
  await waitFor("a job that is left out", () =>
    hub.messages("CFTS38W").some((line) => line.includes("ID=LONG")),
  );
  t.equal(readFileSync(join(hub.rundir, "long"), "utf8"), "run\n", "it has run once");
  const failures = (id: string) => hub.messages("CFTS39E").filter((line) => line.includes(`ID=${id}`));
  await waitFor("failures", () => failures("BAD").length > 1 && failures("LATE").length > 0);
  t.match(failures("BAD")[0], /exit code 4: no disk/);
  t.match(failures("LATE")[0], /exectimeout/);
  await waitFor(
    "a file that a job has sent",
    async () => (await acme.transfers({ direct: "recv", state: "X" })).length > 0,
  );
  t.match((await acme.transfers({ direct: "recv" }))[0]?.nfname, /^JOB\.[0-6]$/);
  const ended = (id: string) =>
    hub.messages("CFTS37I").filter((line) => line.includes(`ID=${id}`) && line.includes("ended"));
  await waitFor(
    "a purge and a call",
    () => ended("PURGE").length > 0 && hub.messages("CFTS37I").some((line) => line.includes("calls ACME")),
  );
  t.equal(failures("PURGE").length, 0);
  t.notOk(existsSync(join(hub.rundir, "off")), "one that is not active does not run");
  const { jobs } = await hub.status();
  t.match(
    jobs.find(({ id }) => id === "LONG"),
    { active: true, running: true },
  );
  t.match(
    jobs.find(({ id }) => id === "OFF"),
    { active: false, running: false, next: null },
  );

  await replace(hub, 'exec = ["touch", "off"]\nstate = "noactive"', 'exec = ["touch", "off"]');
  await replace(hub, 'parm = "two words"', 'parm = "new"\nstate = "noactive"');
  await replace(hub, 'time = "0 0 0 29 2 *"', 'time = "* * * * * *"');
  await waitFor("the job that has become active", () => existsSync(join(hub.rundir, "off")));
  await waitFor("a reload by a job", () => ended("READ").length > 0);
  await waitFor(
    "the other to be at rest",
    async () => (await hub.status()).jobs.find(({ id }) => id === "TOLD")?.active === false,
  );
  t.equal(readFileSync(join(hub.rundir, "long"), "utf8"), "run\n", "the one that did not change still runs");
  const isActive = async (id: string) => (await hub.status()).jobs.find((one) => one.id === id)?.active;
  t.equal((await hub.cli("inact", "PURGE")).status, 0);
  t.equal(await isActive("PURGE"), false, "inact");
  t.match(await hub.cli("inact", "NONE"), { status: 1, stderr: /jobs are TOLD, LONG/ });
  await hub.kill("SIGKILL");
  // nobody else ends what a killed gateway has left
  process.kill(-Number(readFileSync(join(hub.rundir, "long.pid"), "utf8")), "SIGKILL");
  await hub.start();
  t.equal(await isActive("PURGE"), false, "also after a crash");
  t.equal((await hub.cli("act", "PURGE")).status, 0);
  t.equal(await isActive("PURGE"), true, "act");
  await waitFor("the long job to run", async () =>
    (await hub.status()).jobs.some(({ id, running }) => id === "LONG" && running),
  );
  t.equal((await hub.cli("shut", "--fast")).status, 0, "a job that runs does not hold the stop");
});

test("accounting: one line for each ended transfer, none lost to a full disk or a crash", async (t) => {
  const more = '[cftaccnt]\nfname = "/dev/full"\n';
  const { hub, acme } = await site(t, {
    prot: ["OFTP"],
    hub: { more },
    acme: { more: "[cftaccnt]\nmaxsize = 900\n" },
  });
  await Promise.all([hub.start(), acme.start()]);
  const names = ["A.DAT", "B.DAT", "C.DAT"];
  const ended = async (gateway: Gateway, count: number) => {
    const all = await gateway.transfers({ state: "X" });
    return all.length === count && all.every(({ ack }) => ack === "A");
  };
  for (const name of names) await hub.drop(name, name.repeat(100));
  await waitFor("the transfers", async () => (await ended(hub, 3)) && (await ended(acme, 3)));
  await waitFor("the full disk to be told", () => hub.messages("CFTS82E").length > 0);
  t.match(hub.messages("CFTS82E")[0], /ENOSPC/);
  await hub.kill("SIGKILL");
  await hub.start();
  await hub.drop("D.DAT", "last");
  await waitFor("one more", async () => (await ended(hub, 4)) && (await ended(acme, 4)));
  await waitFor("the disk to be told again", () => hub.messages("CFTS82E").length > 1);
  t.equal(hub.messages("CFTS82E").length, 2, "once for each outage");
  await replace(hub, 'fname = "/dev/full"', 'fname = "accnt/hub.jsonl"');
  const lines = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : []);
  const file = join(hub.rundir, "accnt", "hub.jsonl");
  await waitFor("the lines", () => lines(file).length >= 4);
  const records = lines(file).map((line) => JSON.parse(line));
  t.same(
    records.map(({ nidf }) => nidf),
    [...names, "D.DAT"],
    "each once, in the order of their ends",
  );
  const [sent] = await hub.transfers({ direct: "send" });
  t.match(records.at(-1), {
    ...{
      idtu: sent?.idtu,
      direct: "send",
      mode: "requester",
      type: "file",
      part: "ACME",
      spart: "HUB",
      rpart: "ACME",
    },
    ...{
      idf: "DEFAULT",
      nidf: "D.DAT",
      nbc: 4,
      nbt: 4,
      prot: "OFTP",
      frecfm: "U",
      flrecl: 0,
      ack: "A",
      diagi: 0,
    },
    ...{ orig: "O0999HUB", dest: "O0999ACME", sha256: sent?.sha256, kdate: sent?.kdate, edate: sent?.edate },
  });
  t.type(records.at(-1).duration, "number");
  t.match(records.at(-1).idt, /^[A-L]\d{7}$/);
  await waitFor("the end of the outage to be told", () => hub.messages("CFTS82I").length > 0);

  const own = join(acme.rundir, "account", "account.jsonl");
  const all = () =>
    [".5", ".4", ".3", ".2", ".1", ""]
      .flatMap((suffix) => lines(own + suffix))
      .map((line) => JSON.parse(line));
  await waitFor("the partner's lines", () => all().length === 4);
  t.same(
    all().map(({ direct }) => direct),
    ["recv", "recv", "recv", "recv"],
    "in files of 900 octets at most",
  );
  t.ok(existsSync(`${own}.1`));
  const kept = all().length;
  await fs.utimes(own, new Date(Date.now() - 48 * 3600_000), new Date(Date.now() - 48 * 3600_000));
  await hub.drop("E.DAT", "x");
  await waitFor("a line of another day", () => all().length === kept + 1);
  t.equal(lines(own).length, 1, "begins a new file");
  t.equal(acme.messages("CFTS35I").length, 1);

  await replace(hub, "[cftaccnt]", "#");
  await replace(hub, 'fname = "accnt/hub.jsonl"', "#");
  await waitFor("the reload", async () => (await hub.status()).generation.number >= 2);
  const before = lines(file).length;
  await waitFor("the reload without accounting", async () => {
    return (await hub.status()).generation.plan.some(
      ({ object, change }) => object === "cftaccnt" && change === "removed",
    );
  });
  await hub.drop("F.DAT", "x");
  await waitFor("the last", async () => await ended(hub, 6));
  t.equal(lines(file).length, before, "without the table nothing is written");
});

test("the last time of day, across midnight and changes of the clock", (t) => {
  const at = (text: string) => new Date(text).getTime();
  const hours = (count: number) => count * 3600_000;
  for (const [now, time, expected] of [
    ["2026-11-20T12:00:00", 0, "2026-11-20T00:00:00"],
    ["2026-11-20T00:00:00", 0, "2026-11-20T00:00:00"],
    ["2026-11-20T05:59:59", hours(6), "2026-11-19T06:00:00"],
    ["2026-01-01T05:00:00", hours(6), "2025-12-31T06:00:00"],
    ["2026-03-30T01:00:00", hours(6), "2026-03-29T06:00:00"],
  ] as const) {
    t.equal(lastSwitch(time, at(now)), at(expected), `${now} ${time}`);
  }
  t.end();
});
