/**
 * The cipher suites of OFTP2 (SFIDCIPH) and their content ciphers: 01 and 02 of RFC 5024 section 10.2, 03 to 06 of the
 * list of Odette. 07 is in the schema of Odette's parameter exchange only and 08 to 10 in one product: experimental.
 */
import { randomBytes } from "node:crypto";
import type { Hash } from "./hashes.ts";
import type { RsaScheme } from "./rsa-schemes.ts";

/** Content encryption: DES-EDE3-CBC with three keys, or AES-256-CBC. */
export type Suite = "3des" | "aes256";

/** SFIDCIPH of a file with security services. */
export type CipherSuite = "01" | "02" | "03" | "04" | "05" | "06" | "07" | "08" | "09" | "10";

/** The algorithms of a suite. */
export interface Algorithms {
  hash: Hash;
  cipher: Suite;
  rsa: RsaScheme;
}

export const CIPHER_SUITES: Readonly<Record<CipherSuite, Algorithms>> = {
  "01": { hash: "sha1", cipher: "3des", rsa: "pkcs1" },
  "02": { hash: "sha1", cipher: "aes256", rsa: "pkcs1" },
  "03": { hash: "sha256", cipher: "3des", rsa: "pkcs1" },
  "04": { hash: "sha256", cipher: "aes256", rsa: "pkcs1" },
  "05": { hash: "sha512", cipher: "3des", rsa: "pkcs1" },
  "06": { hash: "sha512", cipher: "aes256", rsa: "pkcs1" },
  "07": { hash: "sha3-512", cipher: "aes256", rsa: "pkcs1" },
  "08": { hash: "sha256", cipher: "aes256", rsa: "pss-oaep" },
  "09": { hash: "sha512", cipher: "aes256", rsa: "pss-oaep" },
  "10": { hash: "sha3-512", cipher: "aes256", rsa: "pss-oaep" },
};

const EXPERIMENTAL: readonly CipherSuite[] = ["07", "08", "09", "10"];

/**
 * The suite of an SFIDCIPH; undefined for one that does not exist, or that is experimental and not wanted.
 * @param ciph 0 to 99
 */
export function cipherSuite(ciph: number, experimental: boolean): CipherSuite | undefined {
  const suite = String(ciph).padStart(2, "0");
  if (!(suite in CIPHER_SUITES)) return undefined;
  return EXPERIMENTAL.includes(suite as CipherSuite) && !experimental ? undefined : (suite as CipherSuite);
}

export interface ContentCipher {
  /** Object identifier of the algorithm in CMS. */
  readonly oid: string;
  /** The name that OpenSSL has for it. */
  readonly name: string;
  /** Octets. */
  readonly key: number;
  /** Octets of a block, and of the initialisation vector. */
  readonly block: number;
}

export const CONTENT_CIPHERS: Readonly<Record<Suite, ContentCipher>> = {
  "3des": { oid: "1.2.840.113549.3.7", name: "des-ede3-cbc", key: 24, block: 8 },
  aes256: { oid: "2.16.840.1.101.3.4.1.42", name: "aes-256-cbc", key: 32, block: 16 },
};

/** The cipher with this object identifier; undefined for one that OFTP2 does not have. */
export function contentCipher(oid: string): ContentCipher | undefined {
  return Object.values(CONTENT_CIPHERS).find((each) => each.oid === oid);
}

/** The name of a content cipher. */
export function suiteOf(cipher: ContentCipher): Suite {
  return cipher === CONTENT_CIPHERS["3des"] ? "3des" : "aes256";
}

/** A new content-encryption key; DES keys with the odd parity that some receivers check. */
export function newContentKey(cipher: ContentCipher): Buffer {
  const key = randomBytes(cipher.key);
  return cipher.name.startsWith("des") ? (key.map(oddParity) as Buffer) : key;
}

function oddParity(octet: number): number {
  let ones = 0;
  for (let bit = 1; bit < 8; bit++) ones += (octet >> bit) & 1;
  return (octet & 0xfe) | (ones % 2 === 0 ? 1 : 0);
}
