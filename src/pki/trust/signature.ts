/** Signatures on certificates, lists of revoked certificates and OCSP answers: which algorithms count, and are they good. */
import "reflect-metadata";
import { constants, type KeyObject, verify } from "node:crypto";
import { RsaSaPssParams } from "@peculiar/asn1-rsa";
import { AsnConvert } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";

/** What is wrong with a signature: it does not verify, its algorithm can be forged, or it is not known here. */
export type SignatureProblem = "bad" | "weak" | "unknown";

interface Algorithm {
  key: readonly string[];
  /** null: the key type decides. */
  hash: string | null;
}

const RSA = ["rsa"];
const EC = ["ec"];
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  "1.2.840.113549.1.1.11": { key: RSA, hash: "sha256" },
  "1.2.840.113549.1.1.12": { key: RSA, hash: "sha384" },
  "1.2.840.113549.1.1.13": { key: RSA, hash: "sha512" },
  "1.2.840.10045.4.3.2": { key: EC, hash: "sha256" },
  "1.2.840.10045.4.3.3": { key: EC, hash: "sha384" },
  "1.2.840.10045.4.3.4": { key: EC, hash: "sha512" },
  "1.3.101.112": { key: ["ed25519"], hash: null },
  "1.3.101.113": { key: ["ed448"], hash: null },
};
const PSS = "1.2.840.113549.1.1.10";
const PSS_HASHES: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
/** MD2, MD4, MD5 and SHA-1 with RSA, DSA and ECDSA: collisions can be made. */
const WEAK = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.3",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.3.14.3.2.29",
  "1.2.840.10040.4.3",
  "1.2.840.10045.4.1",
]);
const SHA1 = "1.3.14.3.2.26";

/**
 * Verifies a signature.
 * @param algorithm DER of the AlgorithmIdentifier
 * @returns undefined when it is good
 */
export function signatureProblem(
  signed: Buffer,
  algorithm: Buffer,
  signature: Buffer,
  key: KeyObject,
): SignatureProblem | undefined {
  try {
    const how = methodOf(algorithm);
    if (typeof how === "string") return how;
    if (!how.key.includes(key.asymmetricKeyType ?? "")) return "bad";
    return verify(how.hash, signed, { key, ...how.options }, signature) ? undefined : "bad";
  } catch {
    return "bad"; // whatever OpenSSL cannot make sense of is no good signature
  }
}

function methodOf(der: Buffer): SignatureProblem | (Algorithm & { options: object }) {
  const { algorithm, parameters } = AsnConvert.parse(der, AlgorithmIdentifier);
  if (WEAK.has(algorithm)) return "weak";
  if (algorithm !== PSS) {
    const known = ALGORITHMS[algorithm];
    return known ? { ...known, options: {} } : "unknown";
  }
  const params = parameters ? AsnConvert.parse(parameters, RsaSaPssParams) : new RsaSaPssParams();
  const digest = params.hashAlgorithm.algorithm;
  if (digest === SHA1) return "weak";
  const hash = PSS_HASHES[digest];
  if (hash === undefined) return "unknown";
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: params.saltLength };
  return { key: ["rsa", "rsa-pss"], hash, options };
}

/** RSA below 2048 bits, curves below 256 bits and other kinds of keys: why, or undefined for a key that is good. */
export function keyProblem(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "rsa" || type === "rsa-pss") {
    const length = details?.modulusLength ?? 0;
    return length >= 2048 ? undefined : `its RSA key has ${length} bits, at least 2048 are needed`;
  }
  if (type === "ec") {
    const curve = details?.namedCurve ?? "of its own";
    return CURVES.has(curve)
      ? undefined
      : `its key is on the curve ${curve}; P-256, P-384 or P-521 is needed`;
  }
  if (type === "ed25519" || type === "ed448") return undefined;
  return `keys of type ${type ?? "unknown"} are not supported`;
}

const CURVES = new Set([
  "prime256v1",
  "secp384r1",
  "secp521r1",
  "brainpoolP256r1",
  "brainpoolP384r1",
  "brainpoolP512r1",
]);
