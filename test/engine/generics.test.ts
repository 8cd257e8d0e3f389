/** Lists and cycles over every crash, with a clock that is moved by hand. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { perform } from "../../src/engine/actions.ts";
import { Generics } from "../../src/engine/generic/generics.ts";
import { submitFile } from "../../src/engine/requests.ts";
import { describeSend } from "../../src/engine/submission.ts";
import { type Bench, bench } from "./site.ts";

const HOUR = 3_600_000;

const TOML = `
[cftparm]
part = "HUB"
npart = "O0999HUB"
rundir = "var"
allow_plain_secrets = true

[[cftnet]]
id = "LOCAL"
host = "127.0.0.1"

[[cftprot]]
id = "OFTP"
type = "odette"
net = "LOCAL"

[[cftpart]]
id = "ACME"
prot = ["OFTP"]
sap = [9]
nrpart = "O0999ACME"
nspassw = "A"
nrpassw = "B"
state = "noactive"

[[cftdest]]
id = "ALL"
part = ["ACME"]

[[cftsend]]
id = "DAILY"
fname = "mine/one.txt"
cycle = 1
cyctime = "06:00"
maxdate = "2026-11-25"

[[cftsend]]
id = "MANY"
fname = "#mine/*.txt"
cycle = 2
tcycle = "min"

[[cftsend]]
id = "LIST"
fname = "#mine"

[cftlog]
fname = "log/cygnet.log"
`;

/** A life of what looks after generic records: it can be ended at any moment, as a process is. */
function life(t: Test, { site }: Bench): Generics {
  const generics = new Generics(() => site);
  generics.open();
  t.teardown(() => generics.stop());
  return generics;
}

async function made(t: Test): Promise<Bench & { mine: string }> {
  const here = await bench(t, TOML);
  const mine = join(here.site.configuration.cftparm.rundir, "mine");
  mkdirSync(mine, { recursive: true });
  return { ...here, mine };
}

test("a cycle takes each of its times once, whatever dies at which moment", async (t) => {
  const here = await made(t);
  const { site, clock, mine, until, said } = here;
  const { catalog, spool } = site;
  writeFileSync(join(mine, "one.txt"), "content");
  const cycle = await submitFile(site, { part: "ACME", idf: "DAILY" });
  const children = () => catalog.list({ pidtu: cycle.idtu, sort: "-idtu" });
  const record = async () => (await catalog.get(cycle.idtu)) ?? cycle;
  t.equal(new Date(cycle.retryAt).toString(), new Date(2026, 10, 21, 6).toString(), "noon: today's is over");
  t.match(cycle, { phase: "T", phasestep: "H", diagi: 0, diagp: "DAY CYC" });

  // dies while the file is copied, before the record, after it, and before the file is claimed
  const { addSend } = catalog;
  const claim = spool.claim.bind(spool);
  const deaths: [string, number, () => void][] = [
    [
      "before the record",
      0,
      () => Object.assign(catalog, { addSend: () => Promise.reject(new Error("dead")) }),
    ],
    [
      "after the record",
      1,
      () =>
        Object.assign(catalog, {
          addSend: async (...values: Parameters<typeof addSend>) => {
            await addSend(...values);
            throw new Error("dead");
          },
        }),
    ],
    [
      "after the claim",
      1,
      () =>
        Object.assign(spool, {
          claim: async (...values: Parameters<typeof claim>) => {
            await claim(...values);
            throw new Error("dead");
          },
        }),
    ],
  ];
  let count = 0;
  for (const [name, recorded, die] of deaths) {
    const at = (await record()).retryAt;
    die();
    const first = life(t, here);
    clock.advance(at - clock.now());
    const before = said.length;
    await until(`the death ${name}`, () => said.slice(before).some((line) => /CFTC70E.*dead/.test(line)), 1);
    await first.stop();
    Object.assign(catalog, { addSend });
    Object.assign(spool, { claim });
    t.equal((await children()).length, count + recorded, name);
    const second = life(t, here);
    await spool.recover();
    await until(`the turn after dying ${name}`, async () => (await children()).length === count + 1, 1);
    clock.advance(HOUR);
    await until("a look that finds nothing", async () => (await record()).retryAt > clock.now());
    await second.stop();
    count += 1;
    t.equal((await children()).length, count, `${name}: once`);
    t.equal(new Date((await record()).retryAt).getHours(), 6);
  }
  t.equal(
    readdirSync(join(mine, "..", "work")).filter((file) => /^\d{8}$/.test(file)).length,
    3,
    "three files claimed",
  );

  // down for the days that are left but one: the missed ones are taken once, and then its days are over
  const third = life(t, here);
  const next = (await record()).retryAt;
  t.equal(new Date(next).getDate(), 24);
  clock.advance(next + 20 * HOUR - clock.now());
  await until("the turn", async () => (await children()).length === 4, 1);
  clock.advance(72 * HOUR);
  await until("its end", async () => (await record()).phase === "X", 1);
  t.equal((await children()).length, 4, "after maxdate nothing more is sent");
  await third.stop();
});

