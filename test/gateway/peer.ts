/**
 * A partner made of recorded exchange buffers: it says what the recorded one said, at the places where it belongs, and
 * lets each buffer be changed on its way. When the gateway does not go along it pushes on.
 */
import type { Socket } from "node:net";
import { commandOf, Framer, type Passed, type Way } from "./proxy.ts";

/** What one side of a recorded session said. Framed buffers. */
export interface Recording {
  level: number;
  way: Way;
  ssid: Buffer;
  files: { sfid: Buffer; data: Buffer[]; efid: Buffer }[];
  /** The last of each command. */
  last: Map<string, Buffer>;
  credit: number;
}

export function recordingOf(passed: readonly Passed[], way: Way, level: number): Recording {
  const own = passed.filter((each) => each.way === way).map(({ frame }) => frame);
  const recording: Recording = {
    level,
    way,
    ssid: own.find((frame) => commandOf(frame) === "SSID") as Buffer,
    files: [],
    last: new Map(own.map((frame) => [commandOf(frame), frame])),
    credit: 0,
  };
  // who ends a session is a matter of whose turn it is: the words are the same
  const end = passed.find(({ frame }) => commandOf(frame) === "ESID");
  if (end) recording.last.set("ESID", end.frame);
  const credits = passed.filter(({ frame }) => commandOf(frame) === "SSID");
  recording.credit = Math.min(...credits.map(({ frame }) => Number(frame.toString("latin1", 48, 51))));
  for (const frame of own) {
    const file = recording.files.at(-1);
    if (commandOf(frame) === "SFID") recording.files.push({ sfid: frame, data: [], efid: frame });
    else if (commandOf(frame) === "DATA") file?.data.push(frame);
    else if (commandOf(frame) === "EFID" && file) file.efid = frame;
  }
  return recording;
}

export interface PeerOptions {
  socket: Socket;
  recording: Recording;
  /** Which of the recorded files it sends when it is its turn. */
  files: Recording["files"];
  /** Identification code to take instead of the recorded one when the gateway calls with its own. */
  code?: (theirs: string) => string;
  /** A time stamp for each file: digits as in SFIDTIME of OFTP 1.4. */
  stamp: () => string;
  /** What is sent in place of a buffer; the same one when nothing happens to it. */
  alter: (frame: Buffer) => Buffer[];
  /** True once a buffer was changed: from then on the gateway need not go along. */
  altered: () => boolean;
}

/** The line is closed, or ESID has come. */
class Over extends Error {}

/** Wait for what a good gateway says next, and for one that was told nonsense, ms. */
const PATIENCE = 2_000;
const SHORT = 40;
/** Turns that a session takes at most after the first ones. */
const TURNS = 5;
/** A gateway that has something to wait for must give up by then, ms. */
const LIMIT = 12_000;

export class Peer {
  /** Every buffer and piece that was handed to the line. */
  readonly sent: Buffer[] = [];
  readonly heard: string[] = [];
  /** ESID that came: reason and text. */
  esid = "";
  readonly #options: PeerOptions;
  readonly #framer = new Framer();
  readonly #queue: Buffer[] = [];
  /** Files that are owed an EERP: their SFIDs. */
  readonly #owed: Buffer[] = [];
  #codes: { own: string; theirs: string } | null = null;
  #closed = false;
  #news: () => void = () => {};

  constructor(options: PeerOptions) {
    this.#options = options;
    const { socket } = options;
    const over = () => {
      this.#closed = true;
      this.#news();
    };
    socket.on("error", over).on("end", over).on("close", over);
    socket.on("data", (chunk: Buffer) => {
      this.#queue.push(...this.#framer.push(chunk));
      this.#news();
    });
  }

  /** Plays the session. Resolves "closed" when the gateway has closed the line, "hung" when it never did. */
  async run(): Promise<"closed" | "hung"> {
    const { recording, socket } = this.#options;
    try {
      if (recording.way === "call") await this.#call();
      else await this.#answer();
    } catch (error) {
      if (!(error instanceof Over)) throw error;
    }
    const deadline = performance.now() + LIMIT;
    while (!this.#closed && performance.now() < deadline) {
      if (this.esid !== "") socket.end();
      const frame = await this.#next(Math.min(LIMIT, deadline - performance.now()));
      if (frame) this.#note(frame);
    }
    socket.destroy();
    return this.#closed ? "closed" : "hung";
  }

