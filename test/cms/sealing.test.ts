/** What we seal, opened by openssl, by zlib and by ourselves. */
import { createHash, randomBytes } from "node:crypto";
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { test } from "tap";
import { unseal } from "../../src/cms/opening.ts";
import { type SealOptions, seal } from "../../src/cms/sealing.ts";
import { type Algorithms, CIPHER_SUITES, type CipherSuite } from "../../src/cms/suites.ts";
import { tree } from "./ber.ts";
import { asn1parse, decrypt, owner, sign, verify, zlibOf } from "./openssl.ts";
import { failure, opened, sealed, sealedWithFacts, through } from "./through.ts";

const [ours, theirs, other] = await Promise.all([
  owner("ours"),
  owner("theirs", "-newkey", "rsa:3072"),
  owner("other"),
]);
const SUITES = Object.entries(CIPHER_SUITES) as [CipherSuite, Algorithms][];
const { certificate, key } = ours;

/** A few megabytes of a file as partners send them. */
const edi = (size: number): Buffer => {
  const lines = Array.from(
    { length: Math.ceil(size / 12) },
    (_, n) => `LIN+${n}++${(n * 7919) % 99_991}:EN'\r\n`,
  );
  return Buffer.from(lines.join("")).subarray(0, size);
};

test("RFC 5024 10.2: every suite, signed and encrypted, of known size and not, is opened by openssl cms", async (t) => {
  for (const [suite, { hash, cipher, rsa }] of SUITES) {
    const oaep = rsa === "pkcs1" ? {} : { oaep: hash };
    // OpenSSL 3.0 verifies PSS with SHA-3, though it cannot make it
    const one = [{ certificate, key, hash, rsa }];
    for (const length of ["01", "06", "10"].includes(suite) ? [0, 15, 16, 1_000, 70_000] : [1_000]) {
      const content = randomBytes(length);
      const encryption = { recipients: [theirs.certificate, other.certificate], cipher, ...oaep };
      for (const size of [{}, { size: length }]) {
        const name = `${suite} ${length} ${Object.keys(size)}`;
        const signed = await sealed(content, { sign: one, ...size }, [999, 40_000]);
        t.ok(verify(signed, ours).equals(content), `${name}: signed`);
        const encrypted = await sealed(content, { encrypt: encryption, ...size }, [40_000, 999]);
        t.ok(decrypt(encrypted, theirs).equals(content), `${name}: encrypted`);
        if (length !== 1_000) continue;
        t.ok(decrypt(encrypted, other).equals(content), `${name}: encrypted for two`);
        const both = await sealed(content, {
          sign: one,
          encrypt: encryption,
          ...size,
        });
        t.ok(verify(decrypt(both, theirs), ours).equals(content), `${name}: signed, then encrypted`);
        // indefinite lengths are shown as "inf"
        t.equal(/l= *inf/.test(asn1parse(both)), !("size" in size), `${name}: DER where sizes are known`);
      }
    }
  }
});

test("RFC 5652 5.3: the SignedData of a known size is octet for octet what openssl makes", async (t) => {
  const content = randomBytes(300);
  for (const hash of ["sha1", "sha256", "sha512"] as const) {
    const example = sign(content, [ours], hash);
    // the UTCTime of the example
    const [, digits = ""] = /UTCTIME +:(\d{12})Z/.exec(asn1parse(example)) ?? [];
    const time = new Date(digits.replace(/(..)(..)(..)(..)(..)(..)/, "20$1-$2-$3T$4:$5:$6Z"));
    const signed = await sealed(content, { sign: [{ certificate, key, hash }], size: 300, time });
    t.strictSame(tree(signed), tree(example), hash);
    t.ok(signed.equals(example), `${hash}: RSA PKCS#1 v1.5 is deterministic`);
  }
});

test("RFC 3274, RFC 1950: CompressedData holds one zlib stream, at every level, around every block", async (t) => {
  const block = 1024 * 1024;
  const lengths = [0, 1, 100, block - 1, block, block + 1, 2 * block, 2 * block + 1, 5 * block + 77];
  for (const level of [1, 6, 9]) {
    for (const length of lengths) {
      const content = edi(length);
      const { octets, facts } = await sealedWithFacts(content, { compress: { level } });
      const zlib = zlibOf(octets);
      t.ok(inflateSync(zlib).equals(content), `level ${level}, ${length} octets`);
      t.match(facts, {
        content: length,
        sealed: octets.length,
        compressed: { size: zlib.length, stored: 0 },
      });
      t.equal(zlib.readUInt16BE(0) % 31, 0, "the check of the header");
      t.equal(facts.compressed?.blocks, Math.ceil(length / block));
      if (length >= block) t.ok(zlib.length < length * 0.4, "and is smaller");
    }
  }
  const noise = randomBytes(3 * block);
  const { octets, facts } = await sealedWithFacts(Buffer.concat([noise, edi(2 * block)]), {
    compress: { level: 6 },
  });
  t.strictSame(facts.compressed?.stored, 3, "what cannot be compressed is stored, and said so");
  t.ok(octets.length < 3.9 * block);
});

