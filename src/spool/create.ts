import { basename, dirname, join } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError, isSystemError } from "../platform/errors.ts";
import type { FileSystem } from "../platform/filesystem.ts";
import { finishClaim, recordClaim } from "./claim.ts";
import type { SpoolContext } from "./context.ts";
import { type Maker, makeForm, removeForms, secondForm } from "./convert.ts";
import { ensureDirectory, removeFile } from "./directories.ts";
import { spoolError } from "./faults.ts";
import { openIncoming, receivedPath } from "./incoming.ts";
import { safeName } from "./names.ts";
import { dispose, eraseSame } from "./original.ts";
import { isUnchanged, openOutgoing } from "./outgoing.ts";
import { failedFolder, finishPlace, type PlaceNote, place, wasPlaced } from "./place.ts";
import { scan } from "./prefix.ts";
import { recoverSpool } from "./recover.ts";
import type { Disposal, Spool } from "./spool.ts";

/** The spool on a disk and a catalog. `rundir` is absolute. */
export function createSpool(context: SpoolContext): Spool {
  const { catalog, disk } = context;
  /** Records, and outbox files, with a step in progress in this process: `recover` leaves them alone. */
  const busy = new Set<string>();
  /** Claims that the system refused, by the path of the outbox file: tried again under the same record. */
  const refused = new Map<string, string>();

  async function during<T>(file: string, step: () => Promise<T>): Promise<T> {
    if (busy.has(file)) {
      throw new CygnetError("CYG_SPOOL_BUSY", `Another step for the file ${file} is in progress.`);
    }
    busy.add(file);
    try {
      return await step();
    } finally {
      busy.delete(file);
    }
  }

  return {
    claim: (candidate, send, to) =>
      during(candidate.path, async () => {
        const known = await refusedClaim(context, refused.get(candidate.path), candidate.ino);
        const transfer = known ?? (await recordClaim(context, candidate, send, to));
        const note = transfer.spool;
        if (note?.step !== "claim") return transfer;
        refused.set(candidate.path, transfer.idtu);
        const claimed = await during(transfer.idtu, () => finishClaim(context, transfer, note));
        refused.delete(candidate.path);
        return claimed;
      }),
    prepare: (transfer, make, steady = false) =>
      during(transfer.idtu, () => prepare(context, transfer, make, steady)),
    localise: (transfer, make) => during(transfer.idtu, () => localise(context, transfer, make)),
    scanLine(transfer, each) {
      const { workfile, formsize } = transfer;
      const path = formsize >= 0 ? secondForm(workfile) : workfile;
      return scan(disk, path, Number.POSITIVE_INFINITY, each);
    },
    scanIncoming: (transfer, limit, each) => scan(disk, transfer.workfile, limit, each),
    openOutgoing: (transfer, position) => openOutgoing(disk, transfer, position),
    openIncoming: (transfer, position) => openIncoming(context, transfer, position),
    deliver: (transfer, target, only = false) =>
      during(transfer.idtu, () => deliver(context, transfer.idtu, target, only)),
    share: (parent, child) => during(parent.idtu, () => share(context, parent, child)),
    relay: (transfer) => during(transfer.idtu, () => relay(context, transfer)),
    settle: (transfer) => during(transfer.idtu, () => settle(context, transfer.idtu)),
    fail: (transfer) => during(transfer.idtu, () => fail(context, transfer.idtu)),
    drop: ({ idtu }) => during(idtu, async () => putAway(context, await recordOf(context, idtu), "")),
    erase: (file) => eraseSame(disk, file),
    forget: ({ idtu, workfile }) =>
      during(idtu, () => guarded(`Removing ${workfile}`, () => removeFile(disk, workfile))),
    async discard(transfer) {
      const { workfile } = await recordOf(context, transfer.idtu);
      // The catalog first: a work file that no record names is removed by the next recovery.
      await catalog.update(transfer.idtu, { workfile: "", bytes: 0, spool: null });
      if (workfile === "") return;
      await guarded(`Removing ${workfile}`, () => removeFile(disk, workfile));
    },
    recover: () => recoverSpool(context, { busy, deliverNoted, settle, fail }),
  };
}

/** The unfinished record of an outbox file, when it is still that file. */
async function refusedClaim(
  context: SpoolContext,
  idtu: string | undefined,
  ino: bigint,
): Promise<Transfer | undefined> {
  const transfer = idtu === undefined ? undefined : await context.catalog.get(idtu);
  const note = transfer?.spool;
  return note?.step === "claim" && note.ino === String(ino) ? transfer : undefined;
}

async function deliver(context: SpoolContext, idtu: string, target: string, only: boolean): Promise<string> {
  // The record, not the caller's copy of it, knows of an earlier attempt.
  const transfer = await recordOf(context, idtu);
  if (transfer.workfile === "" && transfer.fname !== "") return transfer.fname;
  return await guarded(`Delivering ${transfer.workfile} to ${target}`, async () => {
    const earlier = await deliverNoted(context, transfer);
    return earlier ?? (await delivered(context, transfer, await place(context, transfer, target, only)));
  });
}

/** Finishes a noted delivery whose link was made; undefined when there is none. */
async function deliverNoted(context: SpoolContext, transfer: Transfer): Promise<string | undefined> {
  const note = transfer.spool;
  if (note?.step !== "deliver" || !(await wasPlaced(context.disk, transfer, note))) return undefined;
  return await delivered(context, transfer, note);
}

