/**
 * Two gateways, HUB and ACME, as separate processes that are each other's partner: real configuration files, real
 * sockets, real TLS. Everything is killed and removed when the test ends; logs stay when it has failed.
 *
 *   const { hub, acme } = await site(t, { prot: ["OFTPS"] });
 *   await Promise.all([hub.start(), acme.start()]);
 *   await hub.drop("invoice.edi", content);
 *   await waitFor("the file", () => existsSync(acme.inbox("invoice.edi")));
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createCipheriv, createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, openSync, readFileSync, rmSync } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import type { TransferRecord } from "../../src/admin/record.ts";
import type { Status } from "../../src/admin/status.ts";
import { ask } from "../../src/cli/client.ts";
import { ensureSelfSigned } from "../../src/pki/generate.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const NODE = [process.execPath, "--disable-warning=ExperimentalWarning"] as const;

export type ProtName = "OFTP" | "OFTPS";

/** What a site's configuration says. Durations are as in the configuration: "1s", "200ms". */
export interface SideOptions {
  /** Protocols to the partner, in the order of calling. OFTP is clear, OFTPS is TLS. */
  prot?: readonly ProtName[];
  /** TLS versions, both as server and as client. */
  version?: readonly ("1.2" | "1.3")[];
  srusize?: number;
  scredit?: number;
  scomp?: 0 | 1;
  level?: readonly (1 | 2 | 4 | 5)[];
  srin?: "both" | "sender" | "receiver";
  srout?: "both" | "sender" | "receiver";
  resync?: boolean;
  disctd?: string;
  rto?: string;
  retryw?: string;
  retryn?: number;
  retrym?: number;
  /** Restarts after refused sessions (cftprot.restart). */
  restart?: number;
  schedule?: string;
  fileidledelay?: string;
  logLevel?: "T" | "I" | "W" | "E";
  /** Password that this side sends; its partner expects the default unless it is changed as well. */
  sends?: string;
  /** Code that this side sends as its own. */
  code?: string;
  /** Whose certificate this side takes as the root when it calls. */
  root?: "hub" | "acme" | "relay";
  /** State of the partner object. */
  state?: "activeboth" | "activereq" | "activeserv" | "noactive";
  /** Refusals before a caller has to wait. */
  lockout?: number;
  /** More TOML, at the end of the main file. */
  more?: string;
}

export interface SiteOptions extends SideOptions {
  /** What one side has differently. */
  hub?: SideOptions;
  acme?: SideOptions;
}

export interface Ports {
  OFTP: number;
  OFTPS: number;
}

/** Makes both gateways' files; nothing runs before `start()`. */
export async function site(t: Test, options: SiteOptions = {}): Promise<{ hub: Gateway; acme: Gateway }> {
  const { hub: onlyHub, acme: onlyAcme, ...both } = options;
  const [hub, acme] = await gateways(t, [["HUB", "ACME"] as const, ["ACME", "HUB"] as const]);
  if (!hub || !acme) throw new Error("two gateways were made");
  await hub.configure({ ...both, ...onlyHub }, acme);
  await acme.configure({ ...both, ...onlyAcme }, hub);
  return { hub, acme };
}

/** Gateways without a configuration, each with its usual partner. When the test ends they are gone; failed, their logs stay. */
export async function gateways(
  t: Test,
  ids: readonly (readonly [id: string, partner: string])[],
): Promise<Gateway[]> {
  const root = await fs.mkdtemp(join(tmpdir(), "cyg-"));
  const ports = await freePorts(2 * ids.length);
  const all = ids.map(([id, partner], index) => {
    const [OFTP, OFTPS] = ports.slice(2 * index) as [number, number];
    return new Gateway(id, partner, join(root, id.toLowerCase()), { OFTP, OFTPS });
  });
  t.teardown(async () => {
    await Promise.all(all.map((gateway) => gateway.kill("SIGKILL")));
    if (t.passing()) return fs.rm(root, { recursive: true, force: true });
    t.comment(`logs are kept in ${root}`);
    for (const gateway of all) {
      for (const name of ["inbox", "outbox", "work", "failed", "archive"]) {
        await fs.rm(join(gateway.rundir, name), { recursive: true, force: true });
      }
    }
  });
  return all;
}

/** One gateway: its files and, between `start` and `kill`, its process. */
export class Gateway {
  readonly id: string;
  readonly partner: string;
  readonly directory: string;
  readonly rundir: string;
  /** The main configuration file. */
  readonly config: string;
  /** The file that describes the partner. */
  readonly partnerFile: string;
  readonly ports: Ports;
  readonly console: string;
  /** A program that starts the gateway, with its arguments; it must become the gateway. */
  launcher: readonly string[] = [];
  /** The umask that the gateway inherits; the test's own unless it is set. */
  umask: number | null = null;
  #child: ChildProcess | null = null;
  #exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }> | null = null;
  #dropped = 0;

