import type { PkiCode } from "../pki/trust/trust.ts";

/**
 * TLS alert numbers and names (RFC 5246 7.2, RFC 8446 6, RFC 6066; the numbers are Transfer CFT's CR of
 * CFTY13E and CFTY30E).
 */
export const ALERTS: Readonly<Record<number, string>> = {
  0: "close_notify",
  10: "unexpected_message",
  20: "bad_record_mac",
  21: "decryption_failed",
  22: "record_overflow",
  30: "decompression_failure",
  40: "handshake_failure",
  41: "no_certificate",
  42: "bad_certificate",
  43: "unsupported_certificate",
  44: "certificate_revoked",
  45: "certificate_expired",
  46: "certificate_unknown",
  47: "illegal_parameter",
  48: "unknown_ca",
  49: "access_denied",
  50: "decode_error",
  51: "decrypt_error",
  60: "export_restriction",
  70: "protocol_version",
  71: "insufficient_security",
  80: "internal_error",
  86: "inappropriate_fallback",
  90: "user_canceled",
  100: "no_renegotiation",
  109: "missing_extension",
  110: "unsupported_extension",
  111: "certificate_unobtainable",
  112: "unrecognized_name",
  113: "bad_certificate_status_response",
  114: "bad_certificate_hash_value",
  115: "unknown_psk_identity",
  116: "certificate_required",
  120: "no_application_protocol",
};

/** The name of an alert, or its number when nobody named it. */
export function alertName(alert: number): string {
  return ALERTS[alert] ?? `alert ${alert}`;
}

/** The alert that tells the other side what is wrong with its certificate. */
export const PKI_ALERTS: Readonly<Record<PkiCode, number>> = {
  PKI_ERR_CERT_BAD: 42,
  PKI_ERR_CERT_UNSUPPORTED: 43,
  PKI_ERR_CERT_REVOKED: 44,
  PKI_ERR_CERT_EXPIRED: 45,
  PKI_ERR_CERT_UNKNOWN: 46,
  PKI_ERR_CERT_NOT_VALID: 42,
  PKI_ERR_CERT_BAD_SIGN: 51,
  PKI_ERR_CERT_BAD_CA: 48,
  PKI_ERR_CERT_ALGO_UNSUPPORTED: 43,
  PKI_ERR_CERT_NOT_FOUND: 116,
  PKI_ERR_CA_NOT_FOUND: 48,
  PKI_ERR_BAD_KEY: 42,
  PKI_ERR_OTHERS: 46,
};

/** Why OpenSSL refuses a chain (its names as Node gives them), and Transfer CFT's name for it. */
export const VERIFY_CODES: Readonly<Record<string, PkiCode>> = {
  CERT_HAS_EXPIRED: "PKI_ERR_CERT_EXPIRED",
  CERT_NOT_YET_VALID: "PKI_ERR_CERT_NOT_VALID",
  CERT_REVOKED: "PKI_ERR_CERT_REVOKED",
  CERT_SIGNATURE_FAILURE: "PKI_ERR_CERT_BAD_SIGN",
  CERT_CHAIN_TOO_LONG: "PKI_ERR_CERT_BAD_CA",
  CERT_REJECTED: "PKI_ERR_CERT_BAD",
  CERT_UNTRUSTED: "PKI_ERR_CERT_BAD",
  CA_KEY_TOO_SMALL: "PKI_ERR_BAD_KEY",
  CA_MD_TOO_WEAK: "PKI_ERR_CERT_ALGO_UNSUPPORTED",
  EE_KEY_TOO_SMALL: "PKI_ERR_BAD_KEY",
  DEPTH_ZERO_SELF_SIGNED_CERT: "PKI_ERR_CA_NOT_FOUND",
  SELF_SIGNED_CERT_IN_CHAIN: "PKI_ERR_CA_NOT_FOUND",
  UNABLE_TO_GET_ISSUER_CERT: "PKI_ERR_CA_NOT_FOUND",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "PKI_ERR_CA_NOT_FOUND",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "PKI_ERR_CA_NOT_FOUND",
  INVALID_CA: "PKI_ERR_CERT_BAD_CA",
  PATH_LENGTH_EXCEEDED: "PKI_ERR_CERT_BAD_CA",
  INVALID_PURPOSE: "PKI_ERR_CERT_UNSUPPORTED",
};

/** What OpenSSL found wrong by itself, and the alert it answers with. */
export const LOCAL_ALERTS: Readonly<Record<string, number>> = {
  ERR_SSL_NO_SHARED_CIPHER: 40,
  ERR_SSL_NO_SHARED_GROUP: 40,
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 40,
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 40,
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 40,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: 70,
  ERR_SSL_UNSUPPORTED_PROTOCOL: 70,
  ERR_SSL_WRONG_VERSION_NUMBER: 70,
  ERR_SSL_WRONG_SSL_VERSION: 70,
  ERR_SSL_VERSION_TOO_LOW: 70,
  ERR_SSL_VERSION_TOO_HIGH: 70,
  ERR_SSL_UNKNOWN_PROTOCOL: 70,
  ERR_SSL_HTTP_REQUEST: 70,
  ERR_SSL_HTTPS_PROXY_REQUEST: 70,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 22,
  ERR_SSL_DATA_LENGTH_TOO_LONG: 22,
  ERR_SSL_ENCRYPTED_LENGTH_TOO_LONG: 22,
  ERR_SSL_UNEXPECTED_MESSAGE: 10,
  ERR_SSL_UNEXPECTED_RECORD: 10,
  ERR_SSL_BAD_RECORD_TYPE: 10,
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 20,
  ERR_SSL_LENGTH_MISMATCH: 50,
  ERR_SSL_LENGTH_TOO_SHORT: 50,
  ERR_SSL_BAD_EXTENSION: 50,
  ERR_SSL_BAD_SIGNATURE: 51,
  ERR_SSL_DIGEST_CHECK_FAILED: 51,
  ERR_SSL_DH_KEY_TOO_SMALL: 40,
  ERR_SSL_INAPPROPRIATE_FALLBACK: 86,
  ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED: 40,
  ERR_TLS_CERT_ALTNAME_INVALID: 42,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 116,
};

/** Errors of OpenSSL that mean: the server's CertificateRequest cannot be used (CFTY06E). */
export const BAD_REQUESTS: readonly string[] = [
  "ERR_SSL_CA_DN_LENGTH_MISMATCH",
  "ERR_SSL_CA_DN_TOO_LONG",
  "ERR_SSL_SIGNATURE_ALGORITHMS_ERROR",
  "ERR_SSL_MISSING_SIGALGS_EXTENSION",
  "ERR_SSL_NO_CLIENT_CERT_METHOD",
];

/** Errors that are neither the partner's doing nor the configuration's: memory, descriptors, the library (CFTY07E). */
export const RESOURCES: readonly string[] = [
  "ERR_SSL_INTERNAL_ERROR",
  "ERR_SSL_MALLOC_FAILURE",
  "ERR_OSSL_MALLOC_FAILURE",
  "ERR_OSSL_INTERNAL_ERROR",
  "ENOMEM",
  "ENOBUFS",
  "EMFILE",
  "ENFILE",
];
