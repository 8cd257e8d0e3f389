/** Certificates in whatever form a file or a message brings them: PEM, DER, PKCS#7 in either, PKCS#12. */
import { X509Certificate } from "node:crypto";
import { CygnetError, describe } from "../../platform/errors.ts";
import { looksLikePkcs7, readPkcs7 } from "./pkcs7.ts";
import { type Contents, looksLikePkcs12, readPkcs12 } from "./pkcs12.ts";

const PEM_CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g;
const PEM_BUNDLE = /-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS)-----([^-]+)-----END [A-Z0-9# ]+-----/g;

/**
 * The certificates in some octets, at least one: PEM with any number of them, one in DER, PKCS#7 in PEM or DER.
 * @param subject What the octets are, for messages: `hub: /etc/hub.pem`, `the certificate that ACME sent`.
 * Errors: CYG_PKI_CERTIFICATE.
 */
export function certificatesIn(octets: Buffer, subject: string): X509Certificate[] {
  const text = octets.toString("latin1");
  const single = text.match(PEM_CERTIFICATE) ?? [];
  const bundles: Buffer[] = [...text.matchAll(PEM_BUNDLE)].map(([, body = ""]) =>
    Buffer.from(body, "base64"),
  );
  const found: (string | Buffer)[] = [...single];
  if (found.length + bundles.length === 0) {
    if (text.includes("-----BEGIN ")) {
      const label = /-----BEGIN ([^-]*)-----/.exec(text)?.[1] ?? "something else";
      throw new CygnetError("CYG_PKI_CERTIFICATE", `${subject} holds no certificate but ${label}`);
    }
    if (looksLikePkcs7(octets)) bundles.push(octets);
    else found.push(octets);
  }
  let certificates: X509Certificate[];
  try {
    certificates = [...found.map((one) => new X509Certificate(one)), ...bundles.flatMap(readPkcs7)];
  } catch (cause) {
    if (cause instanceof CygnetError) throw about(cause, subject);
    throw new CygnetError("CYG_PKI_CERTIFICATE", `${subject} is not a certificate in PEM or DER`, { cause });
  }
  if (certificates.length > 0) return certificates;
  throw new CygnetError("CYG_PKI_CERTIFICATE", `${subject} holds no certificate`);
}

/**
 * The same, and keys where the octets are a PKCS#12 file, which `password` opens.
 * Errors: CYG_PKI_CERTIFICATE, CYG_PKI_PASSWORD, CYG_PKI_ALGORITHM.
 */
export async function contentsOf(octets: Buffer, subject: string, password?: string): Promise<Contents> {
  if (!looksLikePkcs12(octets)) return { certificates: certificatesIn(octets, subject), keys: [] };
  const contents = await readPkcs12(octets, password).catch((error: unknown) => {
    throw error instanceof CygnetError ? about(error, subject) : error;
  });
  if (contents.certificates.length > 0) return contents;
  throw new CygnetError("CYG_PKI_CERTIFICATE", `${subject} is a PKCS#12 file that holds no certificate`);
}

function about(error: CygnetError, subject: string): CygnetError {
  return new CygnetError(error.code, `${subject} ${describe(error)}`, { cause: error.cause ?? error });
}
