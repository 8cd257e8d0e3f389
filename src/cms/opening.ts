/**
 * File security on the way in (RFC 5024 section 6): decrypt, decompress, verify, in this order, those that SFIDSEC and
 * SFIDCOMP announced.
 *
 * Invariants
 * - Nothing that came out counts before `end` has resolved: a signature is judged after its content.
 * - When several layers fail, the outermost failure is the verdict: what is wrong inside an envelope with wrong padding
 *   is but a consequence. So an inner failure is kept, and nothing more comes out, until the layers around it are
 *   through.
 */

import { createHash, type Hash, type X509Certificate } from "node:crypto";
import { CygnetError } from "../platform/errors.ts";
import { CONTENT_TYPES, looksEnveloped } from "./content-types.ts";
import { type EncryptedFacts, envelopedData } from "./decrypting.ts";
import type { Emit } from "./frame.ts";
import { compressedData, type Guard, ZlibInflater } from "./inflating.ts";
import { BerStream } from "./reader.ts";
import type { Transform } from "./sealing.ts";
import { signersOf } from "./signer-info.ts";
import type { RecipientKey } from "./transport.ts";
import { type SignedFacts, signedData } from "./verifying.ts";

/** The services that the SFID announced. */
export interface Layers {
  signed: boolean;
  compressed: boolean;
  encrypted: boolean;
}

export interface UnsealOptions {
  expected: Layers;
  /** Our certificates with their keys; the caller knows which may be used. */
  keys?: readonly RecipientKey[];
  /** The partner's certificates of which one has to have signed; the caller knows which are valid and trusted. */
  signers?: readonly X509Certificate[];
  /** Take the algorithms of the experimental cipher suites too (07 to 10). */
  experimental?: boolean;
  /** Against content that grows out of all proportion to what was announced; by default nothing was. */
  guard?: Partial<Guard>;
  /** Take content that is itself signed, compressed or enveloped data, though nobody announced such a layer. */
  nested?: boolean;
}

export interface UnsealFacts {
  /** Octets of the content. */
  content: number;
  /** SHA-256 of the content. */
  sha256: Buffer;
  encrypted?: EncryptedFacts;
  compressed?: { compressed: number; content: number };
  signed?: SignedFacts;
  /** Octets behind the structures of the layers, which were not looked at. */
  ignored: number;
}

/** As many octets of the content as show whether it is another envelope. */
const BEGINNING = 32;

/**
 * Opens a file as it was transmitted. Without any layer it passes through unchanged.
 * `push` throws only what the outermost layer finds; all else is for `end` to throw:
 * @throws CygnetError CYG_CMS_FORMAT, CYG_CMS_STRUCTURE, CYG_CMS_RECIPIENT, CYG_CMS_ALGORITHM, CYG_CMS_DECRYPT,
 * CYG_CMS_DECOMPRESS, CYG_CMS_SIGNATURE; `reasonsFor` says what to tell the partner
 */
export function unseal(options: UnsealOptions, emit: Emit): Transform<UnsealFacts> {
  return new Unsealing(options, emit);
}

/** A layer whose failure is kept, for those around it go first. */
class Layer<T> {
  readonly #stream: { push(octets: Buffer): void; end(): T };
  failure: unknown;

  constructor(stream: { push(octets: Buffer): void; end(): T }) {
    this.#stream = stream;
  }

  push(octets: Buffer): void {
    if (this.failure !== undefined) return;
    try {
      this.#stream.push(octets);
    } catch (error) {
      this.failure = error;
    }
  }

  end(): T {
    if (this.failure !== undefined) throw this.failure;
    return this.#stream.end();
  }
}

class Unsealing implements Transform<UnsealFacts> {
  readonly #emit: Emit;
  readonly #streams: BerStream<unknown>[] = [];
  readonly #encrypted: Layer<EncryptedFacts> | undefined;
  readonly #compressed: Layer<void> | undefined;
  readonly #inflater: ZlibInflater | undefined;
  readonly #signed: Layer<SignedFacts> | undefined;
  readonly #refuseNested: boolean;
  /** What the outer layers made of the last octets, on its way to the asynchronous inflater. */
  #deflated: Buffer[] = [];
  #inflating: unknown;
  #type: string = CONTENT_TYPES.data;
  #content = 0;
  /** SHA-256 of the content, unless the signature has one. */
  #digest: Hash | undefined = createHash("sha256");
  #beginning = Buffer.alloc(0);
  /** What `emit` threw. */
  #broken: unknown;

