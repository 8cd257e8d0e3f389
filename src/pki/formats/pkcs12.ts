/** PKCS#12 (RFC 7292) as far as programs write it: certificates and keys under one password, with a MAC. */
import "reflect-metadata";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { type ContentInfo, id_data, id_encryptedData } from "@peculiar/asn1-cms";
import {
  AuthenticatedSafe,
  CertBag,
  id_certBag,
  id_keyBag,
  id_pkcs8ShroudedKeyBag,
  id_SafeContents,
  id_x509Certificate,
  PFX,
  PKCS8ShroudedKeyBag,
  SafeContents,
} from "@peculiar/asn1-pfx";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { CygnetError } from "../../platform/errors.ts";
import { normalise } from "./ber.ts";
import { decryptWithPassword, macMatches } from "./pbe.ts";
import { EncryptedData } from "./structures.ts";

export interface Contents {
  certificates: X509Certificate[];
  keys: KeyObject[];
}

const DEEPEST = 4;

/** True for octets that begin as a PFX does: a sequence whose first element is the version, 3. */
export function looksLikePkcs12(octets: Buffer): boolean {
  const lengths = (octets[1] ?? 0) > 0x80 ? 2 + ((octets[1] as number) & 0x7f) : 2;
  return octets[0] === 0x30 && octets.subarray(lengths, lengths + 3).equals(Buffer.of(2, 1, 3));
}

/**
 * Reads a PKCS#12 file; `password` undefined is the empty one. The MAC is verified where there is one.
 * Errors, their texts without a subject: CYG_PKI_PASSWORD, CYG_PKI_ALGORITHM, CYG_PKI_CERTIFICATE.
 */
export async function readPkcs12(octets: Buffer, password: string | undefined): Promise<Contents> {
  try {
    const { authSafe, macData } = AsnConvert.parse(normalise(octets), PFX);
    if (authSafe.contentType !== id_data)
      throw malformed("it is protected with a public key instead of a password");
    const safe = octetString(authSafe.content);
    const { mac, macSalt, iterations } = macData;
    if (mac.digestAlgorithm.algorithm !== "") {
      // the library fills in an empty MAC where the file has none
      const said = { salt: Buffer.from(macSalt.buffer), iterations, digest: Buffer.from(mac.digest.buffer) };
      if (!macMatches(mac.digestAlgorithm.algorithm, said, safe, password ?? ""))
        throw wrongPassword(password);
    }
    const contents: Contents = { certificates: [], keys: [] };
    for (const info of AsnConvert.parse(normalise(safe), AuthenticatedSafe)) {
      await readBags(await plain(info, password ?? ""), password ?? "", contents, 0);
    }
    return contents;
  } catch (error) {
    if (!(error instanceof CygnetError)) throw malformed("its structure is broken", error);
    if (error.code === "CYG_PKI_PASSWORD") throw wrongPassword(password, error);
    throw error;
  }
}

async function plain(info: ContentInfo, password: string): Promise<Buffer> {
  if (info.contentType === id_data) return octetString(info.content);
  if (info.contentType !== id_encryptedData) throw malformed(`it holds ${info.contentType}`);
  const { encryptedContentInfo } = AsnConvert.parse(info.content, EncryptedData);
  const { contentEncryptionAlgorithm, encryptedContent } = encryptedContentInfo;
  const pieces = encryptedContent?.constructedValue ?? [encryptedContent?.value ?? new OctetString()];
  const whole = Buffer.concat(pieces.map(({ buffer }) => Buffer.from(buffer)));
  return decryptWithPassword(contentEncryptionAlgorithm, whole, password);
}

async function readBags(octets: Buffer, password: string, into: Contents, depth: number): Promise<void> {
  if (depth > DEEPEST) throw malformed("it is nested too deeply");
  for (const { bagId, bagValue } of AsnConvert.parse(normalise(octets), SafeContents)) {
    if (bagId === id_certBag) {
      const { certId, certValue } = AsnConvert.parse(bagValue, CertBag);
      if (certId === id_x509Certificate) into.certificates.push(new X509Certificate(octetString(certValue)));
    } else if (bagId === id_keyBag) {
      into.keys.push(privateKey(Buffer.from(bagValue)));
    } else if (bagId === id_pkcs8ShroudedKeyBag) {
      const { encryptionAlgorithm, encryptedData } = AsnConvert.parse(bagValue, PKCS8ShroudedKeyBag);
      const sealed = Buffer.from(encryptedData.buffer);
      into.keys.push(privateKey(await decryptWithPassword(encryptionAlgorithm, sealed, password)));
    } else if (bagId === id_SafeContents) {
      await readBags(Buffer.from(bagValue), password, into, depth + 1);
    } // revocation lists and secrets of other programs are of no use here
  }
}

function privateKey(pkcs8: Buffer): KeyObject {
  return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
}

function octetString(encoded: ArrayBuffer): Buffer {
  return Buffer.from(AsnConvert.parse(encoded, OctetString).buffer);
}

function wrongPassword(password: string | undefined, cause?: unknown): CygnetError {
  const problem = password === undefined ? "is encrypted and has no password" : "has another password";
  return new CygnetError("CYG_PKI_PASSWORD", problem, { cause });
}

function malformed(why: string, cause?: unknown): CygnetError {
  return new CygnetError("CYG_PKI_CERTIFICATE", `is no PKCS#12 file that can be read: ${why}`, { cause });
}
