/**
 * What a gateway refuses as the one that is called, row by row as in Transfer CFT's server transfer: what the caller sees,
 * what the log says, what the catalog holds.
 *
 * Rows of Transfer CFT that have no place in OFTP or here, and why:
 * - `cft.server.max_session`, file descriptors, CFTN10E and CFTN11E: cftnet.maxcnx is the one limit of connections;
 * - CFTTCP VERIFY (428): cftnet.allow and deny, or exita with status 3;
 * - PVC, caller number, collect (925): X.25; too many partners for the licence (CFTT66E): there is none;
 * - list id missing (CFTT18E): a configuration with such a gap is refused as a whole;
 * - access management (350 to 352, 431), user and password of a flow (433): nobody owns transfers, OFTP carries no users;
 * - nothing to send (160), open mode (404), WORKINGDIR clash (435): OFTP cannot ask for a file or choose a mode;
 * - lock and temporary file (135, 136): a work file belongs to one transfer and is named by its IDTU.
 */
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import type { Command, Sfid, Ssid } from "../../src/oftp/wire/commands.ts";
import { CD, callerToml, data, edit, Raw, RTR, session, sfid, ssid } from "./extra.ts";
import { filesBelow, freePorts, type Gateway, site, waitFor } from "./harness.ts";

const EFID: Command = { type: "EFID", rcnt: 0n, ucnt: 5n };

/** Waits until each pattern is found in what was logged since, in one line. */
async function logged(gateway: Gateway, since: number, patterns: readonly RegExp[]): Promise<void> {
  for (const pattern of patterns) {
    const lines = () => gateway.log().slice(since).split("\n");
    await waitFor(`${pattern} in the log`, () => lines().some((line) => pattern.test(line)));
  }
}

/** Two hours of the day, two hours from now: closed at this moment, also around midnight. */
function later(): string {
  const hour = (ahead: number) => `${String((new Date().getHours() + ahead) % 24).padStart(2, "0")}:00`;
  return `imintime = "${hour(2)}"\nimaxtime = "${hour(4)}"`;
}

const program = `#!/bin/sh
env | grep CYGNET_ | sort > "asked.$CYGNET_PART"
echo "said by the directory"
case $CYGNET_PART in
  E[0-9]*) exit "\${CYGNET_PART#E}" ;;
  SLOW) exec sleep 100 ;;
  KILLED) kill -9 $$ ;;
esac
`;

const VERDICTS: [status: number, esid: string, diagi: number][] = [
  [1, "03", 409],
  [2, "04", 403],
  [3, "04", 428],
  [4, "08", 414],
  [5, "03", 410],
  [6, "08", 418],
  [7, "08", 416],
  [8, "08", 415],
  [9, "04", 425],
  [10, "03", 411],
  [11, "04", 426],
  [255, "04", 426],
];

