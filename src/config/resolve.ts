/** From the validated tables to the configuration that the engine works with. */
import { resolve } from "node:path";
import { TSL_ID, trustListFile } from "../pki/trust/tsl-store.ts";
import { type Command, commandOf, wordsOf } from "./command.ts";
import type {
  Admin,
  Cftcron,
  Cftfolder,
  Cftpart,
  Cftprot,
  Cftrecv,
  Cftsend,
  Cftssl,
  Cygnet,
  Smtp,
} from "./generated.ts";
import type * as Model from "./model.ts";
import { defaultUsage } from "./rules/certificate-usage.ts";
import type { PkiFacts } from "./rules/scene.ts";
import { hostPortOf, keySchema } from "./schemas.ts";
import { Secret } from "./secret.ts";
import type { SecretsByEntry } from "./secrets.ts";
import type { Entry, Sources } from "./sources.ts";
import {
  type CftUnit,
  parseActivation,
  parseDuration,
  parseSize,
  parseSpace,
  parseTimeOfDay,
} from "./units.ts";

const CLEAR_PORT = 3305;
const TLS_PORT = 6619;

/** Needs a tree without problems: nothing is checked here. `facts` tell what the certificate files hold, by id. */
export function resolveConfiguration(
  tree: Cygnet & { cftparm: NonNullable<Cygnet["cftparm"]> },
  sources: Sources,
  secrets: SecretsByEntry,
  facts: ReadonlyMap<string, PkiFacts>,
): Model.Configuration {
  const { cftparm: parm, cftcat, cftlog } = tree;
  const rundir = resolve(sources.directory, parm.rundir);
  const npart = parm.npart ?? parm.part;
  const entries = new Map<object, Entry>(sources.entries.map((entry) => [entry.value, entry]));
  const secret = (object: object, key: string): Secret | undefined => {
    const entry = entries.get(object);
    return entry && secrets.get(entry)?.get(key);
  };
  const command = (written: string | string[]) => commandOf(written, sources.directory);
  const exectimeout = parseDuration(parm.exectimeout, "s");
  const tls = new Map(tree.cftprot.map((prot) => [prot.id, prot.ssl !== ""]));
  return {
    files: sources.files,
    includes: sources.includes,
    directory: sources.directory,
    cftparm: {
      part: parm.part,
      npart,
      rundir,
      maxtrans: parm.maxtrans,
      default: parm.default,
      execsf: command(parm.execsf),
      execrf: command(parm.execrf),
      execsfa: command(parm.execsfa),
      execse: command(parm.execse),
      execre: command(parm.execre),
      exectimeout,
      max_processing_scripts: parm.max_processing_scripts,
      allow_plain_secrets: parm.allow_plain_secrets,
      disk_low: parseSpace(parm.disk_low),
      disk_alert: parseSpace(parm.disk_alert),
      default_idf: parm.default_idf,
      experimental_ciphers: parm.experimental_ciphers,
    },
    cftnet: table(tree.cftnet, (net) => ({
      id: net.id,
      host: list(net.host),
      maxcnx: net.maxcnx,
      maxcnx_host: net.maxcnx_host,
      lockout: net.lockout,
      lockout_max: parseDuration(net.lockout_max, "s"),
      lockout_forget: parseDuration(net.lockout_forget, "s"),
      allow: net.allow.map(block),
      deny: net.deny.map(block),
      keepalive: parseDuration(net.keepalive, "s"),
    })),
    cftprot: table(tree.cftprot, (prot) => protocol(prot, sources.directory)),
    cftpart: table(tree.cftpart, (part) =>
      partner(part, npart, tls, (key) => secret(part, key) ?? new Secret("")),
    ),
    cfttcp: table(tree.cfttcp, (tcp) => ({
      id: tcp.id,
      host: list(tcp.host),
      cnxin: tcp.cnxin,
      cnxout: tcp.cnxout,
      cnxinout: tcp.cnxinout,
      retryw: parseDuration(tcp.retryw, "min"),
      retryn: tcp.retryn,
      retrym: tcp.retrym,
      outgoing: window(tcp.omintime, tcp.omaxtime),
      incoming: window(tcp.imintime, tcp.imaxtime),
    })),
    cftssl: new Map(tree.cftssl.map((ssl) => [`${ssl.id}/${ssl.direct}`, profile(ssl, rundir)])),
    cftdest: table(tree.cftdest, ({ id, part, fname, nopart }) => ({
      ...{ id, nopart, part: part ?? null },
      fname: fname ? resolve(sources.directory, fname) : "",
    })),
    cftauth: table(tree.cftauth, ({ id, idf, deny }) => ({ id, idf, deny: deny ?? id.startsWith("NOT") })),
    cftidf: new Map(
      tree.cftidf.map(({ comment: _, ...idf }) => [`${idf.id}/${idf.part}/${idf.type}/${idf.nidf}`, idf]),
    ),
    cftsend: table(withDefault(tree.cftsend, parm.default, "cftsend"), (send) => flow(send, rundir, command)),
    cftrecv: table(withDefault(tree.cftrecv, parm.default, "cftrecv"), (recv) =>
      receivedFlow(recv, rundir, cftcat.rkerror, command),
    ),
    cftfolder: table(tree.cftfolder, (one) => folder(one, rundir)),
    cftxlate: table(tree.cftxlate, ({ comment: _, ...xlate }) => xlate),
    cftcron: table(tree.cftcron, (cron) => job(cron, exectimeout, command)),
    pki: withTrustList(
      rundir,
      facts,
      table(tree.pki, (pki) => ({
        id: pki.id,
        part: pki.part,
        file: resolve(sources.directory, pki.file),
        key: pki.key && resolve(sources.directory, pki.key),
        keypassw: secret(pki, "keypassw") ?? null,
        usage: pki.usage ?? defaultUsage(facts.get(pki.id)?.hasKey ?? false, pki.part),
        state: pki.state,
        crlfile: pki.crlfile.map((path) => resolve(sources.directory, path)),
        digest: facts.get(pki.id)?.digest ?? "",
      })),
    ),
    cftcat: {
      fname: resolve(rundir, cftcat.fname),
      sx: parseDuration(cftcat.sx, "d"),
      rx: parseDuration(cftcat.rx, "d"),
      sh: parseDuration(cftcat.sh, "d"),
      st: parseDuration(cftcat.st, "d"),
      rh: parseDuration(cftcat.rh, "d"),
      rkerror: cftcat.rkerror,
    },
    cftlog: {
      fname: resolve(rundir, cftlog.fname),
      format: cftlog.format,
      level: cftlog.level,
      maxsize: parseSize(cftlog.maxsize),
      backup_count: cftlog.backup_count,
    },
    cftaccnt: tree.cftaccnt
      ? {
          fname: resolve(rundir, tree.cftaccnt.fname),
          maxsize: parseSize(tree.cftaccnt.maxsize),
          switch: parseTimeOfDay(tree.cftaccnt.switch) ?? null,
          backup_count: tree.cftaccnt.backup_count,
        }
      : null,
    notify: table(tree.notify, (one) => {
      const { comment: _, ...notify } = one;
      return {
        ...notify,
        url: new Secret(notify.url),
        unreachable: parseDuration(notify.unreachable, "min"),
        secret: secret(one, "secret") ?? new Secret(""),
        timeout: parseDuration(notify.timeout, "s"),
        interval: parseDuration(notify.interval, "s"),
      };
    }),
    smtp: tree.smtp ? mailServer(tree.smtp, secret(tree.smtp, "passw")) : null,
    admin: administration(tree.admin, rundir),
    apiuser: table(tree.apiuser, (user) => {
      const { comment: _, ...rest } = user;
      const token = secret(user, "token");
      return { ...rest, token: token && token.reveal() !== "" ? token : null };
    }),
  };
}

