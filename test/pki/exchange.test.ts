/** The pure parts of the exchange of certificates: names, descriptions, files, and what is made of them. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "tap";
import { clidOf, clidText, identifies, isInstance, parseClid } from "../../src/pki/exchange/clid.ts";
import { type Known, objection, renewed, retirements, usagesFor } from "../../src/pki/exchange/decision.ts";
import { sameName } from "../../src/pki/exchange/distinguished-name.ts";
import { enclosedCertificate } from "../../src/pki/exchange/enclosed.ts";
import { foreignness, ownersOf, unfitness } from "../../src/pki/exchange/fitness.ts";
import { exchangeFlow, exchangeKindOf, exchangeName } from "../../src/pki/exchange/kinds.ts";
import { Handovers } from "../../src/pki/handovers.ts";
import type { Usage } from "../../src/pki/usage.ts";

const directory = await mkdtemp(join(tmpdir(), "cyg-exchange-"));
process.once("exit", () => fs.rmSync(directory, { recursive: true, force: true }));
const at = (name: string) => join(directory, name);
const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });

/** A self-signed certificate as openssl makes it; `more` goes to `openssl req`. */
function made(name: string, subject: string, more: string[] = ["-newkey", "rsa:2048"]): X509Certificate {
  const days = more.includes("-days") ? [] : ["-days", "30"];
  const [key, out] = more.includes("-key")
    ? [[], `${name}.pem`]
    : [["-keyout", `${name}.key`], `${name}.pem`];
  openssl("req", "-x509", "-nodes", "-subj", subject, ...days, ...key, ...more, "-out", out);
  return new X509Certificate(fs.readFileSync(at(out)));
}

const ADDED = (...lines: string[]) => lines.flatMap((line) => ["-addext", line]);
const USUAL = ADDED(
  "keyUsage=critical,digitalSignature,keyEncipherment",
  "extendedKeyUsage=serverAuth,clientAuth",
);
const good = made("good", "/C=DE/O=Acme, Sons \\+ Co/CN=ACME", ["-newkey", "rsa:2048", ...USUAL]);
const again = made("again", "/C=DE/O=Acme, Sons \\+ Co/CN=ACME", ["-key", "good.key", ...USUAL]);
const newKey = made("newkey", "/C=DE/O=Acme, Sons \\+ Co/CN=ACME", ["-newkey", "rsa:2048", ...USUAL]);
const signOnly = made("sign", "/CN=ACME sign", [
  "-newkey",
  "rsa:2048",
  ...ADDED("keyUsage=digitalSignature"),
]);
const sealOnly = made("seal", "/CN=ACME seal", ["-newkey", "rsa:2048", ...ADDED("keyUsage=keyEncipherment")]);
const now = Date.now();

test("the reserved names, and no others", async (t) => {
  for (const kind of ["request", "deliver", "replace"] as const) {
    const name = exchangeName(kind);
    t.equal(name.length, 26);
    for (const form of [name, name.toLowerCase(), `${name} `]) t.equal(exchangeKindOf(form), kind, form);
    t.match(exchangeFlow(kind), /^CERT_[A-Z]+$/);
  }
  for (const name of [
    "",
    "ODETTE_CERTIFICATE",
    "ODETTE-CERTIFICATE-REQUEST",
    "INVOICE",
    "ODETTE_CERTIFICATE_REQUESTS",
  ]) {
    t.equal(exchangeKindOf(name), undefined, name);
  }
});

