/** Messages about commands and about the catalog, each through what it tells of. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { act, perform } from "../../src/engine/actions.ts";
import { activate } from "../../src/engine/activate.ts";
import { tellingTrouble } from "../../src/engine/catalog-trouble.ts";
import { putAway } from "../../src/engine/conclude.ts";
import { Deliveries } from "../../src/engine/deliveries.ts";
import { DiskSpace } from "../../src/engine/disk-space.ts";
import type { Gateway } from "../../src/engine/gateway.ts";
import { insist } from "../../src/engine/insist.ts";
import { removeFile } from "../../src/engine/removal.ts";
import { endTransfer } from "../../src/engine/requests.ts";
import { Retention } from "../../src/engine/retention.ts";
import { Scheduler } from "../../src/engine/scheduler.ts";
import { Scripts } from "../../src/engine/scripts/scripts.ts";
import type { Site } from "../../src/engine/site.ts";
import { submitOne } from "../../src/engine/submit-one.ts";
import { encode } from "../../src/oftp/wire/codec.ts";
import { frame } from "../../src/oftp/wire/stream.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { Callee } from "../gateway/callee.ts";
import { type Raw, sfid, ssid } from "../gateway/extra.ts";
import { type Bench, bench } from "./site.ts";

const HOUR = 3_600_000;
const TOML = `
[cftparm]
part = "HUB"
npart = "O0999HUB"
disk_low = "1MiB"

[[cftnet]]
id = "LOCAL"

[[cftprot]]
id = "OFTP"
type = "odette"
net = "LOCAL"

[[cftpart]]
id = "ACME"
prot = ["OFTP"]
sap = [1]
nrpart = "O0999ACME"
omintime = "18:00"
omaxtime = "20:00"

[[cfttcp]]
id = "ACME"
host = "127.0.0.1"

[cftcat]
sx = 1
`;

/** The site with a catalog of which these changes fail. */
function failing(site: Site, names: readonly (keyof Catalog)[], code: string): Site {
  const fail = async () => {
    throw new CygnetError(code, "the disk is full");
  };
  const catalog = { ...site.catalog, ...Object.fromEntries(names.map((name) => [name, fail])) };
  return { ...site, catalog };
}

const last = ({ said }: Bench): string | undefined => said.at(-1);

async function refused(t: Test, work: Promise<unknown>): Promise<void> {
  await t.rejects(work, { code: /^CYG_/ });
}

test("commands that are not carried out, and those that are", async (t) => {
  const made = await bench(t, TOML);
  const { site, submit } = made;
  const { idtu } = await submit("ACME");
  const who = `IDTU=${idtu} PART=ACME IDF=DEFAULT`;

  await refused(t, act(site, { action: "halt" }, "99999999"));
  t.equal(last(made), "CFTR13E CMD=HALT IDTU=99999999");
  await refused(t, endTransfer(site, "99999999", { reason: 0, text: "" }));
  t.equal(last(made), "CFTR13E CMD=END IDTU=99999999");

  await act(site, { action: "halt" }, idtu);
  t.equal(last(made), `CFTS19I ${who} TEXT=TD to TH`);
  await refused(t, act(site, { action: "submit" }, idtu));
  t.match(last(made), `CFTS18W ${who} TEXT=`);
  await refused(t, act(failing(site, ["transition"], "CYG_CATALOG_FULL"), { action: "keep" }, idtu));
  t.equal(last(made), `CFTS18E ${who} TEXT=the disk is full`);
  await refused(t, act(failing(site, ["remove"], "CYG_CATALOG_WRITE"), { action: "delete" }, idtu));
  t.equal(last(made), `CFTC05W ${who} TEXT=the disk is full`);

  // ended, then begun again: a START that is too late, a DELETE while the response is owed
  const other = await submit("ACME");
  await site.catalog.update(other.idtu, { phase: "X", phasestep: "X", edate: site.clock.now() });
  await refused(t, act(site, { action: "start" }, other.idtu));
  t.equal(last(made), `CFTR22E CMD=START IDTU=${other.idtu} PART=ACME IDF=DEFAULT PHASE=X`);
  const owing = { ...site, catalog: { ...site.catalog, owesResponse: async () => true } };
  const { refused: kept } = await perform(owing, { action: "delete" }, { idtu: other.idtu });
  t.equal(kept.length, 1);
  t.match(
    last(made),
    `CFTC04W IDTU=${other.idtu} PART=ACME IDF=DEFAULT STATE=XX TEXT=the partner has not had`,
  );
});

