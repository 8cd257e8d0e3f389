import { dirname } from "node:path";
import { isSystemError } from "../platform/errors.ts";
import type { FileStatus, FileSystem } from "../platform/filesystem.ts";

/** The status of `path`, or undefined where nothing is. */
export async function statusOf(disk: FileSystem, path: string): Promise<FileStatus | undefined> {
  try {
    return await disk.status(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Makes `path` and what is missing above it, durably: a synced file in a directory that a crash forgets is lost. */
export async function ensureDirectory(disk: FileSystem, path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; (await statusOf(disk, at)) === undefined; at = dirname(at)) missing.push(at);
  if (missing.length === 0) return;
  await disk.makeDirectory(path);
  for (const made of missing.reverse()) await disk.syncDirectory(dirname(made));
}

/** Removes a file for good; one that is gone already is fine. */
export async function removeFile(disk: FileSystem, path: string): Promise<void> {
  if (await removeName(disk, path)) await disk.syncDirectory(dirname(path));
}

/** Removes a file that may come back with a power failure. False when it is gone already. */
export async function removeName(disk: FileSystem, path: string): Promise<boolean> {
  try {
    await disk.remove(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
