/**
 * One OFTP session over one connection: bytes in, commands to the machine, actions out, timers, closing.
 * What a session means (files, responses, partners) is the user's business: see `SessionUser`.
 *
 * Invariants
 * - Exchange buffers reach the machine in the order of the wire, one at a time.
 * - After the end of a session the user hears `ended` exactly once, and nothing after it.
 * - Nothing keeps octets of a chunk beyond the call that brings it: commands hold copies, data are unpacked at once.
 */
import type { Connection } from "../net/connection.ts";
import type { SessionAction, SessionEvent } from "../oftp/session/events.ts";
import { SessionMachine, type SessionOptions } from "../oftp/session/machine.ts";
import type { Agreement } from "../oftp/session/negotiate.ts";
import { type TimerName, timerOf } from "../oftp/session/timers.ts";
import { decode, encode, WireError } from "../oftp/wire/codec.ts";
import type { Command, Eerp, Efid, Nerp, Sfid, Ssid } from "../oftp/wire/commands.ts";
import { DATA } from "../oftp/wire/layout.ts";
import { frame, MAX_BUFFER, StreamDecoder } from "../oftp/wire/stream.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";

/** How a session came to its end. */
export interface SessionEnd {
  /** True for ESID 00 and for an idle session that timed out. */
  normal: boolean;
  /** ESID reason; 99 when the line was lost. */
  reason: number;
  text: string;
  origin: "local" | "distant";
  /** The line went away without an ESID. */
  lost?: true;
  /** What the system said of it, when it said something: "EPIPE". */
  fault?: string;
}

/** What a session tells and asks its user. Asynchronous work is the user's: the machine waits in its state. */
export interface SessionUser {
  connectIndication(ssid: Ssid): void;
  connectConfirmed(ssid: Ssid, agreement: Agreement): void;
  /** Responder: the session is open. */
  connectOpened(agreement: Agreement): void;
  /** Secure authentication: the partner wants to be challenged (answer F_CHALLENGE_RS). */
  challenge(): void;
  /** Secure authentication: a challenge for us, a CMS envelope (answer F_RESPOND_RS). */
  respond(chal: Buffer): void;
  startFile(sfid: Sfid): void;
  startFileConfirmed(answer: { accept: bigint } | { reason: number; retry: boolean; text: string }): void;
  /** Subrecords of one data exchange buffer; valid only during the call. `credit`: the window is used up. */
  data(subrecords: Buffer, credit: boolean): void;
  /** Credit has come: data may go on. */
  dataConfirmed(): void;
  closeFile(efid: Efid): void;
  closeFileConfirmed(answer: { speaker: boolean } | { reason: number; text: string }): void;
  eerp(eerp: Eerp): void;
  nerp(nerp: Nerp): void;
  rtr(): void;
  /** This side is the Speaker now. */
  turn(): void;
  tolerated(name: string): void;
  ended(end: SessionEnd): void;
}

export interface LinkOptions {
  connection: Connection;
  initiator: boolean;
  session: SessionOptions;
  /** Milliseconds by name; 0 = for ever. */
  timers: Record<Exclude<TimerName, "none">, number>;
  clock: Clock;
  user: SessionUser;
  /** Called with each command, for the protocol trace; undefined = no trace. */
  trace?: ((direction: "in" | "out", command: Command) => void) | undefined;
}

/** Longest exchange buffer before both sides have said who they are, octets: SSID has 61, ESID with its words 1,006. */
const GREETING = 2048;
/** Longest wait for the rest of an exchange buffer that has begun, ms. */
const STALL = 60_000;

const LOST: SessionEnd = {
  normal: false,
  reason: 99,
  text: "the connection was lost",
  origin: "distant",
  lost: true,
};

const DATA_EVENT: SessionEvent = { type: "DATA" };

