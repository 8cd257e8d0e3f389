/**
 * Transfer CFT's retry engines: which DIAGI sets which in motion, and what follows, hour by hour. Partners are real
 * sockets, the clock is moved by hand.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "tap";
import { obstacleOf } from "../../src/engine/obstacle.ts";
import { afterFailure, type Engine, engineOf, jittered, spacing } from "../../src/engine/retry.ts";
import { diagnoseFile, diagnoseOpening } from "../../src/engine/session-end.ts";
import { diagiCodes } from "../../src/messages/codes/diagi.ts";
import { Callee, type Conduct, conducts } from "../gateway/callee.ts";
import { freePorts } from "../gateway/harness.ts";
import { type Bench, bench } from "./site.ts";

const MINUTE = 60_000;

test("the schedule of RETRYW, RETRYN and RETRYM", async (t) => {
  const rows: [retryw: number, retryn: number, retrym: number, waits: number[]][] = [
    [1, 4, 12, [1, 1, 1, 1, 2, 2, 4, 8, 8, 8, 8]],
    [1, 8, 20, [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 8, 16, 16, 16, 16]],
    [7, 1, 4, [7, 14, 14]],
    [3, 0, 3, [3, 6]],
    [1, 4, 1, []],
    [1, 4, 0, []],
  ];
  for (const [retryw, retryn, retrym, waits] of rows) {
    const found: number[] = [];
    for (let failures = 1; ; failures++) {
      const wait = spacing({ retryw, retryn, retrym }, failures);
      if (wait === null) break;
      found.push(wait);
    }
    t.same(found, waits, `${retryw}/${retryn}/${retrym}`);
  }
  t.same(
    [0, 0.5, 0.999].map((fraction) => jittered(1000, fraction)),
    [500, 1000, 1499],
    "half to one and a half",
  );
});

test("every DIAGI has its engine, and every engine its end", async (t) => {
  const engines: Record<Engine, number[]> = {
    RETRY: [240, 302, 740],
    COMMUT: [301, 303],
    RESTART: [122, 135, 230, 418, 451, 720, 730, 909, 920, 963],
    NEXT: [412, 415, 416, 417, 421, 916],
    ABORT: [],
  };
  const named = Object.entries(engines).flatMap(([engine, codes]) =>
    codes.map((code) => [code, engine] as const),
  );
  const expected = new Map<number, string>(named);
  for (const [code] of diagiCodes) t.equal(engineOf(code), expected.get(code) ?? "ABORT", `DIAGI ${code}`);

  const limits = { retryw: MINUTE, retryn: 4, retrym: 12, restart: 5 };
  const ends: Record<Engine, { tries: number; stop: object | null }> = {
    RETRY: { tries: 12, stop: { diagi: 405, diagp: "MAXRETRY" } },
    COMMUT: { tries: 12, stop: { diagi: 405, diagp: "MAXRETRY" } },
    RESTART: { tries: 5, stop: { diagi: 406, diagp: "MAXRST" } },
    NEXT: { tries: 200, stop: null },
    ABORT: { tries: 1, stop: { diagi: 260, diagp: "" } },
  };
  for (const [engine, codes] of Object.entries({ ...engines, ABORT: [260] }) as [Engine, number[]][]) {
    for (const diagi of codes) {
      let before = { tries: 0, diagi: 0 };
      let stop: object | null = null;
      let count = 0;
      while (stop === null && count < 200) {
        count++;
        const next = afterFailure(diagi, before, limits, 0.5);
        if (engine === "NEXT") t.equal(next.wait, MINUTE, "an even pace");
        before = { tries: next.tries, diagi };
        stop = next.stop;
      }
      t.same({ tries: count, stop }, ends[engine], `${engine} ${diagi}`);
    }
  }
  // calls that fail and sessions that are refused are counted apart
  const [lost, refused] = [302, 451];
  t.match(afterFailure(lost, { tries: 4, diagi: refused }, limits, 0.5), { tries: 1, stop: null });
  t.match(afterFailure(refused, { tries: 11, diagi: lost }, limits, 0.5), { tries: 1, stop: null });
  t.match(
    afterFailure(303, { tries: 4, diagi: lost }, limits, 0.5),
    { tries: 5 },
    "a round over all paths counts",
  );
});

test("what the end of a session says", async (t) => {
  const end = (origin: "local" | "distant", reason: number) => {
    return { normal: reason === 0, reason, text: "", origin };
  };
  const lost = { ...end("distant", 99), lost: true as const };
  const rows: [what: string, end: Parameters<typeof diagnoseFile>[0], opening: string, file: string][] = [
    ["the line broke", lost, "302 ", "302 "],
    ["ESID 01", end("distant", 1), "730 201", "730 201"],
    ["ESID 02", end("distant", 2), "730 202", "730 202"],
    ["ESID 03", end("distant", 3), "909 203", "730 203"],
    ["ESID 04", end("distant", 4), "909 204", "730 204"],
    ["ESID 05", end("distant", 5), "916 205", "730 205"],
    ["ESID 08", end("distant", 8), "916 208", "916 208"],
    ["ESID 09", end("distant", 9), "740 209", "740 209"],
    ["ESID 10", end("distant", 10), "720 210", "730 210"],
    ["ESID 11", end("distant", 11), "963 211", "730 211"],
    ["ESID 12", end("distant", 12), "720 212", "730 212"],
    ["ESID 99", end("distant", 99), "451 299", "730 299"],
    ["our time-out", end("local", 9), "451 TIMEOUT", "240 RTO"],
    ["our ESID 02", end("local", 2), "451 FCON_RN", "230 202"],
    ["our ESID 06", end("local", 6), "451 FCON_RN", "230 206"],
    ["our ESID 03", end("local", 3), "451 FCON_RN", "302 "],
    ["our shutdown", end("local", 5), "451 FCON_RN", "302 "],
  ];
  for (const [what, ended, opening, file] of rows) {
    const [one, other] = [diagnoseOpening(ended), diagnoseFile(ended)];
    t.same([`${one.diagi} ${one.diagp}`, `${other.diagi} ${other.diagp}`], [opening, file], what);
  }
});

const CODE = "O0999ACME";

/** A site with partners that are called on these ports. */
function toml(parts: Record<string, { port: number; more?: string; tcp?: string }>, more = ""): string {
  const partners = Object.entries(parts).map(
    ([id, { port, more: own = "", tcp = "" }]) => `
[[cftpart]]
id = "${id}"
prot = ["OFTP"]
sap = [${port}]
nrpart = "O0999${id}"
${own}

[[cfttcp]]
id = "${id}"
host = "127.0.0.1"
${tcp}
`,
  );
  return `[cftparm]
part = "HUB"
npart = "O0999HUB"

[[cftnet]]
id = "LOCAL"
maxcnx = 1

[[cftprot]]
id = "OFTP"
type = "odette"
net = "LOCAL"
${more}
${partners.join("")}`;
}

