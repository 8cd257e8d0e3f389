/**
 * Files of this room appear whole and durable: written aside, synced, put under their name, folder synced.
 * After a crash a file is there as it was before or as it should be, never in half; only an aside file may be left.
 */
import { randomBytes } from "node:crypto";
import { chown, link, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";

/** Ending of files that are being written; whoever reads a folder passes over them. */
export const ASIDE = ".tmp";

/**
 * Writes a file, in place of one of that name. Folders that are missing are made with mode 0700.
 * Errors: CYG_PKI_FILE.
 */
export async function writeWhole(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await write(path, content, mode, (aside) => rename(aside, path));
}

/** Writes a file unless there is one of that name: then nothing is changed and the result is false. Errors: CYG_PKI_FILE. */
export async function writeNew(path: string, content: string | Uint8Array, mode: number): Promise<boolean> {
  let made = true;
  await write(path, content, mode, async (aside) => {
    try {
      await link(aside, path); // unlike a rename, a link never replaces anything
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
      made = false;
    }
    await unlink(aside);
  });
  return made;
}

async function write(
  path: string,
  content: string | Uint8Array,
  mode: number,
  place: (aside: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const aside = `${path}.${randomBytes(6).toString("hex")}${ASIDE}`;
  try {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    const owner = await ownerFor(folder, first);
    const handle = await open(aside, "wx", mode);
    try {
      if (owner) await handle.chown(owner.uid, owner.gid);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(aside);
    // a folder that was made just now is durable when the one above it is synced
    for (let each = folder; ; each = dirname(each)) {
      await syncFolder(each);
      if (first === undefined || each === dirname(first)) break;
    }
  } catch (cause) {
    await unlink(aside).catch(() => {}); // it may never have come into being; the first error is the one that counts
    throw new CygnetError("CYG_PKI_FILE", `${path} cannot be written: ${describe(cause)}`, { cause });
  }
}

/**
 * The gateway runs as a user of its own: what root makes in its folders must belong to it, else it cannot read it.
 * Gives that user, undefined for everybody but root; folders that were made just now (`first` and below) change hands.
 */
async function ownerFor(
  folder: string,
  first: string | undefined,
): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(first === undefined ? folder : dirname(first));
  for (let each = folder; first !== undefined; each = dirname(each)) {
    await chown(each, owner.uid, owner.gid);
    if (each === first) break;
  }
  return owner;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
