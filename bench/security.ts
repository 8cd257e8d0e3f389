/**
 * npm run bench:security [-- --runs N --mib N]: what file security costs: the rows of `envelopes.ts`, and then what a large
 * secured file under way does to others. Prints tables; --json prints the figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Delay, delays } from "./delays.ts";
import { ediFile, envelopeRows } from "./envelopes.ts";
import { option, table } from "./figures.ts";

const SIZE = option("mib", 512) * 1024 ** 2;

function delayTable(others: readonly Delay[]): string {
  const head = ["while", "round trips", "p50", "p99", "most", "main loop p50", "p99", "most"];
  const lines = others.map(({ during, trips, trip, loop }) => {
    const all = [trip.p50, trip.p99, trip.most, loop.p50, loop.p99, loop.most];
    return [during, trips, ...all.map((ms) => `${ms.toFixed(1)} ms`)];
  });
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const folder = mkdtempSync(join(process.env.CYGNET_BENCH_DIR ?? tmpdir(), "cygnet-security-"));
try {
  await ediFile(join(folder, "plain"), SIZE);
  const rows = await envelopeRows(folder, SIZE);
  const others = await delays(folder, join(folder, "plain"));
  if (process.argv.includes("--json")) console.log(JSON.stringify({ rows, others }, null, 2));
  else console.log(`${table(rows)}\n\n${delayTable(others)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
