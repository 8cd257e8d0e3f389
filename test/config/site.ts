/** A small valid configuration on disk, with real certificates, and ways to break it. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

const DAY = 24 * 3600 * 1000;

/** The day on which the tests take place. */
export const TODAY = Date.UTC(2026, 10, 15);

export const MAIN = `include = ["partners.d"]
[cftparm]
part = "HUB"
npart = "O0999HUB"
[[cftnet]]
id = "LOCAL"
host = "127.0.0.1"
[[cftprot]]
id = "OFTP"
type = "odette"
net = "LOCAL"
sap = 3305
[[cftprot]]
id = "OFTPS"
type = "odette"
net = "LOCAL"
sap = 6619
ssl = "TLS"
[[cftssl]]
id = "TLS"
direct = "server"
usercid = "hub"
verify = "none"
[[cftssl]]
id = "TLS"
direct = "client"
rootcid = ["ca"]
[[pki]]
id = "hub"
file = "pki/hub.pem"
key = "pki/hub.key"
[[pki]]
id = "ca"
file = "pki/hub.pem"
usage = ["ca"]
[[cftfolder]]
id = "OUTBOX"
scandir = "outbox"
workdir = "work"
schedule = "*/2 * * * * *"
[[cftsend]]
id = "INVOIC"
[cftlog]
level = "I"
`;

export const ACME = `[[cftpart]]
id = "ACME"
prot = ["OFTPS", "OFTP"]
nrpart = "O0999ACME"
nspassw = "env:OUT"
nrpassw = "env:IN"
[[cfttcp]]
id = "ACME"
host = "127.0.0.1"
`;

export const ENVIRONMENT = { OUT: "HUBPW", IN: "ACMEPW", LONG: "NINECHARS", ODD: "a_b" };

export interface Certificate {
  pem: string;
  key: string;
}

/** A self-signed P-256 certificate, valid from `from` to `to` days after `TODAY`, and its key, both PEM. */
export async function certificate(from = -1, to = 30): Promise<Certificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = (await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=hub",
    notBefore: new Date(TODAY + from * DAY),
    notAfter: new Date(TODAY + to * DAY),
    signingAlgorithm: algorithm,
    keys,
  });
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    pem: made.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
  };
}

/** A new folder below the system's temporary one, and how to be rid of it. */
export function folder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "cygnet-config-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes files below a folder, making their folders. Owner and group may read them. */
export function write(root: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content, { mode: 0o640 });
  }
}

/** A text with lines replaced, numbers from 1; `end` is appended. Keeps the numbers of the other lines. */
export function edit(text: string, lines: Readonly<Record<number, string>>, end = ""): string {
  const all = text.split("\n");
  for (const [number, line] of Object.entries(lines)) all[Number(number) - 1] = line;
  return all.join("\n") + end;
}
