// Runs the compiled tests with tap and the pinned Node. "--long" adds the soaks under test/long.
import { execFileSync } from "node:child_process";
import { existsSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { root, runtime } from "./runtime.mjs";
import { become } from "./spawn.mjs";

const node = runtime();
const tap = join(root, "node_modules", ".bin", "tap");
/** Octets that the tests may need for their files at one time. */
const ROOM = 6e9;
/** A disk in memory, where there is room on it: the tests are about what is synced, not about how fast. */
function fastDisk() {
  const path = "/dev/shm";
  if (process.env.TMPDIR || !existsSync(path)) return {};
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize > ROOM ? { TMPDIR: path } : {};
}
const env = { ...process.env, ...fastDisk(), PATH: `${join(node, "..")}:${process.env.PATH}` };
if (!existsSync(join(root, ".tap", "plugins"))) {
  execFileSync(node, [tap, "build"], { cwd: root, env, stdio: ["ignore", "ignore", "inherit"] });
}
const args = process.argv.slice(2);
const long = args.includes("--long");
const chosen = args.filter((argument) => argument !== "--long");
become(node, [tap, "run", ...(long ? ["--timeout=3600", "dist/test/long/*.test.js"] : chosen)], {
  cwd: root,
  env,
});
