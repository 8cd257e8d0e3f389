/**
 * Loaded into a gateway with `--import`: measures how late its main loop is. SIGUSR2 writes what was seen since the last
 * one to lag.json in the working directory, in milliseconds, and begins anew.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** How often the loop is looked at, ms; the histogram counts this time in. */
const RESOLUTION = 2;

if (isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  process.on("SIGUSR2", () => {
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    const { max } = histogram;
    const seen = {
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      most: late(max),
    };
    histogram.reset();
    writeFileSync("lag.json.new", JSON.stringify(seen));
    renameSync("lag.json.new", "lag.json");
  });
}
