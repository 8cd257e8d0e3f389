import type { WordRow } from "../meaning.ts";

const SEALED = "Ask the partner to check how it seals files; it hears of it by a negative response.";
const KEYS = "Exchange the current certificates with the partner, then send the file again.";
const FILE = "Check the file that is named: PEM or DER, the right password, the right pair.";
const PROFILE = "Correct the [[cftssl]] object that is named.";
const AUTHORITY = "See whether the address of the authority can be reached from this machine.";
const LIST = "Obtain the list again from its publisher.";
const REPORT = "Report it with the log lines around it.";

/** File security: CMS. */
const cms: readonly WordRow[] = [
  ["CYG_CMS_ALGORITHM", "A secured file uses an algorithm that OFTP does not provide for.", SEALED],
  [
    "CYG_CMS_CERTIFICATE",
    "A certificate cannot be used to encrypt for or to sign with.",
    "See that the [[pki]] objects hold certificates with RSA keys.",
  ],
  ["CYG_CMS_DECOMPRESS", "A secured file cannot be decompressed.", SEALED],
  ["CYG_CMS_DECRYPT", "A secured file cannot be decrypted with our keys.", KEYS],
  [
    "CYG_CMS_FILE",
    "A file could not be read or written while it was sealed or opened.",
    "Check disk, space and permissions; it is tried again.",
  ],
  ["CYG_CMS_FORMAT", "A secured file is not well-formed CMS.", SEALED],
  [
    "CYG_CMS_RECEIPT",
    "A signed end-to-end response is not about the file that was sent.",
    "Ask the partner; the transfer stays unacknowledged.",
  ],
  ["CYG_CMS_RECIPIENT", "A secured file is encrypted for somebody else.", KEYS],
  ["CYG_CMS_SIGNATURE", "No signature of a secured file is good.", KEYS],
  [
    "CYG_CMS_SIZE",
    "The size of a file changed while it was sealed, or an envelope is too long.",
    "Drop the file again when it is complete.",
  ],
  ["CYG_CMS_STRUCTURE", "The layers of a secured file are not those that were announced.", SEALED],
  [
    "CYG_CMS_WORKER",
    "A thread that seals and opens files has failed.",
    "It is tried again by itself; report it if it is repeated.",
  ],
  [
    "CYG_SECURITY_KEY",
    "A key or certificate for a file that is to be secured is missing.",
    "Add it as a [[pki]] object with that usage, then `cygnet start` the transfer.",
  ],
  ["CYG_SECURITY_UNANSWERED", "Whether a certificate is revoked could not be found out just now.", AUTHORITY],
  [
    "CYG_AUTH_CERTIFICATE",
    "There is no certificate of the partner for secure authentication.",
    'Add one as a [[pki]] object with usage "auth".',
  ],
];

