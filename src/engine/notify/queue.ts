/**
 * Notices on their way to one place: one at a time, in order, tried again with growing waits, bounded in number and
 * age. In memory: what a crash takes is told nowhere else than in the log.
 */
import type { Clock, Timer } from "../../platform/clock.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import type { Random } from "../../platform/random.ts";
import { jittered } from "../retry.ts";
import type { Notice } from "./selection.ts";

/** Waits after failures in a row, ms; the last one from then on. */
const WAITS = [5_000, 15_000, 60_000, 300_000, 900_000];
/** Notices that may wait. */
const ROOM = 1_000;
/** Older ones are given up, ms. */
const OLDEST = 24 * 3600 * 1000;

/** Code of an answer that another attempt would not change. */
export const REFUSED = "CYG_NOTIFY_REFUSED";

export interface Outlet {
  /** Takes a notice there. Rejects with REFUSED where it makes no sense to try again. */
  deliver(notice: Notice, signal: AbortSignal): Promise<void>;
  /** Told once for each outage, and for every notice that is given up. */
  troubled(text: string): void;
  /** The outage is over. */
  recovered(): void;
}

export class NoticeQueue {
  readonly #outlet: Outlet;
  readonly #clock: Clock;
  readonly #random: Random;
  #waiting: { notice: Notice; since: number }[] = [];
  #failures = 0;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  readonly #abort = new AbortController();
  #closing = false;

  constructor(outlet: Outlet, clock: Clock, random: Random) {
    this.#outlet = outlet;
    this.#clock = clock;
    this.#random = random;
  }

  get length(): number {
    return this.#waiting.length;
  }

  push(notice: Notice): void {
    this.#waiting.push({ notice, since: this.#clock.monotonic() });
    if (this.#waiting.length > ROOM) {
      // the one at the front may be under way; the next is the oldest that is not
      this.#waiting.splice(1, 1);
      if (this.#failures === 0) this.#outlet.troubled("too many wait: the oldest is given up");
    }
    if (this.#timer === null) this.#run();
  }

  /** Tries each that waits once more, at most `patience` ms in all; then no more. */
  async close(patience: number): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    const late = this.#clock.timer(patience, () => this.#abort.abort());
    await this.#running;
    if (!this.#abort.signal.aborted) await this.#deliverAll();
    late.cancel();
  }

  #run(): void {
    this.#running ??= this.#deliverAll().finally(() => {
      this.#running = null;
    });
  }

  /** An outlet that does not hear the signal is left behind. */
  async #deliver(notice: Notice): Promise<void> {
    const { signal } = this.#abort;
    const delivering = this.#outlet.deliver(notice, signal);
    let stop: () => void = () => {};
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(new CygnetError("CYG_NOTIFY_STOPPED", "the gateway stops"));
      signal.addEventListener("abort", stop);
    });
    try {
      await Promise.race([delivering, aborted]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #deliverAll(): Promise<void> {
    // what comes while the last one was under way finds the loop at its end
    await null;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      try {
        await this.#deliver(first.notice);
        this.#waiting.shift();
        if (this.#failures > 0) this.#outlet.recovered();
        this.#failures = 0;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        const refused = error instanceof CygnetError && error.code === REFUSED;
        const old = this.#clock.monotonic() - first.since > OLDEST;
        if (refused || old || this.#closing) {
          this.#waiting.shift();
          this.#outlet.troubled(`${describe(error)}; given up`);
          continue;
        }
        if (this.#failures === 0) this.#outlet.troubled(describe(error));
        const wait = WAITS[Math.min(this.#failures, WAITS.length - 1)] as number;
        this.#failures += 1;
        this.#timer = this.#clock.timer(jittered(wait, this.#random.fraction()), () => {
          this.#timer = null;
          this.#run();
        });
        return;
      }
    }
  }
}
