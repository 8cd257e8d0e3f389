import { isAbsolute, relative } from "node:path";
import { nameOf, whereIs } from "../findings.ts";
import type { Scene } from "./scene.ts";

/** True when `inner` is `outer` or lies below it. */
function within(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === "" || (way !== ".." && !way.startsWith("../") && !isAbsolute(way));
}

/** No file is seen by two folders, and none that was claimed or archived is seen again. */
export function checkFolders(scene: Scene): void {
  const folders = scene.list("cftfolder").map(({ entry, value }) => ({
    entry,
    value,
    scandir: value.scandir === undefined ? undefined : scene.runtimePath(value.scandir),
    workdir: value.workdir === undefined ? undefined : scene.runtimePath(value.workdir),
  }));
  for (const [index, { entry, value, scandir, workdir }] of folders.entries()) {
    const clash = (key: string, message: string) =>
      scene.findings.problem(entry, { key }, "CYG_CONFIG_CLASH", message);
    if (value.schedule && entry.written.has("interval")) {
      clash("interval", "schedule says when to look; take interval or schedule out");
    }
    const { filesizemin, filesizemax } = value;
    if (
      typeof filesizemin === "number" &&
      typeof filesizemax === "number" &&
      filesizemax > 0 &&
      filesizemin > filesizemax
    ) {
      clash("filesizemax", `no file is at least ${filesizemin} and at most ${filesizemax} octets long`);
    }
    if (scandir === undefined) continue;
    if (workdir !== undefined && within(workdir, scandir)) {
      clash(
        "workdir",
        `${workdir} lies in scandir ${scandir}: claimed files would be found again; example: workdir = "work/outbox"`,
      );
    }
    if (value.archivedir && within(scene.runtimePath(value.archivedir), scandir)) {
      clash(
        "archivedir",
        `it lies in scandir ${scandir}: sent files would be found again; example: archivedir = "archive"`,
      );
    }
    for (const [other, folder] of folders.entries()) {
      const name = () => `${nameOf(folder.entry)} at ${whereIs(folder.entry)}`;
      if (other === index) continue;
      // Of two equal directories only the second folder is told about.
      const nested = folder.scandir !== undefined && within(scandir, folder.scandir);
      if (nested && (scandir !== folder.scandir || other < index)) {
        clash("scandir", `${scandir} lies in scandir of ${name()}: its files would be sent twice`);
      } else if (folder.workdir !== undefined && within(scandir, folder.workdir)) {
        clash("scandir", `${scandir} lies in workdir of ${name()}: claimed files would be sent again`);
      }
      if (folder.scandir !== undefined && workdir !== undefined && within(workdir, folder.scandir)) {
        clash("workdir", `${workdir} lies in scandir of ${name()}: claimed files would be sent again`);
      }
    }
  }
}
