// Runs a program in place of this one: same terminal, signals passed on, its exit status becomes ours.
import { spawn } from "node:child_process";

/** @param {string} program @param {string[]} args @param {import("node:child_process").SpawnOptions} [options] */
export function become(program, args, options = {}) {
  const child = spawn(program, args, { stdio: "inherit", ...options });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"])
    process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`cygnet: cannot run ${program}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal ? 128 + (signal === "SIGINT" ? 2 : 15) : code));
}
