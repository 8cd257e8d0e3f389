/**
 * A Debian machine for the package: debootstrap makes its file system, systemd-nspawn boots it with systemd as
 * process 1, without a network. Needs root. The file system is made once, kept below .build and copied for each machine.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { projectRoot } from "../../src/platform/root.ts";
import { waitFor } from "../gateway/harness.ts";

/** Where machines are made, and where the one that all are copied from stays for the next run. */
const PLACE = process.env.CYGNET_TEST_MACHINES ?? join(projectRoot(), ".build", "machines");
const INCLUDE = "systemd,systemd-sysv,dbus,libstdc++6,init-system-helpers,acl,nftables";

/** Why there can be no machine here; false = there can. */
export const noMachine: string | false = missing();

function missing(): string | false {
  if (process.getuid?.() !== 0) return "needs root: debootstrap and systemd-nspawn";
  for (const tool of ["debootstrap", "systemd-nspawn", "nsenter", "script"]) {
    if (!has(tool)) return `needs ${tool}: "npm run test:system" as root installs it on Debian`;
  }
  return false;
}

/** A program is there. */
export function has(program: string): boolean {
  const folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return folders.some((folder) => existsSync(join(folder, program)));
}

export interface Result {
  status: number;
  /** Standard output and standard error. */
  text: string;
}

export class Machine {
  readonly root: string;
  #leader = 0;

  private constructor(root: string) {
    this.root = root;
  }

  /** Makes and boots a machine, `prepare` gets its file system before; it is gone when the test ends. */
  static async boot(t: Test, prepare: (root: string) => void = () => {}): Promise<Machine> {
    mkdirSync(PLACE, { recursive: true });
    const root = mkdtempSync(join(PLACE, "cygnet-machine-"));
    t.teardown(() => rmSync(root, { recursive: true, force: true }));
    execFileSync("cp", ["-a", `${base(t)}/.`, root]);
    prepare(root);
    const machine = new Machine(root);
    await machine.#start(t);
    return machine;
  }

  async #start(t: Test): Promise<void> {
    const name = `cygnet-${process.pid}`;
    const nspawn = `systemd-nspawn --directory=${this.root} --boot --register=no --keep-unit --private-network --machine=${name}`;
    // systemd in the container wants a terminal as its console
    const console = spawn("script", ["--quiet", "--return", "--command", `exec ${nspawn}`, "/dev/null"], {
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let shown = "";
    for (const stream of [console.stdout, console.stderr]) {
      stream.on("data", (data: Buffer) => {
        shown = (shown + data.toString()).slice(-4000);
      });
    }
    const ended = new Promise<void>((resolve) => console.once("exit", () => resolve()));
    t.teardown(async () => {
      // the container's process 1 ends the container
      if (this.#leader > 0 && console.exitCode === null) process.kill(this.#leader, "SIGKILL");
      else console.kill("SIGKILL");
      await ended;
    });
    const options = { timeout: 300_000, every: 500 };
    await waitFor(
      "the machine to boot",
      async () => {
        if (console.exitCode !== null) throw new Error(`the machine ended:\n${shown}`);
        this.#leader ||= leaderOf(console.pid ?? 0);
        if (this.#leader === 0) return false;
        return /running|degraded/.test((await this.run("systemctl is-system-running")).text);
      },
      options,
    );
  }

  /** Runs a line of shell inside, as root. */
  run(line: string): Promise<Result> {
    const inside = ["-t", String(this.#leader), "-a", "env", "-i"];
    const environment = [
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      "LANG=C.UTF-8",
      "DEBIAN_FRONTEND=noninteractive",
    ];
    return new Promise((resolve) => {
      execFile(
        "nsenter",
        [...inside, ...environment, "sh", "-c", `exec 2>&1; ${line}`],
        { maxBuffer: 1e8 },
        (error, stdout) =>
          resolve({ status: typeof error?.code === "number" ? error.code : error ? -1 : 0, text: stdout }),
      );
    });
  }

  /** Puts a file of this machine into that one. */
  put(from: string, to: string): void {
    mkdirSync(join(this.root, to, ".."), { recursive: true });
    cpSync(from, join(this.root, to));
  }
}

/** Process 1 of the container that `script` runs: script, then nspawn, then it. */
function leaderOf(script: number): number {
  const children = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
    } catch {
      return []; // ended meanwhile
    }
  };
  const [nspawn = 0] = children(script);
  const [leader = 0] = nspawn === 0 ? [] : children(nspawn);
  return leader;
}

/** The file system that all machines are copied from. */
function base(t: Test): string {
  const path = join(PLACE, "cygnet-debian");
  if (existsSync(join(path, ".complete"))) return path;
  rmSync(path, { recursive: true, force: true });
  t.comment("debootstrap makes a Debian system: some minutes");
  const suite = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "stable";
  execFileSync("debootstrap", ["--variant=minbase", `--include=${INCLUDE}`, suite, path], {
    stdio: "ignore",
  });
  mkdirSync(join(path, ".complete"));
  return path;
}
