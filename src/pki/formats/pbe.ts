/** Encryption by password as PKCS#12 files carry it: PBES2 (RFC 8018) and the older PBE of RFC 7292 with 3DES. */
import "reflect-metadata";
import { createDecipheriv, createHmac, hash, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import type { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import { CygnetError } from "../../platform/errors.ts";
import { Pbes2Params, Pbkdf2Params, Pkcs12PbeParams } from "./structures.ts";

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const HMAC_SHA1 = "1.2.840.113549.2.7";
const PRFS: Record<string, string> = {
  [HMAC_SHA1]: "sha1",
  "1.2.840.113549.2.8": "sha224",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};
const CIPHERS: Record<string, { name: string; key: number }> = {
  "1.2.840.113549.3.7": { name: "des-ede3-cbc", key: 24 },
  "2.16.840.1.101.3.4.1.2": { name: "aes-128-cbc", key: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "aes-192-cbc", key: 24 },
  "2.16.840.1.101.3.4.1.42": { name: "aes-256-cbc", key: 32 },
};
/** RFC 7292 appendix C: keys by SHA-1 and the derivation of appendix B. */
const OLDER: Record<string, { name: string; key: number }> = {
  "1.2.840.113549.1.12.1.3": { name: "des-ede3-cbc", key: 24 },
  "1.2.840.113549.1.12.1.4": { name: "des-ede-cbc", key: 16 },
};
const BROKEN: Record<string, string> = {
  "1.2.840.113549.1.12.1.1": "RC4-128",
  "1.2.840.113549.1.12.1.2": "RC4-40",
  "1.2.840.113549.1.12.1.5": "RC2-128",
  "1.2.840.113549.1.12.1.6": "RC2-40",
};
const HASHES: Record<string, { name: string; size: number; block: number }> = {
  "1.3.14.3.2.26": { name: "sha1", size: 20, block: 64 },
  "2.16.840.1.101.3.4.2.4": { name: "sha224", size: 28, block: 64 },
  "2.16.840.1.101.3.4.2.1": { name: "sha256", size: 32, block: 64 },
  "2.16.840.1.101.3.4.2.2": { name: "sha384", size: 48, block: 128 },
  "2.16.840.1.101.3.4.2.3": { name: "sha512", size: 64, block: 128 },
};
const SHA1 = "1.3.14.3.2.26";
/** More than any program asks for, and still seconds: the file may come from a stranger. */
const MOST_ROUNDS = { pbkdf2: 10_000_000, pkcs12: 1_000_000 };

/**
 * Decrypts what stands under a password.
 * Errors: CYG_PKI_PASSWORD when it does not open, CYG_PKI_ALGORITHM for one that is not supported.
 */
export async function decryptWithPassword(
  { algorithm, parameters }: AlgorithmIdentifier,
  octets: Uint8Array,
  password: string,
): Promise<Buffer> {
  const older = OLDER[algorithm];
  if (older !== undefined && parameters) {
    const { salt, iterations } = AsnConvert.parse(parameters, Pkcs12PbeParams);
    const derive = (purpose: 1 | 2, size: number) =>
      pkcs12Key(SHA1, password, Buffer.from(salt.buffer), iterations, purpose, size);
    return open(older.name, derive(1, older.key), derive(2, 8), octets);
  }
  if (algorithm !== PBES2 || !parameters) throw unsupported(algorithm);
  const { keyDerivationFunc, encryptionScheme } = AsnConvert.parse(parameters, Pbes2Params);
  if (keyDerivationFunc.algorithm !== PBKDF2 || !keyDerivationFunc.parameters)
    throw unsupported(keyDerivationFunc.algorithm);
  const { salt, iterations, prf } = AsnConvert.parse(keyDerivationFunc.parameters, Pbkdf2Params);
  const digest = PRFS[prf?.algorithm ?? HMAC_SHA1];
  const cipher = CIPHERS[encryptionScheme.algorithm];
  if (digest === undefined) throw unsupported(prf?.algorithm ?? "");
  if (cipher === undefined || !encryptionScheme.parameters) throw unsupported(encryptionScheme.algorithm);
  checkRounds(iterations, MOST_ROUNDS.pbkdf2);
  const iv = Buffer.from(AsnConvert.parse(encryptionScheme.parameters, OctetString).buffer);
  const key = await promisify(pbkdf2)(password, Buffer.from(salt.buffer), iterations, cipher.key, digest);
  return open(cipher.name, key, iv, octets);
}

function open(cipher: string, key: Buffer, iv: Buffer, octets: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decipher.update(octets), decipher.final()]);
  } catch (cause) {
    throw new CygnetError("CYG_PKI_PASSWORD", "has another password", { cause });
  }
}

