/**
 * The Stream Transmission Header (RFC 5024 section 8): four octets, `10` and a length of 24 bits that counts
 * itself, before every exchange buffer on TCP and TLS.
 */
import { WireError } from "./codec.ts";

export const HEADER = 4;
/** Largest exchange buffer, SSIDSDEB's limit. */
export const MAX_BUFFER = 99_999;

/** Writes the header for an exchange buffer of `length` octets at `at`. */
export function writeHeader(target: Uint8Array, at: number, length: number): void {
  const total = length + HEADER;
  target[at] = 0x10;
  target[at + 1] = total >>> 16;
  target[at + 2] = (total >>> 8) & 0xff;
  target[at + 3] = total & 0xff;
}

/** Header and exchange buffer as one new buffer. */
export function frame(buffer: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(buffer.length + HEADER);
  writeHeader(framed, 0, buffer.length);
  buffer.copy(framed, HEADER);
  return framed;
}

/**
 * Cuts a byte stream into exchange buffers, however it was split or joined on the way.
 * A buffer given out is valid only until the next call of `push` or the next buffer, whichever comes first.
 */
export class StreamDecoder {
  readonly #header = Buffer.alloc(HEADER);
  #headerFill = 0;
  #body = Buffer.alloc(0);
  /** Octets of the current exchange buffer; 0 while its header is incomplete. */
  #length = 0;
  #fill = 0;
  /** Longest exchange buffer that is taken, in octets: less than the standard's while nobody has said who it is. */
  longest = MAX_BUFFER;

  /** True while an exchange buffer has begun and not ended. */
  get partial(): boolean {
    return this.#headerFill > 0;
  }

  /**
   * @param each takes one exchange buffer; gives false to stop here (the rest of the chunk is dropped)
   * @throws WireError 01 for another header version, 07 for a length that cannot be
   */
  push(chunk: Buffer, each: (buffer: Buffer) => boolean): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#length === 0) {
        at = this.#readHeader(chunk, at);
        if (this.#length === 0) return;
        if (at + this.#length <= chunk.length) {
          const buffer = chunk.subarray(at, at + this.#length);
          at += this.#length;
          this.#reset();
          if (!each(buffer)) return;
          continue;
        }
        if (this.#body.length < this.#length) this.#body = Buffer.allocUnsafeSlow(this.#length);
      }
      const count = Math.min(this.#length - this.#fill, chunk.length - at);
      chunk.copy(this.#body, this.#fill, at, at + count);
      this.#fill += count;
      at += count;
      if (this.#fill === this.#length) {
        const buffer = this.#body.subarray(0, this.#length);
        this.#reset();
        if (!each(buffer)) return;
      }
    }
  }

  #readHeader(chunk: Buffer, from: number): number {
    let at = from;
    while (this.#headerFill < HEADER && at < chunk.length)
      this.#header[this.#headerFill++] = chunk[at++] as number;
    const version = (this.#header[0] as number) >>> 4;
    if (version !== 1) throw new WireError(1, `stream header version ${version} is not 1: this is not OFTP`);
    if (this.#headerFill < HEADER) return at;
    const total = this.#header.readUIntBE(1, 3);
    if (total <= HEADER || total > this.longest + HEADER) {
      throw new WireError(
        7,
        `stream header announces ${total} octets, allowed are 5 to ${this.longest + HEADER}`,
      );
    }
    this.#length = total - HEADER;
    return at;
  }

  #reset(): void {
    this.#headerFill = 0;
    this.#length = 0;
    this.#fill = 0;
  }
}
