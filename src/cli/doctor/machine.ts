/** The machine: runtime, limits of the process, the service. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Check, type Finding, finding } from "./finding.ts";
import { countFolders } from "./folders.ts";
import { run } from "./program.ts";

const OLDEST_NODE = 24;
/** Files that the gateway has open besides connections and transfers. */
const BASE = 200;

export const checkMachine: Check = async (scene) => [
  checkNode(),
  ...(await checkDescriptors(scene)),
  ...(await checkWatches(scene)),
  ...(await checkUnit(scene)),
];

function checkNode(): Finding {
  const { node, openssl } = process.versions;
  const text = `Node ${node}, OpenSSL ${openssl}`;
  return Number(node.split(".")[0]) >= OLDEST_NODE
    ? finding("node", "ok", text)
    : finding(
        "node",
        "fail",
        text,
        `Node ${OLDEST_NODE} or later is needed: start it with "cygnet", not "node".`,
      );
}

const checkDescriptors: Check = async ({ status, configuration }) => {
  if (configuration === null) return [];
  const pid = status?.pid ?? process.pid;
  const limits = await readFile(`/proc/${pid}/limits`, "utf8").catch(() => "");
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  if (soft === undefined) return [];
  const connections = [...configuration.cftnet.values()].reduce((sum, { maxcnx }) => sum + maxcnx, 0);
  const needed = BASE + connections + 2 * configuration.cftparm.maxtrans;
  const whose = status ? "" : " (of this command: no gateway runs)";
  const text = `${soft} files may be open${whose}, up to ${needed} are needed`;
  if (Number(soft) >= needed) return [finding("limits", "ok", text)];
  return [
    finding(
      "limits",
      "warn",
      text,
      "Raise LimitNOFILE in the unit (ulimit -n), or lower maxcnx and maxtrans.",
    ),
  ];
};

const checkWatches: Check = async ({ configuration }) => {
  const watched = [...(configuration?.cftfolder.values() ?? [])].filter(({ usefsevents }) => usefsevents);
  const file = "/proc/sys/fs/inotify/max_user_watches";
  const most = Number(await readFile(file, "utf8").catch(() => ""));
  if (watched.length === 0 || !(most > 0)) return [];
  const folders = (await Promise.all(watched.map(({ scandir }) => countFolders(scandir)))).reduce(
    (a, b) => a + b,
    0,
  );
  const text = `${folders} folders are watched, ${most} watches are allowed to the user`;
  if (folders < most * 0.8) return [finding("limits", "ok", text)];
  const action = `sysctl fs.inotify.max_user_watches=${Math.max(65_536, folders * 2)}; until then only the schedule finds files.`;
  return [finding("limits", "warn", text, action)];
};

const checkUnit: Check = async ({ status }) => {
  if (!existsSync("/run/systemd/system")) return [];
  const said = await run([
    "systemctl",
    "show",
    "cygnet.service",
    "-p",
    "LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result",
  ]);
  const state = Object.fromEntries(
    (said ?? "").split("\n").map((line) => line.split("=", 2) as [string, string]),
  );
  if (said === null || state.LoadState !== "loaded") return [];
  const text = `cygnet.service is ${state.ActiveState} (${state.SubState}), ${state.UnitFileState}, ${state.NRestarts} restarts`;
  if (state.ActiveState === "failed") {
    return [finding("service", "fail", `${text}: ${state.Result}`, "journalctl -u cygnet -e tells why.")];
  }
  if (state.ActiveState !== "active" && status === null) {
    return [finding("service", "warn", text, "systemctl start cygnet")];
  }
  if (!/^(enabled|static)/.test(state.UnitFileState ?? "")) {
    return [
      finding("service", "warn", text, "systemctl enable cygnet: otherwise it does not start at boot."),
    ];
  }
  const restarts = Number(state.NRestarts) > 0;
  return [
    finding(
      "service",
      restarts ? "warn" : "ok",
      text,
      restarts ? "journalctl -u cygnet tells why it was started again." : "",
    ),
  ];
};
