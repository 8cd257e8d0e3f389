/**
 * Reads BER (X.690) whose octets come in pieces: a description of the structure is a generator that pauses when it
 * needs more octets. Definite and indefinite lengths, octet strings primitive and constructed.
 *
 * Invariants
 * - No more is kept in memory than one header, or one value that was asked for as a whole, within its limit.
 * - No value reaches beyond the one that it is in.
 */
import { definite, malformed } from "./ber.ts";
import type { Emit } from "./frame.ts";

/** Part of a description; pauses by yielding. */
export type Reading<T> = Generator<undefined, T, undefined>;

/** A value that was begun. */
export interface Value {
  readonly tag: number;
  /** Position behind it; infinite when its length is indefinite. */
  readonly end: number;
  /** Position that its contents must not go beyond. */
  readonly bound: number;
  readonly depth: number;
  finished: boolean;
}

export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;
export const SET = 0x31;
export const CONTEXT_0 = 0xa0;
export const CONTEXT_1 = 0xa1;

const CONSTRUCTED = 0x20;
const INDEFINITE = 0x80;
const DEEPEST = 32;
const EMPTY = Buffer.alloc(0);

/** All that there is. */
const TOP: Value = {
  tag: 0,
  end: Number.POSITIVE_INFINITY,
  bound: Number.POSITIVE_INFINITY,
  depth: 0,
  finished: false,
};

export class BerReader {
  #octets: Buffer = EMPTY;
  #at = 0;
  #position = 0;
  #kept: { parts: Buffer[]; room: number } | undefined;

  /** More octets; the memory of earlier ones is not needed any more. */
  give(octets: Buffer): void {
    const rest = this.#octets.subarray(this.#at);
    this.#octets = rest.length === 0 ? octets : Buffer.concat([rest, octets]);
    this.#at = 0;
  }

  /** Makes a copy of the few octets that wait for more of them. */
  settle(): void {
    this.#octets = Buffer.from(this.#octets.subarray(this.#at));
    this.#at = 0;
  }

  /** Octets that were given and not read. */
  get unread(): number {
    return this.#octets.length - this.#at;
  }

  /** The outermost value, which must have this tag. */
  *first(tag: number): Reading<Value> {
    return this.#tagged(yield* this.#header(TOP), tag);
  }

