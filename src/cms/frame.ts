/**
 * The ASN.1 around one octet string whose content is still to come: what stands before it is written at once, what
 * stands behind it at the end. DER when the size of the content is known; otherwise BER with indefinite lengths and
 * the octet string in segments (X.690 sections 8.1.3.6, 8.7.3).
 */
import { header } from "./ber.ts";

/** Takes octets. They stay as they are until the memory of the chunk that they came from is used again. */
export type Emit = (octets: Buffer) => void;

/** A constructed value, its parts before the octet string, and how many octets of parts will stand behind it. */
export interface Enclosure {
  tag: number;
  before?: readonly Buffer[];
  after?: number;
}

const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04;
/** Small pieces are gathered to segments of this size, larger ones become segments of their own. */
const SEGMENT = 32 * 1024;
const END_OF_CONTENTS = Buffer.alloc(2);

export class Frame {
  /** Octets of the whole, when the size of the content is known. */
  readonly total: number | undefined;
  readonly #head: Buffer;
  readonly #ends: number;
  readonly #size: number | undefined;
  #gathered: Buffer[] = [];
  #held = 0;
  #begun = false;

  /**
   * @param enclosures from the outside in
   * @param tag of the octet string: 0x04, or implicit
   * @param size octets of the content, when known
   */
  constructor(enclosures: readonly Enclosure[], tag: number, size: number | undefined) {
    this.#size = size;
    this.#ends = enclosures.length + 1;
    const written: Buffer[] = [];
    let length = size;
    written.unshift(this.#open(tag, size));
    for (const { tag: outer, before = [], after = 0 } of enclosures.toReversed()) {
      const inner = written.reduce((sum, part) => sum + part.length, 0);
      const begin = before.reduce((sum, part) => sum + part.length, 0);
      if (size !== undefined && length !== undefined) {
        // `length` counts the content and all that stands behind it
        length += after;
        written.unshift(header(outer, begin + inner + length), ...before);
      } else written.unshift(Buffer.from([outer, 0x80]), ...before);
    }
    this.#head = Buffer.concat(written);
    this.total = length === undefined ? undefined : this.#head.length + length;
  }

  #open(tag: number, size: number | undefined): Buffer {
    return size === undefined ? Buffer.from([tag | CONSTRUCTED, 0x80]) : header(tag, size);
  }

  push(content: Buffer, emit: Emit): void {
    this.#begin(emit);
    if (content.length === 0) return;
    if (this.#size !== undefined) {
      emit(content);
      return;
    }
    if (this.#held + content.length > SEGMENT) this.#flush(emit);
    if (content.length > SEGMENT) {
      this.#segment([content], content.length, emit);
      return;
    }
    this.#gathered.push(Buffer.from(content));
    this.#held += content.length;
  }

  /**
   * @param after the parts behind the octet string, belonging to the enclosure that announced them
   * @param place which enclosure that is, counted from the outside
   */
  end(emit: Emit, after: Buffer = Buffer.alloc(0), place = 0): void {
    this.#begin(emit);
    if (this.#size !== undefined) {
      if (after.length > 0) emit(after);
      return;
    }
    this.#flush(emit);
    const ends = (count: number): Buffer[] => Array<Buffer>(count).fill(END_OF_CONTENTS);
    const inside = this.#ends - place - 1;
    emit(Buffer.concat([...ends(inside), after, ...ends(this.#ends - inside)]));
  }

  #begin(emit: Emit): void {
    if (!this.#begun) emit(this.#head);
    this.#begun = true;
  }

  #flush(emit: Emit): void {
    if (this.#held > 0) this.#segment(this.#gathered, this.#held, emit);
    this.#gathered = [];
    this.#held = 0;
  }

  #segment(pieces: readonly Buffer[], length: number, emit: Emit): void {
    emit(header(OCTET_STRING, length));
    for (const piece of pieces) emit(piece);
  }
}
