import type { WordRow } from "./meaning.ts";

const RENEW = "The owner of the certificate must install a good one and give it to the partner.";
const TRUST = "Add the missing authority to rootcid, or ask the partner for its whole chain.";
const REPORT = "Read the text of the line; report it if it does not say enough.";

/** Transfer CFT's names of what is wrong with a certificate, as CFTY18E carries them. */
export const pkiNames: readonly WordRow[] = [
  ["PKI_NOT_TREATED", "The certificate was not looked at.", REPORT],
  ["PKI_ERR_CERT_BAD", "The certificate is damaged.", RENEW],
  [
    "PKI_ERR_CERT_UNSUPPORTED",
    "The certificate is not meant for this purpose, or is of an unknown kind.",
    RENEW,
  ],
  ["PKI_ERR_CERT_REVOKED", "The authority has revoked the certificate.", RENEW],
  ["PKI_ERR_CERT_EXPIRED", "The certificate has expired.", RENEW],
  [
    "PKI_ERR_CERT_UNKNOWN",
    "Nothing could be found out about the certificate, or it is not on record.",
    "See why the authority cannot be asked; exchange certificates with the partner.",
  ],
  ["PKI_ERR_CERT_NOT_VALID", "The certificate is not valid yet.", "Check the clocks of both sides."],
  ["PKI_ERR_CERT_BAD_SIGN", "The signature of the certificate is wrong.", RENEW],
  ["PKI_ERR_CERT_BAD_HASH", "The hash of the certificate is wrong.", RENEW],
  ["PKI_ERR_CERT_BAD_CA", "The certificate was issued by somebody who may not issue it.", TRUST],
  ["PKI_ERR_CERT_ALGO_UNSUPPORTED", "The certificate uses an algorithm that is not supported.", RENEW],
  ["PKI_ERR_CERT_NOT_FOUND", "The certificate is missing.", "Add it as a [[pki]] object."],
  ["PKI_ERR_CA_NOT_FOUND", "The authority behind the certificate is missing.", TRUST],
  ["PKI_ERR_BAD_KEY", "The key is too weak or does not belong to the certificate.", RENEW],
  ["PKI_ERR_BUF_TOO_SHORT", "Something inside was too short.", REPORT],
  ["PKI_ERR_SYS", "The system failed.", REPORT],
  ["PKI_ERR_PARM", "A parameter was wrong.", REPORT],
  ["PKI_ERR_OTHERS", "Something else is wrong.", REPORT],
];
