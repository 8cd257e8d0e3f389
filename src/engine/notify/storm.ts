/** At most so many notices in each interval; what is more is counted by message and given in one summary. Pure. */
export class Storm {
  readonly #limit: number;
  readonly #interval: number;
  /** When the running interval began, monotonic ms; null before the first. */
  #since: number | null = null;
  #admitted = 0;
  #held = new Map<string, number>();

  constructor(limit: number, interval: number) {
    this.#limit = limit;
    this.#interval = interval;
  }

  /** Whether a notice about this message may go now (monotonic ms). One that may not is counted. */
  admit(now: number, message: string): boolean {
    if (this.#since === null || (now - this.#since >= this.#interval && this.#held.size === 0)) {
      this.#since = now;
      this.#admitted = 0;
    }
    if (this.#admitted < this.#limit) {
      this.#admitted += 1;
      return true;
    }
    this.#held.set(message, (this.#held.get(message) ?? 0) + 1);
    return false;
  }

  /** When the summary of what was held is due, monotonic ms; null when nothing is. */
  get dueAt(): number | null {
    return this.#held.size === 0 || this.#since === null ? null : this.#since + this.#interval;
  }

  /** What was held, by message; a new interval begins, and the summary is its first notice. */
  release(now: number): ReadonlyMap<string, number> {
    const held = this.#held;
    this.#held = new Map();
    this.#since = now;
    this.#admitted = 1;
    return held;
  }
}
