/**
 * The four record formats of a virtual file (RFC 5024 section 1.5.3) and what may be wrong with one.
 *
 * While the gateway holds a file it stands in its virtual representation:
 *
 *   U, T   the octets of the wire
 *   F      records back to back, SFIDLRECL octets each
 *   V      each record behind its length, four octets, big-endian
 *
 * Signed, encrypted or compressed files travel as U, whatever SFIDFMT says (RFC 5024 section 6.5).
 */
import { CygnetError } from "../../platform/errors.ts";

export type Format = "U" | "T" | "F" | "V";

/** Largest SFIDLRECL that its five digits can say, octets. */
export const LONGEST_RECORD = 99_999;

/** Octets of the length before each record of a V file in its virtual representation. */
export const PREFIX = 4;

/** What EFIDRCNT and EFIDUCNT count: whole records, and octets of content without any lengths or separators. */
export interface Counts {
  records: number;
  octets: number;
}

export type FormatCode =
  /** A record is longer than SFIDLRECL, or than its local form can say. */
  | "CYG_FORMAT_RECORD_TOO_LONG"
  /** A record of an F file has not SFIDLRECL octets. */
  | "CYG_FORMAT_RECORD_LENGTH"
  /** The last record of an F file is short, and padding was not asked for. */
  | "CYG_FORMAT_SHORT_RECORD"
  /** The file ends inside a record or its length. */
  | "CYG_FORMAT_UNTERMINATED"
  /** A record that is to become a line holds a line end. */
  | "CYG_FORMAT_LINE_END"
  /** A line of a T file is longer than 2048 characters. */
  | "CYG_FORMAT_LINE_TOO_LONG"
  /** A T file holds a control character other than CR LF. */
  | "CYG_FORMAT_CONTROL"
  /** Octets that are no character, or a character that the other charset lacks. */
  | "CYG_FORMAT_CHARACTER"
  /** No such charset. */
  | "CYG_FORMAT_CHARSET"
  /** Options that contradict each other. */
  | "CYG_FORMAT_OPTIONS";

const ANSWERS: Partial<Record<FormatCode, number>> = {
  CYG_FORMAT_RECORD_TOO_LONG: 5,
  CYG_FORMAT_RECORD_LENGTH: 10,
  CYG_FORMAT_LINE_TOO_LONG: 4,
  CYG_FORMAT_CONTROL: 4,
};

/** A file that is not what its format says. */
export class FormatError extends CygnetError {
  /** Number of the record at fault, from 1; 0 = the file has no records or it is not about one. */
  readonly record: number;
  /** Octets read before the fault, from 0; for a charset's fault inside a record, octets of that record. */
  readonly offset: number;
  /** EFNAREAS for a Listener that meets the fault in what it receives. */
  readonly efna: number;

  constructor(code: FormatCode, what: string, record: number, offset: number, cause?: unknown) {
    const where = record > 0 ? `record ${record}, octet ${offset}` : `octet ${offset}`;
    super(code, `${what} (${where})`, cause === undefined ? {} : { cause });
    this.name = "FormatError";
    this.record = record;
    this.offset = offset;
    this.efna = ANSWERS[code] ?? 99;
  }
}
