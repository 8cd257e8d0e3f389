/** What a certificate says its key may do (RFC 5280 4.2.1.3), and what follows for its use here (RFC 5024, RFC 3852). */
import "reflect-metadata";
import type { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, id_ce_keyUsage, KeyUsage } from "@peculiar/asn1-x509";
import { CygnetError } from "../platform/errors.ts";
import type { Usage } from "./usage.ts";

/** Names of RFC 5280, in the order of the bits. */
const BITS = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsageBit = (typeof BITS)[number];

const SIGNS: readonly KeyUsageBit[] = ["digitalSignature", "nonRepudiation"];
/** A challenge is an envelope (RFC 5024 section 7.2), so authentication unwraps keys as decryption does. */
const UNWRAPS: readonly KeyUsageBit[] = ["keyEncipherment", "dataEncipherment"];

/** One of these bits has to be there. A trust anchor is taken for its key, whatever else it says: no entry. */
const NEEDED: Partial<Record<Usage, readonly KeyUsageBit[]>> = {
  tls: ["digitalSignature", "keyEncipherment", "keyAgreement"],
  sign: SIGNS,
  receipt: SIGNS,
  encrypt: UNWRAPS,
  decrypt: UNWRAPS,
  auth: UNWRAPS,
};

const known = new WeakMap<X509Certificate, readonly KeyUsageBit[] | null>();

/** The bits of the KeyUsage extension; null without one. Errors: CYG_PKI_CERTIFICATE for an extension that is none. */
export function keyUsageOf(certificate: X509Certificate): readonly KeyUsageBit[] | null {
  let bits = known.get(certificate);
  if (bits === undefined) {
    bits = read(certificate);
    known.set(certificate, bits);
  }
  return bits;
}

function read(certificate: X509Certificate): readonly KeyUsageBit[] | null {
  try {
    const { tbsCertificate } = AsnConvert.parse(certificate.raw, Certificate);
    const extension = tbsCertificate.extensions?.find(({ extnID }) => extnID === id_ce_keyUsage);
    if (!extension) return null;
    const flags = AsnConvert.parse(extension.extnValue, KeyUsage).toNumber();
    return BITS.filter((_, bit) => (flags & (1 << bit)) !== 0);
  } catch (cause) {
    throw new CygnetError("CYG_PKI_CERTIFICATE", "the KeyUsage extension of the certificate cannot be read", {
      cause,
    });
  }
}

/** Why the KeyUsage extension forbids this use, in words; undefined when it permits it, or there is none. */
export function forbids(certificate: X509Certificate, usage: Usage): string | undefined {
  const needed = NEEDED[usage];
  if (needed === undefined) return undefined;
  const bits = keyUsageOf(certificate);
  if (bits === null || needed.some((bit) => bits.includes(bit))) return undefined;
  return `its KeyUsage is ${bits.join(", ") || "empty"}; "${usage}" needs ${needed.join(" or ")}`;
}

/** True when the certificate may be used so; one whose extension cannot be read may not be used at all. */
export function permits(certificate: X509Certificate, usage: Usage): boolean {
  try {
    return forbids(certificate, usage) === undefined;
  } catch {
    return false; // whoever loads or imports such a certificate is told why
  }
}
