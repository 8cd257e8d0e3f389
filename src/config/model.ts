/**
 * The configuration as the engine sees it: validated, defaults filled in, resolved.
 * Durations are milliseconds (0 keeps Transfer CFT's meaning "for ever" where a key says so), sizes octets,
 * paths absolute, secrets revealed only by asking. Keys keep Transfer CFT's names.
 */
import type { Level } from "../oftp/wire/level.ts";
import type { RevocationPolicy } from "../pki/trust/trust.ts";
import type { Usage } from "../pki/usage.ts";
import type { Command } from "./command.ts";
import type { Secret } from "./secret.ts";
import type { Activation, SpaceLimit } from "./units.ts";

export interface Configuration {
  /** Every file that was read, absolute, the main file first. */
  files: readonly string[];
  /** Directories named by `include`, absolute: watched for new files. */
  includes: readonly string[];
  /** Folder of the main file: relative paths in the configuration start here. */
  directory: string;
  cftparm: Parm;
  cftnet: ReadonlyMap<string, Net>;
  cftprot: ReadonlyMap<string, Prot>;
  cftpart: ReadonlyMap<string, Part>;
  cfttcp: ReadonlyMap<string, Tcp>;
  /** Keyed by `<id>/<direct>`, for example `TLS/server`. */
  cftssl: ReadonlyMap<string, Ssl>;
  cftdest: ReadonlyMap<string, Dest>;
  cftauth: ReadonlyMap<string, Auth>;
  /** Keyed by `<id>/<part>/<type>/<nidf>`. */
  cftidf: ReadonlyMap<string, Idf>;
  cftsend: ReadonlyMap<string, Send>;
  cftrecv: ReadonlyMap<string, Recv>;
  cftfolder: ReadonlyMap<string, Folder>;
  cftxlate: ReadonlyMap<string, Xlate>;
  cftcron: ReadonlyMap<string, Cron>;
  pki: ReadonlyMap<string, Pki>;
  cftcat: Cat;
  cftlog: Log;
  /** null: nothing is accounted. */
  cftaccnt: Accnt | null;
  notify: ReadonlyMap<string, Notify>;
  /** null: no mail is sent. */
  smtp: Smtp | null;
  admin: Admin;
  apiuser: ReadonlyMap<string, Apiuser>;
}

export interface Parm {
  part: string;
  npart: string;
  rundir: string;
  maxtrans: number;
  /** Id of the flow templates that serve where no other does. */
  default: string;
  /** Scripts of flows that have none of their own: sent, received, response to a sent file, errors. */
  execsf: Command;
  execrf: Command;
  execsfa: Command;
  execse: Command;
  execre: Command;
  /** ms; 0 = for ever. */
  exectimeout: number;
  /** 0 = no limit. */
  max_processing_scripts: number;
  /** Passwords may stand in the files themselves. */
  allow_plain_secrets: boolean;
  /** Free space below which nothing more is taken on, and below which it is an alert. */
  disk_low: SpaceLimit;
  disk_alert: SpaceLimit;
  /** Cipher suites 07 to 10 may be used. */
  experimental_ciphers: boolean;
  /** Whether the default serves files whose name stands for no flow; they are refused otherwise. */
  default_idf: boolean;
}

/** A list of partners. */
export interface Dest {
  id: string;
  /** Its partners; null = those of the file `fname`. */
  part: readonly string[] | null;
  /** Absolute; "" where `part` names them. */
  fname: string;
  nopart: "abort" | "continue" | "ignore";
}

/** A list of flows, by ids or masks. */
export interface Auth {
  id: string;
  idf: readonly string[];
  /** The list names what is denied. */
  deny: boolean;
}

/** A local flow and its name on the line. */
export interface Idf {
  /** The local flow. */
  id: string;
  /** "" = every partner. */
  part: string;
  type: "send" | "recv";
  /** Dataset name; a mask for "recv". */
  nidf: string;
}

