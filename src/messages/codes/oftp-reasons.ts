import type { CodeRow } from "./meaning.ts";

const PEER = "If it is repeated, compare the protocol traces of both sides (log level T).";
const CODES = "Compare the identification codes in CFTPART and CFTPARM with what the partner has on record.";
const FORMAT = "Agree on the record format of this flow with the partner.";
const SECURITY = "Agree on signing, encryption and compression of this flow with the partner.";
const KEYS = "Exchange the current certificates with the partner, then send the file again.";
const RESEND = "The file is sent again from its start; find out why if it is repeated.";

/** ESID reasons, RFC 5024 section 5.3.18. */
export const esidReasons: readonly CodeRow[] = [
  [0, "Normal session termination", "The session has ended in good order.", "Nothing to do."],
  [1, "Command not recognised", "A command came that does not exist.", PEER],
  [2, "Protocol violation", "A command came at a moment where it may not.", PEER],
  [3, "User code not known", "The identification code of the caller is not known to the other side.", CODES],
  [
    4,
    "Invalid password",
    "The password of the session is wrong.",
    "Agree on nspassw and nrpassw with the partner.",
  ],
  [
    5,
    "Local site emergency close down",
    "The other side is being shut down.",
    "Nothing to do: it is called again.",
  ],
  [6, "Command contained invalid data", "A field of a command holds what it may not.", PEER],
  [7, "Exchange Buffer size error", "A command is longer or shorter than it must be.", PEER],
  [
    8,
    "Resources not available",
    "The other side has no session free.",
    "Nothing to do: it is called again later.",
  ],
  [9, "Time out", "An answer did not come in time.", "Nothing to do: it is called again; look at the line."],
  [
    10,
    "Mode or capabilities incompatible",
    "The two sides have no way of working in common.",
    "Compare srin and srout, level, srusize and scredit with the partner's settings.",
  ],
  [
    11,
    "Invalid challenge response",
    "The partner could not prove who it is.",
    "Exchange the certificates for secure authentication again.",
  ],
  [
    12,
    "Secure authentication requirements incompatible",
    "One side demands secure authentication and the other does not.",
    "Agree on secauth with the partner.",
  ],
  [
    99,
    "Unspecified Abort code",
    "The other side ended the session without a reason.",
    "Ask the partner for its log.",
  ],
];

/** Reasons of SFNA and EFNA, RFC 5024 sections 5.3.5 and 5.3.10. */
export const answerReasons: readonly CodeRow[] = [
  [
    1,
    "Invalid filename",
    "The dataset name is not accepted.",
    "Agree on the name (nfname) with the partner.",
  ],
  [2, "Invalid destination", "The other side does not serve the destination code of the file.", CODES],
  [3, "Invalid origin", "The other side does not know the origin code of the file.", CODES],
  [4, "Storage record format not supported", "The record format is not accepted.", FORMAT],
  [5, "Maximum record length not supported", "Records of this length are not accepted.", FORMAT],
  [
    6,
    "File size is too big",
    "The file is too big for the other side.",
    "Split the file, or ask for more space there.",
  ],
  [10, "Invalid record count", "The number of records does not agree.", RESEND],
  [11, "Invalid byte count", "The number of octets does not agree.", RESEND],
  [
    12,
    "Access method failure",
    "The other side could not write the file.",
    "Tried again; ask the partner otherwise.",
  ],
  [
    13,
    "Duplicate file",
    "The other side has this file already.",
    "Nothing to do after a repetition; otherwise send the file under another name.",
  ],
  [
    14,
    "File direction refused",
    "The other side takes no files from us.",
    "Agree on the direction with the partner.",
  ],
  [15, "Cipher suite not supported", "The cipher suite is not supported.", SECURITY],
  [16, "Encrypted file not allowed", "Encrypted files are not accepted.", SECURITY],
  [17, "Unencrypted file not allowed", "Only encrypted files are accepted.", SECURITY],
  [18, "Compression not allowed", "Compressed files are not accepted.", SECURITY],
  [19, "Signed file not allowed", "Signed files are not accepted.", SECURITY],
  [20, "Unsigned file not allowed", "Only signed files are accepted.", SECURITY],
  [21, "Invalid file signature", "The signature of the file is wrong or not trusted.", KEYS],
  [22, "File decryption failure", "The file could not be decrypted.", KEYS],
  [23, "File decompression failure", "The file could not be decompressed.", RESEND],
  [99, "Unspecified reason", "The file was refused without a reason.", "Ask the partner for its log."],
];

