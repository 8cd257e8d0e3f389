/** Fingerprints: the SHA-256 of a certificate's DER, in the ways that people write it. */
import type { X509Certificate } from "node:crypto";

/** Fewest hex digits that may stand for a whole fingerprint. */
const FEWEST = 8;

/** Lower case, without colons: as files of the store are named. */
export function hexFingerprint(certificate: X509Certificate): string {
  return plainHex(certificate.fingerprint256);
}

/** The first eight hex digits: what a person types. */
export function shortFingerprint(certificate: X509Certificate): string {
  return hexFingerprint(certificate).slice(0, FEWEST);
}

/** `AA:BB…`, `aa bb…` or `aabb…` as plain lower-case hex; undefined for what is no fingerprint nor the beginning of one. */
export function fingerprintPrefix(text: string): string | undefined {
  const hex = plainHex(text);
  return /^[0-9a-f]{8,64}$/.test(hex) ? hex : undefined;
}

function plainHex(text: string): string {
  return text.replaceAll(/[:\s]/g, "").toLowerCase();
}
