/** What a partner might send to get something past the opening of files, or to stop it. */
import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { test } from "tap";
import { type Layers, type UnsealOptions, unseal } from "../../src/cms/opening.ts";
import { CMS_REASONS } from "../../src/cms/reasons.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { compressedData, DATA, der, hex, SIGNED_DATA, ZLIB } from "./ber.ts";
import { encrypt, owner, sign } from "./openssl.ts";
import { failure, opened, sealed } from "./through.ts";

const [ours, theirs] = await Promise.all([owner("ours"), owner("theirs")]);
const NONE: Layers = { signed: false, compressed: false, encrypted: false };
const SIGNED = { ...NONE, signed: true };
const COMPRESSED = { ...NONE, compressed: true };
const ENCRYPTED = { ...NONE, encrypted: true };
const ALL: Layers = { signed: true, compressed: true, encrypted: true };
const FOR_US = { keys: [ours], signers: [theirs.certificate] };
const SEAL = {
  sign: [{ certificate: theirs.certificate, key: theirs.key, hash: "sha256" as const }],
  compress: { level: 6 },
  encrypt: { recipients: [ours.certificate], cipher: "aes256" as const },
};

const open = (octets: Buffer, expected: Layers, more: Partial<UnsealOptions> = {}, sizes?: number[]) =>
  opened(octets, { ...FOR_US, expected, ...more }, sizes);
const code = async (octets: Buffer, expected: Layers): Promise<string> =>
  (await failure(open(octets, expected))).code;

/** The same small content by one service, by each way of writing it, and by all of them. */
async function files(content: Buffer): Promise<[name: string, file: Buffer, layers: Layers][]> {
  const { sign: signers, compress, encrypt: whom } = SEAL;
  const size = content.length;
  return [
    ["signed", await sealed(content, { sign: signers, size }), SIGNED],
    ["signed, BER", await sealed(content, { sign: signers }), SIGNED],
    ["signed by openssl without attributes", sign(content, [theirs], "sha256", "-noattr", "-stream"), SIGNED],
    ["compressed", await sealed(content, { compress }), COMPRESSED],
    ["encrypted", await sealed(content, { encrypt: whom, size }), ENCRYPTED],
    ["encrypted, BER", await sealed(content, { encrypt: whom }), ENCRYPTED],
    [
      "signed and encrypted",
      await sealed(content, { sign: signers, encrypt: whom }),
      { ...ALL, compressed: false },
    ],
    ["all", await sealed(content, SEAL), ALL],
  ];
}

test("every cut of a sealed file is refused, and so is every cut inside its layers", async (t) => {
  const content = randomBytes(40);
  for (const [name, file, layers] of await files(content)) {
    for (let length = 0; length < file.length; length++) {
      const found = await code(file.subarray(0, length), layers);
      if (found !== "CYG_CMS_FORMAT") t.fail(`${name} cut at ${length} of ${file.length}: ${found}`);
    }
    t.ok((await open(file, layers)).octets.equals(content), name);
  }
  // the envelope is whole, what is in it is not
  const signed = sign(content, [theirs], "sha256");
  const zlib = deflateSync(signed);
  for (let length = 0; length < signed.length; length += 7) {
    const inner = await code(encrypt(signed.subarray(0, length), [ours], "-des3"), {
      ...ALL,
      compressed: false,
    });
    if (inner !== "CYG_CMS_FORMAT") t.fail(`signed data cut at ${length}: ${inner}`);
  }
  for (let length = 0; length < zlib.length; length++) {
    const inner = await code(compressedData(zlib.subarray(0, length)), { ...ALL, encrypted: false });
    if (inner !== "CYG_CMS_DECOMPRESS") t.fail(`zlib stream cut at ${length}: ${inner}`);
  }
});

test("no octet of a sealed file can be changed and the file be taken with another content", async (t) => {
  const content = randomBytes(64);
  for (const [name, file, layers] of await files(content)) {
    const codes = new Set<string>();
    let harmless = 0;
    for (let at = 0; at < file.length; at++) {
      // one bit here, all bits there
      const change = at % 2 === 0 ? 1 << (at % 8) : 0xff;
      const copy = Buffer.from(file);
      copy.writeUInt8((copy[at] as number) ^ change, at);
      try {
        const { octets } = await open(copy, layers);
        // encryption alone proves nothing about the content
        if (layers.signed && !octets.equals(content)) t.fail(`${name}: octet ${at} changes the content`);
        harmless++;
      } catch (error) {
        if (!(error instanceof CygnetError && error.code in CMS_REASONS)) throw error;
        codes.add(error.code);
      }
    }
    // versions, unused parameters, and the case of the issuer's name
    if (layers.signed) t.ok(harmless < 30, `${name}: ${harmless} changes that mean nothing`);
    const wanted = [
      "CYG_CMS_FORMAT",
      ...(layers.signed && !layers.compressed ? ["CYG_CMS_SIGNATURE"] : []),
      ...(layers.compressed ? ["CYG_CMS_DECOMPRESS"] : []),
      ...(layers.encrypted ? ["CYG_CMS_DECRYPT", "CYG_CMS_RECIPIENT"] : []),
    ];
    t.strictSame(
      wanted.filter((each) => !codes.has(each)),
      [],
      `${name}: every failure was met`,
    );
  }
});

