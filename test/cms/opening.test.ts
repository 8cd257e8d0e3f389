/** What partners seal, and what they might send instead. */
import { constants, createHash, privateEncrypt, randomBytes, sign as rsaSign } from "node:crypto";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { test } from "tap";
import { type Layers, type UnsealOptions, unseal } from "../../src/cms/opening.ts";
import { CMS_REASONS, reasonsFor } from "../../src/cms/reasons.ts";
import type { SealOptions } from "../../src/cms/sealing.ts";
import { cipherSuite } from "../../src/cms/suites.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { COMPRESSED_DATA, compressedData, DATA, der, hex, indefinite, SIGNED_DATA, ZLIB } from "./ber.ts";
import { encrypt, owner, path, sign } from "./openssl.ts";
import { failure, opened, sealed } from "./through.ts";

const [ours, theirs, other, middle] = await Promise.all([
  owner("ours"),
  owner("theirs"),
  owner("other"),
  owner("middle", "-newkey", "rsa:3072"),
]);

const NONE: Layers = { signed: false, compressed: false, encrypted: false };
const SIGNED = { ...NONE, signed: true };
const COMPRESSED = { ...NONE, compressed: true };
const ENCRYPTED = { ...NONE, encrypted: true };
const ALL: Layers = { signed: true, compressed: true, encrypted: true };
/** A file for us, by them. */
const FOR_US = { keys: [ours], signers: [theirs.certificate] };
const SEAL = {
  sign: [{ certificate: theirs.certificate, key: theirs.key, hash: "sha256" as const }],
  compress: { level: 6 },
  encrypt: { recipients: [ours.certificate], cipher: "aes256" as const },
};

const open = (octets: Buffer, expected: Layers, more: Partial<UnsealOptions> = {}, sizes?: number[]) =>
  opened(octets, { ...FOR_US, expected, ...more }, sizes);
const code = async (octets: Buffer, expected: Layers, more: Partial<UnsealOptions> = {}): Promise<string> =>
  (await failure(open(octets, expected, more))).code;

test("RFC 5652 5, 6: what openssl cms signs and encrypts, for every suite and option, is opened", async (t) => {
  const hashes = ["sha1", "sha256", "sha512"] as const;
  for (const hash of hashes) {
    for (const options of [
      [],
      ["-stream"],
      ["-keyid"],
      ["-noattr"],
      ["-certs"],
      ["-noattr", "-keyid", "-stream"],
    ]) {
      for (const size of [0, 1, 5_000, 200_000]) {
        if (size === 0 && options.includes("-stream")) continue; // openssl cannot
        const content = randomBytes(size);
        const { octets, facts } = await open(
          sign(content, [theirs], hash, ...options),
          SIGNED,
          {},
          [7_000, 1],
        );
        const name = `${hash} ${options.join(" ")} ${size}`;
        t.ok(octets.equals(content), name);
        t.match(facts, {
          content: size,
          ignored: 0,
          signed: { hash, attributes: !options.includes("-noattr") },
        });
        t.equal(facts.signed?.signer, theirs.certificate);
      }
    }
  }
  for (const [cipher, option] of [
    ["3des", "-des3"],
    ["aes256", "-aes-256-cbc"],
  ] as const) {
    for (const options of [[], ["-stream"], ["-keyid"], ["-keyid", "-stream"]]) {
      for (const size of [0, 1, 8, 16, 5_000, 200_000]) {
        const content = randomBytes(size);
        const envelope = encrypt(content, [other, ours, middle], option, ...options);
        const { octets, facts } = await open(envelope, ENCRYPTED, {}, [1, 9_000]);
        t.ok(octets.equals(content), `${cipher} ${options.join(" ")} ${size}`);
        t.match(facts, { content: size, ignored: 0, encrypted: { cipher } });
        t.equal(facts.encrypted?.recipient, ours.certificate);
        const second = await open(envelope, ENCRYPTED, { keys: [theirs, middle] });
        t.ok(second.octets.equals(content), "for the third recipient");
      }
    }
    const both = encrypt(sign(Buffer.from("both"), [theirs], "sha512", "-stream"), [ours], option, "-stream");
    const { octets } = await open(both, { ...ALL, compressed: false });
    t.equal(octets.toString(), "both");
  }
});

