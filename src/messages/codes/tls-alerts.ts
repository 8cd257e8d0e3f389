import type { CodeRow } from "./meaning.ts";

const COMPARE = "Compare TLS versions and ciphers of both sides.";
const RENEW = "The owner of the certificate must install a valid one and give it to the partner.";
const TRUST = "Give the partner our certificate and its authority, or add the partner's to rootcid.";
const REPEAT = "Call again; if it is repeated, something between the two sides changes the data.";
const REPORT = "Ask the side that sent the alert for its log.";

/** TLS alerts, RFC 8446 section 6 and RFC 5246 section 7.2; the numbers that CFTY13E, CFTY30E and `PKI n` carry. */
export const tlsAlerts: readonly CodeRow[] = [
  [0, "close_notify", "The TLS session was closed in good order.", "Nothing to do."],
  [
    10,
    "unexpected_message",
    "A TLS message came out of order.",
    "Check that the port speaks TLS on both sides.",
  ],
  [20, "bad_record_mac", "A TLS record was changed on its way.", REPEAT],
  [21, "decryption_failed", "A TLS record could not be decrypted.", REPEAT],
  [22, "record_overflow", "A TLS record was too long.", "Check that the port speaks TLS on both sides."],
  [30, "decompression_failure", "A TLS record could not be decompressed.", REPEAT],
  [40, "handshake_failure", "No version, cipher or certificate suits both sides.", COMPARE],
  [
    41,
    "no_certificate",
    "A certificate was asked for and none was shown.",
    "Set usercid in the client TLS profile.",
  ],
  [42, "bad_certificate", "A certificate is damaged or its signature is wrong.", RENEW],
  [43, "unsupported_certificate", "The kind of certificate is not supported.", RENEW],
  [44, "certificate_revoked", "The certificate was revoked by its authority.", RENEW],
  [
    45,
    "certificate_expired",
    "The certificate has expired or is not valid yet.",
    `${RENEW} Check the clocks too.`,
  ],
  [46, "certificate_unknown", "The certificate was not accepted for some other cause.", TRUST],
  [47, "illegal_parameter", "A field of the handshake is out of range.", COMPARE],
  [48, "unknown_ca", "The authority behind the certificate is not trusted.", TRUST],
  [49, "access_denied", "The certificate is valid but its owner is not admitted.", REPORT],
  [
    50,
    "decode_error",
    "A handshake message could not be decoded.",
    "Check that the port speaks TLS on both sides.",
  ],
  [51, "decrypt_error", "A signature or a key exchange of the handshake failed.", REPEAT],
  [60, "export_restriction", "The cipher is not allowed by old export rules.", COMPARE],
  [70, "protocol_version", "The two sides have no TLS version in common.", COMPARE],
  [71, "insufficient_security", "The other side demands stronger ciphers.", COMPARE],
  [80, "internal_error", "The other side had an internal error.", REPORT],
  [86, "inappropriate_fallback", "The client called again with a lower version.", COMPARE],
  [90, "user_canceled", "The handshake was cancelled.", REPORT],
  [100, "no_renegotiation", "Renegotiation was asked for and refused.", COMPARE],
  [109, "missing_extension", "The handshake lacks an extension that is needed.", COMPARE],
  [110, "unsupported_extension", "The handshake carries an extension nobody asked for.", COMPARE],
  [111, "certificate_unobtainable", "The certificate could not be fetched.", REPORT],
  [
    112,
    "unrecognized_name",
    "The server does not know the name it was called by.",
    "Check host of the CFTTCP object.",
  ],
  [113, "bad_certificate_status_response", "The proof that the certificate is not revoked is wrong.", RENEW],
  [114, "bad_certificate_hash_value", "The certificate does not match its hash.", RENEW],
  [115, "unknown_psk_identity", "A pre-shared key is unknown.", COMPARE],
  [
    116,
    "certificate_required",
    "The server demands a certificate.",
    "Set usercid in the client TLS profile.",
  ],
  [120, "no_application_protocol", "The two sides have no application protocol in common.", COMPARE],
];