test("RFC 5024 6: any content in any chunks, by any of the eight combinations, comes back", async (t) => {
  const chunks = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 6 });
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets)),
    fc.integer({ min: 0, max: 90_000 }).map((size) => edi(size)),
    fc.integer({ min: 0, max: 90_000 }).map((size) => randomBytes(size)),
  );
  await fc.assert(
    fc.asyncProperty(
      content,
      chunks,
      chunks,
      fc.record({ signed: fc.boolean(), compressed: fc.boolean(), encrypted: fc.boolean() }),
      fc.constantFrom(...SUITES.map(([, suite]) => suite)),
      fc.boolean(),
      async (octets, cutIn, cutOut, layers, { hash, cipher, rsa }, known) => {
        const oaep = rsa === "pkcs1" ? {} : { oaep: hash };
        const options: SealOptions = {
          ...(layers.signed ? { sign: [{ certificate, key, hash, rsa }] } : {}),
          ...(layers.compressed ? { compress: { level: 1 } } : {}),
          ...(layers.encrypted ? { encrypt: { recipients: [theirs.certificate], cipher, ...oaep } } : {}),
          ...(known ? { size: octets.length } : {}),
        };
        const { octets: file, facts: made } = await through((emit) => seal(options, emit), octets, cutIn);
        const may = {
          keys: [theirs],
          signers: [certificate],
          experimental: rsa !== "pkcs1" || hash === "sha3-512",
        };
        const back = await opened(file, { expected: layers, ...may }, cutOut);
        const { facts } = back;
        return (
          back.octets.equals(octets) &&
          made.content === octets.length &&
          made.sealed === file.length &&
          facts.content === octets.length &&
          facts.ignored === 0 &&
          (facts.signed?.hash === hash) === layers.signed &&
          (facts.encrypted?.cipher === cipher) === layers.encrypted &&
          (facts.compressed !== undefined) === layers.compressed
        );
      },
    ),
    { numRuns: 150 },
  );
  t.pass("150 contents");
});

test("what comes out at a time is bounded by the chunk, whatever the content grows to", async (t) => {
  const length = 32 * 1024 * 1024;
  const layers = { signed: true, compressed: true, encrypted: true };
  const file = await sealed(Buffer.alloc(length), {
    sign: [{ certificate, key, hash: "sha256" }],
    compress: { level: 6 },
    encrypt: { recipients: [theirs.certificate], cipher: "aes256" },
  });
  t.ok(file.length < length / 700, "zeros, nearly a thousand to one, as they were announced");
  const digest = createHash("sha256");
  let largest = 0;
  const options = { expected: layers, keys: [theirs], signers: [certificate], guard: { original: length } };
  const transform = unseal(options, (octets) => {
    largest = Math.max(largest, octets.length);
    digest.update(octets);
  });
  await transform.push(file);
  t.equal((await transform.end()).content, length);
  t.ok(largest <= 256 * 1024, `${largest} octets at most`);
  t.ok(digest.digest().equals(createHash("sha256").update(Buffer.alloc(length)).digest()));
});

test("what cannot be sealed is refused with its code", async (t) => {
  const ec = await owner("ec", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256");
  const { cipher } = { cipher: "aes256" as const };
  const make = (options: SealOptions) => failure(() => seal(options, () => {}));
  const foreign = { certificate, key: other.key, hash: "sha256" as const };
  t.equal((await make({ sign: [foreign] })).code, "CYG_CMS_CERTIFICATE", "the key of another certificate");
  const curve = { certificate: ec.certificate, key: ec.key, hash: "sha256" as const };
  t.equal((await make({ sign: [curve] })).code, "CYG_CMS_CERTIFICATE", "no RSA key to sign with");
  t.equal((await make({ encrypt: { recipients: [], cipher } })).code, "CYG_CMS_CERTIFICATE", "for nobody");
  const recipients = [ec.certificate];
  t.equal(
    (await make({ encrypt: { recipients, cipher } })).code,
    "CYG_CMS_CERTIFICATE",
    "no RSA key to encrypt for",
  );
  for (const layer of [
    {},
    { sign: [{ certificate, key, hash: "sha1" as const }] },
    { compress: { level: 1 } },
    { encrypt: { recipients: [theirs.certificate], cipher } },
  ]) {
    for (const size of [0, 99, 101, 5_000]) {
      const { code } = await failure(sealed(Buffer.alloc(100), { ...layer, size }));
      t.equal(code, "CYG_CMS_SIZE", `${Object.keys(layer)}: ${size} octets announced, 100 came`);
    }
  }
});