  /** The next value inside one; undefined at its end. */
  *next(parent: Value): Reading<Value | undefined> {
    if (parent.finished) return undefined;
    if (parent.end !== Number.POSITIVE_INFINITY) {
      parent.finished = this.#position >= parent.end;
      return parent.finished ? undefined : yield* this.#header(parent);
    }
    const value = yield* this.#header(parent);
    if (value.tag !== 0 || value.end !== this.#position) return value;
    parent.finished = true;
    return undefined;
  }

  /** The next value inside one, which must have this tag. */
  *expect(parent: Value, tag: number): Reading<Value> {
    return this.#tagged(yield* this.next(parent), tag);
  }

  /** Nothing more may be in these values, from the inside out. */
  *leave(...values: readonly Value[]): Reading<void> {
    for (const value of values) {
      if (yield* this.next(value)) throw malformed("holds more than it should");
    }
  }

  /** Passes over the rest of a value. */
  *skip(value: Value): Reading<void> {
    if (value.end !== Number.POSITIVE_INFINITY) {
      yield* this.#pass(value, () => {});
      return;
    }
    let child = yield* this.next(value);
    while (child) {
      yield* this.skip(child);
      child = yield* this.next(value);
    }
  }

  /** The next value inside one with tag and length, in definite lengths; undefined at the end of the parent. */
  *whole(parent: Value, limit: number): Reading<Buffer | undefined> {
    this.#kept = { parts: [], room: limit };
    const value = yield* this.next(parent);
    if (value) yield* this.skip(value);
    const { parts } = this.#kept;
    this.#kept = undefined;
    return value ? definite(Buffer.concat(parts)) : undefined;
  }

  /** The contents of a primitive value. */
  *content(value: Value, limit: number): Reading<Buffer> {
    const parts: Buffer[] = [];
    if (value.end - this.#position > limit) throw malformed("has a value that is too long");
    yield* this.#pass(value, (octets) => parts.push(Buffer.from(octets)));
    return Buffer.concat(parts);
  }

  /** The octets of an octet string, as they come. */
  *octets(value: Value, emit: Emit): Reading<void> {
    if ((value.tag & CONSTRUCTED) === 0) {
      yield* this.#pass(value, emit);
      return;
    }
    let child = yield* this.next(value);
    while (child) {
      if ((child.tag & ~CONSTRUCTED) !== OCTET_STRING) throw malformed("has a strange octet string");
      yield* this.octets(child, emit);
      child = yield* this.next(value);
    }
  }

  *#pass(value: Value, emit: Emit): Reading<void> {
    while (this.#position < value.end) {
      yield* this.#need(1);
      emit(this.#take(Math.min(this.unread, value.end - this.#position)));
    }
    value.finished = true;
  }

  #tagged(value: Value | undefined, tag: number): Value {
    if (value?.tag !== tag) throw malformed("is not that of its kind of content");
    return value;
  }

  *#header(parent: Value): Reading<Value> {
    yield* this.#need(2);
    const tag = this.#octets[this.#at] as number;
    const first = this.#octets[this.#at + 1] as number;
    if ((tag & 0x1f) === 0x1f) throw malformed("has a tag that CMS does not know");
    const more = first <= INDEFINITE ? 0 : first & 0x7f;
    if (more > 8) throw malformed("has a length that cannot be");
    yield* this.#need(2 + more);
    const length = first < INDEFINITE ? first : this.#length(more);
    if (!Number.isSafeInteger(length)) throw malformed("has a length that cannot be");
    this.#take(2 + more);
    const depth = parent.depth + 1;
    if (depth > DEEPEST) throw malformed("is nested too deep");
    if (first === INDEFINITE) {
      if ((tag & CONSTRUCTED) === 0) throw malformed("has a primitive value without length");
      if (this.#position > parent.bound) throw malformed("has a value that does not fit");
      return { tag, end: Number.POSITIVE_INFINITY, bound: parent.bound, depth, finished: false };
    }
    const end = this.#position + length;
    if (end > parent.bound) throw malformed("has a value that does not fit");
    return { tag, end, bound: end, depth, finished: false };
  }

  #length(octets: number): number {
    let length = 0;
    for (let at = 0; at < octets; at++) length = length * 256 + (this.#octets[this.#at + 2 + at] as number);
    return length;
  }

  *#need(count: number): Reading<void> {
    while (this.unread < count) yield undefined;
  }

  #take(count: number): Buffer {
    const taken = this.#octets.subarray(this.#at, this.#at + count);
    this.#at += count;
    this.#position += count;
    if (this.#kept) {
      this.#kept.room -= count;
      if (this.#kept.room < 0) throw malformed("has a value that is too long");
      this.#kept.parts.push(Buffer.from(taken));
    }
    return taken;
  }
}

/** A description at work on octets as they come. What follows the first value is counted and not looked at. */
export class BerStream<T> {
  readonly #reader = new BerReader();
  readonly #reading: Reading<T>;
  #result: { value: T } | undefined;
  /** Octets behind the value. */
  ignored = 0;

  constructor(describe: (reader: BerReader) => Reading<T>) {
    this.#reading = describe(this.#reader);
  }

  /** @throws CygnetError CYG_CMS_FORMAT, or what the description throws */
  push(octets: Buffer): void {
    if (this.#result) {
      this.ignored += octets.length;
      return;
    }
    this.#reader.give(octets);
    const step = this.#reading.next();
    if (step.done) {
      this.#result = { value: step.value };
      this.ignored = this.#reader.unread;
    } else this.#reader.settle();
  }

  /** What the description made of it. @throws CygnetError CYG_CMS_FORMAT when the value is not complete */
  end(): T {
    if (!this.#result) throw malformed("ends too early");
    return this.#result.value;
  }
}