  constructor(id: string, partner: string, directory: string, ports: Ports) {
    this.id = id;
    this.partner = partner;
    this.directory = directory;
    this.ports = ports;
    this.rundir = join(directory, "var");
    this.config = join(directory, "cygnet.toml");
    this.partnerFile = join(directory, "partners.d", `${partner.toLowerCase()}.toml`);
    this.console = join(directory, "console.log");
  }

  /** Writes the configuration; a running gateway sees it and reloads. */
  async configure(options: SideOptions, partner: Gateway): Promise<void> {
    await certificates(join(this.directory, "pki"));
    await this.write(
      relative(this.directory, this.partnerFile),
      partnerToml({
        id: partner.id,
        ports: partner.ports,
        ours: options.code ?? codeOf(this.id),
        theirs: codeOf(partner.id),
        sends: options.sends ?? passwordOf(this.id),
        expects: passwordOf(partner.id),
        ...options,
      }),
    );
    await this.write("cygnet.toml", mainToml(this, options));
  }

  /** Writes one file below the gateway's directory, whole. */
  async write(name: string, text: string): Promise<void> {
    const path = join(this.directory, name);
    await fs.mkdir(dirname(path), { recursive: true });
    await fs.writeFile(`${path}.new`, text);
    await fs.rename(`${path}.new`, path);
  }

  /** Starts the process and waits until it answers on its control socket. */
  async start(): Promise<void> {
    if (this.#child) throw new Error(`${this.id} runs already`);
    const output = openSync(this.console, "a");
    const [program, ...args] = [...this.launcher, ...NODE, MAIN, "run", "--config", this.config];
    const umask = this.umask === null ? null : process.umask(this.umask);
    const child = spawn(program as string, args, { cwd: this.directory, stdio: ["ignore", output, output] });
    if (umask !== null) process.umask(umask);
    closeSync(output);
    this.#child = child;
    this.#exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        this.#child = null;
        resolve({ code, signal });
      });
    });
    await waitFor(
      `${this.id} to answer`,
      async () => {
        if (this.#child !== child) throw new Error(`${this.id} ended at its start:\n${this.consoleTail()}`);
        try {
          return (await this.status()).pid === child.pid;
        } catch {
          return false;
        }
      },
      { timeout: 60_000, every: 20 },
    );
  }

  /** Sends a signal; for one that ends the process, resolves when it has ended. Harmless when nothing runs. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill(signal);
    if (signal === "SIGSTOP" || signal === "SIGCONT" || signal === "SIGHUP") return;
    // a stopped process hears nothing but SIGKILL
    if (signal !== "SIGKILL") child.kill("SIGCONT");
    await this.#exited;
  }

  /** How the process ended; it must have been started. */
  async exited(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.#exited === null) throw new Error(`${this.id} was never started`);
    return this.#exited;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.id} is not running`);
    return pid;
  }

  /** Runs the command line against this gateway's configuration. `json` is parsed when `--json` was asked for. */
  cli(...args: string[]): Promise<CliResult> {
    const [node, ...flags] = NODE;
    return new Promise((resolve, reject) => {
      execFile(
        node,
        [...flags, MAIN, ...args, "--config", this.config],
        { cwd: this.directory, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          const status = error === null ? 0 : error.code;
          if (typeof status !== "number") return reject(error);
          const json = args.includes("--json") && stdout.trim() !== "" ? JSON.parse(stdout) : undefined;
          resolve({ status, stdout, stderr, json });
        },
      );
    });
  }

  get socket(): string {
    return join(this.rundir, "control.sock");
  }

  status(): Promise<Status> {
    return ask<Status>(this.socket, "GET", "/status");
  }

  /** The catalog, by the control socket (faster than starting a process). */
  transfers(filter: Record<string, string> = {}): Promise<TransferRecord[]> {
    const query = new URLSearchParams({ limit: "100000", ...filter });
    return ask<TransferRecord[]>(this.socket, "GET", `/transfers?${query}`);
  }

  /** The only transfer of this name and direction. */
  async transfer(direct: "send" | "recv", name: string): Promise<TransferRecord | undefined> {
    const all = await this.transfers({ direct });
    return all.find(({ fname, nfname }) => fname.endsWith(`/${name}`) || nfname === name);
  }

  /** Path in the outbox to the partner. */
  outbox(...names: string[]): string {
    return join(this.rundir, "outbox", this.partner, ...names);
  }

  /** Path in the inbox of the partner. */
  inbox(...names: string[]): string {
    return join(this.rundir, "inbox", this.partner, ...names);
  }

  /**
   * Puts a file into the outbox as a careful program does: under a name that is left alone, then renamed.
   * @param name within the outbox of the partner, may contain a flow: "INVOIC/one.edi"
   * @param content octets, or how many octets of `seed`'s stream
   * @returns SHA-256 of the content
   */
  async drop(name: string, content: Buffer | string | { size: number; seed: number }): Promise<string> {
    const target = this.outbox(name);
    await fs.mkdir(dirname(target), { recursive: true });
    const aside = join(dirname(target), `.drop-${++this.#dropped}.tmp`);
    const sha256 = await fill(aside, content);
    await fs.rename(aside, target);
    return sha256;
  }

  /** The log file, all of it (rotated parts first); "" before there is one. */
  log(): string {
    const path = join(this.rundir, "log", "cygnet.log");
    return [3, 2, 1]
      .map((index) => `${path}.${index}`)
      .concat(path)
      .map((name) => readIfThere(name))
      .join("");
  }

  /** Lines of the log with this message id. */
  messages(id: string): string[] {
    return this.log()
      .split("\n")
      .filter((line) => line.includes(id));
  }

  consoleTail(): string {
    return readIfThere(this.console).split("\n").slice(-30).join("\n");
  }
}

