/** What scripts are told: the symbolic variables of a transfer or a job, as arguments and in the environment. */
import { platform } from "node:os";
import { basename, dirname } from "node:path";
import type { Transfer } from "../../catalog/catalog.ts";
import type { Configuration } from "../../config/model.ts";
import {
  dayOfYear,
  idtOf,
  type JOB_VARIABLES,
  moment,
  receiveVariables,
  type SCRIPT_VARIABLES,
  systemTime,
  type Values,
} from "../../config/variables.ts";
import { version } from "../../platform/version.ts";
import { fileDate } from "../file-date.ts";
import { partOf, RELAYED } from "../routing.ts";

/** What of our own environment a script gets. The rest stays here: secrets may be in it. */
const INHERITED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR)$/;

/** Of a transfer, at this moment. Many values come from the partner: they are data, whatever they look like. */
export function scriptVariables(
  configuration: Configuration,
  transfer: Transfer,
  event: string,
  now: Date,
): Values<typeof SCRIPT_VARIABLES> {
  const { part, idf, direct, fname, nfname, idtu, kdate, bdate, edate } = transfer;
  const send = direct === "send";
  const [kept, begun, ended] = [kdate, bdate, edate].map((at) => (at === null ? null : new Date(at))) as [
    Date,
    Date | null,
    Date | null,
  ];
  const codes = configuration.cftpart.get(part) ?? {
    id: part,
    nspart: send ? transfer.orig : transfer.dest,
    nrpart: send ? transfer.dest : transfer.orig,
  };
  const site = configuration.cftparm.part;
  // what is for another partner has no name here but that of the work folder
  const relayed = !send && idf === RELAYED;
  const file = relayed ? transfer.workfile : fname;
  const facts = { site, part: codes, idf, nfname, idtu, now, fileDate: fileDate(transfer) };
  const shared = receiveVariables({ ...facts, name: basename(fname) || nfname });
  return {
    ...shared,
    ...(send ? { SPART: site, RPART: part } : {}),
    ...(relayed ? { RPART: partOf(configuration, transfer.dest)?.id ?? transfer.dest } : {}),
    NIDF: transfer.dsn,
    IDT: idtOf(kept),
    DIRECT: direct,
    MODE: transfer.mode === "requester" ? "R" : "S",
    TRTYPE:
      event.startsWith("ACKEXEC") || event === "EXECSFA" ? (transfer.ack === "N" ? "NACK" : "REPLY") : "FILE",
    PHASE: transfer.phase,
    PHASESTEP: transfer.phasestep,
    DIAGI: String(transfer.diagi),
    DIAGP: transfer.diagp,
    DIAGC: transfer.diagc,
    ACK: transfer.ack,
    FNAME: file,
    FPATH: file === "" ? "" : dirname(file),
    WFNAME: transfer.workfile,
    NBC: String(transfer.filesize),
    NBT: String(transfer.bytes),
    SHA256: transfer.sha256,
    PRI: String(transfer.pri),
    PROT: transfer.prot,
    FRECFM: transfer.format,
    FLRECL: String(transfer.lrecl),
    QQ: String(dayOfYear(kept)).padStart(3, "0"),
    TT: begun && ended ? String(Math.max(0, Math.round((ended.getTime() - begun.getTime()) / 1000))) : "",
    ...moment("C", kept),
    ...moment("B", begun),
    ...moment("E", ended),
    ...siteVariables(configuration, event),
  };
}

/** Of a job. */
export function jobVariables(
  configuration: Configuration,
  job: { id: string; parm: string },
  now: Date,
): Values<typeof JOB_VARIABLES> {
  return {
    ID: job.id,
    PARM: job.parm,
    ...systemTime(now),
    ...siteVariables(configuration, "CFTCRON"),
  };
}

function siteVariables({ cftparm }: Configuration, event: string) {
  return {
    CFTNAME: cftparm.part,
    CFTEVENT: event,
    CFTVERSION: version(),
    CFTHOSTOS: platform(),
    RUNTIMEDIR: cftparm.rundir,
  };
}

/** The environment of a script: each variable as CYGNET_NAME. */
export function environmentOf(variables: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => INHERITED.test(name)) as [string, string][];
  const told = Object.entries(variables).map(([name, value]) => [`CYGNET_${name}`, value] as const);
  return Object.fromEntries([...own, ...told]);
}
