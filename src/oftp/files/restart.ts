/**
 * Restart positions (RFC 5024 sections 1.5.4 and 5.3.3). SFIDREST and SFPAACNT count whole records for plain F and
 * V files, blocks of 1024 octets for U, T and everything in an envelope. The gateway keeps octets of the virtual
 * representation: the two are turned into each other here.
 */
import { type Counts, type Format, FormatError, LONGEST_RECORD, PREFIX } from "./format.ts";

/** Unit of SFIDREST and SFPAACNT for formats U and T, and of SFIDFSIZ and SFIDOSIZ, octets. */
export const BLOCK = 1024;

/** Whole restart blocks in a number of octets. */
export function blocks(octets: number): bigint {
  return BigInt(Math.floor(octets / BLOCK));
}

/** SFIDFSIZ and SFIDOSIZ: blocks, rounded up. */
export function sizeInBlocks(octets: number): bigint {
  return BigInt(Math.ceil(octets / BLOCK));
}

/** A place in a file at which a transfer may go on. */
export interface Position extends Counts {
  /** SFIDREST and SFPAACNT: records or blocks before the place. */
  count: bigint;
  /** Octets of the virtual representation before the place: whatever lies behind is cut off or sent. */
  offset: number;
}

/** The start of every file. */
export const START: Position = { count: 0n, offset: 0, records: 0, octets: 0 };

/**
 * Looks for a position in a file in its virtual representation. Only V files have to be read for it:
 * `needsData` says so, and then `push` takes the file from its start on, in pieces of any size.
 */
export interface PositionSearch {
  readonly needsData: boolean;
  /** @returns false when the position is known and no more is needed */
  push(chunk: Buffer): boolean;
  /** The position, of what is known so far. */
  readonly position: Position;
}

/**
 * The last position within the first `octets` octets of the file.
 * @param octets of the virtual representation that are surely held
 * @param lrecl SFIDLRECL; 0 for U and T
 */
export function positionWithin(format: Format, lrecl: number, octets: number): PositionSearch {
  if (format === "V") return new RecordScanner(lrecl, octets, Number.POSITIVE_INFINITY);
  return known(positionAt(format, lrecl, BigInt(Math.floor(octets / unit(format, lrecl)))));
}

/**
 * The position that SFIDREST or SFPAACNT names. In a V file that has fewer records the search ends at its last one:
 * the caller compares counts.
 */
export function positionOf(format: Format, lrecl: number, count: bigint): PositionSearch {
  if (format === "V") return new RecordScanner(lrecl, Number.POSITIVE_INFINITY, Number(count));
  return known(positionAt(format, lrecl, count));
}

function unit(format: Format, lrecl: number): number {
  if (format !== "F") return BLOCK;
  if (lrecl > 0) return lrecl;
  throw new FormatError("CYG_FORMAT_OPTIONS", "an F file needs a record length above 0", 0, 0);
}

function positionAt(format: Format, lrecl: number, count: bigint): Position {
  const offset = Number(count) * unit(format, lrecl);
  return { count, offset, records: format === "F" ? Number(count) : 0, octets: offset };
}

function known(position: Position): PositionSearch {
  return { needsData: false, push: () => false, position };
}

/** Walks from length to length through a V file; contents are skipped. */
class RecordScanner implements PositionSearch {
  readonly needsData: boolean;
  readonly #lrecl: number;
  readonly #most: number;
  readonly #records: number;
  #at = 0;
  #prefix = 0;
  #prefixOctets = 0;
  /** Octets of the record under way that are still to be skipped. */
  #left = 0;
  #position = START;

  constructor(lrecl: number, mostOctets: number, mostRecords: number) {
    this.#lrecl = lrecl === 0 ? LONGEST_RECORD : lrecl;
    this.#most = mostOctets;
    this.#records = mostRecords;
    this.needsData = mostRecords > 0 && mostOctets >= PREFIX;
  }

  get position(): Position {
    return this.#position;
  }

  get #done(): boolean {
    return this.#at >= this.#most || this.#position.records >= this.#records;
  }

  push(chunk: Buffer): boolean {
    const end = Math.min(chunk.length, this.#most - this.#at);
    let read = 0;
    while (read < end && !this.#done) {
      const before = read;
      if (this.#left > 0) {
        read = Math.min(end, read + this.#left);
        this.#left -= read - before;
      } else {
        this.#prefix = this.#prefix * 256 + (chunk[read++] as number);
        this.#prefixOctets++;
        if (this.#prefixOctets === PREFIX) this.#begin();
      }
      this.#at += read - before;
      if (this.#left === 0 && this.#prefixOctets === PREFIX) this.#end();
    }
    return !this.#done;
  }

  #begin(): void {
    if (this.#prefix > this.#lrecl) {
      const what = `a record of ${this.#prefix} octets is longer than the record length ${this.#lrecl}`;
      throw new FormatError("CYG_FORMAT_RECORD_TOO_LONG", what, this.#position.records + 1, this.#at);
    }
    this.#left = this.#prefix;
  }

  #end(): void {
    const records = this.#position.records + 1;
    const octets = this.#position.octets + this.#prefix;
    this.#position = { count: BigInt(records), offset: this.#at, records, octets };
    this.#prefix = 0;
    this.#prefixOctets = 0;
  }
}
