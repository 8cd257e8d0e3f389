/** One signature of a SignedData (SignerInfo; RFC 5652 sections 5.3 to 5.6): made, and judged. */
import "reflect-metadata";
import { constants, createHash, type KeyObject, sign, type X509Certificate } from "node:crypto";
import {
  Attribute,
  CMSVersion,
  DigestAlgorithmIdentifier,
  IssuerAndSerialNumber,
  SignatureAlgorithmIdentifier,
  SignerIdentifier,
  SignerInfo,
} from "@peculiar/asn1-cms";
import { AsnConvert, AsnParser, AsnUTCTimeConverter, OctetString } from "@peculiar/asn1-schema";
import type { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { CygnetError } from "../platform/errors.ts";
import { encoded, malformed, members } from "./ber.ts";
import { CONTENT_TYPES, objectIdentifier, readObjectIdentifier } from "./content-types.ts";
import {
  HASHES,
  type Hash,
  hashAlgorithm,
  hashOf,
  isSignature,
  RSA_ENCRYPTION,
  rsaAlgorithm,
} from "./hashes.ts";
import { describeRecipient, type Identity, identityOf, means } from "./recipient.ts";
import { isPssSignature, pssAlgorithm, pssSalt, RSASSA_PSS, type RsaScheme } from "./rsa-schemes.ts";
import { octets } from "./transport.ts";

/** Who signs, with what. */
export interface Signing {
  certificate: X509Certificate;
  /** The RSA key of the certificate. */
  key: KeyObject;
  hash: Hash;
  /** PKCS#1 v1.5 without it. */
  rsa?: RsaScheme;
}

const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_TIME = "1.2.840.113549.1.9.5";
const OBJECT_IDENTIFIER = 0x06;
const SET = 0x31;
/** Where the SET stands in SignerInfo, [0] IMPLICIT. */
const SIGNED_ATTRIBUTES = 0xa0;
const LIMITS = { berOptions: { maxDepth: 32, maxNodes: 4_000, maxContentLength: 65_535 } };

/** Octets of a signature by this key. @throws CygnetError CYG_CMS_CERTIFICATE */
export function signatureSize({ certificate, key }: Signing): number {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType !== "rsa" || bits === undefined || !certificate.checkPrivateKey(key)) {
    throw new CygnetError("CYG_CMS_CERTIFICATE", "signing needs a certificate with its RSA key");
  }
  return Math.ceil(bits / 8);
}

/** What is signed for a content: its type, the time and its digest. */
export interface SignedAttributes {
  /** In the order of DER. */
  list: readonly Attribute[];
  /** DER of the SET OF, which is what the signature is made over. */
  set: Buffer;
}

/** Their size depends on the hash alone. */
export function signedAttributes(digest: Buffer, time: Date): SignedAttributes {
  const values: [string, ArrayBuffer][] = [
    [CONTENT_TYPE, octets(objectIdentifier(CONTENT_TYPES.data))],
    [SIGNING_TIME, AsnUTCTimeConverter.toASN(time).toBER(false)],
    [MESSAGE_DIGEST, AsnConvert.serialize(new OctetString(octets(digest)))],
  ];
  const list = values
    .map(([attrType, value]) => new Attribute({ attrType, attrValues: [value] }))
    .toSorted((a, b) => Buffer.compare(der(a), der(b)));
  return { list, set: setOf(list.map(der)) };
}

