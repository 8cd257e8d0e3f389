// Makes a checkout ready: installs when package.json or the lock file changed, compiles when a source did.
// Dependency-free, runs on the host's Node 20 or later. "--build" compiles in any case.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, runtime } from "./runtime.mjs";

if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(`cygnet: npm needs Node 20 or later to set this project up; this is ${process.version}`);
  process.exit(1);
}

const stamps = join(root, "node_modules", ".cache", "cygnet");
const sources = ["src", "test", "bench", "scripts", "schemas"];

/** Hash of the contents, or of names, sizes and times where those are enough. */
function fingerprint(paths, deep) {
  const hash = createHash("sha256");
  const visit = (path) => {
    if (!existsSync(path)) return;
    const stat = statSync(path);
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(deep ? readFileSync(path) : `${path}:${stat.size}:${stat.mtimeMs}\n`);
  };
  for (const path of paths) visit(join(root, path));
  return hash.digest("hex");
}

const stamped = (name) => (existsSync(join(stamps, name)) ? readFileSync(join(stamps, name), "utf8") : "");
const stamp = (name, value) => {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(join(stamps, name), value);
};
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });

const wanted = fingerprint(["package.json", "package-lock.json", ".taprc"], true);
if (stamped("install") !== wanted) {
  console.log("cygnet: installing packages …");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  // the test runner's plugins are made for the packages that were just replaced
  rmSync(join(root, ".tap", "plugins"), { recursive: true, force: true });
  stamp("install", wanted);
}

const present = fingerprint(sources, false);
if (process.argv.includes("--build") || stamped("build") !== present || !existsSync(join(root, "dist"))) {
  console.log("cygnet: compiling …");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  rmSync(join(root, "node_modules", ".cache", "tsc"), { recursive: true, force: true });
  const made = [
    ["generate-types.mjs", join("src", "config", "generated.ts")],
    ["assemble-kernel.mjs", join("src", "oftp", "wire", "subrecords.generated.ts")],
  ];
  for (const [maker, target] of made) run(runtime(), [join(root, "scripts", maker), join(root, target)]);
  run(runtime(), [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root]);
  stamp("build", fingerprint(sources, false));
}
