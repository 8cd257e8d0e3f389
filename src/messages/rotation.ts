import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { isSystemError } from "../platform/errors.ts";

/** Path of a file of the log: 0 is the one being written, 1 the youngest of the old ones. */
export function backupPath(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}

/** Indices of the old files of a log, lowest (youngest) first; none when the folder does not exist. */
export async function backupIndices(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  let names: string[];
  try {
    names = await readdir(dirname(path));
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
  return names
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,5}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

/**
 * Makes way for a new log file: `log` becomes `log.1`, `log.1` becomes `log.2` and so on; those beyond `backups` go.
 * Throws the system's error of the first step that fails; a repetition does what was left.
 */
export async function rotate(path: string, backups: number): Promise<void> {
  const old = await backupIndices(path);
  const kept = [0, ...old].filter((index) => index < backups).reverse();
  for (const index of [0, ...old].filter((at) => at >= backups))
    await rm(backupPath(path, index), { force: true });
  for (const index of kept) await rename(backupPath(path, index), backupPath(path, index + 1));
}
