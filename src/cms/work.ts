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
  rmSync,
  writeSync,
} from "node:fs";
import type { Emit } from "./frame.ts";
import type { Done, Job, SealDone, UnsealDone } from "./job.ts";
import { type UnsealFacts, unseal } from "./opening.ts";
import { type SealFacts, seal, type Transform } from "./sealing.ts";
import { CIPHER_SUITES } from "./suites.ts";

/** Small enough for the cache of a processor: every piece is passed over three or four times. */
const PIECE = 128 * 1024;
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** @throws CygnetError CYG_CMS_… of `seal` and `unseal`; system errors of either file */
export async function work(job: Job): Promise<SealDone | UnsealDone> {
  const source = openSync(job.source, constants.O_RDONLY);
  try {
    const target = openSync(job.target, WRITE, 0o640);
    try {
      const done = await through(job, source, target);
      fdatasyncSync(target);
      return done;
    } catch (error) {
      rmSync(job.target, { force: true });
      throw error;
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

async function through(job: Job, source: number, target: number): Promise<SealDone | UnsealDone> {
  const seals = job.kind === "seal";
  const transmitted = { size: 0, digest: createHash(CIPHER_SUITES[job.suite].hash) };
  const count = (octets: Buffer): void => {
    transmitted.size += octets.length;
    transmitted.digest.update(octets);
  };
  const output = new Output(target, seals ? count : () => {});
  const piece = Buffer.allocUnsafeSlow(PIECE);
  const all = async <Facts>(transform: Transform<Facts>): Promise<Facts> => {
    for (let at = 0; ; ) {
      const chunk = piece.subarray(0, readSync(source, piece, 0, PIECE, at));
      if (chunk.length === 0) break;
      at += chunk.length;
      if (!seals) count(chunk);
      await transform.push(chunk);
      output.flush();
    }
    const facts = await transform.end();
    output.flush();
    return facts;
  };
  const answer = <Facts extends SealFacts | UnsealFacts>(facts: Facts): Done<Facts> => ({
    plain: { size: facts.content, sha256: facts.sha256 },
    transmitted: { size: transmitted.size, hash: transmitted.digest.digest() },
    facts,
  });
  if (!seals) return answer(await all(unseal(job.options, output.emit)));
  const { size } = fstatSync(source);
  return answer(await all(seal({ ...job.options, size }, output.emit)));
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
