/**
 * A partner that has no code of ours: its envelopes and signatures are those of the openssl command, its zlib streams
 * Node's own, its session is spoken by hand. Every pair of record format, services and cipher suite goes to it and
 * comes from it; then what must never be delivered.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { type Test, test } from "tap";
import { CIPHER_SUITES, type CipherSuite } from "../../src/cms/suites.ts";
import type { Eerp, Nerp, Sfid } from "../../src/oftp/wire/commands.ts";
import { DATA } from "../../src/oftp/wire/layout.ts";
import { compressedData } from "../cms/ber.ts";
import { adopt, decrypt, encrypt, type Owner, owner, path, sign, verify, zlibOf } from "../cms/openssl.ts";
import { CD, callerToml, edit, eerp, type Raw, RTR, session, sfid, words } from "./extra.ts";
import { filesBelow, type Gateway, site, waitFor } from "./harness.ts";
import { experimental, pairwise, recvFlows, type Secured, sendFlows } from "./secured.ts";

/** So that no file needs more than one credit's worth of buffers. */
const SESSION = { sdeb: 32_768, cred: 200 };

/** Octets of a U file as DATA commands. */
function* buffers(octets: Buffer, size: number): Generator<Buffer> {
  const room = Math.floor((size - 1) / 64) * 63;
  for (let at = 0; at < octets.length; at += room) {
    const parts: Buffer[] = [Buffer.of(DATA)];
    for (let from = at; from < Math.min(at + room, octets.length); from += 63) {
      const piece = octets.subarray(from, Math.min(from + 63, octets.length));
      const last = from + piece.length === octets.length;
      parts.push(Buffer.of((last ? 0x80 : 0) | piece.length), piece);
    }
    yield Buffer.concat(parts);
  }
}

/** The octets in subrecords, none of which may be compressed: envelopes are not. */
function unpacked(subrecords: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < subrecords.length; ) {
    const header = subrecords[at] as number;
    if ((header & 0x40) !== 0) throw new Error("a compressed subrecord");
    parts.push(subrecords.subarray(at + 1, at + 1 + (header & 0x3f)));
    at += 1 + (header & 0x3f);
  }
  return Buffer.concat(parts);
}

/** HUB, and the partner RAW that openssl is. */
async function partners(
  t: Test,
  rows: readonly Secured[],
  { more = "", flag = true }: { more?: string; flag?: boolean } = {},
): Promise<{ gateway: Gateway; hub: Owner; raw: Owner }> {
  const { hub: gateway } = await site(t, {
    prot: ["OFTP"],
    srusize: SESSION.sdeb,
    scredit: SESSION.cred,
    hub: {
      more: `[[pki]]\nid = "raw"\npart = "RAW"\nfile = "pki/raw.pem"\n${sendFlows(rows)}${recvFlows(rows)}`,
    },
  });
  const raw = await owner("raw");
  await fs.copyFile(path("raw.pem"), join(gateway.directory, "pki", "raw.pem"));
  await gateway.write("partners.d/raw.toml", callerToml("RAW", ["OFTP"], `state = "activeserv"\n${more}`));
  if (flag) await edit(gateway, "cygnet.toml", experimental);
  const own = (end: string): string => join(gateway.directory, "pki", `hub.${end}`);
  await gateway.start();
  return { gateway, hub: adopt("hub", own("pem"), own("key")), raw };
}

const digestOf = (suite: CipherSuite, octets: Buffer): Buffer =>
  createHash(CIPHER_SUITES[suite].hash).update(octets).digest();

/** What a response's signature is made over (RFC 5024 section 5.3.13). */
function signedOctets({ dsn, date, time, dest, orig, hsh, ...rest }: Eerp | Nerp): Buffer {
  const crea = rest.type === "NERP" ? rest.crea.padEnd(25) : "";
  const text = dsn.padEnd(26) + date + time + dest.padEnd(25) + orig.padEnd(25) + crea;
  return Buffer.concat([Buffer.from(text), hsh]);
}

