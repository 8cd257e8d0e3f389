/**
 * Programs that the configuration names: a file and its arguments, never a line for a shell. Variables are put into
 * each argument by itself, after the arguments were separated.
 */
import { resolve } from "node:path";

/** Transfer CFT's word for "no script here, not even the default". */
export const NO_SCRIPT = "_NONE_";

/** Program and arguments; empty: none is to run; null: nothing was said. */
export type Command = readonly string[] | null;

/** The words of a command as it was written: a list as it stands, a text cut at blanks. */
export function wordsOf(written: string | readonly string[]): string[] {
  return typeof written === "string" ? written.split(/\s+/).filter((word) => word !== "") : [...written];
}

/**
 * A command ready to run. A program with a slash in it is relative to `directory`, that of the main file; one
 * without is looked for in the search path.
 */
export function commandOf(written: string | readonly string[], directory: string): Command {
  const [program, ...rest] = wordsOf(written);
  if (program === undefined || program === "") return null;
  if (program === NO_SCRIPT) return [];
  return [program.includes("/") ? resolve(directory, program) : program, ...rest];
}
