import { dirname, join } from "node:path";
import type { NewSend, SpoolNote, Transfer } from "../catalog/catalog.ts";
import { describe, isSystemError } from "../platform/errors.ts";
import type { FileStatus, FileSystem } from "../platform/filesystem.ts";
import type { SpoolContext } from "./context.ts";
import { ensureDirectory, removeFile, statusOf } from "./directories.ts";
import { spoolDiagnostic, spoolError } from "./faults.ts";
import type { Candidate, ClaimTarget } from "./spool.ts";

export type ClaimNote = Extract<SpoolNote, { step: "claim" }>;

/**
 * Records an outbox file, not yet to be sent: the first of the two steps of a claim. Nothing happens to the
 * file.
 */
export function recordClaim(
  context: SpoolContext,
  candidate: Candidate,
  send: Omit<NewSend, "spool" | "fname" | "filesize">,
  to: ClaimTarget,
): Promise<Transfer> {
  const { path, size, mtimeMs, ino } = candidate;
  const { workdir, archive } = to;
  const spool: ClaimNote = { step: "claim", source: path, ino: String(ino), size, mtimeMs, archive, workdir };
  return context.catalog.addSend({ ...send, fname: path, filesize: size, spool }, to.hold);
}

/**
 * The second step of a claim, done anew after a crash: takes the recorded file into the work folder. Where the
 * file is gone or another by now, the record ends in T/K with DIAGI 110 and the outbox keeps what it has. Where
 * the system refuses, the record keeps its note and says why, and the step can be tried again.
 */
export async function finishClaim(
  context: SpoolContext,
  transfer: Transfer,
  note: ClaimNote,
): Promise<Transfer> {
  const { disk } = context;
  const work = join(note.workdir, transfer.idtu);
  try {
    await ensureDirectory(disk, note.workdir);
    if ((await statusOf(disk, work)) === undefined) {
      const found = await statusOf(disk, note.source);
      if (found === undefined)
        return await stop(context, transfer, "the file left the outbox before it was taken");
      if (!isSame(found, note)) {
        return await stop(
          context,
          transfer,
          "the file in the outbox changed before it was taken; it is still there",
        );
      }
      await disk.rename(note.source, work);
    }
    // What was renamed is what stood there at that moment, which a hasty writer may have replaced.
    const taken = await disk.status(work);
    if (!isSame(taken, note) && (await putBack(disk, work, taken, note.source))) {
      return await stop(
        context,
        transfer,
        "the file in the outbox changed while it was taken; it was put back",
      );
    }
    await Promise.all([disk.syncDirectory(note.workdir), disk.syncDirectory(dirname(note.source))]);
    return await change(context, transfer, {
      workfile: work,
      filesize: taken.size,
      spool: { step: "claimed", source: note.source, archive: note.archive },
      ...(transfer.phasestep === "D" && transfer.diagi !== 0 ? { diagi: 0, diagc: "" } : {}),
    });
  } catch (error) {
    if (isSystemError(error, "ENOENT") && (await statusOf(disk, work)) === undefined) {
      return await stop(context, transfer, "the file left the outbox while it was taken");
    }
    const failure = spoolError(error, `Taking ${note.source} into ${note.workdir}`);
    if (transfer.phasestep === "D") {
      await change(context, transfer, { diagi: spoolDiagnostic(failure), diagc: describe(failure) });
    }
    throw failure;
  }
}

function isSame(status: FileStatus, note: ClaimNote): boolean {
  return (
    status.kind === "file" &&
    String(status.ino) === note.ino &&
    status.size === note.size &&
    status.mtimeMs === note.mtimeMs
  );
}

/**
 * Gives a file that was not the recorded one back to the outbox. False when the outbox has yet another file of
 * that name: then the one in hand is sent.
 */
async function putBack(disk: FileSystem, work: string, taken: FileStatus, source: string): Promise<boolean> {
  try {
    await disk.link(work, source);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    // The same file: a crash came between this link and the removal below.
    if ((await statusOf(disk, source))?.ino !== taken.ino) return false;
  }
  await disk.syncDirectory(dirname(source));
  await removeFile(disk, work);
  return true;
}

function stop(context: SpoolContext, transfer: Transfer, reason: string): Promise<Transfer> {
  return change(context, transfer, {
    phase: "T",
    phasestep: "K",
    script: "",
    diagi: 110,
    diagp: "",
    diagc: `${transfer.fname}: ${reason}`,
    edate: context.clock.now(),
    spool: null,
  });
}

async function change(
  context: SpoolContext,
  transfer: Transfer,
  changes: Partial<Transfer>,
): Promise<Transfer> {
  await context.catalog.update(transfer.idtu, changes);
  return { ...transfer, ...changes };
}
