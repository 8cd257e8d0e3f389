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
/** Allowed in `cftrecv.fname`. */
export const RECEIVE_VARIABLES = [...SHARED, "NFNAME", "IDTU"] as const;

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
    FDATE: date(fileDate),
    FTIME: time(fileDate),
    FYEAR: date(fileDate).slice(2, 4),
    FMONTH: date(fileDate).slice(4, 6),
    FDAY: date(fileDate).slice(6, 8),
    SYSDATE: date(now),
    SYSTIME: time(now),
    SYSQQ: String(dayOfYear(now)).padStart(3, "0"),
    SYSDAY: String(now.getDay()),
  };
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

function dayOfYear(at: Date): number {
  const day = Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return (day - Date.UTC(at.getFullYear(), 0, 0)) / 86_400_000;
}
