/**
 * npm run bench:security [-- --runs N --mib N]: what file security costs. Throughput of the threads that seal and open,
 * file to file and synced, beside `openssl cms` doing the same with the same file in the same run, and beside one
 * thread with one zlib stream, since openssl is rarely built with compression; then what a large file under way does
 * to others. Prints tables; --json prints the figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SealingPool } from "../src/cms/pool.ts";
import { type Delay, delays } from "./delays.ts";
import { median, option, timed } from "./figures.ts";
import { type Owners, owners, sealJob, signAndEncrypt, unsealJob, verifyAndDecrypt } from "./sealing.ts";
import { inOneThread } from "./single-thread.ts";

const RUNS = option("runs", 3);
const MIB = option("mib", 512);
const SIZE = MIB * 1024 ** 2;
/** As the gateway compresses. */
const LEVEL = 4;

interface Row {
  work: string;
  /** MB of the plain file in a second, ours and the reference's. */
  speed: number;
  reference: number;
  against: string;
  /** Of the medians, and of the best run of each: the latter is what is left when others have the machine. */
  ratio: number;
  best: number;
  target: number | null;
}

/** Lines like those of an EDI message; zlib makes about a fifth of them. */
async function ediFile(path: string): Promise<void> {
  const handle = await open(path, "w");
  const lines: string[] = [];
  let seed = 1;
  for (let size = 0; size < 16 * 1024 * 1024; size += (lines.at(-1) as string).length) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    lines.push(
      `LIN+${lines.length % 9999}++${seed % 99_991}:IN'QTY+113:${seed % 877}:PCE'DTM+137:2026${seed % 1231}:102'\r\n`,
    );
  }
  const piece = Buffer.from(lines.join("").slice(0, 16 * 1024 * 1024));
  for (let written = 0; written < SIZE; written += piece.length) {
    await handle.write(piece.subarray(0, Math.min(piece.length, SIZE - written)));
  }
  await handle.sync();
  await handle.close();
}

async function throughput(folder: string, who: Owners): Promise<Row[]> {
  const at = (name: string): string => join(folder, name);
  await ediFile(at("plain"));
  const pool = new SealingPool({ threads: 1 });
  const times = new Map<string, number[]>();
  const take = async (name: string, work: () => unknown): Promise<void> => {
    times.set(name, [...(times.get(name) ?? []), await timed(work)]);
  };
  for (let run = 0; run < RUNS; run++) {
    for (const compressed of [false, true]) {
      const sealed = at(compressed ? "sealed.all" : "sealed");
      await take(`seal ${compressed}`, () =>
        pool.run(sealJob(who, at("plain"), sealed, compressed ? LEVEL : null)),
      );
      await take(`open ${compressed}`, () => pool.run(unsealJob(who, sealed, at("back"), SIZE, compressed)));
    }
    await take("openssl seal", () => signAndEncrypt(who, at("plain"), at("theirs"), folder));
    await take("openssl open", () => verifyAndDecrypt(who, at("sealed"), at("back"), folder));
    await take("one seal", () => inOneThread("seal", at("plain"), at("single"), LEVEL));
    await take("one open", () => inOneThread("open", at("single"), at("back"), LEVEL));
  }
  await pool.close();
  const seconds = (name: string): number[] => times.get(name) ?? [];
  const speed = (name: string): number => Math.round(SIZE / median(seconds(name)) / 1e6);
  const row = (
    work: string,
    name: string,
    reference: string,
    against: string,
    target: number | null,
  ): Row => ({
    work,
    speed: speed(name),
    reference: speed(reference),
    against,
    ratio: median(seconds(reference)) / median(seconds(name)),
    best: Math.min(...seconds(reference)) / Math.min(...seconds(name)),
    target,
  });
  return [
    row("sign + encrypt", "seal false", "openssl seal", "openssl cms", 1),
    row("decrypt + verify", "open false", "openssl open", "openssl cms", 3),
    row("sign + compress + encrypt", "seal true", "one seal", "hash, zlib and AES in one thread", 1.6),
    row("decrypt + decompress + verify", "open true", "one open", "AES, zlib and hash in one thread", null),
  ];
}

function print(rows: readonly Row[], others: readonly Delay[]): void {
  console.log(
    `| work, ${MIB} MiB (medians of ${RUNS}) | speed | reference | ratio | of the best runs | aim |\n|---|---|---|---|---|---|`,
  );
  for (const { work, speed, reference, against, ratio, best, target } of rows) {
    const figures = [ratio.toFixed(2), best.toFixed(2), target ?? ""].join(" | ");
    console.log(`| ${work} | ${speed} MB/s | ${reference} MB/s, ${against} | ${figures} |`);
  }
  console.log(
    "\n| while | round trips | p50 | p99 | most | main loop p50 | p99 | most |\n|---|---|---|---|---|---|---|---|",
  );
  for (const { during, trips, trip, loop } of others) {
    const all = [trip.p50, trip.p99, trip.most, loop.p50, loop.p99, loop.most];
    console.log(`| ${during} | ${trips} | ${all.map((ms) => `${ms.toFixed(1)} ms`).join(" | ")} |`);
  }
}

const folder = mkdtempSync(join(process.env.CYGNET_BENCH_DIR ?? tmpdir(), "cygnet-security-"));
try {
  const rows = await throughput(folder, await owners(folder));
  const others = await delays(folder, join(folder, "plain"));
  if (process.argv.includes("--json")) console.log(JSON.stringify({ rows, others }, null, 2));
  else print(rows, others);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