test("RFC 3274 1.1: CompressedData built by hand is read", async (t) => {
  const vector = hex(
    `3056060B2A864886F70D0109100109A0473045020100300D060B2A864886F70D
     0109100308303106092A864886F70D010701A024042278DAF3770B09305270F6
     F70D08720D0EF6F4F75308710D0E51F01FECC2006C6A32E9`.replace(/\s/g, ""),
  );
  for (const octets of [vector, indefinite(vector, 5), Buffer.concat([vector, Buffer.from("behind")])]) {
    const { octets: content, facts } = await open(octets, COMPRESSED, {}, [3]);
    t.equal(content.toString(), "OFTP2 COMPRESSION TEST ".repeat(8));
    t.equal(
      createHash("sha256").update(content).digest("hex"),
      "8dc476c3a83ee0a4a766c9f1ebf245e4615b7fe51fc0159dfcb30888a8b4ded7",
    );
    t.strictSame(facts.compressed, { compressed: 34, content: 184 });
    t.equal(facts.ignored, octets.includes("behind") ? 6 : 0, "octets behind the ContentInfo are reported");
  }
});

test("X.690 8: our envelopes in the most indefinite BER, in pieces of any size, octet by octet", async (t) => {
  const content = randomBytes(3_000);
  const { compress: _, ...plain } = SEAL;
  const der1 = await sealed(content, { ...plain, size: content.length });
  const signed = await sealed(content, { sign: SEAL.sign, size: content.length });
  for (const piece of [1, 7, 500, 10_000]) {
    const layers = { ...ALL, compressed: false };
    for (const sizes of [[1], [2, 3, 5], [100_000]]) {
      t.ok(
        (await open(indefinite(der1, piece), layers, {}, sizes)).octets.equals(content),
        `${piece} ${sizes}`,
      );
      t.ok((await open(indefinite(signed, piece), SIGNED, {}, sizes)).octets.equals(content));
    }
  }
  const behind = Buffer.concat([signed, signed]);
  t.match((await open(behind, SIGNED, {}, [11])).facts, { content: 3_000, ignored: signed.length });
  // an octet string in an octet string in an octet string
  const nested = der(
    0x24,
    der(0x24, der(0x04, deflateSync("deep").subarray(0, 5))),
    der(0x04, deflateSync("deep").subarray(5)),
  );
  const info = der(0x30, hex("020100"), ZLIB, der(0x30, DATA, der(0xa0, nested)));
  t.equal((await open(der(0x30, COMPRESSED_DATA, der(0xa0, info)), COMPRESSED)).octets.toString(), "deep");
});

test("RFC 5024 6.2, 6.3: a nested content type instead of id-data, with and without ContentInfo", async (t) => {
  const content = Buffer.from("nested");
  const signed = sign(content, [theirs], "sha256");
  const layers = { ...ALL, encrypted: false };
  const withInfo = compressedData(deflateSync(signed), SIGNED_DATA);
  t.ok((await open(withInfo, layers)).octets.equals(content), "ContentInfo, typed as signed data");
  // SEQUENCE, OID, [0]: the SignedData alone
  const bare = signed.subarray(signed.indexOf(SIGNED_DATA) + SIGNED_DATA.length + 4);
  t.ok(
    (await open(compressedData(deflateSync(bare), SIGNED_DATA), layers)).octets.equals(content),
    "SignedData alone",
  );
  t.equal(await code(compressedData(deflateSync(bare)), layers), "CYG_CMS_FORMAT", "but not as data");
  const typed = sign(content, [theirs], "sha256", "-econtent_type", "1.2.840.113549.1.9.16.1.9");
  t.match((await open(typed, SIGNED)).facts.signed, { contentType: "1.2.840.113549.1.9.16.1.9" });
});

