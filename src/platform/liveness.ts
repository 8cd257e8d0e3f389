/**
 * Signs of life from the main loop. One is given only after the loop has turned, in a timer of its own, and after
 * the probe has answered; a loop that is stuck, or a probe that hangs or fails, lets the signs dry up.
 */
import type { Clock, Timer } from "./clock.ts";

export interface LivenessOptions {
  /** Time between two signs, ms. */
  every: number;
  /** What must answer besides the loop; rejects when it does not work. */
  probe: () => Promise<unknown>;
  alive: () => void;
  /** Hears, once for each outage, why there is no sign. */
  failed: (error: unknown) => void;
  clock: Clock;
}

/** Gives the first sign after `every`. No more follow after `cancel`. */
export function giveSignsOfLife({ every, probe, alive, failed, clock }: LivenessOptions): Timer {
  let stopped = false;
  let failing = false;
  let timer: Timer;
  const wait = () => {
    timer = clock.timer(every, look);
  };
  const look = () => {
    // one question at a time: a probe that hangs is not asked again
    Promise.resolve()
      .then(probe)
      .then(
        () => {
          failing = false;
          if (!stopped) alive();
        },
        (error: unknown) => {
          if (!failing && !stopped) failed(error);
          failing = true;
        },
      )
      .finally(() => {
        if (!stopped) wait();
      });
  };
  wait();
  return {
    cancel() {
      stopped = true;
      timer.cancel();
    },
  };
}
