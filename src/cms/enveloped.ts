/**
 * CMS EnvelopedData for small content in memory (RFC 5652 section 6 as RFC 5024 sections 4.2.4 and 10.2 use it):
 * RSA PKCS#1 v1.5 key transport, content under DES-EDE3-CBC or AES-256-CBC.
 *
 * Invariants
 * - Whatever is wrong behind the structure of an envelope (encrypted key, padding, content) is one and the same
 *   error, and the same work is done on the way to it: a partner learns nothing about our keys from trying.
 * - No more than `MOST_ATTEMPTS` private-key operations are done for one envelope.
 */
import "reflect-metadata";
import {
  constants,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type X509Certificate,
} from "node:crypto";
import {
  CMSVersion,
  ContentEncryptionAlgorithmIdentifier,
  ContentInfo,
  EncryptedContent,
  EncryptedContentInfo,
  EnvelopedData,
  IssuerAndSerialNumber,
  id_data,
  id_envelopedData,
  KeyEncryptionAlgorithmIdentifier,
  KeyTransRecipientInfo,
  RecipientIdentifier,
  RecipientInfo,
  RecipientInfos,
} from "@peculiar/asn1-cms";
import { AsnConvert, AsnParser, OctetString } from "@peculiar/asn1-schema";
import { CygnetError } from "../platform/errors.ts";
import { definite } from "./ber.ts";
import { describeRecipient, identityOf, means } from "./recipient.ts";
import { CONTENT_CIPHERS, type ContentCipher, contentCipher, newContentKey, type Suite } from "./suites.ts";

/** A certificate of ours and its private key. */
export interface RecipientKey {
  certificate: X509Certificate;
  key: KeyObject;
}

/** Longest envelope, octets: what AUCHCHLL can announce. */
export const LARGEST_ENVELOPE = 65_535;

const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
const DER_NULL = Buffer.from("0500", "hex");
const MOST_ATTEMPTS = 8;
/** Bounds for what the parser may be led into; real envelopes have a depth of 10 and some dozens of nodes. */
const LIMITS = { berOptions: { maxDepth: 32, maxNodes: 4_000, maxContentLength: LARGEST_ENVELOPE } };

/**
 * Envelops content for one recipient: a DER ContentInfo with issuerAndSerialNumber.
 * @throws CygnetError CYG_CMS_CERTIFICATE for a certificate whose key cannot be used, CYG_CMS_SIZE
 */
export function envelop(content: Buffer, recipient: X509Certificate, suite: Suite): Buffer {
  const cipher = CONTENT_CIPHERS[suite];
  const key = newContentKey(cipher);
  const iv = randomBytes(cipher.block);
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
    encryptedKey: new OctetString(octets(wrap(key, recipient))),
  });
  const sealed = createCipheriv(cipher.name, key, iv);
  const encrypted = Buffer.concat([sealed.update(content), sealed.final()]);
  const enveloped = new EnvelopedData({
    version: CMSVersion.v0,
    recipientInfos: new RecipientInfos([new RecipientInfo({ ktri })]),
    encryptedContentInfo: new EncryptedContentInfo({
      contentType: id_data,
      contentEncryptionAlgorithm: new ContentEncryptionAlgorithmIdentifier({
        algorithm: cipher.oid,
        parameters: AsnConvert.serialize(new OctetString(octets(iv))),
      }),
      encryptedContent: new EncryptedContent({ value: new OctetString(octets(encrypted)) }),
    }),
  });
  const info = new ContentInfo({ contentType: id_envelopedData, content: AsnConvert.serialize(enveloped) });
  const envelope = Buffer.from(AsnConvert.serialize(info));
  if (envelope.length > LARGEST_ENVELOPE) {
    throw new CygnetError("CYG_CMS_SIZE", `an envelope of ${envelope.length} octets is too long`);
  }
  return envelope;
}

/**
 * Opens an envelope with whichever of the keys it is for. DER and BER are accepted, octets behind the ContentInfo
 * are ignored; the type of the content is not looked at.
 * @throws CygnetError CYG_CMS_FORMAT (not an envelope), CYG_CMS_ALGORITHM (a cipher that OFTP2 does not have),
 * CYG_CMS_RECIPIENT (for none of the keys), CYG_CMS_DECRYPT (everything else, without a cause)
 */
export function open(cms: Buffer, keys: readonly RecipientKey[]): Buffer {
  const { recipientInfos, encryptedContentInfo } = parse(cms);
  const { cipher, iv, encrypted } = contentOf(encryptedContentInfo);
  let opened: Buffer | undefined;
  // all attempts are made, whichever succeeds
  for (const { ktri, key } of attempts(recipientInfos, keys)) {
    const { contentKey, right } = unwrap(Buffer.from(ktri.encryptedKey.buffer), key, cipher);
    const content = decrypt(cipher, contentKey, iv, encrypted);
    if (right && content !== undefined) opened ??= content;
  }
  if (opened === undefined) throw new CygnetError("CYG_CMS_DECRYPT", "the envelope cannot be decrypted");
  return opened;
}

