/** CFTSEND, CFTRECV, CFTXLATE: flows and the form of their files. */
import { variablesIn } from "../../config/symbols.ts";
import { SEND_VARIABLES } from "../../config/variables.ts";
import { describe } from "../../platform/errors.ts";
import { timeOf } from "../by-schema.ts";
import { deliveredName } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { shapeForm, shapeNetworkName } from "../flow-form.ts";
import { type Source, word } from "../objects.ts";
import { type Converter, type Kind, kind, none, nones, type Row, same, to } from "../rule.ts";
import type { Site } from "../site.ts";
import { texts } from "../value.ts";

const SCRIPTS =
  'scripts written for Transfer CFT call CFTUTIL: see "Scripts" in docs/coming-from-transfer-cft.md';
const NOT_SENT = "not carried by OFTP";
const MAINFRAME = "file attributes of other systems";
const MONITORING = "monitoring by Sentinel: use the log and `cygnet listcat --json`";
const FORM = "frecfm, flrecl and fcode are set from these together";
const DATES = "templates know times of the day and +minutes (mintime, maxtime), no dates";
const CALLED = "a partner is called with `cygnet recv`, whenever that is given";
const CYCLE = "use the schedule of a cftfolder";

/** Rows that both directions have. */
const BOTH: readonly Row[] = [
  same("ID"),
  none("WORKINGDIR", "names cannot leave the folder that fname says by itself; workingdir can ask for more"),
  none("FDELETE", "removing a record removes no file", { idle: ["NONE"] }),
  none("DELETE", "records stay as long as cftcat says", { idle: ["NO"] }),
  none("FILENOTFOUND", "a file that vanishes before it is claimed is no transfer", { idle: ["ABORT"] }),
  ...nones("FTYPE FCODE NCODE FRECFM FLRECL", FORM, { idle: ["0"] }),
  ...nones("FCHARSET NCHARSET", "both are needed: they become a cftxlate"),
  same("XLATE"),
  ...nones("FBLKSIZE FSPACE FKEYLEN FKEYPOS FDB FACC", MAINFRAME, { idle: ["0"] }),
  none("FORG", MAINFRAME, { idle: ["SEQ"] }),
  ...nones("FPAD NPAD", "records of format F must have their length: nothing is padded"),
  none("NCOMP", "compression is a matter of the protocol (cftprot.scomp)", { idle: ["15"] }),
  ...nones("CYCLE CYCDATE CYCTIME", CYCLE, { idle: ["0", "00000000"] }),
  none("TCYCLE", CYCLE, { idle: ["DAY"] }),
  same("SERIAL", "transfers of a flow may overtake each other"),
  none("DACTION", "a request whose key is taken stops (K, 432)", { idle: ["ERROR"] }),
  ...nones("PREEXEC EXEC ACKEXEC EXECE", SCRIPTS),
  ...nones("EXECSUB EXECSUBA EXECSUBPRE EXECRALL", SCRIPTS, { idle: ["LIST", "SUBF", "ALL"] }),
  none("EXIT", "compiled exits cannot be loaded"),
  ...nones("SAPPL RAPPL SUSER RUSER", NOT_SENT),
  ...nones("SPASSWD RPASSWD", NOT_SENT, { secret: true }),
  ...nones("PARM IDA FLOWNAME SOURCEAPPL TARGETAPPL", `${NOT_SENT}: put what matters into nfname`),
  ...nones("USERID GROUPID", "files belong to the gateway's own user"),
  none("TRK", MONITORING),
  ...nones("NOTIFY OPERMSG", "there is no operator's console: follow the log", { idle: ["0"] }),
  none("FORCE", "requests have no parameters that could override the flow's", { idle: ["NO"] }),
  none("NETBAND", "calls go out from a port that the system chooses", { idle: ["1"] }),
  none("STORAGEACCOUNT", "files are on local disks"),
  none("COS", "bandwidth is not divided into classes", { idle: ["0"] }),
];