export interface Net {
  id: string;
  /** Local addresses to listen on. */
  host: readonly string[];
  maxcnx: number;
  /** From one address; 0 = no limit. */
  maxcnx_host: number;
  /** Refusals of a caller before it has to wait; 0 = it never has to. */
  lockout: number;
  /** Longest such wait, and the quiet after which all is forgotten, ms. */
  lockout_max: number;
  lockout_forget: number;
  /** CIDR blocks; empty allow = everybody; deny wins. */
  allow: readonly string[];
  deny: readonly string[];
  /** Idle time before TCP keep-alive probes, ms; 0 = off. */
  keepalive: number;
}

export type Direction = "both" | "sender" | "receiver";

export interface Prot {
  id: string;
  type: "odette";
  net: string;
  /** Listening port; null = requester only. */
  sap: number | null;
  /** Id of the TLS profiles; "" = clear text. */
  ssl: string;
  srusize: number;
  scredit: number;
  scomp: boolean;
  resync: boolean;
  restart: number;
  level: readonly Level[];
  secauth: "no" | "allow" | "require";
  /** Program that may refuse sessions; null = none. */
  exita: Command;
  /** Longest run of it, ms. */
  exitatimeout: number;
  /** Template for the flow of a received file; "" = its dataset name. */
  idf: string;
  /** What we are towards callers, and towards those whom we call: both, only sender, only receiver of files. */
  srin: Direction;
  srout: Direction;
  /** Timers, ms; 0 = for ever. */
  rto: number;
  disctc: number;
  disctd: number;
  discts: number;
  disctr: number;
}

/** A daily window in local time, milliseconds after midnight; `from` > `to` spans midnight. */
export interface Window {
  from: number;
  to: number;
}

export type CertificateRule = "manual" | "ca" | "renewal" | "refuse";

export type Requirement = "sign" | "encrypt" | "tls" | "auth";

export interface Part {
  id: string;
  prot: readonly string[];
  /** Levels used with it; null = its protocols'. */
  level: readonly Level[] | null;
  /** The partner's ports, paired with `prot`. */
  sap: readonly number[];
  nspart: string;
  nrpart: string;
  nspassw: Secret;
  nrpassw: Secret;
  sfidorig: string;
  sfiddest: string;
  /** Default flow; "" = cftparm.default. */
  idf: string;
  /** Flows that may go to it and come from it: "*", or the id of a [[cftauth]]. */
  sauth: string;
  rauth: string;
  /** Intermediate partner; "" = none. */
  ipart: string;
  /** Whether its files for other partners are forwarded; server = when the receive script of their flow allows it. */
  commut: "yes" | "no" | "server";
  /** Which names in its file requests must be known. */
  ctrlpart: "all" | "rpart" | "spart" | "ignore";
  state: "activeboth" | "activereq" | "activeserv" | "noactive";
  /** Windows in which we call, and in which it may call. */
  outgoing: Window;
  incoming: Window;
  /** Id of a client TLS profile instead of the protocol's, and of a server profile beside it; "" = the protocol's. */
  ssl: string;
  security: SecurityChoice;
  /** Of several valid certificates the newest serves, or each of them. */
  changeover: "newest" | "all";
  /** Octets: larger envelopes are opened only after the end of file was answered. */
  opensize: number;
  require: readonly Requirement[];
  /** What becomes of certificates that it sends; "manual" and "refuse" stand alone. */
  certificates: readonly CertificateRule[];
  /** [[pki]] ids of the authorities that its certificates must chain to; empty = its certificates are pinned. */
  rootcid: readonly string[];
  crl: RevocationPolicy;
  ocsp: RevocationPolicy;
  /** What is tolerated of it: see oftp/tolerances.ts. */
  quirks: readonly string[];
  /** Log its protocol commands whatever the level of the log. */
  trace: boolean;
}

/** What is applied to a file on its way out. */
export interface SecurityChoice {
  sign: boolean;
  encrypt: boolean;
  compress: boolean;
  signed_eerp: boolean;
  cipher: string;
}

