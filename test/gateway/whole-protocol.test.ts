/** What goes beyond the straight case, between two gateways: formats, charsets, levels, authentication, verdicts. */
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import { decode, encode } from "../../src/oftp/wire/codec.ts";
import { frame, StreamDecoder } from "../../src/oftp/wire/stream.ts";
import { selfSigned } from "./extra.ts";
import { type Gateway, type SiteOptions, site, waitFor } from "./harness.ts";

interface Row {
  name: string;
  /** Options of the flow at the sender, and at the receiver. */
  send: string;
  recv?: string;
  sent: Buffer;
  /** What stands in the inbox; the same as was sent unless given. */
  arrives?: Buffer;
}

const text = (value: string) => Buffer.from(value, "utf8");
const lines = (count: number, length: number) =>
  text(Array.from({ length: count }, (_, index) => `${String(index).padStart(length, "x")}\n`).join(""));

/** Each level's row goes through the same table: `level` is what both sides speak. */
const ROWS: Row[] = [
  { name: "T, untouched", send: 'frecfm = "T"', sent: text("one\ntwo\r\nthree") },
  {
    name: "T, local line ends",
    send: 'frecfm = "T"\nfcode = "ascii"',
    recv: 'fcode = "ascii"',
    sent: lines(20_000, 40),
  },
  {
    name: "T, CR LF where the receiver leaves it",
    send: 'frecfm = "T"\nfcode = "ascii"',
    sent: text("one\ntwo\n"),
    arrives: text("one\r\ntwo\r\n"),
  },
  { name: "F, 80 octets", send: 'frecfm = "F"\nflrecl = 80', sent: Buffer.alloc(80 * 5000, "F123 ") },
  { name: "F, one long record", send: 'frecfm = "F"\nflrecl = 99999', sent: Buffer.alloc(99_999 * 3, 0xee) },
  { name: "F, no record", send: 'frecfm = "F"\nflrecl = 80', sent: Buffer.alloc(0) },
  { name: "V, lines", send: 'frecfm = "V"\nflrecl = 200', sent: text("one\n\nthree\nand a longer one\n") },
  { name: "V, many lines", send: 'frecfm = "V"\nflrecl = 200', sent: lines(30_000, 60) },
  { name: "V, no record", send: 'frecfm = "V"\nflrecl = 200', sent: Buffer.alloc(0) },
  {
    name: "V, lengths of two octets",
    send: 'frecfm = "V"\nflrecl = 200\nftype = "V"',
    recv: 'ftype = "V"',
    sent: Buffer.concat([text("\0\x03abc"), text("\0\0"), Buffer.from([0, 200]), Buffer.alloc(200, 10)]),
  },
  {
    name: "V, lines in EBCDIC on the line",
    send: 'frecfm = "V"\nflrecl = 200\nxlate = "HOST"',
    recv: 'xlate = "HOST"',
    sent: text("Stück 42 für Müller & Söhne\n{geschweift} [eckig]\n"),
  },
  {
    name: "T, Latin 1 on the line",
    send: 'frecfm = "T"\nfcode = "ascii"\nxlate = "LATIN"',
    sent: text("für\n"),
    arrives: Buffer.from("für\r\n", "latin1"),
  },
];

const XLATE = `
[[cftxlate]]
id = "HOST"
fcharset = "UTF-8"
ncharset = "IBM273"
[[cftxlate]]
id = "LATIN"
fcharset = "UTF-8"
ncharset = "ISO-8859-1"
`;

const flow = (index: number) => `FLOW${index}`;

async function pair(t: Test, options: SiteOptions): Promise<{ hub: Gateway; acme: Gateway }> {
  const both = await site(t, options);
  await Promise.all([both.hub.start(), both.acme.start()]);
  return both;
}

const acknowledged = (gateway: Gateway, count: number) => async () =>
  (await gateway.transfers({ direct: "send", state: "X" })).filter(({ ack }) => ack === "A").length === count;

for (const level of [5, 4, 2, 1] as const) {
  test(`all record formats at SSIDLEV ${level}, buffers of ${level === 4 ? 128 : 4096}`, async (t) => {
    const sends = ROWS.map(
      ({ send }, index) => `[[cftsend]]\nid = "${flow(index)}"\nnfname = "${flow(index)}"\n${send}`,
    );
    const recvs = ROWS.map(({ recv = "" }, index) => `[[cftrecv]]\nid = "${flow(index)}"\n${recv}`);
    const common = { prot: ["OFTP"], level: [level], srusize: level === 4 ? 128 : 4096, scredit: 7 } as const;
    const { hub, acme } = await pair(t, {
      ...common,
      scomp: level === 2 ? 0 : 1,
      hub: { more: XLATE + sends.join("\n") },
      acme: { more: XLATE + recvs.join("\n") },
    });
    for (const [index, { sent }] of ROWS.entries()) await hub.drop(`${flow(index)}/file`, sent);
    await waitFor("every file is acknowledged", acknowledged(hub, ROWS.length), { timeout: 120_000 });
    for (const [index, { name, sent, arrives }] of ROWS.entries()) {
      const got = await fs.readFile(acme.inbox(flow(index)));
      t.ok(got.equals(arrives ?? sent), name);
    }
    t.strictSame(
      await fs.readdir(join(hub.directory, "var", "work", "outbox")).catch(() => []),
      [],
      "no form is left",
    );
    t.strictSame(await fs.readdir(join(acme.directory, "var", "work", "recv")).catch(() => []), []);
  });
}

