/** What the certificate of a partner may serve for, by its own words. */
import "reflect-metadata";
import type { X509Certificate } from "node:crypto";
import { KeyUsageFlags, KeyUsagesExtension, X509Certificate as Parsed } from "@peculiar/x509";
import type { Usage } from "../usage.ts";

/** KeyUsage bits, RFC 5280 4.2.1.3, any of which a usage of a partner's certificate needs. */
const NEEDED: readonly (readonly [Usage, number])[] = [
  ["encrypt", KeyUsageFlags.keyEncipherment | KeyUsageFlags.dataEncipherment],
  ["sign", KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation],
  // the challenge of secure authentication is enciphered for it (RFC 5024 section 6.2.1)
  ["auth", KeyUsageFlags.keyEncipherment | KeyUsageFlags.dataEncipherment],
  ["receipt", KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation],
];

/** Usages that its KeyUsage extension allows; all of them where it has none. */
export function purposesOf(certificate: X509Certificate): Usage[] {
  const usages = new Parsed(certificate.raw).getExtension(KeyUsagesExtension)?.usages;
  return NEEDED.filter(([, bits]) => usages === undefined || (usages & bits) !== 0).map(([usage]) => usage);
}