async function delivered(context: SpoolContext, transfer: Transfer, note: PlaceNote): Promise<string> {
  await finishPlace(context.disk, transfer, note);
  await context.catalog.update(
    transfer.idtu,
    { fname: note.target, workfile: "", spool: null },
    "applied", // done again, it comes to the same
  );
  return note.target;
}

/** The form for the line is noted with its size only when it is complete on disk. */
async function prepare(
  context: SpoolContext,
  transfer: Transfer,
  make: Maker,
  steady: boolean,
): Promise<Transfer> {
  const { disk } = context;
  const { workfile } = transfer;
  const before = steady ? await disk.status(workfile) : undefined;
  const { size, sourceSha256, linehash } = await makeForm(disk, workfile, make);
  if (before && !isUnchanged(before, await disk.status(workfile))) {
    await removeForms(disk, workfile);
    throw new CygnetError("CYG_SPOOL_OVERWRITTEN", `${workfile} was written to while it was read`);
  }
  const made = { formsize: size, sha256: sourceSha256, linehash };
  await context.catalog.update(transfer.idtu, made);
  return { ...transfer, ...made };
}

/** The old form goes only when the record names the new one. */
async function localise(context: SpoolContext, transfer: Transfer, make: Maker): Promise<Transfer> {
  const { workfile } = transfer;
  if (workfile === secondForm(receivedPath(context.rundir, transfer.idtu))) return transfer;
  const { size, sha256, linehash } = await makeForm(context.disk, workfile, make);
  const known = linehash || transfer.linehash;
  const made = { workfile: secondForm(workfile), filesize: size, sha256, linehash: known };
  await context.catalog.update(transfer.idtu, made);
  await removeFile(context.disk, workfile);
  return { ...transfer, ...made };
}

async function share(context: SpoolContext, parent: Transfer, child: string): Promise<string> {
  const { disk } = context;
  const folder = join(dirname(parent.workfile), "broadcast");
  const name = join(folder, `${parent.idtu}-${safeName(child)}`);
  return await guarded(`Sharing ${parent.workfile}`, async () => {
    await ensureDirectory(disk, folder);
    await linkOnce(disk, parent.workfile, name);
    await disk.syncDirectory(folder);
    return name;
  });
}

/** A link that a crash may have left there already. */
async function linkOnce(disk: FileSystem, from: string, to: string): Promise<void> {
  await disk.link(from, to).catch((error: unknown) => {
    if (!isSystemError(error, "EEXIST")) throw error;
  });
}

async function relay(context: SpoolContext, transfer: Transfer): Promise<{ workfile: string; size: number }> {
  const { disk, rundir } = context;
  const workfile = join(rundir, "work", "relay", transfer.idtu);
  return await guarded(`Forwarding ${transfer.workfile}`, async () => {
    await ensureDirectory(disk, dirname(workfile));
    // the form of the line, and the file itself, which is what it stays with if it cannot be sent on
    for (const name of [secondForm(workfile), workfile]) await linkOnce(disk, transfer.workfile, name);
    await disk.syncDirectory(dirname(workfile));
    return { workfile, size: Number((await disk.status(workfile)).size) };
  });
}

async function settle(context: SpoolContext, idtu: string): Promise<Disposal | undefined> {
  const transfer = await recordOf(context, idtu);
  const note = transfer.spool;
  if (note?.step !== "claimed") return void (await putAway(context, transfer, ""));
  // first: the copy is there until both are done, whatever comes between
  const done = note.original && (await dispose(context.disk, note.original));
  await putAway(context, transfer, note.archive, note.name);
  return done;
}

async function fail(context: SpoolContext, idtu: string): Promise<void> {
  const transfer = await recordOf(context, idtu);
  await putAway(context, transfer, join(failedFolder(context.rundir), safeName(transfer.part)));
}

/** Moves the file of an ended send to `folder`, or deletes it when that is "". A noted move is finished first. */
async function putAway(
  context: SpoolContext,
  transfer: Transfer,
  folder: string,
  name = basename(transfer.fname),
): Promise<void> {
  const { catalog, disk } = context;
  const { workfile, spool: note } = transfer;
  if (workfile === "") return;
  await guarded(`Putting ${workfile} away`, async () => {
    let placed: PlaceNote | null = null;
    if (note?.step === "deliver") {
      placed = (await wasPlaced(disk, transfer, note)) ? note : await place(context, transfer, note.target);
    } else if (folder !== "") placed = await place(context, transfer, join(folder, name));
    if (placed !== null) await finishPlace(disk, transfer, placed);
    else await removeFile(disk, workfile);
    if (transfer.formsize >= 0) await removeForms(disk, workfile);
    // until its response is recorded, only the note tells a receive that was put away from one that was delivered
    const left = transfer.direct === "recv" ? placed : null;
    await catalog.update(transfer.idtu, { workfile: "", spool: left }, "applied");
  });
}

async function recordOf(context: SpoolContext, idtu: string): Promise<Transfer> {
  const transfer = await context.catalog.get(idtu);
  if (transfer !== undefined) return transfer;
  throw new CygnetError("CYG_CATALOG_UNKNOWN", `The catalog has no transfer ${idtu}.`);
}

async function guarded<T>(doing: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw spoolError(error, doing);
  }
}