test("what goes to the partner opens with openssl, and holds what RFC 5024 section 6 says", async (t) => {
  const rows = pairwise();
  const { gateway, hub, raw: partner } = await partners(t, rows);
  const folder = (id: string): string => join(gateway.rundir, "outbox", "RAW", id);
  for (const { id, local } of rows) {
    await fs.mkdir(folder(id), { recursive: true });
    await fs.writeFile(join(folder(id), ".file"), local);
    await fs.rename(join(folder(id), ".file"), join(folder(id), "file"));
  }
  const waiting = async () => (await gateway.transfers({ state: "D" })).length;
  const sealed = async () =>
    (await filesBelow(join(gateway.rundir, "work"))).filter((name) => name.endsWith(".form"));
  await waitFor("all are sealed", async () => (await sealed()).length === rows.length, {
    progress: async () => (await sealed()).length,
  });
  await waitFor("all wait", async () => (await waiting()) === rows.length);
  const raw = await session(gateway.ports.OFTP, SESSION);
  raw.send(CD);
  const left = new Map(rows.map((row) => [row.id, row]));
  const answers: Eerp[] = [];
  while (left.size > 0) {
    const file = await raw.expect("SFID");
    const row = left.get(file.dsn);
    if (!row) throw new Error(`nobody sent ${file.dsn}`);
    left.delete(file.dsn);
    raw.send({ type: "SFPA", acnt: 0n });
    const octets = await taken(raw, row, file, t);
    t.ok(content(octets, row, hub, partner).equals(row.inner), `${row.id}: ${row.fmt}`);
    if (!row.receipt) {
      answers.push(eerp(file));
      continue;
    }
    const answer = { ...eerp(file), hsh: digestOf(row.suite, octets) };
    answers.push({ ...answer, sig: receipt(answer, row.suite, partner) });
  }
  await raw.expect("CD");
  for (const answer of answers) {
    raw.send(answer);
    await raw.expect("RTR");
  }
  raw.close();
  const ended = await gateway.transfers({ direct: "send", state: "X" });
  t.equal(ended.filter(({ ack }) => ack === "A").length, rows.length, "every response counts");
});

/** The octets of the file that is offered; its announcement has to go with them. */
async function taken(raw: Raw, row: Secured, file: Sfid, t: Test): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const received = await raw.next();
    if (received?.type === "DATA") {
      parts.push(unpacked(received.subrecords));
      continue;
    }
    if (received?.type !== "EFID") throw new Error(`DATA or EFID was expected, ${words(received)} came`);
    const octets = Buffer.concat(parts);
    const { sign: signed, encrypt: encrypted, compress: compressed, receipt: asked, suite, fmt, lrecl } = row;
    const blocks = (size: number): bigint => BigInt(Math.ceil(size / 1024));
    t.match(file, {
      ...{ fmt, lrecl, env: 1, sec: (encrypted ? 1 : 0) + (signed ? 2 : 0), comp: compressed ? 1 : 0 },
      ...{ sign: asked, ciph: signed || encrypted || asked ? Number(suite) : 0 },
      ...{ fsiz: blocks(octets.length), osiz: blocks(row.local.length) },
    });
    t.match(received, { ucnt: BigInt(octets.length), rcnt: 0n });
    raw.send({ type: "EFPA", cd: false });
    return octets;
  }
}

/** What is in the envelope, as openssl and zlib find it. */
function content(octets: Buffer, row: Secured, signer: Owner, recipient: Owner): Buffer {
  let inside = octets;
  if (row.encrypt) inside = decrypt(inside, recipient);
  if (row.compress) inside = inflateSync(zlibOf(inside));
  return row.sign ? verify(inside, signer) : inside;
}

const pss = ["-keyopt", "rsa_padding_mode:pss"];

/** The signature of a response; OpenSSL 3.0 cannot make PSS with SHA-3, so suite 10 gets the one of suite 07. */
function receipt(answer: Eerp, suite: CipherSuite, signer: Owner): Buffer {
  const { hash, rsa } = CIPHER_SUITES[suite];
  return sign(signedOctets(answer), [signer], hash, ...(rsa === "pkcs1" || suite === "10" ? [] : pss));
}

/** A file in the envelope that a row asks for, by openssl, in forms that change from row to row. */
function envelope(row: Secured, index: number, signer: Owner, recipient: Owner): Buffer {
  const { hash, cipher, rsa } = CIPHER_SUITES[row.suite];
  const form = (...choices: string[][]): string[] => choices[index % choices.length] as string[];
  let octets = row.inner;
  if (row.sign) {
    const plain = rsa === "pkcs1" || row.suite === "10";
    const options = plain ? form([], ["-stream"], ["-noattr"], ["-keyid", "-certs"]) : pss;
    octets = sign(octets, [signer], hash, ...options);
  }
  if (row.compress) octets = compressedData(deflateSync(octets));
  if (!row.encrypt) return octets;
  const algorithm = cipher === "3des" ? "-des3" : "-aes-256-cbc";
  if (rsa === "pkcs1") return encrypt(octets, [recipient], algorithm, ...form([], ["-stream"], ["-keyid"]));
  const oaep = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", `rsa_oaep_md:${hash}`];
  return encrypt(octets, [], algorithm, "-recip", path(`${recipient.name}.pem`), ...oaep);
}