function table<T extends { id: string }, M>(rows: readonly T[], map: (row: T) => M): Map<string, M> {
  return new Map(rows.map((row) => [row.id, map(row)]));
}

/** The imported trust list is one more object, so that a reload sees another list as it sees a renewed certificate. */
function withTrustList(
  rundir: string,
  facts: ReadonlyMap<string, PkiFacts>,
  pki: Map<string, Model.Pki>,
): Map<string, Model.Pki> {
  const digest = facts.get(TSL_ID)?.digest;
  if (digest === undefined) return pki;
  const file = trustListFile(rundir);
  const entry = { id: TSL_ID, part: "", file, key: "", keypassw: null, crlfile: [], digest };
  return pki.set(TSL_ID, { ...entry, usage: ["ca"], state: "act" });
}

function list(value: string | string[]): string[] {
  return typeof value === "string" ? [value] : value;
}

/** A single address is a block of one. */
function block(text: string): string {
  if (text.includes("/")) return text;
  return `${text}/${text.includes(":") ? 128 : 32}`;
}

/** The flow of `cftparm.default` always exists: where it was not written, it consists of the schema's defaults. */
function withDefault<T extends { id: string }>(
  rows: readonly T[],
  id: string,
  name: "cftsend" | "cftrecv",
): T[] {
  if (rows.some((row) => row.id === id)) return [...rows];
  const keys = [
    "nfname",
    "fname",
    "fcode",
    "frecfm",
    "flrecl",
    "ftype",
    "xlate",
    "ackstate",
    "pri",
    "state",
    "duplicat",
    "acktimeout",
    "mintime",
    "maxtime",
    "maxduration",
    "ackmode",
    "preexec",
    "exec",
    "ackexec",
    "exece",
    "workingdir",
    "fdisp",
    "fcheck",
  ];
  const defaults = keys.map((key) => [key, keySchema(name, key)?.default] as const);
  return [...rows, { ...Object.fromEntries(defaults.filter(([, value]) => value !== undefined)), id } as T];
}

