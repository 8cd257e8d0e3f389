/**
 * Line ends. LF ends a line, and a CR right before it belongs to the line end; any other CR is data. A last line
 * without line end is a line. Octets here are ASCII or an extension of it, such as UTF-8.
 */
import { FormatError } from "./format.ts";
import type { Emit, Stage } from "./stage.ts";

const CR = 0x0d;
const LF = 0x0a;
const CRLF = Buffer.from("\r\n");

/** How lines end in a local file; NEL, the new line of z/OS, only where the charset is EBCDIC. */
export type LineEnd = "LF" | "CRLF" | "NEL";

/** Line ends before the charset's conversion; NEL in UTF-8. */
export const LINE_ENDS: Readonly<Record<LineEnd, Buffer>> = {
  LF: Buffer.from("\n"),
  CRLF,
  NEL: Buffer.from("\u0085"),
};

/** Takes one record; its octets are valid only during the call. */
export type EachRecord = (record: Buffer) => void;

/** Cuts a stream into records. */
export interface RecordReader {
  push(chunk: Buffer, each: EachRecord): void;
  end(each: EachRecord): void;
}

/** One line is one record; its line end is no part of it. */
export class LineReader implements RecordReader {
  readonly #longest: number;
  readonly #held: Buffer[] = [];
  #heldOctets = 0;
  #lines = 0;
  #read = 0;

  /** @param longest octets of a line at which its end is no longer waited for */
  constructor(longest: number) {
    this.#longest = longest;
  }

  push(chunk: Buffer, each: EachRecord): void {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.#hold(chunk.subarray(from, at));
      this.#line(each, true);
      from = at + 1;
    }
    // the chunk is not ours beyond this call
    if (from < chunk.length) this.#hold(Buffer.from(chunk.subarray(from)));
    this.#read += chunk.length;
  }

  end(each: EachRecord): void {
    if (this.#heldOctets > 0) this.#line(each, false);
  }

  #hold(part: Buffer): void {
    this.#heldOctets += part.length;
    // one more for the CR of the line end
    if (this.#heldOctets > this.#longest + 1) throw this.#tooLong();
    this.#held.push(part);
  }

  #line(each: EachRecord, ended: boolean): void {
    const line = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    const content = ended && line[line.length - 1] === CR ? line.subarray(0, -1) : line;
    this.#held.length = 0;
    this.#heldOctets = 0;
    if (content.length > this.#longest) throw this.#tooLong();
    this.#lines++;
    each(content);
  }

  #tooLong(): FormatError {
    const what = `a line is longer than the record length ${this.#longest}`;
    return new FormatError("CYG_FORMAT_RECORD_TOO_LONG", what, this.#lines + 1, this.#read);
  }
}

/** Local lines to those of a T file, which end in CR LF; the last one too, whether or not it has a line end. */
export class ToCrLf implements Stage {
  #last = LF;

  push(chunk: Buffer, emit: Emit): void {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      if ((at > 0 ? chunk[at - 1] : this.#last) !== CR) {
        if (at > from) emit(chunk.subarray(from, at));
        emit(CRLF);
        from = at + 1;
      }
    }
    if (from < chunk.length) emit(chunk.subarray(from));
    if (chunk.length > 0) this.#last = chunk[chunk.length - 1] as number;
  }

  end(emit: Emit): void {
    if (this.#last !== LF) emit(CRLF);
  }
}

/** CR LF to the local line end; a CR or LF that stands alone stays. */
export class FromCrLf implements Stage {
  readonly #lineEnd: Buffer;
  #heldCr = false;

  constructor(lineEnd: LineEnd) {
    this.#lineEnd = LINE_ENDS[lineEnd];
  }

  push(chunk: Buffer, emit: Emit): void {
    if (chunk.length === 0) return;
    let from = 0;
    if (this.#heldCr) {
      const ends = chunk[0] === LF;
      emit(ends ? this.#lineEnd : CRLF.subarray(0, 1));
      if (ends) from = 1;
    }
    for (let at = chunk.indexOf(CRLF, from); at >= 0; at = chunk.indexOf(CRLF, from)) {
      if (at > from) emit(chunk.subarray(from, at));
      emit(this.#lineEnd);
      from = at + 2;
    }
    this.#heldCr = from < chunk.length && chunk[chunk.length - 1] === CR;
    const to = this.#heldCr ? chunk.length - 1 : chunk.length;
    if (from < to) emit(chunk.subarray(from, to));
  }

  end(emit: Emit): void {
    if (this.#heldCr) emit(CRLF.subarray(0, 1));
  }
}
