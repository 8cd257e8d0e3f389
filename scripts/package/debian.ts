/**
 * Makes the Debian package. The same project makes the same octets: one time for all files, that of the sources;
 * files in the order of their names; one thread for the compressor, whose output depends on their number.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CygnetError, describe } from "../../src/platform/errors.ts";
import { architecture } from "./control.ts";
import { stage } from "./stage.ts";
import { Tree } from "./tree.ts";

export interface PackageOptions {
  /** The built project. */
  root: string;
  /** Folder of the package. */
  out: string;
  /** How dpkg-deb packs: "xz" for release, "none" to be quick. */
  compression: "xz" | "none";
}

/**
 * Gives the path of the package, OUT/cygnet_VERSION_ARCHITECTURE.deb.
 * @throws CygnetError CYG_PACKAGE_…: dpkg-deb or the time of the sources is not to be had, node_modules is not in order
 */
export function makeDebianPackage({ root, out, compression }: PackageOptions): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const time = sourceTime(root);
  const folder = mkdtempSync(join(tmpdir(), "cygnet-package-"));
  try {
    const tree = new Tree(join(folder, "tree"));
    tree.folder(".");
    stage(tree, root, time);
    tree.settle(time);
    mkdirSync(out, { recursive: true });
    const file = join(out, `cygnet_${version}_${architecture()}.deb`);
    const pack = [`-Z${compression}`, "--threads-max=1", "--root-owner-group", "--build", tree.root, file];
    run("dpkg-deb", pack, { SOURCE_DATE_EPOCH: String(time) });
    return file;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** $SOURCE_DATE_EPOCH, else the time of the last commit: seconds since 1970. */
export function sourceTime(root: string): number {
  const named = process.env.SOURCE_DATE_EPOCH ?? run("git", ["-C", root, "log", "-1", "--format=%ct"], {});
  const seconds = Number(named);
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new CygnetError("CYG_PACKAGE_TIME", `SOURCE_DATE_EPOCH is "${named}"; it takes seconds since 1970.`);
}

function run(command: string, args: string[], environment: Record<string, string>): string {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    }).trim();
  } catch (cause) {
    const advice =
      command === "git"
        ? "outside a checkout set SOURCE_DATE_EPOCH to the time of the sources, in seconds since 1970"
        : "packages are made on Debian, with dpkg 1.21.9 or later";
    throw new CygnetError("CYG_PACKAGE_TOOL", `${command} failed (${describe(cause)}); ${advice}.`, {
      cause,
    });
  }
}
