/** Self-signed certificates for tests with any validity and key usage, quickly made (P-256). */
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 24 * 3600 * 1000;
let serial = 1;

export interface MakeOptions {
  /** Days from `now`; negative = in the past. */
  from?: number;
  to?: number;
  now?: number;
  /** Bits of KeyUsage; undefined = no such extension. */
  keyUsage?: number;
  ca?: boolean;
}

/** Makes `name`.pem and `name`.key in a folder. */
export async function make(
  folder: string,
  name: string,
  options: MakeOptions = {},
): Promise<X509Certificate> {
  const { from = -1, to = 100, now = Date.now(), keyUsage, ca = false } = options;
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as {
    publicKey: webcrypto.CryptoKey;
    privateKey: webcrypto.CryptoKey;
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: (serial++).toString(16).padStart(8, "01"),
    name: [{ CN: [name] }],
    notBefore: new Date(now + from * DAY),
    notAfter: new Date(now + to * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      ...(keyUsage === undefined ? [] : [new x509.KeyUsagesExtension(keyUsage, true)]),
      ...(ca ? [new x509.BasicConstraintsExtension(true, undefined, true)] : []),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  writeFileSync(join(folder, `${name}.pem`), `${certificate.toString("pem")}\n`);
  writeFileSync(join(folder, `${name}.key`), x509.PemConverter.encode(pkcs8, "PRIVATE KEY"), { mode: 0o600 });
  return new X509Certificate(certificate.toString("pem"));
}

export const { KeyUsageFlags: bit } = x509;
