/**
 * npm run bench [-- --runs N --gib N]: speed and memory of two gateways on loopback, beside what the machine does
 * without them in the same run. Prints a table; --json prints the figures.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, option } from "./figures.ts";
import { type Site, startPair, stop } from "./pair.ts";
import { rawTcp } from "./reference.ts";

interface Row {
  work: string;
  median: number;
  unit: string;
  ratio: number | null;
  peak: string;
}

const RUNS = option("runs", 3);
const GIB = option("gib", 2);
const SIZE = GIB * 1024 ** 3;
const FILES = 1000;
const SMALL = 10 * 1024;

const megabytes = (seconds: number): number => Math.round(SIZE / seconds / 1e6);

async function bigFile(path: string): Promise<void> {
  const handle = await open(path, "w");
  const piece = randomBytes(16 * 1024 * 1024);
  for (let written = 0; written < SIZE; written += piece.length) await handle.write(piece);
  await handle.sync();
  await handle.close();
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}

interface Transfer {
  idtu: string;
  phase: string;
  bdate: string;
  edate: string;
}

/** Drops a file and waits for its EERP; seconds from SFID to the end of data at the sender, and its digest there. */
async function sendBig(sender: Site, receiver: Site, source: string): Promise<number> {
  const { idtu } = await sender.ask<Transfer>("POST", "/transfers", { part: receiver.name, file: source });
  for (;;) {
    const transfer = await sender.ask<Transfer>("GET", `/transfers/${idtu}`);
    if (transfer.phase === "X") break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const [received] = await receiver.ask<Transfer[]>("GET", "/transfers?direct=recv&limit=1");
  return (Date.parse((received as Transfer).edate) - Date.parse((received as Transfer).bdate)) / 1000;
}

async function sendSmall(sender: Site, receiver: Site): Promise<number> {
  const stage = join(sender.rundir, "stage");
  const outbox = join(sender.rundir, "outbox", receiver.name);
  const { mkdirSync } = await import("node:fs");
  mkdirSync(stage, { recursive: true });
  for (let index = 0; index < FILES; index++) writeFileSync(join(stage, `f${index}.dat`), randomBytes(SMALL));
  const before = await done(sender);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const begun = performance.now();
  for (let index = 0; index < FILES; index++)
    renameSync(join(stage, `f${index}.dat`), join(outbox, `f${index}.dat`));
  while ((await done(sender)) < before + FILES) await new Promise((resolve) => setTimeout(resolve, 20));
  return (performance.now() - begun) / 1000;
}

async function done(site: Site): Promise<number> {
  const { transfers } = await site.ask<{ transfers: { send: Record<string, number> } }>("GET", "/status");
  return transfers.send.X ?? 0;
}

async function measure(folder: string, source: string): Promise<Row[]> {
  const rows: Row[] = [];
  const wanted = await digest(source);
  const raw: number[] = [];
  for (let run = 0; run < RUNS; run++) raw.push(await rawTcp(source, join(folder, "raw.out")));
  await rm(join(folder, "raw.out"));
  const reference = megabytes(median(raw));
  rows.push({
    work: "raw Node TCP, file to file, synced",
    median: reference,
    unit: "MB/s",
    ratio: null,
    peak: "",
  });
  for (const tls of [false, true]) {
    const home = join(folder, tls ? "tls" : "clear");
    const { sender, receiver } = await startPair(home, { tls });
    const name = tls ? "OFTP 2.0 over TLS 1.3" : "OFTP 2.0 in clear";
    try {
      const times: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        times.push(await sendBig(sender, receiver, source));
        const inbox = join(receiver.rundir, "inbox", sender.name);
        for (const file of await readdir(inbox)) {
          if ((await digest(join(inbox, file))) !== wanted) throw new Error(`${file} differs`);
          await rm(join(inbox, file));
        }
      }
      const speed = megabytes(median(times));
      const peak = `${sender.peak()} / ${receiver.peak()} MB`;
      rows.push({
        work: `${name}, one ${GIB} GiB file`,
        median: speed,
        unit: "MB/s",
        ratio: speed / reference,
        peak,
      });
      const small: number[] = [];
      for (let run = 0; run < RUNS; run++) small.push(await sendSmall(sender, receiver));
      const rate = Math.round(FILES / median(small));
      const work = `${name}, ${FILES} files of 10 KiB, each with EERP`;
      rows.push({
        work,
        median: rate,
        unit: "files/s",
        ratio: null,
        peak: `${sender.peak()} / ${receiver.peak()} MB`,
      });
    } finally {
      await stop(sender, receiver);
    }
  }
  return rows;
}

const folder = mkdtempSync(join(process.env.CYGNET_BENCH_DIR ?? tmpdir(), "cygnet-bench-"));
try {
  const source = join(folder, "source.bin");
  await bigFile(source);
  const rows = await measure(folder, source);
  if (process.argv.includes("--json")) console.log(JSON.stringify(rows, null, 2));
  else {
    console.log(
      `| work (medians of ${RUNS}) | speed | of raw TCP | peak memory, sender / receiver |\n|---|---|---|---|`,
    );
    for (const { work, median: value, unit, ratio, peak } of rows) {
      console.log(`| ${work} | ${value} ${unit} | ${ratio === null ? "" : ratio.toFixed(2)} | ${peak} |`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
