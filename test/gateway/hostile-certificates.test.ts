/** A partner that sends under the reserved names what it should not: nothing of it is used, nothing reaches the inbox. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { encode } from "../../src/oftp/wire/codec.ts";
import type { Sfid } from "../../src/oftp/wire/commands.ts";
import { DATA } from "../../src/oftp/wire/layout.ts";
import { clidOf, clidText } from "../../src/pki/exchange/clid.ts";
import { CD, callerToml, type Raw, RTR, session, sfid } from "./extra.ts";
import { filesBelow, type Gateway, octets, site, waitFor } from "./harness.ts";

const DELIVER = "ODETTE_CERTIFICATE_DELIVER";
const BUFFER = 65_535;

/** A file as data exchange buffers: subrecords of 63 octets, the last one ends the record. */
function buffers(content: Buffer): Buffer[] {
  const most = Math.floor((BUFFER - 1) / 64);
  const pieces = Math.max(1, Math.ceil(content.length / 63));
  const made: Buffer[] = [];
  for (let begin = 0; begin < pieces; begin += most) {
    const parts: Buffer[] = [Buffer.of(DATA)];
    for (let index = begin; index < Math.min(begin + most, pieces); index++) {
      const piece = content.subarray(index * 63, index * 63 + 63);
      parts.push(Buffer.of((index === pieces - 1 ? 0x80 : 0) | piece.length), piece);
    }
    made.push(Buffer.concat(parts));
  }
  return made;
}

/** Sends one file in a session of its own: "SFNA 01: …", or the end-to-end response, "EERP" or "NERP 34: …", or "" for none. */
async function send(gateway: Gateway, content: Buffer, changes: Partial<Sfid> = {}): Promise<string> {
  const raw = await session(gateway.ports.OFTP, { sdeb: BUFFER, cred: 64 });
  const file = sfid({
    dsn: DELIVER,
    fsiz: BigInt(Math.max(1, Math.ceil(content.length / 1024))),
    ...changes,
  });
  raw.send(file);
  const answer = await raw.next();
  if (answer?.type === "SFNA") {
    raw.close();
    return `SFNA ${String(answer.reas).padStart(2, "0")}: ${answer.reast}`;
  }
  if (answer?.type !== "SFPA") throw new Error(`SFPA was expected, ${answer?.type} came`);
  for (const buffer of buffers(content)) raw.buffer(buffer);
  raw.send({ type: "EFID", rcnt: 0n, ucnt: BigInt(content.length) });
  try {
    return await responseOf(raw, file);
  } finally {
    raw.close();
  }
}

async function responseOf(raw: Raw, file: Sfid): Promise<string> {
  for (let turned = false; ; ) {
    const received = await raw.next();
    if (received?.type === "CDT") continue;
    if (received?.type === "EFPA" && !turned) {
      turned = true;
      raw.send(CD);
      continue;
    }
    const about = received && "dsn" in received && received.time === file.time;
    if (received?.type === "EERP" && about) return "EERP";
    if (received?.type === "NERP" && about) return `NERP ${received.reas}: ${received.reast}`;
    if (received?.type === "EERP" || received?.type === "NERP") raw.send(RTR);
    else if (received === null || received.type === "CD" || received.type === "ESID") return "";
    else throw new Error(`${received.type} came`);
  }
}