test("a file that is not what its flow says is held at the sender, with record and octet", async (t) => {
  const more = `
[[cftsend]]
id = "F"
frecfm = "F"
flrecl = 80
[[cftsend]]
id = "V"
frecfm = "V"
flrecl = 10
[[cftsend]]
id = "X"
frecfm = "T"
fcode = "ascii"
xlate = "LATIN"
${XLATE}`;
  const { hub } = await pair(t, { prot: ["OFTP"], hub: { more } });
  await hub.drop("F/short", text("not eighty octets"));
  await hub.drop("V/long", text("fine\nthis line is too long\n"));
  await hub.drop("X/euro", text("10 €\n"));
  await waitFor("all are held", async () => (await hub.transfers({ state: "H" })).length === 3);
  for (const { idf, diagi, diagc } of await hub.transfers({ state: "H" })) {
    t.equal(diagi, 126, `${idf}: ${diagc}`);
    t.match(diagc, /record|octet/);
  }
});

const authority = (id: string, part: string, files: { file: string; key?: string }) => `
[[pki]]
id = "${id}"
file = "${files.file}"
${files.key ? `key = "${files.key}"` : `part = "${part}"`}
usage = ["auth"]
`;

/** Keys of their own for authentication: `right` gives each side the other's certificate, else a stranger's. */
async function authenticated(
  t: Test,
  secauth: string,
  right: boolean,
): Promise<{ hub: Gateway; acme: Gateway }> {
  const both = await site(t, { prot: ["OFTP"], level: [5] });
  const { hub, acme } = both;
  for (const name of ["hub", "acme", "stranger"]) selfSigned(hub.directory, `${name}-auth`, name);
  for (const [gateway, own, other] of [
    [hub, "hub", "acme"],
    [acme, "acme", "hub"],
  ] as const) {
    const at = (name: string) => join(hub.directory, `${name}-auth`);
    const theirs = right ? other : "stranger";
    const pki =
      authority("own-auth", "", { file: `${at(own)}.pem`, key: `${at(own)}.key` }) +
      authority("their-auth", other.toUpperCase(), { file: `${at(theirs)}.pem` });
    const main = await fs.readFile(gateway.config, "utf8");
    const secured = main.replace(/^(id\s*=\s*"OFTP"\n)/m, `$1secauth = "${secauth}"\n`);
    t.not(secured, main, "the protocol was found");
    await fs.writeFile(gateway.config, secured + pki);
  }
  await Promise.all([hub.start(), acme.start()]);
  return both;
}

test("secure authentication, required by both: the file goes through", async (t) => {
  const { hub, acme } = await authenticated(t, "require", true);
  await hub.drop("signed-in", text("content"));
  await acme.drop("signed-in-too", text("content"));
  await waitFor(
    "both are acknowledged",
    async () => (await acknowledged(hub, 1)()) && (await acknowledged(acme, 1)()),
  );
  const probe = await hub.cli("test-partner", "ACME", "--json");
  t.equal(probe.json[0].agreed.authentication, true);
});

test("secure authentication with somebody else's key: ESID 11, no file", async (t) => {
  const { hub, acme } = await authenticated(t, "require", false);
  await hub.drop("secret", text("content"));
  await waitFor("the call was refused", () => hub.messages("CFTH11E").length > 0);
  t.match(hub.messages("CFTH11E")[0], /ESID 11/);
  t.strictSame(await acme.transfers(), []);
});

