import { createHash } from "node:crypto";
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError } from "../platform/errors.ts";
import type { FileStatus, FileSystem, OpenFile } from "../platform/filesystem.ts";
import { secondForm } from "./convert.ts";
import { spoolError } from "./faults.ts";
import { hashPrefix } from "./prefix.ts";
import type { Outgoing } from "./spool.ts";

/**
 * Opens the claimed file of a send, or its form for the line, at `position`. Throws CYG_SPOOL_CHANGED when it no longer has the size that
 * was claimed (somebody still had it open and wrote on), CYG_SPOOL_GONE when it is not there.
 */
export async function openOutgoing(
  disk: FileSystem,
  transfer: Transfer,
  position: number,
): Promise<Outgoing> {
  const converted = transfer.formsize >= 0;
  const path = converted ? secondForm(transfer.workfile) : transfer.workfile;
  const expected = converted ? transfer.formsize : transfer.filesize;
  let file: OpenFile | undefined;
  try {
    file = await disk.open(path, "read");
    const opened = await disk.status(path);
    const { size } = opened;
    if (size !== expected || position > size) {
      throw new CygnetError(
        "CYG_SPOOL_CHANGED",
        `The claimed file ${path} has ${size} octets, not the ${expected} that it had: it was written to after it was taken.`,
      );
    }
    const hash = createHash("sha256");
    let at = await hashPrefix(file, hash, position);
    const open = file;
    return {
      size,
      async read(buffer) {
        try {
          const count = await open.read(buffer, at);
          hash.update(buffer.subarray(0, count));
          at += count;
          return count;
        } catch (error) {
          throw spoolError(error, `Reading ${path}`);
        }
      },
      digest: () => hash.digest("hex"),
      unchanged: async () => isUnchanged(opened, await disk.status(path)),
      close: () => open.close(),
    };
  } catch (error) {
    await file?.close();
    throw spoolError(error, `Opening the claimed file ${path === "" ? `of ${transfer.idtu}` : path}`);
  }
}

/** Whether a file is the one that it was, and nobody has written to it. */
export function isUnchanged(before: FileStatus, now: FileStatus): boolean {
  return before.ino === now.ino && before.size === now.size && before.mtimeMs === now.mtimeMs;
}
