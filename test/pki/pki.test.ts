import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { ensureSelfSigned } from "../../src/pki/generate.ts";
import { loadMaterial } from "../../src/pki/material.ts";

const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
const DAY = 24 * 3600 * 1000;

test("a first start makes an RSA-3072 key and a certificate that openssl accepts; a second changes nothing", async (t) => {
  const folder = t.testdir();
  const files = { certificate: join(folder, "pki/deep/hub.pem"), key: join(folder, "pki/deep/hub.key") };
  const wish = { commonName: "hub", hosts: ["localhost", "127.0.0.1", "::1"], days: 730 };
  t.equal(await ensureSelfSigned(files, wish), true);
  t.equal(statSync(files.key).mode & 0o777, 0o600, "the key is the owner's alone");
  t.equal(statSync(join(folder, "pki")).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, "pki/deep")).mode & 0o777, 0o700);
  t.strictSame(readdirSync(join(folder, "pki/deep")).sort(), ["hub.key", "hub.pem"], "nothing is left aside");

  for (const purpose of ["sslserver", "sslclient"]) {
    const said = openssl(
      "verify",
      "-x509_strict",
      "-purpose",
      purpose,
      "-CAfile",
      files.certificate,
      files.certificate,
    );
    t.match(said, /: OK/, purpose);
  }
  const text = openssl("x509", "-noout", "-text", "-in", files.certificate);
  for (const line of [
    /Public-Key: \(3072 bit\)/,
    /Signature Algorithm: sha256WithRSAEncryption/,
    /Digital Signature, Key Encipherment, Certificate Sign/,
    /X509v3 Key Usage: critical/,
    /TLS Web Server Authentication, TLS Web Client Authentication/,
    /CA:TRUE, pathlen:0/,
    /DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1/,
    /Subject: CN = hub/,
    /Subject Key Identifier/,
  ]) {
    t.match(text, line);
  }
  const signed = join(folder, "signed");
  writeFileSync(join(folder, "data"), "data");
  openssl("dgst", "-sha256", "-sign", files.key, "-out", signed, join(folder, "data"));

  const loaded = await loadMaterial({ id: "hub", file: files.certificate, key: files.key });
  t.ok(loaded.key, "the key belongs to the certificate");
  t.equal(loaded.notAfter.getTime() > Date.now() + 729 * DAY, true);
  t.equal(loaded.notBefore.getTime() < Date.now() - 3000_000, true, "a partner's slow clock is allowed for");
  t.match(openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", files.certificate), loaded.fingerprint);

  const before = [readFileSync(files.key, "utf8"), readFileSync(files.certificate, "utf8")];
  t.equal(await ensureSelfSigned(files, wish), false);
  rmSync(files.certificate);
  t.equal(await ensureSelfSigned(files, wish), true, "interrupted between key and certificate");
  t.equal(readFileSync(files.key, "utf8"), before[0], "a key that is there is kept");
  t.not(readFileSync(files.certificate, "utf8"), before[1]);
  await loadMaterial({ id: "hub", file: files.certificate, key: files.key });

  writeFileSync(files.key, "not a key");
  rmSync(files.certificate);
  await t.rejects(
    ensureSelfSigned(files, wish),
    { code: "CYG_PKI_KEY" },
    "a file that is no key is not overwritten",
  );
  writeFileSync(join(folder, "file"), "");
  const blocked = { certificate: join(folder, "file/x.pem"), key: join(folder, "file/x.key") };
  await t.rejects(ensureSelfSigned(blocked, wish), { code: "CYG_PKI_FILE" });
});

