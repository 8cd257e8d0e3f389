// Which Node runs the gateway: the one that this project pins, or the host's own where it is new enough.
// Plain JavaScript without dependencies, because it also runs before anything is installed.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Path of the Node binary (24 or later) to run compiled code with. Exits 1 with advice where there is none. */
export function runtime() {
  const pinned = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  console.error(
    `cygnet: needs Node 24 or later; this is ${process.version} and no pinned Node is installed for ` +
      `${process.platform}-${process.arch}.\nRun "npm ci" (without --omit=optional) or install Node 24.`,
  );
  process.exit(1);
}
