/** The one certificate in a received file: DER, PEM, or a SignedData of certificates only. Hostile input. */
import "reflect-metadata";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ContentInfo, id_signedData, SignedData } from "@peculiar/asn1-cms";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CygnetError } from "../../platform/errors.ts";
import { issued } from "../material.ts";
import { LARGEST_CERTIFICATE_FILE } from "./kinds.ts";

export interface Enclosed {
  certificate: X509Certificate;
  /** Authorities that came along: building material, nothing to trust. */
  others: readonly X509Certificate[];
}

const PEM = /-----BEGIN ([A-Z0-9 ]{1,40})-----[A-Za-z0-9+/=\s]*-----END \1-----/g;
/** A leaf and its authorities. */
const MOST = 8;

/**
 * Takes the certificate out of a file.
 * @throws CygnetError CYG_EXCHANGE_CONTENT with words that the sender may read
 */
export function enclosedCertificate(content: Buffer): Enclosed {
  if (content.length === 0) throw refused("the file is empty");
  if (content.length > LARGEST_CERTIFICATE_FILE) {
    throw refused(
      `the file has ${content.length} octets; one certificate has less than ${LARGEST_CERTIFICATE_FILE}`,
    );
  }
  const text = content.toString("latin1");
  const found = text.includes("-----BEGIN ") ? fromPem(text) : fromDer(content);
  return pick(found);
}

function refused(why: string, cause?: unknown): CygnetError {
  return new CygnetError("CYG_EXCHANGE_CONTENT", why, { cause });
}

function leaked(): CygnetError {
  return refused("the file holds a private key; take it for known to others and make a new one");
}

function fromPem(text: string): X509Certificate[] {
  const blocks = [...text.matchAll(PEM)];
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(text)) throw leaked();
  return blocks.flatMap(([block, label]) => {
    const octets = Buffer.from(block.replace(/-----[^-]+-----/g, ""), "base64");
    if (label === "PKCS7" || label === "CMS") return fromSignedData(octets);
    if (!/^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label as string)) throw refused(`the file holds ${label}`);
    return [certificateOf(block)];
  });
}

function fromDer(content: Buffer): X509Certificate[] {
  if (isPrivateKey(content)) throw leaked();
  let certificate: X509Certificate | undefined;
  try {
    certificate = new X509Certificate(content);
  } catch {
    return fromSignedData(content);
  }
  const rest = content.subarray(certificate.raw.length);
  if (rest.some((octet) => ![0x00, 0x0a, 0x0d, 0x20].includes(octet))) {
    throw refused(`there are ${rest.length} octets behind the certificate`);
  }
  return [certificate];
}

function isPrivateKey(content: Buffer): boolean {
  return (["pkcs8", "pkcs1", "sec1"] as const).some((type) => {
    try {
      createPrivateKey({ key: content, format: "der", type });
      return true;
    } catch (error) {
      // an encrypted key is one too
      return (error as { code?: string }).code === "ERR_MISSING_PASSPHRASE";
    }
  });
}

function certificateOf(content: Buffer | string): X509Certificate {
  try {
    return new X509Certificate(content);
  } catch (cause) {
    throw refused("the file holds no certificate that can be read", cause);
  }
}

function fromSignedData(content: Buffer): X509Certificate[] {
  try {
    const { contentType, content: inner } = AsnConvert.parse(content, ContentInfo);
    if (contentType !== id_signedData) throw refused("the file is CMS, but no SignedData of certificates");
    const { signerInfos, certificates = [] } = AsnConvert.parse(inner, SignedData);
    if (signerInfos.length > 0)
      throw refused("the file is signed data; one with certificates only is expected");
    return certificates.flatMap(({ certificate }) =>
      certificate ? [new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)))] : [],
    );
  } catch (cause) {
    if (cause instanceof CygnetError) throw cause;
    throw refused("the file holds no certificate that can be read", cause);
  }
}

/** Of several, the one that has signed none of the others. */
function pick(found: readonly X509Certificate[]): Enclosed {
  if (found.length === 0) throw refused("the file holds no certificate");
  if (found.length > MOST) throw refused(`the file holds ${found.length} certificates; one is expected`);
  const leaves = found.filter((one) => !found.some((other) => other !== one && issued(one, other)));
  const [certificate] = leaves;
  if (certificate === undefined || leaves.length > 1) {
    throw refused(`the file holds ${found.length} certificates; each comes in a file of its own`);
  }
  return { certificate, others: found.filter((one) => one !== certificate) };
}
