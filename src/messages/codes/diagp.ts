/** A mnemonic that DIAGP shows: code, meaning, what to do. */
export type MnemonicRow = readonly [code: string, means: string, action: string];

const START = "Remove the cause, then `cygnet start` the transfer.";
const AGAIN = "Nothing to do: it is tried again by itself.";
const CONFIGURE = "Correct the configuration, then `cygnet start` the transfer.";

/** The mnemonics of Transfer CFT that an OFTP gateway can write. */
export const diagpNames: readonly MnemonicRow[] = [
  ["ABORT", "The transfer was aborted.", START],
  ["CALL OUT", "The network resource is for incoming calls only.", CONFIGURE],
  ["CP NONE", "The transfer has ended well; nothing was compressed.", "Nothing to do."],
  ["DUPLICAT", "The same file was transferred already.", "Nothing to do after a repetition."],
  ["ERR_NCAR", "The number of octets does not agree.", "`cygnet start` sends the file again from its start."],
  [
    "ERR_NREC",
    "The number of records does not agree.",
    "`cygnet start` sends the file again from its start.",
  ],
  ["ERRPASSW", "The password of the session is wrong.", "Agree on nspassw and nrpassw with the partner."],
  ["ERRPROT", "The partner broke the rules of the protocol.", "Compare the protocol traces of both sides."],
  ["FCON_RN", "The two sides cannot agree how to work.", "Compare level, buffer, credit and direction."],
  ["HOLD", "The transfer is held.", "`cygnet start` lets it go on."],
  ["INACT", "The partner is inactive.", "`cygnet act <partner>`."],
  ["MAXCNX", "As many connections as allowed are open.", AGAIN],
  ["MAXCV", "As many sessions with the partner as allowed are open.", AGAIN],
  ["MAXRETRY", "The partner was called on every path as often as allowed.", START],
  ["MAXRST", "The transfer was restarted as often as allowed.", START],
  ["MAXTRANS", "As many transfers as allowed are running.", AGAIN],
  ["N_REL_I", "The line was lost.", AGAIN],
  ["NO AUTH", "The partner may not transfer files of this flow.", CONFIGURE],
  ["NO NEW", "The file exists already and may not be replaced.", START],
  ["NO OLD", "The file is not there.", "Put the file back, then `cygnet start` the transfer."],
  ["NO PART", "No CFTPART has this id.", CONFIGURE],
  ["NO PROT", "The partner has no protocol.", CONFIGURE],
  ["NO_FILE", "The partner had no file for us.", "Nothing to do."],
  ["NOCALL", "The partner may not be called.", CONFIGURE],
  ["OPER", "A command stopped the transfer.", "`cygnet start` lets it go on."],
  ["OUT TIME", "The time window is over, or there is none.", CONFIGURE],
  ["R_PASSW", "The partner refuses the password.", "Agree on nspassw and nrpassw with the partner."],
  ["RELEASE", "The partner refused the session.", AGAIN],
  ["RTO", "An awaited answer did not come in time.", AGAIN],
  ["SFNA", "The partner refused the file.", "`cygnet explain SFNA <reason>` with the reason of the log."],
  ["SROUT", "The protocol does not allow this direction.", CONFIGURE],
  ["TIMEOUT", "The partner did not answer the call in time.", AGAIN],
  ["VRESID", "The partner ended the session in the middle of a file.", "See the ESID reason in the log."],
];
