/**
 * A file's data from end to end (`outflow.ts`, `inflow.ts`) over a real connection and real files: what arrives, what is
 * left when either end breaks in the middle, and that all memory that was lent comes back.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { Inflow } from "../../src/engine/inflow.ts";
import { Link, type SessionUser } from "../../src/engine/link.ts";
import { sendData } from "../../src/engine/outflow.ts";
import { Waiter } from "../../src/engine/waiter.ts";
import { connection } from "../../src/net/connection.ts";
import { netError } from "../../src/net/failure.ts";
import { type Position, START } from "../../src/oftp/files/restart.ts";
import { unpackerFor } from "../../src/oftp/files/unpacking.ts";
import type { Capabilities } from "../../src/oftp/session/negotiate.ts";
import type { Sfid } from "../../src/oftp/wire/commands.ts";
import { freeSlots } from "../../src/oftp/wire/kernel.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { type OpenFile, systemFileSystem } from "../../src/platform/filesystem.ts";
import type { Incoming, Outgoing } from "../../src/spool/spool.ts";

const nothing = (): void => {};
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
const SFID: Sfid = {
  ...{ type: "SFID", dsn: "FLOW", date: "20261120", time: "1200000000", user: "" },
  ...{ dest: "O0013B", orig: "O0013A", fmt: "U", lrecl: 0, fsiz: 0n, osiz: 0n, rest: 0n },
  ...{ sec: 0, ciph: 0, comp: 0, env: 0, sign: false, desc: "" },
};

interface Case {
  name: string;
  octets: Buffer;
  sdeb?: number;
  cred?: number;
  /** Octets after which the file cannot be read, the disk takes nothing more, the line is cut. */
  unreadable?: number;
  full?: number;
  cut?: number;
  /** The Listener gives no credit, and hangs up. */
  silent?: boolean;
  from?: number;
}

function linkOver(socket: Socket, initiator: boolean, capabilities: Capabilities, user: SessionUser): Link {
  const end = { address: "127.0.0.1", port: 0 };
  const facts = { id: "", remote: end, local: end, secure: null, inbound: !initiator, recognised: nothing };
  const timers = { disctc: 60_000, rto: 60_000, disctd: 60_000, discts: 60_000, disctr: 60_000 };
  return new Link({
    ...{ connection: connection(socket, facts, (error) => netError(error, "peer")), initiator, timers, user },
    session: initiator ? { capabilities, code: "O0013A", password: "" } : {},
    clock: systemClock,
  });
}

/** A file as the spool gives it out, from `position` on. */
function outgoing(file: OpenFile, size: number, position: number, unreadable = Infinity): Outgoing {
  let at = position;
  return {
    size,
    async read(buffer) {
      if (at >= unreadable) throw new Error("the disk cannot be read");
      const count = await file.read(buffer, at);
      at += count;
      return count;
    },
    digest: () => "",
    close: () => file.close(),
  };
}

function incoming(file: OpenFile, position: number, full = Infinity): Incoming {
  let at = position;
  return {
    path: "",
    get length() {
      return at;
    },
    async write(buffers) {
      const [begun] = [at];
      for (const { length } of buffers) at += length;
      if (at > full) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
      await file.write(buffers, begun);
    },
    async sync() {
      await file.sync();
      return at;
    },
    digest: () => "",
    close: () => file.close(),
  };
}

