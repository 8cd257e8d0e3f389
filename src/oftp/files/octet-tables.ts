/** Conversion octet by octet: with a table that somebody wrote, or between two charsets of single octets. */
import iconv from "iconv-lite";
import { checkCharset } from "./charset.ts";
import { isEbcdic } from "./ebcdic.ts";
import { FormatError } from "./format.ts";
import type { Emit, Stage } from "./stage.ts";

const OCTETS = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
const UNREADABLE = "\ufffd";

/** Replaces octet by octet, as a translation table of 256 octets says. */
export class TableConverter implements Stage {
  readonly #table: Buffer;

  constructor(table: Buffer) {
    if (table.length !== 256) {
      const what = `a translation table has 256 octets, not ${table.length}`;
      throw new FormatError("CYG_FORMAT_OPTIONS", what, 0, 0);
    }
    this.#table = table;
  }

  push(chunk: Buffer, emit: Emit): void {
    const table = this.#table;
    const translated = Buffer.allocUnsafe(chunk.length);
    for (let at = 0; at < chunk.length; at++) translated[at] = table[chunk[at] as number] as number;
    emit(translated);
  }

  end(): void {}
}

/** True when every character of the charset is one octet; iconv-lite has a table for those. */
export function isSingleOctet(charset: string): boolean {
  checkCharset(charset);
  return iconv.getCodec(charset).decodeBuf instanceof Buffer;
}

/** The octet of a character in a charset of single octets; null where there is none. */
export function octetOf(character: string, charset: string): number | null {
  const octets = iconv.encode(character, charset);
  // iconv-lite writes "?" for what the charset lacks
  return iconv.decode(octets, charset) === character ? (octets[0] as number) : null;
}

/** True when CR and LF are the octets 0D and 0A. */
export function hasAsciiLineEnds(charset: string): boolean {
  return octetOf("\r", charset) === 0x0d && octetOf("\n", charset) === 0x0a;
}

/** What CharsetConverter does, faster, between two charsets of single octets. */
export class OctetConverter implements Stage {
  readonly #from: string;
  readonly #to: string;
  readonly #record: () => number;
  /** -1 = the other charset lacks the character, or there is none. */
  readonly #table = new Int16Array(256);
  #taken = 0;

  /**
   * @param record number of the record that is being read, for errors; 0 = none
   * @param newLines EBCDIC's NEL ends a line: it becomes LF
   */
  constructor(from: string, to: string, record: () => number, newLines = false) {
    this.#from = from;
    this.#to = to;
    this.#record = record;
    const nel = newLines && isEbcdic(from);
    for (const [octet, character] of [...iconv.decode(OCTETS, from)].entries()) {
      const lines = nel && character === "\u0085" ? "\n" : character;
      this.#table[octet] = character === UNREADABLE ? -1 : (octetOf(lines, to) ?? -1);
    }
  }

  push(chunk: Buffer, emit: Emit): void {
    const table = this.#table;
    const converted = Buffer.allocUnsafe(chunk.length);
    for (let at = 0; at < chunk.length; at++) {
      const octet = table[chunk[at] as number] as number;
      if (octet < 0) {
        // what stands before goes on first: it decides in which record the fault lies
        emit(converted.subarray(0, at));
        throw this.#error(chunk[at] as number, this.#taken + at);
      }
      converted[at] = octet;
    }
    this.#taken += chunk.length;
    emit(converted);
  }

  /** It is ready for another text. */
  end(): void {
    this.#taken = 0;
  }

  #error(octet: number, offset: number): FormatError {
    const character = iconv.decode(Buffer.from([octet]), this.#from);
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const what =
      character === UNREADABLE
        ? `what follows is no character in the charset ${this.#from}`
        : `the charset ${this.#to} lacks the character U+${code}`;
    return new FormatError("CYG_FORMAT_CHARACTER", what, this.#record(), offset);
  }
}
