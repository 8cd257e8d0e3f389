/** PKCS#7 bundles of certificates (SignedData without signers, RFC 5652 section 5): authorities answer requests so. */
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { ContentInfo, id_signedData } from "@peculiar/asn1-cms";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CygnetError } from "../../platform/errors.ts";
import { normalise } from "./ber.ts";
import { CertificatesOnly } from "./structures.ts";

/** The content type id-signedData with its tag and length. */
const SIGNED_DATA = Buffer.from("06092a864886f70d010702", "hex");
const SEQUENCE = 0x30;

/** True for octets that begin as a ContentInfo with SignedData does. */
export function looksLikePkcs7(octets: Buffer): boolean {
  const at = octets.indexOf(SIGNED_DATA);
  return octets[0] === SEQUENCE && at >= 2 && at <= 6;
}

/** The certificates of a bundle, as it holds them. Errors: CYG_PKI_CERTIFICATE, its text without a subject. */
export function readPkcs7(octets: Buffer): X509Certificate[] {
  try {
    const { contentType, content } = AsnConvert.parse(normalise(octets), ContentInfo);
    if (contentType !== id_signedData) throw new Error(`its content is ${contentType}`);
    const { certificates = [] } = AsnConvert.parse(content, CertificatesOnly);
    return certificates
      .map((one) => Buffer.from(one))
      .filter((one) => one[0] === SEQUENCE) // attribute certificates are tagged
      .map((one) => new X509Certificate(one));
  } catch (cause) {
    throw new CygnetError("CYG_PKI_CERTIFICATE", "is no PKCS#7 bundle of certificates", { cause });
  }
}
