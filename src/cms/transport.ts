/**
 * How a content-encryption key travels: KeyTransRecipientInfo under RSA PKCS#1 v1.5 (RFC 5652 section 6.2.1).
 *
 * Invariants
 * - A key that cannot be had gives a random one instead of an error: a partner learns nothing about our private keys
 *   from trying.
 * - No more than `MOST_ATTEMPTS` private-key operations are done for one envelope.
 */
import "reflect-metadata";
import {
  constants,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type X509Certificate,
} from "node:crypto";
import {
  CMSVersion,
  IssuerAndSerialNumber,
  KeyEncryptionAlgorithmIdentifier,
  KeyTransRecipientInfo,
  RecipientIdentifier,
  RecipientInfo,
} from "@peculiar/asn1-cms";
import { OctetString } from "@peculiar/asn1-schema";
import { CygnetError } from "../platform/errors.ts";
import { RSA_ENCRYPTION } from "./hashes.ts";
import { describeRecipient, identityOf, means } from "./recipient.ts";
import type { ContentCipher } from "./suites.ts";

/** A certificate of ours and its private key. */
export interface RecipientKey {
  certificate: X509Certificate;
  key: KeyObject;
}

const DER_NULL = Buffer.from("0500", "hex");
const MOST_ATTEMPTS = 8;

/**
 * The content-encryption key for the owner of a certificate, by issuer and serial number.
 * @throws CygnetError CYG_CMS_CERTIFICATE
 */
export function transport(contentKey: Buffer, recipient: X509Certificate): RecipientInfo {
  const { issuer, serialNumber } = identityOf(recipient);
  const ktri = new KeyTransRecipientInfo({
    version: CMSVersion.v0,
    rid: new RecipientIdentifier({
      issuerAndSerialNumber: new IssuerAndSerialNumber({ issuer, serialNumber: octets(serialNumber) }),
    }),
    keyEncryptionAlgorithm: new KeyEncryptionAlgorithmIdentifier({
      algorithm: RSA_ENCRYPTION,
      parameters: octets(DER_NULL),
    }),
    encryptedKey: new OctetString(octets(wrap(contentKey, recipient))),
  });
  return new RecipientInfo({ ktri });
}

/** A recipient of an envelope whom one of our keys fits. */
export interface Attempt {
  ktri: KeyTransRecipientInfo;
  own: RecipientKey;
}

/**
 * Every recipient of the envelope with every key of ours that it means; at least one.
 * @throws CygnetError CYG_CMS_RECIPIENT (none is ours), CYG_CMS_FORMAT (too many are), CYG_CMS_ALGORITHM
 */
export function attempts(infos: readonly RecipientInfo[], keys: readonly RecipientKey[]): Attempt[] {
  const ours = keys.map((own) => ({ identity: identityOf(own.certificate), own }));
  const transports = infos.map(({ ktri }) => ktri).filter((ktri) => ktri !== undefined);
  const found = transports.flatMap((ktri) =>
    ours.filter(({ identity }) => means(ktri.rid, identity)).map(({ own }) => ({ ktri, own })),
  );
  if (found.length === 0) {
    const named = transports.slice(0, 4).map(({ rid }) => describeRecipient(rid));
    const whom = named.length > 0 ? named.join(", ") : "no key of a certificate";
    throw new CygnetError("CYG_CMS_RECIPIENT", `the envelope is for ${whom}, which is none of ours`);
  }
  if (found.length > MOST_ATTEMPTS) {
    throw new CygnetError("CYG_CMS_FORMAT", "the envelope names us too often");
  }
  const usable = found.filter(({ ktri }) => ktri.keyEncryptionAlgorithm.algorithm === RSA_ENCRYPTION);
  if (usable.length === 0) {
    throw new CygnetError("CYG_CMS_ALGORITHM", "the key of the envelope is not under RSA PKCS#1 v1.5");
  }
  return usable;
}

function wrap(key: Buffer, recipient: X509Certificate): Buffer {
  try {
    const { publicKey } = recipient;
    if (publicKey.asymmetricKeyType !== "rsa") throw new TypeError(`${publicKey.asymmetricKeyType} key`);
    return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, key);
  } catch (cause) {
    throw new CygnetError(
      "CYG_CMS_CERTIFICATE",
      "nothing can be encrypted for the certificate: it needs an RSA key",
      { cause },
    );
  }
}

/**
 * The content-encryption key; a random one when it cannot be had, so that what follows takes as long. OpenSSL gives
 * random octets for wrong padding (implicit rejection); what it throws for rests on public facts (length, modulus).
 */
export function unwrap(
  { ktri, own }: Attempt,
  cipher: ContentCipher,
): { contentKey: Buffer; right: boolean } {
  const substitute = randomBytes(cipher.key);
  let found: Buffer;
  try {
    const wrapped = Buffer.from(ktri.encryptedKey.buffer);
    found = privateDecrypt({ key: own.key, padding: constants.RSA_PKCS1_PADDING }, wrapped);
  } catch {
    found = Buffer.alloc(0);
  }
  const right = found.length === cipher.key;
  return { contentKey: right ? found : substitute, right };
}

/** The octets in an ArrayBuffer of their own, as the ASN.1 library wants them. */
export function octets(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
