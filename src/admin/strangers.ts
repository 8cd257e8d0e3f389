/**
 * Callers who say nothing of themselves come at no cost to them: so that they cannot fill the disk, their lines in the
 * audit log are few, and what is left out is counted in the next one.
 */
import type { Clock } from "../platform/clock.ts";

/** Lines of strangers in each minute. */
const MOST = 60;
const MINUTE = 60_000;

export class Strangers {
  readonly #clock: Pick<Clock, "monotonic">;
  #since = Number.NEGATIVE_INFINITY;
  #noted = 0;
  #leftOut = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How many were left out before this one, which is to be noted; null when this one is left out as well. */
  next(): number | null {
    const now = this.#clock.monotonic();
    if (now - this.#since >= MINUTE) {
      this.#since = now;
      this.#noted = 0;
    }
    if (this.#noted >= MOST) {
      this.#leftOut += 1;
      return null;
    }
    this.#noted += 1;
    const before = this.#leftOut;
    this.#leftOut = 0;
    return before;
  }
}
