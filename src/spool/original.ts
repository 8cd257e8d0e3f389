/** What becomes of a file that a copy of was sent (FACTION of CFTSEND). */
import { createHash } from "node:crypto";
import type { Original } from "../catalog/catalog.ts";
import { describe } from "../platform/errors.ts";
import type { FileSystem } from "../platform/filesystem.ts";
import { removeFile, statusOf } from "./directories.ts";
import { scan } from "./prefix.ts";
import type { Disposal } from "./spool.ts";

/**
 * Deletes or empties the file, provided that it is still the one that was copied: what somebody has written since was not
 * sent. Done again after a crash, it finds nothing left to do. Never throws for the file: the copy was sent all the same.
 */
export async function dispose(disk: FileSystem, original: Original): Promise<Disposal> {
  const { path, action } = original;
  try {
    const found = await statusOf(disk, path);
    if (found === undefined) {
      return action === "delete" ? { path, action } : { path, action, left: "it is not there any more" };
    }
    const isIt = found.kind === "file" && String(found.ino) === original.ino;
    if (isIt && action === "erase" && found.size === 0) return { path, action };
    if (!isIt || found.size !== original.size || found.mtimeMs !== original.mtimeMs) {
      return { path, action, left: "it has changed since it was sent" };
    }
    if (action === "delete") await removeFile(disk, path);
    else await empty(disk, path);
    return { path, action };
  } catch (error) {
    return { path, action, left: describe(error) };
  }
}

async function empty(disk: FileSystem, path: string): Promise<void> {
  const file = await disk.open(path, "update");
  try {
    await file.truncate(0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A file by its contents: SHA-256, lower-case hexadecimal. */
export interface Contents {
  path: string;
  size: number;
  sha256: string;
  /** ms since 1970 UTC: what was written later is another file, even one with the same contents. */
  until: number;
}

/** Removes a file that has these contents; one that has others by now is somebody else's. Never throws for the file. */
export async function eraseSame(
  disk: FileSystem,
  { path, size, sha256, until }: Contents,
): Promise<Disposal> {
  const action = "delete";
  try {
    const found = await statusOf(disk, path);
    if (found === undefined) return { path, action };
    const isOther = found.kind !== "file" || found.size !== size || found.mtimeMs > until;
    if (isOther) return { path, action, left: OTHER };
    const hash = createHash("sha256");
    await scan(disk, path, Number.POSITIVE_INFINITY, (chunk) => {
      hash.update(chunk);
      return true;
    });
    if (hash.digest("hex") !== sha256) return { path, action, left: OTHER };
    await removeFile(disk, path);
    return { path, action };
  } catch (error) {
    return { path, action, left: describe(error) };
  }
}

const OTHER = "another file has that name";
