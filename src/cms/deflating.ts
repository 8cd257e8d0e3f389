/**
 * A zlib stream (RFC 1950) made of blocks that are deflated each for itself, with the 32 KiB before it as dictionary
 * and a sync flush behind it: the result is one valid stream, and several blocks can be worked on at a time.
 *
 * Invariants
 * - Blocks come out in the order in which they went in.
 * - The memory in use is that of `LONGEST` blocks, whatever the content.
 */
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, deflateRaw, deflateRawSync, type ZlibOptions } from "node:zlib";
import { Adler32 } from "./adler.ts";
import type { Emit } from "./frame.ts";

/** What became of the content. */
export interface Deflated {
  /** Octets of the zlib stream. */
  size: number;
  blocks: number;
  /** Blocks that a probe found incompressible, and that were stored as they are. */
  stored: number;
}

const BLOCK = 1024 * 1024;
/** Octets that zlib gives at a time: each time costs a change of threads. */
const CHUNK = 256 * 1024;
const WINDOW = 32 * 1024;
/** Octets that are deflated first to see whether the block is worth it. */
const PROBE = 8 * 1024;
const WORTH = 0.97;
/** The last block of a deflate stream, empty. */
const FINAL_BLOCK = Buffer.from("0300", "hex");
/**
 * Blocks with other threads at a time: as many as there are processors. Those threads are the process's, four by default,
 * and do its disk work too. The thread that fills the blocks deflates none itself: while it did, nobody would fill more.
 */
const ASIDE = Math.min(availableParallelism(), 3);
/** Blocks that wait for an earlier one. */
const LONGEST = 8;

const deflateAside = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);

/** A block on its way; `outcome` when it has come back. */
interface Underway {
  outcome: Buffer | Error | undefined;
  done: Promise<void>;
}

export class ZlibDeflater {
  readonly #level: number;
  readonly #checksum = new Adler32();
  readonly #underway: Underway[] = [];
  /** Memory of blocks that have come back. */
  readonly #free: Buffer[] = [];
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK);
  #filled = 0;
  #dictionary = Buffer.alloc(0);
  #aside = 0;
  #begun = false;
  readonly facts: Deflated = { size: 0, blocks: 0, stored: 0 };

  /** @param level 1 (fast) to 9 (small) */
  constructor(level: number) {
    this.#level = level;
  }

  async push(content: Buffer, emit: Emit): Promise<void> {
    for (let at = 0; at < content.length; ) {
      const taken = content.copy(this.#block, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled === BLOCK) await this.#deflate(emit);
    }
  }

  async end(emit: Emit): Promise<void> {
    if (this.#filled > 0) await this.#deflate(emit);
    await this.#hand(emit, 0);
    this.#begin(emit);
    this.#give(Buffer.concat([FINAL_BLOCK, this.#checksum.digest()]), emit);
  }

  /** The block goes to another thread, as soon as there is one to spare; this one fills the next block meanwhile. */
  async #deflate(emit: Emit): Promise<void> {
    const block = this.#block.subarray(0, this.#filled);
    const options = this.#options(block);
    this.#checksum.update(block);
    this.#dictionary = Buffer.from(block.subarray(-WINDOW));
    while (this.#aside === ASIDE) {
      await Promise.race(
        this.#underway.filter(({ outcome }) => outcome === undefined).map(({ done }) => done),
      );
    }
    this.#aside++;
    this.#underway.push(this.#deflateAside(this.#block, block, options));
    this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
    this.#filled = 0;
    // what other threads have done is seen only when this one looks up
    await new Promise((resolve) => setImmediate(resolve));
    await this.#hand(emit, LONGEST);
  }

  #deflateAside(memory: Buffer, block: Buffer, options: ZlibOptions): Underway {
    const underway: Underway = { outcome: undefined, done: Promise.resolve() };
    const back = (outcome: Buffer | Error): void => {
      underway.outcome = outcome;
      this.#aside--;
      this.#free.push(memory);
    };
    underway.done = deflateAside(block, options).then(back, back);
    return underway;
  }

  /** Gives what is ready, in order; waits only while more than `most` blocks are under way. */
  async #hand(emit: Emit, most: number): Promise<void> {
    for (;;) {
      const [first] = this.#underway;
      if (!first || (first.outcome === undefined && this.#underway.length <= most)) return;
      await first.done;
      if (first.outcome instanceof Error) throw first.outcome;
      this.#underway.shift();
      this.#begin(emit);
      this.#give(first.outcome as unknown as Buffer, emit);
    }
  }

  #options(block: Buffer): ZlibOptions {
    const middle = Math.max(0, (block.length - PROBE) >> 1);
    const probe = block.subarray(middle, middle + PROBE);
    const worth = block.length < PROBE || deflateRawSync(probe, { level: 1 }).length < WORTH * probe.length;
    this.facts.blocks++;
    if (!worth) this.facts.stored++;
    return {
      level: worth ? this.#level : 0,
      finishFlush: constants.Z_SYNC_FLUSH,
      chunkSize: CHUNK,
      ...(this.#dictionary.length > 0 ? { dictionary: this.#dictionary } : {}),
    };
  }

  /** CMF and FLG: deflate with a window of 32 KiB, how hard it was tried, and the check of both. */
  #begin(emit: Emit): void {
    if (this.#begun) return;
    this.#begun = true;
    const tried = this.#level < 2 ? 0 : this.#level < 6 ? 1 : this.#level === 6 ? 2 : 3;
    const header = (0x78 << 8) | (tried << 6);
    const octets = Buffer.alloc(2);
    octets.writeUInt16BE(header + 31 - (header % 31));
    this.#give(octets, emit);
  }

  #give(octets: Buffer, emit: Emit): void {
    this.facts.size += octets.length;
    emit(octets);
  }
}
