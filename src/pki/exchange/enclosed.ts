/** The one certificate in a received file: DER, PEM, or a SignedData of certificates only. Hostile input. */
import { createPrivateKey, type X509Certificate } from "node:crypto";
import { CygnetError, describe } from "../../platform/errors.ts";
import { certificatesIn } from "../formats/certificates.ts";
import { issued } from "../material.ts";
import { LARGEST_CERTIFICATE_FILE } from "./kinds.ts";

export interface Enclosed {
  certificate: X509Certificate;
  /** Authorities that came along: building material, nothing to trust. */
  others: readonly X509Certificate[];
}

/** What may stand behind a certificate in DER: products fill up. */
const PADDING: readonly number[] = [0x00, 0x0a, 0x0d, 0x20];
/** A leaf and its authorities. */
const MOST = 8;

/**
 * Takes the certificate out of a file.
 * @throws CygnetError CYG_EXCHANGE_CONTENT with words that the sender may read
 */
export function enclosedCertificate(content: Buffer): Enclosed {
  if (content.length === 0) throw refused("the file is empty");
  if (content.length > LARGEST_CERTIFICATE_FILE) {
    throw refused(`the file has more than ${LARGEST_CERTIFICATE_FILE} octets; no certificate has`);
  }
  if (holdsPrivateKey(content)) {
    throw refused("the file holds a private key; take it for known to others and make a new one");
  }
  let found: X509Certificate[];
  try {
    found = certificatesIn(content, "the file");
  } catch (cause) {
    throw refused(describe(cause), cause);
  }
  const enclosed = pick(found);
  const { raw } = enclosed.certificate;
  const rest = content.subarray(0, raw.length).equals(raw) ? content.subarray(raw.length) : [];
  if (rest.some((octet) => !PADDING.includes(octet))) {
    throw refused(`there are ${rest.length} octets behind the certificate`);
  }
  return enclosed;
}

function refused(why: string, cause?: unknown): CygnetError {
  return new CygnetError("CYG_EXCHANGE_CONTENT", why, { cause });
}

function holdsPrivateKey(content: Buffer): boolean {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(content.toString("latin1"))) return true;
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
