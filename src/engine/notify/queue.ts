/**
 * Notices on their way to one place: one at a time, in order, tried again with growing waits, bounded in number and
 * age. What waits is kept in a store as well, so that neither a crash nor a restart takes it: each is delivered at least
 * once, under the same id.
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

/** A notice, and when it came (ms since 1970 UTC). */
export interface Waiting {
  notice: Notice;
  since: number;
}

/** Where notices are kept while they wait. */
export interface NoticeStore {
  /** What waits since an earlier life, oldest first. Called once, before anything else. */
  load(): Promise<Waiting[]>;
  keep(waiting: Waiting): Promise<void>;
  drop(waiting: Waiting): Promise<void>;
}

type Entry = Waiting & {
  /** Settles when the notice is in the store, or cannot be; never rejects. */
  kept: Promise<void>;
};

export class NoticeQueue {
  readonly #outlet: Outlet;
  readonly #store: NoticeStore | null;
  /** Resolves when what an earlier life has left is here; never rejects. */
  readonly #loaded: Promise<void>;
  readonly #clock: Clock;
  readonly #random: Random;
  #waiting: Entry[] = [];
  #failures = 0;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  readonly #abort = new AbortController();
  #closing = false;
  #last = false;
  #storeFailed = false;

  /** Without a store a crash takes what waits. `after`: the store is another's until then. */
  constructor(
    outlet: Outlet,
    clock: Clock,
    random: Random,
    store: NoticeStore | null = null,
    after: Promise<unknown> = Promise.resolve(),
  ) {
    this.#outlet = outlet;
    this.#clock = clock;
    this.#random = random;
    this.#store = store;
    this.#loaded = store === null ? Promise.resolve() : this.#load(store, after);
    if (store !== null) this.#run();
  }

  get length(): number {
    return this.#waiting.length;
  }

  push(notice: Notice): void {
    const waiting: Waiting = { notice, since: this.#clock.now() };
    this.#waiting.push({ ...waiting, kept: this.#loaded.then(() => this.#told("keep", waiting)) });
    this.#bound();
    if (this.#timer === null) this.#run();
  }

  /**
   * Tries each that waits once more, at most `patience` ms in all; with `last` only the one that is under way. Then no
   * more: what is left stays in the store.
   */
  async close(patience: number, last = false): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    const late = this.#clock.timer(patience, () => this.#abort.abort());
    this.#last = last;
    await this.#running;
    if (!this.#abort.signal.aborted && !last) await this.#deliverAll();
    await Promise.all(this.#waiting.map(({ kept }) => kept));
    late.cancel();
  }

  async #load(store: NoticeStore, after: Promise<unknown>): Promise<void> {
    try {
      await after;
      const before = (await store.load()).map((waiting) => ({ ...waiting, kept: Promise.resolve() }));
      this.#waiting.unshift(...before);
      this.#bound();
    } catch (error) {
      this.#outlet.troubled(`what waited before is not known: ${describe(error)}`);
    }
  }

  #bound(): void {
    while (this.#waiting.length > ROOM) {
      // the one at the front may be under way; the next is the oldest that is not
      const [oldest] = this.#waiting.splice(1, 1);
      if (oldest) void oldest.kept.then(() => this.#told("drop", oldest));
      if (this.#failures === 0) this.#outlet.troubled("too many wait: the oldest is given up");
    }
  }

  /** A store that fails costs no notice: it is delivered from memory, or twice. */
  async #told(what: "keep" | "drop", waiting: Waiting): Promise<void> {
    try {
      await this.#store?.[what](waiting);
    } catch (error) {
      if (!this.#storeFailed) this.#outlet.troubled(`notices are not kept on disk: ${describe(error)}`);
      this.#storeFailed = true;
    }
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
    await this.#loaded;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#last) return;
      try {
        await first.kept;
        await this.#deliver(first.notice);
        this.#waiting.shift();
        await this.#told("drop", first);
        if (this.#failures > 0) this.#outlet.recovered();
        this.#failures = 0;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        const refused = error instanceof CygnetError && error.code === REFUSED;
        const old = this.#clock.now() - first.since > OLDEST;
        if (refused || old || (this.#closing && this.#store === null)) {
          this.#waiting.shift();
          this.#outlet.troubled(`${describe(error)}; given up`);
          await this.#told("drop", first);
          continue;
        }
        if (this.#closing) {
          // it would be the same with those behind it
          if (this.#failures === 0) this.#outlet.troubled(`${describe(error)}; kept`);
          return;
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
