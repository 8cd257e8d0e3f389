/** A partner that speaks OFTP by hand: what a product would send, and what none ever should. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { decode, encode } from "../../src/oftp/wire/codec.ts";
import type { Command, Eerp, Nerp, Sfid, Ssid } from "../../src/oftp/wire/commands.ts";
import { DATA } from "../../src/oftp/wire/layout.ts";
import { frame, StreamDecoder } from "../../src/oftp/wire/stream.ts";
import type { Gateway } from "./harness.ts";

export type Received = Command | { type: "DATA"; subrecords: Buffer };

/** Longest wait for anything that is to come, ms: longer than every timer that the tests set. */
const PATIENCE = 15_000;

export class Raw {
  readonly socket: Socket;
  /** The other side has closed its half, or the line is gone. */
  ended = false;
  readonly #decoder = new StreamDecoder();
  readonly #arrived: Received[] = [];
  #news: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#decoder.push(chunk, (buffer) => {
        const data = buffer[0] === DATA;
        this.#arrived.push(
          data ? { type: "DATA", subrecords: Buffer.from(buffer.subarray(1)) } : decode(buffer, 5),
        );
        return true;
      });
      this.#news();
    });
    const over = () => {
      this.ended = true;
      this.#news();
    };
    // a reset is one way of being hung up on
    socket.on("error", over).on("end", over).on("close", over);
  }

  /** Connects in clear, or over TLS without looking at the certificate, and with one of its own where it is given. */
  static async connect(port: number, secure: boolean | ConnectionOptions = false): Promise<Raw> {
    const to = { host: "127.0.0.1", port };
    const own = secure === true ? {} : secure;
    const socket = own ? connectTls({ ...to, ...own, rejectUnauthorized: false }) : connect(to);
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? "secureConnect" : "connect", resolve).once("error", reject);
    });
    return new Raw(socket);
  }

  /** The side of one that was called. */
  static accept(socket: Socket): Raw {
    return new Raw(socket);
  }

  send(...commands: Command[]): this {
    for (const command of commands) this.bytes(frame(encode(command, 5)));
    return this;
  }

  /** One exchange buffer, whatever is in it. */
  buffer(octets: Buffer | string): this {
    return this.bytes(frame(Buffer.from(octets as string, "latin1")));
  }

  bytes(octets: Buffer): this {
    if (!this.socket.destroyed) this.socket.write(octets);
    return this;
  }

  /** Octets as one piece of the line, handed over before this resolves. */
  async piece(octets: Buffer): Promise<void> {
    if (octets.length === 0 || this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.socket.write(octets, () => resolve());
    });
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The next exchange buffer, or null when the other side has closed. Rejects after 15 s of silence. */
  async next(): Promise<Received | null> {
    const deadline = performance.now() + PATIENCE;
    while (this.#arrived.length === 0 && !this.ended) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error("the gateway says nothing");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#news = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#arrived.shift() ?? null;
  }

  /** The next exchange buffer, which must be this command. */
  async expect<T extends Received["type"]>(type: T): Promise<Extract<Received, { type: T }>> {
    const received = await this.next();
    if (received?.type !== type) throw new Error(`${type} was expected, ${words(received)} came`);
    return received as Extract<Received, { type: T }>;
  }

  /** All that comes until the other side closes; after an ESID it is our part to close first. */
  async rest(): Promise<Received[]> {
    const all: Received[] = [];
    for (;;) {
      const received = await this.next();
      if (received === null) return all;
      all.push(received);
      if (received.type === "ESID") this.socket.end();
    }
  }

  /** What ended the session: "ESID 02", "ESID 00", or "closed" when there was no ESID before the close. */
  async outcome(): Promise<string> {
    const esid = (await this.rest()).find(({ type }) => type === "ESID");
    this.close();
    return esid?.type === "ESID" ? `ESID ${String(esid.reas).padStart(2, "0")}` : "closed";
  }

  /** SSRM and both SSIDs. */
  async open(changes: Partial<Ssid> = {}): Promise<Ssid> {
    await this.expect("SSRM");
    this.send(ssid(changes));
    return this.expect("SSID");
  }

  close(): void {
    this.socket.destroy();
  }
}

export function words(received: Received | null): string {
  if (received === null) return "the end of the line";
  return "reas" in received ? `${received.type} ${received.reas} ${received.reast}` : received.type;
}

/** Opens a session as the partner RAW (see `rawPartner`). */
export async function session(port: number, changes: Partial<Ssid> = {}, secure = false): Promise<Raw> {
  const raw = await Raw.connect(port, secure);
  await raw.open(changes);
  return raw;
}

export function ssid(changes: Partial<Ssid> = {}): Ssid {
  return {
    type: "SSID",
    lev: 5,
    code: "O0999RAW",
    pswd: "RAWPW",
    sdeb: 4096,
    sr: "B",
    cmpr: true,
    rest: true,
    spec: false,
    cred: 8,
    auth: false,
    user: "",
    ...changes,
  };
}

let counter = 0;

/** A file of RAW for HUB; every call gives another time stamp, so another file. */
export function sfid(changes: Partial<Sfid> = {}): Sfid {
  counter++;
  return {
    type: "SFID",
    dsn: "RAW.DAT",
    date: "20261120",
    time: `10${String(counter).padStart(8, "0")}`,
    user: "",
    dest: "O0999HUB",
    orig: "O0999RAW",
    fmt: "U",
    lrecl: 0,
    fsiz: 1n,
    osiz: 1n,
    rest: 0n,
    sec: 0,
    ciph: 0,
    comp: 0,
    env: 0,
    sign: false,
    desc: "",
    ...changes,
  };
}

