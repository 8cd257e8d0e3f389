/** Records behind their length: two octets in local files of ftype V, four in the virtual representation. */
import { type FormatCode, FormatError } from "./format.ts";
import type { EachRecord, RecordReader } from "./lines.ts";

export class PrefixedReader implements RecordReader {
  readonly #width: 2 | 4;
  readonly #longest: number;
  #length = 0;
  #lengthOctets = 0;
  #held: Buffer = Buffer.alloc(0);
  #fill = 0;
  #records = 0;
  #read = 0;

  /** @param longest octets that a record may have */
  constructor(width: 2 | 4, longest: number) {
    this.#width = width;
    this.#longest = longest;
  }

  push(chunk: Buffer, each: EachRecord): void {
    let from = 0;
    while (from < chunk.length) {
      if (this.#lengthOctets < this.#width) {
        this.#length = this.#length * 256 + (chunk[from++] as number);
        this.#lengthOctets++;
        this.#read++;
        if (this.#lengthOctets < this.#width) continue;
        this.#check();
      }
      const to = Math.min(from + this.#length - this.#fill, chunk.length);
      // a record that lies in one piece need not be copied
      if (this.#fill === 0 && to - from === this.#length) each(chunk.subarray(from, to));
      else if (!this.#gather(chunk, from, to)) return;
      else each(this.#held.subarray(0, this.#length));
      this.#read += to - from;
      from = to;
      this.#records++;
      this.#length = 0;
      this.#lengthOctets = 0;
      this.#fill = 0;
    }
  }

  end(): void {
    if (this.#lengthOctets > 0) throw this.#error("CYG_FORMAT_UNTERMINATED", "the file ends inside a record");
  }

  #check(): void {
    if (this.#length <= this.#longest) return;
    const what = `a record of ${this.#length} octets is longer than ${this.#longest}`;
    throw this.#error("CYG_FORMAT_RECORD_TOO_LONG", what);
  }

  /** True when the record is complete. */
  #gather(chunk: Buffer, from: number, to: number): boolean {
    if (this.#held.length < this.#length) {
      const larger = Buffer.allocUnsafeSlow(this.#length);
      this.#held.copy(larger, 0, 0, this.#fill);
      this.#held = larger;
    }
    this.#fill += chunk.copy(this.#held, this.#fill, from, to);
    if (this.#fill < this.#length) this.#read += to - from;
    return this.#fill === this.#length;
  }

  #error(code: FormatCode, what: string): FormatError {
    return new FormatError(code, what, this.#records + 1, this.#read);
  }
}

/** Cuts a stream every `length` octets; the last record may be shorter. */
export class CuttingReader implements RecordReader {
  readonly #held: Buffer;
  #fill = 0;

  constructor(length: number) {
    this.#held = Buffer.allocUnsafeSlow(length);
  }

  push(chunk: Buffer, each: EachRecord): void {
    for (let from = 0; from < chunk.length; ) {
      const count = chunk.copy(this.#held, this.#fill, from);
      this.#fill += count;
      from += count;
      if (this.#fill < this.#held.length) return;
      this.#fill = 0;
      each(this.#held);
    }
  }

  end(each: EachRecord): void {
    if (this.#fill > 0) each(this.#held.subarray(0, this.#fill));
    this.#fill = 0;
  }
}