export interface Tcp {
  id: string;
  host: readonly string[];
  cnxin: number;
  cnxout: number;
  cnxinout: number;
  /** Spacing of retries, ms. */
  retryw: number;
  retryn: number;
  retrym: number;
  /** Windows in which we call, and in which it may call, beside those of the partner. */
  outgoing: Window;
  incoming: Window;
}

export interface Ssl {
  id: string;
  direct: "server" | "client";
  /** [[pki]] id of certificate and key; "" = none (client only). */
  usercid: string;
  rootcid: readonly string[];
  verify: "none" | "optional" | "required";
  version: readonly ("1.2" | "1.3")[];
  /** OpenSSL cipher list; "" = the gateway's own. */
  ciphlist: string;
  /** Key exchange groups; empty = the library's. */
  groups: readonly string[];
  depth: number;
  /** Expressions of pki/name-rule.ts; "" = anything. */
  dnuser: string;
  dnissuer: string;
  keyext: "verify" | "none";
  hostnames: readonly string[];
  /** As pki/pins.ts reads them. */
  pins: readonly string[];
  crl: "off" | "prefer" | "require";
  ocsp: "off" | "prefer" | "require";
  cache: boolean;
  sni: boolean;
  /** Root name, absolute; "" = chains are not kept. */
  cerfname: string;
  /** Absolute; "" = none. */
  keylog: string;
}

export interface Send extends LocalForm {
  id: string;
  nfname: string;
  preexec: Command;
  exec: Command;
  ackexec: Command;
  exece: Command;
  /** Absolute; files that a command names lie below it. "" = anywhere. */
  workingdir: string;
  frecfm: "U" | "T" | "F" | "V";
  /** Octets: of every record (F), of the longest (V), 0 (U, T). */
  flrecl: number;
  ackstate: "require" | "ignore";
  pri: number;
  /** Template of the duplicate key; "" = none. */
  duplicat: string;
  /** How long the response is awaited, ms; 0 = for ever. */
  acktimeout: number;
  /** When a send may begin and until when, as the request came; null = at once, for ever. */
  mintime: Activation | null;
  maxtime: Activation | null;
  /** Longest run, ms; 0 = no limit. */
  maxduration: number;
  /** Sends wait for their turn, for the partner's call, or for an operator. */
  state: "disp" | "hold" | "keep";
  /** Each undefined key falls back to the partner's. */
  security: Partial<SecurityChoice>;
}

export interface Recv extends LocalForm {
  id: string;
  /** Template, relative to workingdir. */
  fname: string;
  /** Absolute; "" = rundir. */
  workingdir: string;
  /** A name that is taken: "both" delivers with a suffix, "new" refuses. */
  fdisp: "both" | "new";
  /** Whether a refused creation leaves a record. */
  rkerror: "keep" | "delete";
  /** Refuse what is not of format `frecfm` and length `flrecl`. */
  fcheck: boolean;
  frecfm: "U" | "T" | "F" | "V";
  flrecl: number;
  exec: Command;
  exece: Command;
  /** Who gives the end-to-end response: the gateway on delivery, somebody with `cygnet end`, or the script. */
  ackmode: "auto" | "manual" | "script";
}

/** How a file stands on the local disk. */
export interface LocalForm {
  /** "ascii": text with local line ends, CR LF on the line. */
  fcode: "binary" | "ascii";
  /** Records of format V: "T" one on each line, "V" each behind its length in two octets. */
  ftype: "T" | "V";
  /** Id of the [[cftxlate]] that converts characters; "" = none. */
  xlate: string;
}

/** Charsets of the local file and of the line. */
export interface Xlate {
  id: string;
  fcharset: string;
  ncharset: string;
}

export interface Folder {
  id: string;
  state: "active" | "noactive";
  scandir: string;
  workdir: string;
  archivedir: string;
  /** A partner id, or "(0)" / "(1)" for the first / second directory level. */
  part: string;
  idf: string;
  /** Cron expression with seconds; "" when `interval` is used. */
  schedule: string;
  /** ms between scans when there is no schedule. */
  interval: number;
  fileidledelay: number;
  /** Files per scan; 0 = no limit. */
  filecount: number;
  filesizemin: number;
  /** 0 = no limit. */
  filesizemax: number;
  includefilter: string;
  excludefilter: string;
  usefsevents: boolean;
}

