/** Which installed packages the gateway needs when it runs: the production part of package-lock.json. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CygnetError } from "../../src/platform/errors.ts";

export interface InstalledPackage {
  name: string;
  version: string;
  /** SPDX expression. */
  licence: string;
  /** Subresource integrity of the published archive: "sha512-…". */
  integrity: string;
  /** Below the project: "node_modules/ajv". */
  path: string;
}

interface LockEntry {
  version: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
}

const RUNTIME = /^node-(linux|darwin)-[a-z0-9]+$/;

/**
 * What package.json asks for in production, with all that is below it, by path, and the Node runtime for this machine.
 * @throws CygnetError CYG_PACKAGE_MODULES when node_modules is not what the lock file says
 */
export function productionPackages(root: string): { modules: InstalledPackage[]; runtime: InstalledPackage } {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockEntry>;
  };
  const wanted = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && entry.dev !== true)
    .map(([path, entry]) => describe(path, entry))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const runtimeName = `node-${process.platform}-${process.arch}`;
  const runtime = wanted.find(({ name }) => name === runtimeName);
  if (!runtime) fail(`the lock file has no ${runtimeName}: this machine's Node cannot be packed`);
  const modules = wanted.filter(({ name }) => !RUNTIME.test(name));
  for (const each of [...modules, runtime]) verify(root, each);
  return { modules, runtime };
}

function describe(path: string, entry: LockEntry): InstalledPackage {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  if (entry.hasInstallScript) fail(`${name} runs a script when it is installed, which a package cannot`);
  if (!entry.license || !entry.integrity) fail(`the lock file has no licence or integrity for ${name}`);
  return { name, version: entry.version, licence: entry.license, integrity: entry.integrity, path };
}

function verify(root: string, { name, version, path }: InstalledPackage): void {
  const file = join(root, path, "package.json");
  const found = existsSync(file)
    ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version
    : "none";
  if (found !== version) fail(`${path} is ${found}, the lock file says ${name} ${version}; run "npm ci"`);
}

function fail(message: string): never {
  throw new CygnetError("CYG_PACKAGE_MODULES", message);
}
