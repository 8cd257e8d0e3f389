/** How late the main loop comes to its work. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is looked at, ms: fifty times a second cost nothing that can be measured. */
const RESOLUTION = 20;

export class LoopDelay {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>;

  constructor() {
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#histogram.enable();
  }

  /** Seconds of delay by quantile since the last call. */
  take(): Readonly<Record<string, number>> {
    const histogram = this.#histogram;
    // what is measured is the time between two looks
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1e3);
    const taken =
      histogram.count === 0
        ? { "0.5": 0, "0.99": 0, "1": 0 }
        : {
            "0.5": seconds(histogram.percentile(50)),
            "0.99": seconds(histogram.percentile(99)),
            "1": seconds(histogram.max),
          };
    histogram.reset();
    return taken;
  }

  stop(): void {
    this.#histogram.disable();
  }
}
