/**
 * The symbolic variables of this version and their values. Templates are checked against these names when the
 * configuration is loaded, so what a flow names is always there when it runs.
 */

const SHARED = [
  ...["PART", "IDF", "NPART", "NSPART", "NRPART", "SPART", "RPART"],
  ...["SFNAME", "FROOT", "FSUF", "FDATE", "FTIME", "FYEAR", "FMONTH", "FDAY"],
  ...["SYSDATE", "SYSTIME", "SYSQQ", "SYSDAY"],
] as const;

/** Allowed in `cftsend.nfname`. */
export const SEND_VARIABLES = [...SHARED, "NIDF"] as const;
/** Allowed in `cftsend.fname` and `selfname`, which say what the file is. */
export const REQUEST_VARIABLES = [
  ...["PART", "IDF", "NIDF", "NPART", "NSPART", "NRPART", "SPART", "RPART"],
  ...["SYSDATE", "SYSTIME", "SYSQQ", "SYSDAY"],
] as const;
/** Allowed in `cftrecv.fname`. */
export const RECEIVE_VARIABLES = [...SHARED, "NFNAME", "IDTU"] as const;

/** Allowed in scripts of transfers, and given to them in the environment. */
export const SCRIPT_VARIABLES = [
  ...RECEIVE_VARIABLES,
  ...["NIDF", "IDT", "DIRECT", "MODE", "TRTYPE", "PHASE", "PHASESTEP", "DIAGI", "DIAGP", "DIAGC", "ACK"],
  ...["FNAME", "FPATH", "WFNAME", "NBC", "NBT", "SHA256", "PRI", "PROT", "FRECFM", "FLRECL", "QQ", "TT"],
  ...["CDATE", "CTIME", "CYEAR", "CMONTH", "CDAY", "BDATE", "BTIME", "BYEAR", "BMONTH", "BDAY"],
  ...["EDATE", "ETIME", "EYEAR", "EMONTH", "EDAY"],
  ...["CFTNAME", "CFTEVENT", "CFTVERSION", "CFTHOSTOS", "RUNTIMEDIR"],
] as const;
/** Allowed in jobs. */
export const JOB_VARIABLES = [
  ...["ID", "PARM", "SYSDATE", "SYSTIME", "SYSQQ", "SYSDAY"],
  ...["CFTNAME", "CFTEVENT", "CFTVERSION", "CFTHOSTOS", "RUNTIMEDIR"],
] as const;

/** Values of variables by their names. */
export type Values<T extends readonly string[]> = Record<T[number], string>;

/** Allowed in `cftprot.idf`. */
export const FLOW_VARIABLES = ["NIDF", "PART", "NRPART"] as const;

/** Values for `cftprot.idf`. */
export function flowVariables(
  part: FileFacts["part"],
  nidf: string,
): Record<(typeof FLOW_VARIABLES)[number], string> {
  return { NIDF: nidf, PART: part.id, NRPART: part.nrpart };
}

/** What both directions know of a file. */
export interface FileFacts {
  /** Site id, `cftparm.part`. */
  site: string;
  /** Partner id and its two SSID codes. */
  part: { id: string; nspart: string; nrpart: string };
  idf: string;
  /** Name of the file as it was dropped, or as the sender describes it, without folders. */
  name: string;
  /** Local time of the file: last change when sent, dataset date and time when received. */
  fileDate: Date;
  now: Date;
}

/** Values for `cftsend.nfname`. */
export function sendVariables(
  facts: FileFacts & { nidf: string },
): Record<(typeof SEND_VARIABLES)[number], string> {
  return { ...shared(facts), SPART: facts.site, RPART: facts.part.id, NIDF: facts.nidf };
}

/** Values for `cftsend.fname` and `selfname`. */
export function requestVariables({
  site,
  part,
  idf,
  nidf,
  now,
}: Omit<FileFacts, "name" | "fileDate"> & { nidf: string }): Values<typeof REQUEST_VARIABLES> {
  const codes = { NPART: part.nrpart, NSPART: part.nspart, NRPART: part.nrpart };
  return { PART: part.id, IDF: idf, NIDF: nidf, ...codes, SPART: site, RPART: part.id, ...systemTime(now) };
}

/** Values for `cftrecv.fname`. They may come from the wire: the result is data until it was made a safe path. */
export function receiveVariables(
  facts: FileFacts & { nfname: string; idtu: string },
): Record<(typeof RECEIVE_VARIABLES)[number], string> {
  const received = { SPART: facts.part.id, RPART: facts.site, NFNAME: facts.nfname, IDTU: facts.idtu };
  return { ...shared(facts), ...received };
}

function shared({ part, idf, name, fileDate, now }: FileFacts) {
  const dot = name.lastIndexOf(".");
  return {
    PART: part.id,
    IDF: idf,
    NPART: part.nrpart,
    NSPART: part.nspart,
    NRPART: part.nrpart,
    SFNAME: name,
    FROOT: dot > 0 ? name.slice(0, dot) : name,
    FSUF: dot > 0 ? name.slice(dot + 1) : "",
    ...moment("F", fileDate),
    ...systemTime(now),
  };
}

/** `xDATE`, `xTIME`, `xYEAR`, `xMONTH`, `xDAY` for the letter x; empty where there is no such moment. */
export function moment<X extends string>(letter: X, at: Date | null) {
  const day = at === null ? "" : date(at);
  return {
    [`${letter}DATE`]: day,
    [`${letter}TIME`]: at === null ? "" : time(at),
    [`${letter}YEAR`]: day.slice(2, 4),
    [`${letter}MONTH`]: day.slice(4, 6),
    [`${letter}DAY`]: day.slice(6, 8),
  } as Record<`${X}${"DATE" | "TIME" | "YEAR" | "MONTH" | "DAY"}`, string>;
}

export function systemTime(now: Date) {
  return {
    SYSDATE: date(now),
    SYSTIME: time(now),
    SYSQQ: String(dayOfYear(now)).padStart(3, "0"),
    SYSDAY: String(now.getDay()),
  };
}

/** Transfer CFT's IDT: letter of the month (A to L), day, hour, minute, tens of seconds. */
export function idtOf(at: Date): string {
  const month = String.fromCharCode(65 + at.getMonth());
  return month + date(at).slice(6, 8) + time(at).slice(0, 5);
}

/** YYYYMMDD, local. */
function date(at: Date): string {
  const digits = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}${digits(at.getMonth() + 1)}${digits(at.getDate())}`;
}

/** HHMMSSCC, local. */
function time(at: Date): string {
  const parts = [at.getHours(), at.getMinutes(), at.getSeconds(), Math.floor(at.getMilliseconds() / 10)];
  return parts.map((value) => String(value).padStart(2, "0")).join("");
}

/** Day of the year, 1 to 366. */
export function dayOfYear(at: Date): number {
  const day = Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return (day - Date.UTC(at.getFullYear(), 0, 0)) / 86_400_000;
}
