/** The experimental cipher suites against openssl, as far as it knows them; several signers and several recipients. */
import { constants, createHash, randomBytes, sign as rsaSign } from "node:crypto";
import { test } from "tap";
import type { Hash } from "../../src/cms/hashes.ts";
import type { Layers } from "../../src/cms/opening.ts";
import { isPssSignature } from "../../src/cms/rsa-schemes.ts";
import { seal } from "../../src/cms/sealing.ts";
import { CIPHER_SUITES } from "../../src/cms/suites.ts";
import { decrypt, encrypt, owner, path, sign, verify } from "./openssl.ts";
import { failure, opened, sealed, through } from "./through.ts";

const NONE: Layers = { signed: false, compressed: false, encrypted: false };
const SIGNED = { ...NONE, signed: true };
const ENCRYPTED = { ...NONE, encrypted: true };

// with 2049 bits the message of PSS is an octet shorter than the modulus
const [ours, theirs, other, odd] = await Promise.all([
  owner("ours"),
  owner("theirs", "-newkey", "rsa:3072"),
  owner("other"),
  owner("odd", "-newkey", "rsa:2049"),
]);
const { certificate, key } = ours;
const EXPERIMENTAL = ["07", "08", "09", "10"] as const;

test("suites 07 to 10: what openssl cms signs and encrypts is opened, and only where it is allowed", async (t) => {
  const pss = ["-keyopt", "rsa_padding_mode:pss"];
  for (const suite of EXPERIMENTAL) {
    const { hash, rsa } = CIPHER_SUITES[suite];
    const content = randomBytes(20_000);
    const method = rsa === "pkcs1" ? [] : pss;
    // OpenSSL 3.0 has no identifier for PSS with SHA-3, and cannot stream what it signs with PSS
    const stream = rsa === "pkcs1" ? ["-stream"] : [];
    for (const more of suite === "10" ? [] : [[], ["-noattr"], stream, ["-keyid", "-certs"]]) {
      for (const salt of method.length > 0 ? ["digest", "max", "0", "17"] : [""]) {
        const length = salt === "" ? [] : ["-keyopt", `rsa_pss_saltlen:${salt}`];
        const octets = sign(content, [theirs], hash, ...more, ...method, ...length);
        const may = { expected: SIGNED, signers: [theirs.certificate] };
        const { octets: found, facts } = await opened(octets, { ...may, experimental: true }, [3_001]);
        t.ok(found.equals(content), `${suite} ${more.join(" ")} ${salt}`);
        t.match(facts.signed, { hash, rsa });
        t.equal((await failure(opened(octets, may))).code, "CYG_CMS_SIGNATURE", "not without the flag");
      }
    }
    if (rsa === "pkcs1") continue;
    const oaep = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", `rsa_oaep_md:${hash}`];
    for (const more of [[], ["-keyid"], ["-stream"]]) {
      const octets = encrypt(content, [], "-aes-256-cbc", ...more, "-recip", path("ours.pem"), ...oaep);
      const may = { expected: ENCRYPTED, keys: [ours] };
      const { octets: found, facts } = await opened(octets, { ...may, experimental: true }, [3_001]);
      t.ok(found.equals(content), `${suite} ${more.join(" ")}`);
      t.match(facts.encrypted, { cipher: "aes256", oaep: hash });
      t.equal((await failure(opened(octets, may))).code, "CYG_CMS_ALGORITHM", "not without the flag");
    }
  }
  const label = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_label:6f66"];
  const mixed = [
    "-keyopt",
    "rsa_padding_mode:oaep",
    "-keyopt",
    "rsa_oaep_md:sha256",
    "-keyopt",
    "rsa_mgf1_md:sha1",
  ];
  for (const strange of [label, mixed]) {
    const octets = encrypt(Buffer.from("x"), [], "-aes-256-cbc", "-recip", path("ours.pem"), ...strange);
    const refused = failure(opened(octets, { expected: ENCRYPTED, keys: [ours], experimental: true }));
    t.equal((await refused).code, "CYG_CMS_ALGORITHM", strange.join(" "));
  }
  const mgf = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"];
  const masked = sign(Buffer.from("x"), [theirs], "sha256", ...mgf);
  const options = { expected: SIGNED, signers: [theirs.certificate], experimental: true };
  t.equal((await failure(opened(masked, options))).code, "CYG_CMS_SIGNATURE", "masks with another hash");
});