test("the hours of a partner, and partners for whom nothing waits", async (t) => {
  const made = await bench(t, TOML);
  const gateway = { site: made.site } as Gateway;
  await activate(gateway, { command: "inact", id: "ACME" });
  t.match(last(made), "CFTR14W CMD=INACT PART=ACME TEXT=no transfer");
  await activate(gateway, { command: "act", id: "ACME" });
  const { idtu } = await made.submit("ACME");
  const before = made.said.length;
  await activate(gateway, { command: "act", id: "ACME" });
  t.notOk(made.said.slice(before).some((line) => line.startsWith("CFTR14W")));
  made.scheduler.kick();
  await made.until("the obstacle", () => made.said.some((line) => line.startsWith("CFTC03W")), 10);
  const time = new Date(2026, 10, 20, 18).toISOString().slice(0, 16);
  t.ok(made.said.some((line) => line.startsWith(`CFTC03W IDTU= PART=ACME IDF= TIME=${time}`)));
  t.match(await made.site.catalog.get(idtu), { phasestep: "D", diagi: 414 });
});

test("scripts: one that runs and keeps others waiting, one whose variables no program can be given", async (t) => {
  const flow = '[[cftsend]]\nid = "DEFAULT"\npreexec = ["sleep", "&(-3)(=30)DIAGC"]\n';
  const made = await bench(
    t,
    `${TOML.replace("[cftparm]", "[cftparm]\nmax_processing_scripts = 1")}\n${flow}`,
  );
  const { site, said } = made;
  const scripts = new Scripts(() => site);
  t.teardown(() => scripts.stop(0));
  const nul = await made.submit("ACME");
  await site.catalog.update(nul.idtu, { diagc: "0\u00000" });
  scripts.open();
  await made.until("the refusal", () => said.some((line) => line.startsWith("CFTS68E")), 10);
  t.match(
    said.filter((line) => line.startsWith("CFTS68E")),
    [new RegExp(`^CFTS68E IDTU=${nul.idtu} PART=ACME IDF=DEFAULT EVENT=PREEXEC SCRIPT=sleep VARIABLE=DIAGC`)],
  );
  t.match(await site.catalog.get(nul.idtu), { phase: "A", phasestep: "K", diagi: 158 });

  for (let count = 0; count < 3; count += 1) await made.submit("ACME");
  await made.until(
    "the one that runs",
    () => said.filter((line) => line.startsWith("CFTS03I")).length === 2,
    10,
  );
  await made.until("the others to be told of", () => said.some((line) => line.startsWith("CFTS65W")), 60_000);
  t.ok(said.includes("CFTS65W N=2 LIMIT=1"));
});

test("a catalog and a disk that cannot take more", async (t) => {
  const made = await bench(t, TOML);
  const { site, said, clock } = made;
  const { idtu, part, idf } = await made.submit("ACME");

  const broken = failing(site, ["update", "release", "get"], "CYG_CATALOG_FULL");
  const telling = tellingTrouble(broken.catalog, site.journal, clock);
  for (const look of [0, 1, 60_000]) {
    clock.advance(look);
    await refused(t, telling.update(idtu, {}));
    await refused(t, telling.release(idtu, {}));
  }
  t.same(
    said.filter((line) => line.startsWith("CFTC01E")),
    ["CFTC01E TEXT=the disk is full", "CFTC01E TEXT=the disk is full"],
    "once a minute",
  );
  t.ok(await telling.list({ idtu }), "what works works");

  // a change that is insisted on, until the gateway stops
  await insist(broken, { idtu, part, idf }, () => broken.catalog.release(idtu, {}));
  t.match(last(made), `CFTT21E IDTU=${idtu} PART=ACME IDF=DEFAULT CODE=412`);
  broken.stopping = true;
  clock.advance(1_000);
  await site.sessions.finished();
  t.equal(
    last(made),
    `CFTC06E IDTU=${idtu} PART=ACME IDF=DEFAULT TEXT=the disk is full; the next start takes it up`,
  );

  // the disk of the catalog runs short of space
  const disk = { ...site.disk, space: async () => ({ device: 1n, free: 512 * 1024, total: 2 ** 30 }) };
  const space = new DiskSpace(
    () => ({ ...site, disk }),
    () => {},
  );
  await space.look();
  t.match(
    said.slice(-2).map((line) => line.split(" ", 2).join(" ")),
    [/^CFTS86E/, "CFTC01W N=512"],
  );
});