test("CLID: the lines in their order, at most 999 octets, and back; other texts are none", async (t) => {
  const clid = clidOf(good);
  const text = clidText(clid);
  t.match(
    text,
    /^I=[\w+/=]+\nN=[0-9a-f]+\nA=[0-9a-f]{40}\nB=a0\nE=1\.3\.6\.1\.5\.5\.7\.3\.1,1\.3\.6\.1\.5\.5\.7\.3\.2\nS=[\w+/=]+$/,
  );
  t.equal(
    clid.issuer,
    "CN=ACME,O=Acme\\, Sons \\+ Co,C=DE",
    "RFC 4514: the most specific part first, escaped",
  );
  const serial =
    openssl("x509", "-in", "good.pem", "-noout", "-serial").toString().trim().split("=")[1] ?? "";
  t.equal(clid.serial, serial.toLowerCase().replace(/^0+/, ""));
  t.strictSame(parseClid(text), clid);
  t.ok(isInstance(clid, good));
  t.notOk(isInstance(clid, again));
  t.ok(identifies(clid, again), "a renewal is the same logically");
  t.notOk(identifies(clid, signOnly));
  const long = { ...clid, subject: "CN=".padEnd(900, "x") };
  t.notMatch(clidText(long), /S=/, "the subject goes first where it is too long");
  t.match(clidText(long), /E=/);
  const issuer = { ...clid, issuer: "CN=".padEnd(669, "x") };
  t.notMatch(clidText(issuer), /E=|S=/);
  for (const other of ["", "Rechnung November", "I=only", "I=x\nN=not hexadecimal", "N=12"]) {
    t.equal(parseClid(other), null, other);
  }
  const plain = parseClid(`N=${serial}\r\nI=C=DE, O=Acme\\, Sons \\+ Co, CN=acme\r\n`);
  t.ok(plain && isInstance(plain, good), "written by hand: plain text, another order, another case");
  for (const [a, b, same] of [
    ["CN=a,O=b", "O=b, CN=a", true],
    ["E=x@y.z,CN=a", "EMAILADDRESS=x@y.z,CN=A", true],
    ["2.5.4.3=a", "CN=a", true],
    ["CN=a,O=b", "CN=a", false],
    ["CN=a\\,O=b", "CN=a,O=b", false],
  ] as const) {
    t.equal(sameName(a, b), same, `${a} and ${b}`);
  }
});

test("the file: one certificate in DER, PEM or a bundle; everything else says what it is", async (t) => {
  const key = fs.readFileSync(at("good.key"));
  openssl("x509", "-in", "good.pem", "-outform", "DER", "-out", "good.der");
  openssl("pkey", "-in", "good.key", "-outform", "DER", "-out", "good.key.der");
  openssl("pkey", "-in", "good.key", "-aes256", "-passout", "pass:x", "-out", "secret.key");
  openssl(
    "pkcs12",
    "-export",
    "-in",
    "good.pem",
    "-inkey",
    "good.key",
    "-passout",
    "pass:x",
    "-out",
    "good.p12",
  );
  for (const form of ["PEM", "DER"]) {
    openssl("crl2pkcs7", "-nocrl", "-certfile", "good.pem", "-outform", form, "-out", `good.p7.${form}`);
  }
  const read = (name: string) => fs.readFileSync(at(name));
  for (const [name, content] of [
    ["DER", good.raw],
    ["DER, filled up", Buffer.concat([good.raw, Buffer.alloc(100)])],
    ["PEM", read("good.pem")],
    ["PEM with words before it", Buffer.concat([Buffer.from("Our certificate:\n"), read("good.pem")])],
    ["a bundle in DER", read("good.p7.DER")],
    ["a bundle in PEM", read("good.p7.PEM")],
  ] as const) {
    t.equal(enclosedCertificate(content).certificate.fingerprint256, good.fingerprint256, name);
  }
  for (const [name, content, words] of [
    ["nothing", Buffer.alloc(0), /empty/],
    ["1 MiB", Buffer.alloc(1024 * 1024, 0x30), /more than 65536 octets/],
    ["noise", Buffer.from("not a certificate at all"), /not a certificate|no certificate/],
    ["zeros", Buffer.alloc(2000), /not a certificate|no certificate/],
    ["half a certificate", good.raw.subarray(0, 400), /not a certificate|no certificate/],
    ["a key beside it", Buffer.concat([read("good.pem"), key]), /private key/],
    ["a key", key, /private key/],
    ["a key in DER", read("good.key.der"), /private key/],
    ["an encrypted key", read("secret.key"), /private key/],
    ["PKCS#12", read("good.p12"), /no certificate|not a certificate/],
    ["two certificates", Buffer.concat([read("good.pem"), read("sign.pem")]), /file of its own/],
    ["something behind it", Buffer.concat([good.raw, Buffer.from("x")]), /1 octets behind/],
    ["deep nesting", Buffer.alloc(60_000, Buffer.from("3080", "hex")), /not a certificate|no certificate/],
  ] as const) {
    t.throws(() => enclosedCertificate(content), { code: "CYG_EXCHANGE_CONTENT", message: words }, name);
  }
});