/** Waits between the tries until the send stops, or `most` of them; minutes. */
async function waits(
  { clock, site, scheduler, submit, until, said }: Bench,
  { most, expire = 0, callee = null }: { most: number; expire?: number; callee?: Callee | null },
) {
  const { idtu } = await submit("ACME");
  const begun = () => said.filter((line) => line.startsWith("CFTT13I")).length;
  const found: number[] = [];
  scheduler.kick();
  for (let tries = 1; tries <= most; tries++) {
    await until(`try ${tries}`, () => begun() === tries, 10);
    const at = async () => {
      const transfer = await site.catalog.get(idtu);
      const { nextCallAt, diagi } = await site.catalog.clock("ACME");
      return { transfer, next: Math.max(nextCallAt, transfer?.retryAt ?? 0), diagi };
    };
    if (expire > 0) {
      // a partner that says nothing is given up when its time is over
      await until("the silence", () => callee?.done === tries && site.sessions.all.length === 1);
      clock.advance(expire);
    }
    await until(`the end of try ${tries}`, async () => {
      const { transfer, next } = await at();
      const calm = transfer?.phasestep !== "C" && site.sessions.all.length === 0;
      return calm && (next > clock.now() || transfer?.phasestep !== "D");
    });
    const { transfer, next } = await at();
    if (transfer?.phasestep !== "D") return { found, transfer };
    const wait = next - clock.now();
    found.push(wait / MINUTE);
    clock.advance(wait - 50);
    await sleep(20);
    if (begun() !== tries) throw new Error("it was tried before its time");
  }
  return { found, transfer: await site.catalog.get(idtu) };
}

