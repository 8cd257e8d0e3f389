import { join, relative, sep } from "node:path";
import type { FileSystem } from "../platform/filesystem.ts";
import { statusOf } from "./directories.ts";

/**
 * How `path` gets out of the directory `jail`, in words; undefined = it does not. Both absolute and without "..". With a
 * disk, symbolic links below the jail are ways out, too, wherever they lead; the jail itself may be one.
 */
export async function wayOut(
  disk: FileSystem | null,
  jail: string,
  path: string,
): Promise<string | undefined> {
  const inner = relative(jail, path);
  const steps = inner.split(sep);
  if (inner === "" || steps[0] === "..") return "it lies outside";
  let at = jail;
  for (const step of disk ? steps : []) {
    at = join(at, step);
    const found = await statusOf(disk as FileSystem, at);
    if (found === undefined) return undefined;
    if (found.kind === "other") return `${at} is a link or a device`;
  }
  return undefined;
}
