/**
 * The last step of a payload: from the work folder to its final name, in an inbox, in the archive or under
 * failed.
 *
 * Invariants
 * - The name appears by a hard link to a synced file: complete from the first moment, replacing nothing.
 * - Before the link the catalog has a note of it; the work file goes only after the link is on the disk.
 * - Whatever moment a crash chooses, note, name and work file tell whether the link was made.
 */
import { basename, dirname, join } from "node:path";
import type { SpoolNote, Transfer } from "../catalog/catalog.ts";
import { CygnetError, isSystemError } from "../platform/errors.ts";
import type { FileSystem } from "../platform/filesystem.ts";
import type { SpoolContext } from "./context.ts";
import { ensureDirectory, removeFile, removeName, statusOf } from "./directories.ts";
import { suffixedName } from "./names.ts";

export type PlaceNote = Extract<SpoolNote, { step: "deliver" }>;

const CHUNK = 1024 * 1024;

/** Where the files of transfers are put that have failed for good, by partner. */
export function failedFolder(rundir: string): string {
  return join(rundir, "failed");
}

/** Whether a note is of a file that is put away, not delivered. */
export function isPutAway({ target }: PlaceNote, rundir: string): boolean {
  return target.startsWith(`${failedFolder(rundir)}/`);
}

/**
 * Moves the work file to `target` or, where that is taken, to a suffixed name; `only`: to no other. Gives the note of the
 * final name.
 * @throws CygnetError CYG_SPOOL_TAKEN
 */
export async function place(
  context: SpoolContext,
  transfer: Transfer,
  target: string,
  only = false,
): Promise<PlaceNote> {
  const { catalog, disk } = context;
  await ensureDirectory(disk, dirname(target));
  let part: string | undefined;
  for (const name of only ? [target] : namesFor(target, transfer.idtu)) {
    if ((await statusOf(disk, name)) !== undefined) continue;
    for (;;) {
      const linked = part ?? transfer.workfile;
      const { ctimeNs, ino } = await disk.status(linked);
      const note: PlaceNote = {
        step: "deliver",
        target: name,
        ctimeNs: String(ctimeNs),
        ino: String(ino),
        ...(part === undefined ? {} : { part }),
      };
      await catalog.update(transfer.idtu, { spool: note });
      try {
        await disk.link(linked, name);
        return note;
      } catch (error) {
        if (isSystemError(error, "EEXIST")) break;
        if (part === undefined && isSystemError(error, "EXDEV")) {
          part = await copyBeside(disk, transfer, target);
          continue;
        }
        await withdrawNote(context, transfer, note);
        throw error;
      }
    }
  }
  throw new CygnetError("CYG_SPOOL_TAKEN", `${target} exists already`);
}

/**
 * Takes the note back after a link that failed for certain. A note is evidence only for the moment of a crash:
 * the operator who now repairs the rights of a whole tree changes the ctime of the work file as well.
 */
async function withdrawNote(context: SpoolContext, transfer: Transfer, note: PlaceNote): Promise<void> {
  if (await wasPlaced(context.disk, transfer, note)) return;
  const before = transfer.direct === "recv" ? null : transfer.spool;
  await context.catalog.update(transfer.idtu, { spool: before });
}

/** After the link: makes it durable, then removes what it was linked from. */
export async function finishPlace(disk: FileSystem, transfer: Transfer, note: PlaceNote): Promise<void> {
  await disk.syncDirectory(dirname(note.target));
  if (note.part !== undefined) await removeFile(disk, note.part);
  // the work file of a receive that comes back after a crash is an orphan, which recovery removes
  if (transfer.direct === "recv") await removeName(disk, transfer.workfile);
  else await removeFile(disk, transfer.workfile);
}

/**
 * Whether a noted link was made. The name itself may be gone: an inbox is emptied by others, who may have been
 * faster than our restart, and must not find the file a second time. What was linked tells too: the link and
 * every later change of it moved its ctime, and it is removed only after the link.
 *
 * For a send only the name counts. Its file came from an outbox, where another hard link to it may exist whose
 * life moves the ctime as well, and a second copy in the archive is better than none.
 */
export async function wasPlaced(disk: FileSystem, transfer: Transfer, note: PlaceNote): Promise<boolean> {
  const linked = await statusOf(disk, note.part ?? transfer.workfile);
  if (linked === undefined || (await statusOf(disk, transfer.workfile)) === undefined) return true;
  const standing = await statusOf(disk, note.target).catch((error) => {
    if (isSystemError(error, "ENOTDIR")) return undefined;
    throw error;
  });
  if (standing !== undefined && String(standing.ino) === note.ino && standing.dev === linked.dev) return true;
  if (transfer.direct === "send") return false;
  return linked.nlink > 1n || String(linked.ctimeNs) !== note.ctimeNs;
}

/** `name.ext`, `name~2.ext` to `name~9.ext`, then with the IDTU, which nobody else has. */
function* namesFor(target: string, idtu: string): Generator<string> {
  const suffixed = (suffix: string): string => join(dirname(target), suffixedName(basename(target), suffix));
  yield target;
  for (let number = 2; number <= 9; number += 1) yield suffixed(String(number));
  yield suffixed(idtu);
  for (let number = 2; ; number += 1) yield suffixed(`${idtu}-${number}`);
}

/** A synced copy of the work file under a hidden name on the file system of the target. */
async function copyBeside(disk: FileSystem, transfer: Transfer, target: string): Promise<string> {
  const part = join(dirname(target), `.${transfer.idtu}.part`);
  await removeFile(disk, part);
  const from = await disk.open(transfer.workfile, "read");
  try {
    const to = await disk.open(part, "create");
    try {
      const chunk = Buffer.allocUnsafe(CHUNK);
      for (let at = 0; ; ) {
        const count = await from.read(chunk, at);
        if (count === 0) break;
        await to.write([chunk.subarray(0, count)], at);
        at += count;
      }
      await to.sync();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
  await disk.syncDirectory(dirname(part));
  return part;
}