/** Sends one file; what arrived, and how either end saw it end. */
async function carry(t: Test, which: Case) {
  const folder = mkdtempSync(join(tmpdir(), "cyg-flow-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { octets, sdeb = 65_535, cred = 64, from = 0 } = which;
  const capabilities: Capabilities = {
    ...{ levels: [5], sdeb, cred, sr: "B", compression: true, restart: true, authentication: false },
  };
  const position: Position = { ...START, offset: from, octets: from };
  writeFileSync(join(folder, "from"), octets);
  writeFileSync(join(folder, "to"), octets.subarray(0, from));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [Socket];
  server.close();

  const target = await systemFileSystem.open(join(folder, "to"), "update");
  const file = incoming(target, from, which.full);
  const stopped = new Waiter<void>();
  let broke = "";
  let due = false;
  let received = 0;
  const credit = (): void => {
    if (!due || !inflow.keepsUp || listener.over || which.silent) return;
    due = false;
    listener.request({ type: "F_DATA_RS" });
  };
  const inflow = new Inflow(file, unpackerFor("U", 0, position), position, octets.length, {
    pause: () => listener.pause(),
    resume: () => listener.resume(),
    caughtUp: credit,
    synced: () => Promise.resolve(),
    broke: (error) => {
      broke = String(error);
    },
  });
  const listener = linkOver(accepted, false, capabilities, {
    ...SILENT,
    connectIndication: () =>
      listener.request({ type: "F_CONNECT_RS", capabilities, code: "O0013B", password: "" }),
    startFile: () => listener.request({ type: "F_START_FILE_RS", answer: { accept: 0n } }),
    data: (subrecords, last) => {
      received += subrecords.length;
      inflow.take(subrecords);
      if (last) due = true;
      if (received >= (which.cut ?? Infinity) || (last && which.silent)) listener.destroy();
      credit();
    },
    closeFile: () => listener.request({ type: "F_CLOSE_FILE_RS", answer: { speaker: false } }),
    ended: () => void stopped.give(),
  });
  const arrived = stopped.wait();
  listener.start();

  const opened = new Waiter<void>();
  const started = new Waiter<unknown>();
  const more = new Waiter<void>();
  const closed = new Waiter<unknown>();
  const speaker = linkOver(socket, true, capabilities, {
    ...SILENT,
    connectConfirmed: () => void opened.give(),
    startFileConfirmed: (answer) => void started.give(answer),
    dataConfirmed: () => void more.give(),
    closeFileConfirmed: (answer) => void closed.give(answer),
    ended: () => more.fail(new Error("the session is over")),
  });
  const open = opened.wait();
  speaker.start();
  await open;
  const start = started.wait();
  speaker.request({ type: "F_START_FILE_RQ", sfid: SFID });
  await start;
  const source = await systemFileSystem.open(join(folder, "from"), "read");
  let outcome = "";
  let counted = -1;
  try {
    const counts = await sendData({
      ...{ link: speaker, format: "U", lrecl: 0, compressed: true, position, progress: nothing },
      file: outgoing(source, octets.length, from, which.unreadable),
      credit: () => more.wait(),
    });
    counted = counts.octets;
    while (speaker.machine.state !== "OPO") await more.wait();
    const answered = closed.wait();
    speaker.request({ type: "F_CLOSE_FILE_RQ", efid: { type: "EFID", rcnt: 0n, ucnt: BigInt(counted) } });
    await answered;
  } catch (error) {
    outcome = (error as Error).message;
  }
  speaker.destroy();
  await arrived;
  await inflow.drain();
  await inflow.drain();
  await Promise.all([source.close(), target.close()]);
  return { outcome, counted, broke, written: inflow.written, there: readFileSync(join(folder, "to")) };
}

/** Reads and writes that were given up end by themselves, and then their memory is free. */
async function allBack(t: Test, before: number): Promise<void> {
  for (let tries = 0; freeSlots() < before && tries < 5000; tries++)
    await new Promise((resolve) => setImmediate(resolve));
  t.equal(freeSlots(), before, "all memory has come back");
}

const sha256 = (octets: Buffer): string => createHash("sha256").update(octets).digest("hex");
const MIB = 1024 * 1024;
const noise = randomBytes(9 * MIB + 777);
const blanks = Buffer.concat(Array.from({ length: 3000 }, (_, n) => Buffer.from(`${n}`.padEnd(1500))));

test("whole files arrive, whatever their size, buffers and credit", async (t) => {
  const cases: Case[] = [
    { name: "nothing", octets: Buffer.alloc(0) },
    { name: "one octet", octets: Buffer.from("a") },
    { name: "a small file", octets: noise.subarray(0, 100_000) },
    { name: "noise", octets: noise },
    { name: "blanks", octets: blanks },
    { name: "small buffers", octets: noise.subarray(0, 2 * MIB), sdeb: 128, cred: 3 },
    { name: "one buffer of credit", octets: noise.subarray(0, MIB), sdeb: 4096, cred: 1 },
    { name: "the largest buffers", octets: noise, sdeb: 99_999, cred: 999 },
    { name: "from a restart position on", octets: noise, from: 5 * MIB },
  ];
  const before = freeSlots();
  for (const which of cases) {
    const { outcome, counted, there } = await carry(t, which);
    t.strictSame(
      [outcome, counted, sha256(there)],
      ["", which.octets.length, sha256(which.octets)],
      which.name,
    );
  }
  await allBack(t, before);
});

test("what breaks in the middle leaves a right beginning, and takes no memory with it", async (t) => {
  const cases: (Case & { error: RegExp })[] = [
    { name: "the file cannot be read", octets: noise, unreadable: 3 * MIB, error: /cannot be read/ },
    { name: "the line is cut", octets: noise, cut: 2 * MIB, error: /session is over/ },
    { name: "no credit comes", octets: noise, silent: true, error: /session is over/ },
    { name: "the disk is full", octets: noise, full: 2 * MIB, error: /^$/ },
  ];
  const before = freeSlots();
  for (const which of cases) {
    const { outcome, broke, written, there } = await carry(t, which);
    t.match(outcome, which.error, `${which.name}: what the Speaker hears`);
    t.equal(broke !== "", which.full !== undefined, "what the Listener's disk says");
    t.ok(there.equals(noise.subarray(0, there.length)), "what is there is the file's beginning");
    t.equal(there.length, written, "and as long as was said");
  }
  await allBack(t, before);
});
