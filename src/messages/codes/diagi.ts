import type { CodeRow } from "./meaning.ts";

const AGAIN = "Nothing to do: it is tried again by itself.";
const START = "Remove the cause, then `cygnet start` the transfer.";
const DISK = "Check folder, permissions and free space, then `cygnet start` the transfer.";
const REPORT = "Report it with the log lines around it.";
const TRACE = "If it is repeated, compare the protocol traces of both sides (log level T).";
const CONFIGURE = "Correct the configuration, then `cygnet start` the transfer.";
const WAIT = "Nothing to do: it waits until there is room, or raise the limit.";
const SCRIPT = "Look at the lines of the script in the log, mend it, then `cygnet start` runs it again.";
const PARTNER = "The cause lies at the partner: ask for its log; then `cygnet start` the transfer.";
const TLS = "Look at the CFTY lines of the session: certificates, trusted authorities, versions, ciphers.";

/** One row for each of several numbers that differ only in their names. */
function each(means: string, action: string, names: Readonly<Record<number, string>>): CodeRow[] {
  return Object.entries(names).map(([code, name]) => [Number(code), name, `${name}: ${means}`, action]);
}

/** Local success and system codes. */
const system: readonly CodeRow[] = [
  [0, "correct end", "The transfer has ended well, or nothing has gone wrong so far.", "Nothing to do."],
  ...each("an internal resource is missing.", REPORT, {
    1: "queue creation",
    2: "context definition",
    3: "context allocation",
    4: "message queue connect",
    5: "message queue open",
    6: "message queue put",
  }),
  [122, "no memory", "There was no memory when the transfer was to start.", AGAIN],
  [412, "catalog access", "The catalog could not be read or written.", "Check the disk of the catalog."],
  [415, "partner count", "As many partners as allowed are being served.", WAIT],
  [416, "MAXTRANS or MAXCNX", "As many transfers or connections as allowed are running.", WAIT],
  [417, "MAXTASK", "As many tasks as allowed are running.", WAIT],
  [418, "MAXCV", "As many sessions with the partner as cnxin, cnxout or cnxinout allow are open.", WAIT],
  [421, "file task error", "A file task failed.", AGAIN],
  [423, "exit task creation", "An exit could not be started.", REPORT],
  [424, "NO XLATE", "The translation table is missing.", CONFIGURE],
];

/** Local file codes. */
const files: readonly CodeRow[] = [
  ...each("the operation failed on the local file.", DISK, {
    100: "input/output",
    101: "file create",
    102: "file allocate",
    103: "file delete",
    104: "file open",
    105: "file close",
    106: "save of the checkpoint position",
    107: "reposition to the checkpoint",
    108: "file read",
    109: "file write",
    112: "unit absent",
    115: "owner has no right",
    128: "file release",
    135: "file locked",
    142: "rename",
  }),
  [
    110,
    "file absent",
    "The file is not there (NO OLD).",
    "Put the file back, then `cygnet start` the transfer.",
  ],
  [
    111,
    "no space to create",
    "There is no space to create the file.",
    "Make room, then `cygnet start` the transfer.",
  ],
  [113, "file exists", "The file exists already and may not be replaced (NO NEW).", START],
  [114, "no space while writing", "The disk became full.", "Make room, then `cygnet start` the transfer."],
  [
    120,
    "counter check",
    "Records or octets do not add up.",
    "`cygnet start` sends the file again from its start.",
  ],
  [121, "operator", "A command stopped the transfer (OPER).", "`cygnet start` lets it go on."],
  [123, "bad restart point", "The transfer cannot go on where it was cut.", "`cygnet start` begins it anew."],
  [124, "aborted", "The transfer was aborted.", START],
  [126, "record length", "A record is longer than the format allows.", CONFIGURE],
  [127, "target not empty", "The target holds data already.", START],
  [129, "file compression", "The file could not be compressed.", START],
  [130, "file decompression", "The file could not be decompressed.", START],
  [131, "file name differs", "The partner sent another file than the one selected.", TRACE],
  [132, "list file", "The list of files could not be read.", CONFIGURE],
  [133, "distribution list misused", "A distribution list is not for this use.", CONFIGURE],
  [134, "file exit failed", "A file exit failed.", START],
  [136, "temporary file exists", "The temporary file exists already.", DISK],
  [137, "target file exists", "The final file exists already.", START],
  [138, "no temporary file defined", "The name of a temporary file is missing.", CONFIGURE],
  [139, "file attributes refused", "The attributes of the file are not those that were agreed.", START],
  [145, "send outside WORKINGDIR", "The file to send lies outside its working directory.", CONFIGURE],
  [148, "receive outside WORKINGDIR", "The file would be written outside its working directory.", CONFIGURE],
  [150, "directory or filter", "A directory could not be read or a filter is wrong.", CONFIGURE],
  [152, "group concatenation", "Files could not be joined for a group transfer.", DISK],
  [
    153,
    "file overwritten during transfer",
    "The file changed while it was sent.",
    "Drop it again when complete.",
  ],
  [154, "transcoding", "A character has no counterpart in the other character set.", CONFIGURE],
  [155, "NO EXEC", "A script could not be started or did not end well; DIAGP says how.", SCRIPT],
  [156, "rename retries used", "A complete file could not be given its final name.", DISK],
  [158, "forbidden character", "A variable holds a character that scripts must not see.", START],
  [159, "archive name missing", "No name is given for the archive.", CONFIGURE],
  [160, "nothing to send", "The partner asked for files, and none waits.", "Nothing to do."],
  [200, "a child failed", "One transfer of a group failed.", "Look at the transfers of the group."],
];

