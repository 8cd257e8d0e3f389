import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { contentsOf } from "./formats/certificates.ts";

/** A certificate with all that a file said about it. Nothing here is a secret but `key`. */
export interface Material {
  /** Id of the `[[pki]]` object, for messages. */
  readonly id: string;
  /** The certificate itself: the one that the key belongs to, else the first of the file. */
  readonly certificate: X509Certificate;
  /** Every certificate of the file, in file order: all of them are trust anchors when the file names roots. */
  readonly all: readonly X509Certificate[];
  /** The certificate, then its issuers as far as the file holds them, each after the one it signed. */
  readonly chain: readonly X509Certificate[];
  /** The chain as PEM, leaf first, as TLS presents it. */
  readonly pem: string;
  readonly key: KeyObject | null;
  /** SHA-256 of the certificate's DER, `AA:BB:…` as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Where to find a certificate: absolute paths; `password` opens an encrypted key or a PKCS#12 file. */
export interface MaterialSource {
  id: string;
  file: string;
  key?: string;
  password?: string;
}

/** Where to find a private key. */
export type KeySource = Pick<MaterialSource, "id" | "password"> & { key: string };

const LARGEST = 4 * 1024 * 1024;

/**
 * Reads a certificate file (PEM with any number of certificates, DER, PKCS#7, PKCS#12) and its private key, which
 * stands in a file of its own (PEM or DER: PKCS#8, encrypted PKCS#8, PKCS#1, SEC 1) or in the PKCS#12 file.
 * Links are followed: certificates are often linked.
 * Errors: CYG_PKI_FILE, CYG_PKI_CERTIFICATE, CYG_PKI_KEY, CYG_PKI_PASSWORD, CYG_PKI_ALGORITHM, CYG_PKI_MISMATCH.
 */
export async function loadMaterial(source: MaterialSource): Promise<Material> {
  const { id, file } = source;
  const subject = `${id}: ${file}`;
  const octets = await readKeyFile(file, id);
  const { certificates: all, keys } = await contentsOf(octets, subject, source.password).catch(withAdvice);
  const key = source.key ? await loadKey({ ...source, key: source.key }) : (keys[0] ?? null);
  const certificate = key ? all.find((one) => one.checkPrivateKey(key)) : all[0];
  if (!certificate) {
    const message = source.key
      ? `the key in ${source.key} belongs to no certificate in ${file}; name the two files that belong together`
      : `the key in ${file} belongs to none of its certificates; export key and certificate together`;
    throw new CygnetError("CYG_PKI_MISMATCH", `${id}: ${message}`);
  }
  return material(id, certificate, all, key);
}

function withAdvice(error: unknown): never {
  if (!(error instanceof CygnetError) || error.code !== "CYG_PKI_PASSWORD") throw error;
  throw new CygnetError(error.code, `${error.message}; set keypassw`, { cause: error });
}

/** Material from values at hand, for what was just made rather than read. */
export function material(
  id: string,
  certificate: X509Certificate,
  all: readonly X509Certificate[],
  key: KeyObject | null,
): Material {
  const chain = chainOf(certificate, all);
  return {
    id,
    certificate,
    all,
    chain,
    pem: chain.map((one) => one.toString()).join(""),
    key,
    fingerprint: certificate.fingerprint256,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}

/** The octets of a certificate or key file; `id` begins the message. Errors: CYG_PKI_FILE. */
export async function readKeyFile(path: string, id: string): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    const why = isSystemError(cause, "ENOENT")
      ? "does not exist"
      : isSystemError(cause, "EACCES", "EPERM")
        ? "may not be read by this user"
        : describe(cause);
    throw new CygnetError("CYG_PKI_FILE", `${id}: ${path} ${why}`, { cause });
  }
  if (content.length > LARGEST) {
    throw new CygnetError("CYG_PKI_FILE", `${id}: ${path} is larger than any certificate or key (4 MiB)`);
  }
  return content;
}

const DER_KEYS = ["pkcs8", "pkcs1", "sec1"] as const;

/** Reads a private key file. Errors: CYG_PKI_FILE, CYG_PKI_KEY, CYG_PKI_PASSWORD. */
export async function loadKey({ id, key: file, password }: KeySource): Promise<KeyObject> {
  const content = await readKeyFile(file, id);
  const passphrase = password === undefined ? {} : { passphrase: password };
  const isPem = content.includes("-----BEGIN ");
  const attempts = isPem
    ? [() => createPrivateKey({ key: content, format: "pem", ...passphrase })]
    : DER_KEYS.map((type) => () => createPrivateKey({ key: content, format: "der", type, ...passphrase }));
  let first: unknown;
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (cause) {
      first ??= cause;
      if (isPasswordProblem(cause)) {
        const problem = password === undefined ? "is encrypted and has no password" : "has another password";
        throw new CygnetError("CYG_PKI_PASSWORD", `${id}: the key ${file} ${problem}; set keypassw`, {
          cause,
        });
      }
    }
  }
  throw new CygnetError("CYG_PKI_KEY", `${id}: ${file} is not a private key in PEM or DER`, { cause: first });
}

/** OpenSSL tells a wrong password by a failed decryption, or by nonsense where the key should be. */
function isPasswordProblem(error: unknown): boolean {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  return (
    code === "ERR_MISSING_PASSPHRASE" ||
    /BAD_DECRYPT|BAD_PASSWORD|INTERRUPTED_OR_CANCELLED/.test(
      `${code} ${message.toUpperCase().replaceAll(" ", "_")}`,
    )
  );
}

/** The leaf and its issuers among `all`; TLS wants each certificate to certify the one before it (RFC 5246 7.4.2). */
function chainOf(leaf: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf];
  for (let last = leaf; !isSelfIssued(last); ) {
    const child = last;
    const issuer = all.find((one) => !chain.includes(one) && issued(one, child));
    if (!issuer) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer;
}

/** True when `issuer`'s name and key signed `certificate`. */
export function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** A name on one line: `CN=hub, O=Example`; Node gives none for an empty one. OpenSSL has escaped the unprintable. */
export function nameLine(name: string | undefined): string {
  return name?.replaceAll("\n", ", ") ?? "";
}