  async #call(): Promise<void> {
    await this.#await("SSRM");
    this.#ssid();
    await this.#await("SSID");
    await this.#speak();
    for (let turn = 0; turn < TURNS; turn++) {
      await this.#listen();
      await this.#speak(false);
    }
  }

  async #answer(): Promise<void> {
    const { recording } = this.#options;
    this.#say(recording.last.get("SSRM"));
    const ssid = await this.#await("SSID");
    const theirs = ssid?.toString("latin1", 6, 31).trimEnd() ?? "";
    const { code } = this.#options;
    if (code && theirs !== "") this.#codes = { own: code(theirs), theirs };
    this.#ssid();
    await this.#listen();
    await this.#speak();
    for (let turn = 0; turn < TURNS; turn++) {
      await this.#listen();
      await this.#speak(false);
    }
  }

  #ssid(): void {
    const frame = Buffer.from(this.#options.recording.ssid);
    if (this.#codes) frame.write(this.#codes.own.padEnd(25), 6, "latin1");
    this.#say(frame);
  }

  /** The Speaker's turn: the responses owed, files, CD; the end of the session when there is nothing more. */
  async #speak(files = true): Promise<void> {
    const { recording } = this.#options;
    const { last } = recording;
    if (!files && this.#owed.length === 0) return this.#say(last.get("ESID"));
    for (const sfid of this.#owed.splice(0)) {
      const eerp = Buffer.from(last.get("EERP") ?? sfid);
      // name and stamps stand where they stand in SFID, destination and originator change places
      sfid.copy(eerp, 5, 5, 52);
      sfid.copy(eerp, 60, 85, 110);
      sfid.copy(eerp, 85, 60, 85);
      this.#say(eerp);
      await this.#await("RTR");
    }
    for (const { sfid, data, efid } of files ? this.#options.files : []) {
      const fresh = Buffer.from(sfid);
      const [at, width] = recording.level >= 4 ? [42, 10] : [46, 6];
      fresh.write(this.#options.stamp().slice(-width), at, "latin1");
      if (this.#codes) fresh.write(this.#codes.theirs.padEnd(25) + this.#codes.own.padEnd(25), 60, "latin1");
      this.#say(fresh);
      if (commandOf((await this.#await("SFPA", "SFNA")) ?? fresh) === "SFNA") continue;
      for (const [index, buffer] of data.entries()) {
        this.#say(buffer);
        if ((index + 1) % recording.credit === 0) await this.#await("CDT");
      }
      this.#say(efid);
      await this.#await("EFPA", "EFNA");
    }
    this.#say(last.get("CD"));
  }

  /** Hears the gateway out until the turn comes back, or nothing comes any more. */
  async #listen(): Promise<void> {
    const { recording } = this.#options;
    const { last } = recording;
    let buffers = 0;
    for (;;) {
      const frame = await this.#heard();
      if (frame === null) {
        if (this.#options.altered()) return;
        continue;
      }
      const command = commandOf(frame);
      if (command === "CD") return;
      if (command === "SFID") {
        buffers = 0;
        this.#owed.push(frame);
        this.#say(last.get("SFPA"));
      } else if (command === "DATA") {
        buffers++;
        if (buffers % recording.credit === 0) this.#say(last.get("CDT"));
      } else if (command === "EFID") this.#say(last.get("EFPA"));
      else if (command === "EERP" || command === "NERP") this.#say(last.get("RTR"));
    }
  }

  #say(frame: Buffer | undefined): void {
    if (frame === undefined) return;
    const { socket, alter } = this.#options;
    if (this.#closed || socket.destroyed || !socket.writable) throw new Over();
    for (const each of alter(frame)) {
      this.sent.push(each);
      socket.write(each);
    }
  }

  /** Waits for one of these commands; null when something else came or nothing. */
  async #await(...commands: string[]): Promise<Buffer | null> {
    for (;;) {
      const frame = await this.#heard();
      if (frame === null || commands.includes(commandOf(frame))) return frame;
      if (this.#options.altered()) return null;
    }
  }

  async #heard(): Promise<Buffer | null> {
    const frame = await this.#next(this.#options.altered() ? SHORT : PATIENCE);
    if (frame) this.#note(frame);
    if (this.#closed || this.esid !== "") throw new Over();
    return frame;
  }

  #note(frame: Buffer): void {
    const command = commandOf(frame);
    if (this.heard.length < 200) this.heard.push(command);
    if (command === "ESID") this.esid = frame.toString("latin1", 5);
  }

  async #next(patience: number): Promise<Buffer | null> {
    if (this.#queue.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience);
        this.#news = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#queue.shift() ?? null;
  }
}

/**
 * Reads octets that were sent as a gateway has to and gives every file that was said in full: its data between SFID
 * and an EFID whose count is right. Contents as they stand in the inbox: of text, of lines.
 */
export function filesIn(sent: readonly Buffer[]): Buffer[] {
  const files: Buffer[] = [];
  let data: Buffer[] | null = null;
  for (const frame of new Framer().push(Buffer.concat(sent))) {
    const command = commandOf(frame);
    if (command === "SFID") data = [];
    else if (command === "DATA") data?.push(frame.subarray(5));
    else if (command === "EFID" && data) {
      const records = recordsIn(data);
      const octets = records.reduce((sum, { length }) => sum + length, 0);
      const text = frame.toString("latin1", 5);
      const count = Number(text.slice(frame.length === 39 ? 17 : 9));
      if (count === octets) {
        files.push(Buffer.concat(records));
        files.push(Buffer.concat(records.flatMap((record) => [record, Buffer.from("\n")])));
      }
      data = null;
    }
  }
  return files;
}

/** Records of a file by its subrecords' end flags; what has none at the end is one more. */
function recordsIn(data: readonly Buffer[]): Buffer[] {
  const records: Buffer[] = [];
  let record: Buffer[] = [];
  for (const subrecords of data) {
    for (let at = 0; at < subrecords.length; ) {
      const header = subrecords[at++] as number;
      const count = header & 0x3f;
      const packed = (header & 0x40) !== 0;
      record.push(packed ? Buffer.alloc(count, subrecords[at] ?? 0) : subrecords.subarray(at, at + count));
      at += packed ? 1 : count;
      if ((header & 0x80) === 0) continue;
      records.push(Buffer.concat(record));
      record = [];
    }
  }
  if (record.length > 0) records.push(Buffer.concat(record));
  return records;
}