/** A job. */
export interface Cron {
  id: string;
  state: "active" | "noactive";
  /** Cron expression, local time. */
  time: string;
  type: "exec" | "cftutil";
  /** Program and arguments, or the words of a command; with symbolic variables. */
  exec: readonly string[];
  parm: string;
  /** ms; 0 = for ever. */
  exectimeout: number;
}

export interface Accnt {
  /** Absolute. */
  fname: string;
  /** Octets; 0 = no limit. */
  maxsize: number;
  /** Milliseconds after midnight, local; null = none. */
  switch: number | null;
  backup_count: number;
}

export interface Smtp {
  host: string;
  port: number;
  tls: "starttls" | "tls" | "none";
  user: string;
  passw: Secret;
  sender: string;
  /** ms */
  timeout: number;
}

export interface Notify {
  id: string;
  state: "active" | "noactive";
  /** Names of messages/events.ts. */
  events: readonly string[];
  /** Masks of message ids. */
  messages: readonly string[];
  severity: "none" | "I" | "W" | "E" | "F";
  /** Masks of partner ids; empty = all. */
  part: readonly string[];
  /** ms */
  unreachable: number;
  mail: readonly string[];
  /** "" = none. Its path is often a password. */
  url: Secret;
  secret: Secret;
  /** ms */
  timeout: number;
  limit: number;
  /** ms */
  interval: number;
}

export type { Usage };

export interface Pki {
  id: string;
  /** Owner, a partner id; "" = this site. */
  part: string;
  file: string;
  /** Private key file; "" = none. */
  key: string;
  keypassw: Secret | null;
  usage: readonly Usage[];
  /** "inact": kept, but used for nothing. */
  state: "act" | "inact";
  /** Lists of what this authority has revoked, absolute. */
  crlfile: readonly string[];
  /** Hash of the files' contents: tells a renewed certificate from the old one under the same name. */
  digest?: string;
}

export interface Cat {
  /** SQLite file, absolute. */
  fname: string;
  /** How long ended sends and receives are kept, ms. */
  sx: number;
  rx: number;
  /** How long held and stopped sends, and sends without a response, are kept, ms; 0 = for ever. */
  sh: number;
  st: number;
  /** How long half-received files are kept, ms. */
  rh: number;
  /** Whether received files that cannot be created leave a record. */
  rkerror: "keep" | "delete";
}

export interface Log {
  fname: string;
  format: "V23" | "V24" | "json";
  /** Lowest severity that is written. */
  level: "T" | "I" | "W" | "E" | "F";
  /** Octets after which a new file is begun, and how many old ones are kept. */
  maxsize: number;
  backup_count: number;
}

export interface Admin {
  /** Control socket, absolute. */
  socket: string;
  /** Of the HTTP API; null = none. */
  listen: { host: string; port: number } | null;
  /** [[pki]] id of its certificate and key. */
  usercid: string;
  /** [[pki]] ids of the authorities of callers' certificates. */
  rootcid: readonly string[];
  /** CIDR blocks; empty allow = everybody; deny wins. */
  allow: readonly string[];
  deny: readonly string[];
  maxcnx: number;
  maxcnx_host: number;
  /** Audit log, absolute. */
  audit: string;
  /** Octets; 0 = no limit. */
  audit_maxsize: number;
  audit_backup_count: number;
}

/** Somebody who may use the HTTP API. */
export interface Apiuser {
  id: string;
  role: "read" | "operate" | "admin";
  /** A token, or `sha256:` and the hexadecimal SHA-256 of one; null = none. */
  token: Secret | null;
  /** Expression of pki/name-rule.ts over the subject; "" = none. */
  certificate: string;
  state: "active" | "noactive";
}
