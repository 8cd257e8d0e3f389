import { setImmediate as turn } from "node:timers/promises";
import winston from "winston";
import type { Clock } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { catalogue } from "./catalogue.ts";
import { showControls } from "./escape.ts";
import type { Journal, MessageVariables, Severity } from "./journal.ts";
import { type Event, type Layout, render, sentence } from "./layout.ts";
import type { LogFileSettings } from "./log-file.ts";
import type { Message } from "./message.ts";
import { ConsoleOutput, type ConsoleStream, FileOutput } from "./outputs.ts";

/** What a reload may change. */
export interface JournalSettings extends LogFileSettings {
  format: Layout;
  /** Lowest severity that is written. */
  level: Severity;
}

export interface JournalOptions extends JournalSettings {
  clock: Pick<Clock, "now">;
  /** Also show every line on standard output (true) or on this stream. */
  console?: boolean | ConsoleStream;
  /** Where lines go while the file cannot be written; standard error unless given. */
  fallback?: ConsoleStream;
  /** Throw for ids outside the catalogue and for missing variables. For tests. */
  strict?: boolean;
  /** Lines that may wait before lines of information and trace are left out. */
  backlog?: number;
}

/** What a listener hears of a message. `text` is its sentence in plain words, without the key block. */
export interface Told {
  id: string;
  severity: Severity;
  /** ms since 1970 UTC */
  time: number;
  readonly text: string;
  variables: MessageVariables;
}

export interface OpenJournal extends Journal {
  /** Calls `hear` for every message, also for those below the level of the log. It must be quick and not throw. */
  listen(hear: (told: Told) => void): void;
  /** Applies to everything that is emitted from now on; nothing is lost between old and new file. */
  reconfigure(settings: Partial<JournalSettings>): void;
  /** Resolves when every line is in the file. What comes later goes to standard error. */
  close(): Promise<void>;
}

/** winston's order: the lower, the more urgent. */
const LEVELS: Readonly<Record<Severity, number>> = { F: 0, E: 1, W: 2, I: 3, T: 4 };
const LEVEL = Symbol.for("level"); // where winston looks for the level of an info object
const BACKLOG = 50_000;

function missing(message: Message, variables: MessageVariables): string[] {
  return message.variables
    .filter((variable) => !variable.optional && variables[variable.name] === undefined)
    .map((variable) => variable.name);
}

/** The message of an id. Strict: throws when the call does not fit the catalogue; otherwise it becomes CFTH97E. */
function event(id: string, variables: MessageVariables, time: number, strict: boolean): Event {
  const message = catalogue.get(id);
  if (message === undefined) {
    if (strict) throw new CygnetError("CYG_MESSAGE_UNKNOWN", `The message ${id} is not in the catalogue.`);
    const instead = catalogue.get("CFTH97E") as Message;
    return { time, message: instead, variables: { ...variables, message: id } };
  }
  const names = strict ? missing(message, variables) : [];
  if (names.length > 0) {
    throw new CygnetError(
      "CYG_MESSAGE_VARIABLES",
      `The message ${id} lacks its variables ${names.join(", ")}.`,
    );
  }
  return { time, message, variables };
}

class WinstonJournal implements OpenJournal {
  #options: JournalOptions;
  #fallback: ConsoleStream;
  #file: FileOutput;
  #console: ConsoleOutput | null = null;
  #logger: winston.Logger;
  #leftOut = 0;
  readonly #listeners: ((told: Told) => void)[] = [];
  #forget: (() => void)[] = [];
  #closed: Promise<void> | null = null;

