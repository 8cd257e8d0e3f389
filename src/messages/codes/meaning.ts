/** Where a code belongs. MESSAGE: ids of the log; TLS: alert numbers of RFC 8446. */
export type CodeKind = "MESSAGE" | "DIAGI" | "DIAGP" | "ESID" | "SFNA" | "EFNA" | "NERP" | "TLS";

/** A code in plain words. */
export interface Meaning {
  kind: CodeKind;
  /** As it is written: two digits for OFTP reasons, no leading zeros for DIAGI and TLS. */
  code: string;
  /** Short text, where there is one the standard's. */
  name: string;
  /** One sentence: what has happened. */
  means: string;
  /** What to do about it. */
  action: string;
}

/** A row of a table of codes without its kind: code, name, meaning, action. */
export type CodeRow = readonly [code: number, name: string, means: string, action: string];
