/**
 * One line of accounting: what Transfer CFT's record holds, under its names in lower case, and what OFTP adds. Fields
 * that OFTP does not carry (users, applications, PARM) are not there. Pure.
 */
import type { Transfer } from "../../catalog/catalog.ts";
import type { Configuration } from "../../config/model.ts";
import { idtOf } from "../../config/variables.ts";

/** Times in ISO 8601 UTC, sizes in octets, duration in seconds. */
export function accountOf(configuration: Configuration, transfer: Transfer) {
  const { part, direct, kdate, bdate, edate } = transfer;
  const site = configuration.cftparm.part;
  const [spart, rpart] = direct === "send" ? [site, part] : [part, site];
  return {
    idtu: transfer.idtu,
    pidtu: transfer.pidtu,
    mode: transfer.mode,
    direct,
    type: transfer.type,
    part,
    spart,
    rpart,
    idf: transfer.idf,
    nidf: transfer.dsn,
    idt: idtOf(new Date(kdate)),
    nbc: transfer.filesize,
    nbt: transfer.bytes,
    kdate: iso(kdate),
    bdate: iso(bdate),
    edate: iso(edate),
    duration: bdate === null || edate === null ? null : Math.max(0, edate - bdate) / 1000,
    prot: transfer.prot,
    frecfm: transfer.format,
    flrecl: transfer.lrecl,
    fname: transfer.fname,
    nfname: transfer.nfname,
    ack: transfer.ack,
    diagi: transfer.diagi,
    diagp: transfer.diagp,
    date: transfer.date,
    time: transfer.time,
    orig: transfer.orig,
    dest: transfer.dest,
    sha256: transfer.sha256,
  };
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
