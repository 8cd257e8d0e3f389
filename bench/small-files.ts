/** Many small files in one session, each acknowledged, beside an sftp batch that syncs each file. */

import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { lag } from "./delays.ts";
import { median } from "./figures.ts";
import { type PairOptions, type Site, startPair, stop } from "./pair.ts";
import { startSftp } from "./sftp.ts";

export interface SmallFiles {
  files: number;
  size: number;
  /** Files per second: medians, and each run. */
  clear: number;
  tls: number;
  sftp: number | null;
  runs: { clear: number[]; tls: number[]; sftp: number[] };
  /** 99th percentile of how late the main loops were, ms, sender and receiver. */
  loop: { sender: number; receiver: number };
  /** Why there is no reference. */
  missing: string | null;
}

export const LAG: readonly string[] = ["--import", fileURLToPath(new URL("./lag.js", import.meta.url))];

/** Files of random octets with names of their own, below `stage`. */
export function stageFiles(stage: string, count: number, size: number, prefix: string): string[] {
  mkdirSync(stage, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const path = join(stage, `${prefix}${index}.dat`);
    writeFileSync(path, randomBytes(size));
    return path;
  });
}

/** Sends of a site that have ended. */
export async function ended(site: Site): Promise<number> {
  const { transfers } = await site.ask<{ transfers: { send: Record<string, number> } }>("GET", "/status");
  return transfers.send.X ?? 0;
}

/** Drops files into the outbox of a partner, or each into that of its own, and waits for the last response; seconds. */
export async function drop(
  sender: Site,
  partner: string | ((index: number) => string),
  files: readonly string[],
): Promise<number> {
  const wanted = (await ended(sender)) + files.length;
  await pause(300);
  const begun = performance.now();
  for (const [index, file] of files.entries()) {
    const name = typeof partner === "string" ? partner : partner(index);
    renameSync(file, join(sender.rundir, "outbox", name, basename(file)));
  }
  while ((await ended(sender)) < wanted) await pause(40);
  return (performance.now() - begun) / 1000;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One run of each in turn, so that all see the same machine. */
export async function smallFiles(
  folder: string,
  { runs, files, size }: { runs: number; files: number; size: number },
): Promise<SmallFiles> {
  const home = join(folder, "sftp");
  mkdirSync(home, { recursive: true });
  const sftp = await startSftp(home);
  const pairs = await Promise.all(
    [false, true].map((tls) => startPair(join(folder, `pair-${tls}`), options(tls))),
  );
  const rates = { clear: [] as number[], tls: [] as number[], sftp: [] as number[] };
  try {
    for (let run = 0; run < runs; run++) {
      const stage = join(folder, "stage");
      if (typeof sftp !== "string") {
        const staged = stageFiles(stage, files, size, `s${run}-`);
        rates.sftp.push(files / sftp.put(staged));
        rmSync(stage, { recursive: true });
      }
      for (const [index, pair] of pairs.entries()) {
        const staged = stageFiles(join(pair.sender.rundir, "stage"), files, size, `r${run}-`);
        const seconds = await drop(pair.sender, pair.receiver.name, staged);
        (index === 0 ? rates.clear : rates.tls).push(files / seconds);
      }
    }
    const [first] = pairs;
    const loop = first
      ? { sender: (await lag(first.sender)).p99, receiver: (await lag(first.receiver)).p99 }
      : { sender: 0, receiver: 0 };
    return {
      ...{ files, size, loop },
      clear: median(rates.clear),
      tls: median(rates.tls),
      sftp: rates.sftp.length > 0 ? median(rates.sftp) : null,
      runs: rates,
      missing: typeof sftp === "string" ? sftp : null,
    };
  } finally {
    if (typeof sftp !== "string") sftp.stop();
    await stop(...pairs.flatMap(({ sender, receiver }) => [sender, receiver]));
  }
}

function options(tls: boolean): PairOptions {
  return { tls, flags: LAG };
}
