/**
 * Where a code belongs. MESSAGE: ids of the log; HEX: the four hexadecimal digits behind a DIAGP; TCP: the two parts of
 * `L rr ddd` and `R rr ddd`; RECOV: of CFTH10E; TLS: alert numbers of RFC 8446; PKI: what CFTY18E carries; ERROR: codes of
 * this program.
 */
export type CodeKind =
  | "MESSAGE"
  | "DIAGI"
  | "DIAGP"
  | "HEX"
  | "TCP"
  | "RECOV"
  | "ESID"
  | "SFNA"
  | "EFNA"
  | "NERP"
  | "TLS"
  | "PKI"
  | "ERROR";

/** A code in plain words. */
export interface Meaning {
  kind: CodeKind;
  /** As it is written: two digits for OFTP reasons, no leading zeros for DIAGI and TLS. */
  code: string;
  /** Short text, where there is one the standard's; the code itself where it is a word. */
  name: string;
  /** One sentence: what has happened. */
  means: string;
  /** What to do about it. */
  action: string;
}

/** A row of a table of codes without its kind: code, name, meaning, action. */
export type CodeRow = readonly [code: number, name: string, means: string, action: string];

/** A row whose code is written with letters or leading zeros. */
export type WrittenRow = readonly [code: string, name: string, means: string, action: string];

/** A row whose code is a word and its own name. */
export type WordRow = readonly [code: string, means: string, action: string];
