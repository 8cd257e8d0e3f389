/**
 * A line between a caller and a port that knows OFTP's stream headers: it records what passes, buffer by buffer,
 * holds calls back, and cuts the first line that it lets through where it is told to.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { LAYOUTS } from "../../src/oftp/wire/layout.ts";

/** From the caller to the called side, or back. */
export type Way = "call" | "answer";

/** One exchange buffer on the line, stream header included. */
export interface Passed {
  way: Way;
  frame: Buffer;
}

/** Where a line breaks. */
export type Cut = {
  /** Only what goes this way is counted. */
  way: Way;
  /** A reset, as of a host that is gone, instead of a closed line. */
  reset: boolean;
} & (
  | {
      /** So many exchange buffers pass, of this command where there is one. */
      buffers: number;
      command?: string;
      /** Octets of the last one that do not. */
      withheld: number;
    }
  | {
      /** So many octets pass. */
      octets: number;
    }
);

/** What a line carried and where it was cut: the command whose end, or part, was the last to pass. */
export interface LineRecord {
  passed: Passed[];
  cutIn: string | null;
}

const NAMES = new Map<number, string>([
  [0x44, "DATA"],
  ...Object.entries(LAYOUTS).map(([name, { code }]): [number, string] => [code, name]),
]);

/** The command of a framed exchange buffer; "?" for none. */
export function commandOf(frame: Buffer): string {
  return NAMES.get(frame[4] ?? 0) ?? "?";
}

/** Cuts a stream into framed exchange buffers by their headers, whatever is in them. */
export class Framer {
  #rest: Buffer = Buffer.alloc(0);

  /** Octets of a buffer that has begun. */
  get rest(): Buffer {
    return this.#rest;
  }

  push(chunk: Buffer): Buffer[] {
    let octets = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    while (octets.length >= 4) {
      const length = Math.max(octets.readUIntBE(1, 3), 4);
      if (octets.length < length) break;
      frames.push(Buffer.from(octets.subarray(0, length)));
      octets = octets.subarray(length);
    }
    this.#rest = Buffer.from(octets);
    return frames;
  }
}

export class Relay {
  readonly port: number;
  /** Lines, held ones included, that are not over. */
  live = 0;
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: Socket[] = [];
  #open = false;
  #cut: Cut | null = null;
  #first: ((record: LineRecord) => void) | null = null;
  #news: () => void = () => {};

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
  }

  /** Stands before a port of this machine; calls are held until `open`. */
  static async before(target: number): Promise<Relay> {
    const server = createServer({ noDelay: true, pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const relay = new Relay(server, target);
    server.on("connection", (caller) => relay.#accept(caller));
    return relay;
  }

  /**
   * Lets calls through, those held and those to come. The first one is cut as told; the others pass unhindered.
   * @returns what the first line carried, when it is over
   */
  open(cut: Cut | null = null): Promise<LineRecord> {
    this.#open = true;
    this.#cut = cut;
    const record = new Promise<LineRecord>((resolve) => {
      this.#first = resolve;
    });
    for (const caller of this.#held.splice(0)) this.#through(caller);
    return record;
  }

  /** Holds back the calls to come; those held already are hung up on, so that they are made anew. */
  hold(): void {
    this.#open = false;
    for (const caller of this.#held.splice(0)) caller.destroy();
  }

  /** Resolves when no line is left. */
  async quiet(): Promise<void> {
    while (this.live > 0) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  /** Ends everything; the port is free when this resolves. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(caller: Socket): void {
    this.live++;
    this.#sockets.add(caller);
    caller.on("error", () => {});
    caller.once("close", () => {
      this.live--;
      this.#sockets.delete(caller);
      const held = this.#held.indexOf(caller);
      if (held >= 0) this.#held.splice(held, 1);
      this.#news();
    });
    if (this.#open) this.#through(caller);
    else this.#held.push(caller);
  }

  #through(caller: Socket): void {
    const cut = this.#cut;
    const done = this.#first;
    this.#cut = null;
    this.#first = null;
    const called = connect({ host: "127.0.0.1", port: this.#target, noDelay: true });
    this.#sockets.add(called);
    called.on("error", () => {}).once("close", () => this.#sockets.delete(called));
    const record: LineRecord = { passed: [], cutIn: null };
    const closed = Promise.all([once(caller, "close"), once(called, "close")]);
    void closed.then(() => done?.(record));
    this.#carry("call", caller, called, cut, record);
    this.#carry("answer", called, caller, cut, record);
    caller.resume();
  }

  #carry(way: Way, from: Socket, to: Socket, planned: Cut | null, record: LineRecord): void {
    const framer = new Framer();
    const cut = planned?.way === way ? planned : null;
    let left = cut === null ? 0 : "octets" in cut ? cut.octets : cut.buffers;
    const passing = (frame: Buffer): number => {
      if (cut === null) return frame.length;
      if ("octets" in cut) {
        const pass = Math.min(left, frame.length);
        left -= pass;
        return pass;
      }
      if (cut.command === undefined || cut.command === commandOf(frame)) left--;
      return left === 0 ? frame.length - cut.withheld : frame.length;
    };
    from.on("data", (chunk: Buffer) => {
      for (const frame of framer.push(chunk)) {
        if (record.cutIn !== null) return;
        to.write(frame.subarray(0, passing(frame)));
        record.passed.push({ way, frame });
        if (cut === null || left > 0) continue;
        record.cutIn = commandOf(frame);
        // who sent it finds the line dead at once; the other one hears what has passed before
        if (cut.reset) from.resetAndDestroy();
        else from.destroy();
        to.destroySoon();
      }
    });
    from.on("end", () => {
      to.write(framer.rest);
      to.end();
    });
    from.once("close", () => to.destroySoon());
  }
}
