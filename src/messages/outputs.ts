/** Where rendered lines go: winston transports of our own for the log file and for the console. */
import winston from "winston";
import type { Severity } from "./journal.ts";
import { type Event, type Layout, render } from "./layout.ts";
import { LogFile, type LogFileSettings } from "./log-file.ts";

// winston's own File transport loses lines when a rotation falls into a burst, and stalls for ever on a full disk.
// winston exports the base class under this name only; its type declarations have it as `transport`.
const { Transport } = winston as unknown as {
  Transport: new (options: { level: string }) => winston.transport;
};

/** What travels through winston: an event beside winston's own fields. */
export interface LogInfo {
  level: Severity;
  message: string;
  event: Event;
}

/** The line of a message; log file and console mostly want the same. */
function renderOnce(event: Event, layout: Layout): string {
  if (layout !== "V24") return render(event, layout);
  event.line ??= render(event, layout);
  return event.line;
}

/** Told when the file cannot be written (once for each outage) and when it can again. */
export interface FileObserver {
  failed(file: string, error: unknown): void;
  recovered(file: string, lines: number): void;
  /** A line that could not be written. */
  unwritten(line: string): void;
}

/** Lines that are written at once. */
const BATCH = 1000;
/** Time from one write to the next while lines of information and trace come fast, ms. */
const GATHER = 40;
/** Lines within this time, ms, from which on they are gathered: until then each is to be seen as soon as it is written. */
const SPAN = 100;
const MANY = 50;

/** Whether lines come so fast that a write for each would cost more than all else about them. */
class Pace {
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  fast = false;

  /** One more line. */
  line(): void {
    const now = performance.now();
    this.#lines += 1;
    if (this.#lines > MANY) this.fast = true;
    if (now - this.#since < SPAN) return;
    this.fast = this.#lines > MANY;
    this.#since = now;
    this.#lines = 1;
  }
}

/** Writes lines to the log file in order, in batches, one batch at a time. */
export class FileOutput extends Transport {
  layout: Layout;
  #file: LogFile;
  #queue: (string | LogFileSettings)[] = [];
  #running: Promise<void> | null = null;
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** Ends the gathering of lines that is under way. */
  #wake: (() => void) | null = null;
  #observer: FileObserver;
  readonly #pace = new Pace();
  /** Lines not written since the file failed; null while it works. */
  #lost: number | null = null;

  constructor(settings: LogFileSettings, layout: Layout, level: Severity, observer: FileObserver) {
    super({ level });
    this.layout = layout;
    this.#file = new LogFile(settings);
    this.#observer = observer;
  }

  /** Lines that wait to be written. */
  get backlog(): number {
    return this.#queue.length;
  }

  /** Lines that come from now on go where these settings say. */
  redirect(settings: LogFileSettings): void {
    this.#push(settings);
  }

  override log(info: LogInfo, next: () => void): void {
    this.#pace.line();
    this.#push(renderOnce(info.event, this.layout));
    if (info.level !== "I" && info.level !== "T") this.hurry();
    next();
  }

  /** Writes what has been gathered now. */
  hurry(): void {
    this.#writtenAt = Number.NEGATIVE_INFINITY;
    this.#wake?.();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.hurry();
    (this.#running ?? Promise.resolve()).then(() => this.#file.close()).then(() => done(), done);
  }

  #push(item: string | LogFileSettings): void {
    this.#queue.push(item);
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    await null; // lines of the same turn of the event loop go into one batch
    while (this.#queue.length > 0) {
      await this.#gather();
      const [first] = this.#queue;
      if (typeof first === "object") {
        this.#queue.shift();
        await this.#close();
        this.#file = new LogFile(first);
      } else {
        await this.#write();
      }
    }
    this.#running = null;
  }

  /** A write for each line would be most of what a log costs: lines that come fast share one. */
  async #gather(): Promise<void> {
    const wait = this.#writtenAt + GATHER - performance.now();
    if (!this.#pace.fast || wait <= 0 || this.#queue.length >= BATCH) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  async #close(): Promise<void> {
    try {
      await this.#file.close();
    } catch (error) {
      this.#observer.failed(this.#file.settings.fname, error);
    }
  }

  async #write(): Promise<void> {
    const end = this.#queue.findIndex((item, index) => typeof item !== "string" || index === BATCH);
    const lines = this.#queue.slice(0, end < 0 ? this.#queue.length : end) as string[];
    const { fname } = this.#file.settings;
    this.#writtenAt = performance.now();
    try {
      const written = await this.#file.append(lines);
      this.#queue.splice(0, written);
      const lost = this.#lost;
      this.#lost = null;
      if (lost !== null) this.#observer.recovered(fname, lost);
    } catch (error) {
      this.#queue.splice(0, lines.length);
      if (this.#lost === null) this.#observer.failed(fname, error);
      this.#lost = (this.#lost ?? 0) + lines.length;
      for (const line of lines) this.#observer.unwritten(line);
    }
  }
}

const COLOURS: Readonly<Record<Severity, string>> = {
  T: "\u001b[2m",
  I: "",
  W: "\u001b[33m",
  E: "\u001b[31m",
  F: "\u001b[1;31m",
};
const PLAIN = "\u001b[0m";

/** Octets that may wait in a slow console before lines of information are left out there. */
const CONSOLE_BACKLOG = 4 * 1024 * 1024;

/** A stream that lines are shown on; `isTTY` decides on colour. */
export type ConsoleStream = NodeJS.WritableStream & { isTTY?: boolean; writableLength?: number };

/** Shows lines in layout V24 on a console, coloured on a terminal only. Lines that come fast go together. */
export class ConsoleOutput extends Transport {
  #stream: ConsoleStream;
  #gathered = "";
  #shownAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  readonly #pace = new Pace();
  readonly #last = () => this.show();

  constructor(stream: ConsoleStream, level: Severity) {
    super({ level });
    this.#stream = stream;
    process.on("exit", this.#last);
  }

  override log(info: LogInfo, next: () => void): void {
    const { severity } = info.event.message;
    const crowded = (this.#stream.writableLength ?? 0) > CONSOLE_BACKLOG;
    const urgent = severity !== "T" && severity !== "I";
    if (!crowded || urgent) {
      const line = renderOnce(info.event, "V24");
      const colour = this.#stream.isTTY === true ? COLOURS[severity] : "";
      this.#gathered += colour === "" ? `${line}\n` : `${colour}${line}${PLAIN}\n`;
      const wait = this.#shownAt + GATHER - performance.now();
      this.#pace.line();
      if (urgent || !this.#pace.fast || wait <= 0) this.show();
      else this.#timer ??= setTimeout(() => this.show(), wait);
    }
    next();
  }

  /** Shows what has been gathered. */
  show(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#shownAt = performance.now();
    const lines = this.#gathered;
    this.#gathered = "";
    if (lines !== "") this.#stream.write(lines);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.show();
    process.off("exit", this.#last);
    done();
  }
}
