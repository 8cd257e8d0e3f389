/** The gateway under a service manager: sd_notify(3) against a real datagram socket. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Test, test } from "tap";
import { projectRoot } from "../../src/platform/root.ts";
import { listenForNotifications, type NotifyListener } from "../platform/notify-listener.ts";
import { type Gateway, site } from "./harness.ts";

const LAUNCHER = join(projectRoot(), "systemd", "notify-socket");
const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const GATEWAY = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN, "run", "--config"];

/** Starts a gateway as a unit does, its process id in $WATCHDOG_PID. */
function launch(t: Test, gateway: Gateway, manager: NotifyListener, environment: Record<string, string>) {
  const shell = 'WATCHDOG_PID=$$ exec "$@"';
  const child = spawn("sh", ["-c", shell, "sh", LAUNCHER, ...GATEWAY, gateway.config], {
    cwd: gateway.directory,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  manager.hearsFrom(child);
  return child;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

test("readiness, status, signs of life, reload and stop are told", { timeout: 120_000 }, async (t) => {
  const folder = await fs.mkdtemp(join(tmpdir(), "cyg-"));
  t.teardown(() => fs.rm(folder, { recursive: true, force: true }));
  const path = join(folder, "notify");
  const manager = await listenForNotifications(t, path);
  const { hub } = await site(t);
  const child = launch(t, hub, manager, { NOTIFY_SOCKET: path, WATCHDOG_USEC: "900000" });

  const ready = await manager.next((lines) => lines.includes("READY=1"));
  t.same(manager.heard.slice(0, ready), [["STATUS=starting"]], "nothing but a status before it is ready");
  t.ok(await answers(hub.ports.OFTP), "the port is open when it says so");
  t.equal((await hub.status()).pid, child.pid, "the control socket answers, and the launcher has become it");
  t.match(manager.heard[ready]?.[1], /^STATUS=generation 1, listening on OFTP 127\.0\.0\.1:\d+, OFTPS /);

  const isAlive = (lines: string[]) => lines.includes("WATCHDOG=1");
  const first = await manager.next(isAlive);
  await manager.next(isAlive, first + 1);
  t.ok(await manager.next((lines) => /0 transfers running, 0 waiting/.test(lines[0] ?? "")), "status");

  child.kill("SIGHUP");
  const reloading = await manager.next((lines) => lines[0] === "RELOADING=1");
  const [, sent] = /^MONOTONIC_USEC=(\d+)$/.exec(manager.heard[reloading]?.[1] ?? "") ?? [];
  t.ok(Number(sent) > 0 && BigInt(sent ?? 0) <= process.hrtime.bigint() / 1000n, "on the monotonic clock");
  const again = await manager.next((lines) => lines[0] === "READY=1", reloading);
  t.match(manager.heard[again]?.[1], /generation 1/);

  await hub.write("partners.d/broken.toml", "[[cftpart]]\nid = 1\n");
  child.kill("SIGHUP");
  const rejected = await manager.next((lines) => lines[1]?.includes("rejected") === true, again + 1);
  t.equal(manager.heard[rejected]?.[0], "READY=1", "a rejected reload ends, too");
  await manager.next((lines) => lines[0]?.endsWith("last reload REJECTED") === true, rejected);

  child.kill("SIGTERM");
  const stopping = await manager.next((lines) => lines[0] === "STOPPING=1");
  const [code] = await once(child, "exit");
  t.equal(code, 0);
  t.notOk(manager.heard.slice(stopping).some(isAlive), "no sign of life after that");
});

test("an abstract socket, and a manager that goes away", { timeout: 120_000 }, async (t) => {
  const name = `@cygnet-test-${process.pid}-${Date.now()}`;
  const manager = await listenForNotifications(t, name);
  const { hub } = await site(t);
  const child = launch(t, hub, manager, { NOTIFY_SOCKET: name, WATCHDOG_USEC: "300000" });
  const alive = (lines: string[]) => lines.includes("WATCHDOG=1");
  await manager.next(alive);
  manager.close();
  while (hub.messages("CFTI71W").length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal((await hub.status()).state, "running", "the gateway lives on");
  t.match(hub.messages("CFTI71W")[0], /Service manager: not reached: /);
  child.kill("SIGTERM");
  t.equal((await once(child, "exit"))[0], 0);
  t.equal(hub.messages("CFTI71W").length, 1, "told once");
});

test("without a service manager nothing happens; a wrong descriptor is refused", {
  timeout: 60_000,
}, async (t) => {
  const run = (program: string, args: string[], environment: Record<string, string>) =>
    new Promise<{ status: number; text: string }>((resolve) => {
      const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
      if (!("NOTIFY_SOCKET" in environment)) delete env.NOTIFY_SOCKET;
      execFile(program, args, { env }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : (error.code as number), text: `${stdout}${stderr}` }),
      );
    });
  const show = [
    process.execPath,
    "-e",
    "console.log(process.env.NOTIFY_SOCKET, process.env.CYGNET_NOTIFY_FD)",
  ];
  const none = await run(LAUNCHER, show, { CYGNET_NOTIFY_FD: "7" });
  t.same(none, { status: 0, text: "undefined undefined\n" }, "a stale number is not passed on");
  t.match(await run(LAUNCHER, [], {}), { text: /^usage: notify-socket PROGRAM/ });
  const nobody = await run(LAUNCHER, show, { NOTIFY_SOCKET: "/nowhere/notify" });
  t.match(nobody.text, /cannot connect to \/nowhere\/notify/);
  t.not(nobody.status, 0);

  const path = join(await fs.mkdtemp(join(tmpdir(), "cyg-")), "notify");
  t.teardown(() => fs.rm(join(path, ".."), { recursive: true, force: true }));
  await listenForNotifications(t, path);
  const child = "require('child_process').spawnSync('ls', ['-l', '/proc/self/fd'], {stdio: 'inherit'})";
  const files = await run(LAUNCHER, [process.execPath, "-e", child], { NOTIFY_SOCKET: path });
  t.equal(files.status, 0);
  t.notMatch(files.text, / [3-9] -> socket:/, "programs that the gateway starts do not have the socket");

  const { hub } = await site(t);
  for (const number of ["97", "x"]) {
    const [node = "", ...rest] = [...GATEWAY, hub.config];
    const refused = await run(node, rest, { CYGNET_NOTIFY_FD: number });
    t.match(refused, { status: 1, text: new RegExp(`CYGNET_NOTIFY_FD=${number} is no open socket`) });
  }
});
