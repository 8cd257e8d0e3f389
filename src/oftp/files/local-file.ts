/** What a local file looks like, and how that relates to its virtual representation. */
import { isEbcdic } from "./ebcdic.ts";
import { type Format, FormatError, LONGEST_RECORD } from "./format.ts";
import type { LineEnd } from "./lines.ts";

/** Charsets by name, or a table of 256 octets in the direction of the transform. */
export type Translation = { local: string; network: string } | { table: Buffer };

export interface LocalFile {
  format: Format;
  /** Record length (F) or longest record (V), octets of the virtual representation; 0 = none set, not for F. */
  lrecl: number;
  ftype: "T" | "V" | "B";
  fcode: "binary" | "ascii";
  /** Written at the end of each line of a local file. Default LF. */
  lineEnd?: LineEnd;
  /** Null, and two equal names: nothing is converted, nor checked. */
  charset?: Translation | null;
  /** Octet that fills up a short last F record on sending; null = such a file is refused. */
  pad?: number | null;
  /** Received records that hold a line end and are to become lines: refused (default), or written all the same. */
  lineEndInRecord?: "refuse" | "keep";
  /** T files: lines of at most 2048 characters, no control characters. Default false. */
  checkText?: boolean;
}

/** True when the local file is in an EBCDIC charset. */
export function inEbcdic({ charset }: LocalFile): boolean {
  return charset != null && "local" in charset && isEbcdic(charset.local);
}

/**
 * @param sending from the local file to the virtual representation
 * @throws FormatError CYG_FORMAT_OPTIONS
 */
export function checkOptions(options: LocalFile, sending: boolean): void {
  const { format, lrecl, ftype, lineEnd, pad } = options;
  const wrong = (what: string) => new FormatError("CYG_FORMAT_OPTIONS", what, 0, 0);
  if (lrecl < 0 || lrecl > LONGEST_RECORD) throw wrong(`a record length is 0 to ${LONGEST_RECORD}`);
  if (format === "F" && lrecl === 0) throw wrong("an F file needs a record length above 0");
  if (format === "V" && ftype === "B" && sending && lrecl === 0) {
    throw wrong("a V file of ftype B needs a record length at which it is cut");
  }
  if (pad != null && (pad < 0 || pad > 255)) throw wrong("padding is one octet");
  if (lineEnd === "NEL" && !inEbcdic(options)) throw wrong("only local files in EBCDIC have NEL as line end");
}
