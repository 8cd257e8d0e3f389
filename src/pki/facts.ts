/** What a certificate says, in words and values for people and programs. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { keyUsageOf } from "./key-usage.ts";
import { nameLine } from "./material.ts";

const DAY = 24 * 3600 * 1000;
const FEWEST_BITS = 2048;

const EXTENDED: Record<string, string> = {
  "1.3.6.1.5.5.7.3.1": "serverAuth",
  "1.3.6.1.5.5.7.3.2": "clientAuth",
  "1.3.6.1.5.5.7.3.3": "codeSigning",
  "1.3.6.1.5.5.7.3.4": "emailProtection",
  "1.3.6.1.5.5.7.3.8": "timeStamping",
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
  "2.5.29.37.0": "any",
};

/** Every value is shown as the certificate has it; a hostile one may hold anything but is on one line. */
export function factsOf(certificate: X509Certificate, now: number) {
  return {
    subject: nameLine(certificate.subject),
    issuer: nameLine(certificate.issuer),
    /** Hex. */
    serial: certificate.serialNumber,
    from: certificate.validFromDate.toISOString(),
    until: certificate.validToDate.toISOString(),
    /** Whole days left; negative when it has expired. */
    days: Math.floor((certificate.validToDate.getTime() - now) / DAY),
    key: keyKind(certificate.publicKey),
    /** null: no such extension. */
    keyusage: keyUsage(certificate),
    extkeyusage: certificate.keyUsage?.map((oid) => EXTENDED[oid] ?? oid) ?? null,
    names: certificate.subjectAltName ?? "",
    ca: certificate.ca,
    sha256: certificate.fingerprint256,
    sha1: certificate.fingerprint,
  };
}

/** Why somebody should think twice before trusting it; empty = nothing. */
export function concernsOf(certificate: X509Certificate, now: number): string[] {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  return [
    ...(certificate.validToDate.getTime() < now ? [`it expired on ${day(certificate.validToDate)}`] : []),
    ...(certificate.validFromDate.getTime() > now
      ? [`it is valid from ${day(certificate.validFromDate)} only`]
      : []),
    ...(asymmetricKeyType === "rsa" && bits < FEWEST_BITS
      ? [`its key has ${bits} bits; less than ${FEWEST_BITS} can be broken`]
      : []),
  ];
}

function keyKind({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const size = asymmetricKeyDetails?.modulusLength ?? asymmetricKeyDetails?.namedCurve ?? "";
  return `${asymmetricKeyType?.toUpperCase()} ${size}`.trim();
}

function keyUsage(certificate: X509Certificate): readonly string[] | null {
  try {
    return keyUsageOf(certificate);
  } catch {
    return ["unreadable"]; // it is used for nothing then
  }
}