/** Certificates, keys, authorities. */
const certificates: readonly WordRow[] = [
  [
    "CYG_PKI_ALGORITHM",
    "A key file is protected in a way that is not supported.",
    "Convert it with openssl, as the text says.",
  ],
  ["CYG_PKI_CERTIFICATE", "A file holds no certificate that can be read.", FILE],
  [
    "CYG_PKI_CRL",
    "A file is no list of revoked certificates.",
    "Obtain the list from the authority, in PEM or DER.",
  ],
  ["CYG_PKI_DER", "A file is not well-formed.", FILE],
  [
    "CYG_PKI_ENTRY",
    "An entry of the certificate store cannot be read.",
    "Remove its two files and import the certificate again.",
  ],
  ["CYG_PKI_FETCH", "Something could not be fetched from an authority.", AUTHORITY],
  [
    "CYG_PKI_FILE",
    "A file of a certificate or key cannot be read or written.",
    "Check that it exists and that the gateway may use it.",
  ],
  [
    "CYG_PKI_HANDOVER",
    "The record of a change of certificates cannot be read.",
    "Check the directory that is named.",
  ],
  ["CYG_PKI_KEY", "A file holds no private key that can be used.", FILE],
  [
    "CYG_PKI_MISMATCH",
    "A key belongs to none of the certificates beside it.",
    "Name the two files that belong together.",
  ],
  [
    "CYG_PKI_NAME_RULE",
    "A rule for names in certificates is not well written.",
    "Write it as the example of the text.",
  ],
  ["CYG_PKI_OCSP", "The answer of an OCSP responder cannot be used.", AUTHORITY],
  [
    "CYG_PKI_PART",
    "An id is not one that a partner or certificate can have.",
    "Use 1 to 32 letters, digits, dots, dashes or underscores.",
  ],
  [
    "CYG_PKI_PASSWORD",
    "The password of a key file is missing or wrong.",
    "Set keypassw of the [[pki]] object.",
  ],
  [
    "CYG_PKI_PIN",
    "A fingerprint is not well written.",
    "Write SHA-256 as 64 hexadecimal digits or 44 characters of base64.",
  ],
  [
    "CYG_PKI_UNKNOWN",
    "No [[pki]] object has the id that is asked for.",
    "Add the object, or correct the id.",
  ],
  ["CYG_TSL_EMPTY", "A trust list names nobody who could be trusted.", LIST],
  [
    "CYG_TSL_FILE",
    "The file of a trust list cannot be read.",
    "Check that it exists and that the gateway may read it.",
  ],
  ["CYG_TSL_FORMAT", "A trust list is not what it must be.", LIST],
  [
    "CYG_TSL_OLD",
    "A trust list is older than the one in force, or its date lies ahead.",
    "Obtain the newest one; check the clock of this machine.",
  ],
  ["CYG_XML", "An XML document cannot be read.", LIST],
  ["CYG_XML_SYNTAX", "An XML document is not well-formed, too large, or has what is not taken.", LIST],
  ["CYG_XML_SIGNATURE", "An XML document is not signed, or not as it must be.", LIST],
  [
    "CYG_EXCHANGE_CERTIFICATE",
    "No certificate of this site can be handed over under that id.",
    "Name a [[pki]] object with a key; `cygnet pki list` shows them.",
  ],
  [
    "CYG_EXCHANGE_CONTENT",
    "What a partner sent as its certificate is none.",
    "Ask the partner to send it again.",
  ],
  [
    "CYG_EXCHANGE_LEVEL",
    "Certificates travel with OFTP 2.0 only.",
    "Exchange them with this partner by another way.",
  ],
  ["CYG_EXCHANGE_PART", "There is no partner with that id.", "`cygnet status` shows the partners."],
  [
    "CYG_DATASHEET",
    "A datasheet cannot be read, or is of nobody who is known.",
    "Check the file and the partner that is named.",
  ],
];

/** TLS. */
const tls: readonly WordRow[] = [
  [
    "CYG_TLS_ALERT",
    "The other side ended the handshake with an alert.",
    "`cygnet explain TLS <alert>`, and the partner's log.",
  ],
  ["CYG_TLS_CIPHERS", "A list of cipher suites names none that is known.", PROFILE],
  ["CYG_TLS_GROUPS", "A list of key exchange groups names one that is not known.", PROFILE],
  [
    "CYG_TLS_KEYLOG",
    "The file for TLS session keys cannot be written.",
    "Check its folder, or take the key log out.",
  ],
  ["CYG_TLS_MATERIAL", "The certificate or key of a TLS profile is missing or cannot be used.", PROFILE],
  [
    "CYG_TLS_PROFILE",
    "A TLS profile is named that does not exist.",
    "Add the [[cftssl]] object, or correct the name.",
  ],
  [
    "CYG_TLS_REFUSED",
    "This side ended the handshake, usually because it does not trust the other's certificate.",
    "Compare rootcid with the chain of the partner; `cygnet explain TLS <alert>`.",
  ],
  [
    "CYG_TLS_ROOTS",
    "A TLS profile demands certificates and names nobody who may have issued them.",
    "Set rootcid of the [[cftssl]] object.",
  ],
  [
    "CYG_SESSION_OVER",
    "The session ended while something was still to be done in it.",
    "Nothing to do: it is done in a later session.",
  ],
  ["CYG_OFTP_FIELD", "A value does not fit the field of a command.", REPORT],
  ["CYG_OFTP_USER", "The protocol was asked for what is not possible in its state.", REPORT],
  [
    "CYG_OFTP_WIRE",
    "A command of the partner cannot be decoded.",
    "Compare the protocol traces of both sides (log level T).",
  ],
];

/** Faults of security, certificates, sessions. */
export const securityErrors: readonly WordRow[] = [...cms, ...certificates, ...tls];