function protocol(prot: Cftprot, directory: string): Model.Prot {
  const { comment: _, sap = null, scomp, level, ...rest } = prot;
  const seconds = (value: number | string, unit: CftUnit = "s") => parseDuration(value, unit);
  return {
    ...rest,
    sap,
    scomp: scomp === 1,
    exita: commandOf(prot.exita, directory),
    exitatimeout: seconds(prot.exitatimeout),
    level: level ?? (prot.ssl === "" ? [5, 4, 2, 1] : [5]),
    rto: seconds(prot.rto),
    disctc: seconds(prot.disctc),
    disctd: seconds(prot.disctd),
    discts: seconds(prot.discts),
    disctr: seconds(prot.disctr),
  };
}

function profile({ comment: _, ...ssl }: Cftssl, rundir: string): Model.Ssl {
  return {
    ...ssl,
    cerfname: ssl.cerfname && resolve(rundir, "pki", "peers", ssl.cerfname),
    keylog: ssl.keylog && resolve(rundir, ssl.keylog),
  };
}

function partner(
  part: Cftpart,
  npart: string,
  tls: ReadonlyMap<string, boolean>,
  secret: (key: string) => Secret,
): Model.Part {
  const { sign, encrypt, compress, signed_eerp, cipher } = part;
  const nspart = (part.nspart ?? npart).trimEnd();
  const nrpart = (part.nrpart ?? part.id).trimEnd();
  return {
    id: part.id,
    prot: part.prot,
    level: part.level ?? null,
    sap: part.sap ?? part.prot.map((id) => (tls.get(id) ? TLS_PORT : CLEAR_PORT)),
    nspart,
    nrpart,
    nspassw: secret("nspassw"),
    nrpassw: secret("nrpassw"),
    sfidorig: (part.sfidorig ?? nspart).trimEnd(),
    sfiddest: (part.sfiddest ?? nrpart).trimEnd(),
    idf: part.idf,
    sauth: part.sauth,
    rauth: part.rauth,
    ipart: part.ipart,
    commut: part.commut,
    ctrlpart: part.ctrlpart,
    state: part.state,
    outgoing: window(part.omintime, part.omaxtime),
    incoming: window(part.imintime, part.imaxtime),
    ssl: part.ssl,
    security: { sign, encrypt, compress, signed_eerp, cipher },
    changeover: part.changeover,
    opensize: parseSize(part.opensize),
    require: part.require,
    certificates: part.certificates,
    rootcid: part.rootcid,
    crl: part.crl,
    ocsp: part.ocsp,
    quirks: part.quirks,
    trace: part.trace,
  };
}

