/** A batch of framed data exchange buffers, one behind the other, that goes to the line in one write. */
import { DATA } from "../wire/layout.ts";
import { HEADER, writeHeader } from "../wire/stream.ts";

/** Octets of one framed data exchange buffer. */
export function framedSize(sdeb: number): number {
  return sdeb + HEADER;
}

export class Batch {
  readonly #sdeb: number;
  #most = 0;
  #start = 0;
  #open = false;
  /** Where the framed buffers stand. */
  target: Buffer = Buffer.alloc(0);
  /** Complete buffers. */
  count = 0;
  /** Where the next subrecord of the open buffer goes. */
  at = 0;
  /** End of the open buffer's room. */
  limit = 0;

  constructor(sdeb: number) {
    this.#sdeb = sdeb;
  }

  /** Begins anew with at most `most` buffers in `target`, which has room for as many framed buffers. */
  begin(target: Buffer, most: number): void {
    this.target = target;
    this.#most = most;
    this.count = 0;
    this.#start = 0;
    this.#open = false;
  }

  /** Octets of the complete buffers, stream headers included. */
  get length(): number {
    return this.#start;
  }

  get full(): boolean {
    return this.count === this.#most;
  }

  /** Sees to an open buffer; false when the batch is full. */
  open(): boolean {
    if (this.#open) return true;
    if (this.full) return false;
    this.target[this.#start + HEADER] = DATA;
    this.at = this.#start + HEADER + 1;
    this.limit = this.#start + HEADER + this.#sdeb;
    this.#open = true;
    return true;
  }

  /** Completes the open buffer, if there is one. */
  close(): void {
    if (!this.#open) return;
    writeHeader(this.target, this.#start, this.at - this.#start - HEADER);
    this.#start = this.at;
    this.count++;
    this.#open = false;
  }
}