/** Local protocol, network and TLS codes. */
const protocol: readonly CodeRow[] = [
  ...each("a protocol unit could not be decoded.", TRACE, {
    220: "malformed unit",
    221: "malformed unit",
    222: "malformed unit",
    223: "malformed unit",
    224: "malformed unit",
    225: "malformed unit",
    226: "malformed unit",
  }),
  [230, "protocol error", "The partner broke the rules of the protocol.", TRACE],
  [231, "invalid action", "The protocol reached an action that does not exist.", REPORT],
  [232, "unexpected event", "A command came at a moment where it may not.", TRACE],
  [233, "message not supported", "OFTP carries no messages.", CONFIGURE],
  [240, "RTO", "An awaited answer did not come in time.", AGAIN],
  ...each("a wait was longer than allowed.", AGAIN, {
    241: "transfer time-out",
    243: "network time-out",
    244: "pre-connection time-out",
  }),
  [260, "TLS problem", "The TLS session could not be opened.", TLS],
  [261, "internal PKI", "A certificate or a key could not be used.", TLS],
  [262, "PKI system", "The certificate store failed.", TLS],
  [263, "external PKI", "An external check refused a certificate.", TLS],
  [
    264,
    "SSH server key",
    "The SSH server's key is not the one on record (KEY).",
    "Compare the key with the partner.",
  ],
  [278, "invalid security profile", "The security profile does not suit.", CONFIGURE],
  [301, "bad address", "The partner's address is wrong.", "Correct host of the CFTTCP object."],
  [302, "link cut or refused", "The line was cut, or the call was refused.", AGAIN],
  [303, "network parameter", "A network setting is wrong.", CONFIGURE],
  ...each("access management does not allow it.", CONFIGURE, {
    350: "user may not request",
    351: "partner may not use the held transfer",
    352: "partner may not create the transfer",
  }),
  ...each("the configuration does not allow it.", CONFIGURE, {
    401: "nested distribution list",
    402: "protocol of the partner not loaded",
    404: "open mode",
    408: "no CFTPART",
    410: "no CFTPROT",
    411: "flow forbidden (requester)",
    413: "flow forbidden (server)",
    431: "CFTAPPL missing",
    434: "default flow",
    435: "WORKINGDIR clash",
    436: "SFTP key",
  }),
  [403, "password", "The caller's password is wrong.", "Agree on nspassw and nrpassw with the partner."],
  [405, "MAXRETRY", "The partner was called on every path as often as allowed.", START],
  [406, "MAXRST", "The transfer was restarted as often as allowed, or there is no way to call.", START],
  [
    409,
    "unknown network name",
    "The code of the partner is in no CFTPART.",
    "Compare nrpart with what it sends.",
  ],
  [
    414,
    "OUT TIME",
    "The time window is over, or there is none.",
    "Correct the windows, then `cygnet start`.",
  ],
  [419, "restart target unknown", "The partner wants to go on with a transfer that is unknown here.", TRACE],
  [420, "reply target unknown", "A response came for a transfer that is unknown here.", TRACE],
  [
    425,
    "number refused",
    "The caller is not allowed, or was refused so often that it has to wait (CFTN70W).",
    "Correct the configuration; `cygnet act` with its address or the partner hears it at once.",
  ],
  [426, "directory exit", "The directory exit refused the partner.", CONFIGURE],
  [
    428,
    "address check",
    "The caller's address is not the partner's.",
    "Correct allow or host of the partner.",
  ],
  [
    430,
    "INACT",
    "The partner is inactive.",
    "`cygnet act <partner>`; waiting transfers go on by themselves.",
  ],
  [432, "DUPLICAT", "The same file was transferred already.", "Nothing to do after a repetition."],
  [433, "user password", "User or password of the flow is wrong.", CONFIGURE],
  [451, "connect refused", "The partner refused the session or did not answer (RELEASE, TIMEOUT).", AGAIN],
  ...each("the partner answered no.", PARTNER, {
    452: "negative answer to message",
    453: "negative answer to create",
    454: "negative answer to select",
    455: "negative answer to release",
    456: "negative answer to open",
    457: "negative answer to close",
    458: "negative answer to read",
    459: "negative answer to write",
    460: "negative answer to end of transfer",
  }),
  [461, "abort with diagnostic", "The session was aborted with a diagnostic.", TRACE],
  [462, "no data sent", "The transfer ended without data.", TRACE],
  [463, "LOGON unknown", "The log-on is unknown.", CONFIGURE],
  [499, "turn accepted", "OFTP: the partner accepted the turn.", "Nothing to do."],
];