export interface CliResult {
  status: number;
  stdout: string;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own shape, and tests look into it
  json: any;
}

const codeOf = (id: string) => `O0999${id}`;
const passwordOf = (id: string) => `${id}PW`;
const list = (values: readonly (string | number)[]) => JSON.stringify(values);

export interface PartnerOptions {
  id: string;
  prot?: readonly ProtName[];
  ports: Ports;
  /** SSID code that we send, and the one that it must send. */
  ours: string;
  theirs: string;
  sends: string;
  expects: string;
  retryw?: string;
  retryn?: number;
  retrym?: number;
  state?: string;
}

/** A partner's file. Its retries are quick and do not end, unless told otherwise. */
export function partnerToml(options: PartnerOptions): string {
  const { id, ports, ours, theirs, sends, expects } = options;
  const { prot = ["OFTP"], retryw = "1s", retryn = 10_000, retrym = 10_000, state = "activeboth" } = options;
  return `[[cftpart]]
id      = "${id}"
prot    = ${list(prot)}
sap     = ${list(prot.map((name) => ports[name]))}
nspart  = "${ours}"
nspassw = "${sends}"
nrpart  = "${theirs}"
nrpassw = "${expects}"
state   = "${state}"

[[cfttcp]]
id    = "${id}"
host  = ["127.0.0.1"]
cnxin  = 4
cnxout = 4
cnxinout = 8
retryw = "${retryw}"
retryn = ${retryn}
retrym = ${retrym}
`;
}

/** The main file: both protocols listen, whichever the partner uses. */
function mainToml({ id, partner, ports }: Gateway, options: SideOptions): string {
  const { version = ["1.2", "1.3"], srusize = 65_535, scredit = 64, scomp = 1, restart = 5 } = options;
  const { srin = "both", srout = "both", resync = true, disctd = "1s", rto = "20s" } = options;
  const { schedule = "* * * * * *", fileidledelay = "200ms", logLevel = "I", more = "" } = options;
  const { lockout = 0 } = options;
  const level = options.level ?? [5, 4, 2, 1];
  const root = options.root ?? partner.toLowerCase();
  const shared = `type = "odette"
net  = "LOCAL"
srusize = ${srusize}
scredit = ${scredit}
scomp   = ${scomp}
resync  = ${resync}
restart = ${restart}
srin    = "${srin}"
srout   = "${srout}"
disctd  = "${disctd}"
rto     = "${rto}"`;
  return `include = ["partners.d"]

[cftparm]
part    = "${id}"
npart   = "${codeOf(id)}"
rundir  = "var"
maxtrans = 64
allow_plain_secrets = true

[[cftnet]]
id     = "LOCAL"
host   = "127.0.0.1"
maxcnx = 100
allow  = ["127.0.0.0/8"]
# everybody comes from one address
lockout = ${lockout}

[[cftprot]]
id   = "OFTP"
sap  = ${ports.OFTP}
level = ${list(level)}
${shared}

[[cftprot]]
id   = "OFTPS"
sap  = ${ports.OFTPS}
ssl  = "TLS"
${level.includes(5) ? "" : `level = ${list(level)}\n`}${shared}

[[cftssl]]
id      = "TLS"
direct  = "server"
usercid = "own"
verify  = "none"
version = ${list(version)}

[[cftssl]]
id      = "TLS"
direct  = "client"
rootcid = ["root"]
verify  = "required"
version = ${list(version)}

[[pki]]
id    = "own"
file  = "pki/${id.toLowerCase()}.pem"
key   = "pki/${id.toLowerCase()}.key"

[[pki]]
id    = "root"
file  = "pki/${root}.pem"
usage = ["ca"]

[[cftfolder]]
id      = "OUTBOX"
scandir = "outbox"
workdir = "work/outbox"
part    = "(0)"
idf     = "(1)"
schedule = "${schedule}"
fileidledelay = "${fileidledelay}"
usefsevents   = true

[[cftsend]]
id = "DEFAULT"
nfname   = "&FROOT&(-.)FSUF"
ackstate = "require"

[[cftrecv]]
id    = "DEFAULT"
fname = "inbox/&PART/&NFNAME"

[cftlog]
fname  = "log/cygnet.log"
format = "V24"
level  = "${logLevel}"
maxsize = "50MiB"
${more}`;
}

