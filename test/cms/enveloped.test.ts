/** EnvelopedData against `openssl cms`, both ways, and against what a partner could send instead. */
import { execFile, execFileSync } from "node:child_process";
import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { test } from "tap";
import { answerChallenge, newChallenge } from "../../src/cms/challenge.ts";
import { envelop, LARGEST_ENVELOPE, open, type RecipientKey } from "../../src/cms/enveloped.ts";
import type { Suite } from "../../src/cms/suites.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { indefinite, tree } from "./ber.ts";

const folder = mkdtempSync(join(tmpdir(), "cygnet-cms-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

interface Owner extends RecipientKey {
  name: string;
  certificate: X509Certificate;
  key: KeyObject;
}

/** Twenty octets, as most products make them. */
const SERIAL = "0x1F44C3BB071D3C0294143D15296E02E058200758";

/** A key and a self-signed certificate, `name`.pem and `name`.key. */
async function owner(name: string, bits: number, subject: string, ...options: string[]): Promise<Owner> {
  const files = ["-keyout", path(`${name}.key`), "-out", path(`${name}.pem`)];
  const what = ["-newkey", `rsa:${bits}`, "-nodes", "-days", "30", "-set_serial", SERIAL, "-subj", subject];
  await promisify(execFile)("openssl", ["req", "-x509", "-utf8", ...what, ...files, ...options]);
  return read(name);
}

function read(name: string): Owner {
  return {
    name,
    certificate: new X509Certificate(readFileSync(path(`${name}.pem`))),
    key: createPrivateKey(readFileSync(path(`${name}.key`))),
  };
}

/** Configuration of `openssl req` for names in one string type. */
function strings(mask: string): string[] {
  const file = path(`${mask.replace(/\W/g, "")}.cnf`);
  writeFileSync(
    file,
    `[req]\ndistinguished_name=dn\nx509_extensions=ext\nstring_mask=${mask}\n[dn]\n[ext]\nkeyUsage=keyEncipherment\n`,
  );
  return ["-config", file];
}

// the same issuer and serial number as `plain`, in other words and without a key identifier
const BMP = strings("MASK:0x0800");
const [plain, other, middle, large, bmp, umlaut] = await Promise.all([
  owner("plain", 2048, "/C=DE/O=Cygnet Test Partner/CN=OFTP-2"),
  owner("other", 2048, "/C=DE/O=Cygnet Test Partner/CN=OFTP-3"),
  owner("middle", 3072, "/C=DE/O=Zulieferer GmbH & Co. KG/CN=Sägewerk"),
  owner("large", 4096, "/DC=example/DC=oftp/CN=A+serialNumber=7/emailAddress=a@example.com"),
  owner("bmp", 2048, "/C=DE/O=CYGNET test  Partner/CN=oftp-2", ...BMP),
  owner("umlaut", 2048, "/C=DE/O=Müller Söhne/CN=T61", ...strings("nombstr")),
]);
const OWNERS = [plain, other, middle, large, bmp, umlaut];

const SUITES: [Suite, string][] = [
  ["3des", "-des3"],
  ["aes256", "-aes-256-cbc"],
];
const SIZES = [0, 1, 7, 8, 15, 16, 17, 20, 1_000, 40_000];

/** `openssl cms -encrypt`. */
function encrypt(content: Buffer, recipients: Owner[], ...options: string[]): Buffer {
  const files = recipients.map(({ name }) => path(`${name}.pem`));
  const args = ["cms", "-encrypt", "-binary", "-outform", "DER", ...options, ...files];
  return execFileSync("openssl", args, { input: content });
}

/** `openssl cms -decrypt`. */
function decrypt(envelope: Buffer, recipient: Owner): Buffer {
  const keys = ["-recip", path(`${recipient.name}.pem`), "-inkey", path(`${recipient.name}.key`)];
  return execFileSync("openssl", ["cms", "-decrypt", "-binary", "-inform", "DER", ...keys], {
    input: envelope,
  });
}

/** The code of what is thrown; fails the test for anything but a CygnetError of this room. */
function failure(work: () => unknown): CygnetError {
  try {
    work();
  } catch (error) {
    if (error instanceof CygnetError && error.code.startsWith("CYG_CMS_")) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("RFC 5652 6: openssl cms envelopes are opened: ciphers, key identifiers, streams, key lengths", (t) => {
  const content = randomBytes(20);
  for (const [, cipher] of SUITES) {
    for (const options of [[], ["-keyid"], ["-stream"], ["-keyid", "-stream"]]) {
      for (const recipient of [plain, middle, large, umlaut]) {
        // -keyid needs the extension
        if (recipient === umlaut && options.includes("-keyid")) continue;
        const envelope = encrypt(content, [recipient], cipher, ...options);
        const name = `${cipher} ${options.join(" ")} ${recipient.name}`;
        t.ok(open(envelope, [recipient]).equals(content), name);
      }
    }
    for (const size of SIZES) {
      const octets = randomBytes(size);
      const envelope = encrypt(octets, [plain], cipher, size % 2 === 0 ? "-stream" : "-keyid");
      t.ok(open(envelope, [plain]).equals(octets), `${cipher} ${size} octets`);
    }
  }
  t.end();
});

test("RFC 5652 6.2: several recipients; each opens with its own key, whatever other keys there are", (t) => {
  const content = randomBytes(20);
  const envelope = encrypt(content, [plain, middle, large], "-aes-256-cbc");
  for (const recipient of [plain, middle, large]) {
    t.ok(open(envelope, [recipient]).equals(content), recipient.name);
    t.ok(open(envelope, [other, umlaut, recipient]).equals(content), `${recipient.name} among others`);
  }
  t.equal(failure(() => open(envelope, [other, umlaut])).code, "CYG_CMS_RECIPIENT");
  t.equal(failure(() => open(envelope, [])).code, "CYG_CMS_RECIPIENT");
  // two certificates of the same name and number: both keys are tried, in either order
  const renewed = { certificate: plain.certificate, key: other.key };
  for (const keys of [
    [renewed, plain],
    [plain, renewed],
    [plain, plain],
  ]) {
    t.ok(open(envelope, keys).equals(content));
  }
  t.end();
});

test("RFC 5024 4.2.4, 8.3: what we envelop, openssl cms opens; sizes to the octet", (t) => {
  for (const [suite, cipher] of SUITES) {
    for (const recipient of OWNERS) {
      const content = randomBytes(20);
      const envelope = envelop(content, recipient.certificate, suite);
      t.ok(decrypt(envelope, recipient).equals(content), `${suite} ${recipient.name}`);
      t.ok(open(envelope, [recipient]).equals(content), `${suite} ${recipient.name}, opened by us`);
      // the same structure, octet by octet, but for what is random
      const theirs = encrypt(content, [recipient], cipher);
      t.equal(envelope.length, theirs.length, `${suite} ${recipient.name}: size`);
      t.strictSame(tree(envelope), tree(theirs), `${suite} ${recipient.name}: structure`);
    }
    for (const size of SIZES) {
      const content = randomBytes(size);
      t.ok(decrypt(envelop(content, plain.certificate, suite), plain).equals(content), `${suite} ${size}`);
    }
  }
  // RSA-2048, a three-attribute issuer of 60 octets, a serial number of 20
  const three = envelop(randomBytes(20), plain.certificate, "3des");
  const aes = envelop(randomBytes(20), plain.certificate, "aes256");
  t.strictSame([three.length, aes.length], [459, 476]);
  t.notOk(aes.equals(envelop(randomBytes(20), plain.certificate, "aes256")));
  const same = Buffer.alloc(20);
  const twice = [1, 2].map(() => envelop(same, plain.certificate, "aes256").subarray(-32).toString("hex"));
  t.not(twice[0], twice[1], "a new key and vector every time");
  t.end();
});

test("X.690 8: the same envelope in the most indefinite BER, cut into octets; octets behind it are ignored", (t) => {
  for (const [suite] of SUITES) {
    const content = randomBytes(200);
    const envelope = envelop(content, plain.certificate, suite);
    for (const piece of [1, 7, 64, 1_000]) {
      const ber = indefinite(envelope, piece);
      t.ok(ber.length > envelope.length);
      t.ok(open(ber, [plain]).equals(content), `${suite}, pieces of ${piece}`);
      t.ok(open(Buffer.concat([ber, Buffer.from("behind")]), [plain]).equals(content));
    }
  }
  t.end();
});

test("RFC 5652 6.2.1, RFC 5280 7.1: which certificate a recipient identifier means", (t) => {
  const content = randomBytes(20);
  const keyed = (certificate: Owner, key: Owner): RecipientKey[] => [
    { certificate: certificate.certificate, key: key.key },
  ];
  // the issuer in another string type, case and spacing
  const envelope = envelop(content, plain.certificate, "aes256");
  t.ok(open(envelope, keyed(bmp, plain)).equals(content));
  // the same serial number of another issuer
  const stranger = failure(() => open(envelope, keyed(other, plain)));
  t.equal(stranger.code, "CYG_CMS_RECIPIENT");
  t.match(stranger.message, SERIAL.slice(2), "says for whom it is");
  // a key identifier that the certificate does not carry is the SHA-1 of its key
  execFileSync(
    "openssl",
    ["req", "-x509", "-key", path("plain.key"), "-out", path("bare.pem"), "-subj", "/CN=bare", ...BMP],
    { stdio: "pipe" },
  );
  const bare = new X509Certificate(readFileSync(path("bare.pem")));
  t.notMatch(bare.toLegacyObject(), { subjectKeyIdentifier: String });
  t.ok(
    open(encrypt(content, [plain], "-des3", "-keyid"), [{ certificate: bare, key: plain.key }]).equals(
      content,
    ),
  );
  t.end();
});

/** The offset of the last occurrence of some octets. */
const at = (envelope: Buffer, hex: string): number => envelope.lastIndexOf(Buffer.from(hex, "hex"));

test("RFC 3218 2.3: whatever is wrong behind the structure is one error, without a cause", (t) => {
  const envelope = envelop(randomBytes(20), plain.certificate, "aes256");
  // OCTET STRING of 256 octets
  const wrapped = at(envelope, "04820100") + 4;
  const changed = (offset: number, value?: Buffer): Buffer => {
    const copy = Buffer.from(envelope);
    if (value) value.copy(copy, offset);
    else copy.writeUInt8((copy[offset] as number) ^ 1, offset);
    return copy;
  };
  const last = envelope.length - 17;
  const cases: [string, Buffer, RecipientKey][] = [
    ["key of another certificate", envelope, { certificate: plain.certificate, key: other.key }],
    ["longer key of another certificate", envelope, { certificate: plain.certificate, key: large.key }],
    ["encrypted key changed", changed(wrapped + 100), plain],
    ["encrypted key of zeros", changed(wrapped, Buffer.alloc(256)), plain],
    ["encrypted key above the modulus", changed(wrapped, Buffer.alloc(256, 255)), plain],
    ["padding changed", changed(last), plain],
    ["content of another key", changed(envelope.length - 32, randomBytes(32)), plain],
    ["a 3DES key for AES", threeDesKeyForAes(), plain],
  ];
  const errors = cases.map(([name, octets, key]) => {
    // one in 256 random paddings is right, and then the content is garbage of another length
    const error = failure(() => answerChallenge(octets, [key]));
    t.strictSame([error.code, error.cause], ["CYG_CMS_DECRYPT", undefined], name);
    return `${error.code} ${error.message} ${Object.keys(error).join()}`;
  });
  t.equal(new Set(errors).size, 1, "not to be told apart");
  t.end();
});

/** An envelope whose encrypted key is right in itself but has the length of the other cipher. */
function threeDesKeyForAes(): Buffer {
  const aes = envelop(Buffer.alloc(20), plain.certificate, "aes256");
  const three = envelop(Buffer.alloc(20), plain.certificate, "3des");
  const from = at(three, "04820100");
  three.copy(aes, at(aes, "04820100"), from, from + 260);
  return aes;
}

test("RFC 5652 6.3: padding of every length, right and wrong", (t) => {
  for (const [suite, block] of [
    ["3des", 8],
    ["aes256", 16],
  ] as const) {
    for (let size = 0; size <= 2 * block; size++) {
      const content = randomBytes(size);
      const envelope = envelop(content, plain.certificate, suite);
      t.ok(open(envelope, [plain]).equals(content), `${suite} ${size}`);
      if (size < block) continue;
      // a bit of the block before the last changes the same bit of the padding: every octet of it counts
      const count = block - (size % block);
      for (let back = 1; back <= count; back++) {
        const copy = Buffer.from(envelope);
        const offset = copy.length - block - back;
        copy.writeUInt8((copy[offset] as number) ^ 0x40, offset);
        const { code } = failure(() => open(copy, [plain]));
        if (code !== "CYG_CMS_DECRYPT") t.fail(`${suite} ${size}, octet ${back} of the padding: ${code}`);
      }
    }
  }
  t.end();
});

test("what is not an envelope for us is refused with its code", (t) => {
  const envelope = envelop(randomBytes(20), plain.certificate, "aes256");
  const content = randomBytes(20);
  const { name } = plain;
  const signed = execFileSync(
    "openssl",
    ["cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", path(`${name}.pem`)].concat(
      "-inkey",
      path(`${name}.key`),
    ),
    { input: content },
  );
  const oaep = ["-recip", path("plain.pem"), "-keyopt", "rsa_padding_mode:oaep"];
  const shared = ["-secretkey", "00".repeat(16), "-secretkeyid", "01"];
  const cases: [string, Buffer, string][] = [
    ["nothing", Buffer.alloc(0), "CYG_CMS_FORMAT"],
    ["text", Buffer.from("-----BEGIN CMS-----"), "CYG_CMS_FORMAT"],
    ["signed data", signed, "CYG_CMS_FORMAT"],
    ["a certificate", plain.certificate.raw, "CYG_CMS_FORMAT"],
    ["too long", Buffer.concat([envelope, Buffer.alloc(LARGEST_ENVELOPE)]), "CYG_CMS_FORMAT"],
    ["nested too deep", Buffer.alloc(LARGEST_ENVELOPE, Buffer.from("3080", "hex")), "CYG_CMS_FORMAT"],
    ["without end", indefinite(envelope, 7).subarray(0, -2), "CYG_CMS_FORMAT"],
    ["AES-128", encrypt(content, [plain], "-aes-128-cbc"), "CYG_CMS_ALGORITHM"],
    ["RSA-OAEP", encrypt(content, [], "-aes-256-cbc", ...oaep), "CYG_CMS_ALGORITHM"],
    ["a password", encrypt(content, [], "-aes-256-cbc", "-pwri_password", "x"), "CYG_CMS_FORMAT"],
    ["a shared key", encrypt(content, [], "-aes-256-cbc", ...shared), "CYG_CMS_RECIPIENT"],
    ["us nine times", encrypt(content, Array(9).fill(plain), "-aes-256-cbc"), "CYG_CMS_FORMAT"],
  ];
  for (const [what, octets, code] of cases) t.equal(failure(() => open(octets, [plain])).code, code, what);
  t.ok(
    open(encrypt(content, Array(8).fill(plain), "-des3"), [plain]).equals(content),
    "eight times is enough",
  );
  // cut at every octet
  for (let length = 0; length < envelope.length; length++) {
    const { code } = failure(() => open(envelope.subarray(0, length), [plain]));
    if (code !== "CYG_CMS_FORMAT") t.fail(`cut at ${length}: ${code}`);
  }
  t.end();
});

test("only certificates with an RSA key can be enveloped for, and no more than AUCHCHLL can say", (t) => {
  execFileSync(
    "openssl",
    [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ec -keyout".split(" "),
      path("ec.key"),
      "-out",
      path("ec.pem"),
    ],
    { stdio: "pipe" },
  );
  const ec = read("ec");
  const refused = failure(() => envelop(Buffer.alloc(20), ec.certificate, "aes256"));
  t.equal(refused.code, "CYG_CMS_CERTIFICATE");
  t.equal(failure(() => envelop(Buffer.alloc(65_400), plain.certificate, "aes256")).code, "CYG_CMS_SIZE");
  t.end();
});

test("RFC 5024 5.3.15, 5.3.16: a challenge is 20 new octets, an answer to anything else is refused", (t) => {
  for (const [suite] of SUITES) {
    const { chal, expected } = newChallenge(middle.certificate, suite, systemRandom);
    t.equal(expected.length, 20);
    t.ok(answerChallenge(chal, [plain, middle]).equals(expected), suite);
    t.ok(decrypt(chal, middle).equals(expected));
    t.notOk(newChallenge(middle.certificate, suite, systemRandom).expected.equals(expected));
  }
  for (const size of [0, 19, 21, 400]) {
    const { code } = failure(() => answerChallenge(encrypt(randomBytes(size), [plain], "-des3"), [plain]));
    t.equal(code, "CYG_CMS_DECRYPT", `${size} octets`);
  }
  t.end();
});

test("octets of chance and envelopes with octets changed: nothing but CYG_CMS_ errors, or content", (t) => {
  const seeds = [
    envelop(randomBytes(20), plain.certificate, "aes256"),
    encrypt(randomBytes(20), [plain, other], "-des3", "-keyid", "-stream"),
    indefinite(envelop(randomBytes(20), plain.certificate, "3des"), 16),
  ];
  const codes = new Set<string>();
  const run = (octets: Buffer): void => {
    try {
      open(octets, [plain]);
      codes.add("opened");
    } catch (error) {
      if (!(error instanceof CygnetError && error.code.startsWith("CYG_CMS_"))) throw error;
      codes.add(error.code);
    }
  };
  for (const seed of seeds) {
    for (let at = 0; at < seed.length; at++) {
      const copy = Buffer.from(seed);
      copy.writeUInt8((copy[at] as number) ^ 1, at);
      run(copy);
    }
  }
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    octet: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 4 }), (seed, edits) => {
      const copy = Buffer.from(seed);
      for (const { at: where, octet } of edits) copy.writeUInt8(octet, Math.floor(where * (copy.length - 1)));
      run(copy);
    }),
    { numRuns: 1500 },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.nat(),
      fc.uint8Array({ maxLength: 40 }),
      (seed, where, insert) => {
        const offset = where % seed.length;
        run(Buffer.concat([seed.subarray(0, offset), Buffer.from(insert), seed.subarray(offset + 1)]));
      },
    ),
    { numRuns: 700 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => run(Buffer.from(octets))),
    { numRuns: 500 },
  );
  t.strictSame(
    [...codes].sort(),
    ["CYG_CMS_ALGORITHM", "CYG_CMS_DECRYPT", "CYG_CMS_FORMAT", "CYG_CMS_RECIPIENT", "opened"],
    "every outcome was met",
  );
  t.end();
});
