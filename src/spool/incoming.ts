import { createHash, type Hash } from "node:crypto";
import { dirname, join } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError, isSystemError } from "../platform/errors.ts";
import type { FileSystem, OpenFile } from "../platform/filesystem.ts";
import type { SpoolContext } from "./context.ts";
import { ensureDirectory } from "./directories.ts";
import { spoolError } from "./faults.ts";
import { hashPrefix } from "./prefix.ts";
import type { Incoming } from "./spool.ts";

/** Where the work files of receives are, named by IDTU. */
export function receiveFolder(rundir: string): string {
  return join(rundir, "work", "recv");
}

/** The work file of a receive, in the form in which it comes over the line. */
export function receivedPath(rundir: string, idtu: string): string {
  return join(receiveFolder(rundir), idtu);
}

/**
 * Opens the work file of a receive at `position`, made where it is not there. The catalog names it before it
 * exists, so that a work file without a record is rubbish. Throws CYG_SPOOL_SHORT when the file has less than
 * `position` octets: the transfer begins anew.
 */
export async function openIncoming(
  context: SpoolContext,
  transfer: Transfer,
  position: number,
): Promise<Incoming> {
  const { catalog, disk } = context;
  const path = receivedPath(context.rundir, transfer.idtu);
  if (transfer.workfile !== path) await catalog.update(transfer.idtu, { workfile: path }, "applied");
  let file: OpenFile | undefined;
  try {
    await ensureDirectory(disk, dirname(path));
    const opened = await openOrCreate(disk, path, position === 0);
    file = opened.file;
    const hash = createHash("sha256");
    const kept = await hashPrefix(file, hash, position);
    if (kept < position) {
      throw new CygnetError(
        "CYG_SPOOL_SHORT",
        `The work file ${path} has ${kept} octets, less than the ${position} to go on from: receive it from the beginning.`,
      );
    }
    if (!opened.created) await file.truncate(position);
    return incomingOn(disk, path, file, hash, position);
  } catch (error) {
    await file?.close();
    throw spoolError(error, `Opening the work file ${path}`);
  }
}

/** Opens what is there, or makes it; `isNew` only says what is tried first. */
async function openOrCreate(
  disk: FileSystem,
  path: string,
  isNew: boolean,
): Promise<{ file: OpenFile; created: boolean }> {
  const [first, second] = isNew ? (["create", "update"] as const) : (["update", "create"] as const);
  try {
    return { file: await disk.open(path, first), created: isNew };
  } catch (error) {
    if (!isSystemError(error, isNew ? "EEXIST" : "ENOENT")) throw error;
    return { file: await disk.open(path, second), created: !isNew };
  }
}

function incomingOn(disk: FileSystem, path: string, file: OpenFile, hash: Hash, position: number): Incoming {
  let length = position;
  let named = false;
  /** Writes follow each other; one that fails fails all that come after it. */
  let written: Promise<void> = Promise.resolve();
  return {
    path,
    get length() {
      return length;
    },
    write(buffers) {
      const at = length;
      for (const buffer of buffers) {
        hash.update(buffer);
        length += buffer.length;
      }
      written = written
        .then(() => file.write(buffers, at))
        .catch((error) => {
          throw spoolError(error, `Writing ${path}`);
        });
      return written;
    },
    async sync() {
      await written;
      const synced = length;
      try {
        // Octets of a file whose name a crash forgets are not safe.
        await Promise.all([file.sync(), named ? undefined : disk.syncDirectory(dirname(path))]);
        named = true;
      } catch (error) {
        throw spoolError(error, `Syncing ${path}`);
      }
      return synced;
    },
    digest: () => hash.digest("hex"),
    // A failed write was reported to whoever wrote.
    close: () =>
      written.then(
        () => file.close(),
        () => file.close(),
      ),
  };
}
