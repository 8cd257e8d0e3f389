/** PKCS#12 and PKCS#7 as openssl writes them, and what is wrong with files that cannot be read. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { normalise } from "../../src/pki/formats/ber.ts";
import { certificatesIn } from "../../src/pki/formats/certificates.ts";
import { loadMaterial } from "../../src/pki/material.ts";
import { issue } from "../net/authority.ts";

const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
const legacy = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"];

interface Row {
  name: string;
  args?: string[];
  password?: string;
  /** What is set as keypassw; undefined: the password that the file has. */
  given?: string | null;
  fault?: [string, RegExp];
}

const CONVERT = /openssl pkcs12 -legacy -in OLD\.p12 -nodes \| openssl pkcs12 -export/;
const ROWS: Row[] = [
  { name: "as openssl 3 writes it (AES-256, SHA-256)" },
  { name: "3DES", args: ["-legacy", ...legacy] },
  { name: "3DES and 2-key 3DES", args: ["-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-2DES"] },
  { name: "3DES, MAC with SHA-256", args: [...legacy, "-macalg", "sha256"] },
  { name: "MAC with SHA-512", args: ["-macalg", "sha512"] },
  { name: "AES-128 and 3DES in PBES2", args: ["-keypbe", "AES-128-CBC", "-certpbe", "DES-EDE3-CBC"] },
  { name: "AES-192, many rounds", args: ["-keypbe", "AES-192-CBC", "-iter", "20000", "-maciter"] },
  { name: "certificates in clear", args: ["-certpbe", "NONE"] },
  { name: "the key in clear", args: ["-keypbe", "NONE"] },
  { name: "no MAC", args: ["-nomac"] },
  { name: "no MAC, 3DES", args: ["-nomac", ...legacy] },
  { name: "an empty password", password: "", given: null },
  { name: "an empty password, 3DES", password: "", given: null, args: legacy },
  { name: "letters beyond ASCII", password: "Schlüssel €" },
  { name: "letters beyond ASCII, 3DES", password: "Schlüssel €", args: legacy },
  { name: "long", password: "x".repeat(200), args: legacy },
  { name: "wrong", given: "shut", fault: ["CYG_PKI_PASSWORD", /p12 has another password; set keypassw/] },
  {
    name: "wrong, no MAC",
    args: ["-nomac"],
    given: "shut",
    fault: ["CYG_PKI_PASSWORD", /another password; set keypassw/],
  },
  { name: "none", given: null, fault: ["CYG_PKI_PASSWORD", /encrypted and has no password; set keypassw/] },
  { name: "RC2-40", args: ["-legacy"], fault: ["CYG_PKI_ALGORITHM", CONVERT] },
  {
    name: "RC2-128",
    args: ["-legacy", "-certpbe", "PBE-SHA1-RC2-128"],
    fault: ["CYG_PKI_ALGORITHM", CONVERT],
  },
  { name: "RC4", args: ["-legacy", "-keypbe", "PBE-SHA1-RC4-128"], fault: ["CYG_PKI_ALGORITHM", CONVERT] },
];