/** The RSA signature over signed attributes. */
export function signAttributes({ set }: SignedAttributes, { hash, key, rsa }: Signing): Buffer {
  if (rsa !== "pss-oaep") return sign(hash, set, key);
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return sign(hash, set, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

/** A SignerInfo, DER. */
export function signerInfo(
  { certificate, hash, rsa }: Signing,
  attributes: SignedAttributes,
  signature: Buffer,
): Buffer {
  const { issuer, serialNumber } = identityOf(certificate);
  const info = new SignerInfo({
    version: CMSVersion.v1,
    sid: new SignerIdentifier({
      issuerAndSerialNumber: new IssuerAndSerialNumber({ issuer, serialNumber: octets(serialNumber) }),
    }),
    digestAlgorithm: new DigestAlgorithmIdentifier(hashAlgorithm(hash)),
    signedAttrs: [...attributes.list],
    signatureAlgorithm: new SignatureAlgorithmIdentifier(
      rsa === "pss-oaep" ? pssAlgorithm(hash) : rsaAlgorithm(RSA_ENCRYPTION),
    ),
    signature: new OctetString(octets(signature)),
  });
  return Buffer.from(AsnConvert.serialize(info));
}

const der = (attribute: Attribute): Buffer => Buffer.from(AsnConvert.serialize(attribute));

const setOf = (attributes: readonly Buffer[]): Buffer =>
  encoded({ tag: SET, content: Buffer.concat(attributes.toSorted(Buffer.compare)) });

/** A certificate that may have signed. */
export interface Signer {
  certificate: X509Certificate;
  identity: Identity;
}

/** What became of one signature. `who` is safe to log. */
export type Judgement =
  | { good: true; who: string; certificate: X509Certificate; hash: Hash; rsa: RsaScheme; attributes: boolean }
  | { good: false; who: string; why: string };

/** Who may have signed, and how. */
export interface Allowed {
  signers: readonly Signer[];
  /** The algorithms of the experimental cipher suites too. */
  experimental: boolean;
}

/**
 * Judges one SignerInfo.
 * @param info definite lengths
 * @param digests of the content, by each hash that the SignedData announced
 * @param contentType of the content
 * @throws CygnetError CYG_CMS_FORMAT
 */
export function judge(
  info: Buffer,
  digests: ReadonlyMap<Hash, Buffer>,
  contentType: string,
  { signers, experimental }: Allowed,
): Judgement {
  let parsed: SignerInfo;
  try {
    parsed = AsnParser.parse(octets(info), SignerInfo, LIMITS);
  } catch (cause) {
    throw malformed("has a signature that cannot be read", cause);
  }
  const who = describeRecipient(parsed.sid);
  const bad = (why: string): Judgement => ({ good: false, who, why });
  const hash = hashOf(parsed.digestAlgorithm.algorithm);
  if (hash === undefined || (hash === "sha3-512" && !experimental)) {
    return bad(`hash ${parsed.digestAlgorithm.algorithm} is none of those allowed`);
  }
  const method = checkOf(parsed.signatureAlgorithm, hash, experimental);
  if (!method) {
    return bad(`signature algorithm ${parsed.signatureAlgorithm.algorithm} is none of those allowed`);
  }
  const digest = digests.get(hash);
  if (digest === undefined) return bad(`${hash} was not announced before the content`);
  const possible = signers.filter(({ identity }) => means(parsed.sid, identity));
  if (possible.length === 0) return bad("not one of the partner's certificates");
  const signed = whatIsSigned(info, parsed.signedAttrs, hash, digest, contentType);
  if (typeof signed === "string") return bad(signed);
  const signature = Buffer.from(parsed.signature.buffer);
  for (const { certificate } of possible) {
    if (signed.some((each) => method.check(signature, each, certificate.publicKey))) {
      const { rsa } = method;
      return { good: true, who, certificate, hash, rsa, attributes: parsed.signedAttrs !== undefined };
    }
  }
  return bad("the signature is not one by this certificate");
}

/** How a signature by this algorithm is checked; undefined when it is not allowed. */
function checkOf(
  used: AlgorithmIdentifier,
  hash: Hash,
  experimental: boolean,
): { rsa: RsaScheme; check(signature: Buffer, digest: Buffer, key: KeyObject): boolean } | undefined {
  if (used.algorithm === RSA_ENCRYPTION || used.algorithm === HASHES[hash].signature) {
    return { rsa: "pkcs1", check: (signature, digest, key) => isSignature(signature, hash, digest, key) };
  }
  const salt = experimental && used.algorithm === RSASSA_PSS ? pssSalt(used, hash) : undefined;
  if (salt === undefined) return undefined;
  return {
    rsa: "pss-oaep",
    check: (signature, digest, key) => isPssSignature(signature, { hash, salt }, digest, key),
  };
}

/** Digests of which one has to be signed: of the content, or of the attributes that name it; else what is wrong. */
function whatIsSigned(
  info: Buffer,
  attributes: readonly Attribute[] | undefined,
  hash: Hash,
  digest: Buffer,
  contentType: string,
): Buffer[] | string {
  const sent = members(info).find((each) => each[0] === SIGNED_ATTRIBUTES);
  if (attributes === undefined && sent === undefined) return [digest];
  if (attributes === undefined || sent === undefined) return "the signed attributes cannot be read";
  const only = (type: string): Buffer | undefined => {
    const [first, second] = attributes.filter(({ attrType }) => attrType === type);
    const [value, another] = first?.attrValues ?? [];
    return second || another || !value ? undefined : Buffer.from(value);
  };
  const type = only(CONTENT_TYPE);
  const stated = only(MESSAGE_DIGEST);
  if (!type || !stated) return "the signed attributes are not complete";
  if (type[0] !== OBJECT_IDENTIFIER || readObjectIdentifier(type.subarray(2)) !== contentType) {
    return "the signed attributes are for content of another type";
  }
  if (!stated.equals(encoded({ tag: 0x04, content: digest }))) {
    return "the content is not the one that was signed";
  }
  // signed is the DER of the set, which sorts; some products sign, and send, their own order
  const asSent = Buffer.concat([Buffer.from([SET]), sent.subarray(1)]);
  return [asSent, setOf(members(sent))].map((set) => createHash(hash).update(set).digest());
}

/** Certificates with what a SignerInfo may say to mean them. @throws CygnetError CYG_CMS_CERTIFICATE */
export function signersOf(certificates: readonly X509Certificate[]): Signer[] {
  return certificates.map((certificate) => ({ certificate, identity: identityOf(certificate) }));
}