  constructor(options: UnsealOptions, emit: Emit) {
    const { expected, keys = [], signers = [], guard, nested = false, experimental = false } = options;
    this.#emit = emit;
    this.#refuseNested = !nested && (expected.signed || expected.compressed || expected.encrypted);
    const typed = (type: string): void => {
      this.#type = type;
    };
    if (expected.encrypted) {
      this.#encrypted = this.#layer(
        new BerStream((reader) =>
          envelopedData(reader, { keys, experimental }, typed, (octets) => this.#decrypted(octets)),
        ),
      );
    }
    if (expected.compressed) {
      this.#compressed = this.#layer(
        new BerStream((reader) =>
          compressedData(
            reader,
            () => this.#bare("compressedData"),
            typed,
            (octets) => {
              this.#deflated.push(octets);
            },
          ),
        ),
      );
      const bounds = { original: 0, largest: Number.POSITIVE_INFINITY, ...guard };
      this.#inflater = new ZlibInflater(bounds, (octets) => this.#inflated(octets));
    }
    if (expected.signed) {
      const allowed = { signers: signersOf(signers), experimental };
      this.#signed = this.#layer(
        new BerStream((reader) =>
          signedData(reader, allowed, () => this.#bare("signedData"), {
            begun: (hashes) => {
              if (hashes.has("sha256")) this.#digest = undefined;
            },
            emit: (octets) => this.#out(octets),
          }),
        ),
      );
    }
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#encrypted) this.#encrypted.push(chunk);
    else this.#decrypted(chunk);
    await this.#inflate();
    if (this.#broken !== undefined) throw this.#broken;
    const outermost = this.#encrypted ?? this.#compressed ?? this.#signed;
    if (outermost?.failure !== undefined) throw outermost.failure;
  }

  async end(): Promise<UnsealFacts> {
    const facts: UnsealFacts = { content: 0, sha256: Buffer.alloc(0), ignored: 0 };
    if (this.#encrypted) facts.encrypted = this.#encrypted.end();
    if (this.#compressed && this.#inflater) {
      await this.#inflate();
      this.#compressed.end();
      if (this.#inflating !== undefined) throw this.#inflating;
      await this.#inflater.end();
      facts.compressed = this.#inflater.facts;
      facts.ignored += this.#inflater.ignored;
    }
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#signed) facts.signed = this.#signed.end();
    if (this.#refuseNested && looksEnveloped(this.#beginning)) {
      throw new CygnetError("CYG_CMS_STRUCTURE", "the content has one more layer than was announced");
    }
    facts.content = this.#content;
    facts.sha256 = this.#digest?.digest() ?? (facts.signed?.sha256 as Buffer);
    facts.ignored += this.#streams.reduce((sum, { ignored }) => sum + ignored, 0);
    return facts;
  }

  #layer<T>(stream: BerStream<T>): Layer<T> {
    this.#streams.push(stream);
    return new Layer(stream);
  }

  /** Whether the layer around said that its content is of this type, rather than data. */
  #bare(type: "compressedData" | "signedData"): boolean {
    return this.#type === CONTENT_TYPES[type];
  }

  #decrypted(octets: Buffer): void {
    if (this.#compressed) this.#compressed.push(octets);
    else this.#inflated(octets);
  }

  async #inflate(): Promise<void> {
    const octets = this.#deflated;
    this.#deflated = [];
    if (!this.#inflater || octets.length === 0 || this.#inflating !== undefined) return;
    try {
      await this.#inflater.push(octets.length === 1 ? (octets[0] as Buffer) : Buffer.concat(octets));
    } catch (error) {
      this.#inflating = error;
    }
  }

  #inflated(octets: Buffer): void {
    if (this.#signed) this.#signed.push(octets);
    else this.#out(octets);
  }

  #out(octets: Buffer): void {
    this.#content += octets.length;
    this.#digest?.update(octets);
    if (this.#beginning.length < BEGINNING) {
      this.#beginning = Buffer.concat([this.#beginning, octets.subarray(0, BEGINNING)]);
    }
    if (this.#broken !== undefined) return;
    try {
      this.#emit(octets);
    } catch (error) {
      this.#broken = error; // of the receiving end: it is not to be taken for a failure of a layer
    }
  }
}