test("steps 1 and 2: calls and sessions; none leaves a record", { timeout: 240_000 }, async (t) => {
  const [tiny = 0, denied = 0, asked = 0, lost = 0, giver = 0] = await freePorts(5);
  const prot = (id: string, sap: number, more: string, net = "LOCAL") =>
    `\n[[cftprot]]\nid = "${id}"\ntype = "odette"\nnet = "${net}"\nsap = ${sap}\n${more}\n`;
  const net = (id: string, more: string) => `\n[[cftnet]]\nid = "${id}"\nhost = "127.0.0.1"\n${more}\n`;
  const { hub } = await site(t, {
    more: [
      net("TINY", "maxcnx = 1"),
      net("DENIED", 'deny = ["127.0.0.0/8"]'),
      prot("TINY", tiny, "", "TINY"),
      prot("DENIED", denied, "", "DENIED"),
      prot("ASKED", asked, 'exita = ["./directory.sh"]\nexitatimeout = "2s"'),
      prot("LOST", lost, 'exita = ["./nowhere.sh"]'),
      prot("GIVER", giver, 'srin = "sender"'),
    ].join(""),
  });
  const tcp = (id: string, more: string) => `[[cfttcp]]\nid = "${id}"\nhost = "127.0.0.1"\n${more}\n`;
  const partners = [
    callerToml("RAW", ["OFTP", "OFTPS", "TINY", "GIVER"]),
    callerToml("CLOSED", ["OFTP"], 'state = "noactive"'),
    callerToml("CALLED", ["OFTP"], 'state = "activereq"'),
    callerToml("LATE", ["OFTP"], later()),
    callerToml("NLATE", ["OFTP"]) + tcp("NLATE", later()),
    callerToml("CLEAR", ["OFTP"]),
    callerToml("SECURE", ["OFTP", "OFTPS"], 'require = ["tls"]'),
    callerToml("FEW", ["OFTP"]) + tcp("FEW", "cnxin = 1"),
    callerToml("NONE", ["OFTP"]) + tcp("NONE", "cnxinout = 0"),
    callerToml("NEW", ["OFTP"], "level = [5]"),
    callerToml("LOSER", ["LOST"]),
    ...["SLOW", "KILLED", "FINE", ...VERDICTS.map(([status]) => `E${status}`)].map((id) =>
      callerToml(id, ["ASKED"]),
    ),
  ];
  await hub.write("partners.d/raw.toml", partners.join(""));
  await writeFile(join(hub.directory, "directory.sh"), program, { mode: 0o755 });
  await hub.start();
  const { OFTP: clear, OFTPS: tls } = hub.ports;

  /** Says hello and gives what comes of it: "ESID 03", "closed", or "open". */
  const hello = async (port: number, changes: Partial<Ssid>, secure = false) => {
    const raw = await Raw.connect(port, secure);
    await raw.expect("SSRM");
    raw.send(ssid(changes));
    const answer = await raw.next();
    raw.socket.end();
    if (answer?.type === "ESID") return `ESID ${String(answer.reas).padStart(2, "0")}`;
    return answer === null ? "closed" : "open";
  };
  const as = (id: string): Partial<Ssid> => ({ code: `O0999${id}`, pswd: `${id}PW` });

  await t.test("step 1: the call", async (t) => {
    const since = hub.log().length;
    const first = await session(tiny);
    const second = connect({ host: "127.0.0.1", port: tiny });
    const silence = await new Promise((resolve) => {
      let heard = 0;
      second.on("data", (chunk) => {
        heard += chunk.length;
      });
      second.on("error", () => {}).on("close", () => resolve(heard));
    });
    t.equal(silence, 0, "maxcnx of the cftnet: closed without a word");
    await logged(hub, since, [/CFTN36W .*1.*TINY/]);
    first.close();
    const stranger = connect({ host: "127.0.0.1", port: denied });
    await new Promise((resolve) => stranger.on("error", () => {}).once("close", resolve));
    await logged(hub, since, [/CFTN05W .*not allowed on DENIED/]);
    const plain = await Raw.connect(tls);
    t.equal(
      await plain
        .send(ssid())
        .outcome()
        .catch(() => "closed"),
      "closed",
      "no TLS",
    );
    await logged(hub, since, [/CFTY13E/]);
  });

  const rows: {
    what: string;
    port: number;
    who: Partial<Ssid>;
    secure?: true;
    outcome: string;
    diagi: number;
    says?: RegExp;
  }[] = [
    {
      what: "unknown code",
      port: clear,
      who: { code: "O0999NOBODY" },
      outcome: "ESID 03",
      diagi: 409,
      says: /CFTT15E .*NPART=O0999NOBODY/,
    },
    {
      what: "wrong password",
      port: clear,
      who: { pswd: "GUESS" },
      outcome: "ESID 04",
      diagi: 403,
      says: /CFTT19E .*PART=RAW/,
    },
    {
      what: "inactive partner",
      port: clear,
      who: as("CLOSED"),
      outcome: "ESID 08",
      diagi: 430,
      says: /CFTT46W .*PART=CLOSED/,
    },
    {
      what: "partner that is only called",
      port: clear,
      who: as("CALLED"),
      outcome: "ESID 08",
      diagi: 430,
      says: /CFTT46W .*PART=CALLED/,
    },
    {
      what: "outside its hours",
      port: clear,
      who: as("LATE"),
      outcome: "ESID 08",
      diagi: 414,
      says: /CFTT12W .*PART=LATE/,
    },
    {
      what: "outside the hours of its network",
      port: clear,
      who: as("NLATE"),
      outcome: "ESID 08",
      diagi: 414,
      says: /CFTT12W .*PART=NLATE/,
    },
    {
      what: "protocol that is not its own",
      port: tls,
      who: as("CLEAR"),
      secure: true,
      outcome: "ESID 03",
      diagi: 402,
      says: /CFTT10E .*PART=CLEAR/,
    },
    {
      what: "without the TLS that it must use",
      port: clear,
      who: as("SECURE"),
      outcome: "ESID 10",
      diagi: 278,
      says: /CFTT48E .*PART=SECURE/,
    },
    {
      what: "more sessions than cnxinout",
      port: clear,
      who: as("NONE"),
      outcome: "ESID 08",
      diagi: 418,
      says: /CFTT09W .*cnxinout = 0.*PART=NONE/,
    },
    {
      what: "negotiation: no level in common",
      port: clear,
      who: { ...as("NEW"), lev: 1 },
      outcome: "ESID 10",
      diagi: 451,
      says: /CFTH23E .*PART=NEW/,
    },
    {
      what: "negotiation: both only send",
      port: giver,
      who: { sr: "S" },
      outcome: "ESID 10",
      diagi: 451,
      says: /CFTH23E .*PART=RAW/,
    },
    {
      what: "negotiation: secure authentication that cannot be had",
      port: clear,
      who: { auth: true },
      outcome: "ESID 12",
      diagi: 451,
      says: /CFTH23E .*PART=RAW/,
    },
    ...VERDICTS.map(([status, esid, diagi]) => ({
      what: `exit status ${status} of the directory`,
      port: asked,
      who: as(`E${status}`),
      outcome: `ESID ${esid}`,
      diagi,
      says: new RegExp(`CFTT39E .*said by the directory.*PART=E${status} `),
    })),
    {
      what: "a directory that does not answer in time",
      port: asked,
      who: as("SLOW"),
      outcome: "ESID 05",
      diagi: 134,
      says: /CFTT40E .*exitatimeout/,
    },
    {
      what: "a directory that dies",
      port: asked,
      who: as("KILLED"),
      outcome: "ESID 05",
      diagi: 134,
      says: /CFTT40E .*SIGKILL/,
    },
    {
      what: "a directory that is not there",
      port: lost,
      who: as("LOSER"),
      outcome: "ESID 05",
      diagi: 423,
      says: /CFTT40E .*cannot be started/,
    },
  ];
  for (const { what, port, who, secure, outcome, diagi, says } of rows) {
    await t.test(`step 2: ${what}`, async (t) => {
      const since = hub.log().length;
      t.equal(await hello(port, who, secure), outcome);
      const code = who.code ?? "O0999RAW";
      await logged(hub, since, [new RegExp(`CFTH22E .*NPART=${code} DIAGI=${diagi} HOST=127.0.0.1`)]);
      if (says) await logged(hub, since, [says]);
    });
  }

  await t.test("step 2: what the directory is asked, and one that it lets in", async (t) => {
    t.equal(await hello(asked, as("FINE")), "open");
    const told = await readFile(join(hub.rundir, "asked.FINE"), "utf8");
    for (const line of [
      "PART=FINE",
      "NRPART=O0999FINE",
      "PROT=ASKED",
      "MODE=S",
      "HOST=127.0.0.1",
      "CFTEVENT=EXITA",
    ])
      t.match(told, `CYGNET_${line}\n`);
    t.notMatch(told + hub.log(), /FINEPW|HUBPW/, "no password");
  });

  await t.test("step 2: as many sessions as cnxin and maxtrans allow", async (t) => {
    const since = hub.log().length;
    const first = await session(clear, as("FEW"));
    t.equal(await hello(clear, as("FEW")), "ESID 08");
    await logged(hub, since, [/CFTT09W .*cnxin = 1/, /CFTH22E .*NPART=O0999FEW DIAGI=418/]);
    await edit(hub, "cygnet.toml", (text) => text.replace("maxtrans = 64", "maxtrans = 1"));
    await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
    t.equal(await hello(clear, {}), "ESID 08");
    await logged(hub, since, [/CFTH22E .*maxtrans = 1.*NPART=O0999RAW DIAGI=416/]);
    first.close();
    await waitFor("the seat", async () => (await hub.status()).sessions.length === 0);
    t.equal(await hello(clear, {}), "open", "who calls again gets in");
  });

  await t.test("step 1: shutdown in progress", async (t) => {
    const raw = await session(clear);
    raw.send(sfid());
    await raw.expect("SFPA");
    const shut = hub.cli("shut");
    await waitFor("the port to close", () =>
      Raw.connect(clear).then(
        (other) => other.close(),
        () => true,
      ),
    );
    t.same((await hub.transfers()).length, 1, "only the file that is under way has a record");
    raw.buffer(data("hello")).send(EFID);
    await raw.expect("EFPA");
    t.equal(await raw.outcome(), "ESID 05", "what was under way comes to its end first");
    t.match(await shut, { status: 0 });
    await hub.exited();
  });
});

