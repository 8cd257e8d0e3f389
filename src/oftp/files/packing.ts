/**
 * From the virtual representation of a file to framed data exchange buffers (RFC 5024 section 7).
 *
 *   U, T   one stream of octets; the end-of-record bit stands once, on the last subrecord; empty file: `D` `80`
 *   F      every SFIDLRECL octets end a record
 *   V      every record ends with the bit, an empty one is `80`; the lengths before the records do not travel
 *
 * An F or V file without records has no data exchange buffer at all: `D` `80` would be one empty record.
 */
import { packCompressed, packLiterals } from "../wire/fast-subrecords.ts";
import { Batch } from "./batch.ts";
import { type Counts, type Format, FormatError, LONGEST_RECORD, PREFIX } from "./format.ts";

type Pack = typeof packLiterals;

export interface PackingOptions {
  format: Format;
  /** SFIDLRECL; 0 for U and T. */
  lrecl: number;
  /** Negotiated SSIDSDEB, octets. */
  sdeb: number;
  /** Runs of equal octets become compressed subrecords. */
  compressed: boolean;
  /** What lies before a restart position: EFID counts the whole file. */
  before?: Counts;
}

/**
 * Fills batches of framed data exchange buffers from pieces of a file in its virtual representation. Every buffer
 * but the last of the file is filled to SSIDSDEB, whatever the pieces' lengths: credit is per buffer.
 */
export interface Packer {
  /** Begins a batch of at most `most` buffers in `target`, which holds `most` framed buffers or more. */
  begin(target: Buffer, most: number): void;
  /**
   * Packs octets `from` to `to` of `source`.
   * @param last these are the last octets of the file (there may be none)
   * @returns the position up to which the source was taken: less than `to` only when the batch is full
   * @throws FormatError when what should be a virtual file is none
   */
  put(source: Buffer, from: number, to: number, last: boolean): number;
  /** Complete buffers in the batch. */
  readonly count: number;
  /** Octets of the complete buffers, stream headers included. */
  readonly length: number;
  readonly full: boolean;
  /** True when the end of the file was packed. */
  readonly ended: boolean;
  /** Records packed so far, and before: EFIDRCNT at the end; 0 for U and T. */
  readonly records: number;
  /** Octets of content packed so far, and before: EFIDUCNT at the end. */
  readonly octets: number;
}

/** A packer for the file's format; files in an envelope are packed as U. */
export function packerFor(options: PackingOptions): Packer {
  const { format, sdeb, compressed, before } = options;
  return format === "U" || format === "T"
    ? new StreamPacker(sdeb, compressed, before?.octets)
    : new RecordPacker(options);
}

abstract class BatchPacker {
  protected readonly batch: Batch;
  protected readonly pack: Pack;
  ended = false;
  records = 0;
  octets = 0;

  constructor(sdeb: number, compressed: boolean) {
    this.batch = new Batch(sdeb);
    this.pack = compressed ? packCompressed : packLiterals;
  }

  begin(target: Buffer, most: number): void {
    this.batch.begin(target, most);
  }

  get count(): number {
    return this.batch.count;
  }

  get length(): number {
    return this.batch.length;
  }

  get full(): boolean {
    return this.batch.full;
  }
}

/** Formats U and T, and everything in an envelope. */
export class StreamPacker extends BatchPacker implements Packer {
  constructor(sdeb: number, compressed: boolean, octetsBefore = 0) {
    super(sdeb, compressed);
    this.octets = octetsBefore;
  }

  put(source: Buffer, from: number, to: number, last: boolean): number {
    const { batch, pack } = this;
    let read = from;
    while (!this.ended && (read < to || last)) {
      if (!batch.open()) break;
      const packed = pack(source, read, to, batch.target, batch.at, batch.limit, last);
      read = packed.from;
      batch.at = packed.at;
      this.ended = packed.ended;
      if (packed.ended || batch.limit - packed.at < 2) batch.close();
    }
    this.octets += read - from;
    return read;
  }
}

/** Formats F and V. */
class RecordPacker extends BatchPacker implements Packer {
  readonly #fixed: boolean;
  readonly #lrecl: number;
  /** Octets of the record under way that are still to be packed; -1 between two records. */
  #left = -1;
  #prefix = 0;
  #prefixOctets = 0;

  constructor({ format, lrecl, sdeb, compressed, before }: PackingOptions) {
    super(sdeb, compressed);
    this.#fixed = format === "F";
    if (this.#fixed && lrecl === 0) {
      throw new FormatError("CYG_FORMAT_OPTIONS", "an F file needs a record length above 0", 0, 0);
    }
    this.#lrecl = lrecl === 0 ? LONGEST_RECORD : lrecl;
    this.records = before?.records ?? 0;
    this.octets = before?.octets ?? 0;
  }

  put(source: Buffer, from: number, to: number, last: boolean): number {
    let read = from;
    while (!this.ended) {
      if (this.#left < 0) read = this.#next(source, read, to);
      if (this.#left < 0 || (this.#left > 0 && read === to)) {
        if (last) this.#finish();
        break;
      }
      const stopped = this.#record(source, read, to);
      this.octets += stopped - read;
      read = stopped;
      if (this.full) break;
    }
    return read;
  }

  /** Learns the length of the next record, as far as the source tells. */
  #next(source: Buffer, from: number, to: number): number {
    let read = from;
    if (this.#fixed) {
      if (read < to) this.#left = this.#lrecl;
      return read;
    }
    while (this.#prefixOctets < PREFIX && read < to) {
      this.#prefix = this.#prefix * 256 + (source[read++] as number);
      this.#prefixOctets++;
    }
    if (this.#prefixOctets < PREFIX) return read;
    if (this.#prefix > this.#lrecl) {
      const what = `a record of ${this.#prefix} octets is longer than the record length ${this.#lrecl}`;
      throw new FormatError("CYG_FORMAT_RECORD_TOO_LONG", what, this.records + 1, this.octets);
    }
    this.#left = this.#prefix;
    this.#prefix = 0;
    this.#prefixOctets = 0;
    return read;
  }

  /** Packs what the source holds of the record under way, until the record, the source or the batch ends. */
  #record(source: Buffer, from: number, to: number): number {
    const { batch, pack } = this;
    const end = Math.min(from + this.#left, to);
    const ends = end - from === this.#left;
    let read = from;
    while (batch.open()) {
      const packed = pack(source, read, end, batch.target, batch.at, batch.limit, ends);
      this.#left -= packed.from - read;
      read = packed.from;
      batch.at = packed.at;
      if (packed.ended) {
        this.#left = -1;
        this.records++;
      }
      // one free octet may still take an empty record
      const done = packed.ended || (!ends && read === end);
      if (!done || batch.at === batch.limit) batch.close();
      if (done) break;
    }
    return read;
  }

  #finish(): void {
    if (this.#left >= 0 || this.#prefixOctets > 0) {
      const what = "the file ends inside a record";
      throw new FormatError("CYG_FORMAT_UNTERMINATED", what, this.records + 1, this.octets);
    }
    this.batch.close();
    this.ended = true;
  }
}