test("PKCS#12: one file brings certificate, chain and key", async (t) => {
  const folder = t.testdir();
  const at = (name: string) => join(folder, name);
  const root = await issue(folder, "root", { ca: true });
  const sub = await issue(folder, "sub", { ca: true, issuer: root });
  const leaf = await issue(folder, "leaf", { issuer: sub });
  const pem = (path: string) =>
    readFileSync(path, "utf8").match(/-----BEGIN [\s\S]*?-----END [^-]*-----/)?.[0] ?? "";
  writeFileSync(at("chain.pem"), `${pem(root.certificate)}\n${pem(sub.certificate)}\n`);
  const key = createPrivateKey(readFileSync(leaf.key));
  for (const [index, { name, args = [], password = "open", given = password, fault }] of ROWS.entries()) {
    const file = at(`${index}.p12`);
    const what = ["-in", leaf.certificate, "-inkey", leaf.key, "-certfile", at("chain.pem")];
    openssl("pkcs12", "-export", ...what, "-passout", `pass:${password}`, "-out", file, ...args);
    const source = { id: "hub", file, ...(given !== null && { password: given }) };
    if (fault) {
      await t.rejects(loadMaterial(source), { code: fault[0], message: fault[1] }, name);
      await t.rejects(loadMaterial(source), { message: /^hub: / }, name);
      continue;
    }
    for (const form of ["DER", "BER"]) {
      if (form === "BER") writeFileSync(file, indefinite(readFileSync(file)));
      const loaded = await loadMaterial(source);
      t.equal(loaded.fingerprint, leaf.material.fingerprint, `${name}, ${form}`);
      t.ok(loaded.key?.equals(key), `${name}, ${form}: the key`);
      t.strictSame(
        loaded.chain.map(({ subject }) => subject),
        ["CN=leaf", "CN=sub", "CN=root"],
        `${name}: the chain`,
      );
    }
  }
  openssl(
    "pkcs12",
    "-export",
    "-nokeys",
    "-in",
    root.certificate,
    "-passout",
    "pass:x",
    "-out",
    at("roots.p12"),
  );
  const roots = await loadMaterial({ id: "roots", file: at("roots.p12"), password: "x" });
  t.match(roots, { key: null, fingerprint: root.material.fingerprint }, "certificates without a key");
  const beside = await loadMaterial({
    id: "x",
    file: at("15.p12"),
    key: leaf.key,
    password: "x".repeat(200),
  });
  t.ok(beside.key?.equals(key), "a key in a file of its own goes with it");
  openssl("pkcs12", "-export", "-nocerts", "-inkey", leaf.key, "-passout", "pass:x", "-out", at("bare.p12"));
  await t.rejects(loadMaterial({ id: "x", file: at("bare.p12"), password: "x" }), {
    code: "CYG_PKI_CERTIFICATE",
    message: /holds no certificate/,
  });
});

test("PKCS#12 that is cut, altered or made to keep us busy is refused", async (t) => {
  const folder = t.testdir();
  const file = join(folder, "x.p12");
  const leaf = await issue(folder, "leaf");
  openssl(
    ...["pkcs12", "-export", "-in", leaf.certificate, "-inkey", leaf.key],
    ...["-passout", "pass:open", "-out", file],
  );
  const good = readFileSync(file);
  const codes = new Set<string>();
  const fails = async (octets: Buffer, what: string) => {
    writeFileSync(file, octets);
    await loadMaterial({ id: "x", file, password: "open" }).then(
      () => t.fail(`${what} was accepted`),
      (error: { code: string; message: string }) => {
        codes.add(error.code);
        if (!error.message.startsWith(`x: ${file} `)) t.fail(`${what}: ${error.message}`);
      },
    );
  };
  for (let length = 0; length < good.length; length += 7)
    await fails(good.subarray(0, length), `cut ${length}`);
  for (let at = 0; at < good.length; at += 11) {
    const altered = Buffer.from(good);
    altered[at] = (altered[at] as number) ^ 0x41;
    await fails(altered, `altered at ${at}`);
  }
  t.strictSame([...codes].sort(), ["CYG_PKI_ALGORITHM", "CYG_PKI_CERTIFICATE", "CYG_PKI_PASSWORD"]);

  openssl(
    ...["pkcs12", "-export", "-in", leaf.certificate, "-inkey", leaf.key, "-iter", "70000"],
    ...["-passout", "pass:open", "-out", file],
  );
  const endless = readFileSync(file);
  const rounds = endless.lastIndexOf(Buffer.from("0203011170", "hex"));
  t.ok(rounds > 0, "70,000 rounds for the MAC");
  endless.write("02037fffff", rounds, "hex");
  writeFileSync(file, endless);
  await t.rejects(loadMaterial({ id: "x", file, password: "open" }), {
    code: "CYG_PKI_ALGORITHM",
    message: /asks for 8388607 rounds .* at most 1000000/,
  });
  t.throws(
    () => normalise(Buffer.alloc(200, "3080", "hex")),
    { code: "CYG_PKI_CERTIFICATE" },
    "nested deeply",
  );
});