/** The SFID of a row's file in an envelope. */
function announcement(row: Secured, octets: Buffer, changes: Partial<Sfid> = {}): Sfid {
  return sfid({
    dsn: row.id,
    fmt: row.fmt,
    lrecl: row.lrecl,
    fsiz: BigInt(Math.ceil(octets.length / 1024)),
    osiz: BigInt(Math.ceil(row.inner.length / 1024)),
    sec: (row.encrypt ? 1 : 0) + (row.sign ? 2 : 0),
    comp: row.compress ? 1 : 0,
    env: 1,
    ciph: row.sign || row.encrypt || row.receipt ? Number(row.suite) : 0,
    sign: row.receipt,
    ...changes,
  });
}

/** Offers and sends a file; the answer: EFPA, or EFNA with its reason, or SFNA with its reason. */
async function give(raw: Raw, file: Sfid, octets: Buffer): Promise<string> {
  raw.send(file);
  const started = await raw.next();
  if (started?.type !== "SFPA") return words(started);
  for (const buffer of buffers(octets, SESSION.sdeb)) raw.buffer(buffer);
  raw.send({ type: "EFID", rcnt: 0n, ucnt: BigInt(octets.length) });
  for (;;) {
    const answer = await raw.next();
    if (answer?.type !== "CDT") return words(answer);
  }
}

/** The responses that HUB has for us, until there are so many. */
async function responses(raw: Raw, count: number): Promise<(Eerp | Nerp)[]> {
  const found: (Eerp | Nerp)[] = [];
  raw.send(CD);
  while (found.length < count) {
    const received = await raw.next();
    if (received?.type === "CD") raw.send(CD);
    else if (received?.type === "EERP" || received?.type === "NERP") {
      found.push(received);
      raw.send(RTR);
    } else throw new Error(`a response was expected, ${words(received)} came`);
  }
  return found;
}

test("what openssl makes is opened and delivered, and answered for with signatures that openssl verifies", async (t) => {
  const rows = pairwise();
  const { gateway, hub, raw: partner } = await partners(t, rows);
  const raw = await session(gateway.ports.OFTP, SESSION);
  const sent = new Map<string, Buffer>();
  for (const [index, row] of rows.entries()) {
    const octets = envelope(row, index, partner, hub);
    sent.set(row.id, octets);
    t.match(await give(raw, announcement(row, octets), octets), /^EFPA/, row.id);
  }
  const answers = await responses(raw, rows.length);
  raw.close();
  for (const row of rows) {
    const answer = answers.find(({ dsn }) => dsn === row.id);
    const octets = sent.get(row.id) as Buffer;
    t.equal(answer?.type, "EERP", row.id);
    if (answer?.type !== "EERP") continue;
    t.ok(
      (await fs.readFile(join(gateway.rundir, "inbox", "RAW", row.id))).equals(row.local),
      `${row.id}: ${row.fmt}`,
    );
    t.equal(answer.sig.length > 0, row.receipt, "signed when that was asked for");
    if (!row.receipt) continue;
    t.ok(answer.hsh.equals(digestOf(row.suite, octets)), "the hash of what was on the line");
    t.ok(verify(answer.sig, hub).equals(signedOctets(answer)), "and the signature is over the fields");
  }
  // suite 10 could be signed by openssl only as suite 07 is
  const odd = gateway.messages("CFTF70W");
  t.ok(
    odd.length > 0 && odd.every((line) => /IDF=P\dS10/.test(line)),
    "other algorithms than announced are logged",
  );
});

/** A row with these services, F 80. */
function row(id: string, services: Partial<Secured>): Secured {
  const inner = Buffer.from("0123456789".repeat(800));
  const none = { sign: false, compress: false, encrypt: false, receipt: false, suite: "04" as const };
  return { ...none, id, send: "", recv: "", fmt: "F", lrecl: 80, local: inner, inner, ...services };
}

test("an envelope of another suite is taken and logged; with one of two signers unknown, and octets behind it, too", async (t) => {
  const { gateway, hub, raw: partner } = await partners(t, [], { flag: false });
  const stranger = await owner("stranger");
  const both = row("BOTH", { sign: true, encrypt: true });
  const signed = sign(both.inner, [stranger, partner], "sha512");
  const octets = Buffer.concat([encrypt(signed, [stranger, hub], "-des3"), Buffer.from("behind")]);
  const raw = await session(gateway.ports.OFTP, SESSION);
  t.match(await give(raw, announcement(both, octets), octets), /^EFPA/);
  t.match(await responses(raw, 1), [{ type: "EERP", dsn: "BOTH" }]);
  await raw.expect("CD");
  const logged = gateway.messages("CFTF70W").join("\n");
  for (const text of [
    /sha512 .* not of cipher suite 04/,
    /3des .* not of cipher suite 04/,
    /not one of the partner/,
  ]) {
    t.match(logged, text);
  }
  t.match(logged, /6 octets behind it/);
  // suites 07 to 10 are not for everybody
  for (const suite of ["07", "08", "09", "10"] as const) {
    const refused = row(`S${suite}`, { encrypt: true, suite });
    t.match(await give(raw, announcement(refused, octets), octets), /^SFNA 15/, suite);
  }
  const sneaky = row("SNEAKY", { encrypt: true });
  const oaep = envelope({ ...sneaky, suite: "08" }, 0, partner, hub);
  t.match(await give(raw, announcement(sneaky, oaep), oaep), /^EFPA/);
  t.match(await responses(raw, 1), [{ type: "NERP", reas: 33 }], "nor under another number");
  raw.close();
});

