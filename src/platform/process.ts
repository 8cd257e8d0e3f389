import { type ChildProcess, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { Clock, Timer } from "./clock.ts";

/** How long a program has after SIGTERM before SIGKILL, ms. */
const GRACE = 5_000;
/** How long its output may stay open after it has ended: what it left behind may hold it for ever, ms. */
const DRAIN = 1_000;
/** Characters of a line of output; what is longer is cut into several. */
const LINE = 1_000;

export interface ProgramOptions {
  cwd: string;
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** ms; 0 = it may run for ever. */
  timeout: number;
  /** Gets each line of standard output and standard error, without its end. */
  line: (text: string) => void;
  /** Aborted: the program is ended. */
  signal: AbortSignal;
  clock: Clock;
}

/** How a program ended. `code` is null when a signal ended it; `error` says why it could not be started. */
export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Why this side ended it, if it did. */
  ended: "" | "timeout" | "stop";
  error?: NodeJS.ErrnoException;
}

/**
 * Runs a program with arguments, without a shell, in a process group of its own; nothing to read on its standard
 * input. When its time is over or it is stopped, the whole group gets SIGTERM and, a little later, SIGKILL. Never
 * rejects. Resolves when the program has ended and its output has been read.
 */
export function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  const [file = "", ...rest] = argv;
  return new Promise((resolve) => {
    const unable = (error: unknown) =>
      resolve({ code: null, signal: null, ended: "", error: error as NodeJS.ErrnoException });
    if (options.signal.aborted) return resolve({ code: null, signal: null, ended: "stop" });
    let child: ChildProcess;
    try {
      const { cwd, env } = options;
      child = spawn(file, rest, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      return unable(error);
    }
    child.once("error", unable);
    if (child.pid !== undefined) watch(child, child.pid, options, resolve);
  });
}

function watch(
  child: ChildProcess,
  group: number,
  { timeout, line, signal, clock }: ProgramOptions,
  resolve: (end: ProgramEnd) => void,
): void {
  let ended: ProgramEnd["ended"] = "";
  const timers: Timer[] = [];
  const end = (why: "timeout" | "stop") => {
    if (ended !== "") return;
    ended = why;
    signalGroup(group, "SIGTERM");
    timers.push(clock.timer(GRACE, () => signalGroup(group, "SIGKILL")));
  };
  const stop = () => end("stop");
  signal.addEventListener("abort", stop, { once: true });
  if (timeout > 0) timers.push(clock.timer(timeout, () => end("timeout")));
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  for (const stream of streams) readLines(stream, line);
  let outcome: { code: number | null; signal: NodeJS.Signals | null } = { code: null, signal: null };
  child.once("exit", (code, by) => {
    outcome = { code, signal: by };
    // what was ended is to be ended whole: also what it had started
    if (ended !== "") signalGroup(group, "SIGKILL");
    timers.push(
      clock.timer(DRAIN, () => {
        for (const stream of streams) stream.destroy();
      }),
    );
  });
  child.once("close", () => {
    signal.removeEventListener("abort", stop);
    for (const timer of timers) timer.cancel();
    resolve({ ...outcome, ended });
  });
}

/** A group that has gone already is no fault: it ended by itself at the same moment. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function readLines(stream: NodeJS.ReadableStream, line: (text: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const each of lines) for (const piece of pieces(each)) line(piece);
    while (rest.length > LINE) {
      line(rest.slice(0, LINE));
      rest = rest.slice(LINE);
    }
  };
  stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
  stream.once("close", () => {
    take(decoder.end());
    if (rest !== "") line(rest);
    rest = "";
  });
}

function pieces(text: string): string[] {
  if (text.length <= LINE) return [text];
  return Array.from({ length: Math.ceil(text.length / LINE) }, (_, at) =>
    text.slice(at * LINE, (at + 1) * LINE),
  );
}