test("in a session: a file during a stop, a response that the partner has no word for", async (t) => {
  let line: Raw | undefined;
  const callee = await Callee.listen(async (raw) => {
    raw.send({ type: "SSRM", message: "ODETTE FTP READY " });
    await raw.expect("SSID");
    raw.send(ssid({ code: "O0999OLD", pswd: "", lev: 2 }));
    line = raw;
  });
  t.teardown(() => callee.close());
  const old = TOML.replaceAll("ACME", "OLD")
    .replace("sap = [1]", `sap = [${callee.port}]`)
    .replace(/omintime.*\nomaxtime.*\n/, "");
  const made = await bench(t, old);
  const { site, said } = made;
  const identity = { dsn: "THEIRS", date: "261120", time: "120000", orig: "O0999OLD", dest: "O0999HUB" };
  const { transfer } = await site.catalog.addReceive(
    {
      ...{
        ...identity,
        part: "OLD",
        via: "",
        workfolder: "/work/recv",
        idf: "DEFAULT",
        mode: "server",
        nfname: "THEIRS",
        prot: "OFTP",
      },
      ...{ description: "", filesize: 1, format: "U", lrecl: 0, security: null },
    },
    site.owner,
  );
  const no = {
    ...identity,
    idtu: transfer.idtu,
    part: "OLD",
    kind: "NERP",
    reason: 34,
    text: "not wanted",
  } as const;
  await site.catalog.finishReceive(transfer.idtu, {}, no);
  t.equal(made.scheduler.poll("OLD"), undefined);
  await made.until("the session", () => line, 10);
  if (line === undefined) throw new Error("there is no session");
  await line.expect("CD");
  const told = said.filter((text) => text.startsWith("CFTT93W"));
  t.match(told, [new RegExp(`^CFTT93W PART=OLD IDS=\\d+ IDTU=${transfer.idtu} TEXT=not wanted`)]);

  site.stopping = true;
  const offer = sfid({ orig: "O0999OLD", dsn: "LATE" });
  line.bytes(frame(encode(offer, 2)));
  t.match(await line.next(), { type: "SFNA", reas: 99, rrtr: true });
  t.ok(said.some((text) => text.startsWith("CFTT23E PART=OLD")));
  t.same(await site.catalog.list({ part: "OLD", state: "C" }), [], "and has no record");
  line.close();
});

test("what becomes of files and records that have ended", async (t) => {
  const made = await bench(t, TOML);
  const { site, said, clock } = made;
  const [one, two, three] = [await made.submit("ACME"), await made.submit("ACME"), await made.submit("ACME")];
  const ended = { phase: "X", phasestep: "X", ack: "A", edate: clock.now() } as const;
  for (const each of [one, two]) await site.catalog.update(each.idtu, ended);
  await site.catalog.update(three.idtu, { ...ended, ack: "N" });
  const who = ({ idtu }: { idtu: string }) => `IDTU=${idtu} PART=ACME IDF=DEFAULT`;

  await putAway(site, { ...one, ack: "A" });
  t.equal(last(made), `CFTT89I ${who(one)} ACTION=DELETE FILE=${one.fname}`);
  await putAway(site, { ...three, ack: "N" });
  t.equal(last(made), `CFTT89I ${who(three)} ACTION=KEEP in failed FILE=${three.fname}`);
  const spool = {
    ...site.spool,
    settle: async () => {
      throw new CygnetError("CYG_SPOOL_FULL", "no space");
    },
  };
  await putAway({ ...site, spool }, { ...two, ack: "A" });
  t.equal(last(made), `CFTT90W ${who(two)} ACTION=DELETE FILE=${two.fname} TEXT=no space`);

  clock.advance(26 * HOUR);
  t.equal(await new Retention(() => site).purge(), 2, "the one whose file is still there stays");
  t.same(
    said.filter((line) => line.startsWith("CFTC12I")),
    [one, three].map((each) => `CFTC12I ${who(each)} STATE=XX DIRECT=send`),
  );
});

test("a file goes with its record only while it is that one: never what waits in a watched folder, nor what came later", async (t) => {
  const folder = '[[cftfolder]]\nid = "OUT"\nscandir = "out"\nworkdir = "work/out"\npart = "ACME"\n';
  const made = await bench(t, `${TOML}\n${folder}`);
  const { site, said } = made;
  const { rundir } = site.configuration.cftparm;
  const transfer = await made.submit("ACME");
  const content = "the same every day";
  const sent = {
    phase: "X",
    phasestep: "X",
    filesize: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  } as const;
  mkdirSync(join(rundir, "out"), { recursive: true });
  const place = (name: string) => {
    const fname = join(rundir, name);
    writeFileSync(fname, content);
    return fname;
  };
  const later = Date.now() + HOUR;
  const waiting = place("out/report.csv");
  await removeFile(site, { ...transfer, ...sent, fname: waiting, edate: later });
  t.ok(existsSync(waiting), "it waits to be sent");

  const fname = place("report.csv");
  await removeFile(site, { ...transfer, ...sent, fname, edate: Date.now() - HOUR });
  t.ok(existsSync(fname), "it was written after the transfer had ended");
  t.match(last(made), /^CFTT35W .*CAUSE=another file has that name/);
  await removeFile(site, { ...transfer, ...sent, fname, edate: later });
  t.notOk(existsSync(fname));
  t.match(said.at(-1), /^CFTT89I .*ACTION=DELETE/);
});