test("PKCS#7: a bundle in PEM or DER is a file with several certificates", async (t) => {
  const folder = t.testdir();
  const at = (name: string) => join(folder, name);
  const root = await issue(folder, "root", { ca: true });
  const sub = await issue(folder, "sub", { ca: true, issuer: root });
  const leaf = await issue(folder, "leaf", { issuer: sub });
  const bundle = (out: string, form: string) =>
    openssl(
      ...["crl2pkcs7", "-nocrl", "-certfile", root.certificate, "-certfile", leaf.certificate],
      ...["-outform", form, "-out", at(out)],
    );
  bundle("bundle.p7b", "PEM");
  bundle("bundle.der", "DER");
  const pem = readFileSync(at("bundle.p7b"), "utf8");
  writeFileSync(at("cms.p7b"), pem.replaceAll("PKCS7", "CMS"));
  writeFileSync(at("netscape.p7b"), pem.replaceAll("PKCS7", "PKCS #7 SIGNED DATA"));
  writeFileSync(at("ber.der"), indefinite(readFileSync(at("bundle.der"))));
  for (const name of ["bundle.p7b", "bundle.der", "cms.p7b", "netscape.p7b", "ber.der"]) {
    const loaded = await loadMaterial({ id: "x", file: at(name), key: leaf.key });
    t.equal(loaded.fingerprint, leaf.material.fingerprint, name);
    t.strictSame(
      loaded.chain.map(({ subject }) => subject),
      ["CN=leaf", "CN=sub", "CN=root"],
      name,
    );
  }
  t.equal(certificatesIn(readFileSync(at("bundle.der")), "what came").length, 3);
  writeFileSync(at("empty.pem"), "");
  openssl("crl2pkcs7", "-nocrl", "-certfile", at("empty.pem"), "-outform", "DER", "-out", at("empty.der"));
  const octets = readFileSync(at("bundle.der"));
  const bad: [Buffer, RegExp][] = [
    [readFileSync(at("empty.der")), /^what came holds no certificate/],
    [octets.subarray(0, 500), /^what came is no PKCS#7 bundle/],
    [Buffer.from(pem.replace(/\n[^\n]{64}\n/, "\n")), /^what came is no PKCS#7 bundle/],
    [Buffer.alloc(0), /^what came is not a certificate/],
    [Buffer.from("-----BEGIN PKCS7-----\n-----END PKCS7-----\n"), /^what came is no PKCS#7 bundle/],
  ];
  for (const [content, message] of bad) {
    t.throws(() => certificatesIn(content, "what came"), { code: "CYG_PKI_CERTIFICATE", message });
  }
  t.ok(new X509Certificate(certificatesIn(octets, "x")[0]?.raw ?? ""), "each is whole");
});

/** The same value in BER as some programs stream it: indefinite lengths, octet strings in two pieces. */
function indefinite(der: Buffer): Buffer {
  const out: Buffer[] = [];
  const walk = (start: number, end: number): void => {
    for (let at = start; at < end; ) {
      const tag = der[at] as number;
      const first = der[at + 1] as number;
      const count = first > 0x80 ? first & 0x7f : 0;
      const length = count > 0 ? der.readUIntBE(at + 2, count) : first;
      const from = at + 2 + count;
      if (tag === 0x04 && length > 1) {
        const half = length >> 1;
        const piece = (a: number, b: number) => [
          Buffer.from([4, 0x83, 0, (b - a) >> 8, (b - a) & 0xff]),
          der.subarray(a, b),
        ];
        out.push(
          Buffer.of(0x24, 0x80),
          ...piece(from, from + half),
          ...piece(from + half, from + length),
          Buffer.of(0, 0),
        );
      } else if ((tag & 0x20) !== 0) {
        out.push(Buffer.of(tag, 0x80));
        walk(from, from + length);
        out.push(Buffer.of(0, 0));
      } else out.push(der.subarray(at, from + length));
      at = from + length;
    }
  };
  walk(0, der.length);
  return Buffer.concat(out);
}
