import "reflect-metadata";
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { writeWhole } from "./whole-file.ts";

/** Whom a certificate, or the request for one, is about. */
export interface Subject {
  commonName: string;
  /** Host names and addresses for the subjectAltName. */
  hosts: readonly string[];
  /** Identification code, as the subject's serialNumber: by it partners tell whose certificate it is. */
  odetteId?: string;
  organisation?: string;
  /** Two letters. */
  country?: string;
}

/** What a certificate made here says. */
export interface Wish extends Subject {
  /** Validity in days from now. */
  days: number;
  /** It may also sign certificates, which lets every program take it as its own root. Default: true. */
  root?: boolean;
}

/** Bits of an RSA key, as Odette's certificate policy has them. */
export type KeySize = 2048 | 3072 | 4096;

const ALGORITHM = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
};
const DAY = 24 * 3600 * 1000;
/** Clocks of two partners differ: a certificate that is valid from this very second is refused by half of them. */
const BACKDATED = 3600 * 1000;

/**
 * Makes sure that a key and a certificate of our own stand in these files, as needed at a first start.
 * Missing both: an RSA-3072 key and a self-signed certificate are made. Missing the certificate: the key that is
 * there is kept and certified. The key is written first, so an interruption in between is made good next time.
 * Files appear whole (written aside, synced, renamed), the key with mode 0600, folders with 0700.
 * Returns true when something was made. Errors: CYG_PKI_FILE, CYG_PKI_KEY.
 */
export async function ensureSelfSigned(
  files: { certificate: string; key: string },
  wish: Wish,
  clock: Clock = systemClock,
): Promise<boolean> {
  if ((await readIfThere(files.certificate)) !== null) return false;
  const found = await readIfThere(files.key);
  const key = found === null ? await newKey() : existingKey(found, files.key);
  if (found === null) await writeWhole(files.key, pkcs8(key), 0o600);
  await writeWhole(files.certificate, await selfSigned(key, wish, clock), 0o644);
  return true;
}

/** A new RSA private key; the work is done off the main thread. */
export async function newKey(modulusLength: KeySize = 3072): Promise<KeyObject> {
  const pair = await webcrypto.subtle.generateKey({ ...ALGORITHM, modulusLength }, true, ["sign", "verify"]);
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

/**
 * A self-signed certificate for an RSA key, PEM. It serves as server and as client, and its key may sign and unwrap
 * keys: digitalSignature and keyEncipherment, serverAuth and clientAuth (the profile of Odette's certificate policy).
 */
export async function selfSigned(key: KeyObject, wish: Wish, clock: Clock = systemClock): Promise<string> {
  const keys = await webKeys(key);
  const { root = true } = wish;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf(wish),
    notBefore: new Date(clock.now() - BACKDATED),
    notAfter: new Date(clock.now() + wish.days * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(root, root ? 0 : undefined, true),
      ...(await extensions(wish, keys.publicKey, root)),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/** A request for a certificate (PKCS#10), PEM: the same name and extensions, for an authority to sign. */
export async function certificateRequest(key: KeyObject, subject: Subject): Promise<string> {
  const keys = await webKeys(key);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: await extensions(subject, keys.publicKey, false),
  });
  return `${request.toString("pem")}\n`;
}

async function webKeys(key: KeyObject) {
  const { subtle } = webcrypto;
  const [pkcs8, spki] = [
    key.export({ format: "der", type: "pkcs8" }),
    createPublicKey(key).export({ format: "der", type: "spki" }),
  ];
  return {
    privateKey: await subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]),
    publicKey: await subtle.importKey("spki", spki, ALGORITHM, true, ["verify"]),
  };
}

const SERIAL_NUMBER = "2.5.4.5";

function nameOf({ commonName, odetteId, organisation, country }: Subject): x509.Name {
  const attributes: [string, string | undefined][] = [
    ["C", country],
    ["O", organisation],
    ["CN", commonName],
    [SERIAL_NUMBER, odetteId],
  ];
  return new x509.Name(
    attributes.flatMap(([type, text]) => (text === undefined ? [] : [{ [type]: [directoryString(text)] }])),
  );
}

/** PrintableString where it suffices, as RFC 5280 wants it for countries and serial numbers. */
function directoryString(text: string): x509.JsonAttributeObject {
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text) ? { printableString: text } : { utf8String: text };
}

async function extensions(
  { hosts }: Subject,
  publicKey: webcrypto.CryptoKey,
  signsCertificates: boolean,
): Promise<x509.Extension[]> {
  const { digitalSignature, keyEncipherment, keyCertSign } = x509.KeyUsageFlags;
  const usage = digitalSignature | keyEncipherment | (signsCertificates ? keyCertSign : 0);
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return [
    new x509.KeyUsagesExtension(usage, true),
    new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ...alternativeNames(hosts),
  ];
}

function alternativeNames(hosts: readonly string[]): x509.Extension[] {
  if (hosts.length === 0) return [];
  const names = hosts.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }));
  return [new x509.SubjectAlternativeNameExtension(names)];
}

/** Sixteen random octets, positive and not zero (RFC 5280 4.1.2.2). */
function serialNumber(): string {
  const octets = randomBytes(16);
  octets[0] = ((octets[0] as number) & 0x3f) | 0x40;
  return octets.toString("hex");
}

function existingKey(pem: Buffer, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new CygnetError(
      "CYG_PKI_KEY",
      `${path} stands where a key is needed but is none that can be read`,
      { cause },
    );
  }
  if (key.asymmetricKeyType !== "rsa") {
    throw new CygnetError(
      "CYG_PKI_KEY",
      `${path} is not an RSA key; certificates are made for RSA keys only`,
    );
  }
  return key;
}

function pkcs8(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }) as string;
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isSystemError(cause, "ENOENT")) return null;
    throw new CygnetError("CYG_PKI_FILE", `${path} cannot be read: ${describe(cause)}`, { cause });
  }
}
