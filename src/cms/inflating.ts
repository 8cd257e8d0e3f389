/** Reads CompressedData (RFC 3274): the zlib stream in it, and what it inflates to within a guard. */
import { createInflate, type Inflate } from "node:zlib";
import { CygnetError, describe } from "../platform/errors.ts";
import { ZLIB_COMPRESS } from "./compressing.ts";
import { algorithmIn, encapsulated, openContentInfo } from "./content-info.ts";
import type { Emit } from "./frame.ts";
import type { BerReader, Reading } from "./reader.ts";

/**
 * The description of CompressedData for a `BerStream`; the zlib stream goes to `emit`.
 * @param begun called with the type of the content before the first of it
 * @throws CygnetError CYG_CMS_DECOMPRESS for another algorithm, CYG_CMS_STRUCTURE, CYG_CMS_FORMAT
 */
export function* compressedData(
  reader: BerReader,
  bare: () => boolean,
  begun: (contentType: string) => void,
  emit: Emit,
): Reading<void> {
  const { body, enclosing } = yield* openContentInfo(reader, "compressedData", bare);
  const algorithm = yield* algorithmIn(reader, body);
  if (algorithm?.algorithm !== ZLIB_COMPRESS) {
    const name = algorithm?.algorithm ?? "no algorithm";
    throw new CygnetError("CYG_CMS_DECOMPRESS", `content is compressed with ${name} rather than zlib`);
  }
  yield* encapsulated(reader, body, begun, emit);
  yield* reader.leave(...enclosing);
}

/** How much may come out: some multiple of what was announced, and never more than there is room for. */
export interface Guard {
  /** Octets that the partner announced for the content (SFIDOSIZ); 0 when it did not. */
  original: number;
  /** Octets that are too many in any case. */
  largest: number;
}

/**
 * How many times the announced size may come out. SFIDOSIZ is an estimate (it may leave record headers and signatures
 * out), and products are about that put the compressed size there: text that shrinks to a sixteenth is rare.
 */
const MULTIPLE = 16;
/** Where nothing was announced: how many times the compressed size. Deflate itself ends at 1032. */
const RATIO = 1_000;
/** So much does no harm, whatever was announced. */
const SLACK = 1024 * 1024;
/** Octets that come out at a time: each time costs a change of threads. */
const PIECE = 256 * 1024;

/**
 * A zlib stream (RFC 1950) inflated piece by piece by another thread, while this one does what is before and behind it;
 * what comes out goes to `emit`, which must not throw.
 */
export class ZlibInflater {
  readonly #guard: Guard;
  readonly #inflate: Inflate;
  #taken = 0;
  #given = 0;
  #ended = false;
  #failure: CygnetError | undefined;
  #settle: () => void = () => {};
  /** The piece that is with the other thread. */
  #underway: Promise<void> = Promise.resolve();

  constructor(guard: Guard, emit: Emit) {
    this.#guard = guard;
    this.#inflate = createInflate({ chunkSize: PIECE })
      .on("data", (octets: Buffer) => {
        this.#given += octets.length;
        if (this.#failure) return;
        this.#failure = this.#exceeded();
        if (this.#failure) this.#inflate.destroy();
        else emit(octets);
        if (this.#failure) this.#settle();
      })
      .on("end", () => {
        this.#ended = true;
        this.#settle();
      })
      .on("error", (cause) => {
        this.#failure ??= new CygnetError(
          "CYG_CMS_DECOMPRESS",
          `the content cannot be decompressed: ${describe(cause)}`,
          { cause },
        );
        this.#settle();
      });
  }

  /** Octets that went in, and came out. */
  get facts(): { compressed: number; content: number } {
    return { compressed: this.#taken, content: this.#given };
  }

  /** Octets behind the zlib stream. */
  get ignored(): number {
    return this.#ended ? Math.max(0, this.#taken - this.#inflate.bytesWritten) : 0;
  }

  /**
   * Takes octets, of which it makes a copy, as soon as those before them are inflated.
   * @throws CygnetError CYG_CMS_DECOMPRESS about those before
   */
  async push(octets: Buffer): Promise<void> {
    this.#taken += octets.length;
    const copy = Buffer.from(octets);
    await this.#settled();
    if (!this.#ended) this.#underway = this.#until((done) => this.#inflate.write(copy, done));
  }

  /** @throws CygnetError CYG_CMS_DECOMPRESS when the stream is not complete, or its checksum wrong */
  async end(): Promise<void> {
    await this.#settled();
    if (this.#ended) return;
    // zlib takes nothing at all for an empty stream
    if (this.#taken === 0) throw new CygnetError("CYG_CMS_DECOMPRESS", "there is no compressed content");
    this.#underway = this.#until(() => this.#inflate.end());
    await this.#settled();
  }

  async #settled(): Promise<void> {
    await this.#underway;
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when the call is done, the stream has ended, or something failed. */
  #until(begin: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      begin(resolve);
    });
  }

  #exceeded(): CygnetError | undefined {
    const { original, largest } = this.#guard;
    const given = this.#given;
    const plausible = original > 0 ? MULTIPLE * original : RATIO * this.#taken;
    if (given <= Math.min(plausible + SLACK, largest)) return undefined;
    return new CygnetError(
      "CYG_CMS_DECOMPRESS",
      `the content grows to ${given} octets and more when it is decompressed: ${this.#taken} compressed octets ` +
        `came so far, ${original} octets were announced, there is room for ${largest}`,
    );
  }
}
