/** What a worker is told, and what it answers. Keys travel as handles; their octets are never in a message. */

import type { UnsealFacts, UnsealOptions } from "./opening.ts";
import type { SealFacts, SealOptions } from "./sealing.ts";
import type { CipherSuite } from "./suites.ts";

interface Files {
  /** Absolute path of a file that is there. */
  source: string;
  /**
   * Absolute path of the file to be made, a name of the caller's own: it is emptied when it is there, and removed when
   * the job fails. After a crash it may be left over, incomplete.
   */
  target: string;
  /** Of its hash is the one over the transmitted octets. */
  suite: CipherSuite;
  /** Octets of the source, roughly: large files leave a thread to small ones. */
  size?: number;
}

export interface SealJob extends Files {
  kind: "seal";
  options: Omit<SealOptions, "size">;
}

export interface UnsealJob extends Files {
  kind: "unseal";
  options: UnsealOptions;
}

export type Job = SealJob | UnsealJob;

/** The source is the plain file and the target the transmitted one when sealing; the other way round unsealing. */
export interface Done<Facts> {
  plain: { size: number; sha256: Buffer };
  /** `hash` by the algorithm of the suite: EERPHSH, NERPHSH. */
  transmitted: { size: number; hash: Buffer };
  facts: Facts;
}

export type SealDone = Done<SealFacts>;
export type UnsealDone = Done<UnsealFacts>;

/** A worker's answer. An error crosses in words, with the code of the system's error below it. */
export type Answer =
  | { done: SealDone | UnsealDone }
  | { failed: { code: string; message: string; system?: string } };
