/** CFTSEND, CFTRECV, CFTXLATE: flows and the form of their files. */
import { keySchema } from "../../config/schemas.ts";
import { variablesIn } from "../../config/symbols.ts";
import { parseDay } from "../../config/units.ts";
import { REQUEST_VARIABLES, SEND_VARIABLES } from "../../config/variables.ts";
import { describe } from "../../platform/errors.ts";
import { bySchema, timeOf } from "../by-schema.ts";
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
const MONITORING = "monitoring by Sentinel: Prometheus reads GET /metrics, programs follow GET /v1/events";
const FORM = "frecfm, flrecl and fcode are set from these together";
const CALLED = "a partner is called with `cygnet recv`, whenever that is given";
const POLL = 'let a job call the partner: [[cftcron]] with type = "cftutil" and exec = "recv --part PARTNER"';

/** FDELETE: letters of states. */
const states: Converter = (value) => {
  const text = texts(value)[0]?.text.trim().toUpperCase() ?? "";
  if (/^(\*|[CDHKTX]*)$/.test(text)) return { value: text };
  return { without: 'it takes letters out of CDHKTX, or "*"' };
};

/** Rows that both directions have. */
const BOTH: readonly Row[] = [
  same("ID"),
  none("WORKINGDIR", "names cannot leave the folder that fname says by itself; workingdir can ask for more"),
  to("FDELETE", "fdelete", states, { idle: ["NONE"] }),
  ...nones("FTYPE FCODE NCODE FRECFM FLRECL", FORM, { idle: ["0"] }),
  ...nones("FCHARSET NCHARSET", "both are needed: they become a cftxlate"),
  same("XLATE"),
  ...nones("FBLKSIZE FSPACE FKEYLEN FKEYPOS FDB FACC", MAINFRAME, { idle: ["0"] }),
  none("FORG", MAINFRAME, { idle: ["SEQ"] }),
  ...nones("FPAD NPAD", "records of format F must have their length: nothing is padded"),
  none("NCOMP", "compression is a matter of the protocol (cftprot.scomp)", { idle: ["15"] }),
  none("DACTION", "a request whose key is taken stops (K, 432)", { idle: ["ERROR"] }),
  ...nones("PREEXEC EXEC ACKEXEC EXECE", SCRIPTS),
  none("EXIT", "compiled exits cannot be loaded"),
  ...nones("SAPPL RAPPL SUSER RUSER", NOT_SENT),
  ...nones("SPASSWD RPASSWD", NOT_SENT, { secret: true }),
  ...nones("PARM IDA FLOWNAME SOURCEAPPL TARGETAPPL", `${NOT_SENT}: put what matters into nfname`),
  ...nones("USERID GROUPID", "files belong to the gateway's own user"),
  none("TRK", MONITORING),
  ...nones(
    "NOTIFY OPERMSG",
    "there is no operator's console: follow the log, or have people told by [[notify]]",
    { idle: ["0"] },
  ),
  none("FORCE", "requests have no parameters that could override the flow's", { idle: ["NO"] }),
  none("NETBAND", "calls go out from a port that the system chooses", { idle: ["1"] }),
  none("STORAGEACCOUNT", "files are on local disks"),
  none("COS", "bandwidth is not divided into classes", { idle: ["0"] }),
];

/** MINTIME and MAXTIME: a time of the day, or minutes after the request; of the day that stands beside it, if any. */
const moment: Converter = (value, { object, row: { parameter } }) => {
  const text = texts(value)[0]?.text.trim() ?? "";
  if (parameter === "MAXTIME" && word(object, "MAXDATE") === FOR_EVER)
    return { value: "", ...(text !== LAST && { why: "MAXDATE puts it off for ever" }) };
  if (text === LAST || (parameter.endsWith("MINTIME") && /^0+$/.test(text))) return { value: "" };
  const minutes = /^\+(\d{1,4})$/.exec(text)?.[1];
  return minutes === undefined ? timeOf(text) : { value: `+${Number(minutes)}` };
};

/** The end of the day, which CFTEXT writes where no time was given. */
const LAST = "23595999";
/** Dates that ask for nothing: the last one there is, and the first. */
const FOR_EVER = "99991231";
const NO_DATE = ["", "0", "00000000", "10000101", FOR_EVER];