test("hostile files under the reserved names", async (t) => {
  const { hub } = await site(t, { hub: { more: "" } });
  await hub.write("partners.d/raw.toml", callerToml("RAW", ["OFTP"], 'require = ["sign", "encrypt"]'));
  const folder = join(hub.directory, "made");
  await fs.mkdir(folder);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const make = async (name: string, subject: string, ...more: string[]) => {
    const key = more.includes("-newkey") ? [] : ["-newkey", "rsa:2048"];
    const kind = ["-nodes", "-days", "9", "-subj", subject, ...key, ...more];
    openssl("req", "-x509", ...kind, "-keyout", `${name}.key`, "-out", `${name}.pem`);
    return new X509Certificate(await fs.readFile(join(folder, `${name}.pem`)));
  };
  const good = await make("good", "/serialNumber=O0999RAW/CN=good");
  const another = await make("another", "/CN=another");
  const small = await make("small", "/CN=small", "-newkey", "rsa:1024");
  const weak = await make("weak", "/CN=weak", "-sha1");
  const foreign = await make("foreign", "/serialNumber=O0999OTHER/CN=foreign");
  const useless = await make("useless", "/CN=useless", "-addext", "keyUsage=keyCertSign");
  // expired: openssl makes one only through "openssl ca" or x509 with a negative number of days
  openssl("req", "-new", "-key", "good.key", "-subj", "/CN=expired", "-out", "expired.csr");
  openssl("x509", "-req", "-in", "expired.csr", "-signkey", "good.key", "-days", "-1", "-out", "expired.pem");
  const expired = new X509Certificate(await fs.readFile(join(folder, "expired.pem")));
  const key = await fs.readFile(join(folder, "good.key"));
  const own = new X509Certificate(await fs.readFile(join(hub.directory, "pki", "hub.pem")));
  await hub.start();

  const MIB = 1024 * 1024;
  for (const [name, content, changes, expected] of [
    ["an empty file", Buffer.alloc(0), {}, /^NERP 34: the file is empty/],
    ["garbage", octets(1, 3_000), {}, /^NERP 34: .*certificate/],
    ["an invoice", Buffer.from("UNB+UNOA:1+ACME+HUB'"), {}, /^NERP 34/],
    [
      "a private key beside it",
      Buffer.concat([Buffer.from(good.toString()), key]),
      {},
      /^NERP 34: .*private key/,
    ],
    [
      "two certificates",
      Buffer.from(good.toString() + another.toString()),
      {},
      /^NERP 34: .*file of its own/,
    ],
    ["an expired one", expired.raw, {}, /^NERP 34: .*expired/],
    ["one with a small key", small.raw, {}, /^NERP 34: .*1024 bits/],
    ["one signed with SHA-1", weak.raw, {}, /^NERP 34: .*weak/],
    ["one of no use", useless.raw, {}, /^NERP 34: .*KeyUsage/],
    ["somebody else's", foreign.raw, {}, /^NERP 34: .*O0999OTHER/],
    ["our own", own.raw, {}, /^NERP 34: .*one of this site/],
    [
      "one that its description does not mean",
      another.raw,
      { desc: clidText(clidOf(good)) },
      /^NERP 34: .*CLID/,
    ],
    ["1 MiB, announced", octets(2, MIB), {}, /^SFNA 06/],
    ["1 MiB, not announced", octets(3, MIB), { fsiz: 1n }, /^NERP 34: the file has more than 65536 octets/],
    ["a text file", good.raw, { fmt: "T" }, /^SFNA 04/],
    ["an encrypted one", good.raw, { sec: 1, ciph: 4, env: 1 }, /^SFNA 16/],
    ["a signed one", good.raw, { sec: 2, ciph: 4, env: 1 }, /^SFNA 19/],
    ["a compressed one", good.raw, { comp: 1, env: 1 }, /^SFNA 18/],
    ["the name in small letters", octets(4, 100), { dsn: DELIVER.toLowerCase() }, /^NERP 34/],
    ["a replacement by garbage", octets(5, 100), { dsn: "ODETTE_CERTIFICATE_REPLACE" }, /^NERP 34/],
    ["a datasheet of 2 MiB", octets(6, 2 * MIB), { dsn: "OFTPCOMMUNICATIONSETUP" }, /^SFNA 06/],
  ] as const) {
    t.match(await send(hub, content as Buffer, changes), expected, name);
  }
  t.strictSame(await filesBelow(join(hub.rundir, "pki", "partners")), [], "none was kept");
  t.match(await send(hub, good.raw), /^$/, "a good one waits, although files must be sealed");
  t.match(await send(hub, Buffer.from(good.toString())), /^$/, "the same in PEM is the same");
  t.equal(
    (await filesBelow(join(hub.rundir, "pki", "partners"))).length,
    2,
    "one entry: certificate and description",
  );
  t.strictSame(await filesBelow(join(hub.rundir, "inbox")), [], "nothing reaches the inbox");
  t.strictSame(await filesBelow(join(hub.rundir, "failed")), [], "nothing is kept that may hold a key");
  t.equal((await filesBelow(join(hub.rundir, "work"))).length, 2, "what waits is kept, and nothing else");
  t.equal((await hub.cli("pki", "accept", good.fingerprint256)).status, 0);
  await waitFor(
    "no work file is left",
    async () => (await filesBelow(join(hub.rundir, "work"))).length === 0,
  );
  t.notMatch(hub.log(), /PRIVATE KEY|internal error|CFTC70E/);
});

test("reserved names below level 5, too many at once, and datasheets", async (t) => {
  const { hub } = await site(t);
  await hub.write("partners.d/raw.toml", callerToml("RAW", ["OFTP"]));
  await hub.start();
  for (const dsn of [DELIVER, "ODETTE_CERTIFICATE_REQUEST", "OFTPCOMMUNICATIONSETUP"]) {
    const old = await session(hub.ports.OFTP, { lev: 4 });
    old.buffer(encode(sfid({ dsn }), 4));
    const answer = await old.expect("SFNA");
    t.equal(answer.reas, 1, `${dsn} at level 4`);
    old.close();
  }
  const folder = join(hub.directory, "made");
  await fs.mkdir(folder);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  openssl("genrsa", "-out", "key", "2048");
  const certificate = async (index: number) => {
    openssl("req", "-x509", "-key", "key", "-subj", `/CN=number ${index}`, "-days", "9", "-out", "pem");
    return new X509Certificate(await fs.readFile(join(folder, "pem"))).raw;
  };
  const answers: string[] = [];
  for (let index = 0; index < 21; index++) answers.push(await send(hub, await certificate(index)));
  t.strictSame(
    answers.slice(0, 20).filter((answer) => answer !== ""),
    [],
    "twenty wait",
  );
  t.match(answers[20], /^NERP 34: 20 certificates of this partner wait already/);

  const sheet = Buffer.from("<OftpCommunicationSetup/>");
  for (const dsn of ["OFTPCOMMUNICATIONSETUP", "OFTP_COMMUNICATION_SETUP"]) {
    t.equal(await send(hub, sheet, { dsn }), "EERP", dsn);
    const path = join(hub.rundir, "partners-received", "RAW", `${dsn}.xml`);
    t.ok((await fs.readFile(path)).equals(sheet), "put aside for a person");
  }
  await waitFor("both to be told", () => hub.messages("CFTH96I").length === 2);
  t.strictSame(await filesBelow(join(hub.rundir, "inbox")), []);
  t.equal((await hub.status()).generation.number, 1, "nothing of it is in force");
});
