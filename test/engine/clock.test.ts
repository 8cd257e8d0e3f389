/** The clock of the machine is set back and forward: what waits, what is deleted, what stays unique. */
import { test } from "tap";
import { ClockWatch } from "../../src/engine/clock-watch.ts";
import { Retention } from "../../src/engine/retention.ts";
import { Lockouts } from "../../src/net/lockouts.ts";
import { type Bench, bench } from "./site.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const TOML = `[cftparm]
part = "HUB"
npart = "O0999HUB"
rundir = "var"
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
nrpart = "O0999ACME"
[[cftsend]]
id = "DEFAULT"
`;

/** A send that was tried and put off for a minute, one that is not to begin before an hour is over, and the partner's clock. */
async function waiting({ site, submit }: Bench) {
  const { catalog, clock } = site;
  const tried = await submit("ACME");
  const claimed = await catalog.claimSend("ACME", "bench", clock.now());
  if (claimed?.idtu !== tried.idtu) throw new Error("another send was taken");
  await catalog.release(tried.idtu, { phasestep: "D", tries: 1, retryAt: clock.now() + MINUTE, diagi: 302 });
  const early = await submit("ACME");
  await catalog.update(early.idtu, { retryAt: clock.now() + HOUR });
  await catalog.setClock({
    part: "ACME",
    tries: 2,
    nextCallAt: clock.now() + MINUTE,
    diagi: 302,
    reason: "",
  });
  const left = async () => {
    const at = async (idtu: string) => ((await catalog.get(idtu))?.retryAt ?? 0) - clock.now();
    const { nextCallAt } = await catalog.clock("ACME");
    return { tried: await at(tried.idtu), early: await at(early.idtu), call: nextCallAt - clock.now() };
  };
  return { left, tried, early };
}

test("set back by a day: retries and calls wait as long as they would have, a time of day stays one", async (t) => {
  const each = await bench(t, TOML);
  const { clock, said, site } = each;
  const watch = new ClockWatch(() => site);
  await watch.open();
  const { left } = await waiting(each);
  t.same(await left(), { tried: MINUTE, early: HOUR, call: MINUTE });
  clock.set(-DAY);
  t.same(
    await left(),
    { tried: DAY + MINUTE, early: DAY + HOUR, call: DAY + MINUTE },
    "this is what it would be",
  );
  clock.advance(10_000);
  await each.until("the look", () => said.some((line) => line.startsWith("CFTS87W")));
  await each.until("the change", async () => (await left()).tried < DAY);
  t.same(await left(), { tried: 50_000, early: DAY + HOUR - 10_000, call: 50_000 });
  t.match(
    said.find((line) => line.startsWith("CFTS87W")),
    /DIRECTION=back SECONDS=86400/,
  );
  t.notOk(watch.doubtful);
  watch.stop();
});

test("set forward by a year: it is told, and nothing is deleted for its age for a day", async (t) => {
  const { clock, said, site, submit } = await bench(t, TOML);
  const { idtu } = await submit("ACME");
  await site.catalog.update(idtu, {
    phase: "X",
    phasestep: "X",
    workfile: "",
    spool: null,
    edate: clock.now(),
  });
  const watch = new ClockWatch(() => site);
  await watch.open();
  const retention = new Retention(
    () => site,
    () => watch.doubtful,
  );
  clock.set(365 * DAY);
  await watch.look();
  t.match(said.at(-1), /CFTS87W DIRECTION=forward SECONDS=31536000/);
  t.equal(await retention.purge(), 0);
  t.ok(await site.catalog.get(idtu), "the record is still there");
  clock.set(-365 * DAY);
  await watch.look();
  clock.advance(DAY);
  t.notOk(watch.doubtful);
  await retention.purge();
  t.ok(await site.catalog.get(idtu), "the mistake was made good, and nothing is lost");
  clock.set(365 * DAY);
  await watch.look();
  clock.advance(DAY + MINUTE);
  t.equal(await retention.purge(), 1, "a clock that stays where it is is believed");
  watch.stop();
});

test("what a time service does all day is no step", async (t) => {
  const { clock, said, site } = await bench(t, TOML);
  const watch = new ClockWatch(() => site);
  await watch.open();
  for (let time = 0; time < 100; time++) {
    clock.set(time % 3 === 0 ? -30_000 : 40_000);
    await watch.look();
  }
  t.same(
    said.filter((line) => line.startsWith("CFTS87W")),
    [],
  );
  watch.stop();
});

test("set back while the gateway was down: seen at the start, by the newest record", async (t) => {
  const each = await bench(t, TOML);
  const { clock, said, site } = each;
  const { left } = await waiting(each);
  clock.set(-10 * DAY);
  const watch = new ClockWatch(() => site);
  await watch.open();
  t.match(said.at(-1), /CFTS87W DIRECTION=back SECONDS=864000/);
  t.same(await left(), { tried: MINUTE, early: 10 * DAY + HOUR, call: MINUTE });
  watch.stop();
});

test("identities stay unique, and waits do not notice", async (t) => {
  const { clock, site, submit } = await bench(t, TOML);
  const stamps = new Set<string>();
  for (const by of [0, -HOUR, HOUR, -1, 1, -DAY, DAY, 0]) {
    clock.set(by);
    const { date, time } = await submit("ACME");
    stamps.add(`${date} ${time}`);
  }
  t.equal(stamps.size, 8, "SFIDDATE and SFIDTIME");
  const lockouts = new Lockouts("LOCAL", site.journal, clock);
  lockouts.update({ lockout: 1, lockout_max: 10_000, lockout_forget: MINUTE });
  lockouts.standing("192.0.2.1").refused(null);
  for (const by of [-DAY, 2 * DAY]) {
    clock.set(by);
    t.equal(lockouts.address("192.0.2.1"), 10_000);
  }
});