/** DATA with one subrecord, the last of its record, of at most 63 octets. */
export function data(text: string): Buffer {
  const octets = Buffer.from(text);
  return Buffer.concat([Buffer.of(DATA, 0x80 | octets.length), octets]);
}

const NONE = Buffer.alloc(0);
export const CD: Command = { type: "CD" };
export const RTR: Command = { type: "RTR" };

type Identity = Pick<Sfid, "dsn" | "date" | "time">;

/** RAW's positive and negative response to a file of HUB. */
export const eerp = ({ dsn, date, time }: Identity): Eerp => {
  return {
    type: "EERP",
    dsn,
    date,
    time,
    user: "",
    dest: "O0999HUB",
    orig: "O0999RAW",
    hsh: NONE,
    sig: NONE,
  };
};
export const nerp = ({ dsn, date, time }: Identity): Nerp => {
  const names = { dsn, date, time, dest: "O0999HUB", orig: "O0999RAW", crea: "O0999RAW" };
  return { type: "NERP", ...names, reas: 34, reast: "no", hsh: NONE, sig: NONE };
};

/** Opens the session, takes HUB's next file up to its offer. */
export async function offered(port: number): Promise<{ raw: Raw; file: Sfid }> {
  const raw = await session(port, { sdeb: 128, cred: 1 });
  raw.send(CD);
  for (;;) {
    const received = await raw.next();
    if (received?.type === "SFID") return { raw, file: received };
    if (received?.type !== "EERP") throw new Error(`SFID was expected, ${words(received)} came`);
    raw.send(RTR);
  }
}

/** Takes an offered file to its EFID. */
export async function drained(port: number): Promise<{ raw: Raw; file: Sfid }> {
  const { raw, file } = await offered(port);
  raw.send({ type: "SFPA", acnt: 0n });
  for (;;) {
    const received = await raw.next();
    if (received?.type === "EFID") return { raw, file };
    if (received?.type !== "DATA") throw new Error(`DATA was expected, ${words(received)} came`);
    raw.send({ type: "CDT" });
  }
}

/** A partner's file for one that only calls. */
export function callerToml(id: string, prot: readonly string[] = ["OFTP", "OFTPS"], more = ""): string {
  return `[[cftpart]]
id = "${id}"
prot = ${JSON.stringify(prot)}
nspassw = "HUBPW"
nrpart = "O0999${id}"
nrpassw = "${id}PW"
${more}
`;
}

/** Changes one configuration file, saved as editors do: written beside and renamed. */
export async function edit(
  gateway: Gateway,
  name: string,
  change: (text: string) => string,
): Promise<string> {
  const before = await readFile(`${gateway.directory}/${name}`, "utf8");
  const after = change(before);
  if (after === before) throw new Error(`the edit of ${name} changes nothing`);
  await gateway.write(name, after);
  return before;
}

/** A key and a certificate that openssl made for nobody but itself: `name`.key and `name`.pem; gives the latter's path. */
export function selfSigned(directory: string, name: string, commonName: string): string {
  const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const request = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "9",
    "-subj",
    `/CN=${commonName}`,
  ];
  execFileSync("openssl", [...request, "-keyout", key, "-out", certificate], { stdio: "ignore" });
  return certificate;
}

/** Resident memory of a process, in MiB: now, or the most that it ever was. */
export function residentMemory(pid: number, when: "now" | "most" = "now"): number {
  const name = when === "now" ? "VmRSS" : "VmHWM";
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(
    readFileSync(`/proc/${pid}/status`, "utf8"),
  )?.[1];
  return Number(kilobytes) / 1024;
}

/** SHA-256 of the certificate that a TLS port shows to a new caller; null when it does not answer TLS. */
export function certificateOf(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", () => resolve(null));
    socket.setTimeout(5_000, () => socket.destroy(new Error("silence")));
  });
}

/** Whether somebody accepts calls at a port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Stands between a caller and a port, and lets octets to the port through at a rate that can be changed. */
export class Throttle {
  readonly port: number;
  /** Octets a second towards the port. */
  rate: number;
  /** Octets that went to the port. */
  passed = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, rate: number) {
    this.#server = server;
    this.rate = rate;
    this.port = (server.address() as AddressInfo).port;
  }

  static async before(port: number, rate: number): Promise<Throttle> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve());
    });
    const throttle = new Throttle(server, rate);
    server.on("connection", (caller) => throttle.#join(caller, port));
    return throttle;
  }

  #join(caller: Socket, port: number): void {
    const target = connect({ host: "127.0.0.1", port });
    for (const [socket, other] of [
      [caller, target],
      [target, caller],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        other.destroySoon();
      });
      socket.on("error", () => other.destroy());
    }
    target.pipe(caller);
    caller.on("data", (chunk: Buffer) => {
      this.passed += chunk.length;
      target.write(chunk);
      if (this.rate === Number.POSITIVE_INFINITY && !target.writableNeedDrain) return;
      caller.pause();
      if (target.writableNeedDrain) target.once("drain", () => caller.resume());
      else setTimeout(() => caller.resume(), (chunk.length / this.rate) * 1000);
    });
    caller.once("end", () => target.end());
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
