/** Pinned keys: certificates known by the hash of their key or of themselves. */
import { createHash, type X509Certificate } from "node:crypto";
import { CygnetError } from "../platform/errors.ts";

/** A SHA-256, lower-case hexadecimal: of a SubjectPublicKeyInfo or of a whole certificate. */
export type Pin = string;

/**
 * Reads a pin: SHA-256 in base64 (as RFC 7469 writes it, `sha256/` in front or not) or in hexadecimal, with colons or
 * without (as `openssl x509 -fingerprint -sha256` prints it).
 * Errors: CYG_PKI_PIN.
 */
export function parsePin(text: string): Pin {
  const bare = text.trim().replace(/^(sha256\/|sha256:|pin-sha256=)/i, "");
  const hexadecimal = bare.replaceAll(":", "");
  if (/^[0-9a-f]{64}$/i.test(hexadecimal)) return hexadecimal.toLowerCase();
  if (/^[A-Za-z0-9+/]{43}=?$/.test(bare)) return Buffer.from(bare, "base64").toString("hex");
  throw new CygnetError(
    "CYG_PKI_PIN",
    `"${text}" is no SHA-256 of a key or certificate: 64 hexadecimal digits, with colons or without, or 44 characters of base64`,
  );
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo. */
export function keyPin(certificate: X509Certificate): Pin {
  const spki = certificate.publicKey.export({ format: "der", type: "spki" });
  return createHash("sha256").update(spki).digest("hex");
}

/** True when the certificate or its key is among the pins. */
export function isPinned(certificate: X509Certificate, pins: readonly Pin[]): boolean {
  const whole = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return pins.includes(whole) || pins.includes(keyPin(certificate));
}
