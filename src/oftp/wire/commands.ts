/**
 * The commands as values. Property names are the field names of RFC 5024 without the command's prefix, in
 * lower case (SFIDDSN = `dsn`). Text comes without trailing spaces; flags are booleans; `date` and `time` are
 * digits as on the wire of OFTP 1.4 and 2.0 (CCYYMMDD, HHMMSScccc) or of 1.2 and 1.3 (YYMMDD, HHMMSS).
 * Fields that a level lacks come as their neutral value (0, false, "", no octets).
 */
import type { Level } from "./level.ts";

export type Ssrm = { type: "SSRM"; message: string };

export type Ssid = {
  type: "SSID";
  /** SSIDLEV as received: 0..9; only 1, 2, 4, 5 are assigned. */
  lev: number;
  code: string;
  pswd: string;
  /** Largest data exchange buffer, command octet included. */
  sdeb: number;
  /** S, R or B. */
  sr: string;
  cmpr: boolean;
  rest: boolean;
  spec: boolean;
  cred: number;
  auth: boolean;
  user: string;
};

export type Secd = { type: "SECD" };
export type Auch = { type: "AUCH"; chal: Buffer };
export type Aurp = { type: "AURP"; rsp: Buffer };

export type Sfid = {
  type: "SFID";
  dsn: string;
  date: string;
  time: string;
  user: string;
  dest: string;
  orig: string;
  /** F, V, U or T. */
  fmt: string;
  lrecl: number;
  /** 1024-octet blocks. */
  fsiz: bigint;
  osiz: bigint;
  /** Restart position offered: records (F, V) or 1024-octet blocks. */
  rest: bigint;
  sec: number;
  ciph: number;
  comp: number;
  env: number;
  sign: boolean;
  desc: string;
};

export type Sfpa = { type: "SFPA"; acnt: bigint };
export type Sfna = { type: "SFNA"; reas: number; rrtr: boolean; reast: string };
export type Cdt = { type: "CDT" };
export type Efid = { type: "EFID"; rcnt: bigint; ucnt: bigint };
export type Efpa = { type: "EFPA"; cd: boolean };
export type Efna = { type: "EFNA"; reas: number; reast: string };
export type Cd = { type: "CD" };

export type Eerp = {
  type: "EERP";
  dsn: string;
  date: string;
  time: string;
  user: string;
  /** The originator of the file. */
  dest: string;
  /** The destination of the file. */
  orig: string;
  hsh: Buffer;
  sig: Buffer;
};

export type Nerp = {
  type: "NERP";
  dsn: string;
  date: string;
  time: string;
  dest: string;
  orig: string;
  crea: string;
  reas: number;
  reast: string;
  hsh: Buffer;
  sig: Buffer;
};

export type Rtr = { type: "RTR" };
export type Esid = { type: "ESID"; reas: number; reast: string };

/** Every command but DATA, whose octets stay where they are. */
export type Command =
  | Ssrm
  | Ssid
  | Secd
  | Auch
  | Aurp
  | Sfid
  | Sfpa
  | Sfna
  | Cdt
  | Efid
  | Efpa
  | Efna
  | Cd
  | Eerp
  | Nerp
  | Rtr
  | Esid;

export type { Level };
