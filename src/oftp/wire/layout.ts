/**
 * The field tables of the 18 OFTP commands (RFC 5024 section 5.3, RFC 2204 section 5.3), one row a field in
 * wire order. The three numbers are the width in octets at OFTP 1.2 and 1.3, at 1.4 and at 2.0; 0 = the field
 * does not exist at that level. Variable fields follow their length: `T` behind three digits, `U` behind two
 * binary octets.
 */
import type { Level } from "./level.ts";

/**
 * X text, right-padded with spaces · N number of at most nine digits · B counter as bigint · D date stamp ·
 * H time stamp · F flag Y/N · Z reserved spaces · M the SSRM message · C carriage return ·
 * O octets of fixed length · T UTF-8 text with a length of three digits · U octets with a binary length.
 */
export type FieldKind = "X" | "N" | "B" | "D" | "H" | "F" | "Z" | "M" | "C" | "O" | "T" | "U";

export interface Field {
  name: string;
  kind: FieldKind;
  /** Octets at OFTP 1.2/1.3, 1.4, 2.0; for T and U the width of the length field. */
  width: readonly [number, number, number];
}

export interface Layout {
  /** Command octet. */
  code: number;
  fields: readonly Field[];
  /** Lowest SSIDLEV at which the command exists. */
  since: Level;
}

const field = (name: string, kind: FieldKind, ...width: [number, number, number]): Field => ({
  name,
  kind,
  width,
});
const all = (name: string, kind: FieldKind, width: number): Field => field(name, kind, width, width, width);
const v20 = (name: string, kind: FieldKind, width: number): Field => field(name, kind, 0, 0, width);
const layout = (code: string, since: Level, ...fields: Field[]): Layout => ({
  code: code.charCodeAt(0),
  since,
  fields,
});

export const LAYOUTS = {
  SSRM: layout("I", 1, all("message", "M", 17), all("cr", "C", 1)),
  SSID: layout(
    "X",
    1,
    all("lev", "N", 1),
    all("code", "X", 25),
    all("pswd", "X", 8),
    all("sdeb", "N", 5),
    all("sr", "X", 1),
    all("cmpr", "F", 1),
    all("rest", "F", 1),
    all("spec", "F", 1),
    all("cred", "N", 3),
    v20("auth", "F", 1),
    field("rsv1", "Z", 5, 5, 4),
    all("user", "X", 8),
    all("cr", "C", 1),
  ),
  SECD: layout("J", 5),
  AUCH: layout("A", 5, v20("chal", "U", 2)),
  AURP: layout("S", 5, v20("rsp", "O", 20)),
  SFID: layout(
    "H",
    1,
    all("dsn", "X", 26),
    field("rsv1", "Z", 9, 3, 3),
    field("date", "D", 6, 8, 8),
    field("time", "H", 6, 10, 10),
    all("user", "X", 8),
    all("dest", "X", 25),
    all("orig", "X", 25),
    all("fmt", "X", 1),
    all("lrecl", "N", 5),
    field("fsiz", "B", 7, 7, 13),
    v20("osiz", "B", 13),
    field("rest", "B", 9, 9, 17),
    v20("sec", "N", 2),
    v20("ciph", "N", 2),
    v20("comp", "N", 1),
    v20("env", "N", 1),
    v20("sign", "F", 1),
    v20("desc", "T", 3),
  ),
  SFPA: layout("2", 1, field("acnt", "B", 9, 9, 17)),
  SFNA: layout("3", 1, all("reas", "N", 2), all("rrtr", "F", 1), v20("reast", "T", 3)),
  CDT: layout("C", 1, all("rsv1", "Z", 2)),
  EFID: layout("T", 1, field("rcnt", "B", 9, 9, 17), field("ucnt", "B", 12, 12, 17)),
  EFPA: layout("4", 1, all("cd", "F", 1)),
  EFNA: layout("5", 1, all("reas", "N", 2), v20("reast", "T", 3)),
  CD: layout("R", 1),
  EERP: layout(
    "E",
    1,
    all("dsn", "X", 26),
    field("rsv1", "Z", 9, 3, 3),
    field("date", "D", 6, 8, 8),
    field("time", "H", 6, 10, 10),
    all("user", "X", 8),
    all("dest", "X", 25),
    all("orig", "X", 25),
    v20("hsh", "U", 2),
    v20("sig", "U", 2),
  ),
  NERP: layout(
    "N",
    4,
    all("dsn", "X", 26),
    all("rsv1", "Z", 6),
    field("date", "D", 8, 8, 8),
    field("time", "H", 10, 10, 10),
    all("dest", "X", 25),
    all("orig", "X", 25),
    all("crea", "X", 25),
    all("reas", "N", 2),
    v20("reast", "T", 3),
    v20("hsh", "U", 2),
    v20("sig", "U", 2),
  ),
  RTR: layout("P", 1),
  ESID: layout("F", 1, all("reas", "N", 2), v20("reast", "T", 3), all("cr", "C", 1)),
} as const satisfies Record<string, Layout>;

export type CommandName = keyof typeof LAYOUTS;

/** Command octet of a data exchange buffer, which has no fields: subrecords follow. */
export const DATA = 0x44;

/** Column of `Field.width` for a level. */
export function column(level: Level): 0 | 1 | 2 {
  return level === 5 ? 2 : level === 4 ? 1 : 0;
}
