/** Many sessions at once, each with a file, beside as many raw TLS connections; and what an idle session holds. */
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { ensureSelfSigned } from "../src/pki/generate.ts";
import { lag } from "./delays.ts";
import { median } from "./figures.ts";
import { type PairOptions, type Site, startPair, stop } from "./pair.ts";
import { drop, LAG, pause, stageFiles } from "./small-files.ts";

export interface SessionFigures {
  sessions: number;
  size: number;
  /** Files per second, from the first drop to the last response; and connections per second of the reference. */
  files: number;
  raw: number;
  runs: { files: number[]; raw: number[] };
  /** Files that are in no inbox. */
  lost: number;
  loop: { sender: number; receiver: number };
}

export interface IdleFigures {
  sessions: number;
  /** MB of resident memory for each session, sender and receiver. */
  sender: number;
  receiver: number;
}

/** Partners numbered on both sides: each pair has codes of its own, so that each is a session of its own. */
function numbered(count: number): NonNullable<PairOptions["partners"]> {
  return (name, port) => {
    const [mine, theirs] = name === "ALPHA" ? ["A", "B"] : ["B", "A"];
    return Array.from({ length: count }, (_, index) => {
      const number = String(index).padStart(4, "0");
      return `[[cftpart]]
id = "P${number}"
prot = ["OFTP"]
sap = [${port}]
nspart = "O0013${mine}${number}"
nrpart = "O0013${theirs}${number}"
[[cfttcp]]
id = "P${number}"
host = "127.0.0.1"
`;
    }).join("");
  };
}

function options(sessions: number, tls: boolean): PairOptions {
  const prot = 'disctd = "10m"\ndiscts = "10m"';
  return {
    ...{ tls, flags: LAG, interval: "5m", partners: numbered(sessions) },
    keys: { cftparm: `maxtrans = ${sessions + 10}`, cftnet: `maxcnx = ${2 * sessions + 20}`, cftprot: prot },
  };
}

/** Stages a file for each partner and drops them together; seconds until the last response. */
async function dropEach(sender: Site, count: number, size: number, prefix: string): Promise<number> {
  const files = stageFiles(join(sender.rundir, "stage"), count, size, prefix);
  return await drop(sender, (index) => `P${String(index).padStart(4, "0")}`, files);
}

async function delivered(receiver: Site, count: number): Promise<number> {
  const inboxes = Array.from({ length: count }, (_, index) => `P${String(index).padStart(4, "0")}`);
  const found = await Promise.all(inboxes.map((part) => readdir(join(receiver.rundir, "inbox", part))));
  return found.flat().length;
}

export async function sessionFigures(
  folder: string,
  { sessions, size, runs }: { sessions: number; size: number; runs: number },
): Promise<SessionFigures> {
  const own = { certificate: join(folder, "raw.pem"), key: join(folder, "raw.key") };
  await ensureSelfSigned(own, { commonName: "raw", hosts: ["127.0.0.1"], days: 30 });
  const rates = { files: [] as number[], raw: [] as number[] };
  let lost = 0;
  const late = { sender: [] as number[], receiver: [] as number[] };
  for (let run = 0; run < runs; run++) {
    rates.raw.push(sessions / (await rawTls(own, sessions, size)));
    // new gateways for each run: sessions that are still open would be used again
    const { sender, receiver } = await startPair(join(folder, `sessions-${run}`), options(sessions, true));
    try {
      await pause(1_000);
      await Promise.all([lag(sender), lag(receiver)]);
      rates.files.push(sessions / (await dropEach(sender, sessions, size, `r${run}-`)));
      late.sender.push((await lag(sender)).p99);
      late.receiver.push((await lag(receiver)).p99);
      lost += sessions - (await delivered(receiver, sessions));
    } finally {
      await stop(sender, receiver);
    }
  }
  return {
    ...{ sessions, size, lost, runs: rates },
    files: median(rates.files),
    raw: median(rates.raw),
    loop: { sender: median(late.sender), receiver: median(late.receiver) },
  };
}

/** Memory of sessions that have carried a small file each and stay open. */
export async function idleFigures(folder: string, sessions: number): Promise<IdleFigures> {
  const { sender, receiver } = await startPair(join(folder, "idle"), options(sessions, true));
  const open = async (site: Site): Promise<number> =>
    (await site.ask<{ sessions: unknown[] }>("GET", "/status")).sessions.length;
  try {
    const before = [resident(sender), resident(receiver)] as const;
    await dropEach(sender, sessions, 1_000, "i");
    const opened = await open(sender);
    if (opened < sessions) throw new Error(`only ${opened} of ${sessions} sessions are open`);
    await pause(5_000);
    const each = (site: Site, earlier: number): number => (resident(site) - earlier) / sessions;
    return { sessions, sender: each(sender, before[0]), receiver: each(receiver, before[1]) };
  } finally {
    await stop(sender, receiver);
  }
}

/** MB. */
function resident({ process: { pid } }: Site): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

interface Identity {
  certificate: string;
  key: string;
}

const [, program, role, certificate = "", key = "", size = "0", wanted = "0"] = process.argv;
if (program === fileURLToPath(import.meta.url) && role === "serve") {
  let done = 0;
  const secured = { cert: readFileSync(certificate), key: readFileSync(key) };
  const server = createServer(secured, (socket: TLSSocket) => {
    let count = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      count += chunk.length;
      if (count < Number(size)) return;
      socket.end("taken");
      done += 1;
      if (done === Number(wanted)) process.send?.("done");
    });
  });
  server.listen(0, "127.0.0.1", 2_000, () => process.send?.((server.address() as { port: number }).port));
}

/** Seconds for as many TLS connections, each with as many octets, to another process; all answered. */
async function rawTls(own: Identity, connections: number, octets: number): Promise<number> {
  const words = ["serve", own.certificate, own.key, String(octets), String(connections)];
  const child = fork(fileURLToPath(import.meta.url), words);
  const next = () => new Promise<number | string>((resolve) => child.once("message", resolve as () => void));
  const port = (await next()) as number;
  const content = Buffer.alloc(octets, 7);
  const ca = readFileSync(own.certificate);
  const begun = performance.now();
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect({ port, host: "127.0.0.1", ca }, () => socket.write(content));
          socket.on("data", () => socket.end());
          socket.on("close", () => resolve());
          socket.on("error", reject);
        }),
    ),
  );
  const seconds = (performance.now() - begun) / 1000;
  child.kill();
  return seconds;
}
