/** Content types of CMS (RFC 5652, RFC 3274), as names, numbers and octets. */
import { AsnObjectIdentifierConverter } from "@peculiar/asn1-schema";

export type ContentType = keyof typeof CONTENT_TYPES;

export const CONTENT_TYPES = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  envelopedData: "1.2.840.113549.1.7.3",
  compressedData: "1.2.840.113549.1.9.16.1.9",
} as const;

/** OBJECT IDENTIFIER with tag and length. */
export function objectIdentifier(oid: string): Buffer {
  return Buffer.from(AsnObjectIdentifierConverter.toASN(oid).toBER(false));
}

/** The name of a content type; for an unknown one its object identifier. */
export function contentTypeName(oid: string): string {
  const found = Object.entries(CONTENT_TYPES).find(([, number]) => number === oid);
  return found ? found[0] : oid;
}

/** Reads the contents of an OBJECT IDENTIFIER (X.690 section 8.19); "" for one that is none. */
export function readObjectIdentifier(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of content) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(Math.floor(arc / 40), 2);
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

/** True when octets begin as a ContentInfo of signed, compressed or enveloped data does; 32 octets are enough. */
export function looksEnveloped(octets: Buffer): boolean {
  // SEQUENCE, a length of any form, then the object identifier
  if (octets[0] !== 0x30) return false;
  const first = octets[1] ?? 0;
  const more = first < 0x80 ? 0 : first & 0x7f;
  const rest = octets.subarray(2 + more);
  const { data: _, ...layers } = CONTENT_TYPES;
  return Object.values(layers).some((oid) => {
    const wanted = objectIdentifier(oid);
    return rest.subarray(0, wanted.length).equals(wanted);
  });
}
