import type { WordRow } from "./meaning.ts";

const START = "Remove the cause, then `cygnet start` the transfer.";
const AGAIN = "Nothing to do: it is tried again by itself.";
const CONFIGURE = "Correct the configuration, then `cygnet start` the transfer.";
const NEGOTIATE =
  "Compare level, srusize, scredit and direction with the partner; log level T shows the commands.";
const TRACES = "If it is repeated, compare the protocol traces of both sides (log level T).";
const RESEND = "`cygnet start` sends the file again from its start.";
const ELSEWHERE = "This gateway does not write it; ask whoever runs the Transfer CFT that did.";

/** What a command of the protocol was about, in front of four hexadecimal digits (`SSI 0205`). */
const commands: readonly WordRow[] = [
  ["CDT", "Credit: data came without it, or it was given at the wrong moment.", TRACES],
  ["DAT", "Data and credit came in the wrong order.", TRACES],
  ["FMT", "A command could not be built.", TRACES],
  ["IDF", "The partner sent another file than the one selected.", TRACES],
  ["LDT", "The size of the exchange buffer does not suit.", NEGOTIATE],
  ["MSG", "The end-to-end response was not taken (RTR).", TRACES],
  ["PAD", "The special logic of asynchronous lines does not suit.", NEGOTIATE],
  ["POS", "The position at which a file is to go on does not suit.", RESEND],
  ["RST", "The two sides do not agree on restart.", NEGOTIATE],
  ["SFI", "A parameter of the file request (SFID) does not suit.", TRACES],
  ["SSI", "A parameter of the session request (SSID) does not suit.", NEGOTIATE],
  ["VER", "The level of the protocol does not suit.", NEGOTIATE],
];

/** Of OFTP only. */
const oftp: readonly WordRow[] = [
  ["ABOI_CD", "The turn was given after an abort.", TRACES],
  ["ABORT_I", "The session was aborted.", AGAIN],
  ["CD_ODT", "A receive of whatever waits: the turn was given to the partner.", "Nothing to do."],
  ["CLOSE_RN", "The file could not be closed.", START],
  ["CREA_RN", "The file could not be created.", START],
  ["DSEL_CN", "The file could not be released.", START],
  ["END_TFIL", "The end of the file went wrong.", START],
  ["ERR INC", "The protocol met an unknown error.", TRACES],
  ["ERR_UFMT", "The format of the file is not known.", CONFIGURE],
  ["ERRPASSW", "The password of the session is wrong.", "Agree on nspassw and nrpassw with the partner."],
  ["EVT", "A command came at a moment where it may not.", TRACES],
  ["FCON_RN", "The two sides cannot agree how to work.", NEGOTIATE],
  ["MSG_RN", "The end-to-end response was not acknowledged.", TRACES],
  ["MSG_NOAU", "The partner may not send this response.", CONFIGURE],
  ["N_REL_I", "The line was lost.", AGAIN],
  ["NO TURN", "The turn cannot be handed straight back.", "Nothing to do."],
  ["NO_FILE", "The partner had no file for us.", "Nothing to do."],
  ["R_PASSW", "The partner refuses the password.", "Agree on nspassw and nrpassw with the partner."],
  ["SFNA", "The partner refused the file.", "`cygnet explain SFNA <reason>` with the reason of the log."],
  ["TFIL", "The transfer of the file went wrong.", START],
  ["VNRELI", "The line was lost.", AGAIN],
  ["VRESID", "The partner ended the session in the middle of a file.", "See the ESID reason in the log."],
];

