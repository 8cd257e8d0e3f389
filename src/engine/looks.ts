/** Looks at what may be due: asked for from all sides, soon after the first who asks, one at a time. */
import type { Timer } from "../platform/clock.ts";
import { describe } from "../platform/errors.ts";
import type { Site } from "./site.ts";

export interface LooksOptions {
  /** What the log says is at fault where a look fails. */
  name: string;
  /** Between a look that has failed and the next one, ms. */
  again: number;
}

export class Looks {
  readonly #site: () => Site;
  readonly #look: () => Promise<void>;
  readonly #options: LooksOptions;
  #timer: Timer | null = null;
  #due = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(site: () => Site, options: LooksOptions, look: () => Promise<void>) {
    this.#site = site;
    this.#options = options;
    this.#look = look;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Looks in `wait` ms, or sooner where a look is due before. */
  lookIn(wait: number): void {
    if (this.#stopped) return;
    const { clock } = this.#site();
    const at = clock.monotonic() + wait;
    if (this.#timer && at >= this.#due) return;
    this.#timer?.cancel();
    this.#due = at;
    this.#timer = clock.timer(wait, () => {
      this.#timer = null;
      this.#looking = this.#looking
        .then(() => this.#look())
        .catch((error: unknown) => {
          const { name, again } = this.#options;
          this.#site().journal.emit("CFTC70E", { text: `${name}: ${describe(error)}` });
          this.lookIn(again);
        });
    });
  }

  /** Begins no look from now on; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }
}
