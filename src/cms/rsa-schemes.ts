/**
 * The younger ways to use RSA, of cipher suites 08 to 10: RSASSA-PSS signatures (RFC 8017 section 8.1, RFC 4056) and
 * RSAES-OAEP key transport (RFC 8017 section 7.1, RFC 3560), always with MGF1 over the hash of the suite.
 */
import "reflect-metadata";
import { constants, createHash, type KeyObject, publicDecrypt } from "node:crypto";
import {
  id_mgf1,
  id_pSpecified,
  id_RSAES_OAEP,
  id_RSASSA_PSS,
  pSpecifiedEmpty,
  RsaEsOaepParams,
  RsaSaPssParams,
} from "@peculiar/asn1-rsa";
import { AsnConvert, AsnParser, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { HASHES, type Hash, hashAlgorithm, hashOf, rsaAlgorithm } from "./hashes.ts";

/** How RSA is used by a cipher suite: PKCS#1 v1.5 for both, or PSS to sign and OAEP to encrypt. */
export type RsaScheme = "pkcs1" | "pss-oaep";

export { id_RSAES_OAEP as RSAES_OAEP, id_RSASSA_PSS as RSASSA_PSS };

const LIMITS = { berOptions: { maxDepth: 16, maxNodes: 100, maxContentLength: 1_024 } };

function mgf1(hash: Hash): AlgorithmIdentifier {
  return new AlgorithmIdentifier({
    algorithm: id_mgf1,
    parameters: AsnConvert.serialize(rsaAlgorithm(HASHES[hash].oid)),
  });
}

/** The signature algorithm; a salt as long as the hash (RFC 4056 section 3). */
export function pssAlgorithm(hash: Hash): AlgorithmIdentifier {
  const params = new RsaSaPssParams({
    hashAlgorithm: rsaAlgorithm(HASHES[hash].oid),
    maskGenAlgorithm: mgf1(hash),
    saltLength: HASHES[hash].length,
  });
  return new AlgorithmIdentifier({ algorithm: id_RSASSA_PSS, parameters: AsnConvert.serialize(params) });
}

/** The key transport algorithm, with an empty label. */
export function oaepAlgorithm(hash: Hash): AlgorithmIdentifier {
  const params = new RsaEsOaepParams({
    hashAlgorithm: hashAlgorithm(hash),
    maskGenAlgorithm: new AlgorithmIdentifier({
      algorithm: id_mgf1,
      parameters: AsnConvert.serialize(hashAlgorithm(hash)),
    }),
  });
  return new AlgorithmIdentifier({ algorithm: id_RSAES_OAEP, parameters: AsnConvert.serialize(params) });
}

/** Octets of the salt when the parameters are for this hash throughout; undefined otherwise. */
export function pssSalt({ parameters }: AlgorithmIdentifier, hash: Hash): number | undefined {
  try {
    const params = AsnParser.parse(parameters ?? new ArrayBuffer(0), RsaSaPssParams, LIMITS);
    const { hashAlgorithm: used, maskGenAlgorithm, saltLength, trailerField } = params;
    const fits = hashOf(used.algorithm) === hash && masksWith(maskGenAlgorithm) === hash;
    return fits && trailerField === 1 && saltLength >= 0 ? saltLength : undefined;
  } catch {
    return undefined; // parameters that nobody can read are not those of a suite
  }
}

/** The hash of OAEP parameters that use one hash throughout and no label; undefined for others. */
export function oaepHash({ parameters }: AlgorithmIdentifier): Hash | undefined {
  try {
    const params = AsnParser.parse(parameters ?? new ArrayBuffer(0), RsaEsOaepParams, LIMITS);
    const { hashAlgorithm: used, maskGenAlgorithm, pSourceAlgorithm: label } = params;
    const hash = hashOf(used.algorithm);
    if (masksWith(maskGenAlgorithm) !== hash) return undefined;
    if (label.isEqual(pSpecifiedEmpty)) return hash; // left out: the library has a default of its own for it
    if (label.algorithm !== id_pSpecified) return undefined;
    const { byteLength } = AsnParser.parse(label.parameters ?? new ArrayBuffer(0), OctetString, LIMITS);
    return byteLength === 0 ? hash : undefined;
  } catch {
    return undefined;
  }
}

function masksWith({ algorithm, parameters }: AlgorithmIdentifier): Hash | undefined {
  if (algorithm !== id_mgf1) return undefined;
  return hashOf(AsnParser.parse(parameters ?? new ArrayBuffer(0), AlgorithmIdentifier, LIMITS).algorithm);
}

/**
 * True when the signature is a PSS one over this digest by the owner of an RSA key. Node verifies PSS over content
 * only, and content has streamed past when its signature comes: so this is EMSA-PSS-VERIFY (RFC 8017 section 9.1.2).
 * @param salt octets
 */
export function isPssSignature(
  signature: Buffer,
  { hash, salt }: { hash: Hash; salt: number },
  digest: Buffer,
  publicKey: KeyObject,
): boolean {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength;
  if (publicKey.asymmetricKeyType !== "rsa" || bits === undefined) return false;
  if (signature.length !== Math.ceil(bits / 8)) return false;
  let message: Buffer;
  try {
    message = publicDecrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    return false; // a number above the modulus is nothing but a wrong signature
  }
  // the message has one bit less than the modulus
  const spare = (bits - 1) % 8;
  if (spare === 0) {
    if (message[0] !== 0) return false;
    message = message.subarray(1);
  }
  const { length } = HASHES[hash];
  const masked = message.length - length - 1;
  if (masked < salt + 1 || message.at(-1) !== 0xbc) return false;
  const allowed = spare === 0 ? 0xff : 0xff >> (8 - spare);
  if (((message[0] as number) & ~allowed) !== 0) return false;
  const h = message.subarray(masked, masked + length);
  const block = Buffer.from(message.subarray(0, masked));
  for (const [at, octet] of mask(h, masked, hash).entries())
    block.writeUInt8((block[at] as number) ^ octet, at);
  block.writeUInt8((block[0] as number) & allowed, 0);
  const padding = masked - salt - 1;
  if (block.subarray(0, padding).some((octet) => octet !== 0) || block[padding] !== 1) return false;
  const again = createHash(hash)
    .update(Buffer.alloc(8))
    .update(digest)
    .update(block.subarray(padding + 1));
  return again.digest().equals(h);
}

/** MGF1 (RFC 8017 appendix B.2.1). */
function mask(seed: Buffer, length: number, hash: Hash): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0; counter * HASHES[hash].length < length; counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    parts.push(createHash(hash).update(seed).update(count).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}