test("a cycle of lists, held, started out of turn, without its files and without its partner", async (t) => {
  const here = await made(t);
  const { site, clock, mine, until, said } = here;
  const { catalog } = site;
  for (const name of ["a", "b"]) writeFileSync(join(mine, `${name}.txt`), name);
  const generics = life(t, here);
  const cycle = await submitFile(site, { part: "ACME", idf: "MANY" });
  const lists = () => catalog.list({ pidtu: cycle.idtu, sort: "-idtu" });
  const files = async () => {
    const each = await Promise.all((await lists()).map(({ idtu }) => catalog.list({ pidtu: idtu })));
    return each
      .flat()
      .map(({ fname }) => fname.slice(mine.length + 1))
      .sort();
  };
  await until("the first list", async () => (await files()).length === 2, 1);
  t.match((await lists())[0], { diagp: "LIST_FI", phasestep: "H" });
  const { retryAt } = (await catalog.get(cycle.idtu)) ?? cycle;
  t.match(await generics.cycles(), [{ idtu: cycle.idtu, every: 2, period: "min", next: retryAt }]);

  const order = (action: "halt" | "keep" | "start" | "resume") =>
    perform(site, { action }, { idtu: cycle.idtu });
  t.match(await order("halt"), { done: [{ phasestep: "H", diagi: 121 }] });
  clock.advance(10 * 60_000);
  await until("a look", () => clock.now() > retryAt, 200);
  t.equal((await lists()).length, 1, "held: no turn is taken");
  t.match(await order("resume"), { refused: [{ code: "CYG_REQUEST_STATE" }] });
  t.match(await order("keep"), { done: [{ phasestep: "K" }] });
  t.match(await order("start"), { done: [{ phasestep: "H", diagi: 0, diagp: "MIN CYC" }] });
  await until("the one turn for what was missed", async () => (await files()).length === 4, 1);
  t.equal((await lists()).length, 2);

  rmSync(join(mine, "a.txt"));
  rmSync(join(mine, "b.txt"));
  t.match(await order("start"), { done: [{ phasestep: "H" }] });
  await until("a list without files", async () => (await lists())[2]?.phasestep === "K", 1);
  t.match((await lists())[2], { diagi: 110, diagp: "LIST_FI" });
  await until("the message", () => said.some((line) => line.startsWith("CFTF02E")));

  (site.configuration.cftpart as Map<string, unknown>).delete("ACME");
  t.match(await order("start"), { done: [{ phasestep: "H" }] });
  await until("it to stop", async () => (await catalog.get(cycle.idtu))?.phasestep === "K", 1);
  t.match(await catalog.get(cycle.idtu), { diagi: 408 });
  await until("the message", () => said.some((line) => line.startsWith("CFTT14E")));
});

test("a list for a list of partners: a broadcast for each file, none of them offered to whoever calls", async (t) => {
  const here = await made(t);
  const { site, mine, until } = here;
  for (const name of ["a", "b", "c"]) writeFileSync(join(mine, `${name}.txt`), name);
  life(t, here);
  const list = await submitFile(site, { part: "ALL", idf: "LIST" });
  await until(
    "a child for each file",
    async () => {
      const record = await site.catalog.get(list.idtu);
      return record?.diagc === "3 files";
    },
    1,
  );
  const broadcasts = await site.catalog.list({ pidtu: list.idtu });
  t.strictSame(new Set(broadcasts.map(({ diagp }) => diagp)), new Set(["DIFFUS"]));
  const single = await submitFile(site, { part: "ACME", idf: "LIST" });
  t.match(single, { diagp: "LIST_FI", part: "ACME" });
  for (let count = 0; count < 10; count += 1) {
    const claimed = await site.catalog.claimSend("ACME", "me", site.clock.now(), true);
    if (claimed === undefined) break;
    t.equal(claimed.generic, null, "what goes over the line is a file");
  }
});

test("a script does not begin before its time", async (t) => {
  const { site, clock } = await made(t);
  const { catalog } = site;
  const part = site.configuration.cftpart.get("ACME");
  if (part === undefined) return t.fail("there is a partner");
  const { request } = await describeSend(site, part, "DEFAULT", "/x", clock.now());
  const at = clock.now() + HOUR;
  const send = { ...request, fname: "/x", filesize: 1, script: "preexec", scriptAt: at } as const;
  const { idtu } = await catalog.addSend({ ...send, spool: { step: "claimed", source: "", archive: "" } });
  t.equal(await catalog.scriptsWaiting(), 1);
  t.equal(await catalog.scriptsWaiting(at - 1), 0);
  t.equal(await catalog.nextScriptAt(clock.now()), at);
  t.equal(await catalog.claimScript("me", at - 1), undefined);
  t.match(await catalog.claimScript("me", at), { idtu, phase: "A", phasestep: "C" });
  t.equal(await catalog.nextScriptAt(clock.now()), null);
});
