/** Two gateways as processes of their own, each other's partner on loopback, in a folder of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask } from "../src/cli/client.ts";
import { ensureSelfSigned } from "../src/pki/generate.ts";

const MAIN = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));

export interface Site {
  name: string;
  port: number;
  rundir: string;
  process: ChildProcess;
  ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T>;
  /** Largest resident memory so far, MB. */
  peak(): number;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface PairOptions {
  tls: boolean;
  /** Sign, compress and encrypt. */
  secured?: boolean;
  /** More TOML, at the end and before the first table. */
  more?: string;
  top?: string;
  /** Partners beside the other gateway: TOML by the gateway's name and the other's port. */
  partners?: (name: string, otherPort: number) => string;
  /** More keys of tables that are there. */
  keys?: { cftparm?: string; cftnet?: string; cftprot?: string };
  /** How often the outboxes are looked through. */
  interval?: string;
  /** More arguments for node, before the program. */
  flags?: readonly string[];
}

function configuration(
  { name, other }: { name: string; other: string },
  [port, otherPort]: readonly [number, number],
  { tls, secured = false, more = "", top = "", interval = "1s", partners, keys = {} }: PairOptions,
): string {
  return `
${top}
[cftparm]
part = "${name}"
npart = "O0013${name}"
rundir = "run"
allow_plain_secrets = true
${keys.cftparm ?? ""}
[[cftnet]]
id = "NET"
host = "127.0.0.1"
${keys.cftnet ?? ""}
[[cftprot]]
id = "OFTP"
type = "odette"
net = "NET"
sap = ${port}
${keys.cftprot ?? ""}
${tls ? 'ssl = "TLS"' : ""}
${
  tls
    ? `[[cftssl]]
id = "TLS"
direct = "server"
usercid = "own"
verify = "none"
[[cftssl]]
id = "TLS"
direct = "client"
rootcid = ["other"]
[[pki]]
id = "other"
file = "../${other}/own.pem"
usage = ["ca"]`
    : ""
}
${
  tls || secured
    ? `[[pki]]
id = "own"
file = "own.pem"
key = "own.key"`
    : ""
}
${
  secured
    ? `[[pki]]
id = "partner"
part = "${other}"
file = "../${other}/own.pem"
[[cftsend]]
id = "DEFAULT"
sign = true
compress = true
encrypt = true`
    : ""
}
[[cftfolder]]
id = "OUTBOX"
scandir = "outbox"
workdir = "work/outbox"
part = "(0)"
interval = "${interval}"
fileidledelay = "100ms"
usefsevents = true
[[cftpart]]
id = "${other}"
prot = ["OFTP"]
sap = [${otherPort}]
nrpart = "O0013${other}"
[[cfttcp]]
id = "${other}"
host = "127.0.0.1"
${partners?.(name, otherPort) ?? ""}
${more}
`;
}

/** Starts both and waits until they answer. */
export async function startPair(
  folder: string,
  options: PairOptions,
): Promise<{ sender: Site; receiver: Site }> {
  const ports = [await freePort(), await freePort()] as const;
  const names = ["ALPHA", "BETA"] as const;
  for (const [index, name] of names.entries()) {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    const own = { certificate: join(home, "own.pem"), key: join(home, "own.key") };
    if (options.tls || options.secured)
      await ensureSelfSigned(own, { commonName: name, hosts: ["127.0.0.1"], days: 30 });
    const mine = index === 0 ? ports : ([ports[1], ports[0]] as const);
    const other = names[1 - index] as string;
    writeFileSync(join(home, "cygnet.toml"), configuration({ name, other }, mine, options));
  }
  const [sender, receiver] = await Promise.all(
    names.map((name, index) => start(name, join(folder, name), ports[index] as number, options.flags ?? [])),
  );
  return { sender: sender as Site, receiver: receiver as Site };
}

/** One gateway in `home`, which may have a catalog already; `more` is more TOML. Its partner BETA is not there. */
export async function startAlone(
  home: string,
  { flags = [], ...options }: Omit<PairOptions, "tls" | "secured"> = {},
): Promise<Site> {
  mkdirSync(home, { recursive: true });
  const ports = [await freePort(), await freePort()] as const;
  const names = { name: "ALPHA", other: "BETA" };
  writeFileSync(join(home, "cygnet.toml"), configuration(names, ports, { tls: false, ...options }));
  return await start("ALPHA", home, ports[0], flags);
}

async function start(name: string, home: string, port: number, more: readonly string[]): Promise<Site> {
  const flags = [
    ...more,
    "--disable-warning=ExperimentalWarning",
    MAIN,
    "run",
    "--config",
    join(home, "cygnet.toml"),
  ];
  const child = spawn(process.execPath, flags, { cwd: home, stdio: ["ignore", "ignore", "inherit"] });
  const rundir = join(home, "run");
  const site: Site = {
    name,
    port,
    rundir,
    process: child,
    ask: (method, path, body) => ask(join(rundir, "control.sock"), method, path, body),
    peak() {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    },
  };
  for (let tries = 0; ; tries++) {
    try {
      await site.ask("GET", "/status");
      return site;
    } catch (error) {
      if (tries > 1_200 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

export async function stop(...sites: Site[]): Promise<void> {
  await Promise.all(
    sites.map(async ({ process: child, ask: request }) => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      await request("POST", "/shut", { fast: true }).catch(() => child.kill("SIGKILL"));
      await gone;
    }),
  );
}