test("certificates with any octet changed are read, or refused with an error that has a code", async (t) => {
  const circumstances = { codes: [], own: [], all: [good], clid: clidOf(good), now };
  let looked = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.raw.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const content = Buffer.from(good.raw);
        for (const [at, octet] of changes) content[at] = octet;
        let certificate: X509Certificate;
        try {
          ({ certificate } = enclosedCertificate(content));
        } catch (error) {
          return (error as { code?: string }).code === "CYG_EXCHANGE_CONTENT";
        }
        looked += 1;
        try {
          objection(certificate, circumstances);
        } catch (error) {
          return error instanceof Error;
        }
        // what nothing speaks against is good for everything that follows
        usagesFor(certificate, null, [known(good, 1, ALL)]);
        renewed(certificate, [known(good, 1, ALL)], now);
        retirements(certificate, [known(good, 1, ALL)]);
        return true;
      },
    ),
    { numRuns: 400 },
  );
  t.ok(looked > 10, `${looked} of them were certificates still`);
  fc.assert(
    fc.property(fc.string({ maxLength: 999 }), (text) => parseClid(text) === null || text.includes("I=")),
  );
});

test("fit or not: key, signature, validity, KeyUsage, owner", async (t) => {
  t.equal(unfitness(good, now), undefined);
  t.equal(unfitness(made("plain", "/CN=plain"), now), undefined, "no KeyUsage: every use");
  const small = ["-newkey", "rsa:1024"];
  for (const [name, certificate, words] of [
    ["a small key", made("small", "/CN=small", small), /1024 bits/],
    [
      "an elliptic curve",
      made("ec", "/CN=ec", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
      /RSA/,
    ],
    ["SHA-1", made("sha1", "/CN=sha1", ["-newkey", "rsa:2048", "-sha1"]), /weak/],
    [
      "of no use",
      made("ca", "/CN=ca", ["-newkey", "rsa:2048", ...ADDED("keyUsage=keyCertSign")]),
      /KeyUsage/,
    ],
  ] as const) {
    t.match(unfitness(certificate, now), words, name);
  }
  t.match(unfitness(good, now + 40 * 24 * 3600_000), /expired/);
  t.equal(unfitness(good, now - 40 * 24 * 3600_000), undefined, "delivered ahead of time");
  const forged = Buffer.from(good.raw);
  forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
  t.match(unfitness(new X509Certificate(forged), now), /signature/);
  const odette = made("odette", "/serialNumber=O0999ACME/CN=x");
  t.strictSame(ownersOf(odette), ["O0999ACME"]);
  t.equal(foreignness(odette, ["O0999ACME"]), undefined);
  t.match(foreignness(odette, ["O0999OTHER"]), /belongs to O0999ACME/);
  const named = made("uri", "/CN=x", [
    "-newkey",
    "rsa:2048",
    ...ADDED("subjectAltName=URI:oftp://O0999ACME"),
  ]);
  t.strictSame(ownersOf(named), ["O0999ACME"]);
  t.equal(foreignness(good, ["O0999OTHER"]), undefined, "it says nothing about its owner");
});

const known = (certificate: X509Certificate, at: number, usage: Usage[], pki = ""): Known => ({
  fingerprint: certificate.fingerprint256,
  certificate,
  usage,
  at,
  pki,
});
const ALL: Usage[] = ["encrypt", "sign", "auth", "receipt"];

test("what it is to those that are known: objections, uses, renewal, retirement", async (t) => {
  const circumstances = { codes: ["O0999ACME"], own: [], all: [good], clid: null, now };
  t.equal(objection(newKey, circumstances), undefined);
  t.match(objection(newKey, { ...circumstances, own: [newKey.fingerprint256] }), /one of this site/);
  for (const [name, clid, refused] of [
    ["of the certificate itself", clidOf(newKey), false],
    ["of the one that it follows", clidOf(good), false],
    ["of nothing that is known", clidOf(signOnly), true],
  ] as const) {
    t.equal(objection(newKey, { ...circumstances, clid }) !== undefined, refused, `CLID ${name}`);
  }
  t.strictSame(usagesFor(newKey, null, []), ALL);
  t.strictSame(usagesFor(signOnly, null, []), ["sign", "receipt"]);
  t.strictSame(
    usagesFor(newKey, clidOf(good), [known(good, 1, ["receipt"])]),
    ["receipt"],
    "those of its forerunner",
  );
  t.strictSame(
    usagesFor(newKey, null, [known(good, 1, ["receipt"])]),
    ["receipt"],
    "the same without a CLID",
  );

  t.equal(renewed(again, [known(good, 1, ALL)], now)?.fingerprint, good.fingerprint256, "the same key");
  t.equal(renewed(newKey, [known(good, 1, ALL)], now), undefined, "another key, signed by itself");
  openssl(
    "req",
    "-new",
    "-key",
    "newkey.key",
    "-subj",
    "/C=DE/O=Acme, Sons \\+ Co/CN=ACME",
    "-out",
    "link.csr",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    "link.csr",
    "-CA",
    "good.pem",
    "-CAkey",
    "good.key",
    "-days",
    "9",
    "-out",
    "link.pem",
  );
  const link = new X509Certificate(fs.readFileSync(at("link.pem")));
  t.equal(
    renewed(link, [known(good, 1, ALL)], now)?.fingerprint,
    good.fingerprint256,
    "signed with the key in use",
  );
  t.equal(
    renewed(link, [known(good, 1, ALL)], now + 40 * 24 * 3600_000),
    undefined,
    "which has expired by then",
  );
  openssl("req", "-new", "-key", "newkey.key", "-subj", "/CN=somebody else", "-out", "else.csr");
  openssl(
    "x509",
    "-req",
    "-in",
    "else.csr",
    "-CA",
    "good.pem",
    "-CAkey",
    "good.key",
    "-days",
    "9",
    "-out",
    "else.pem",
  );
  const other = new X509Certificate(fs.readFileSync(at("else.pem")));
  t.equal(
    renewed(other, [known(good, 1, ALL)], now),
    undefined,
    "a partner's key vouches for the partner only",
  );

  const retire = (certificate: X509Certificate, ...all: Known[]) =>
    retirements(certificate, all).map(({ known: { at }, rest }) => ({ at, rest }));
  t.strictSame(retire(newKey, known(good, 1, ALL), known(newKey, 2, ALL)), [{ at: 1, rest: [] }]);
  t.strictSame(retire(good, known(good, 1, ALL), known(newKey, 2, ALL)), [], "never a later one");
  t.strictSame(retire(newKey, known(good, 0, ALL, "acme"), known(newKey, 2, ALL)), [{ at: 0, rest: [] }]);
  t.strictSame(
    retire(
      signOnly,
      known(sealOnly, 1, ["encrypt"]),
      known(good, 1, ALL),
      known(signOnly, 2, ["sign", "receipt"]),
    ),
    [{ at: 1, rest: ["encrypt", "auth"] }],
    "only for the purposes that they share",
  );
});

test("handovers: kept on disk with the partner's answer; a broken file costs itself alone", async (t) => {
  const folder = at("handovers");
  const handovers = await Handovers.open(folder);
  const one = {
    part: "ACME",
    fingerprint: "AA",
    id: "hub",
    kind: "deliver",
    idtu: "00000001",
    at: 1,
  } as const;
  await handovers.note(one);
  await handovers.note({ ...one, idtu: "00000002", at: 2 });
  await handovers.note({ ...one, part: "BETA", at: 3 });
  t.match(await handovers.answer(one, "accepted", "", 9), { answer: "accepted", answered: 9 });
  await handovers.answer(one, "refused", "too late", 10);
  t.equal(await handovers.answer({ part: "ACME", idtu: "00000009" }, "accepted", "", 9), undefined);
  const read = await Handovers.open(folder);
  t.strictSame(read.list(), handovers.list());
  t.strictSame(
    read.list({ part: "ACME" }).map(({ idtu, answer, text }) => [idtu, answer, text]),
    [
      ["00000002", "", ""],
      ["00000001", "accepted", ""],
    ],
    "the first answer counts",
  );
  fs.writeFileSync(join(folder, "BETA.json"), '[{"part": "ACME"}]');
  const broken = await Handovers.open(folder);
  t.equal(broken.problems.length, 1);
  t.equal(broken.list().length, 2);
  await broken.note({ ...one, part: "BETA", at: 4 });
  t.equal((await Handovers.open(folder)).problems.length, 0, "written anew");
  await rm(folder, { recursive: true });
});
