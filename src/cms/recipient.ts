/** Whom an envelope is for: RecipientIdentifier against our certificates (RFC 5652 section 6.2.1). */
import "reflect-metadata";
import { createHash, type X509Certificate } from "node:crypto";
import type { RecipientIdentifier } from "@peculiar/asn1-cms";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  Certificate,
  id_ce_subjectKeyIdentifier,
  type Name,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { CygnetError } from "../platform/errors.ts";

/** What an envelope may say to mean a certificate. */
export interface Identity {
  issuer: Name;
  /** Contents of the INTEGER. */
  serialNumber: Buffer;
  /** The extension of the certificate, and the SHA-1 of its public key (RFC 5280 section 4.2.1.2, method 1). */
  keyIdentifiers: readonly Buffer[];
}

/** @throws CygnetError CYG_CMS_CERTIFICATE when the certificate cannot be read */
export function identityOf(certificate: X509Certificate): Identity {
  try {
    const { tbsCertificate } = AsnConvert.parse(certificate.raw, Certificate);
    const { issuer, serialNumber, subjectPublicKeyInfo, extensions } = tbsCertificate;
    const keyIdentifiers = [
      createHash("sha1").update(Buffer.from(subjectPublicKeyInfo.subjectPublicKey)).digest(),
    ];
    const extension = extensions?.find((each) => each.extnID === id_ce_subjectKeyIdentifier);
    if (extension) {
      keyIdentifiers.push(
        Buffer.from(AsnConvert.parse(extension.extnValue.buffer, SubjectKeyIdentifier).buffer),
      );
    }
    return { issuer, serialNumber: Buffer.from(serialNumber), keyIdentifiers };
  } catch (cause) {
    throw new CygnetError("CYG_CMS_CERTIFICATE", "a certificate of ours cannot be read", { cause });
  }
}

/** True when the identifier means this certificate. */
export function means(rid: RecipientIdentifier, identity: Identity): boolean {
  if (rid.subjectKeyIdentifier) {
    const wanted = Buffer.from(rid.subjectKeyIdentifier.buffer);
    return identity.keyIdentifiers.some((each) => each.equals(wanted));
  }
  const { issuerAndSerialNumber: wanted } = rid;
  return (
    wanted !== undefined &&
    serial(Buffer.from(wanted.serialNumber)) === serial(identity.serialNumber) &&
    spelled(wanted.issuer) === spelled(identity.issuer)
  );
}

/** The identifier in a few characters that are safe to log: the partner may write there what it likes. */
export function describeRecipient(rid: RecipientIdentifier): string {
  const { subjectKeyIdentifier, issuerAndSerialNumber } = rid;
  if (subjectKeyIdentifier) return `key identifier ${short(Buffer.from(subjectKeyIdentifier.buffer))}`;
  return `serial number ${short(Buffer.from(issuerAndSerialNumber?.serialNumber ?? new ArrayBuffer(0)))}`;
}

const short = (octets: Buffer): string => octets.subarray(0, 20).toString("hex").toUpperCase();

const serial = (octets: Buffer): string => octets.toString("hex").replace(/^(00)+(?=..)/, "");

/**
 * A name for comparison: products encode the same issuer with other string types, so what counts is the text,
 * without regard to case and spacing (RFC 5280 section 7.1).
 */
function spelled(name: Name): string {
  return JSON.stringify(
    name.map((rdn) =>
      rdn
        .map(({ type, value }) => `${type}=${value.toString().trim().replace(/\s+/g, " ").toLowerCase()}`)
        .sort(),
    ),
  );
}
