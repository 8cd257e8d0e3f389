/**
 * The protocol alone: data exchange buffers from memory to a second process that unpacks them and forgets what they held.
 * No disk, no hash, no catalog.
 */
import { type ChildProcess, fork } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { Link, type SessionUser } from "../src/engine/link.ts";
import { sendData } from "../src/engine/outflow.ts";
import { Waiter } from "../src/engine/waiter.ts";
import { connection } from "../src/net/connection.ts";
import { netError } from "../src/net/failure.ts";
import { START, sizeInBlocks } from "../src/oftp/files/restart.ts";
import { unpackerFor } from "../src/oftp/files/unpacking.ts";
import type { Capabilities } from "../src/oftp/session/negotiate.ts";
import type { Sfid } from "../src/oftp/wire/commands.ts";
import { SLOT, takeSlot } from "../src/oftp/wire/kernel.ts";
import { systemClock } from "../src/platform/clock.ts";

/** As the default configuration has it. */
const CAPABILITIES: Capabilities = {
  ...{ levels: [5], sdeb: 65_535, cred: 64, sr: "B" },
  ...{ compression: true, restart: true, authentication: false },
};
const TIMERS = { disctc: 60_000, rto: 60_000, disctd: 60_000, discts: 60_000, disctr: 60_000 };
const SFID: Sfid = {
  ...{ type: "SFID", dsn: "NOWHERE", date: "20261120", time: "1200000000", user: "" },
  ...{ dest: "O0013BETA", orig: "O0013ALPHA", fmt: "U", lrecl: 0, fsiz: 0n, osiz: 0n, rest: 0n },
  ...{ sec: 0, ciph: 0, comp: 0, env: 0, sign: false, desc: "" },
};

const nothing = (): void => {};
/** What a session of this benchmark has no use for. */
const SILENT: SessionUser = {
  ...{ connectIndication: nothing, connectConfirmed: nothing, connectOpened: nothing, challenge: nothing },
  ...{ respond: nothing, startFile: nothing, startFileConfirmed: nothing, data: nothing },
  ...{
    dataConfirmed: nothing,
    closeFile: nothing,
    closeFileConfirmed: nothing,
    eerp: nothing,
    nerp: nothing,
  },
  ...{ rtr: nothing, turn: nothing, tolerated: nothing, ended: nothing },
};

function linkOver(socket: Socket, initiator: boolean, user: SessionUser): Link {
  const end = { address: "127.0.0.1", port: 0 };
  const facts = { id: "", remote: end, local: end, secure: null, inbound: !initiator, recognised: nothing };
  return new Link({
    connection: connection(socket, facts, (error) => netError(error, "the other process")),
    initiator,
    session: initiator ? { capabilities: CAPABILITIES, code: "O0013ALPHA", password: "" } : {},
    timers: TIMERS,
    clock: systemClock,
    user,
  });
}

/** Listener of one file: unpacks, counts, gives credit. */
function unpackAll(socket: Socket): void {
  const target = takeSlot() ?? Buffer.alloc(SLOT);
  const unpacker = unpackerFor("U", 0);
  const link = linkOver(socket, false, {
    ...SILENT,
    connectIndication: () =>
      link.request({
        type: "F_CONNECT_RS",
        capabilities: CAPABILITIES,
        code: "O0013BETA",
        password: "",
      }),
    startFile: () => link.request({ type: "F_START_FILE_RS", answer: { accept: 0n } }),
    data: (subrecords, credit) => {
      for (let from = 0, done = false; !done; ) ({ from, done } = unpacker.take(subrecords, from, target, 0));
      if (credit) link.request({ type: "F_DATA_RS" });
    },
    closeFile: ({ ucnt }) => {
      const right = ucnt === BigInt(unpacker.octets);
      link.request({
        type: "F_CLOSE_FILE_RS",
        answer: right ? { speaker: false } : { reason: 11, text: "octets were lost" },
      });
    },
  });
  link.start();
}

if (process.argv[2] === "receive") {
  const server = createServer({ noDelay: true }, unpackAll);
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
}

/** Starts the second process, which is to be killed in the end. */
export async function startReceiver(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url), ["receive"]);
  const port = await new Promise<number>((resolve) => child.once("message", resolve as () => void));
  return { child, port };
}

async function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/**
 * Seconds from SFID to EFPA for a file of `size` octets whose content is `content`, over and over.
 * @param compressed look for runs, and send them as compressed subrecords
 */
export async function sendFile(
  port: number,
  size: number,
  content: Buffer,
  compressed: boolean,
): Promise<number> {
  const socket = await dial(port);
  const opened = new Waiter<void>();
  const started = new Waiter<unknown>();
  const credit = new Waiter<void>();
  const closed = new Waiter<unknown>();
  const waiters = [opened, started, credit, closed];
  const link = linkOver(socket, true, {
    ...SILENT,
    connectConfirmed: () => void opened.give(),
    startFileConfirmed: (answer) => void started.give(answer),
    dataConfirmed: () => void credit.give(),
    closeFileConfirmed: (answer) => void closed.give(answer),
    ended: ({ text }) => {
      for (const waiter of waiters) waiter.fail(new Error(`the session ended: ${text}`));
    },
  });
  const open = opened.wait();
  link.start();
  await open;
  const begun = performance.now();
  const start = started.wait();
  link.request({ type: "F_START_FILE_RQ", sfid: { ...SFID, fsiz: sizeInBlocks(size) } });
  await start;
  const filled = new Set<Buffer>();
  let left = size;
  const counts = await sendData({
    link,
    file: {
      size,
      // each piece is filled once: from then on its content is there without being read
      read: (piece) => {
        const count = Math.min(piece.length, left);
        left -= count;
        if (!filled.has(piece as Buffer)) content.copy(piece, 0, 0, piece.length);
        filled.add(piece as Buffer);
        return Promise.resolve(count);
      },
      digest: () => "",
      close: () => Promise.resolve(),
    },
    ...{ format: "U", lrecl: 0, compressed, position: START, progress: nothing },
    credit: () => credit.wait(),
  });
  while (link.machine.state !== "OPO") await credit.wait();
  const close = closed.wait();
  const { records, octets } = counts;
  link.request({
    type: "F_CLOSE_FILE_RQ",
    efid: { type: "EFID", rcnt: BigInt(records), ucnt: BigInt(octets) },
  });
  const answer = (await close) as { reason?: number; text?: string };
  const seconds = (performance.now() - begun) / 1000;
  link.destroy();
  if (answer.reason !== undefined) throw new Error(`EFNA ${answer.reason}: ${answer.text}`);
  return seconds;
}
