/**
 * A file sealed or unsealed into another, in pieces.
 *
 * Invariant: an answer is given only when every octet of the target is on disk; after a failure there is no target.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { Emit } from "./frame.ts";
import type { Job, SealDone, UnsealDone } from "./job.ts";
import { unseal } from "./opening.ts";
import { seal, type Transform } from "./sealing.ts";
import { CIPHER_SUITES } from "./suites.ts";

const PIECE = 256 * 1024;
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** @throws CygnetError CYG_CMS_… of `seal` and `unseal`; system errors of either file */
export async function work(job: Job): Promise<SealDone | UnsealDone> {
  const source = openSync(job.source, constants.O_RDONLY);
  try {
    const target = openSync(job.target, WRITE, 0o640);
    try {
      const done = await through(job, source, target);
      fdatasyncSync(target);
      closeSync(target);
      return done;
    } catch (error) {
      unlinkSync(job.target);
      closeSync(target);
      throw error;
    }
  } finally {
    closeSync(source);
  }
}

async function through(job: Job, source: number, target: number): Promise<SealDone | UnsealDone> {
  const { hash } = CIPHER_SUITES[job.suite];
  const read = { size: 0, digest: createHash(job.kind === "seal" ? "sha256" : hash) };
  const written = { size: 0, digest: createHash(job.kind === "seal" ? hash : "sha256") };
  const output = new Output(target, (octets) => {
    written.size += octets.length;
    written.digest.update(octets);
  });
  const piece = Buffer.allocUnsafeSlow(PIECE);
  const all = async <Facts>(transform: Transform<Facts>): Promise<Facts> => {
    for (;;) {
      const chunk = piece.subarray(0, readSync(source, piece, 0, PIECE, read.size));
      if (chunk.length === 0) break;
      read.size += chunk.length;
      read.digest.update(chunk);
      await transform.push(chunk);
      output.flush();
    }
    const facts = await transform.end();
    output.flush();
    return facts;
  };
  if (job.kind === "seal") {
    const { size } = fstatSync(source);
    const facts = await all(seal({ ...job.options, size }, output.emit));
    return {
      plain: { size: read.size, sha256: read.digest.digest() },
      transmitted: { size: written.size, hash: written.digest.digest() },
      facts,
    };
  }
  const facts = await all(unseal(job.options, output.emit));
  return {
    plain: { size: written.size, sha256: written.digest.digest() },
    transmitted: { size: read.size, hash: read.digest.digest() },
    facts,
  };
}

/** Writes pieces of any size: small ones together, large ones as they are. */
class Output {
  readonly #file: number;
  readonly #see: Emit;
  readonly #gathered = Buffer.allocUnsafeSlow(PIECE);
  #held = 0;

  constructor(file: number, see: Emit) {
    this.#file = file;
    this.#see = see;
  }

  readonly emit: Emit = (octets) => {
    if (this.#held + octets.length > PIECE) this.flush();
    if (octets.length >= PIECE / 4) {
      this.flush();
      this.#write(octets);
      return;
    }
    octets.copy(this.#gathered, this.#held);
    this.#held += octets.length;
  };

  flush(): void {
    if (this.#held > 0) this.#write(this.#gathered.subarray(0, this.#held));
    this.#held = 0;
  }

  #write(octets: Buffer): void {
    this.#see(octets);
    for (let at = 0; at < octets.length; ) at += writeSync(this.#file, octets, at);
  }
}
