/** Writes CompressedData around content that streams through it (RFC 3274; RFC 5024 section 6.3). */
import { encoded } from "./ber.ts";
import { CONTENT_TYPES, objectIdentifier } from "./content-types.ts";
import { type Deflated, ZlibDeflater } from "./deflating.ts";
import { type Emit, Frame } from "./frame.ts";

export const ZLIB_COMPRESS = "1.2.840.113549.1.9.16.3.8";

const SEQUENCE = 0x30;
const EXPLICIT_0 = 0xa0;
const OCTET_STRING = 0x04;
const VERSION_0 = Buffer.from("020100", "hex");

/** Its size is known only when it is done, so it is BER. */
export class CompressedDataWriter {
  readonly #deflater: ZlibDeflater;
  readonly #frame: Frame;

  /** @param level 1 (fast) to 9 (small) */
  constructor(level: number) {
    this.#deflater = new ZlibDeflater(level);
    const zlib = encoded({ tag: SEQUENCE, content: objectIdentifier(ZLIB_COMPRESS) });
    this.#frame = new Frame(
      [
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.compressedData)] },
        { tag: EXPLICIT_0 },
        { tag: SEQUENCE, before: [VERSION_0, zlib] },
        { tag: SEQUENCE, before: [objectIdentifier(CONTENT_TYPES.data)] },
        { tag: EXPLICIT_0 },
      ],
      OCTET_STRING,
      undefined,
    );
  }

  get facts(): Deflated {
    return this.#deflater.facts;
  }

  push(content: Buffer, emit: Emit): Promise<void> {
    return this.#deflater.push(content, (octets) => this.#frame.push(octets, emit));
  }

  async end(emit: Emit): Promise<void> {
    await this.#deflater.end((octets) => this.#frame.push(octets, emit));
    this.#frame.end(emit);
  }
}