test("a partner that fails in one way, until the engine gives up", async (t) => {
  const minutes = (...values: number[]) => values;
  const retry = minutes(1, 1, 1, 1, 2, 2, 4, 8, 8, 8, 8);
  const restart = minutes(1, 1, 1, 1);
  const pace = minutes(1, 1, 1, 1, 1, 1, 1);
  const rows: {
    what: string;
    conduct: Conduct | null;
    waits: number[];
    ends: { state: string; diagi: number; diagp: string };
    says: RegExp;
    most?: number;
    expire?: number;
    more?: string;
  }[] = [
    {
      what: "RETRY: nobody listens (302)",
      conduct: null,
      waits: retry,
      ends: { state: "K", diagi: 405, diagp: "MAXRETRY" },
      says: /^CFTT03E .*DIAGI=302/,
    },
    {
      what: "RETRY: the line is cut at once (302)",
      conduct: conducts.hangUp,
      waits: retry,
      ends: { state: "K", diagi: 405, diagp: "MAXRETRY" },
      says: /^CFTH11E .*DIAGI=302/,
    },
    {
      what: "RETRY: ESID 09 (740)",
      conduct: conducts.refuse(9),
      waits: retry,
      ends: { state: "K", diagi: 405, diagp: "MAXRETRY" },
      says: /^CFTT03E .*DIAGI=740 DIAGP=209/,
    },
    {
      what: "RESTART: nothing is said (451)",
      conduct: conducts.silent,
      waits: restart,
      expire: 61_000,
      ends: { state: "K", diagi: 406, diagp: "MAXRST" },
      says: /^CFTT08E .*DIAGI=451 DIAGP=TIMEOUT/,
    },
    {
      what: "RESTART: ESID 03 (909)",
      conduct: conducts.refuse(3),
      waits: restart,
      ends: { state: "K", diagi: 406, diagp: "MAXRST" },
      says: /^CFTT08E .*DIAGI=909 DIAGP=203/,
    },
    {
      what: "RESTART: ESID 04 (909)",
      conduct: conducts.refuse(4),
      waits: minutes(1),
      more: "restart = 2",
      ends: { state: "K", diagi: 406, diagp: "MAXRST" },
      says: /^CFTT08E .*DIAGI=909 DIAGP=204/,
    },
    {
      what: "RESTART: another answers (451)",
      conduct: conducts.stranger,
      waits: restart,
      ends: { state: "K", diagi: 406, diagp: "MAXRST" },
      says: /^CFTT15E .*NPART=O0999STRANGER/,
    },
    {
      what: "NEXT: ESID 08 (916)",
      conduct: conducts.refuse(8),
      waits: pace,
      most: 7,
      ends: { state: "D", diagi: 916, diagp: "WAIT" },
      says: /^CFTH11E .*DIAGI=916/,
    },
    {
      what: "NEXT: ESID 05 (916)",
      conduct: conducts.refuse(5),
      waits: pace,
      most: 7,
      ends: { state: "D", diagi: 916, diagp: "WAIT" },
      says: /^CFTH11E .*DIAGI=916/,
    },
    {
      what: "in the file, RETRY: nothing is said (240)",
      conduct: conducts.silentInFile(CODE),
      waits: retry,
      expire: 261_000,
      ends: { state: "K", diagi: 405, diagp: "MAXRETRY" },
      says: /^CFTT82E .*DIAGI=240 DIAGP=RTO/,
    },
    {
      what: "in the file, RETRY: the line breaks (302)",
      conduct: conducts.cutInFile(CODE),
      waits: retry,
      ends: { state: "K", diagi: 405, diagp: "MAXRETRY" },
      says: /^CFTT82E .*DIAGI=302/,
    },
    {
      what: "in the file, RETRY: ESID 09 (740)",
      conduct: conducts.endInFile(CODE, 9),
      waits: retry,
      ends: { state: "K", diagi: 405, diagp: "MAXRETRY" },
      says: /^CFTT74E .*DIAGI=740/,
    },
    {
      what: "in the file, RESTART: ESID 99 (730)",
      conduct: conducts.endInFile(CODE, 99),
      waits: restart,
      ends: { state: "K", diagi: 406, diagp: "MAXRST" },
      says: /^CFTT08E .*DIAGI=406/,
    },
    {
      what: "in the file, RESTART: nonsense (230)",
      conduct: conducts.nonsenseInFile(CODE),
      waits: restart,
      ends: { state: "K", diagi: 406, diagp: "MAXRST" },
      says: /^CFTT82E .*DIAGI=230 DIAGP=202/,
    },
    {
      what: "in the file, NEXT: ESID 08 (916)",
      conduct: conducts.endInFile(CODE, 8),
      waits: pace,
      most: 7,
      ends: { state: "D", diagi: 916, diagp: "208" },
      says: /^CFTT74E .*DIAGI=916/,
    },
    {
      what: "ABORT: SFNA without retry (610)",
      conduct: conducts.decline(CODE, 1, false),
      waits: [],
      ends: { state: "H", diagi: 610, diagp: "101" },
      says: /^CFTT71E .*DIAGI=610 DIAGP=101/,
    },
    {
      what: "RETRY: SFNA with retry (611)",
      conduct: conducts.decline(CODE, 6, true),
      waits: retry,
      ends: { state: "H", diagi: 611, diagp: "106" },
      says: /^CFTT71E .*DIAGI=611 DIAGP=106/,
    },
    {
      what: "RETRY: EFNA about counts (620), three times",
      conduct: conducts.take(CODE, 11),
      waits: minutes(1, 1),
      ends: { state: "H", diagi: 620, diagp: "111" },
      says: /^CFTT78E .*DIAGI=620 DIAGP=111/,
    },
    {
      what: "ABORT: EFNA about anything else (904)",
      conduct: conducts.take(CODE, 99),
      waits: [],
      ends: { state: "H", diagi: 904, diagp: "199" },
      says: /^CFTT78E .*DIAGI=904 DIAGP=199/,
    },
    {
      what: "it goes well",
      conduct: conducts.take(CODE),
      waits: [],
      ends: { state: "Z", diagi: 0, diagp: "" },
      says: /^CFTT88I/,
    },
  ];
  for (const row of rows) {
    await t.test(row.what, async (t) => {
      const callee = row.conduct && (await Callee.listen(row.conduct));
      t.teardown(() => callee?.close());
      const [nobody = 0] = callee ? [] : await freePorts(1);
      const made = await bench(t, toml({ ACME: { port: callee?.port ?? nobody } }, row.more));
      const { most = 30, expire = 0 } = row;
      const { found, transfer } = await waits(made, { most, expire, callee });
      t.same(found, row.waits, "minutes between the tries");
      const { state, ...why } = row.ends;
      const { phase, phasestep } = transfer ?? {};
      t.equal(phase === "T" ? phasestep : phase, state);
      t.match(transfer, why);
      // a record is seen before it is on the disk, and only then is it spoken of
      await made.until(String(row.says), () => made.said.some((line) => row.says.test(line)));
    });
  }
});

