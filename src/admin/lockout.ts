/**
 * Who guesses tokens waits, longer each time.
 *
 * Invariants
 * - Within the wait nothing is looked at, also not a right token: a guess in that time learns nothing.
 * - Memory is bounded: of too many addresses those that have been quiet longest are forgotten.
 */
import { networkOf } from "../net/addresses.ts";
import type { Clock } from "../platform/clock.ts";

/** Wrong tokens that are just wrong. */
const FREE = 4;
/** First wait and longest wait, ms. */
const FIRST = 1000;
const LONGEST = 5 * 60_000;
/** Time without a wrong token after which an address is like any other, ms. */
const FORGET = 3600_000;
const MOST = 10_000;

interface Failures {
  count: number;
  /** On the monotonic clock. */
  at: number;
  until: number;
}

export class Lockout {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How long this address has to wait still, ms; 0 = it need not. */
  wait(address: string): number {
    const found = this.#failures.get(networkOf(address));
    return found === undefined ? 0 : Math.max(0, found.until - this.#clock.monotonic());
  }

  /** A wrong token came from there. Gives the wait that follows, ms; 0 = none yet. */
  failed(address: string): number {
    const now = this.#clock.monotonic();
    const key = networkOf(address);
    const before = this.#failures.get(key);
    const count = before !== undefined && now - before.at < FORGET ? before.count + 1 : 1;
    const wait = count <= FREE ? 0 : Math.min(LONGEST, FIRST * 2 ** (count - FREE - 1));
    // the order of a Map is that of insertion: what is quiet longest stands first
    this.#failures.delete(key);
    this.#failures.set(key, { count, at: now, until: now + wait });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST && oldest !== undefined) this.#failures.delete(oldest);
    return wait;
  }
}
