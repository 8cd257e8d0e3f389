/**
 * Messages of Transfer CFT that this gateway never writes, for people who look for them: ids, what Transfer CFT says with
 * them, why it is not said here, and where to look instead.
 */
export type AbsentRow = readonly [ids: string, name: string, why: string, action: string];

const CHECKED = "Objects are checked together, before anything of them is in force.";
const LOADED = "Look for CFTS70E, or run `cygnet check`: it shows every fault with file, line and column.";
const SFTP = "It belongs to SFTP, and this gateway speaks OFTP.";
const PESIT = "It is about a unit of PeSIT, and this gateway speaks OFTP.";
const TASKS = "The gateway is one process; it has no tasks that could start, end or signal to each other.";
const LICENCE = "There is no licence.";
const EXITS = "There are no exits: no foreign code runs inside the gateway.";
const RIGHTS =
  "Rights go by role (read, operate, admin), not by command: whoever may open the control socket may give all of them.";
const TOLD = "Whoever makes a request is told at once what is wrong with it, and nothing is recorded.";
const COMMAND_LINE = "Look at the answer of the command; `cygnet <command> --help` shows how it is written.";
const NOTHING = "Nothing to look for.";

const operation: readonly AbsentRow[] = [
  ["CFTI11I CFTI12I CFTI13I CFTI28I", "Task initialised", TASKS, "CFTI14I says that the start is complete."],
  [
    "CFTI02F CFTI03F CFTI04F CFTI05F CFTI06F CFTI10F CFTI20F CFTI23F",
    "Start failed on an object",
    CHECKED,
    "CFTI01F ends a start that failed, CFTI21F and CFTI22F name the object; `cygnet check` shows every fault.",
  ],
  ["CFTI34I CFTI35I", "Task started or ended", TASKS, NOTHING],
  [
    "CFTI42E",
    "File of process ids not locked",
    "What keeps a second gateway away is the lock of the catalog.",
    "`cygnet explain CYG_CATALOG_IN_USE`.",
  ],
  [
    "CFTI36I CFTI38E",
    "Job loaded or rejected",
    "Jobs are part of the configuration.",
    "CFTS75I tells of changed jobs, CFTS70E of wrong ones.",
  ],
  ["CFTI43I CFTI43W CFTI43E", "Licence about to end or ended", LICENCE, NOTHING],
  ["CFTP01F CFTP03F CFTP04F CFTP05F CFTP06F CFTP07F CFTP14F", "Named object missing", CHECKED, LOADED],
  ["CFTP08F CFTP31F", "CFTPROT names an unknown CFTNET", CHECKED, LOADED],
  [
    "CFTP09F CFTP10F",
    "Default CFTSEND or CFTRECV missing",
    "Flows without a template have built-in defaults.",
    "Nothing to do; `default_idf` of CFTPARM says whether unknown flows are taken.",
  ],
  ["CFTP13F", "Translation table missing", CHECKED, LOADED],
  ["CFTP20F CFTP30F", "Server profile CFTSSL or CFTSSH missing", CHECKED, LOADED],
  ["CFTP20E CFTP21E CFTP22E", "Client profile or key of SSH not loaded", SFTP, NOTHING],
  [
    "CFTP18F",
    "Configuration base was tampered with",
    "The configuration is plain files: their owner and mode protect them.",
    "Keep the files in version control; `cygnet check --plan` shows what is not in force yet.",
  ],
  [
    "CFTS04W",
    "Script is empty",
    "The system says what it cannot run.",
    "CFTS11E tells of scripts that could not be run.",
  ],
  [
    "CFTS05E CFTS06E CFTS07E CFTS08E",
    "Script or its temporary copy not usable",
    "Scripts are run where they stand; no copy is made, and no text is replaced in them.",
    "CFTS02E and CFTS11E tell of scripts that are missing or cannot be run.",
  ],
  [
    "CFTS14E CFTS16E CFTS17E CFTS21I CFTS22I CFTS23E",
    "Exit of the end of transfer",
    EXITS,
    "A script (exec) does what an exit did.",
  ],
  [
    "CFTS33I CFTS34I CFTS36I",
    "Log or account file switched, or not",
    "The log begins a new file by itself, by size; no procedure runs.",
    "CFTH99W tells of a log that cannot be written, CFTS35I of a new accounting file.",
  ],
  [
    "CFTS41I CFTS42E",
    "Script of a catalog alarm",
    "The catalog grows with the disk; there is no fill alarm with a script.",
    "CFTC01E tells of a catalog that cannot be written.",
  ],
  [
    "CFTS59E CFTS60W CFTS61I",
    "Recovery between nodes",
    "One gateway works on one catalog.",
    "CFTC08I tells what the recovery at start has done.",
  ],
  ["CFTS63F CFTS64I", "Secure Relay", "There is no Secure Relay.", NOTHING],
  [
    "CFTS67E",
    "Forbidden character in a variable",
    "Scripts get values in their environment and as single arguments, never as text of a command.",
    "CFTS68E tells of the one character that no program can be given.",
  ],
  [
    "CFTS71W CFTS72W CFTS73I CFTS74E",
    "Command file nearly full",
    "Commands come over the control socket; there is no file of commands.",
    NOTHING,
  ],
];