let made: Promise<string> | null = null;

/** Each gateway's certificate, self-signed and so its own root, and its key: made once for each test file. */
async function certificates(target: string): Promise<void> {
  made ??= (async () => {
    const store = await fs.mkdtemp(join(tmpdir(), "cyg-pki-"));
    await Promise.all(
      ["hub", "acme", "relay"].map((name) =>
        ensureSelfSigned(
          { certificate: join(store, `${name}.pem`), key: join(store, `${name}.key`) },
          { commonName: `Cygnet test ${name}`, hosts: ["localhost", "127.0.0.1"], days: 400 },
        ),
      ),
    );
    process.once("exit", () => {
      // the process ends here: nothing asynchronous runs any more
      rmSync(store, { recursive: true, force: true });
    });
    return store;
  })();
  await fs.cp(await made, target, { recursive: true });
}

/**
 * Ports that nobody listens on, below the range from which the system takes ports for outgoing calls: a gateway
 * that is restarted must find its port free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; close(): void }[] = [];
  while (held.length < count) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (free) held.push({ port, close: () => server.close() });
  }
  for (const { close } of held) close();
  return held.map(({ port }) => port);
}

/**
 * Polls a condition; rejects with what was awaited when it does not come true in time. With `progress`, a number that
 * changes as things go on, the time counts from its last change: a slow machine is no failure, a standstill is.
 */
export async function waitFor(
  what: string,
  condition: () => unknown,
  {
    timeout = 60_000,
    every = 50,
    progress,
  }: { timeout?: number; every?: number; progress?: () => Promise<number> } = {},
): Promise<void> {
  let deadline = performance.now() + timeout;
  let seen = 0;
  while (!(await condition())) {
    const now = (await progress?.()) ?? 0;
    if (now !== seen) deadline = performance.now() + timeout;
    seen = now;
    if (performance.now() > deadline) throw new Error(`waited ${timeout / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

const PIECE = 1024 * 1024;

/** Octets that look random and are the same for the same seed. */
export function octets(seed: number, size: number): Buffer {
  const key = createHash("sha256").update(`seed ${seed}`).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Writes a file and gives its SHA-256; large ones repeat a piece with a count in it. */
export async function fill(
  path: string,
  content: Buffer | string | { size: number; seed: number },
): Promise<string> {
  if (typeof content === "string" || Buffer.isBuffer(content)) {
    await fs.writeFile(path, content);
    return createHash("sha256").update(content).digest("hex");
  }
  const { size, seed } = content;
  const hash = createHash("sha256");
  const handle = await fs.open(path, "w");
  try {
    const piece = octets(seed, Math.min(size, PIECE));
    for (let at = 0; at < size; at += piece.length) {
      if (at > 0) piece.writeUInt32BE(at / PIECE, 0);
      const part = piece.subarray(0, Math.min(piece.length, size - at));
      hash.update(part);
      await handle.write(part, 0, part.length, at);
    }
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}

export async function hashFile(path: string): Promise<string> {
  const hash: Hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** SHA-256 by path of every file below a directory; paths relative to it. Nothing there: empty. */
export async function hashTree(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const path of await filesBelow(directory)) found.set(path, await hashFile(join(directory, path)));
  return found;
}

/** Paths of all files below a directory, sorted. */
export async function filesBelow(directory: string): Promise<string[]> {
  try {
    const entries = await fs.readdir(directory, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
