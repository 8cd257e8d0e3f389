/**
 * A zlib stream (RFC 1950) made of blocks that are deflated each for itself, with the 32 KiB before it as dictionary
 * and a sync flush behind it: the result is one valid stream, and two blocks can be worked on at a time.
 */

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

const BLOCK = 256 * 1024;
const WINDOW = 32 * 1024;
/** Octets that are deflated first to see whether the block is worth it. */
const PROBE = 8 * 1024;
const WORTH = 0.97;
/** The last block of a deflate stream, empty. */
const FINAL_BLOCK = Buffer.from("0300", "hex");

const deflateAside = promisify<Buffer, ZlibOptions, Buffer>(deflateRaw);

export class ZlibDeflater {
  readonly #level: number;
  readonly #checksum = new Adler32();
  readonly #pair = Buffer.alloc(2 * BLOCK);
  #filled = 0;
  #dictionary = Buffer.alloc(0);
  #begun = false;
  readonly facts: Deflated = { size: 0, blocks: 0, stored: 0 };

  /** @param level 1 (fast) to 9 (small) */
  constructor(level: number) {
    this.#level = level;
  }

  async push(content: Buffer, emit: Emit): Promise<void> {
    for (let at = 0; at < content.length; ) {
      const taken = content.copy(this.#pair, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled === this.#pair.length) await this.#deflate(emit);
    }
  }

  async end(emit: Emit): Promise<void> {
    await this.#deflate(emit);
    this.#give(Buffer.concat([FINAL_BLOCK, this.#checksum.digest()]), emit);
  }

  /** One block goes to a thread of the pool while this thread deflates the other. */
  async #deflate(emit: Emit): Promise<void> {
    if (!this.#begun) this.#give(this.#header(), emit);
    this.#begun = true;
    const content = this.#pair.subarray(0, this.#filled);
    const first = content.subarray(0, BLOCK);
    const second = content.subarray(BLOCK);
    this.#filled = 0;
    if (first.length === 0) return;
    const aside = second.length > 0 ? deflateAside(first, this.#options(first, this.#dictionary)) : undefined;
    const here =
      second.length > 0
        ? deflateRawSync(second, this.#options(second, first.subarray(-WINDOW)))
        : deflateRawSync(first, this.#options(first, this.#dictionary));
    this.#checksum.update(content);
    if (aside) this.#give(await aside, emit);
    this.#give(here, emit);
    this.#dictionary = Buffer.from(content.subarray(-WINDOW));
  }

  #options(block: Buffer, dictionary: Buffer): ZlibOptions {
    const middle = Math.max(0, (block.length - PROBE) >> 1);
    const probe = block.subarray(middle, middle + PROBE);
    const worth = deflateRawSync(probe, { level: 1 }).length < WORTH * probe.length;
    this.facts.blocks++;
    if (!worth) this.facts.stored++;
    return {
      level: worth ? this.#level : 0,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(dictionary.length > 0 ? { dictionary } : {}),
    };
  }

  /** CMF and FLG: deflate with a window of 32 KiB, how hard it was tried, and the check of both. */
  #header(): Buffer {
    const tried = this.#level < 2 ? 0 : this.#level < 6 ? 1 : this.#level === 6 ? 2 : 3;
    const header = (0x78 << 8) | (tried << 6);
    const octets = Buffer.alloc(2);
    octets.writeUInt16BE(header + 31 - (header % 31));
    return octets;
  }

  #give(octets: Buffer, emit: Emit): void {
    this.facts.size += octets.length;
    emit(octets);
  }
}