test("ackmode manual: the partner hears nothing before `end`, then yes or why not", async (t) => {
  const { hub, acme } = await pair(t, {
    prot: ["OFTP"],
    acme: { more: '[[cftrecv]]\nid = "SLOW"\nackmode = "manual"' },
  });
  await hub.drop("SLOW", text("good"));
  await waitFor("it is delivered", async () => (await acme.transfers({ state: "Z" })).length === 1);
  t.equal((await hub.transfers())[0]?.state, "Z", "the sender still waits");
  const [received] = await acme.transfers();
  t.equal((await acme.cli("end", received?.idtu ?? "")).status, 0);
  await waitFor("it is acknowledged", acknowledged(hub, 1));
  t.equal((await acme.cli("end", received?.idtu ?? "")).status, 1, "only once");
  await hub.drop("SLOW", text("bad"));
  await waitFor(
    "the second one is delivered",
    async () => (await acme.transfers({ state: "Z" })).length === 1,
  );
  const [second] = await acme.transfers({ state: "Z" });
  t.equal((await acme.cli("end", second?.idtu ?? "", "--reject", "7")).status, 1, "there is no reason 07");
  t.equal((await acme.cli("end", second?.idtu ?? "", "--reject", "34", "--text", "segment 12")).status, 0);
  await waitFor("it is rejected", async () => (await hub.transfers()).some(({ ack }) => ack === "N"));
  const rejected = (await hub.transfers()).find(({ ack }) => ack === "N");
  t.match(rejected, { state: "X", diagp: "NERP 34", diagc: "segment 12" });
});

test("test-partner tells what was agreed, or why nothing was", async (t) => {
  const { hub, acme } = await pair(t, { prot: ["OFTPS", "OFTP"], srusize: 9999 });
  const good = await hub.cli("test-partner", "ACME", "--json");
  t.equal(good.status, 0);
  t.match(good.json, [
    { prot: "OFTPS", ok: true, tls: { verified: true }, agreed: { level: 5, srusize: 9999 } },
    { prot: "OFTP", ok: true, tls: null },
  ]);
  t.match((await hub.cli("test-partner", "ACME")).stdout, /session {2}OFTP 2\.0, buffers of 9999 octets/);
  t.strictSame(await acme.transfers(), [], "no file moved");
  await acme.kill();
  const gone = await hub.cli("test-partner", "ACME", "--json");
  t.equal(gone.status, 1);
  t.match(gone.json, [{ ok: false, diagi: 302 }, { ok: false }]);
  t.equal((await hub.cli("test-partner", "NOBODY")).status, 1);
});

test("the protocol trace of one partner: every command, field by field, no password", async (t) => {
  const { hub } = await site(t, { prot: ["OFTP"] }).then(async (both) => {
    const file = join(both.hub.directory, "partners.d", "acme.toml");
    const partner = await fs.readFile(file, "utf8");
    await fs.writeFile(file, partner.replace(/^(id\s*=.*\n)/m, "$1trace = true\n"));
    await Promise.all([both.hub.start(), both.acme.start()]);
    return both;
  });
  await hub.drop("traced", text("content"));
  await waitFor("it is acknowledged", acknowledged(hub, 1));
  const trace = (await hub.cli("log", "--trace")).stdout;
  for (const command of [
    "in SSRM",
    "out SSID",
    "in SSID",
    "out SFID dsn=TRACED",
    "in SFPA",
    "out EFID",
    "in EFPA",
    "out CD",
  ]) {
    t.match(trace, command);
  }
  t.match(trace, /in EERP dsn=TRACED/);
  t.match(trace, /pswd=\*{8}/);
  t.notMatch(trace, /HUBPW|ACMEPW/);
});

test("files of one name in one second reach a partner of OFTP 1.3, which has stamps of whole seconds", async (t) => {
  const more = '[[cftsend]]\nid = "SAME"\nnfname = "SAME"';
  const { hub, acme } = await pair(t, { prot: ["OFTP"], level: [2], hub: { more } });
  for (let index = 0; index < 5; index++) await hub.drop(`SAME/file${index}`, text(`content ${index}`));
  await waitFor("all are acknowledged", acknowledged(hub, 5));
  const contents = await Promise.all(
    (await fs.readdir(acme.inbox())).map((name) => fs.readFile(acme.inbox(name), "utf8")),
  );
  t.strictSame(
    contents.sort(),
    [0, 1, 2, 3, 4].map((index) => `content ${index}`),
  );
});

test("a partner that refuses SSIDLEV 5 is offered the next lower one, and not a higher one again", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"], retryw: "200ms" });
  await hub.start();
  // such a product: ESID 10 to everything above level 4, and a session that stays without answer below
  const offers: number[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(frame(encode({ type: "SSRM", message: "" }, 5)));
    const decoder = new StreamDecoder();
    socket.on("data", (chunk) =>
      decoder.push(chunk, (buffer) => {
        const command = decode(buffer, 5);
        if (command.type !== "SSID") return false;
        offers.push(command.lev);
        const reason = command.lev > 4 ? 10 : 8;
        socket.end(frame(encode({ type: "ESID", reas: reason, reast: "" }, 4)));
        return false;
      }),
    );
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(acme.ports.OFTP, "127.0.0.1", resolve));
  await hub.drop("file", text("content"));
  await waitFor("several calls", () => offers.length >= 4, { timeout: 120_000 });
  t.strictSame(offers.slice(0, 4), [5, 4, 4, 4]);
});