const network: readonly AbsentRow[] = [
  ["CFTN03E", "TLS task not started", TASKS, "CFTY13E tells of a handshake that failed here."],
  [
    "CFTN04E CFTH21E CFTH07E",
    "Signal between tasks failed",
    TASKS,
    "CFTH77E and CFTS77E tell of internal errors.",
  ],
  ["CFTN06I", "Depletion prevention without a class", "Network resources have no classes.", NOTHING],
  ["CFTN08E CFTN09E", "Port of SFTP not opened", SFTP, "CFTN05E tells of ports that could not be opened."],
  [
    "CFTN10E CFTN11E CFTN12E",
    "SFTP at a limit",
    SFTP,
    "CFTN36W and CFTH19E tell of limits that calls have met.",
  ],
  [
    "CFTH18E",
    "Incoming call could not be refused",
    "A call is refused by closing its connection, which does not fail.",
    NOTHING,
  ],
  [
    "CFTH59I",
    "Message carried",
    "OFTP carries no messages, only files and their responses.",
    "CFTH60I tells of responses.",
  ],
  ["CFTT70I CFTT70E CFTT95E", "User and password of SFTP", SFTP, NOTHING],
  [
    "CFTH04E CFTH05E CFTH06E CFTH08E CFTH12E CFTH14E CFTH15E CFTH16E CFTH17E CFTH20E",
    "Malformed unit of PeSIT",
    PESIT,
    "CFTH76W tells of sessions that end after a fault in the protocol.",
  ],
  [
    Array.from({ length: 32 }, (_, number) => `CFTH${24 + number}E`).join(" "),
    "Malformed unit of PeSIT",
    PESIT,
    "CFTH76W tells of sessions that end after a fault in the protocol.",
  ],
  ["CFTY50I CFTY51I CFTY52I CFTY53I", "SSH or SFTP session open", SFTP, "CFTH56I tells of OFTP sessions."],
];

const requests: readonly AbsentRow[] = [
  [
    "CFTR02E CFTR03E CFTR04E CFTR05E CFTR06E CFTR07E CFTR08E CFTR09E CFTR10E CFTR11E",
    "Command not understood",
    TOLD,
    COMMAND_LINE,
  ],
  ["CFTR21E", "Transfer to be acknowledged not found", TOLD, COMMAND_LINE],
  [
    "CFTR16I CFTR18W CFTR19E",
    "Text written by WLOG",
    "There is no WLOG: the log holds the gateway's own messages only.",
    NOTHING,
  ],
  [
    "CFTR17I",
    "Bulk command in progress",
    "A command on many transfers is told of once for each of them.",
    "Look for CFTR12I.",
  ],
  ["CFTT00E", "Request not possible", TOLD, COMMAND_LINE],
  [
    "CFTT02E CFTT26E CFTT30E",
    "No transfer, task or exit free",
    "Waiting for a slot is no event; the record says what it waits for.",
    "`cygnet display` shows what a transfer waits for.",
  ],
  [
    "CFTT05E",
    "Restart impossible",
    "A file that cannot go on where it was cut begins anew.",
    "CFTT96I is missing then between CFTT53I and CFTT57I.",
  ],
  ["CFTT42E CFTT45E", "Intermediate partner wrong", CHECKED, LOADED],
  ["CFTT47E", "TLS profile missing", CHECKED, LOADED],
  [
    "CFTR20F",
    "Folder cannot be watched at all",
    "A folder that cannot be made or read keeps the configuration from coming into force.",
    "CFTS85W tells of configurations that were not accepted; a start that fails says it itself.",
  ],
  [
    "CFTT65E",
    "Requested protocol not in the list of the partner",
    "A request names no protocol: those of the partner are tried in their order.",
    "CFTT13I tells which one was chosen.",
  ],
  ["CFTT32E", "Partner unknown", "One message tells of it.", "Look for CFTT14E."],
  [
    "CFTT20E CFTT24E",
    "Kind or number of the call refused",
    "Calls come over TCP/IP, not over X.25.",
    "CFTN05W tells of addresses that are not let in.",
  ],
  [
    "CFTT22E",
    "User and password of a flow",
    "OFTP has passwords for sessions, none for flows.",
    "CFTT19E tells of wrong passwords.",
  ],
  [
    "CFTT28E",
    "Network resource is for incoming calls only",
    "Network resources serve both directions.",
    "CFTT11E tells of partners that cannot be called.",
  ],
  ["CFTT29E CFTT33E", "List of partners misused or nested", CHECKED, LOADED],
  [
    "CFTT38I",
    "Partner made by its first call",
    "Only configured partners are let in.",
    "CFTT15E tells of unknown callers.",
  ],
  ["CFTT63E CFTT66E", "Limits of the licence", LICENCE, NOTHING],
  ["CFTX02W CFTX03W CFTX04W CFTX05W", "Access denied", RIGHTS, "CFTX01W tells of access that was denied."],
  ["CFTC09I CFTC10I CFTC11I", "Command not done for lack of rights", RIGHTS, NOTHING],
  [
    "CFTW02W CFTW08W CFTW09I",
    "Which template a request has used",
    "A flow has one template, and FORCE is not known.",
    "`cygnet display` shows the flow of a transfer.",
  ],
];