const general: readonly WordRow[] = [
  ["ABORT", "The transfer was aborted.", START],
  ["CALL OUT", "There is no way to call the partner, or its window for calls is always shut.", CONFIGURE],
  ["CATUPDT", "The catalog could not be updated.", "Check the disk of the catalog."],
  ["COLLECT", "The call would have been charged to the called side.", ELSEWHERE],
  ["CP NONE", "The transfer has ended well; nothing was compressed.", "Nothing to do."],
  [
    "DIFFUS",
    "The record stands for a broadcast: its children are the transfers.",
    "`cygnet listcat` shows the children.",
  ],
  ["DUPLICAT", "The same file was transferred already.", "Nothing to do after a repetition."],
  ["LIST_FI", "The list of files or partners could not be read.", CONFIGURE],
  ["RECV ALL", "A receive of whatever waits.", "Nothing to do."],
  ["MIN CYC", "The transfer is repeated every so many minutes.", "Nothing to do."],
  ["DAY CYC", "The transfer is repeated every so many days.", "Nothing to do."],
  ["MON CYC", "The transfer is repeated every so many months.", "Nothing to do."],
  ["ERRCOMP", "Compressed data cannot be decompressed.", RESEND],
  ["ERR LREC", "A record is longer than the format allows.", CONFIGURE],
  ["ERR_NCAR", "The number of octets does not agree.", RESEND],
  ["ERR_NREC", "The number of records does not agree.", RESEND],
  ["ERRPROT", "The partner broke the rules of the protocol.", "Compare the protocol traces of both sides."],
  ["EXAERR", "The exit of the directory failed.", ELSEWHERE],
  ["EXARJT", "The exit of the directory refused the partner.", ELSEWHERE],
  ["EXATASK", "The exit of the directory could not be started.", ELSEWHERE],
  ["EXIT", "An exit stopped the transfer.", ELSEWHERE],
  ["FORMAT", "The format of the file does not suit.", CONFIGURE],
  ["HOLD", "The transfer is held.", "`cygnet start` lets it go on, or the partner fetches it when it calls."],
  ["INACT", "The partner is inactive.", "`cygnet act <partner>`."],
  ["INV XFER", "The kind of transfer is not possible.", CONFIGURE],
  ["KEY", "The key of an SSH server is not the one on record.", ELSEWHERE],
  ["LDT_TXT", "A record of a text file is longer than 2048 characters.", CONFIGURE],
  ["MALLOC", "There was no memory.", AGAIN],
  ["MAXCNX", "As many connections as allowed are open.", AGAIN],
  ["MAXCV", "As many sessions with the partner as allowed are open.", AGAIN],
  ["MAXRETRY", "The partner was called on every path as often as allowed.", START],
  ["MAXRST", "The transfer was restarted as often as allowed.", START],
  ["MAXTASK", "As many tasks as allowed are running.", AGAIN],
  ["MAXTRANS", "As many transfers as allowed are running.", AGAIN],
  ["MYSELF", "The partner is this site itself.", CONFIGURE],
  ["NO AUTH", "The partner may not transfer files of this flow.", CONFIGURE],
  ["NO CALL", "There may be no outgoing session with the partner (cnxout = 0).", CONFIGURE],
  ["NO EXEC", "A script could not be started.", "Look at the lines of the script in the log."],
  ["NO NEW", "The file exists already and may not be replaced.", START],
  ["NO OLD", "The file is not there.", "Put the file back, then `cygnet start` the transfer."],
  ["NO OPEN", "The file could not be opened.", START],
  ["NO PARM", "There is no template for the flow.", CONFIGURE],
  ["NO PART", "No CFTPART has this id.", CONFIGURE],
  ["NO PROT", "The partner has no protocol.", CONFIGURE],
  ["NO XLATE", "The translation table is missing.", CONFIGURE],
  ["NOCALL", "The partner may not be called.", CONFIGURE],
  ["OPER", "A command stopped the transfer.", "`cygnet start` lets it go on."],
  ["OUT TIME", "The time window is over, or there is none.", CONFIGURE],
  ["RELEASE", "The partner refused the session.", AGAIN],
  ["RESTART0", "The transfer begins anew.", "Nothing to do."],
  ["RESTARTF", "The transfer could not go on where it was cut.", RESEND],
  ["RTO", "An awaited answer did not come in time.", AGAIN],
  ["SROUT", "The protocol does not allow this direction.", CONFIGURE],
  ["TIMEOUT", "The partner did not answer the call in time.", AGAIN],
  ["TLSPARSE", "A TLS message could not be decoded.", "Check that the port speaks TLS on both sides."],
  ["TSK_EXIT", "The task of an exit has ended.", ELSEWHERE],
  ["WF RENAM", "A complete file could not be given its final name.", START],
];

/** Of this gateway. */
const own: readonly WordRow[] = [
  [
    "ACKTIMEOUT",
    "The end-to-end response did not come within acktimeout of the flow.",
    "Ask the partner whether it has the file; `cygnet start` waits for the response again.",
  ],
  ["KEEP", "A command keeps the transfer from going on.", "`cygnet start` lets it go on."],
  [
    "RECEIPT",
    "The end-to-end response was not what had been agreed: not signed, or not by the partner, or about other octets.",
    "Ask the partner which key it signs with.",
  ],
  ["SAUTH", "The flow is not one that the partner may be sent (sauth).", CONFIGURE],
  [
    "SECURITY",
    "The file is to be secured, and a key or certificate is missing, or the session cannot carry it.",
    "Read DIAGC with `cygnet display`; then `cygnet start` the transfer.",
  ],
];

/** The mnemonics that DIAGP shows. */
export const diagpNames: readonly WordRow[] = [...commands, ...oftp, ...general, ...own];