/** MINTIME and MAXTIME: a time of the day, or minutes after the request. A date beside it makes another moment of it. */
const moment: Converter = (value, { object, row: { parameter } }) => {
  const text = texts(value)[0]?.text.trim() ?? "";
  const date = parameter.replace("TIME", "DATE");
  const day = word(object, date);
  if (parameter === "MAXTIME" && day === "99991231")
    return { value: "", ...(text !== LAST && { why: "MAXDATE puts it off for ever" }) };
  if (!NO_DATE.includes(day)) return { without: `it belongs to ${date}: ${DATES}` };
  if (text === LAST || (parameter === "MINTIME" && /^0+$/.test(text))) return { value: "" };
  const minutes = /^\+(\d{1,4})$/.exec(text)?.[1];
  return minutes === undefined ? timeOf(text) : { value: `+${Number(minutes)}` };
};

/** The end of the day, which CFTEXT writes where no time was given. */
const LAST = "23595999";
/** Dates that ask for nothing. */
const NO_DATE = ["", "0", "10000101"];

/** The key of a duplicate: without one of its variables it would mean other files. */
const duplicateKey: Converter = (value, { site, object }) => {
  const text = texts(value)[0]?.text.trim() ?? "";
  const lost = (why: string) => {
    site.todo.push(`${object.title}: files that come twice are no longer found out (DUPLICAT); ${why}`);
    return { without: why };
  };
  try {
    const known: readonly string[] = SEND_VARIABLES;
    const names = variablesIn(text).map(({ name }) => name);
    const strange = [...new Set(names)].filter((name) => !known.includes(name)).map((name) => `&${name}`);
    if (strange.length > 0)
      return lost(
        `there is no ${strange.join(", ")} here: set duplicat, for example to "&PART.&IDF.&SFNAME"`,
      );
  } catch (error) {
    return lost(describe(error));
  }
  return { value: text };
};

const FOLDER = "files come from a cftfolder or from `cygnet send FILE`";

export const SEND: Kind = kind(
  "CFTSEND",
  "a flow that is sent",
  [
    ...BOTH,
    none("IMPL", "OFTP cannot ask for a file: drop it, and the partner gets it", { idle: ["NO"] }),
    same("PRI"),
    same("STATE"),
    none("MINDATE", DATES, { idle: ["0", "10000101"] }),
    to("MINTIME", "mintime", moment),
    none("MAXDATE", DATES, { idle: ["99991231"] }),
    to("MAXTIME", "maxtime", moment),
    same("MAXDURATION"),
    to("DUPLICAT", "duplicat", duplicateKey, { also: ["DUPLICATE"] }),
    none("FNAME", FOLDER),
    none("SELFNAME", FOLDER),
    ...nones("FILTER FILTERTYPE", "set includefilter of the cftfolder", { idle: ["STRJCMP"] }),
    none("NFNAME", `${NOT_SENT} in Transfer CFT: the virtual file name was the flow's (see nfname)`),
    none("WFNAME", "claimed files wait in workdir of their folder"),
    none("FDISP", "a claimed file is out of everybody's reach", { idle: ["SHR"] }),
    none("FACTION", "what becomes of a sent file is said by its folder (cftfolder.archivedir)", {
      idle: ["NONE"],
    }),
    none("ARCHIVEFNAME", "set archivedir of the cftfolder"),
    ...nones("NACTION NARCHIVEFNAME", "SFTP only", { idle: ["NONE"] }),
    ...nones("NRECFM NLRECL NTYPE", FORM, { idle: ["0"] }),
    ...nones("NBLKSIZE NSPACE NKEYLEN NKEYPOS", MAINFRAME, { idle: ["0"] }),
    same("ACKSTATE", undefined, {
      missing: {
        value: "IGNORE",
        keep: false,
        why: "OFTP partners answer each file: a transfer ends with their response",
      },
    }),
    same("ACKTIMEOUT"),
    none("PRESTATE", SCRIPTS, { idle: ["DISP"] }),
    none("PRETIMEOUT", SCRIPTS, { idle: ["0"] }),
    ...nones("PREMINDATE PREMINTIME POSTMINDATE POSTMINTIME ACKMINDATE ACKMINTIME", SCRIPTS, { idle: ["0"] }),
    none("IPART", "the way is the partner's: set ipart of the cftpart"),
    none("SPART", "the originator is that of the partner (cftpart.sfidorig)"),
    none("NIDF", "set nfname"),
    none("PART", "the partner is named by the folder or the command"),
    none("PROT", "protocols are tried in the order of the partner's list"),
  ],
  {
    identity: [
      ["ID", ""],
      ["IMPL", "NO"],
    ],
    shape(draft, object, site) {
      shapeForm(draft, object, site);
      shapeNetworkName(draft, object, site);
    },
  },
);

