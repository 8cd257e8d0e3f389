/** DEBIAN/: what dpkg reads of the package. */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CygnetError } from "../../src/platform/errors.ts";
import type { Tree } from "./tree.ts";

export const MAINTAINER = "Cygnet maintainers <maintainers@cygnet.example>";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Debian's name of this machine's architecture. */
export function architecture(): string {
  const name = ARCHITECTURES[process.arch];
  if (name) return name;
  throw new CygnetError(
    "CYG_PACKAGE_ARCHITECTURE",
    `No package can be made for ${process.arch}; x64 and arm64 are known.`,
  );
}

/** What the runtime is linked with, and what the maintainer scripts call. */
const DEPENDS = [
  "libc6 (>= 2.28)",
  "libgcc-s1",
  "libstdc++6 (>= 8)",
  "init-system-helpers (>= 1.54)",
  "systemd | systemd-standalone-sysusers | systemd-sysusers",
  "systemd | systemd-standalone-tmpfiles | systemd-tmpfiles",
];

const DESCRIPTION = `Description: OFTP2 gateway with Transfer CFT's objects, states and messages
 Exchanges files with business partners over the ODETTE File Transfer Protocol
 (RFC 5024; OFTP 1.2, 1.3, 1.4 and 2.0), in clear or over TLS. A file dropped
 into a partner's outbox folder reaches the partner; what the partner sends
 appears in its inbox folder, and both sides can prove it.
 .
 The configuration is TOML with the objects and keys of Transfer CFT, taken over
 by the running gateway when it is saved. The package brings its own Node
 runtime; nothing is compiled or fetched when it is installed.`;

/** Writes DEBIAN/ for all that is in the tree so far. `scripts` is the folder with the maintainer scripts. */
export function writeControl(tree: Tree, version: string, scripts: string): void {
  const { files } = tree;
  const size = files.reduce((sum, path) => sum + Math.ceil(lstatSync(tree.at(path)).size / 1024), 0);
  const control = [
    "Package: cygnet",
    `Version: ${version}`,
    `Architecture: ${architecture()}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${size}`,
    `Depends: ${DEPENDS.join(", ")}`,
    "Section: net",
    "Priority: optional",
    DESCRIPTION,
    "",
  ];
  tree.write("DEBIAN/control", control.join("\n"));
  tree.write("DEBIAN/conffiles", "/etc/cygnet/cygnet.toml\n");
  tree.write("DEBIAN/md5sums", sums(tree, files));
  for (const name of ["postinst", "prerm", "postrm"]) tree.copy(join(scripts, name), `DEBIAN/${name}`, 0o755);
}

function sums(tree: Tree, files: readonly string[]): string {
  return files
    .filter((path) => path !== "etc/cygnet/cygnet.toml" && lstatSync(tree.at(path)).isFile())
    .map(
      (path) =>
        `${createHash("md5")
          .update(readFileSync(tree.at(path)))
          .digest("hex")}  ${path}\n`,
    )
    .join("");
}

/** Debian's changelog out of the newest section of ours. `time` in seconds since 1970. */
export function debianChangelog(ours: string, version: string, time: number): string {
  const newest = ours.split(/^## .*$/m)[1] ?? "";
  const points = newest
    .split(/^- /m)
    .slice(1)
    .map((point) => wrapped(point.trim().replace(/\s+/g, " ").replaceAll("`", "")));
  const lines = points.flatMap(([first = "", ...more]) => [
    `  * ${first}`,
    ...more.map((line) => `    ${line}`),
  ]);
  const date = new Date(time * 1000).toUTCString().replace("GMT", "+0000");
  return [
    `cygnet (${version}) unstable; urgency=medium`,
    "",
    ...lines,
    "",
    ` -- ${MAINTAINER}  ${date}`,
    "",
  ].join("\n");
}

/** Lines of at most 74 characters. */
function wrapped(text: string): string[] {
  return text.match(/\S.{0,73}(?=\s|$)/g) ?? [text];
}
