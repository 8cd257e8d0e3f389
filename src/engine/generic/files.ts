/**
 * The files that a request for several means (FNAME with # in front, SELFNAME): those of a directory, those that a mask
 * fits, or those that a list names.
 */
import { basename, dirname, join, resolve } from "node:path";
import { CygnetError, describe, isSystemError } from "../../platform/errors.ts";
import type { FileSystem } from "../../platform/filesystem.ts";
import { wildmat } from "../../platform/wildmat.ts";

/** Transfer CFT's limit of files in a list (max_files_listed). */
export const MOST_FILES = 100_000;
/** Octets of a list: so many names of the longest kind. */
const LONGEST_LIST = MOST_FILES * 512;

const SEVERAL = /^[#@]/;

/** True for what stands for several files. */
export function isSeveral(file: string): boolean {
  return SEVERAL.test(file);
}

/** The path behind the sign. */
export function pathOf(file: string): string {
  return file.replace(SEVERAL, "");
}

/** Why there is no list of files: DIAGI and words. */
export class NoFiles extends CygnetError {
  readonly diagi: number;

  constructor(diagi: 110 | 132 | 150, message: string, cause?: unknown) {
    super("CYG_REQUEST_FILES", message, { cause });
    this.diagi = diagi;
  }
}

/**
 * The files, absolute, each once: of a directory or a mask by name, of a list in its order. Those of a list need not be there.
 * @param path absolute, without the sign
 * @param selfname list of the names in the directory that are meant, absolute; "" = all
 * @throws NoFiles 150 for a directory and 132 for a list that cannot be read or is too long, 110 where there is no file
 */
export async function filesOf(disk: FileSystem, path: string, selfname: string): Promise<string[]> {
  const found = await meant(disk, path, selfname);
  const files = [...new Set(found)];
  if (files.length === 0) throw new NoFiles(110, `${path} stands for no file`);
  if (files.length > MOST_FILES) {
    throw new NoFiles(
      150,
      `${path} stands for ${files.length} files; at most ${MOST_FILES} are sent at once`,
    );
  }
  return files;
}

async function meant(disk: FileSystem, path: string, selfname: string): Promise<string[]> {
  const name = basename(path);
  const isMask = /[*?]/.test(name);
  const folder = isMask ? dirname(path) : path;
  if (!isMask) {
    const status = await disk.status(path).catch((cause: unknown) => {
      throw new NoFiles(150, `${path} cannot be read: ${describe(cause)}`, cause);
    });
    if (status.kind === "file") return (await namesIn(disk, path)).map((one) => resolve(dirname(path), one));
    if (status.kind !== "directory") throw new NoFiles(150, `${path} is neither a directory nor a list`);
  }
  const chosen = selfname === "" ? undefined : await namesIn(disk, selfname);
  const strange = chosen?.find((one) => one !== basename(one) || one === "..");
  if (strange !== undefined)
    throw new NoFiles(132, `${selfname}: "${strange}" is no name of a file in ${folder}`);
  const mask = isMask ? name : "*";
  const fits = (one: string) => wildmat(mask, one) && (mask.startsWith(".") || !one.startsWith("."));
  if (chosen) return chosen.filter(fits).map((one) => join(folder, one));
  const entries = await disk.list(folder).catch((cause: unknown) => {
    throw new NoFiles(150, `${folder} cannot be read: ${describe(cause)}`, cause);
  });
  const names = entries
    .filter((entry) => entry.kind === "file" && fits(entry.name))
    .map((entry) => entry.name);
  return names.sort().map((one) => join(folder, one));
}

/** The names in a list, one on each line; lines that begin with # are remarks. */
async function namesIn(disk: FileSystem, path: string): Promise<string[]> {
  try {
    const { kind, size } = await disk.status(path);
    if (kind !== "file") throw new NoFiles(132, `${path} is no file`);
    if (size > LONGEST_LIST) throw new NoFiles(132, `${path} is too long for a list`);
    const text = (await wholeOf(disk, path, size)).toString("utf8");
    return text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  } catch (cause) {
    if (cause instanceof NoFiles) throw cause;
    const why = isSystemError(cause, "ENOENT") ? "it is not there" : describe(cause);
    throw new NoFiles(132, `the list ${path} cannot be read: ${why}`, cause);
  }
}

async function wholeOf(disk: FileSystem, path: string, size: number): Promise<Buffer> {
  const file = await disk.open(path, "read");
  try {
    const all = Buffer.alloc(size);
    let at = 0;
    for (let count = -1; at < size && count !== 0; at += count) count = await file.read(all.subarray(at), at);
    return all.subarray(0, at);
  } finally {
    await file.close();
  }
}
