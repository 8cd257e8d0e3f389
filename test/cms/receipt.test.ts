/** Signed end-to-end responses, against a vector worked out by hand and openssl. */
import { createHash } from "node:crypto";
import { test } from "tap";
import { HASHES, type Hash } from "../../src/cms/hashes.ts";
import { type Receipt, receiptOctets, signReceipt, verifyReceipt } from "../../src/cms/receipt.ts";
import { owner, sign, verify } from "./openssl.ts";
import { failure } from "./through.ts";

const [partner, other] = await Promise.all([owner("partner"), owner("other")]);
const NOW = new Date("2026-01-15T10:30:15Z");
const CONTENT = Buffer.from("4F4654503220544553542046494C4520434F4E54454E540D0A", "hex");
const IDENTITY = {
  dsn: "SNARK.TXT",
  date: "20260115",
  time: "1030150001",
  dest: "O017700000ALPHA0001PLANT1",
  orig: "O0013000000BETA0002",
};
const VECTOR = `
  534E41524B2E5458542020202020202020202020202020202020323032363031
  3135313033303135303030314F303137373030303030414C5048413030303150
  4C414E54314F303031333030303030304245544130303032202020202020887B
  61016219EF404D1F819517B2A3B80E3BDE56365BDAE5B510F3D7E2C6929BA257
  6C3C686602B060CE133E827FFBE0784152EEFF19D57029D504D82F5F050C`;

const digest = (hash: Hash, content = CONTENT): Buffer => createHash(hash).update(content).digest();
const receipt = (hash: Hash): Receipt => ({ ...IDENTITY, hsh: digest(hash) });
const signing = (hash: Hash) => ({ certificate: partner.certificate, key: partner.key, hash });

test("RFC 5024 5.3.13: the octets to be signed for an EERP and for a NERP", (t) => {
  const octets = receiptOctets(receipt("sha512"));
  t.equal(octets.toString("hex").toUpperCase(), VECTOR.replace(/\s/g, ""));
  for (const hash of Object.keys(HASHES) as Hash[]) {
    const { length } = HASHES[hash];
    t.equal(receiptOctets(receipt(hash)).length, 94 + length);
    const nerp = receiptOctets({ ...receipt(hash), crea: "O0177000000RELAY01" });
    t.equal(nerp.length, 119 + length);
    t.equal(
      nerp.subarray(94, 119).toString(),
      "O0177000000RELAY01       ",
      "NERPCREA stands before the hash",
    );
    t.ok(nerp.subarray(119).equals(digest(hash)));
  }
  const padded = { ...receipt("sha1"), dsn: IDENTITY.dsn.padEnd(26), orig: IDENTITY.orig.padEnd(25) };
  t.ok(receiptOctets(padded).equals(receiptOctets(receipt("sha1"))), "padded or not");
  t.end();
});

test("RFC 5024 5.3.13, 5.3.14: signatures that openssl verifies, and that prove the response", async (t) => {
  // RSA-2048, signed attributes, without certificate
  for (const [hash, most] of [
    ["sha1", 700],
    ["sha256", 740],
    ["sha512", 800],
  ] as const) {
    for (const crea of [{}, { crea: IDENTITY.orig }]) {
      const response = { ...receipt(hash), ...crea };
      const signature = signReceipt(response, [signing(hash)], NOW);
      t.ok(signature.length < most, `${hash}: ${signature.length} octets`);
      t.ok(verify(signature, partner).equals(receiptOctets(response)));
      const facts = verifyReceipt(response, signature, digest(hash), [
        other.certificate,
        partner.certificate,
      ]);
      t.match(facts, { signer: partner.certificate, hash, others: [] });
      for (const options of [[], ["-noattr"], ["-certs"], ["-keyid", "-stream"]]) {
        const theirs = sign(receiptOctets(response), [partner], hash, ...options);
        t.ok(verifyReceipt(response, theirs, digest(hash), [partner.certificate]), options.join(" "));
      }
    }
  }
});

test("RFC 5024 3.3.5: a response that says anything else than what was signed proves nothing", async (t) => {
  const response = { ...receipt("sha256"), crea: IDENTITY.orig };
  const signature = signReceipt(response, [signing("sha256")], NOW);
  const sent = digest("sha256");
  const signers = [partner.certificate];
  const refused = async (changed: Partial<Receipt>, bytes = signature, hash = sent, allowed = signers) =>
    (await failure(() => verifyReceipt({ ...response, ...changed }, bytes, hash, allowed))).code;
  const { crea: _, ...eerp } = response;
  for (const changed of [
    { dsn: "SNARK.TXU" },
    { date: "20260116" },
    { time: "1030150002" },
    { dest: IDENTITY.orig },
    { orig: IDENTITY.dest },
    { crea: IDENTITY.dest },
    { hsh: digest("sha256", Buffer.from("other")) },
    { hsh: digest("sha1") },
    { dsn: "A name that is too long for the field" },
  ]) {
    t.equal(await refused(changed), "CYG_CMS_RECEIPT", Object.keys(changed).join());
  }
  const positive = await failure(() => verifyReceipt(eerp, signature, sent, signers));
  t.equal(positive.code, "CYG_CMS_RECEIPT", "a NERP's signature in an EERP");
  const another = digest("sha256", Buffer.from("another file"));
  t.equal(await refused({}, signature, another), "CYG_CMS_RECEIPT", "for another file");
  t.equal(await refused({}, signature, sent, [other.certificate]), "CYG_CMS_SIGNATURE", "by somebody else");
  t.equal(await refused({}, signature, sent, []), "CYG_CMS_SIGNATURE");
  t.equal(await refused({}, Buffer.alloc(0)), "CYG_CMS_FORMAT", "no signature");
  t.equal(await refused({}, Buffer.alloc(70_000)), "CYG_CMS_FORMAT", "longer than NERPSIGL can say");
  let harmless = 0;
  for (let at = 0; at < signature.length; at++) {
    if (at > 0) {
      const cut = await refused({}, signature.subarray(0, at));
      if (cut !== "CYG_CMS_FORMAT") t.fail(`cut at ${at}: ${cut}`);
    }
    const copy = Buffer.from(signature);
    copy.writeUInt8((copy[at] as number) ^ 1, at);
    try {
      verifyReceipt(response, copy, sent, signers);
      harmless++; // versions and parameters say nothing about the content
    } catch (error) {
      if (!(error as { code?: string }).code?.startsWith("CYG_CMS_")) throw error;
    }
  }
  t.ok(harmless < 12, `${harmless} octets whose last bit means nothing`);
  const wrong = await failure(() => signReceipt(receipt("sha1"), [signing("sha256")], NOW));
  t.equal(wrong.code, "CYG_CMS_RECEIPT", "a hash of another suite");
});