export class Link {
  readonly connection: Connection;
  readonly machine: SessionMachine;
  readonly #options: LinkOptions;
  readonly #decoder = new StreamDecoder();
  #timer: Timer | null = null;
  #armed: TimerName = "none";
  #armedAt = 0;
  #end: SessionEnd | null = null;
  #over = false;
  #fault: string | undefined;
  #subrecords: Buffer | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.connection = options.connection;
    this.machine = new SessionMachine(options.session);
    this.#decoder.longest = GREETING;
  }

  /** Begins the session on a connection that is open and, with TLS, secured. */
  start(): void {
    const { stream } = this.connection;
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#fault ??= error.code ?? error.message;
    });
    stream.on("end", () => this.#closed());
    stream.on("close", () => {
      this.#closed();
      // what would have cut the line must not keep the whole session in memory for its time
      this.#timer?.cancel();
    });
    if (this.#options.initiator) {
      this.machine.input({ type: "F_CONNECT_RQ" });
      this.request({ type: "N_CON_CF" });
    } else {
      this.request({ type: "N_CON_IND" });
    }
  }

  /** The session has ended, or only the partner's close is awaited: there is nothing more to say. */
  get over(): boolean {
    return this.#over || this.machine.state === "WF_NDISC";
  }

  /**
   * A request of the user. Without effect once the session is over: the user hears `ended`.
   * @throws CygnetError CYG_OFTP_USER when the session's state does not allow it
   */
  request(event: SessionEvent): void {
    if (this.over) return;
    this.#perform(this.machine.input(event));
    this.#arm();
  }

  /** Ends the session with an ESID reason; harmless when it has ended already. */
  end(reason: number, text: string): void {
    if (this.over || this.machine.state === "IDLE") return;
    this.request({ type: "F_RELEASE_RQ", reason, text });
  }

  /** Cuts the line without a word. */
  destroy(): void {
    this.connection.stream.destroy();
  }

  /** Octets have left for the partner: what it owes us is awaited from now on. */
  alive(): void {
    this.#arm();
  }

  pause(): void {
    this.connection.stream.pause();
  }

  resume(): void {
    this.connection.stream.resume();
  }

  #receive(chunk: Buffer): void {
    if (this.#over) return;
    this.#trustMore();
    try {
      this.#decoder.push(chunk, (buffer) => this.#buffer(buffer));
    } catch (error) {
      if (error instanceof WireError) this.#invalid(error);
      else this.#fail(error);
    }
    giveMemoryBack(chunk);
    this.#arm();
  }

  #buffer(buffer: Buffer): boolean {
    try {
      if (buffer[0] === DATA) {
        const agreed = this.machine.agreement;
        if (agreed && buffer.length > agreed.sdeb) {
          throw new WireError(
            7,
            `a data exchange buffer of ${buffer.length} octets, agreed are ${agreed.sdeb}`,
          );
        }
        this.#subrecords = buffer.subarray(1);
        this.#perform(this.machine.input(DATA_EVENT));
      } else {
        const command = decode(buffer, this.machine.level, (name) => {
          // before the SSIDs both forms of an ESID are right
          if (name === "esid-form" && !this.machine.agreement) return;
          if (!this.machine.tolerates(name))
            throw new WireError(6, `${name} is not tolerated of this partner`);
          this.#options.user.tolerated(name);
        });
        this.#options.trace?.("in", command);
        this.#perform(this.machine.input(command));
      }
    } catch (error) {
      if (error instanceof WireError) this.#invalid(error);
      else this.#fail(error);
    }
    this.#trustMore();
    return !this.#over;
  }

  /** Both have said who they are: whole exchange buffers may come. */
  #trustMore(): void {
    if (this.machine.agreement) this.#decoder.longest = MAX_BUFFER;
  }

  #invalid(error: WireError): void {
    this.#perform(this.machine.input({ type: "INVALID", reason: error.esid, text: error.message }));
  }

  /** Something of our own went wrong while handling a command: the partner gets 99, the cause goes to the log. */
  #fail(error: unknown): void {
    this.#end ??= { normal: false, reason: 99, text: `internal error: ${describe(error)}`, origin: "local" };
    try {
      this.end(99, "internal error");
    } catch {
      this.destroy();
    }
  }

  #perform(actions: readonly SessionAction[]): void {
    for (const action of actions) this.#act(action);
  }

  #act(action: SessionAction): void {
    const { user } = this.#options;
    switch (action.do) {
      case "F_DATA_IND":
        return user.data(this.#subrecords as Buffer, action.credit);
      case "F_DATA_CF":
        return user.dataConfirmed();
      case "send":
        this.#options.trace?.("out", action.command);
        if (!this.connection.stream.destroyed) {
          this.connection.stream.write(frame(encode(action.command, action.level)));
        }
        if (action.command.type === "ESID") {
          this.#end ??= {
            normal: action.command.reas === 0,
            reason: action.command.reas,
            text: action.command.reast,
            origin: "local",
          };
        }
        return;
      case "disconnect":
        return this.#disconnect();
      case "F_CONNECT_IND":
        return user.connectIndication(action.ssid);
      case "F_CONNECT_CF":
        return user.connectConfirmed(action.ssid, action.agreement);
      case "OPEN":
        return user.connectOpened(action.agreement);
      case "CHALLENGE":
        return user.challenge();
      case "RESPOND":
        return user.respond(action.chal);
      case "F_START_FILE_IND":
        return user.startFile(action.sfid);
      case "F_START_FILE_CF":
        return user.startFileConfirmed(action.answer);
      case "F_CLOSE_FILE_IND":
        return user.closeFile(action.efid);
      case "F_CLOSE_FILE_CF":
        return user.closeFileConfirmed(action.answer);
      case "F_EERP_IND":
        return user.eerp(action.eerp);
      case "F_NERP_IND":
        return user.nerp(action.nerp);
      case "F_RTR_CF":
        return user.rtr();
      case "F_CD_IND":
        return user.turn();
      case "TOLERATED":
        return user.tolerated(action.name);
      case "F_RELEASE_IND":
        this.#end ??= { normal: true, reason: 0, text: "", origin: "distant" };
        return;
      case "F_ABORT_IND":
        this.#end ??= { normal: false, reason: action.reason, text: action.text, origin: action.origin };
        return;
    }
  }

  /** Closes our side after what was written has gone out; the rest is cut when it takes too long. */
  #disconnect(): void {
    const { stream } = this.connection;
    stream.end();
    this.#timer?.cancel();
    this.#timer = this.#options.clock.timer(5_000, () => stream.destroy());
    this.#finish();
  }

  #closed(): void {
    if (this.#over) return;
    if (this.machine.state !== "IDLE") {
      const idle = this.machine.state === "IDLELI" || this.machine.state === "IDLELICD";
      if (idle && this.machine.agreement) this.#options.user.tolerated("closed-without-esid");
      this.#end ??= this.#fault === undefined ? LOST : { ...LOST, fault: this.#fault };
      this.#perform(this.machine.input({ type: "N_DISC_IND" }));
    }
    this.connection.stream.end();
    this.#timer?.cancel();
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.user.ended(this.#end ?? LOST);
  }

  /** Restarts the timer of the state; cheap enough for every buffer, because it only moves when it is old. */
  #arm(): void {
    if (this.#over) return;
    const { clock, timers, initiator } = this.#options;
    const name = timerOf(this.machine.state, initiator);
    const now = clock.monotonic();
    if (name === this.#armed && now - this.#armedAt < 500) return;
    // a session start that drips in octet by octet gains no time by it
    if (name === "disctc" && name === this.#armed && this.#timer) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#armed = name;
    this.#armedAt = now;
    const wait = name === "none" ? 0 : timers[name];
    const stall = this.#decoder.partial ? STALL : 0;
    const shortest = wait > 0 && stall > 0 ? Math.min(wait, stall) : wait || stall;
    if (shortest > 0) this.#timer = clock.timer(shortest, () => this.#expired(name));
  }

  #expired(name: TimerName): void {
    if (this.#over) return;
    const idle = name === "discts" || name === "disctd";
    const text = this.#decoder.partial ? "an exchange buffer stalled half-way" : `timer ${name} expired`;
    this.#end ??= { normal: idle && this.machine.agreement !== null, reason: 9, text, origin: "local" };
    try {
      this.#perform(this.machine.input({ type: "TIME-OUT" }));
    } catch (error) {
      this.#end = { normal: false, reason: 99, text: describe(error), origin: "local" };
      this.destroy();
    }
  }
}

/** Chunks from this size on are given back by hand. */
const LARGE_CHUNK = 16 * 1024;

/**
 * Gives the memory of a chunk that was read back now. The runtime would only look for it when tens of megabytes have come
 * together, and then looks through the whole heap: a third of the time that receiving a file takes.
 */
function giveMemoryBack(chunk: Buffer): void {
  const { buffer, byteLength } = chunk;
  // only what belongs to the chunk alone: the runtime gives every large read memory of its own
  if (byteLength >= LARGE_CHUNK && buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
}

/** The line went away, or the session ended, while something waited for it. */
export class SessionOver extends CygnetError {
  readonly end: SessionEnd;

  constructor(end: SessionEnd) {
    super("CYG_SESSION_OVER", end.text === "" ? "the session has ended" : end.text);
    this.end = end;
  }
}
