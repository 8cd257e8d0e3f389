import { execFile } from "node:child_process";

/** What a program of the machine says, without blanks around; null when it is not there, fails or takes too long. */
export function run([program = "", ...rest]: readonly string[]): Promise<string | null> {
  return new Promise((resolve) =>
    execFile(program, rest, { timeout: 5_000 }, (error, stdout) => resolve(error ? null : stdout.trim())),
  );
}