const transfers: readonly AbsentRow[] = [
  [
    "CFTT76E CFTT77E",
    "Partner refused to write or to read",
    "OFTP has no answer to data: a partner that cannot go on ends the session, or says so at the end of the file.",
    "CFTT74E tells of sessions that the partner ends in a file, CFTT78E of ends that it refuses.",
  ],
  [
    "CFTT72E CFTT80E",
    "Partner refused to select or to open the file",
    "In OFTP one answer (SFNA) stands for creating, selecting and opening.",
    "CFTT71E tells of files that the partner refuses.",
  ],
  [
    "CFTT79E CFTT81E",
    "Partner refused to close or to release the file",
    "In OFTP one answer (EFNA) stands for everything at the end of a file.",
    "CFTT78E tells of it.",
  ],
  [
    "CFTT98W",
    "Temporary name is the final one",
    "Files are received in a work folder and linked to their place.",
    NOTHING,
  ],
  ["CFTT01E", "Opening for this use refused", "A partner cannot ask for a file by name in OFTP.", NOTHING],
  [
    "CFTT72W",
    "File not found by the partner, ignored",
    "A partner is never asked for a file by name in OFTP.",
    "CFTF02W and CFTT82W tell of missing files of this site.",
  ],
  [
    "CFTT61E CFTT73E",
    "Message refused",
    "OFTP carries no messages, only files and their responses.",
    NOTHING,
  ],
  [
    "CFTT68E CFTT69E",
    "Step corrected at restart",
    "What was under way at a crash goes on from what is recorded and synced.",
    "CFTC08I tells what the recovery at start has done.",
  ],
  [
    "CFTT36W",
    "File of a deleted record not emptied",
    "A file that goes with its record (fdelete) is removed.",
    "CFTT35W tells of files that are not.",
  ],
  ["CFTT97E", "Direct command in a request", "Requests name no scripts; the configuration does.", NOTHING],
  [
    "CFTF03E CFTF05E CFTF13E",
    "File not closed or not released",
    "Its octets are synced before: what can fail has failed by then, and OFTP has no step for a release.",
    "CFTF09E and CFTT78E tell of ends that fail.",
  ],
  ["CFTF30W", "Detail of the line before", "Every message says its reason in one line.", NOTHING],
  [
    "CFTT16E",
    "Nothing to send to a partner that asks",
    "In OFTP a partner asks for nothing: it gives the turn, and gets it back.",
    NOTHING,
  ],
  [
    "CFTF06E CFTF07E",
    "Position for restart not saved or not found",
    "Positions are kept with the data.",
    "CFTF09E and CFTF04E tell of files that cannot be written or read.",
  ],
  ["CFTF21E", "No memory for a file", "Memory does not depend on files.", NOTHING],
  [
    "CFTF24E CFTF26E",
    "Temporary file in the way",
    "Files are received in a work folder under names of their own.",
    "CFTF25E tells of files that do not get to their place.",
  ],
  [
    "CFTF38E CFTF39E CFTF40I CFTF41E CFTF42I CFTF43E CFTF44I CFTF45E CFTF47I CFTF48I CFTF49E CFTF50I CFTF52E",
    "Operation of an SFTP client",
    SFTP,
    NOTHING,
  ],
  [
    "CFTC13I CFTC13E CFTC29W CFTC30W",
    "Size and filling of the catalog file",
    "The catalog grows with the disk.",
    "CFTC01E tells of a catalog that cannot be written.",
  ],
];

/** By subject, in the order of Transfer CFT's own documentation. */
export const absentMessages: readonly AbsentRow[] = [...operation, ...network, ...requests, ...transfers];