function window(from: string, to: string): Model.Window {
  return { from: parseTimeOfDay(from) ?? 0, to: parseTimeOfDay(to) ?? 0 };
}

function flow(send: Cftsend, rundir: string, command: (written: string | string[]) => Command): Model.Send {
  const { comment: _, sign, encrypt, compress, signed_eerp, cipher, ...rest } = send;
  const said = Object.entries({ sign, encrypt, compress, signed_eerp, cipher });
  return {
    ...rest,
    preexec: command(send.preexec),
    exec: command(send.exec),
    ackexec: command(send.ackexec),
    exece: command(send.exece),
    workingdir: send.workingdir && resolve(rundir, send.workingdir),
    acktimeout: parseDuration(send.acktimeout, "s"),
    maxduration: parseDuration(send.maxduration, "min"),
    mintime: parseActivation(send.mintime) ?? null,
    maxtime: parseActivation(send.maxtime) ?? null,
    security: Object.fromEntries(said.filter(([, value]) => value !== undefined)),
  };
}

function receivedFlow(
  { comment: _, ...recv }: Cftrecv,
  rundir: string,
  rkerror: Model.Recv["rkerror"],
  command: (written: string | string[]) => Command,
): Model.Recv {
  const workingdir = recv.workingdir && resolve(rundir, recv.workingdir);
  const scripts = { exec: command(recv.exec), exece: command(recv.exece) };
  return { ...recv, ...scripts, workingdir, rkerror: recv.rkerror ?? rkerror };
}

function job(
  { comment: _, ...cron }: Cftcron,
  exectimeout: number,
  command: (written: string | string[]) => Command,
): Model.Cron {
  return {
    ...cron,
    exec: cron.type === "exec" ? (command(cron.exec) ?? []) : wordsOf(cron.exec),
    exectimeout: cron.exectimeout === undefined ? exectimeout : parseDuration(cron.exectimeout, "s"),
  };
}

/** Ports of submission: RFC 8314, TLS from the beginning on 465, else 587. */
function mailServer({ comment: _, ...smtp }: Smtp, passw = new Secret("")): Model.Smtp {
  const port = smtp.port ?? (smtp.tls === "tls" ? 465 : 587);
  return { ...smtp, port, passw, timeout: parseDuration(smtp.timeout, "s") };
}

function administration({ comment: _, ...admin }: Admin, rundir: string): Model.Admin {
  return {
    ...admin,
    socket: resolve(rundir, admin.socket),
    listen: hostPortOf(admin.listen) ?? null,
    allow: admin.allow.map(block),
    deny: admin.deny.map(block),
    audit: resolve(rundir, admin.audit),
    audit_maxsize: parseSize(admin.audit_maxsize),
  };
}

function folder(one: Cftfolder, rundir: string): Model.Folder {
  const { comment: _, method: __, ...rest } = one;
  return {
    ...rest,
    scandir: resolve(rundir, one.scandir),
    workdir: resolve(rundir, one.workdir),
    archivedir: one.archivedir && resolve(rundir, one.archivedir),
    interval: parseDuration(one.interval, "s"),
    fileidledelay: parseDuration(one.fileidledelay, "s"),
    filesizemin: parseSize(one.filesizemin),
    filesizemax: parseSize(one.filesizemax),
  };
}