  constructor(options: JournalOptions) {
    this.#options = { ...options };
    this.#fallback = options.fallback ?? process.stderr;
    this.#file = new FileOutput(options, options.format, options.level, {
      failed: (file, error) => this.#complain("CFTH99W", { file, text: describe(error) }),
      recovered: (file, n) => this.emit("CFTH99I", { file, n }),
      unwritten: (line) => this.#unwritten(line),
    });
    const shown = options.console === true ? process.stdout : options.console;
    const transports: winston.transport[] = [this.#file];
    if (shown !== undefined && shown !== false) {
      // Whoever read the console has gone (closed terminal, ended pipe): the log file goes on.
      this.#onError(shown, () => this.#dropConsole());
      this.#console = new ConsoleOutput(shown, options.level);
      transports.push(this.#console);
    }
    this.#onError(this.#fallback, () => undefined); // the last resort has nobody left to tell
    this.#logger = winston.createLogger({
      levels: { ...LEVELS },
      level: "T",
      exitOnError: false,
      // our transports render lines themselves; winston's own default would make JSON of each
      format: winston.format((info) => info)(),
      transports,
    });
  }

  emit(id: string, variables: MessageVariables = {}): void {
    const { clock, strict = false, level } = this.#options;
    const happened = event(id, variables, clock.now(), strict);
    const { severity } = happened.message;
    if (this.#listeners.length > 0 && severity !== "T") this.#tell(happened);
    if (LEVELS[severity] > LEVELS[level]) return;
    if (this.#closed !== null) {
      this.#fallback.write(`${render(happened, "V24")}\n`);
      return;
    }
    if (this.#crowded() && (severity === "T" || severity === "I")) {
      this.#leftOut += 1;
      return;
    }
    this.#write(happened);
    if (this.#leftOut > 0 && !this.#crowded()) this.#reportLeftOut();
  }

  reconfigure(settings: Partial<JournalSettings>): void {
    Object.assign(this.#options, settings);
    const { fname, maxsize, backups, format, level } = this.#options;
    this.#file.level = level;
    this.#file.layout = format;
    if (this.#console !== null) this.#console.level = level;
    this.#file.redirect({ fname, maxsize, backups });
  }

  listen(hear: (told: Told) => void): void {
    this.#listeners.push(hear);
  }

  #tell({ message, time, variables }: Event): void {
    const { id, severity, text } = message;
    const told: Told = {
      ...{ id, severity, time, variables },
      // few of many messages are told to anybody
      get text() {
        return sentence(text, variables, showControls);
      },
    };
    for (const hear of this.#listeners) hear(told);
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  #onError(stream: ConsoleStream, listener: () => void): void {
    stream.on("error", listener);
    this.#forget.push(() => stream.off("error", listener));
  }

  #write(happened: Event): void {
    const { severity, id } = happened.message;
    this.#logger.write({ level: severity, [LEVEL]: severity, message: id, event: happened });
  }

  #waiting(): number {
    return this.#logger.writableLength + this.#logger.readableLength + this.#file.writableLength;
  }

  #crowded(): boolean {
    return this.#waiting() + this.#file.backlog >= (this.#options.backlog ?? BACKLOG);
  }

  #reportLeftOut(): void {
    const happened = event("CFTH98W", { n: this.#leftOut }, this.#options.clock.now(), true);
    this.#leftOut = 0;
    this.#tell(happened);
    this.#write(happened);
  }

  /** winston ends its transports before it has handed them everything: wait until it has. */
  async #finish(): Promise<void> {
    if (this.#leftOut > 0) this.#reportLeftOut();
    while (this.#waiting() > 0) await turn();
    this.#file.hurry();
    const finished = new Promise<void>((resolve) => this.#file.once("finish", resolve));
    this.#logger.end();
    await finished;
    for (const forget of this.#forget) forget();
  }

  #dropConsole(): void {
    if (this.#console === null) return;
    this.#logger.remove(this.#console);
    this.#console = null;
  }

  #unwritten(line: string): void {
    if (this.#console === null) this.#fallback.write(`${line}\n`); // else it was shown already
  }

  #complain(id: string, variables: MessageVariables): void {
    const happened = event(id, variables, this.#options.clock.now(), true);
    this.#tell(happened);
    this.#fallback.write(`${render(happened, "V24")}\n`);
  }
}

/**
 * Opens the log. The file and its folder are made with the first line. Nothing that happens to the file (full disk, no
 * permission, moved away) throws or ends the process: lines then go to `fallback`, with one complaint for each outage.
 * @throws CygnetError CYG_MESSAGE_UNKNOWN, CYG_MESSAGE_VARIABLES from `emit`, only when `strict`.
 */
export function openJournal(options: JournalOptions): OpenJournal {
  return new WinstonJournal(options);
}