test("certificates and keys are read in every usual form, and what is wrong is named", async (t) => {
  const folder = t.testdir();
  const at = (name: string) => join(folder, name);
  const make = (name: string, ...more: string[]) =>
    openssl(
      ...[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        at(`${name}.key`),
        "-out",
        at(`${name}.pem`),
      ],
      ...["-days", "30", "-subj", `/CN=${name}`, ...more],
    );
  make("ca");
  make("other");
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    at("sub.key"),
    "-out",
    at("sub.csr"),
    "-subj",
    "/CN=sub",
  );
  writeFileSync(at("ext"), "basicConstraints=critical,CA:TRUE\n");
  const sign = (name: string, issuer: string, ...more: string[]) =>
    openssl(
      ...[
        "x509",
        "-req",
        "-in",
        at(`${name}.csr`),
        "-CA",
        at(`${issuer}.pem`),
        "-CAkey",
        at(`${issuer}.key`),
      ],
      ...["-CAcreateserial", "-out", at(`${name}.pem`), "-days", "30", ...more],
    );
  sign("sub", "ca", "-extfile", at("ext"));
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    at("leaf.key"),
    "-out",
    at("leaf.csr"),
    "-subj",
    "/O=X/CN=leaf",
  );
  sign("leaf", "sub");
  const read = (name: string) => readFileSync(at(name), "utf8");

  writeFileSync(
    at("mixed.pem"),
    `Bag Attributes\n${read("ca.pem")}${read("other.pem")}${read("leaf.pem")}\n${read("sub.pem")}`,
  );
  const mixed = await loadMaterial({ id: "m", file: at("mixed.pem"), key: at("leaf.key") });
  t.equal(mixed.certificate.subject, "O=X\nCN=leaf", "the key chooses the certificate");
  t.strictSame(
    mixed.chain.map(({ subject }) => subject),
    ["O=X\nCN=leaf", "CN=sub", "CN=ca"],
    "the chain is put in order, strangers left out",
  );
  t.equal(mixed.all.length, 4);
  t.equal(mixed.pem.match(/BEGIN CERTIFICATE/g)?.length, 3);
  const bundle = await loadMaterial({ id: "b", file: at("mixed.pem") });
  t.equal(bundle.certificate.subject, "CN=ca", "without a key the first counts");
  t.equal(bundle.key, null);

  openssl("x509", "-in", at("leaf.pem"), "-outform", "DER", "-out", at("leaf.der"));
  openssl("pkcs8", "-topk8", "-nocrypt", "-in", at("leaf.key"), "-outform", "DER", "-out", at("pkcs8.der"));
  openssl("rsa", "-traditional", "-in", at("leaf.key"), "-outform", "DER", "-out", at("pkcs1.der"));
  openssl("rsa", "-traditional", "-in", at("leaf.key"), "-out", at("pkcs1.pem"));
  openssl(
    "rsa",
    "-traditional",
    "-aes256",
    "-passout",
    "pass:open",
    "-in",
    at("leaf.key"),
    "-out",
    at("locked1.pem"),
  );
  openssl("pkcs8", "-topk8", "-passout", "pass:open", "-in", at("leaf.key"), "-out", at("locked8.pem"));
  openssl(
    "pkcs8",
    "-topk8",
    "-passout",
    "pass:open",
    "-in",
    at("leaf.key"),
    "-outform",
    "DER",
    "-out",
    at("locked8.der"),
  );
  symlinkSync(at("leaf.pem"), at("link.pem"));
  const fingerprint = new X509Certificate(read("leaf.pem")).fingerprint256;
  const good: [string, string, string?][] = [
    ["leaf.pem", "leaf.key"],
    ["leaf.der", "pkcs8.der"],
    ["leaf.der", "pkcs1.der"],
    ["link.pem", "pkcs1.pem"],
    ["leaf.pem", "locked1.pem", "open"],
    ["leaf.pem", "locked8.pem", "open"],
    ["leaf.pem", "locked8.der", "open"],
  ];
  for (const [file, key, password] of good) {
    const source = { id: "x", file: at(file), key: at(key), ...(password !== undefined && { password }) };
    const loaded = await loadMaterial(source);
    t.equal(loaded.fingerprint, fingerprint, `${file} ${key}`);
    t.ok(loaded.key?.equals(createPrivateKey(read("leaf.key"))));
  }

  writeFileSync(at("junk"), "junk");
  writeFileSync(at("cut.pem"), read("leaf.pem").replace(/\n[^\n]{64}\n/, "\n"));
  writeFileSync(at("secret.pem"), read("leaf.pem"));
  chmodSync(at("secret.pem"), 0o000);
  openssl(
    "pkcs12",
    "-export",
    "-in",
    at("leaf.pem"),
    "-inkey",
    at("leaf.key"),
    "-passout",
    "pass:x",
    "-out",
    at("leaf.p12"),
  );
  const bad: [string, string | undefined, string | undefined, string, RegExp][] = [
    ["none.pem", undefined, undefined, "CYG_PKI_FILE", /none\.pem does not exist/],
    ["junk", undefined, undefined, "CYG_PKI_CERTIFICATE", /not a certificate/],
    ["cut.pem", undefined, undefined, "CYG_PKI_CERTIFICATE", /not a certificate/],
    ["leaf.key", undefined, undefined, "CYG_PKI_CERTIFICATE", /no certificate but PRIVATE KEY/],
    ["leaf.p12", undefined, undefined, "CYG_PKI_PASSWORD", /has no password; set keypassw/],
    ["leaf.pem", "none.key", undefined, "CYG_PKI_FILE", /none\.key does not exist/],
    ["leaf.pem", "junk", undefined, "CYG_PKI_KEY", /not a private key/],
    ["leaf.pem", "leaf.pem", undefined, "CYG_PKI_KEY", /not a private key/],
    ["leaf.pem", "other.key", undefined, "CYG_PKI_MISMATCH", /belongs to no certificate/],
    ...["locked1.pem", "locked8.pem", "locked8.der"].flatMap((key): typeof bad => [
      ["leaf.pem", key, "shut", "CYG_PKI_PASSWORD", /has another password/],
      ["leaf.pem", key, undefined, "CYG_PKI_PASSWORD", /is encrypted and has no password/],
    ]),
  ];
  if (process.getuid?.() !== 0)
    bad.push(["secret.pem", undefined, undefined, "CYG_PKI_FILE", /may not be read/]);
  for (const [file, key, password, code, message] of bad) {
    const source = {
      id: "x",
      file: at(file),
      ...(key !== undefined && { key: at(key) }),
      ...(password !== undefined && { password }),
    };
    await t.rejects(loadMaterial(source), { code, message }, `${file} ${key ?? ""} ${password ?? ""}`);
  }
});
