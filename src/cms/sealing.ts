/**
 * File security on the way out (RFC 5024 section 6): sign, compress, encrypt, in this order, any of them or none.
 * Each service makes a complete ContentInfo which is opaque content of type id-data to the next.
 */
import { createHash, type Hash } from "node:crypto";
import { systemClock } from "../platform/clock.ts";
import { CygnetError } from "../platform/errors.ts";
import { CompressedDataWriter } from "./compressing.ts";
import type { Deflated } from "./deflating.ts";
import { type Encryption, EnvelopedDataWriter } from "./encrypting.ts";
import type { Emit } from "./frame.ts";
import type { Signing } from "./signer-info.ts";
import { SignedDataWriter } from "./signing.ts";

/**
 * Contents pass through in pieces, in memory that does not depend on their size. What comes out goes to the `Emit`
 * that the transform was made with, before `end` has resolved; what came out during a `push` stands until the caller
 * uses the memory of its chunk again, which it may when `push` has resolved. It is asynchronous because zlib is: other
 * threads deflate and inflate, a few pieces ahead or behind. One call at a time; after an error nothing more can be
 * done with it.
 */
export interface Transform<Facts> {
  push(chunk: Buffer): Promise<void>;
  /** The last octets, and the verdict: until it has resolved nothing that came out counts. */
  end(): Promise<Facts>;
}

export interface SealOptions {
  /** Each of them signs; one good signature is enough for a receiver that follows RFC 5652 section 5.6. */
  sign?: readonly Signing[];
  /** Level 1 (fast) to 9 (small). */
  compress?: { level: number };
  encrypt?: Encryption;
  /** Octets of the content, when known: signed or encrypted data is then DER, and other sizes are an error. */
  size?: number;
  /** Signing time. */
  time?: Date;
}

export interface SealFacts {
  /** Octets of the content. */
  content: number;
  /** SHA-256 of the content. */
  sha256: Buffer;
  /** Octets that came out. */
  sealed: number;
  compressed?: Deflated;
}

/**
 * Seals content. Without any service it passes through unchanged.
 * @throws CygnetError CYG_CMS_CERTIFICATE at once; CYG_CMS_SIZE when the content has another size than announced
 */
export function seal(options: SealOptions, emit: Emit): Transform<SealFacts> {
  return new Sealing(options, emit);
}

class Sealing implements Transform<SealFacts> {
  readonly #signed: SignedDataWriter | undefined;
  readonly #compressed: CompressedDataWriter | undefined;
  readonly #enveloped: EnvelopedDataWriter | undefined;
  readonly #size: number | undefined;
  readonly #emit: Emit;
  readonly #facts: SealFacts = { content: 0, sha256: Buffer.alloc(0), sealed: 0 };
  /** SHA-256 of the content, unless the signature has one. */
  readonly #digest: Hash | undefined;

  constructor({ sign, compress, encrypt, size, time }: SealOptions, emit: Emit) {
    if (sign) this.#signed = new SignedDataWriter(sign, time ?? new Date(systemClock.now()), size);
    if (compress) this.#compressed = new CompressedDataWriter(compress.level);
    const inside = compress ? undefined : this.#signed ? this.#signed.total : size;
    if (encrypt) this.#enveloped = new EnvelopedDataWriter(encrypt, inside);
    if (!sign?.some(({ hash }) => hash === "sha256")) this.#digest = createHash("sha256");
    this.#size = size;
    this.#emit = emit;
  }

  async push(chunk: Buffer): Promise<void> {
    this.#facts.content += chunk.length;
    if (this.#size !== undefined && this.#facts.content > this.#size) throw this.#changed();
    this.#digest?.update(chunk);
    if (!this.#signed) return this.#compress(chunk);
    const signed: Buffer[] = [];
    this.#signed.push(chunk, (octets) => signed.push(octets));
    for (const octets of signed) await this.#compress(octets);
  }

  async end(): Promise<SealFacts> {
    if (this.#size !== undefined && this.#facts.content !== this.#size) throw this.#changed();
    const signed: Buffer[] = [];
    this.#signed?.end((octets) => signed.push(octets));
    for (const octets of signed) await this.#compress(octets);
    if (this.#compressed) {
      await this.#compressed.end((octets) => this.#encrypt(octets));
      this.#facts.compressed = this.#compressed.facts;
    }
    this.#enveloped?.end((octets) => this.#out(octets));
    this.#facts.sha256 = this.#digest?.digest() ?? (this.#signed?.digests.get("sha256") as Buffer);
    return this.#facts;
  }

  async #compress(octets: Buffer): Promise<void> {
    if (this.#compressed) await this.#compressed.push(octets, (deflated) => this.#encrypt(deflated));
    else this.#encrypt(octets);
  }

  #encrypt(octets: Buffer): void {
    if (this.#enveloped) this.#enveloped.push(octets, (encrypted) => this.#out(encrypted));
    else this.#out(octets);
  }

  #out(octets: Buffer): void {
    this.#facts.sealed += octets.length;
    this.#emit(octets);
  }

  #changed(): CygnetError {
    const { content } = this.#facts;
    return new CygnetError(
      "CYG_CMS_SIZE",
      `${this.#size} octets were announced and ${content} came: the file changed while it was sealed`,
    );
  }
}