/** Reasons that exist for EFNA only: what is found out only when the file is complete. */
export const endOnlyReasons: ReadonlySet<number> = new Set([21, 22, 23]);

const AHEAD = "Ask the partner that sent the response; the cause lies behind it on the way.";

/** NERP reasons, RFC 5024 section 5.3.13. Mind that 32 and 33 cross EFNA 22 and 23. */
export const nerpReasons: readonly CodeRow[] = [
  [3, "User code not known", "A node on the way is not known to the next one.", AHEAD],
  [4, "Invalid password", "A node on the way has a wrong password for the next one.", AHEAD],
  [9, "Unspecified", "A session on the way was ended without a reason.", AHEAD],
  [
    11,
    "Invalid filename",
    "The dataset name is not accepted.",
    "Agree on the name (nfname) with the partner.",
  ],
  [12, "Invalid destination", "The destination code of the file is not known.", CODES],
  [13, "Invalid origin", "The origin code of the file is not known.", CODES],
  [14, "Invalid storage record format", "The record format is not accepted.", FORMAT],
  [15, "Maximum record length not supported", "Records of this length are not accepted.", FORMAT],
  [
    16,
    "File size too big",
    "The file is too big for the recipient.",
    "Split the file, or ask for more space there.",
  ],
  [20, "Invalid record count", "The number of records does not agree.", "Send the file again."],
  [21, "Invalid byte count", "The number of octets does not agree.", "Send the file again."],
  [
    22,
    "Access method failure",
    "The recipient could not write the file.",
    "Ask the partner, then send it again.",
  ],
  [
    23,
    "Duplicate file",
    "The recipient has this file already.",
    "Send it under another name if it is another file.",
  ],
  [
    24,
    "File direction refused",
    "The recipient takes no files from us.",
    "Agree on the direction with the partner.",
  ],
  [25, "Cipher suite not supported", "The cipher suite is not supported.", SECURITY],
  [26, "Encrypted file not allowed", "Encrypted files are not accepted.", SECURITY],
  [27, "Unencrypted file not allowed", "Only encrypted files are accepted.", SECURITY],
  [28, "Compression not allowed", "Compressed files are not accepted.", SECURITY],
  [29, "Signed file not allowed", "Signed files are not accepted.", SECURITY],
  [30, "Unsigned file not allowed", "Only signed files are accepted.", SECURITY],
  [31, "File signature not valid", "The signature of the file is wrong or not trusted.", KEYS],
  [32, "File decompression failed", "The file could not be decompressed.", "Send the file again."],
  [33, "File decryption failed", "The file could not be decrypted.", KEYS],
  [
    34,
    "File processing failed",
    "The recipient could not use the file.",
    "Ask the recipient what is wrong with it.",
  ],
  [35, "Not delivered to recipient", "A node on the way could not pass the file on.", AHEAD],
  [
    36,
    "Not acknowledged by recipient",
    "A node on the way passed the file on and heard nothing more.",
    AHEAD,
  ],
  [50, "Transmission stopped by the operator", "Somebody stopped the file on its way.", AHEAD],
  [
    90,
    "File size incompatible with recipient's protocol version",
    "The recipient speaks OFTP 1, which cannot carry a file of this size.",
    "Split the file.",
  ],
  [99, "Unspecified reason", "The recipient refused the file without a reason.", AHEAD],
];