/** Codes that the partner reports: 500 plus the code that it saw. */
const reported: readonly CodeRow[] = [
  [500, "reported by the partner", "Base of the codes that the partner reports: 500 plus its code.", PARTNER],
  ...each("reported by the partner about its file.", PARTNER, {
    600: "input/output there",
    604: "file open there",
    605: "file close there",
    610: "file absent or name not accepted there",
    611: "no space or file too big there",
    613: "file exists there",
    614: "no space while writing there",
    620: "counters differ there",
    621: "operator there",
    626: "record length there",
    635: "file locked there",
    639: "file attributes refused there",
    660: "nothing outstanding there",
  }),
  [657, "too many open files", "There are too many open files (local errno of the SFTP process).", START],
  [720, "negotiation or format", "The two sides cannot agree how to work (OFTP negotiation).", CONFIGURE],
  [722, "missing parameter", "The partner misses a parameter.", TRACE],
  [
    730,
    "protocol error there",
    "The partner ended the session with an error (VRESID: ESID received).",
    TRACE,
  ],
  [740, "time-out there", "The partner waited too long.", AGAIN],
  [850, "not authorised there", "The partner does not allow it.", PARTNER],
  [904, "refused there", "The partner refused the transfer.", PARTNER],
  [
    909,
    "requester unknown there",
    "The partner does not know our code, or the password is wrong.",
    CONFIGURE,
  ],
  [916, "MAXTRANS there", "The partner has no transfer or session free.", AGAIN],
  [919, "no restart context there", "The partner no longer knows the cut transfer.", PARTNER],
  [920, "reply target unknown there", "The partner does not know the transfer of a response.", PARTNER],
  [925, "reverse charge there", "The partner does not accept the call.", PARTNER],
  [928, "caller number there", "The partner does not accept the caller's number.", PARTNER],
  [930, "inactive there", "We are inactive at the partner.", "Ask the partner to activate us."],
  [933, "user or password there", "The partner refuses user or password.", PARTNER],
  [963, "LOGON refused there", "The partner could not be convinced who we are.", PARTNER],
  [970, "password expired there", "The password has expired at the partner.", PARTNER],
];

/** DIAGI, Transfer CFT's diagnostic: below 500 found here, above 500 reported by the partner. */
export const diagiCodes: readonly CodeRow[] = [...system, ...files, ...protocol, ...reported];
