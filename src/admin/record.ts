/** A transfer as the world sees it: Transfer CFT's names in lower case, times in ISO 8601 UTC. */
import { type Generic, stateOf, type Transfer } from "../catalog/catalog.ts";

export type TransferRecord = ReturnType<typeof recordOf>;

const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

export function recordOf(transfer: Transfer) {
  return {
    idtu: transfer.idtu,
    part: transfer.part,
    idf: transfer.idf,
    direct: transfer.direct,
    type: transfer.type,
    mode: transfer.mode,
    state: stateOf(transfer),
    phase: transfer.phase,
    phasestep: transfer.phasestep,
    ack: transfer.ack,
    diagi: transfer.diagi,
    diagp: transfer.diagp,
    diagc: transfer.diagc,
    fname: transfer.fname,
    nfname: transfer.nfname,
    filesize: transfer.filesize,
    bytes: transfer.bytes,
    sha256: transfer.sha256,
    prot: transfer.prot,
    kdate: iso(transfer.kdate),
    bdate: iso(transfer.bdate),
    edate: iso(transfer.edate),
  };
}

/** Everything about one transfer, for `display`. */
export function detailOf(transfer: Transfer) {
  return {
    ...recordOf(transfer),
    dsn: transfer.dsn,
    date: transfer.date,
    time: transfer.time,
    orig: transfer.orig,
    dest: transfer.dest,
    description: transfer.description,
    frecfm: transfer.format,
    flrecl: transfer.lrecl,
    pidtu: transfer.pidtu,
    via: transfer.via,
    pri: transfer.pri,
    ackstate: transfer.ackstate,
    script: transfer.script,
    tries: transfer.tries,
    retry: transfer.retryAt === 0 ? null : iso(transfer.retryAt),
    deadline: transfer.deadline === 0 ? null : iso(transfer.deadline),
    serial: transfer.serial,
    generic: transfer.generic === null ? "" : genericOf(transfer.generic),
    workfile: transfer.workfile,
  };
}

/** What is asked for again, in words. */
function genericOf(generic: Generic): string {
  if (generic.kind === "list") return "list";
  const { every, period } = generic;
  return `every ${every} ${period}`;
}