test("RFC 5652 5.6: one good signature by an allowed certificate is enough; certificates inside are nothing", async (t) => {
  const content = randomBytes(500);
  const both = sign(content, [other, theirs], "sha256");
  const { facts } = await open(both, SIGNED);
  t.equal(facts.signed?.signer, theirs.certificate);
  t.match(facts.signed?.others, [
    /^signature by serial number [0-9A-F]+: not one of the partner's certificates$/,
  ]);
  const changeover = await open(both, SIGNED, { signers: [other.certificate, theirs.certificate] });
  t.strictSame(changeover.facts.signed?.others, []);
  t.equal(await code(both, SIGNED, { signers: [ours.certificate] }), "CYG_CMS_SIGNATURE");
  t.equal(await code(both, SIGNED, { signers: [] }), "CYG_CMS_SIGNATURE");
  const included = sign(content, [other], "sha256", "-certs");
  t.equal(
    await code(included, SIGNED),
    "CYG_CMS_SIGNATURE",
    "the certificate came along, but is not allowed",
  );
  // an impostor's certificate with the same issuer and serial number
  const impostor = await owner(
    "impostor",
    "-subj",
    "/C=DE/O=Cygnet Test Partner/CN=theirs",
    "-set_serial",
    `0x${theirs.certificate.serialNumber}`,
  );
  t.equal(await code(sign(content, [impostor], "sha256"), SIGNED), "CYG_CMS_SIGNATURE");
  t.equal(await code(sign(content, [impostor], "sha256", "-noattr"), SIGNED), "CYG_CMS_SIGNATURE");
  t.ok(
    (
      await open(sign(content, [impostor], "sha256"), SIGNED, {
        signers: [theirs.certificate, impostor.certificate],
      })
    ).octets,
  );
  t.equal(
    await code(sign(content, [theirs], "sha384"), SIGNED),
    "CYG_CMS_SIGNATURE",
    "a hash that OFTP2 has not",
  );
  t.equal(
    await code(sign(content, [theirs], "sha256", "-keyopt", "rsa_padding_mode:pss"), SIGNED),
    "CYG_CMS_SIGNATURE",
  );
  // one name, many signatures
  t.equal(
    await code(sign(content, Array(17).fill(theirs), "sha1"), SIGNED),
    "CYG_CMS_FORMAT",
    "17 signatures",
  );
  t.ok((await open(sign(content, Array(16).fill(theirs), "sha1"), SIGNED)).octets.equals(content));
  t.equal(
    await code(encrypt(content, Array(101).fill(other), "-des3"), ENCRYPTED),
    "CYG_CMS_FORMAT",
    "101 recipients",
  );
});

test("RFC 5652 5.4: attributes that are signed but do not name the content are nothing", async (t) => {
  const content = randomBytes(100);
  const good = sign(content, [theirs], "sha256");
  const find = (octets: Buffer, what: string): number => octets.lastIndexOf(hex(what));
  const without = (oid: string): Buffer => {
    // the attribute gets another number; then everything is signed again
    const copy = Buffer.from(good);
    copy.writeUInt8(99, find(copy, oid) + oid.length / 2 - 1);
    return resign(copy);
  };
  const resign = (copy: Buffer): Buffer => {
    const begin = copy.indexOf(hex("a069")) >= 0 ? copy.indexOf(hex("a069")) : copy.length;
    t.ok(begin < copy.length, "the attributes are where they are looked for");
    const set = Buffer.from(copy.subarray(begin, begin + 2 + 0x69));
    set.writeUInt8(0x31, 0);
    rsaSign("sha256", set, theirs.key).copy(copy, copy.length - 256);
    return copy;
  };
  t.ok((await open(resign(Buffer.from(good)), SIGNED)).octets.equals(content), "signed again as it was");
  for (const oid of ["06092a864886f70d010904", "06092a864886f70d010903"]) {
    t.match((await failure(open(without(oid), SIGNED))).message, /not complete/, oid);
  }
  const changed = Buffer.from(good);
  const at = changed.indexOf(content);
  changed.writeUInt8((changed[at] as number) ^ 1, at);
  t.match((await failure(open(changed, SIGNED))).message, /not the one that was signed/);
  // signed over other octets than a DigestInfo of the right hash
  const plain = sign(content, [theirs], "sha256", "-noattr");
  const digest = createHash("sha256").update(content).digest();
  const forge = (octets: Buffer): Buffer => {
    const copy = Buffer.from(plain);
    privateEncrypt({ key: theirs.key, padding: constants.RSA_PKCS1_PADDING }, octets).copy(
      copy,
      copy.length - 256,
    );
    return copy;
  };
  const info = (parameters: string): Buffer =>
    der(0x30, der(0x30, hex(`0609608648016503040201${parameters}`)), der(0x04, digest));
  t.ok((await open(forge(info("0500")), SIGNED)).octets.equals(content));
  t.ok((await open(forge(info("")), SIGNED)).octets.equals(content), "without NULL");
  for (const bad of [digest, Buffer.concat([info("0500"), hex("00")]), info("0400"), Buffer.alloc(0)]) {
    t.equal(await code(forge(bad), SIGNED), "CYG_CMS_SIGNATURE", "nothing but the DigestInfo");
  }
});