/** MINDATE, MAXDATE, CYCDATE: a date, or days after the request. */
const day: Converter = (value) => {
  const text = texts(value)[0]?.text.trim() ?? "";
  if (NO_DATE.includes(text)) return { value: "" };
  return parseDay(text) ? { value: text } : { without: "this is no date of the form YYYYMMDD, or +n days" };
};

/** A name with symbolic variables, which must exist here. */
function template(known: readonly string[], key: string): Converter {
  return (value) => {
    const text = texts(value)[0]?.text.trim() ?? "";
    if (/\\|^[#@]?[A-Za-z]:/.test(text))
      return { without: `a path of Windows: choose another one for ${key}` };
    try {
      const strange = variablesIn(text).find(({ name }) => !known.includes(name));
      if (strange)
        return { without: `there is no variable &${strange.name} here: choose another name for ${key}` };
    } catch (error) {
      return { without: describe(error) };
    }
    if (key === "fname" && !/^[#@]/.test(text) && /[*?]/.test(text)) {
      return {
        without: "lists of names are not sent; a # in front would send every file that the mask fits",
      };
    }
    return /^[#@]?\//.test(text) ? { value: text } : { value: text, why: "relative to cftparm.rundir" };
  };
}

/** FACTION of a receive: nothing is ever overwritten. */
const taken: Converter = (value, { site }) => {
  const text = texts(value)[0]?.text.trim().toUpperCase() ?? "";
  if (text === "DELETE" || text === "ERASE") {
    return { without: "nothing is ever overwritten: a name that is taken gets a suffix" };
  }
  const schema = keySchema("cftrecv", "faction");
  return schema ? bySchema(value, schema, site) : { without: "there is no such key" };
};

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

export const SEND: Kind = kind(
  "CFTSEND",
  "a flow that is sent",
  [
    ...BOTH,
    none("IMPL", "OFTP cannot ask for a file: drop it, and the partner gets it", { idle: ["NO"] }),
    same("PRI"),
    same("STATE"),
    to("MINDATE", "mindate", day),
    to("MINTIME", "mintime", moment),
    to("MAXDATE", "maxdate", day),
    to("MAXTIME", "maxtime", moment),
    same("CYCLE"),
    same("TCYCLE"),
    to("CYCDATE", "cycdate", day),
    same("CYCTIME", undefined, { idle: ["00000000", "0"] }),
    same("SERIAL"),
    same("MAXDURATION"),
    to("DUPLICAT", "duplicat", duplicateKey, { also: ["DUPLICATE"] }),
    to("FNAME", "fname", template(REQUEST_VARIABLES, "fname")),
    to("SELFNAME", "selfname", template(REQUEST_VARIABLES, "selfname")),
    same("FILENOTFOUND"),
    same("DELETE"),
    same("EXECSUB"),
    same("EXECSUBA"),
    none("EXECSUBPRE", "preexec is run for each of several files", { idle: ["LIST"] }),
    none("EXECRALL", "it belongs to a receive", { idle: ["ALL"] }),
    ...nones("FILTER FILTERTYPE", "write the mask into fname, or set includefilter of a cftfolder", {
      idle: ["STRJCMP"],
    }),
    none("NFNAME", `${NOT_SENT} in Transfer CFT: the virtual file name was the flow's (see nfname)`),
    none("WFNAME", "claimed files wait in workdir of their folder"),
    same("FDISP"),
    same("FACTION"),
    to("ARCHIVEFNAME", "archivefname", template(SEND_VARIABLES, "archivefname")),
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
    same("PRESTATE"),
    same("PRETIMEOUT"),
    ...["PRE", "POST", "ACK"].flatMap((when) => [
      to(`${when}MINDATE`, `${when.toLowerCase()}mindate`, day),
      to(`${when}MINTIME`, `${when.toLowerCase()}mintime`, moment),
    ]),
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
    to("FACTION", "faction", taken),
    none("FILENOTFOUND", "OFTP cannot ask for a file by name", { idle: ["ABORT"] }),
    none("DELETE", "the record of a received file is what keeps it from being delivered twice", {
      idle: ["NO"],
    }),
    ...nones("EXECSUB EXECSUBA EXECSUBPRE EXECRALL", "a script is run for each file", {
      idle: ["LIST", "SUBF", "ALL"],
    }),
    ...nones("CYCLE CYCDATE CYCTIME TCYCLE", POLL, { idle: ["0", "00000000", "DAY"] }),
    none("SERIAL", "a partner's files come one after the other, as it sends them"),
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