/** SignedData with these parts. */
const signedData = (...parts: Buffer[]): Buffer => der(0x30, SIGNED_DATA, der(0xa0, der(0x30, ...parts)));
const SHA256 = hex("300d06096086480165030402010500");
const VERSION = hex("020101");
const content = der(0x30, DATA, der(0xa0, der(0x04, Buffer.from("x"))));
/** So many values in each other. */
const nested = (tag: number, depth: number, inside: Buffer): Buffer =>
  depth === 0 ? inside : der(tag, nested(tag, depth - 1, inside));

test("X.690: structures without measure are refused, and cost next to nothing", async (t) => {
  const indefinite = hex("3080");
  const cases: [name: string, octets: Buffer, layers: Layers][] = [
    ["a length of 2^63", hex("3088ffffffffffffffff"), SIGNED],
    ["a length of 2^53", hex("30880020000000000000"), SIGNED],
    ["a length in nine octets", hex("3089010000000000000000"), SIGNED],
    ["a length in 126 octets", Buffer.concat([hex("30fe"), Buffer.alloc(126, 1)]), SIGNED],
    ["a reserved length", hex("30ff"), SIGNED],
    ["a tag of many octets", hex("3f8f8f8f8f8f8f8f01"), SIGNED],
    ["a hundred thousand nested values", Buffer.concat(Array(100_000).fill(indefinite)), SIGNED],
    [
      "nested octet strings",
      signedData(
        VERSION,
        der(0x31, SHA256),
        der(0x30, DATA, der(0xa0, nested(0x24, 40, der(0x04, Buffer.from("x"))))),
      ),
      SIGNED,
    ],
    [
      "certificates nested in certificates",
      signedData(
        VERSION,
        der(0x31, SHA256),
        content,
        der(0xa0, Buffer.concat([hex("3080"), nested(0x30, 40, Buffer.alloc(0)), hex("0000")])),
        der(0x31),
      ),
      SIGNED,
    ],
    ["an inner value longer than the outer", hex("3010060b2a864886f70d010702a080"), SIGNED],
    [
      "a version of a kilobyte",
      signedData(der(0x02, Buffer.alloc(1_000, 1)), der(0x31), content, der(0x31)),
      SIGNED,
    ],
    [
      "seventeen hashes",
      signedData(VERSION, der(0x31, ...Array(17).fill(SHA256)), content, der(0x31)),
      SIGNED,
    ],
    [
      "a hash with long parameters",
      signedData(
        VERSION,
        der(0x31, der(0x30, hex("0609608648016503040201"), der(0x04, Buffer.alloc(2_000)))),
        content,
        der(0x31),
      ),
      SIGNED,
    ],
    [
      "a signature of 70,000 octets",
      signedData(VERSION, der(0x31, SHA256), content, der(0x31, der(0x30, Buffer.alloc(70_000)))),
      SIGNED,
    ],
    [
      "an object identifier of a kilobyte",
      der(0x30, der(0x06, Buffer.alloc(1_000, 0x81)), der(0xa0)),
      SIGNED,
    ],
    ["an object identifier that has no end", der(0x30, der(0x06, hex("2aff")), der(0xa0)), SIGNED],
    ["no hashes, no signatures", signedData(VERSION, der(0x31), content, der(0x31)), SIGNED],
    [
      "signatures that are none",
      signedData(VERSION, der(0x31, SHA256), content, der(0x31, der(0x30))),
      SIGNED,
    ],
    [
      "a recipient of 9,000 octets",
      der(
        0x30,
        hex("06092a864886f70d010703"),
        der(0xa0, der(0x30, hex("020100"), der(0x31, der(0x30, Buffer.alloc(9_000))))),
      ),
      ENCRYPTED,
    ],
    [
      "no recipients",
      der(0x30, hex("06092a864886f70d010703"), der(0xa0, der(0x30, hex("020100"), der(0x31)))),
      ENCRYPTED,
    ],
    [
      "an algorithm without end",
      compressedData(deflateSync("x"), DATA, der(0x30, ZLIB.subarray(2), der(0x04, Buffer.alloc(2_000)))),
      COMPRESSED,
    ],
    ["nothing", Buffer.alloc(0), ALL],
  ];
  for (const [name, octets, layers] of cases) {
    for (const sizes of [[octets.length + 1], [1_000, 1]]) {
      const error = await failure(open(octets, layers, {}, sizes));
      t.ok(error.code in CMS_REASONS, `${name}: ${error.code}`);
      t.notMatch(error.code, /CYG_CMS_(FILE|WORKER|CERTIFICATE)/);
      t.ok(error.message.length < 600, "in few words");
    }
  }
  // one octet a piece is the most that a partner can make of the structure
  const pieces = Array(200_000).fill(hex("040178"));
  const many = Buffer.concat([
    hex("3080"),
    SIGNED_DATA,
    hex("a0803080"),
    VERSION,
    der(0x31, SHA256),
    hex("3080"),
    DATA,
    hex("a0802480"),
    ...pieces,
    hex("000000000000"),
    der(0x31),
    hex("000000000000"),
  ]);
  let most = 0;
  const transform = unseal({ ...FOR_US, expected: SIGNED }, (octets) => {
    most = Math.max(most, octets.length);
  });
  const refused = failure(transform.push(many).then(() => transform.end()));
  t.equal((await refused).code, "CYG_CMS_SIGNATURE", "200,000 pieces of one octet, and no signature");
  t.equal(most, 1);
});