test("who is called next, and who is not called at all", async (t) => {
  await t.test(
    "a session that stands begins the count anew; one that is refused has a count of its own",
    async (t) => {
      const callee = await Callee.listen(conducts.hangUp);
      t.teardown(() => callee.close());
      const made = await bench(t, toml({ ACME: { port: callee.port } }));
      const { site, until, clock, submit } = made;
      const { found } = await waits(made, { most: 6 });
      t.same(found, [1, 1, 1, 1, 2, 2]);
      t.match(await site.catalog.clock("ACME"), { tries: 6, diagi: 302 });
      callee.conduct = conducts.refuse(3);
      await until("the refusal", async () => (await site.catalog.clock("ACME")).diagi === 909, 10);
      t.match(await site.catalog.clock("ACME"), { tries: 1, diagi: 909 });
      callee.conduct = conducts.take(CODE);
      clock.advance(MINUTE);
      const ended = async () => (await site.catalog.list({ phase: "Z" })).length === 1;
      await until("the file to go", ended, 10);
      t.match(await site.catalog.clock("ACME"), { tries: 0, diagi: 0, nextCallAt: 0 });
      await submit("ACME");
      site.kick();
      await until("the next", async () => (await site.catalog.list({ phase: "Z" })).length === 2, 10);
    },
  );

  await t.test("COMMUT: hosts and protocols in their order, each round one try", async (t) => {
    const [one = 0, two = 0] = await freePorts(2);
    const hosts = 'host = ["127.0.0.1", "127.0.0.2"]';
    const text = toml({ ACME: { port: one, tcp: "retrym = 3" } })
      .replace('host = "127.0.0.1"', hosts)
      .replace('prot = ["OFTP"]', 'prot = ["OFTP", "SECOND"]')
      .replace(`[${one}]`, `[${one}, ${two}]`);
    const second = '\n[[cftprot]]\nid = "SECOND"\ntype = "odette"\nnet = "LOCAL"\n';
    const { said, until, submit, site, scheduler } = await bench(t, text + second);
    const { idtu } = await submit("ACME");
    scheduler.kick();
    const stopped = async () => (await site.catalog.get(idtu))?.phasestep === "K";
    await until("all tries", stopped, 1_000);
    const round = [
      `OFTP ${one} 127.0.0.1`,
      `OFTP ${one} 127.0.0.2`,
      `SECOND ${two} 127.0.0.1`,
      `SECOND ${two} 127.0.0.2`,
    ];
    const paths = said
      .map((line) => /^CFTT13I .*PROT=(\S+) SAP=(\S+) HOST=(\S+)/.exec(line))
      .flatMap((found) => (found ? [found.slice(1).join(" ")] : []));
    t.same(paths, [...round, ...round, ...round]);
    t.match(await site.catalog.get(idtu), { diagi: 405, diagp: "MAXRETRY" });
  });

  await t.test("NEXT: a network resource that is full (416) waits for room, for ever", async (t) => {
    const callee = await Callee.listen(conducts.silent);
    const [nobody = 0] = await freePorts(1);
    t.teardown(() => callee.close());
    const made = await bench(t, toml({ BUSY: { port: callee.port }, ACME: { port: nobody } }));
    const { site, until, scheduler, said, submit } = made;
    t.equal(scheduler.poll("BUSY"), undefined);
    await until("the only seat to be taken", () => callee.calls === 1);
    const { idtu } = await submit("ACME");
    scheduler.kick();
    await until("the refusal", () => said.some((line) => line.startsWith("CFTH09E")), 10);
    t.ok(said.some((line) => /^CFTH09E PART=ACME NET=LOCAL .*DIAGI=416 DIAGP=MAXCNX/.test(line)));
    await until("the record", async () => (await site.catalog.get(idtu))?.diagi === 416, 10);
    t.match(await site.catalog.get(idtu), { phasestep: "D" });
    for (const session of site.sessions.all) session.link.destroy();
    await until("the call", () => said.some((line) => /^CFTH10E PART=ACME/.test(line)), 1_000);
    t.notOk(
      said.some((line) => /^CFTN36W/.test(line)),
      "nobody was turned away",
    );
  });

  await t.test("ABORT: nobody to call, a handshake that fails, a directory that says no", async (t) => {
    const babbler = createServer((socket) => socket.on("error", () => {}).end("this is no TLS"));
    await new Promise<void>((resolve) => babbler.listen(0, "127.0.0.1", () => resolve()));
    t.teardown(() => babbler.close());
    const { port } = babbler.address() as AddressInfo;
    const folder = mkdtempSync("/tmp/cyg-exita-");
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, "directory.sh");
    writeFileSync(program, '#!/bin/sh\necho "$CYGNET_PART $CYGNET_MODE $CYGNET_HOST"\nexit 9\n');
    chmodSync(program, 0o755);
    const secured = '\n[[cftssl]]\nid = "TLS"\ndirect = "client"\nverify = "none"\n';
    const rows: [what: string, more: string, own: string, tail: string, ends: object, says: RegExp][] = [
      [
        "a partner that must use TLS, without a way to",
        "",
        'require = ["tls"]',
        "",
        { diagi: 406, diagp: "CALL OUT" },
        /^CFTT75E .*DIAGI=406/,
      ],
      ["TLS with nobody who speaks it", 'ssl = "TLS"', "", secured, { diagi: 260 }, /^CFTT75E .*DIAGI=260/],
      [
        "a directory that says no",
        `exita = ["${program}"]`,
        "",
        "",
        { diagi: 426, diagp: "EXARJT", diagc: "charging is not accepted: ACME R 127.0.0.1" },
        /^CFTT39E PART=ACME NPART=O0999ACME PROT=OFTP .*DIAGI=425/,
      ],
    ];
    for (const [what, more, own, tail, ends, says] of rows) {
      const made = await bench(t, toml({ ACME: { port, more: own } }, more) + tail);
      const { idtu } = await made.submit("ACME");
      made.scheduler.kick();
      const stopped = async () => (await made.site.catalog.get(idtu))?.phasestep === "K";
      await made.until(what, stopped, 10);
      t.match(await made.site.catalog.get(idtu), ends, what);
      await made.until(`${what}: ${says}`, () => made.said.some((line) => says.test(line)));
    }
    const broken = `exita = ["${join(folder, "none.sh")}"]`;
    const made = await bench(t, toml({ ACME: { port } }, broken));
    const { found, transfer } = await waits({ ...made, said: aliased(made.said) }, { most: 3 });
    t.same(found, [1, 1, 1], "a directory that is not there is asked again, at an even pace");
    t.match(transfer, { phasestep: "D" });
    t.ok(made.said.some((line) => /^CFTT40E .*DIAGI=423/.test(line)));
  });

  await t.test("a partner that is gone from the configuration (408)", async (t) => {
    const made = await bench(t, toml({ ACME: { port: 1 } }));
    const { idtu } = await made.submit("ACME");
    made.site.configuration = { ...made.site.configuration, cftpart: new Map() };
    made.scheduler.kick();
    await made.until("K", async () => (await made.site.catalog.get(idtu))?.phasestep === "K", 10);
    t.match(await made.site.catalog.get(idtu), { diagi: 408, diagp: "NO PART" });
    await made.until("CFTT14E", () => made.said.some((line) => /^CFTT14E .*PART=ACME/.test(line)));
  });

  await t.test("why a partner is not called, as its records say it", async (t) => {
    const { site } = await bench(t, toml({ ACME: { port: 1 } }));
    const part = site.configuration.cftpart.get("ACME");
    const tcp = site.configuration.cfttcp.get("ACME");
    if (!part || !tcp) throw new Error("there is no ACME");
    const now = new Date(2026, 10, 20, 12).getTime();
    const facts = { part, tcp, state: "activeboth", full: undefined, now } as const;
    const hours = (from: number, to: number) => ({ from: from * 60 * MINUTE, to: to * 60 * MINUTE });
    const rows: [
      what: string,
      facts: Partial<Parameters<typeof obstacleOf>[0]>,
      expected: object | undefined,
    ][] = [
      ["nothing", {}, undefined],
      ["closed", { state: "noactive" }, { diagi: 430, message: "CFTT46W", text: /cygnet act/ }],
      ["only it calls", { state: "activeserv" }, { diagi: 430, text: /waits for the partner's call/ }],
      ["we only call", { state: "activereq" }, undefined],
      ["no address", { tcp: undefined }, { diagi: 0, text: /no cfttcp/ }],
      [
        "before its hours",
        { part: { ...part, outgoing: hours(18, 20) } },
        { diagi: 414, message: "CFTT12W", wait: 6 * 60 * MINUTE, text: /from 18:00:00 on/ },
      ],
      [
        "after the hours of its address, over midnight",
        { tcp: { ...tcp, outgoing: hours(22, 6) } },
        { diagi: 414, wait: 10 * 60 * MINUTE, text: /from 22:00:00 on/ },
      ],
      [
        "the later of both",
        { part: { ...part, outgoing: hours(13, 20) }, tcp: { ...tcp, outgoing: hours(14, 20) } },
        { wait: 2 * 60 * MINUTE },
      ],
      [
        "within both",
        { part: { ...part, outgoing: hours(8, 20) }, tcp: { ...tcp, outgoing: hours(22, 13) } },
        undefined,
      ],
      ["never", { part: { ...part, outgoing: hours(0, 0) } }, { diagi: 414, text: /never called/ }],
      [
        "too many with it",
        { full: { diagi: 418, diagp: "MAXCV", text: "cnxout = 2 is reached" } },
        { diagi: 418, message: "CFTT09W" },
      ],
      ["too many in all", { full: { diagi: 416, diagp: "MAXTRANS", text: "maxtrans" } }, { diagi: 416 }],
    ];
    for (const [what, change, expected] of rows) {
      const found = obstacleOf({ ...facts, ...change });
      if (expected === undefined) t.equal(found, undefined, what);
      else t.match(found, expected, what);
    }
  });
});

/** Calls that a directory prevents are begun for `waits` when the directory is asked. */
function aliased(said: string[]): string[] {
  return new Proxy(said, {
    get: (target, key) =>
      key === "filter"
        ? (test: (line: string) => boolean) =>
            target.map((line) => line.replace(/^CFTT40E/, "CFTT13I")).filter(test)
        : Reflect.get(target, key),
  });
}
