/**
 * What RFC 5024 section 1.5.3 asks of a T file: lines of at most 2048 characters that end in CR LF, and no other
 * control characters. Octets above 7E are let pass: no field says which charset they are in.
 */
import { FormatError } from "./format.ts";
import type { Emit, Stage } from "./stage.ts";

const LONGEST_LINE = 2048;
const CR = 0x0d;
const LF = 0x0a;

/** Passes the text on unchanged. */
export class TextCheck implements Stage {
  #lines = 0;
  #length = 0;
  #afterCr = false;
  #read = 0;

  push(chunk: Buffer, emit: Emit): void {
    for (const octet of chunk) {
      if (this.#afterCr !== (octet === LF)) throw this.#control(this.#afterCr ? CR : LF);
      this.#afterCr = octet === CR;
      if (octet === LF) {
        this.#lines++;
        this.#length = 0;
      } else if (octet !== CR) {
        if (octet < 0x20 || octet === 0x7f) throw this.#control(octet);
        if (++this.#length > LONGEST_LINE) throw this.#tooLong();
      }
      this.#read++;
    }
    emit(chunk);
  }

  end(): void {
    if (this.#afterCr) throw this.#control(CR);
  }

  #control(octet: number): FormatError {
    const name = octet.toString(16).toUpperCase().padStart(2, "0");
    const what = `line ${this.#lines + 1} of a text file holds the control character ${name}`;
    return new FormatError("CYG_FORMAT_CONTROL", what, 0, this.#read);
  }

  #tooLong(): FormatError {
    const what = `line ${this.#lines + 1} of a text file is longer than ${LONGEST_LINE} characters`;
    return new FormatError("CYG_FORMAT_LINE_TOO_LONG", what, 0, this.#read);
  }
}
