/** Certificates for tests: a small authority on P-256, and files of what it issued. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { loadMaterial, type Material } from "../../src/pki/material.ts";
import { createTrust } from "../../src/pki/trust/create.ts";
import { systemClock } from "../../src/platform/clock.ts";

/** Judges what is made here. Nothing is downloaded, so the folder for that never comes into being. */
export const trust = createTrust({ cacheDirectory: join(tmpdir(), "cygnet-no-lists"), clock: systemClock });

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 24 * 3600 * 1000;
let serial = 1;

export interface Issued {
  /** Paths of the PEM files. */
  certificate: string;
  key: string;
  x509: x509.X509Certificate;
  keys: CryptoKeyPair;
  material: Material;
}

type CryptoKeyPair = { publicKey: webcrypto.CryptoKey; privateKey: webcrypto.CryptoKey };

export interface IssueOptions {
  issuer?: Issued;
  ca?: boolean;
  /** Days from now; negative = expired. */
  days?: number;
  /** An empty subject, which is legal. */
  nameless?: boolean;
  usage?: x509.ExtendedKeyUsage[];
  /** DNS names and addresses for the subjectAltName. */
  names?: string[];
  /** The subject instead of the name alone, as `O=Example, CN=hub`. */
  subject?: string;
}

/** Makes a key and a certificate `name`.pem and `name`.key in `folder`; self-signed without an issuer. */
export async function issue(folder: string, name: string, options: IssueOptions = {}): Promise<Issued> {
  const { issuer, ca = false, days = 30 } = options;
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (serial++).toString(16).padStart(8, "01"),
    subject: options.nameless ? [] : (options.subject ?? [{ CN: [name] }]),
    issuer: issuer ? issuer.x509.subject : [{ CN: [name] }],
    notBefore: new Date(Date.now() - 60 * DAY),
    notAfter: new Date(Date.now() + days * DAY),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: issuer ? issuer.keys.privateKey : keys.privateKey,
    extensions: [
      ...(ca
        ? [
            new x509.BasicConstraintsExtension(true, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
          ]
        : [new x509.ExtendedKeyUsageExtension(options.usage ?? [serverAuth, clientAuth])]),
      ...(options.names ? [new x509.SubjectAlternativeNameExtension(options.names.map(generalName))] : []),
    ],
  });
  const paths = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const chain = [certificate.toString("pem")];
  if (issuer && issuer.x509.issuer !== issuer.x509.subject) chain.push(issuer.x509.toString("pem"));
  writeFileSync(paths.certificate, `${chain.join("\n")}\n`);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  writeFileSync(paths.key, x509.PemConverter.encode(pkcs8, "PRIVATE KEY"));
  const material = await loadMaterial({ id: name, file: paths.certificate, key: paths.key });
  return { ...paths, x509: certificate, keys, material };
}

function generalName(value: string): { type: "ip" | "dns"; value: string } {
  return { type: /^[\d.]+$/.test(value) ? "ip" : "dns", value };
}

/** Writes a list of revoked certificates by an authority, PEM; gives its path. */
export async function revocationList(
  folder: string,
  issuer: Issued,
  revoked: readonly Issued[],
): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.x509.subject,
    thisUpdate: new Date(Date.now() - DAY),
    nextUpdate: new Date(Date.now() + DAY),
    entries: revoked.map((one) => ({ serialNumber: one.x509.serialNumber, revocationDate: new Date() })),
    signingAlgorithm: algorithm,
    signingKey: issuer.keys.privateKey,
  });
  const path = join(folder, `${issuer.material.id}-${revoked.length}.crl`);
  writeFileSync(path, x509.PemConverter.encode(list.rawData, "X509 CRL"));
  return path;
}