test("RFC 5024 6.1: layers other than those announced are refused", async (t) => {
  const content = Buffer.from("layers");
  const kinds: [string, SealOptions, Layers][] = [];
  for (let bits = 0; bits < 8; bits++) {
    const layers = { signed: (bits & 1) > 0, compressed: (bits & 2) > 0, encrypted: (bits & 4) > 0 };
    const { sign: s, compress: c, encrypt: e } = SEAL;
    const options = {
      ...(layers.signed ? { sign: s } : {}),
      ...(layers.compressed ? { compress: c } : {}),
      ...(layers.encrypted ? { encrypt: e } : {}),
    };
    kinds.push([Object.keys(options).join("+") || "none", options, layers]);
  }
  for (const [name, options, layers] of kinds) {
    const file = await sealed(content, options);
    for (const [announced, , expected] of kinds) {
      if (announced === "none") continue; // nothing is looked at
      if (announced === name) {
        t.ok((await open(file, expected)).octets.equals(content), name);
        continue;
      }
      const found = await code(file, expected);
      // content that is no CMS at all, where a layer was announced
      const format = found === "CYG_CMS_FORMAT" && !(layers.signed && layers.compressed && layers.encrypted);
      t.ok(found === "CYG_CMS_STRUCTURE" || format, `${announced} announced, ${name} sent: ${found}`);
      t.strictSame(reasonsFor(found), { efna: 99, nerp: 34 });
    }
  }
  const letter = await sealed(sign(content, [theirs], "sha1"), { encrypt: SEAL.encrypt });
  t.equal(await code(letter, ENCRYPTED), "CYG_CMS_STRUCTURE", "one layer more");
  t.equal(
    (await open(letter, ENCRYPTED, { nested: true })).facts.content,
    sign(content, [theirs], "sha1").length,
  );
  // the other order
  const wrong = await sealed(await sealed(content, { encrypt: SEAL.encrypt }), { sign: SEAL.sign });
  t.equal(await code(wrong, { ...ALL, compressed: false }), "CYG_CMS_STRUCTURE", "encrypted, then signed");
  const detached = readDetached(content);
  t.equal(await code(detached, SIGNED), "CYG_CMS_STRUCTURE", "without content");
});

function readDetached(content: Buffer): Buffer {
  // eContent is optional: the same SignedData without it
  const signed = sign(content, [theirs], "sha256");
  const wrapped = der(0xa0, der(0x04, content));
  const at = signed.indexOf(Buffer.concat([DATA, wrapped])) + DATA.length;
  const infos = signed.subarray(at + wrapped.length);
  const body = der(0x30, hex("020101"), hex("310d300b0609608648016503040201"), der(0x30, DATA), infos);
  return der(0x30, SIGNED_DATA, der(0xa0, body));
}

