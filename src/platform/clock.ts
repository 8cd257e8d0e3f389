/** A timer that can be stopped before it fires; stopping twice is harmless. */
export interface Timer {
  cancel(): void;
}

/** Time as the gateway sees it. Tests supply their own to move it by hand. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. May step backwards: never use it to measure a wait. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary origin, for waits and durations. */
  monotonic(): number;
  /** Calls `fire` once after `milliseconds`; longer than 24 days is cut to 24 days. */
  timer(milliseconds: number, fire: () => void): Timer;
}

const LONGEST = 24 * 24 * 3600 * 1000;

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(milliseconds, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(milliseconds, 0), LONGEST));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
