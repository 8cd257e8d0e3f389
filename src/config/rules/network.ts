import { Buffer } from "node:buffer";
import { accessSync, constants, statSync } from "node:fs";
import { isIP } from "node:net";
import { commandOf } from "../command.ts";
import { nameOf, whereIs } from "../findings.ts";
import type { Cftprot } from "../generated.ts";
import { parseDuration } from "../units.ts";
import type { Item, Scene } from "./scene.ts";

const TIMERS = ["rto", "disctc", "disctd", "discts", "disctr"] as const;
/** Longest path of a local socket on Linux, octets, without the closing zero. */
const SOCKET_PATH = 107;

/** Listening ports, TLS profiles of both directions, timers, the control socket. */
export function checkNetwork(scene: Scene): void {
  checkPorts(scene);
  for (const item of scene.list("cftprot")) {
    checkProfiles(scene, item);
    checkDirectory(scene, item);
    for (const key of TIMERS) {
      if (item.value[key] === undefined || parseDuration(item.value[key], "s") !== 0) continue;
      scene.findings.warning(
        item.entry,
        { key },
        "CYG_CONFIG_ADVICE",
        "0 means for ever: a silent partner keeps its session",
      );
    }
  }
  const socket = scene.runtimePath(scene.tree.admin?.socket ?? "control.sock");
  const admin = scene.single("admin") ?? scene.single("cftparm");
  if (admin && Buffer.byteLength(socket) > SOCKET_PATH) {
    const key = admin.table === "admin" ? "socket" : "rundir";
    const message = `the path of the control socket, ${socket}, is longer than ${SOCKET_PATH} octets; example: socket = "/run/cygnet/control.sock"`;
    scene.findings.problem(admin, { key }, "CYG_CONFIG_VALUE", message);
  }
}

/** A program that can be started, and that answers before the session is given up. */
function checkDirectory(scene: Scene, { entry, value }: Item<Cftprot>): void {
  const { exita = "", exitatimeout = 10, disctc = 60 } = value;
  if (exita === "") return;
  const [program = ""] = commandOf(exita, scene.sources.directory) ?? [];
  if (program === "") {
    const message = 'a program must be named; example: exita = ["scripts/directory.sh"]';
    return scene.findings.problem(entry, { key: "exita" }, "CYG_CONFIG_VALUE", message);
  }
  const [answer, patience] = [parseDuration(exitatimeout, "s"), parseDuration(disctc, "s")];
  if (patience > 0 && answer >= patience) {
    const message = `found ${answer / 1000} s; allowed: less than disctc, ${patience / 1000} s, after which the session is given up`;
    scene.findings.problem(entry, { key: "exitatimeout" }, "CYG_CONFIG_VALUE", message);
  }
  if (!program.includes("/") || isProgram(program)) return;
  const message = `${program} is no program that this user can run; sessions are refused until it is (DIAGI 423)`;
  scene.findings.warning(entry, { key: "exita" }, "CYG_CONFIG_ADVICE", message);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // the only thing that it tells
  }
}

function checkPorts(scene: Scene): void {
  const listening: { item: Item<Cftprot>; hosts: string[] }[] = [];
  for (const item of scene.list("cftprot")) {
    const { sap, net } = item.value;
    const host = net === undefined ? undefined : scene.find("cftnet", net)?.value.host;
    if (sap === undefined || host === undefined) continue;
    const hosts = typeof host === "string" ? [host] : host;
    const other = listening.find((one) => one.item.value.sap === sap && overlap(one.hosts, hosts));
    if (other) {
      const message = `port ${sap} is taken on the same address by ${nameOf(other.item.entry)} at ${whereIs(other.item.entry)}; give each its own port`;
      scene.findings.problem(item.entry, { key: "sap" }, "CYG_CONFIG_CLASH", message);
    } else listening.push({ item, hosts });
  }
}

/** The all-zero address of a family takes the port on every address of the family, and on names, which may be any. */
function overlap(some: readonly string[], others: readonly string[]): boolean {
  const covers = (a: string, b: string) =>
    a === b || (a === "0.0.0.0" && isIP(b) !== 6) || (a === "::" && isIP(b) !== 4);
  return some.some((a) => others.some((b) => covers(a, b) || covers(b, a)));
}

function checkProfiles(scene: Scene, { entry, value }: Item<Cftprot>): void {
  const { id, ssl, sap } = value;
  if (id === undefined || !ssl) return;
  const profiles = scene.list("cftssl").filter((item) => item.value.id === ssl);
  if (profiles.length === 0) return; // told as an unknown id
  const has = (direct: "server" | "client") => profiles.some((item) => item.value.direct === direct);
  const needs = (direct: "server" | "client", why: string) =>
    scene.findings.problem(
      entry,
      { key: "ssl" },
      "CYG_CONFIG_REFERENCE",
      `${why}, but cftssl "${ssl}" has no ${direct} profile; add one: [[cftssl]] id = "${ssl}", direct = "${direct}"`,
    );
  if (sap !== undefined && !has("server")) needs("server", "it listens");
  const caller = scene
    .list("cftpart")
    .find(
      (part) => part.value.prot?.includes(id) && !part.value.ssl && scene.find("cfttcp", part.value.id ?? ""),
    );
  if (caller && !has("client")) needs("client", `we call ${nameOf(caller.entry)} with it`);
}
