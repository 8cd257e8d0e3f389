/**
 * How a content-encryption key travels: KeyTransRecipientInfo (RFC 5652 section 6.2.1) under RSA PKCS#1 v1.5, or under
 * RSAES-OAEP where experimental cipher suites are wanted.
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
import { type Hash, RSA_ENCRYPTION, rsaAlgorithm } from "./hashes.ts";
import { describeRecipient, identityOf, means } from "./recipient.ts";
import { oaepAlgorithm, oaepHash, RSAES_OAEP } from "./rsa-schemes.ts";
import type { ContentCipher } from "./suites.ts";

/** A certificate of ours and its private key. */
export interface RecipientKey {
  certificate: X509Certificate;
  key: KeyObject;
}

const MOST_ATTEMPTS = 8;

/**
 * The content-encryption key for the owner of a certificate, by issuer and serial number.
 * @param oaep the hash of OAEP; PKCS#1 v1.5 without it
 * @throws CygnetError CYG_CMS_CERTIFICATE
 */
export function transport(contentKey: Buffer, recipient: X509Certificate, oaep?: Hash): RecipientInfo {
  const { issuer, serialNumber } = identityOf(recipient);
  const ktri = new KeyTransRecipientInfo({
    version: CMSVersion.v0,
    rid: new RecipientIdentifier({
      issuerAndSerialNumber: new IssuerAndSerialNumber({ issuer, serialNumber: octets(serialNumber) }),
    }),
    keyEncryptionAlgorithm: new KeyEncryptionAlgorithmIdentifier(
      oaep ? oaepAlgorithm(oaep) : rsaAlgorithm(RSA_ENCRYPTION),
    ),
    encryptedKey: new OctetString(octets(wrap(contentKey, recipient, oaep))),
  });
  return new RecipientInfo({ ktri });
}

/** A recipient of an envelope whom one of our keys fits. */
export interface Attempt {
  ktri: KeyTransRecipientInfo;
  own: RecipientKey;
  /** The hash of OAEP; undefined = PKCS#1 v1.5. */
  oaep: Hash | undefined;
}

/**
 * Every recipient of the envelope with every key of ours that it means; at least one.
 * @param experimental whether OAEP is allowed
 * @throws CygnetError CYG_CMS_RECIPIENT (none is ours), CYG_CMS_FORMAT (too many are), CYG_CMS_ALGORITHM
 */
export function attempts(
  infos: readonly RecipientInfo[],
  keys: readonly RecipientKey[],
  experimental = false,
): Attempt[] {
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
  const usable = found.flatMap((attempt): Attempt[] => {
    const { keyEncryptionAlgorithm: used } = attempt.ktri;
    if (used.algorithm === RSA_ENCRYPTION) return [{ ...attempt, oaep: undefined }];
    const oaep = experimental && used.algorithm === RSAES_OAEP ? oaepHash(used) : undefined;
    return oaep ? [{ ...attempt, oaep }] : [];
  });
  if (usable.length === 0) {
    const allowed = experimental ? "RSA PKCS#1 v1.5 or an OAEP of OFTP2" : "RSA PKCS#1 v1.5";
    throw new CygnetError("CYG_CMS_ALGORITHM", `the key of the envelope is not under ${allowed}`);
  }
  return usable;
}

/** Padding, for Node. */
function padded(oaep: Hash | undefined): { padding: number; oaepHash?: Hash } {
  return oaep
    ? { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: oaep }
    : { padding: constants.RSA_PKCS1_PADDING };
}

function wrap(key: Buffer, recipient: X509Certificate, oaep: Hash | undefined): Buffer {
  try {
    const { publicKey } = recipient;
    if (publicKey.asymmetricKeyType !== "rsa") throw new TypeError(`${publicKey.asymmetricKeyType} key`);
    return publicEncrypt({ key: publicKey, ...padded(oaep) }, key);
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
 * random octets for wrong padding (implicit rejection); what it throws for rests on public facts (length,
 * modulus), or is wrong OAEP, which says nothing beyond that.
 */
export function unwrap(
  { ktri, own, oaep }: Attempt,
  cipher: ContentCipher,
): { contentKey: Buffer; right: boolean } {
  const substitute = randomBytes(cipher.key);
  let found: Buffer;
  try {
    const wrapped = Buffer.from(ktri.encryptedKey.buffer);
    found = privateDecrypt({ key: own.key, ...padded(oaep) }, wrapped);
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