test("RFC 8017 9.1.2: PSS signatures by keys of any length, any salt, and none with a bit changed", (t) => {
  for (const { key: secret, certificate: proof, name } of [ours, theirs, odd]) {
    for (const hash of ["sha256", "sha512", "sha3-512"] as Hash[]) {
      const content = randomBytes(100);
      const { publicKey } = proof;
      const digest = createHash(hash).update(content).digest();
      for (const salt of [0, 20, 64]) {
        const signature = rsaSign(hash, content, {
          key: secret,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: salt,
        });
        t.ok(isPssSignature(signature, { hash, salt }, digest, publicKey), `${name} ${hash} ${salt}`);
        t.notOk(isPssSignature(signature, { hash, salt: salt + 1 }, digest, publicKey), "another salt");
        t.notOk(isPssSignature(signature, { hash, salt: 500 }, digest, publicKey), "an impossible salt");
        t.notOk(isPssSignature(signature, { hash, salt }, randomBytes(digest.length), publicKey));
        t.notOk(isPssSignature(signature.subarray(1), { hash, salt }, digest, publicKey), "too short");
        t.notOk(isPssSignature(Buffer.alloc(signature.length, 0xff), { hash, salt }, digest, publicKey));
        for (let bit = 0; bit < signature.length * 8; bit += 61) {
          const copy = Buffer.from(signature);
          copy.writeUInt8((copy[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
          if (isPssSignature(copy, { hash, salt }, digest, publicKey)) t.fail(`${name} ${hash}: bit ${bit}`);
        }
      }
    }
  }
  t.end();
});

test("RFC 5652 5.1, 6.1: several signers and several recipients, each of them enough alone", async (t) => {
  const content = randomBytes(5_000);
  const signers = [
    { certificate, key, hash: "sha256" as const },
    { certificate: theirs.certificate, key: theirs.key, hash: "sha512" as const },
    { certificate: other.certificate, key: other.key, hash: "sha256" as const, rsa: "pss-oaep" as const },
  ];
  const recipients = [ours, theirs, odd].map((each) => each.certificate);
  for (const size of [{}, { size: content.length }]) {
    const options = { sign: signers, encrypt: { recipients, cipher: "aes256" as const }, ...size };
    const { octets: file, facts } = await through((emit) => seal(options, emit), content);
    t.equal(facts.sealed, file.length);
    const signed = decrypt(file, theirs);
    for (const { name, certificate: only } of [ours, theirs, other]) {
      const may = { expected: SIGNED, signers: [only], experimental: true };
      const back = await opened(signed, may, [700]);
      t.ok(back.octets.equals(content), `signed by ${name}`);
      t.equal(back.facts.signed?.others.length, 2, "and by two that we do not know");
    }
    for (const whom of [ours, theirs, odd]) {
      const back = await opened(file, {
        expected: { ...SIGNED, encrypted: true },
        keys: [whom],
        signers: [certificate],
      });
      t.ok(back.octets.equals(content), `for ${whom.name}`);
    }
    t.ok(verify(signed, ours, theirs, other).equals(content), "openssl verifies all three");
  }
  const changed = await sealed(content, { sign: signers });
  const within = changed.indexOf(content.subarray(0, 100)) + 50;
  changed.writeUInt8((changed[within] as number) ^ 1, within);
  const all = {
    expected: SIGNED,
    signers: [ours, theirs, other].map((each) => each.certificate),
    experimental: true,
  };
  t.equal((await failure(opened(changed, all))).code, "CYG_CMS_SIGNATURE");
});

test("sixteen signers and a hundred recipients are the most that is taken", async (t) => {
  const content = Buffer.from("many");
  const sixteen = Array(16).fill({ certificate, key, hash: "sha256" });
  t.ok(
    (await opened(await sealed(content, { sign: sixteen }), { expected: SIGNED, signers: [certificate] }))
      .octets,
  );
  const seventeen = await sealed(content, { sign: [...sixteen, ...sixteen.slice(0, 1)] });
  t.equal(
    (await failure(opened(seventeen, { expected: SIGNED, signers: [certificate] }))).code,
    "CYG_CMS_FORMAT",
  );
  t.equal((await failure(() => seal({ sign: [] }, () => {}))).code, "CYG_CMS_CERTIFICATE", "by nobody");
});
