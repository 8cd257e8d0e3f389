/** One run of a script or a program of a job: variables put in, output to the log, what it came to. */
import { substitute } from "../../config/symbols.ts";
import { CygnetError } from "../../platform/errors.ts";
import { runProgram } from "../../platform/process.ts";
import type { Site } from "../site.ts";
import { environmentOf } from "./variables.ts";

/** Lines of output of one run that go to the log. */
const LINES = 100;

/** Text of a program that does not exist. */
export const MISSING = "there is no such file";

/** What a run came to. `diagi` and `diagp` say why it did not end well. */
export type Outcome =
  | { kind: "done"; code: number; seconds: string; lastLine: string }
  | { kind: "failed"; diagi: number; diagp: string; text: string; seconds: string }
  | { kind: "stopped" };

export interface Run {
  argv: readonly string[];
  variables: Readonly<Record<string, string>>;
  /** Variables of the messages about it: the transfer's key block or the job's id, and `event`. */
  about: Readonly<Record<string, string>>;
  /** ms; 0 = for ever. */
  timeout: number;
  signal: AbortSignal;
}

/** Runs a program to its end. Never rejects; logs each line that it writes, not how it ends. */
export async function run(site: Site, { argv, variables, about, timeout, signal }: Run): Promise<Outcome> {
  const forbidden = Object.entries(variables).find(([, value]) => value.includes("\0"));
  const failed = (diagi: number, diagp: string, text: string): Outcome => {
    return { kind: "failed", diagi, diagp, text, seconds: since(site, started) };
  };
  const started = site.clock.monotonic();
  if (forbidden) return failed(158, forbidden[0], `the variable ${forbidden[0]} holds a NUL character`);
  const [program = "", ...rest] = argv;
  let words: string[];
  try {
    words = [program, ...rest.map((word) => substitute(word, variables))];
  } catch (error) {
    if (!(error instanceof CygnetError)) throw error;
    return failed(158, "SYMBOL", error.message);
  }
  let lines = 0;
  let lastLine = "";
  const end = await runProgram(words, {
    cwd: site.configuration.cftparm.rundir,
    env: environmentOf(variables),
    timeout,
    signal,
    clock: site.clock,
    line: (text) => {
      lines += 1;
      if (text.trim() !== "") lastLine = text.trim();
      if (lines <= LINES) site.journal.emit("CFTS81I", { ...about, text });
    },
  });
  if (lines > LINES) site.journal.emit("CFTS81I", { ...about, text: `… ${lines - LINES} more lines` });
  if (end.error) {
    return failed(155, "NO EXEC", await whyUnstartable(site, program, end.error));
  }
  if (end.ended === "stop") return { kind: "stopped" };
  if (end.ended === "timeout") return failed(155, "TIMEOUT", `ended after ${timeout / 1000} s (exectimeout)`);
  if (end.code === null) return failed(155, end.signal ?? "SIGNAL", `ended by ${end.signal}`);
  return { kind: "done", code: end.code, seconds: since(site, started), lastLine };
}

/** The system says the same of a missing script and of a missing interpreter in its first line. */
async function whyUnstartable(site: Site, program: string, error: NodeJS.ErrnoException): Promise<string> {
  if (error.code !== "ENOENT") return error.message;
  const there = await site.disk.status(program).then(
    () => true,
    () => false,
  );
  return there ? "the interpreter that its first line names does not exist" : MISSING;
}

function since(site: Site, started: number): string {
  return ((site.clock.monotonic() - started) / 1000).toFixed(3);
}
