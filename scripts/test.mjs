// Runs the compiled tests with tap and the pinned Node. "--long" runs the soaks under test/long instead, "--system" the
// tests of the package under test/system; as root on Debian the latter first installs the tools that they need.
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
const system = args.includes("--system");
const chosen = args.filter((argument) => argument !== "--long" && argument !== "--system");
/** Debian's name of each tool that the tests of the package call. What is missing is skipped, and says so. */
const TOOLS = {
  lintian: "lintian",
  debootstrap: "debootstrap",
  "systemd-analyze": "systemd",
  "systemd-nspawn": "systemd-container",
  man: "man-db",
};
function installTools() {
  const folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const missing = Object.entries(TOOLS)
    .filter(([tool]) => !folders.some((folder) => existsSync(join(folder, tool))))
    .map(([, name]) => name);
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, stdio: "inherit" };
  execFileSync("apt-get", ["update", "-q"], options);
  execFileSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], options);
}
if (system) installTools();
const suites = [
  ...(long ? ["dist/test/long/*.test.js"] : []),
  ...(system ? ["dist/test/system/*.test.js"] : []),
];
become(node, [tap, "run", ...(suites.length > 0 ? ["--timeout=3600", ...suites] : chosen)], {
  cwd: root,
  env,
});