export const RECV: Kind = kind(
  "CFTRECV",
  "a flow that is received",
  [
    ...BOTH,
    none("PRI", "the partner decides in which order it sends", { idle: ["128"] }),
    none("STATE", "a call takes whatever the partner holds", { idle: ["DISP"] }),
    none("MINDATE", CALLED, { idle: ["0", "10000101"] }),
    none("MINTIME", CALLED, { idle: ["0", "00000000"] }),
    none("MAXDATE", CALLED, { idle: ["99991231"] }),
    none("MAXTIME", CALLED, { idle: ["23595999"] }),
    none("MAXDURATION", "a file may take as long as data moves (cftprot.rto)", { idle: ["0"] }),
    none("DUPLICAT", "a file that comes again is known by its originator, name, date and time", {
      also: ["DUPLICATE"],
    }),
    to("FNAME", "fname", deliveredName),
    none("NFNAME", "OFTP cannot ask for a file by name"),
    none("WFNAME", "half-received files stand in work/ and appear only when they are complete"),
    same("FDISP", undefined, { idle: ["BOTH"] }),
    none("FACTION", "nothing is ever overwritten: a name that is taken gets a suffix"),
    none("MACTION", "nothing is ever overwritten: a name that is taken gets a suffix"),
    same("RKERROR"),
    none("FCHECK", "write fcheck = true with frecfm and flrecl as they are on the line", {
      idle: ["NO"],
    }),
    ...nones("NACTION NARCHIVEFNAME", "SFTP only", { idle: ["NONE"] }),
    none("FILE", "a call takes whatever the partner holds"),
    none("DIRNB", MAINFRAME, { idle: ["0"] }),
  ],
  {
    shape(draft, object, site) {
      shapeForm(draft, object, site);
      tellResponse(draft, object, site);
    },
  },
);

/** In Transfer CFT a script answers with SEND TYPE=REPLY; here delivery does. */
function tellResponse(draft: Draft, object: Source, site: Site): void {
  if (word(object, "EXEC") === "" || draft.values.has("ackmode")) return;
  site.tell(
    "changed",
    object,
    "(response)",
    'cftrecv.ackmode = "auto", the default',
    'the end-to-end response is sent on delivery; where the script of EXEC decided with SEND TYPE=REPLY, set ackmode = "manual"',
  );
}

export const XLATE: Kind = kind(
  "CFTXLATE",
  "a conversion of characters",
  [same("ID"), ...nones("DIRECT FCODE NCODE FNAME TABLE", "name the charsets instead")],
  {
    why: 'tables of octets cannot be read: write [[cftxlate]] with charsets, for example fcharset = "ISO-8859-1" and ncharset = "IBM1047"',
    identity: [
      ["ID", ""],
      ["DIRECT", "BOTH"],
      ["FCODE", ""],
      ["NCODE", ""],
    ],
  },
);

export const FLOW_KINDS: readonly Kind[] = [SEND, RECV, XLATE];
