/**
 * What becomes of a send that fails, step by step as in Transfer CFT's requester transfer: what the log says, what the
 * catalog holds. The retry engines behind "stays D" are in test/engine/retry.test.ts, hour by hour.
 *
 * Rows of Transfer CFT that have no place in OFTP or here, and why:
 * - syntax of CFTUTIL (CFTR02E to 11E): the command line refuses it, and nothing is asked;
 * - CFTAPPL (431), user rights (350), CFTDEST FOR (133), list files of names (132, 150): there are none;
 * - no protocol (410), no network object (CFTT11E): a configuration with such a gap is refused as a whole;
 * - MYSELF: a site may be its own partner; serial chains: transfers of a flow may overtake each other;
 * - no outgoing resource (CFTT28E), null window (414 CALL OUT), CNXOUT=0 (414 NO CALL), SROUT (406): the send waits for the
 *   partner's call, which may fetch it, and its record says so;
 * - reception as requester: files come when the partner sends them, and meet the refusals of the server.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { ANSWERS } from "../messages/transfer-cft.ts";
import { Callee, conducts } from "./callee.ts";
import { edit, Raw } from "./extra.ts";
import { filesBelow, type Gateway, site, waitFor } from "./harness.ts";

const CODE = "O0999ACME";

/** Waits for the send of a name to be in a state, and gives it. */
async function until(gateway: Gateway, name: string, state: RegExp) {
  let found: Awaited<ReturnType<Gateway["transfer"]>>;
  await waitFor(`${name} in state ${state.source}`, async () => {
    found = await gateway.transfer("send", name);
    return found !== undefined && state.test(`${found.phase}${found.phasestep} ${found.diagi}`);
  });
  return found;
}

async function logged(gateway: Gateway, since: number, pattern: RegExp): Promise<void> {
  const lines = () => gateway.log().slice(since).split("\n");
  await waitFor(`${pattern} in the log`, () => lines().some((line) => pattern.test(line)));
}

