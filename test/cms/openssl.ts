/** Keys, certificates and CMS by the openssl command, in a folder that goes away with the process. */
import { execFile, execFileSync } from "node:child_process";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const folder = mkdtempSync(join(tmpdir(), "cygnet-cms-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
export const path = (name: string): string => join(folder, name);

export interface Owner {
  name: string;
  certificate: X509Certificate;
  key: KeyObject;
}

/** A key and a self-signed certificate, `name`.pem and `name`.key. */
export async function owner(name: string, ...options: string[]): Promise<Owner> {
  const kind = options.includes("-newkey") || options.includes("-key") ? [] : ["-newkey", "rsa:2048"];
  const made = options.includes("-key") ? [] : ["-nodes", "-keyout", path(`${name}.key`)];
  const subject = options.includes("-subj") ? [] : ["-subj", `/C=DE/O=Cygnet Test Partner/CN=${name}`];
  const args = ["req", "-x509", "-days", "30", ...kind, ...made, ...subject, ...options];
  await promisify(execFile)("openssl", [...args, "-out", path(`${name}.pem`)]);
  return {
    name,
    certificate: new X509Certificate(readFileSync(path(`${name}.pem`))),
    key: createPrivateKey(readFileSync(options.includes("-key") ? keyFile(options) : path(`${name}.key`))),
  };
}

const keyFile = (options: readonly string[]): string => options[options.indexOf("-key") + 1] as string;

function cms(input: Buffer, ...args: string[]): Buffer {
  const limit = {
    input,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"],
  };
  return execFileSync("openssl", ["cms", ...args], limit);
}

/** `openssl cms -sign`, attached, without certificates unless `-certs` is given. */
export function sign(content: Buffer, signers: readonly Owner[], hash: string, ...options: string[]): Buffer {
  const who = signers.flatMap(({ name }) => ["-signer", path(`${name}.pem`), "-inkey", path(`${name}.key`)]);
  const more = options.includes("-certs")
    ? options.filter((each) => each !== "-certs")
    : ["-nocerts", ...options];
  const what = ["-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER", "-md", hash];
  return cms(content, ...what, ...who, ...more);
}

/** `openssl cms -verify`: the content; throws when a signature is not good, or by somebody else. */
export function verify(signed: Buffer, ...signers: readonly Owner[]): Buffer {
  writeFileSync(path("signers.pem"), signers.map(({ certificate }) => certificate.toString()).join(""));
  const who = ["-certfile", path("signers.pem"), "-noverify"];
  return cms(signed, "-verify", "-binary", "-inform", "DER", ...who);
}

/** `openssl cms -encrypt`. */
export function encrypt(content: Buffer, recipients: readonly Owner[], ...options: string[]): Buffer {
  const whom = recipients.map(({ name }) => path(`${name}.pem`));
  return cms(content, "-encrypt", "-binary", "-outform", "DER", ...options, ...whom);
}

/** `openssl cms -decrypt`. */
export function decrypt(envelope: Buffer, recipient: Owner): Buffer {
  const who = ["-recip", path(`${recipient.name}.pem`), "-inkey", path(`${recipient.name}.key`)];
  return cms(envelope, "-decrypt", "-binary", "-inform", "DER", ...who);
}

/** `openssl asn1parse`: throws for what is no BER. */
export function asn1parse(octets: Buffer): string {
  writeFileSync(path("parse.der"), octets);
  return execFileSync("openssl", ["asn1parse", "-inform", "DER", "-in", path("parse.der")], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** The zlib stream in CompressedData of indefinite length, where `openssl asn1parse` finds it. */
export function zlibOf(compressed: Buffer): Buffer {
  const parts: Buffer[] = [];
  const lines = asn1parse(compressed).split("\n");
  const begin = lines.findIndex((line) => /cons: +OCTET STRING/.test(line));
  for (const line of lines.slice(begin + 1)) {
    const [, offset, header, length] =
      /^ *(\d+):d=\d+ +hl=(\d+) +l= *(\d+) prim: +OCTET STRING/.exec(line)?.map(Number) ?? [];
    if (offset === undefined || header === undefined || length === undefined) break;
    parts.push(compressed.subarray(offset + header, offset + header + length));
  }
  return Buffer.concat(parts);
}

/** An owner whose files were made elsewhere: they are copied to where the commands look for them. */
export function adopt(name: string, certificate: string, key: string): Owner {
  copyFileSync(certificate, path(`${name}.pem`));
  copyFileSync(key, path(`${name}.key`));
  return {
    name,
    certificate: new X509Certificate(readFileSync(certificate)),
    key: createPrivateKey(readFileSync(key)),
  };
}
