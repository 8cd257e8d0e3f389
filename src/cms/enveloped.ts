/**
 * CMS EnvelopedData for small content in memory (RFC 5652 section 6 as RFC 5024 sections 4.2.4 and 10.2 use it):
 * RSA PKCS#1 v1.5 key transport, content under DES-EDE3-CBC or AES-256-CBC.
 *
 * Invariants
 * - Whatever is wrong behind the structure of an envelope (encrypted key, padding, content) is one and the same
 *   error, and the same work is done on the way to it: a partner learns nothing about our keys from trying.
 */
import "reflect-metadata";
import { createCipheriv, createDecipheriv, randomBytes, type X509Certificate } from "node:crypto";
import {
  CMSVersion,
  ContentEncryptionAlgorithmIdentifier,
  ContentInfo,
  EncryptedContent,
  EncryptedContentInfo,
  EnvelopedData,
  id_data,
  id_envelopedData,
  RecipientInfos,
} from "@peculiar/asn1-cms";
import { AsnConvert, AsnParser, OctetString } from "@peculiar/asn1-schema";
import { CygnetError } from "../platform/errors.ts";
import { definite } from "./ber.ts";
import { paddingOf } from "./padding.ts";
import { CONTENT_CIPHERS, type ContentCipher, contentCipher, newContentKey, type Suite } from "./suites.ts";
import { attempts, octets, type RecipientKey, transport, unwrap } from "./transport.ts";

export type { RecipientKey } from "./transport.ts";

/** Longest envelope, octets: what AUCHCHLL can announce. */
export const LARGEST_ENVELOPE = 65_535;

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
  const recipientInfo = transport(key, recipient);
  const sealed = createCipheriv(cipher.name, key, iv);
  const encrypted = Buffer.concat([sealed.update(content), sealed.final()]);
  const enveloped = new EnvelopedData({
    version: CMSVersion.v0,
    recipientInfos: new RecipientInfos([recipientInfo]),
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
  for (const attempt of attempts(recipientInfos, keys)) {
    const { contentKey, right } = unwrap(attempt, cipher);
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

/** Decrypts and takes the padding off. */
function decrypt(cipher: ContentCipher, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  const machine = createDecipheriv(cipher.name, key, iv).setAutoPadding(false);
  const content = Buffer.concat([machine.update(encrypted), machine.final()]);
  const padding = paddingOf(content, cipher.block);
  return padding === undefined ? undefined : content.subarray(0, content.length - padding);
}

function malformed(text: string, cause?: unknown): CygnetError {
  return new CygnetError("CYG_CMS_FORMAT", text, cause === undefined ? undefined : { cause });
}