test("a receive that was put away is refused after a crash, never acknowledged", async (t) => {
  const made = await bench(t, `${TOML}\n[[cftrecv]]\nid = "DEFAULT"\nfname = "in/&IDTU"\nfdisp = "new"\n`);
  const { site, said } = made;
  const { rundir } = site.configuration.cftparm;
  const identity = {
    dsn: "THEIRS",
    date: "20261120",
    time: "1200000001",
    orig: "O0999ACME",
    dest: "O0999HUB",
  };
  const names = {
    part: "ACME",
    via: "",
    idf: "DEFAULT",
    nfname: "THEIRS",
    prot: "OFTP",
    description: "",
  } as const;
  const workfolder = join(rundir, "work", "recv");
  const form = { workfolder, mode: "server", filesize: 7, format: "U", lrecl: 0, security: null } as const;
  const { transfer } = await site.catalog.addReceive({ ...identity, ...names, ...form }, site.owner);
  const incoming = await site.spool.openIncoming(transfer, 0);
  await incoming.write([Buffer.from("content")]);
  await incoming.sync();
  await incoming.close();
  await site.catalog.update(transfer.idtu, { phase: "Y", phasestep: "C", bytes: 7 });
  mkdirSync(join(rundir, "in"), { recursive: true });
  writeFileSync(join(rundir, "in", transfer.idtu), "somebody else's");

  // the name is taken, so the file is put away; then the power fails before the response is recorded
  const dying = new Deliveries(() => failing(site, ["finishReceive"], "CYG_CATALOG_WRITE"));
  dying.begin((await site.catalog.get(transfer.idtu)) ?? transfer, "session");
  await dying.stop();
  t.ok(said.some((line) => line.startsWith("CFTC70E")));
  t.match(await site.catalog.get(transfer.idtu), { phase: "Y", workfile: "" });

  const { delivered, putAway: away } = await site.spool.recover();
  t.same(delivered, []);
  t.equal(away.length, 1);
  for (const each of away) await site.deliveries.endPutAway(each);
  t.match(await site.catalog.get(transfer.idtu), {
    phase: "X",
    diagi: 142,
    spool: null,
    diagc: /exists already/,
  });
  t.match(await site.catalog.claimResponse("ACME", "x"), { kind: "NERP", reason: 34 });
  t.same(readdirSync(join(rundir, "failed", "ACME")), [transfer.idtu]);
});

test("a catalog that cannot be written ends no call and no delivery with the gateway", async (t) => {
  const made = await bench(t, TOML.replace(/omintime.*\nomaxtime.*\n/, ""));
  const { site, said } = made;
  const count = (id: string) => said.filter((line) => line.startsWith(id)).length;
  await made.submit("ACME");
  const scheduler = new Scheduler(failing(site, ["setClock"], "CYG_CATALOG_FULL"));
  t.teardown(() => scheduler.stop());
  scheduler.kick();
  await made.until("the call to fail", () => count("CFTC70E") > 0, 10);
  t.match(last(made), /^CFTC70E PART=ACME TEXT=the failure of a call is not recorded: the disk is full/);
  let looks = 0;
  const looked = () => {
    scheduler.kick();
    looks += 1;
    return looks > 20;
  };
  await made.until("some looks", looked, 1_000);
  t.equal(count("CFTC70E"), 1, "and its partner is left alone");
  await made.until("the next call", () => count("CFTC70E") > 1, 1_000);
  await scheduler.stop();

  const unrecorded = new Deliveries(() => failing(site, ["finishReceive"], "CYG_CATALOG_FULL"));
  const vanished = {
    ...(await made.submit("ACME")),
    workfile: join(site.configuration.cftparm.rundir, "gone"),
  };
  await site.catalog.update(vanished.idtu, {
    phase: "Y",
    phasestep: "C",
    workfile: vanished.workfile,
    spool: null,
  });
  unrecorded.begin(vanished, "session");
  await unrecorded.stop();
  t.match(said.at(-2), /^CFTF34E /);
  t.match(last(made), new RegExp(`^CFTC70E IDTU=${vanished.idtu} .*TEXT=the disk is full`));
});

test("a copy that no record comes of does not stay", async (t) => {
  const made = await bench(t, TOML);
  const { site } = made;
  const { rundir } = site.configuration.cftparm;
  const path = join(rundir, "invoice");
  writeFileSync(path, "content");
  const asked = { part: "ACME", idf: "DEFAULT", path, recipe: { nfname: "&NOSUCH" } };
  await t.rejects(submitOne(site, asked, "operator"), { code: /^CYG_/ });
  t.same(readdirSync(join(rundir, "work", "submit")), []);
  await submitOne(site, { ...asked, recipe: {} }, "operator");
  t.same(readdirSync(join(rundir, "work", "submit")), []);
});
