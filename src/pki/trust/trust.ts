/** Is a certificate good now, for this purpose, under this policy? The one question and its answers. */
import type { X509Certificate } from "node:crypto";

/** What the other side's certificate is about to be used for. */
export type Purpose = "tls-server" | "tls-client" | "sign" | "encrypt" | "auth" | "receipt" | "ca";

/**
 * How revocation is looked up: not at all; looked up, and taken as good when nobody can be asked; looked up, and
 * refused when nobody can be asked.
 */
export type RevocationPolicy = "off" | "prefer" | "require";

/** Transfer CFT's names of what can be wrong with a certificate (CFTY18E). */
export type PkiCode =
  | "PKI_ERR_CERT_BAD"
  | "PKI_ERR_CERT_UNSUPPORTED"
  | "PKI_ERR_CERT_REVOKED"
  | "PKI_ERR_CERT_EXPIRED"
  | "PKI_ERR_CERT_UNKNOWN"
  | "PKI_ERR_CERT_NOT_VALID"
  | "PKI_ERR_CERT_BAD_SIGN"
  | "PKI_ERR_CERT_BAD_CA"
  | "PKI_ERR_CERT_ALGO_UNSUPPORTED"
  | "PKI_ERR_CERT_NOT_FOUND"
  | "PKI_ERR_CA_NOT_FOUND"
  | "PKI_ERR_BAD_KEY"
  | "PKI_ERR_OTHERS";

export interface TrustQuestion {
  certificate: X509Certificate;
  /** Certificates that came along: building material, never trusted by inclusion. */
  intermediates: readonly X509Certificate[];
  /** Whom we trust: roots, or intermediate authorities, or the certificate itself (pinned). */
  anchors: readonly X509Certificate[];
  purpose: Purpose;
  /** Greatest number of authorities between the certificate and its anchor, the anchor included. */
  depth?: number;
  crl: RevocationPolicy;
  ocsp: RevocationPolicy;
  /** Files with CRLs at hand, PEM or DER, absolute. */
  crlfiles?: readonly string[];
  /** "none": key usage and extended key usage of the certificate are not looked at. Absent = they are. */
  keyext?: "verify" | "none";
}

export type TrustVerdict =
  | {
      trusted: true;
      /** From the certificate to its anchor, both included; one element when it is an anchor itself. */
      path: readonly X509Certificate[];
      /** What a person should know although it is good: "no CRL of … could be had: …". */
      notes: readonly string[];
    }
  | { trusted: false; code: PkiCode; text: string };

export interface Trust {
  judge(question: TrustQuestion): Promise<TrustVerdict>;
}