test("step 3: files; a refusal leaves no record, unless rkerror says so", { timeout: 240_000 }, async (t) => {
  const flow = (id: string, lines: string) => `\n[[cftrecv]]\nid = "${id}"\n${lines}\n`;
  const { hub } = await site(t, {
    more: [
      flow("FIXED", 'fcheck = true\nfrecfm = "F"\nflrecl = 80'),
      flow("SHORT", 'fcheck = true\nfrecfm = "V"\nflrecl = 80'),
      flow("FRESH", 'fdisp = "new"\nfname = "inbox/fresh/&NFNAME"'),
      flow("FRESHKEPT", 'fdisp = "new"\nfname = "inbox/fresh/&NFNAME"\nrkerror = "keep"'),
      flow("JAILED", 'workingdir = "inbox/jail"\nfname = "&PART/&NFNAME"'),
      flow("DOTS", 'fname = "inbox/dots/&2.2NFNAME/&NFNAME"'),
      flow("KEPT", 'rkerror = "keep"'),
      flow("PREFIX", ""),
      '\n[[cftidf]]\nid = "DOTS"\nnidf = "A..*"\n',
      '\n[[cftauth]]\nid = "EDI"\nidf = ["FIXED", "PREFIX"]\n',
    ].join(""),
  });
  await edit(hub, "cygnet.toml", (text) => text.replace('id   = "OFTP"', 'id   = "OFTP"\nidf  = "&6NIDF"'));
  await hub.write(
    "partners.d/raw.toml",
    [
      callerToml("RAW"),
      callerToml("OTHER"),
      callerToml("PICKY", ["OFTP"], 'rauth = "EDI"'),
      callerToml("SIGNS", ["OFTP"], 'require = ["sign"]'),
      callerToml("HIDES", ["OFTP"], 'require = ["encrypt"]'),
    ].join(""),
  );
  const inbox = join(hub.rundir, "inbox");
  await mkdir(join(inbox, "jail"), { recursive: true });
  await mkdir(join(inbox, "fresh"), { recursive: true });
  await symlink("/tmp", join(inbox, "jail", "RAW"));
  for (const name of ["FRESH", "FRESHKEPT"]) await writeFile(join(inbox, "fresh", name), "was here before");
  await hub.start();
  const port = hub.ports.OFTP;
  const as = (id: string): Partial<Ssid> => ({ code: `O0999${id}`, pswd: `${id}PW` });
  const from = (id: string): Partial<Sfid> => ({ orig: `O0999${id}` });

  /** Offers a file in a session of its own: "SFPA", or "SFNA 04", "SFNA 06 retry". */
  const offer = async (file: Sfid, who: Partial<Ssid> = {}) => {
    const raw = await session(port, who);
    const answer = await raw.send(file).next();
    raw.close();
    if (answer?.type !== "SFNA") return String(answer?.type);
    return `SFNA ${String(answer.reas).padStart(2, "0")}${answer.rrtr ? " retry" : ""}`;
  };
  const settled = async () =>
    waitFor("the sessions to end", async () => (await hub.status()).sessions.length === 0);

  const rows: {
    what: string;
    file: Partial<Sfid>;
    who?: string;
    answer: string;
    diagi: number;
    says?: RegExp;
    kept?: object;
  }[] = [
    {
      what: "flow that the partner may not send",
      who: "PICKY",
      file: { dsn: "ANY" },
      answer: "SFNA 99",
      diagi: 413,
      says: /CFTT25E .*PART=PICKY/,
    },
    {
      what: "format that the flow does not take",
      file: { dsn: "FIXED" },
      answer: "SFNA 04",
      diagi: 139,
      says: /CFTF27E .*IDF=FIXED/,
    },
    {
      what: "record length that the flow does not take",
      file: { dsn: "FIXED", fmt: "F", lrecl: 100 },
      answer: "SFNA 05",
      diagi: 139,
      says: /CFTF27E .*IDF=FIXED/,
    },
    {
      what: "records longer than the flow takes",
      file: { dsn: "SHORT", fmt: "V", lrecl: 81 },
      answer: "SFNA 05",
      diagi: 139,
      says: /CFTF27E .*IDF=SHORT/,
    },
    {
      what: "records without a length",
      file: { fmt: "F", lrecl: 0 },
      answer: "SFNA 05",
      diagi: 139,
      says: /CFTF27E/,
    },
    {
      what: "format that does not exist",
      file: { fmt: "Q" as "U" },
      answer: "SFNA 04",
      diagi: 139,
      says: /CFTF27E/,
    },
    { what: "no name", file: { dsn: "" }, answer: "SFNA 01", diagi: 131 },
    {
      what: "more octets than there is room for",
      file: { fsiz: 9_999_999_999_999n, osiz: 9_999_999_999_999n },
      answer: "SFNA 06 retry",
      diagi: 111,
      says: /CFTF23E/,
    },
    {
      what: "name that is taken, where only new ones are welcome",
      file: { dsn: "FRESH" },
      answer: "SFNA 12",
      diagi: 113,
      says: /CFTF22E .*fdisp = "new"/,
    },
    {
      what: "the same, kept as a record",
      file: { dsn: "FRESHKEPT" },
      answer: "SFNA 12",
      diagi: 113,
      says: /CFTF22E/,
      kept: { idf: "FRESHKEPT", state: "K", phase: "T", diagi: 113, bytes: 0 },
    },
    {
      what: "a link that leads out of the working directory",
      file: { dsn: "JAILED" },
      answer: "SFNA 12",
      diagi: 148,
      says: /CFTF46E .*is a link/,
    },
    {
      what: "a name that leads out of its folder",
      file: { dsn: "A..B.X" },
      answer: "SFNA 12",
      diagi: 148,
      says: /CFTF46E .*lies outside/,
    },
    {
      what: "originator that is not the partner's",
      file: { orig: "O0999NOBODY" },
      answer: "SFNA 03",
      diagi: 409,
      says: /CFTT15E .*NPART=O0999NOBODY/,
    },
    {
      what: "destination that nobody has",
      file: { dest: "O0999NOBODY" },
      answer: "SFNA 02",
      diagi: 409,
      says: /CFTT15E .*NPART=O0999NOBODY/,
    },
    {
      what: 'destination that is another partner (commut = "no")',
      file: { dest: "O0999OTHER" },
      answer: "SFNA 02",
      diagi: 413,
      says: /CFTT25E .*not forwarded/,
    },
    { what: "no signature", who: "SIGNS", file: {}, answer: "SFNA 20", diagi: 278 },
    { what: "no encryption", who: "HIDES", file: {}, answer: "SFNA 17", diagi: 278 },
    {
      what: "signature that cannot be verified",
      file: { sec: 2, env: 1, ciph: 1 },
      answer: "SFNA 19",
      diagi: 278,
    },
    {
      what: "cipher suite that does not exist",
      file: { sec: 1, env: 1, ciph: 9 },
      answer: "SFNA 15",
      diagi: 278,
    },
  ];
  for (const { what, file, who = "RAW", answer, diagi, says, kept } of rows) {
    await t.test(what, async (t) => {
      const since = hub.log().length;
      t.equal(await offer(sfid({ ...from(who), ...file }), as(who)), answer);
      const code = answer.slice(5, 7);
      await logged(hub, since, [new RegExp(`CFTR71W .*SFNA ${code}.*PART=${who} .*DIAGI=${diagi}`)]);
      if (says) await logged(hub, since, [says]);
      await settled();
      const found = await hub.transfers({ part: who });
      if (kept) t.match(found, [kept], "a record that says why");
      else
        t.same(
          found.filter(({ idf }) => !/KEPT/.test(idf)),
          [],
          "no record",
        );
      for (const { idtu } of found) t.match(await hub.cli("delete", idtu), { status: 0 });
    });
  }
  t.same(await filesBelow(inbox), ["fresh/FRESH", "fresh/FRESHKEPT"], "nothing was delivered");

  await t.test("a flow by the first characters of the name (cftprot.idf)", async (t) => {
    t.equal(await offer(sfid({ dsn: "PREFIX.2026", ...from("PICKY") }), as("PICKY")), "SFPA");
    t.match(await hub.transfers({ part: "PICKY" }), [{ idf: "PREFIX" }]);
  });

  await t.test(
    "a work file that cannot be made: nothing stays, or what rkerror keeps; later it goes",
    async (t) => {
      const since = hub.log().length;
      const work = join(hub.rundir, "work", "recv");
      await mkdir(work, { recursive: true });
      await rename(work, `${work}.aside`);
      await writeFile(work, "in the way");
      t.equal(await offer(sfid({ dsn: "LOST" })), "SFNA 12 retry");
      await logged(hub, since, [/CFTF01E .*DIAGI=101/]);
      const file = sfid({ dsn: "KEPT" });
      t.equal(await offer(file), "SFNA 12 retry");
      await settled();
      const kept = { idf: "KEPT", state: "K", diagi: 101 };
      t.match(await hub.transfers({ part: "RAW" }), [kept]);
      t.equal(await offer(file), "SFNA 12 retry", "offered again while it is as it was");
      await settled();
      t.match(await hub.transfers({ part: "RAW" }), [kept]);
      await rm(work);
      await rename(`${work}.aside`, work);
      const raw = await session(port);
      await raw.send(file).expect("SFPA");
      raw.buffer(data("hello")).send(EFID);
      await raw.expect("EFPA");
      raw.close();
      await waitFor(
        "the delivery",
        async () => (await hub.transfers({ part: "RAW", state: "X" })).length === 1,
      );
      t.equal(
        (await hub.transfers({ part: "RAW" })).length,
        1,
        "one record, of the file that came in the end",
      );
    },
  );

  await t.test(
    "release: a half-received file is found again; elsewhere or received before, it is refused",
    async (t) => {
      const file = sfid({ dsn: "AGAIN" });
      const since = hub.log().length;
      const first = await session(port);
      await first.send(file).expect("SFPA");
      t.equal(await offer(file), "SFNA 99 retry", "in another session");
      await logged(hub, since, [/CFTR71W .*in another session.*DIAGI=418/]);
      first.close();
      const held = async () => (await hub.transfer("recv", "AGAIN"))?.state === "H";
      await waitFor("state H", held);
      const second = await session(port);
      await second.send(file).expect("SFPA");
      await logged(hub, since, [/CFTT53I .*selected/]);
      second.buffer(data("hello")).send(EFID);
      await second.expect("EFPA");
      second.send(CD);
      await second.expect("EERP");
      second.close();
      await settled();
      t.equal(await offer(file), "SFNA 13", "received before");
      await logged(hub, since, [/CFTT50E .*IDF=/, /CFTR71W .*SFNA 13.*DIAGI=432/]);
      t.equal((await hub.transfers({ part: "RAW" })).filter(({ nfname }) => nfname === "AGAIN").length, 1);
    },
  );

  await t.test(
    "a name that is taken while its file is on its way: a negative response, nothing overwritten",
    async (t) => {
      await rm(join(inbox, "fresh", "FRESH"));
      const raw = await session(port);
      const file = sfid({ dsn: "FRESH" });
      await raw.send(file).expect("SFPA");
      await writeFile(join(inbox, "fresh", "FRESH"), "faster");
      raw.buffer(data("hello")).send(EFID);
      await raw.expect("EFPA");
      raw.send(CD);
      // what earlier files are owed comes first
      let answer = await raw.next();
      while (answer?.type === "EERP") answer = await raw.send(RTR).next();
      t.match(answer, { type: "NERP", reas: 34 });
      raw.close();
      t.same(await filesBelow(join(inbox, "fresh")), ["FRESH", "FRESHKEPT"]);
      t.same(await filesBelow(join(hub.rundir, "failed", "RAW")), ["FRESH"]);
    },
  );

  await t.test("a name that stands for no flow, with default_idf off", async (t) => {
    const since = hub.log().length;
    await edit(hub, "cygnet.toml", (text) => text.replace("[cftparm]", "[cftparm]\ndefault_idf = false"));
    await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
    t.equal(await offer(sfid({ dsn: "STRANGE" })), "SFNA 99");
    await logged(hub, since, [/CFTT64E .*IDF=STRANGE .*DIAGI=434/]);
    await settled();
    t.equal(await hub.transfer("recv", "STRANGE"), undefined);
  });
});
