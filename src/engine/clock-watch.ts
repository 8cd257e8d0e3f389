/**
 * Steps of the wall clock, seen by holding it against the monotonic one. Waits and time limits are measured by the
 * monotonic clock and do not notice; what is written as a time of day does.
 *
 * - Set back: calls and retries that were put off on the clock of before would wait as much longer; they are brought
 *   forward. Times that somebody has asked for (`mintime`, a schedule) stay what they are.
 * - Set forward: nothing is deleted for its age for a day, in case it was a mistake.
 *
 * File identities stay unique whatever the clock does: `catalog/stamp.ts`.
 */
import type { Timer } from "../platform/clock.ts";
import { describe } from "../platform/errors.ts";
import type { Site } from "./site.ts";

/** Between two looks, ms. */
const EVERY = 10_000;
/** What a time service may correct without anybody being told, ms. */
const SLEW = 60_000;
/** How long a clock that was set forward is not believed, ms. */
const DOUBT = 24 * 3600 * 1000;

export class ClockWatch {
  readonly #site: () => Site;
  #offset = 0;
  #doubtedUntil = 0;
  #timer: Timer | null = null;

  constructor(site: () => Site) {
    this.#site = site;
  }

  /** Looks whether the clock was set back while nobody looked, and from now on. */
  async open(): Promise<void> {
    const { catalog, clock } = this.#site();
    this.#offset = this.#difference();
    const latest = await catalog.latest();
    const ahead = latest === null ? 0 : latest - clock.now();
    if (ahead > SLEW) await this.#setBack(ahead, "the newest record of the catalog is from a later time");
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** True while what the clock says is old may not be. */
  get doubtful(): boolean {
    return this.#site().clock.monotonic() < this.#doubtedUntil;
  }

  /** Looks once. */
  async look(): Promise<void> {
    const { clock, journal } = this.#site();
    const offset = this.#difference();
    const step = offset - this.#offset;
    if (Math.abs(step) <= SLEW) {
      // many small steps are one that was made slowly
      this.#offset = offset;
      return;
    }
    this.#offset = offset;
    if (step < 0) return this.#setBack(-step, "retries that were put off go on as they would have");
    this.#doubtedUntil = clock.monotonic() + DOUBT;
    const text = "or the machine slept; nothing is deleted for its age for a day";
    journal.emit("CFTS87W", { direction: "forward", seconds: Math.round(step / 1000), text });
  }

  async #setBack(by: number, text: string): Promise<void> {
    const { catalog, clock, journal, kick } = this.#site();
    journal.emit("CFTS87W", { direction: "back", seconds: Math.round(by / 1000), text });
    await catalog.bringForward(by, clock.now());
    kick();
  }

  #difference(): number {
    const { clock } = this.#site();
    return clock.now() - clock.monotonic();
  }

  #wait(): void {
    const { clock, journal } = this.#site();
    this.#timer = clock.timer(EVERY, () => {
      this.look()
        .catch((error: unknown) => journal.emit("CFTC70E", { text: `the clock was set: ${describe(error)}` }))
        .finally(() => {
          if (this.#timer !== null) this.#wait();
        });
    });
  }
}
