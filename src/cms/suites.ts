/** The two content ciphers of OFTP2 (RFC 5024 section 10.2): odd SFIDCIPH codes use 3DES, even ones AES. */
import { randomBytes } from "node:crypto";

/** Content encryption: DES-EDE3-CBC with three keys, or AES-256-CBC. */
export type Suite = "3des" | "aes256";

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
