/** Rows about one large file from gateway to gateway, everything durable and acknowledged by EERP. */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest, writeNoise } from "./content.ts";
import { lag } from "./delays.ts";
import { type Ends, type Row, RUNS, row } from "./figures.ts";
import { type Site, startPair, stop } from "./pair.ts";
import { raw } from "./reference.ts";
import { startSftp } from "./sftp.ts";

const LAG = fileURLToPath(new URL("./lag.js", import.meta.url));

interface Transfer {
  idtu: string;
  phase: string;
  bdate: string;
  edate: string;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Sends a file and waits for its EERP; seconds from SFID to the file under its final name at the receiver. */
async function send(sender: Site, receiver: Site, source: string): Promise<number> {
  const { idtu } = await sender.ask<Transfer>("POST", "/transfers", { part: receiver.name, file: source });
  for (;;) {
    const transfer = await sender.ask<Transfer>("GET", `/transfers/${idtu}`);
    if (transfer.phase === "X") break;
    await pause(50);
  }
  const [received] = await receiver.ask<Transfer[]>("GET", "/transfers?direct=recv&limit=1");
  return (Date.parse((received as Transfer).edate) - Date.parse((received as Transfer).bdate)) / 1000;
}

/** Resident memory now, MB. */
function resident({ process: child }: Site): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** Lets the peak of resident memory begin anew; gives what is resident. */
function forgetPeak(site: Site): number {
  writeFileSync(`/proc/${site.process.pid}/clear_refs`, "5");
  return resident(site);
}

export interface LargeOptions {
  folder: string;
  /** The file to send. */
  source: string;
  size: number;
}

/** In clear against raw TCP and sftp, or over TLS against raw TLS. */
export async function largeRows({ folder, source, size }: LargeOptions, tls: boolean): Promise<Row[]> {
  const home = join(folder, tls ? "tls" : "clear");
  const wanted = await digest(source);
  const { sender, receiver } = await startPair(home, { tls, flags: ["--import", LAG] });
  const own = join(home, receiver.name);
  const identity = tls ? { certificate: join(own, "own.pem"), key: join(own, "own.key") } : undefined;
  const beside = join(home, "sftp");
  await mkdir(beside, { recursive: true });
  const sftp = tls ? "" : await startSftp(beside);
  const speeds = { ours: [] as number[], raw: [] as number[], sftp: [] as number[] };
  const late: Ends = { sender: 0, receiver: 0 };
  try {
    await pause(1000);
    const idle: Ends = { sender: forgetPeak(sender), receiver: forgetPeak(receiver) };
    for (let run = 0; run < RUNS; run++) {
      const speed = (seconds: number): number => size / seconds / 1e6;
      speeds.raw.push(speed(await raw(source, join(home, "raw.out"), identity)));
      await rm(join(home, "raw.out"));
      if (typeof sftp !== "string") {
        speeds.sftp.push(speed(sftp.put([source])));
        for (const name of await readdir(sftp.inbox)) await rm(join(sftp.inbox, name));
      }
      await Promise.all([lag(sender), lag(receiver)]);
      speeds.ours.push(speed(await send(sender, receiver, source)));
      const [there, here] = await Promise.all([lag(sender), lag(receiver)]);
      late.sender = Math.max(late.sender, there.p99);
      late.receiver = Math.max(late.receiver, here.p99);
      await checkAndRemove(join(receiver.rundir, "inbox", sender.name), wanted);
    }
    const memory: Ends = { sender: sender.peak() - idle.sender, receiver: receiver.peak() - idle.receiver };
    const gib = `one file of ${(size / 1024 ** 3).toFixed(size < 1024 ** 3 ? 2 : 0)} GiB`;
    const work = `OFTP 2.0 ${tls ? "over TLS 1.3" : "in clear"}, ${gib}, file to file`;
    const against = `raw ${tls ? "TLS" : "TCP"}, file to file, synced`;
    const facts = { work, unit: "MB/s", memory, loop: late };
    const rows = [row({ ...facts, against, aim: 0.6 }, speeds.ours, speeds.raw)];
    if (!tls) {
      const beside = typeof sftp === "string" ? sftp : "OpenSSH sftp put, synced";
      rows.push(row({ work, unit: "MB/s", against: beside, aim: 1.5 }, speeds.ours, speeds.sftp));
    }
    return rows;
  } finally {
    if (typeof sftp !== "string") sftp.stop();
    await stop(sender, receiver);
  }
}

/** What has arrived is what was sent; then it makes room. */
async function checkAndRemove(inbox: string, wanted: string): Promise<void> {
  for (const file of await readdir(inbox)) {
    if ((await digest(join(inbox, file))) !== wanted) throw new Error(`${file} differs from what was sent`);
    await rm(join(inbox, file));
  }
}

/** Makes the file for the rows above. */
export async function largeFile(folder: string, size: number): Promise<LargeOptions> {
  const source = join(folder, "source.bin");
  await writeNoise(source, size);
  return { folder, source, size };
}