test("RFC 3274: only a whole zlib stream counts, and it may not grow out of proportion", async (t) => {
  const content = Buffer.from("abc".repeat(2_000));
  const zlib = deflateSync(content);
  const flipped = Buffer.from(zlib);
  flipped.writeUInt8((flipped[flipped.length - 1] as number) ^ 1, flipped.length - 1);
  for (const [name, stream] of [
    ["raw deflate", deflateRawSync(content)],
    ["gzip", gzipSync(content)],
    ["nothing", Buffer.alloc(0)],
    ["wrong checksum", flipped],
    ["text", Buffer.from("this is not compressed")],
    ["a preset dictionary", deflateSync(content, { dictionary: Buffer.from("abcabc") })],
  ] as const) {
    t.equal(await code(compressedData(stream), COMPRESSED), "CYG_CMS_DECOMPRESS", name);
  }
  const brotli = hex("300d060b2a864886f70d0109100309");
  t.equal(
    await code(compressedData(zlib, DATA, brotli), COMPRESSED),
    "CYG_CMS_DECOMPRESS",
    "another algorithm",
  );
  for (const sizes of [[1], [1_000], [compressedData(zlib).length - 3]]) {
    const trailed = await open(
      compressedData(Buffer.concat([zlib, Buffer.from("behind")])),
      COMPRESSED,
      {},
      sizes,
    );
    t.ok(trailed.octets.equals(content));
    t.equal(trailed.facts.ignored, 6, "octets behind the stream are reported");
  }
  const bomb = compressedData(deflateSync(Buffer.alloc(40 * 1024 * 1024), { level: 9 }));
  t.equal(await code(bomb, COMPRESSED), "CYG_CMS_DECOMPRESS", "more than 1000 : 1, not announced");
  t.equal(await code(bomb, COMPRESSED, { guard: { original: 1_000_000 } }), "CYG_CMS_DECOMPRESS");
  t.equal(
    (await open(bomb, COMPRESSED, { guard: { original: 40 * 1024 * 1024 } })).facts.content,
    40 * 1024 * 1024,
  );
  t.equal(
    await code(bomb, COMPRESSED, { guard: { original: 1e9, largest: 40 * 1024 * 1024 - 1 } }),
    "CYG_CMS_DECOMPRESS",
  );
  const text = await sealed(Buffer.from("0123456789 ".repeat(200_000)), { compress: { level: 9 } });
  t.equal((await open(text, COMPRESSED)).facts.content, 2_200_000);
  // sixteen times what was announced and a mebibyte, and not an octet more
  for (const [original, wanted] of [
    [(2_200_000 - 1024 * 1024) / 16, "good"],
    [(2_200_000 - 1024 * 1024) / 16 - 1, "CYG_CMS_DECOMPRESS"],
  ] as const) {
    const found = await open(text, COMPRESSED, { guard: { original } }).then(
      () => "good",
      ({ code: refused }) => refused,
    );
    t.equal(found, wanted, `${original} octets announced`);
  }
});

test("RFC 3218: whatever is wrong with the key or the padding is one error, whatever is in the envelope", async (t) => {
  const content = randomBytes(1_000);
  const layers: [Layers, SealOptions][] = [
    [ENCRYPTED, { encrypt: SEAL.encrypt, size: 1_000 }],
    [
      { ...ALL, compressed: false },
      { encrypt: SEAL.encrypt, sign: SEAL.sign, size: 1_000 },
    ],
    [ALL, SEAL],
  ];
  const messages = new Set<string>();
  for (const [expected, options] of layers) {
    const file = await sealed(content, options);
    const wrapped = file.indexOf(hex("04820100")) + 4;
    const changed = (at: number): Buffer => {
      const copy = Buffer.from(file);
      copy.writeUInt8((copy[at] as number) ^ 0x40, at);
      return copy;
    };
    const wrongKey = { keys: [{ certificate: ours.certificate, key: other.key }] };
    const ends = options.compress ? 10 : 0; // end-of-contents octets
    // a bit of the last block but one changes the same bit of the padding
    for (const [name, octets, more] of [
      ["key of another certificate", file, wrongKey],
      [
        "longer key of another certificate",
        file,
        { keys: [{ certificate: ours.certificate, key: middle.key }] },
      ],
      ["encrypted key changed", changed(wrapped + 50), {}],
      ["padding changed", changed(file.length - ends - 17), {}],
    ] as const) {
      const error = await failure(open(octets, expected, more));
      t.equal(error.code, "CYG_CMS_DECRYPT", name);
      t.equal(error.cause, undefined);
      messages.add(error.message);
    }
    t.equal(await code(file, expected, { keys: [other, middle] }), "CYG_CMS_RECIPIENT");
    t.equal(await code(file, expected, { keys: [] }), "CYG_CMS_RECIPIENT");
  }
  t.equal(messages.size, 1, "not to be told apart");
  t.equal(await code(encrypt(content, [ours], "-aes-128-cbc"), ENCRYPTED), "CYG_CMS_ALGORITHM");
  const oaep = encrypt(
    content,
    [],
    "-aes-256-cbc",
    "-recip",
    path("ours.pem"),
    "-keyopt",
    "rsa_padding_mode:oaep",
  );
  t.equal(await code(oaep, ENCRYPTED), "CYG_CMS_ALGORITHM");
  t.equal(
    await code(encrypt(content, Array(9).fill(ours), "-des3"), ENCRYPTED),
    "CYG_CMS_FORMAT",
    "us nine times",
  );
});

