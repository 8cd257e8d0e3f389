/**
 * Formats U and T on the wire: one stream of octets, cut into data exchange buffers; the end-of-record bit
 * stands once, on the last subrecord of the file (RFC 5024 sections 1.5.3 and 7).
 */
import { DATA } from "../wire/layout.ts";
import { HEADER, writeHeader } from "../wire/stream.ts";
import { packCompressed, packLiterals } from "../wire/subrecords.ts";

/** Unit of SFIDREST and SFPAACNT for formats U and T, octets. */
export const BLOCK = 1024;

/** Whole restart blocks in a number of octets. */
export function blocks(octets: number): bigint {
  return BigInt(Math.floor(octets / BLOCK));
}

/** SFIDFSIZ and SFIDOSIZ: blocks, rounded up. */
export function sizeInBlocks(octets: number): bigint {
  return BigInt(Math.ceil(octets / BLOCK));
}

/** Octets of one framed data exchange buffer. */
export function framedSize(sdeb: number): number {
  return sdeb + HEADER;
}

/**
 * Fills a batch of framed data exchange buffers from pieces of a file. Every buffer but the last of the file is
 * filled to SSIDSDEB, whatever the pieces' lengths: credit is per buffer.
 */
export class DataPacker {
  readonly #sdeb: number;
  readonly #pack: typeof packLiterals;
  #batch: Buffer = Buffer.alloc(0);
  #most = 0;
  #count = 0;
  #start = 0;
  #at = 0;
  #open = false;
  #ended = false;

  constructor(sdeb: number, compressed: boolean) {
    this.#sdeb = sdeb;
    this.#pack = compressed ? packCompressed : packLiterals;
  }

  /** Begins a batch of at most `most` buffers in `batch`, which holds `most` framed buffers or more. */
  begin(batch: Buffer, most: number): void {
    this.#batch = batch;
    this.#most = most;
    this.#count = 0;
    this.#start = 0;
    this.#at = 0;
    this.#open = false;
  }

  /** Complete buffers in the batch. */
  get count(): number {
    return this.#count;
  }

  /** Octets of the complete buffers, stream headers included. */
  get length(): number {
    return this.#start;
  }

  get full(): boolean {
    return this.#count === this.#most;
  }

  /** True when the end of the file was packed. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Packs octets `from` to `to` of `source`.
   * @param last these are the last octets of the file (there may be none)
   * @returns the position up to which the source was taken: less than `to` when the batch is full
   */
  put(source: Buffer, from: number, to: number, last: boolean): number {
    let read = from;
    while (!this.#ended && (read < to || last)) {
      if (!this.#open && !this.#openBuffer()) break;
      const limit = this.#start + HEADER + this.#sdeb;
      const packed = this.#pack(source, read, to, this.#batch, this.#at, limit, last);
      read = packed.from;
      this.#at = packed.at;
      this.#ended = packed.ended;
      if (packed.ended || limit - packed.at < 2) this.#close();
    }
    return read;
  }

  #openBuffer(): boolean {
    if (this.full) return false;
    this.#batch[this.#start + HEADER] = DATA;
    this.#at = this.#start + HEADER + 1;
    this.#open = true;
    return true;
  }

  #close(): void {
    writeHeader(this.#batch, this.#start, this.#at - this.#start - HEADER);
    this.#start = this.#at;
    this.#count++;
    this.#open = false;
  }
}
