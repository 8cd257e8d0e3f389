import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { test } from "tap";
import { newKey, selfSigned } from "../../src/pki/generate.ts";
import { nameRule, slashName } from "../../src/pki/name-rule.ts";
import { isPinned, keyPin, parsePin } from "../../src/pki/pins.ts";

test("names as Transfer CFT writes them, and no value that looks like another part", (t) => {
  const rows: [string | undefined, string][] = [
    ["C=FR\nO=ACME\nCN=acme", "/C=FR/O=ACME/CN=acme/"],
    ["O=x/CN=hub\nCN=evil", "/O=x\\2FCN=hub/CN=evil/"],
    ["", ""],
    [undefined, ""],
  ];
  for (const [name, expected] of rows) t.equal(slashName(name), expected, expected);
  t.notOk(nameRule('"/CN=hub/"')(slashName("O=x/CN=hub\nCN=evil")));
  t.end();
});

test("DNUSER and DNISSUER: strings with AND, OR, ! and parentheses", (t) => {
  const name = "/C=FR/O=ACME/OU=edi/CN=acme/";
  const rows: [string, boolean][] = [
    ["", true],
    ["CN=acme", true],
    ["/CN=other/", false],
    ['"/CN=acme/"', true],
    ['("/CN=acme/" OR "/CN=b/")', true],
    ['("/O=ACME/" AND ! "/OU=test/")', true],
    ['("/O=ACME/" AND ! "/OU=edi/")', false],
    ['"a" OR "/C=FR/" AND "/O=ACME/"', true],
    ['("/C=FR/" OR "b") AND "/O=B/"', false],
    ['"/C=FR/" OR "b" AND "/O=B/"', true],
    ['not "/CN=b/" and not("x" or "y")', true],
    ['!!"/CN=acme/"', true],
    ['"\\"quoted\\" \\\\"', false],
  ];
  for (const [rule, expected] of rows) t.equal(nameRule(rule)(name), expected, rule);
  t.ok(nameRule('"\\"q\\""')('/O="q"/'));
  const wrong: [string, RegExp][] = [
    ['"a', /at character 1: this quotation mark has no end/],
    ['("a" OR', /at character 8: a string such as/],
    ['("a" OR "b"', /at character 12: AND, OR or \) is expected/],
    ['"a" "b"', /at character 5: AND or OR is expected/],
    ['"a" NAND "b"', /at character 5: "NAND" is not AND/],
    ['"a" & "b"', /at character 5: this is not understood/],
    ['AND "a"', /at character 1: a string such as/],
    ['""', /at character 1: an empty string/],
    ["(CN=a)", /at character 1: strings stand in quotation marks/],
    [')"a"', /at character 1: a string such as/],
  ];
  for (const [rule, message] of wrong)
    t.throws(() => nameRule(rule), { code: "CYG_PKI_NAME_RULE", message }, rule);
  t.end();
});

test("pins in every usual form name a certificate and its key as openssl computes them", async (t) => {
  const pem = await selfSigned(await newKey(), { commonName: "pinned", hosts: [], days: 3 });
  const other = new X509Certificate(
    await selfSigned(await newKey(), { commonName: "pinned", hosts: [], days: 3 }),
  );
  const certificate = new X509Certificate(pem);
  const openssl = (args: string[], input: string | Buffer) => execFileSync("openssl", args, { input });
  const key = openssl(["x509", "-pubkey", "-noout"], pem);
  const hash = openssl(["dgst", "-sha256", "-binary"], openssl(["pkey", "-pubin", "-outform", "DER"], key));
  t.equal(keyPin(certificate), hash.toString("hex"));
  const base64 = hash.toString("base64");
  const forms = [
    base64,
    base64.replace("=", ""),
    `sha256/${base64}`,
    hash.toString("hex").toUpperCase(),
    certificate.fingerprint256,
  ];
  for (const form of forms) {
    t.ok(isPinned(certificate, [parsePin(form)]), form);
    t.notOk(isPinned(other, [parsePin(form)]), `${form}: another`);
  }
  for (const form of [
    "",
    "AA:BB",
    base64.slice(1),
    `${base64}=`,
    hash.toString("hex").slice(1),
    "*".repeat(44),
  ]) {
    t.throws(() => parsePin(form), { code: "CYG_PKI_PIN" }, form);
  }
});