test("what is not good never reaches the inbox: NERP after EFPA, EFNA where small files are opened in session", async (t) => {
  for (const opensize of ["0", '"64KiB"']) {
    const { gateway, hub, raw: partner } = await partners(t, [], { more: `opensize = ${opensize}` });
    const inSession = opensize !== "0";
    const stranger = await owner("stranger");
    const all = row("ALL", { sign: true, compress: true, encrypt: true });
    const sealed = (
      signer: Owner,
      recipient: Owner,
      zlib: (octets: Buffer) => Buffer = (each) => each,
    ): Buffer =>
      encrypt(
        compressedData(zlib(deflateSync(sign(all.inner, [signer], "sha256")))),
        [recipient],
        "-aes-256-cbc",
      );
    const broken = (octets: Buffer): Buffer =>
      Buffer.concat([octets.subarray(0, 40), Buffer.alloc(octets.length - 40)]);
    const plain = { sec: 0, ciph: 0 };
    const cases: [name: string, octets: Buffer, efna: number, nerp: number, changes?: Partial<Sfid>][] = [
      ["by a stranger", sealed(stranger, hub), 21, 31],
      ["for a stranger", sealed(partner, stranger), 22, 33],
      ["zlib stream broken", sealed(partner, hub, broken), 23, 32],
      ["no CMS at all", all.inner, 99, 34],
      ["a layer too few", encrypt(compressedData(deflateSync(all.inner)), [hub], "-aes-256-cbc"), 99, 34],
      ["a layer too many", compressedData(deflateSync(sealed(partner, hub))), 99, 34, plain],
      ["of no service", sealed(partner, hub), 99, 34, plain],
    ];
    const raw = await session(gateway.ports.OFTP, SESSION);
    for (const [index, [name, octets, efna, nerp, changes]] of cases.entries()) {
      const file = announcement({ ...all, id: `BAD${index}` }, octets, changes);
      const answer = await give(raw, file, octets);
      t.match(answer, inSession ? new RegExp(`^EFNA ${efna} `) : /^EFPA/, `${name}: ${answer}`);
      if (!inSession)
        t.match(await responses(raw, 1), [{ type: "NERP", reas: nerp, dsn: `BAD${index}` }], name);
      if (!inSession) await raw.expect("CD");
    }
    // small on the line, large on the disk
    const zeros = sign(Buffer.alloc(40_000_000), [partner], "sha256");
    const bomb = encrypt(compressedData(deflateSync(zeros, { level: 9 })), [hub], "-aes-256-cbc");
    const osiz = BigInt(Math.ceil(zeros.length / 1024));
    const lied = announcement({ ...all, id: "BOMB" }, bomb, { osiz: 8n, fmt: "U", lrecl: 0 });
    t.match(await give(raw, lied, bomb), inSession ? /^EFNA 23 / : /^EFPA/, "a bomb");
    if (!inSession) t.match(await responses(raw, 1), [{ type: "NERP", reas: 32 }], "a bomb");
    if (!inSession) await raw.expect("CD");
    const inbox = join(gateway.rundir, "inbox");
    t.strictSame(await filesBelow(inbox), [], "nothing is delivered");
    const failed = await filesBelow(join(gateway.rundir, "failed", "RAW"));
    t.equal(failed.length, inSession ? 0 : cases.length + 1, "what was taken is kept aside");
    t.match(
      await give(raw, announcement({ ...all, id: "ZEROS" }, bomb, { osiz, fmt: "U", lrecl: 0 }), bomb),
      /^EFPA/,
    );
    const good = sealed(partner, hub);
    t.match(await give(raw, announcement({ ...all, id: "GOOD" }, good), good), /^EFPA/);
    const ended = (await responses(raw, 2)).map(({ type, dsn }) => `${type} ${dsn}`).sort();
    t.strictSame(ended, ["EERP GOOD", "EERP ZEROS"], "announced as it is, even zeros are taken");
    raw.close();
    await gateway.kill();
  }
});
