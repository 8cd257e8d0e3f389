/** The hash algorithms of OFTP2's cipher suites, and RSA PKCS#1 v1.5 signatures over them (RFC 8017 section 8.2). */
import "reflect-metadata";
import { constants, type KeyObject, publicDecrypt } from "node:crypto";
import { DigestInfo } from "@peculiar/asn1-rsa";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";

/** As Node and OpenSSL call them. */
export type Hash = "sha1" | "sha256" | "sha512" | "sha3-512";

export interface HashAlgorithm {
  readonly oid: string;
  /** Object identifier of the signature algorithm that names this hash. */
  readonly signature: string;
  /** Octets of a digest. */
  readonly length: number;
}

export const HASHES: Readonly<Record<Hash, HashAlgorithm>> = {
  sha1: { oid: "1.3.14.3.2.26", signature: "1.2.840.113549.1.1.5", length: 20 },
  sha256: { oid: "2.16.840.1.101.3.4.2.1", signature: "1.2.840.113549.1.1.11", length: 32 },
  sha512: { oid: "2.16.840.1.101.3.4.2.3", signature: "1.2.840.113549.1.1.13", length: 64 },
  "sha3-512": { oid: "2.16.840.1.101.3.4.2.10", signature: "2.16.840.1.101.3.4.3.16", length: 64 },
};

/** In SignerInfo and KeyTransRecipientInfo alike. */
export const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";

const DER_NULL = Uint8Array.of(0x05, 0x00).buffer;

/** The hash with this object identifier; undefined for one that OFTP2 does not have. */
export function hashOf(oid: string): Hash | undefined {
  return (Object.keys(HASHES) as Hash[]).find((name) => HASHES[name].oid === oid);
}

/** An AlgorithmIdentifier with parameters NULL, as RSA has it (RFC 3370 section 3.2). */
export function rsaAlgorithm(oid: string): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: oid, parameters: DER_NULL });
}

/** An AlgorithmIdentifier without parameters, as hashes have it (RFC 5754 section 2). */
export function hashAlgorithm(hash: Hash): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: HASHES[hash].oid });
}

/** True when the signature is one over this digest by the owner of an RSA key. */
export function isSignature(signature: Buffer, hash: Hash, digest: Buffer, publicKey: KeyObject): boolean {
  if (publicKey.asymmetricKeyType !== "rsa") return false;
  let signed: Buffer;
  try {
    signed = publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return false; // wrong padding or length is nothing but a wrong signature
  }
  // the whole is compared, so nothing can hide in it; some products leave the NULL out (RFC 8017 appendix B.1)
  return [rsaAlgorithm(HASHES[hash].oid), hashAlgorithm(hash)].some((digestAlgorithm) =>
    signed.equals(digestInfo(digestAlgorithm, digest)),
  );
}

function digestInfo(digestAlgorithm: AlgorithmIdentifier, digest: Buffer): Buffer {
  const info = new DigestInfo({ digestAlgorithm, digest: new OctetString(new Uint8Array(digest).buffer) });
  return Buffer.from(AsnConvert.serialize(info));
}