/** True when the MAC of a PKCS#12 file is that of this password (RFC 7292 appendix B.4). Errors: CYG_PKI_ALGORITHM. */
export function macMatches(
  algorithm: string,
  mac: { salt: Buffer; iterations: number; digest: Buffer },
  octets: Uint8Array,
  password: string,
): boolean {
  const { name, size } = hashOf(algorithm);
  const key = pkcs12Key(algorithm, password, mac.salt, mac.iterations, 3, size);
  const made = createHmac(name, key).update(octets).digest();
  return made.length === mac.digest.length && timingSafeEqual(made, mac.digest);
}

/** Key derivation of RFC 7292 appendix B.2. Purpose 1: key, 2: IV, 3: MAC. */
function pkcs12Key(
  algorithm: string,
  password: string,
  salt: Buffer,
  iterations: number,
  purpose: 1 | 2 | 3,
  size: number,
): Buffer {
  checkRounds(iterations, MOST_ROUNDS.pkcs12);
  const { name, block } = hashOf(algorithm);
  // BMPString with its final zero character
  const characters = Buffer.from(`${password}\0`, "utf16le").swap16();
  const input = Buffer.concat([stretch(salt, block), stretch(characters, block)]);
  const key: Buffer[] = [];
  for (let have = 0; have < size; ) {
    let round: Buffer = Buffer.concat([Buffer.alloc(block, purpose), input]);
    for (let left = iterations; left > 0; left--) round = hash(name, round, "buffer");
    key.push(round);
    have += round.length;
    addToEach(input, stretch(round, block), block);
  }
  return Buffer.concat(key).subarray(0, size);
}

/** Repeated up to whole blocks; nothing stays nothing. */
function stretch(octets: Buffer, block: number): Buffer {
  const size = Math.ceil(octets.length / block) * block;
  return size === 0 ? Buffer.alloc(0) : Buffer.alloc(size, octets);
}

/** Each block of `input` plus `summand` plus one, as big-endian numbers, the carry out of a block dropped. */
function addToEach(input: Buffer, summand: Buffer, block: number): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1;
    for (let at = block - 1; at >= 0; at--) {
      carry += (input[start + at] as number) + (summand[at] as number);
      input[start + at] = carry & 0xff;
      carry >>= 8;
    }
  }
}

function hashOf(algorithm: string) {
  const found = HASHES[algorithm];
  if (found === undefined) throw unsupported(algorithm);
  return found;
}

function checkRounds(iterations: number, most: number): void {
  if (Number.isSafeInteger(iterations) && iterations > 0 && iterations <= most) return;
  throw new CygnetError(
    "CYG_PKI_ALGORITHM",
    `asks for ${iterations} rounds of its password; at most ${most} are made`,
  );
}

function unsupported(algorithm: string): CygnetError {
  const broken = BROKEN[algorithm];
  const what = broken
    ? `is encrypted with ${broken}, which is broken`
    : `uses the algorithm ${algorithm || "?"}`;
  return new CygnetError("CYG_PKI_ALGORITHM", `${what} and not supported here; ${CONVERT}`);
}

const CONVERT =
  'convert it with "openssl pkcs12 -legacy -in OLD.p12 -nodes | openssl pkcs12 -export -out NEW.p12"';
