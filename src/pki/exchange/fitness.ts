/** Whether a received certificate is fit for use at all, whoever it is trusted by. Pure. */
import "reflect-metadata";
import type { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  Certificate,
  id_ce_authorityKeyIdentifier,
  id_ce_subjectKeyIdentifier,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { attributesOf } from "./distinguished-name.ts";
import { purposesOf } from "./purposes.ts";

const SMALLEST_KEY = 2048;
/** Larger ones cost more to verify with than they are worth. */
const LARGEST_KEY = 16_384;
const SERIAL_NUMBER = "2.5.4.5";
/** An identification code given by Odette: O, four digits, the rest. */
const ODETTE_CODE = /^O\d{4}[0-9A-Z &()./-]{1,20}$/;

/** Signature algorithms that still prove something. */
const ALGORITHMS = new Set([
  "1.2.840.113549.1.1.10", // RSASSA-PSS
  "1.2.840.113549.1.1.11", // RSA with SHA-256, 384, 512
  "1.2.840.113549.1.1.12",
  "1.2.840.113549.1.1.13",
  "2.16.840.1.101.3.4.3.14", // RSA with SHA3-256, 384, 512
  "2.16.840.1.101.3.4.3.15",
  "2.16.840.1.101.3.4.3.16",
  "1.2.840.10045.4.3.2", // ECDSA with SHA-256, 384, 512
  "1.2.840.10045.4.3.3",
  "1.2.840.10045.4.3.4",
  "1.3.101.112", // Ed25519
]);

/** Why it cannot be used, in words for both sides; undefined when it can. `now` in ms since 1970 UTC. */
export function unfitness(certificate: X509Certificate, now: number): string | undefined {
  const { publicKey } = certificate;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  const bits = details?.modulusLength ?? 0;
  if (type !== "rsa")
    return `its key is ${type ?? "of an unknown kind"}; the cipher suites of OFTP 2.0 need RSA`;
  if (bits < SMALLEST_KEY) return `its key has ${bits} bits; at least ${SMALLEST_KEY} are needed`;
  if (bits > LARGEST_KEY) return `its key has ${bits} bits; at most ${LARGEST_KEY} are taken`;
  const algorithm = AsnConvert.parse(certificate.raw, Certificate).signatureAlgorithm.algorithm;
  if (!ALGORITHMS.has(algorithm)) return `it is signed with a weak or unknown algorithm (${algorithm})`;
  if (certificate.validToDate.getTime() < now) {
    return `it has expired on ${certificate.validToDate.toISOString().slice(0, 10)}`;
  }
  if (namesItself(certificate) && !certificate.verify(publicKey)) return "its own signature is wrong";
  if (purposesOf(certificate).length === 0) return "its KeyUsage allows neither signatures nor encryption";
  return undefined;
}

/** Proves that whoever made it has its private key. One that only has its own name as issuer may be of an older key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

/** Says by its key identifiers that it was signed with its own key. */
function namesItself(certificate: X509Certificate): boolean {
  const { extensions = [] } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
  const value = (oid: string) => extensions.find(({ extnID }) => extnID === oid)?.extnValue;
  const [authority, subject] = [value(id_ce_authorityKeyIdentifier), value(id_ce_subjectKeyIdentifier)];
  if (certificate.subject !== certificate.issuer || !authority || !subject) return false;
  const issuer = AsnConvert.parse(authority, AuthorityKeyIdentifier).keyIdentifier?.buffer;
  const own = AsnConvert.parse(subject, SubjectKeyIdentifier).buffer;
  return issuer !== undefined && Buffer.from(issuer).equals(Buffer.from(own));
}

/** Odette codes that the certificate says it belongs to: serialNumber of the subject, or oftp:// in the alternative names. */
export function ownersOf(certificate: X509Certificate): string[] {
  const { subject } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
  const named = attributesOf(subject, SERIAL_NUMBER);
  const addresses = (certificate.subjectAltName ?? "").match(/URI:"?oftp:\/\/[^,"\s]+/gi) ?? [];
  return [...named, ...addresses.map((address) => address.replace(/^.*:\/\//, "").replace(/\/$/, ""))].filter(
    (code) => ODETTE_CODE.test(code),
  );
}

/** Why it is somebody else's, or undefined. `codes`: identification codes of the partner. */
export function foreignness(certificate: X509Certificate, codes: readonly string[]): string | undefined {
  const owners = ownersOf(certificate);
  if (owners.length === 0 || owners.some((owner) => codes.includes(owner))) return undefined;
  return `it belongs to ${owners.join(", ")}, not to ${codes.join(", ")}`;
}
