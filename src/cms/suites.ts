/**
 * The cipher suites of OFTP2 (SFIDCIPH; RFC 5024 section 10.2 and the list of Odette), and their content ciphers:
 * odd codes use 3DES, even ones AES. All of them use RSA PKCS#1 v1.5.
 */
import { randomBytes } from "node:crypto";
import type { Hash } from "./hashes.ts";

/** Content encryption: DES-EDE3-CBC with three keys, or AES-256-CBC. */
export type Suite = "3des" | "aes256";

/** SFIDCIPH of a file with security services. */
export type CipherSuite = "01" | "02" | "03" | "04" | "05" | "06";

export const CIPHER_SUITES: Readonly<Record<CipherSuite, { hash: Hash; cipher: Suite }>> = {
  "01": { hash: "sha1", cipher: "3des" },
  "02": { hash: "sha1", cipher: "aes256" },
  "03": { hash: "sha256", cipher: "3des" },
  "04": { hash: "sha256", cipher: "aes256" },
  "05": { hash: "sha512", cipher: "3des" },
  "06": { hash: "sha512", cipher: "aes256" },
};

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