test("steps 1 and 2: what is not recorded, stopped at once, or waits", { timeout: 240_000 }, async (t) => {
  const hour = (ahead: number) => `${String((new Date().getHours() + ahead) % 24).padStart(2, "0")}:00`;
  const partner = (id: string, more: string, tcp: string | null = "", port = 1) =>
    `[[cftpart]]\nid = "${id}"\nprot = ["OFTP"]\nsap = [${port}]\nnrpart = "O0999${id}"\n${more}\n` +
    (tcp === null ? "" : `[[cfttcp]]\nid = "${id}"\nhost = "127.0.0.1"\n${tcp}\n`);
  const { hub } = await site(t, {
    more: `
[[cftsend]]
id = "ONCE"
duplicat = "&IDF"

[[cftsend]]
id = "JAILED"
workingdir = "outgoing"

[[cftsend]]
id = "MISSED"
maxtime = "+0"

[[cftauth]]
id = "EDI"
idf = ["EDI"]

[[cftdest]]
id = "DEALERS"
part = ["ACME"]
`,
  });
  await edit(hub, "partners.d/acme.toml", (text) => text.replace('"activeboth"', '"noactive"'));
  const hours = `omintime = "${hour(2)}"\nomaxtime = "${hour(4)}"`;
  const partners: Record<string, string> = {
    PICKY: partner("PICKY", 'sauth = "EDI"'),
    LATE: partner("LATE", hours),
    NLATE: partner("NLATE", "", hours),
    NEVER: partner("NEVER", 'omintime = "00:00"\nomaxtime = "00:00"'),
    CALLER: partner("CALLER", "", null),
    UNCALLED: partner("UNCALLED", "", "cnxout = 0"),
    SERVED: partner("SERVED", 'state = "activeserv"'),
  };
  const change = (changes: Record<string, string>) => {
    Object.assign(partners, changes);
    return hub.write("partners.d/more.toml", Object.values(partners).join(""));
  };
  await change({});
  await hub.start();
  const file = join(hub.directory, "asked.txt");
  await writeFile(file, "content");
  const ask = (...args: string[]) => hub.cli("send", file, ...args);

  await t.test("step 1: requests that leave no record", async (t) => {
    const since = hub.log().length;
    const rows: [what: string, args: string[], stderr: RegExp][] = [
      ["a partner that does not exist", ["--part", "NOBODY"], /there is no partner NOBODY/],
      ["a broadcast that is to be held", ["--part", "DEALERS", "--state", "hold"], /sent at once/],
      ["a file outside its working directory (145)", ["--part", "ACME", "--idf", "JAILED"], /DIAGI 145/],
    ];
    for (const [what, args, stderr] of rows) t.match(await ask(...args), { status: 1, stderr }, what);
    await logged(hub, since, /CFTF46E .*asked\.txt.*IDF=JAILED .*DIAGI=145/);
    t.same(await hub.transfers(), []);
    await mkdir(join(hub.rundir, "outgoing"), { recursive: true });
    const inside = join(hub.rundir, "outgoing", "inside.txt");
    await writeFile(inside, "content");
    t.match(await hub.cli("send", inside, "--part", "ACME", "--idf", "JAILED"), { status: 0 }, "one inside");
  });

  const rows: { what: string; drop: string; state: RegExp; record: object; says: RegExp }[] = [
    {
      what: "flow that may not go to the partner",
      drop: "PICKY/picky.txt",
      state: /^TK 411/,
      record: { diagp: "SAUTH" },
      says: /CFTT25E .*PART=PICKY .*DIAGI=411/,
    },
    {
      what: "slot that is over",
      drop: "ACME/MISSED/missed.txt",
      state: /^TK 414/,
      record: { diagp: "OUT TIME" },
      says: /CFTT82E .*PART=ACME IDF=MISSED .*DIAGI=414/,
    },
    {
      what: "partner that is closed",
      drop: "ACME/closed.txt",
      state: /^TD 430/,
      record: { diagc: /cygnet act/ },
      says: /CFTT46W .*PART=ACME/,
    },
    {
      what: "partner that only calls",
      drop: "SERVED/served.txt",
      state: /^TD 430/,
      record: { diagc: /waits for the partner's call/ },
      says: /CFTT46W .*PART=SERVED/,
    },
    {
      what: "partner outside its hours",
      drop: "LATE/late.txt",
      state: /^TD 414/,
      record: { diagc: /from \d\d:00:00 on/ },
      says: /CFTT12W .*PART=LATE/,
    },
    {
      what: "partner outside the hours of its network",
      drop: "NLATE/nlate.txt",
      state: /^TD 414/,
      record: { diagc: /from \d\d:00:00 on/ },
      says: /CFTT12W .*PART=NLATE/,
    },
    {
      what: "partner that is never called",
      drop: "NEVER/never.txt",
      state: /^TD 414/,
      record: { diagc: /never called/ },
      says: /CFTR12I .*PART=NEVER/,
    },
    {
      what: "partner without an address",
      drop: "CALLER/caller.txt",
      state: /^TD 0/,
      record: {},
      says: /CFTR12I .*PART=CALLER/,
    },
    {
      what: "partner with which no session is opened",
      drop: "UNCALLED/uncalled.txt",
      state: /^TD 414/,
      record: { diagc: /cnxout = 0/ },
      says: /CFTR12I .*PART=UNCALLED/,
    },
  ];
  for (const { what, drop, state, record, says } of rows) {
    await t.test(`step 2: ${what}`, async (t) => {
      const since = hub.log().length;
      const path = join(hub.rundir, "outbox", drop);
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(`${path}.tmp`, "content");
      await rename(`${path}.tmp`, path);
      const name = drop.split("/").at(-1) ?? "";
      t.match(await until(hub, name, state), record);
      if (drop !== "ACME/closed.txt") await logged(hub, since, says);
      else t.match(hub.log(), says, "said once, when it became so");
    });
  }

  await t.test("step 2: the same file again (432)", async (t) => {
    const since = hub.log().length;
    t.match(await ask("--part", "SERVED", "--idf", "ONCE"), { status: 0 });
    t.match(await ask("--part", "SERVED", "--idf", "ONCE", "--json"), {
      status: 1,
      json: { state: "K", diagi: 432, diagp: "DUPLICAT" },
    });
    await logged(hub, since, /CFTT50E .*IDF=ONCE/);
  });

  await t.test("step 1: a flow that does not exist, with default_idf off (434)", async (t) => {
    const since = hub.log().length;
    const follow = async (change: (text: string) => string) => {
      const { number } = (await hub.status()).generation;
      await edit(hub, "cygnet.toml", change);
      await waitFor("the reload", async () => (await hub.status()).generation.number > number);
    };
    await follow((text) => text.replace("[cftparm]", "[cftparm]\ndefault_idf = false"));
    const asked = await ask("--part", "SERVED", "--idf", "STRANGE", "--json");
    t.match(asked, { status: 1, json: { state: "K", diagi: 434, diagp: "NO IDF" } });
    await logged(hub, since, /CFTT64E .*IDF=STRANGE .*DIAGI=434/);
    const { idtu } = asked.json;
    t.match(await hub.cli("start", idtu), { status: 1, stderr: /no cftsend "STRANGE"/ });
    await follow((text) => text.replace("\ndefault_idf = false", ""));
    t.match(await hub.cli("start", idtu), { status: 0 });
  });

  await t.test("step 2: a file that is gone (110) or cannot be opened (104)", async (t) => {
    const { idtu = "" } = (await hub.transfer("send", "served.txt")) ?? {};
    const { idtu: other = "" } = (await hub.transfer("send", "late.txt")) ?? {};
    const work = join(hub.rundir, "work", "outbox");
    const names = await filesBelow(work);
    const of = (id: string) => join(work, names.find((name) => name.includes(id)) ?? "nothing");
    await rm(of(idtu));
    await rm(of(other));
    await mkdir(of(other));
    const callee = await Callee.listen(conducts.take("O0999SERVED"));
    t.teardown(() => callee.close());
    const since = hub.log().length;
    await change({ SERVED: partner("SERVED", "", "", callee.port) });
    t.match(await until(hub, "served.txt", /^TH 110/), { diagc: /not there/ });
    await logged(hub, since, new RegExp(`CFTF02E .*IDTU=${idtu} .*DIAGI=110`));
    callee.conduct = conducts.take("O0999LATE");
    await change({ LATE: partner("LATE", "", "", callee.port) });
    await until(hub, "late.txt", /^TH 104/);
    await logged(hub, since, new RegExp(`CFTF04E .*IDTU=${other} .*DIAGI=104`));
  });

  await t.test("step 2: as many sessions as maxtrans allows (416)", async (t) => {
    const silent = await Callee.listen(conducts.silentInFile(CODE));
    t.teardown(() => silent.close());
    await edit(hub, "partners.d/acme.toml", (text) =>
      text
        .replace('"noactive"', '"activeboth"')
        .replace(/sap {5}= \[\d+\]/, `sap = [${silent.port}]`)
        .replace('nrpassw = "ACMEPW"', ""),
    );
    await edit(hub, "cygnet.toml", (text) => text.replace("maxtrans = 64", "maxtrans = 1"));
    await waitFor("the only session", () => silent.done === 1);
    await change({ UNCALLED: partner("UNCALLED", "", "") });
    t.match(await until(hub, "uncalled.txt", /^TD 416/), { diagc: /maxtrans = 1 is reached/ });
  });
});

test("steps 3 to 7: what the partner answers", { timeout: 240_000 }, async (t) => {
  const { hub } = await site(t, { retryw: "100ms", retrym: 2, restart: 2, disctd: "100ms" });
  const callee = await Callee.listen(conducts.take(CODE));
  t.teardown(() => callee.close());
  await edit(hub, "partners.d/acme.toml", (text) =>
    text.replace(/sap {5}= \[\d+\]/, `sap = [${callee.port}]`).replace('nrpassw = "ACMEPW"', ""),
  );
  await hub.start();
  let count = 0;
  const drop = async () => {
    const name = `file-${++count}.txt`;
    await hub.drop(name, "content");
    return name;
  };

  // DIAGP is 100 plus the reason
  for (const [reason, diagi] of ANSWERS) {
    await t.test(`step 5: SFNA ${reason}`, async (t) => {
      const since = hub.log().length;
      callee.conduct = conducts.decline(CODE, reason, false);
      const name = await drop();
      const expected = { diagi, diagp: String(100 + reason), diagc: "declined by hand" };
      t.match(await until(hub, name, /^TH/), expected);
      await logged(hub, since, new RegExp(`CFTT71E .*DIAGI=${diagi} DIAGP=${100 + reason}`));
    });
  }
  for (const [reason, diagi] of ANSWERS.filter(([code]) => code > 12 && code !== 13)) {
    await t.test(`step 7: EFNA ${reason}`, async (t) => {
      const since = hub.log().length;
      callee.conduct = conducts.take(CODE, reason);
      const name = await drop();
      t.match(await until(hub, name, /^TH/), {
        diagi,
        diagp: String(100 + reason),
        diagc: "not taken by hand",
      });
      await logged(hub, since, new RegExp(`CFTT78E .*DIAGI=${diagi} DIAGP=${100 + reason}`));
    });
  }

  const ends: [what: string, conduct: typeof callee.conduct, state: RegExp, record: object, says: RegExp][] =
    [
      [
        "step 3: the line is cut at once",
        conducts.hangUp,
        /^TK 405/,
        { diagp: "MAXRETRY" },
        /CFTT03E .*DIAGI=302/,
      ],
      ["step 4: ESID 03", conducts.refuse(3), /^TK 406/, { diagp: "MAXRST" }, /CFTT08E .*DIAGI=909/],
      ["step 4: ESID 08", conducts.refuse(8), /^TD 916/, { diagc: /ESID 08/ }, /CFTH11E .*DIAGI=916/],
      [
        "step 6: the line breaks",
        conducts.cutInFile(CODE),
        /^TK 405/,
        { diagp: "MAXRETRY" },
        /CFTT82E .*DIAGI=302/,
      ],
      [
        "step 6: ESID 99",
        conducts.endInFile(CODE, 99),
        /^TK 406/,
        { diagp: "MAXRST" },
        /CFTT74E .*DIAGI=730/,
      ],
    ];
  for (const [what, conduct, state, record, says] of ends) {
    await t.test(what, async (t) => {
      const since = hub.log().length;
      callee.conduct = conduct;
      const name = await drop();
      t.match(await until(hub, name, state), record);
      await logged(hub, since, says);
      callee.conduct = conducts.take(CODE);
      if (/^\^TK/.test(state.source)) {
        const { idtu = "" } = (await hub.transfer("send", name)) ?? {};
        t.match(await hub.cli("start", idtu), { status: 0 }, "an operator starts it again");
      }
      await until(hub, name, /^ZH/);
    });
  }

  await t.test("step 7: a negative response", async (t) => {
    const since = hub.log().length;
    const name = await drop();
    const sent = await until(hub, name, /^ZH/);
    const raw = await Raw.connect(hub.ports.OFTP);
    await raw.open({ code: CODE, pswd: "" });
    const { dsn, date, time } = await identityOf(hub, sent?.idtu ?? "");
    const names = { dsn, date, time, dest: "O0999HUB", orig: CODE, crea: CODE };
    raw.send({ type: "NERP", ...names, reas: 34, reast: "no", hsh: Buffer.alloc(0), sig: Buffer.alloc(0) });
    await raw.expect("RTR");
    raw.close();
    t.match(await until(hub, name, /^XX/), { ack: "N", diagi: 730, diagp: "NERP 34" });
    await logged(hub, since, /CFTH72W .*PART=ACME/);
    const kept = () => filesBelow(join(hub.rundir, "failed", "ACME"));
    await waitFor("the file to be put away", async () => (await kept()).length > 0);
    t.same(await kept(), [name]);
  });
});

/** The identity under which a file went. */
async function identityOf(
  gateway: Gateway,
  idtu: string,
): Promise<{ dsn: string; date: string; time: string }> {
  const shown = await gateway.cli("display", idtu, "--json");
  return shown.json;
}