function parse(cms: Buffer): EnvelopedData {
  if (cms.length > LARGEST_ENVELOPE) throw malformed(`${cms.length} octets are too long for an envelope`);
  const plain = definite(cms);
  let info: ContentInfo;
  let enveloped: EnvelopedData | undefined;
  try {
    info = AsnParser.parse(octets(plain), ContentInfo, LIMITS);
    if (info.contentType === id_envelopedData) {
      enveloped = AsnParser.parse(info.content, EnvelopedData, LIMITS);
    }
  } catch (cause) {
    throw malformed("the envelope is not readable as CMS", cause);
  }
  if (enveloped === undefined) throw malformed(`CMS content of type ${info.contentType} is not an envelope`);
  return enveloped;
}

/** The encrypted content: primitive, or in the pieces of a constructed octet string. */
function contentOf(info: EncryptedContentInfo): { cipher: ContentCipher; iv: Buffer; encrypted: Buffer } {
  const { algorithm, parameters } = info.contentEncryptionAlgorithm;
  const cipher = contentCipher(algorithm);
  if (!cipher) {
    throw new CygnetError("CYG_CMS_ALGORITHM", `content cipher ${algorithm} is neither 3DES nor AES-256`);
  }
  let iv: Buffer;
  try {
    iv = Buffer.from(AsnParser.parse(parameters ?? new ArrayBuffer(0), OctetString, LIMITS).buffer);
  } catch (cause) {
    throw malformed("the initialisation vector is not readable", cause);
  }
  const { value, constructedValue = [] } = info.encryptedContent ?? {};
  const pieces = value ? [value] : constructedValue;
  const encrypted = Buffer.concat(pieces.map((each) => Buffer.from(each.buffer)));
  if (iv.length !== cipher.block || encrypted.length === 0 || encrypted.length % cipher.block !== 0) {
    throw malformed("the encrypted content is not made of whole blocks");
  }
  return { cipher, iv, encrypted };
}

interface Attempt {
  ktri: KeyTransRecipientInfo;
  key: KeyObject;
}

/** Every recipient of the envelope with every key of ours that it means. */
function attempts(infos: RecipientInfos, keys: readonly RecipientKey[]): Attempt[] {
  const own = keys.map(({ certificate, key }) => ({ identity: identityOf(certificate), key }));
  const transports = infos.map(({ ktri }) => ktri).filter((ktri) => ktri !== undefined);
  const found = transports.flatMap((ktri) =>
    own.filter(({ identity }) => means(ktri.rid, identity)).map(({ key }) => ({ ktri, key })),
  );
  if (found.length === 0) {
    const named = transports.slice(0, 4).map(({ rid }) => describeRecipient(rid));
    const whom = named.length > 0 ? named.join(", ") : "no key of a certificate";
    throw new CygnetError("CYG_CMS_RECIPIENT", `the envelope is for ${whom}, which is none of ours`);
  }
  if (found.length > MOST_ATTEMPTS) throw malformed("the envelope names us too often");
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
function unwrap(
  wrapped: Buffer,
  key: KeyObject,
  cipher: ContentCipher,
): { contentKey: Buffer; right: boolean } {
  const substitute = randomBytes(cipher.key);
  let found: Buffer;
  try {
    found = privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, wrapped);
  } catch {
    found = Buffer.alloc(0);
  }
  const right = found.length === cipher.key;
  return { contentKey: right ? found : substitute, right };
}

/** Decrypts and takes the PKCS#7 padding off, looking at the whole last block whatever it holds. */
function decrypt(cipher: ContentCipher, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  const machine = createDecipheriv(cipher.name, key, iv).setAutoPadding(false);
  const content = Buffer.concat([machine.update(encrypted), machine.final()]);
  const count = content[content.length - 1] as number;
  let wrong = Number(count === 0) | Number(count > cipher.block);
  for (let back = 1; back <= cipher.block; back++) {
    wrong |= Number(back <= count) & Number(content[content.length - back] !== count);
  }
  return wrong === 0 ? content.subarray(0, content.length - count) : undefined;
}

function malformed(text: string, cause?: unknown): CygnetError {
  return new CygnetError("CYG_CMS_FORMAT", text, cause === undefined ? undefined : { cause });
}

/** The octets in an ArrayBuffer of their own, as the ASN.1 library wants them. */
function octets(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