test("octets of chance, and files with octets changed, lead to a code with reasons, or to good content", async (t) => {
  const seeds: [Buffer, Layers][] = [
    [await sealed(randomBytes(50), SEAL), ALL],
    [sign(randomBytes(50), [theirs, other], "sha1", "-certs", "-stream"), SIGNED],
    [encrypt(randomBytes(50), [ours, other], "-des3", "-keyid"), ENCRYPTED],
    [compressedData(deflateSync(randomBytes(50))), COMPRESSED],
  ];
  const codes = new Set<string>();
  const run = async (octets: Buffer, layers: Layers): Promise<void> => {
    try {
      await open(octets, layers, {}, [97]);
      codes.add("good");
    } catch (error) {
      if (!(error instanceof CygnetError && error.code in CMS_REASONS)) throw error;
      codes.add(error.code);
    }
  };
  const place = fc.integer({ min: 0, max: 99_999 }).map((part) => part / 100_000);
  const octets = fc.uint8Array({ minLength: 1, maxLength: 2 });
  const edit = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(place, octets).map(([at, put]) => [at, put, put.length] as const) },
    { weight: 1, arbitrary: fc.tuple(place, octets, fc.integer({ min: 0, max: 3 })) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...seeds),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      async ([seed, layers], edits) => {
        let octets: Buffer = seed;
        for (const [where, insert, removed] of edits) {
          const at = Math.floor(where * octets.length);
          octets = Buffer.concat([octets.subarray(0, at), insert, octets.subarray(at + removed)]);
        }
        await run(octets, layers);
      },
    ),
    { numRuns: 600 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(SIGNED, COMPRESSED, ENCRYPTED),
      (octets, layers) => run(Buffer.from(octets), layers),
    ),
    { numRuns: 300 },
  );
  const deep = Buffer.alloc(100_000, hex("3080"));
  await run(deep, SIGNED);
  const wanted = [
    "CYG_CMS_DECOMPRESS",
    "CYG_CMS_DECRYPT",
    "CYG_CMS_FORMAT",
    "CYG_CMS_RECIPIENT",
    "CYG_CMS_SIGNATURE",
    "good",
  ];
  t.strictSame(
    wanted.filter((each) => !codes.has(each)),
    [],
    "every outcome was met",
  );
});

test("what the receiving end throws is thrown, not blamed on the file", async (t) => {
  for (const layers of [NONE, SIGNED, COMPRESSED, ALL]) {
    const options = {
      ...(layers.signed ? { sign: SEAL.sign } : {}),
      ...(layers.compressed ? { compress: SEAL.compress } : {}),
      ...(layers.encrypted ? { encrypt: SEAL.encrypt } : {}),
    };
    const file = await sealed(randomBytes(10_000), options);
    const full = new Error("no space left");
    const transform = unseal({ ...FOR_US, expected: layers }, () => {
      throw full;
    });
    await t.rejects(async () => {
      await transform.push(file);
      await transform.end();
    }, full);
  }
});

test("RFC 5024 5.3.9, 5.3.14: codes and reasons; decryption and decompression cross", (t) => {
  t.strictSame(reasonsFor("CYG_CMS_SIGNATURE"), { efna: 21, nerp: 31 });
  t.strictSame(reasonsFor("CYG_CMS_DECRYPT"), { efna: 22, nerp: 33 });
  t.strictSame(reasonsFor("CYG_CMS_RECIPIENT"), { efna: 22, nerp: 33 });
  t.strictSame(reasonsFor("CYG_CMS_DECOMPRESS"), { efna: 23, nerp: 32 });
  t.strictSame(reasonsFor("CYG_CMS_FORMAT"), { efna: 99, nerp: 34 });
  t.strictSame(reasonsFor("ENOSPC"), { efna: 99, nerp: 34 });
  const listed = Array.from({ length: 100 }, (_, ciph) => ciph);
  const known = (experimental: boolean) => listed.filter((ciph) => cipherSuite(ciph, experimental));
  t.strictSame(known(false), [1, 2, 3, 4, 5, 6]);
  t.strictSame(known(true), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  t.end();
});
