import { join } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import { isSystemError } from "../platform/errors.ts";
import { finishClaim } from "./claim.ts";
import type { SpoolContext } from "./context.ts";
import { removeFile, statusOf } from "./directories.ts";
import { receiveFolder } from "./incoming.ts";
import { finishPlace, isPutAway, wasPlaced } from "./place.ts";
import type { Recovery } from "./spool.ts";

/** The steps that recovery takes up again. */
export interface Steps {
  busy: ReadonlySet<string>;
  deliverNoted(context: SpoolContext, transfer: Transfer): Promise<string | undefined>;
  settle(context: SpoolContext, idtu: string): Promise<unknown>;
  fail(context: SpoolContext, idtu: string): Promise<void>;
}

/** Takes up every step that the catalog says is unfinished, then clears work files that no record names. */
export async function recoverSpool(context: SpoolContext, steps: Steps): Promise<Recovery> {
  const found: Recovery = {
    claimed: 0,
    delivered: [],
    putAway: [],
    undelivered: [],
    lost: [],
    troubles: [],
  };
  for (const transfer of await context.catalog.unfinishedSpool()) {
    if (steps.busy.has(transfer.idtu)) continue;
    try {
      if (transfer.direct === "send") await recoverSend(context, steps, transfer, found);
      else await recoverReceive(context, steps, transfer, found);
    } catch (error) {
      found.troubles.push({ transfer, error });
    }
  }
  await removeOrphans(context);
  return found;
}

async function recoverSend(
  context: SpoolContext,
  steps: Steps,
  transfer: Transfer,
  found: Recovery,
): Promise<void> {
  if (transfer.spool?.step === "claim") {
    const claimed = await finishClaim(context, transfer, transfer.spool);
    if (claimed.workfile === "") found.lost.push(claimed);
    else found.claimed += 1;
  } else if (transfer.phase === "X" && transfer.ack !== "N") {
    await steps.settle(context, transfer.idtu);
  } else {
    await steps.fail(context, transfer.idtu);
  }
}

async function recoverReceive(
  context: SpoolContext,
  steps: Steps,
  transfer: Transfer,
  found: Recovery,
): Promise<void> {
  const { catalog, disk, rundir } = context;
  if (transfer.spool?.step === "deliver") {
    const note = transfer.spool;
    if (isPutAway(note, rundir) && (await wasPlaced(disk, transfer, note))) {
      if (transfer.workfile !== "") await finishPlace(disk, transfer, note);
      found.putAway.push({ ...transfer, workfile: "" });
      return;
    }
    const fname = await steps.deliverNoted(context, transfer);
    if (fname !== undefined) {
      found.delivered.push({ ...transfer, fname, workfile: "", spool: null });
      return;
    }
    if (note.part !== undefined) await removeFile(disk, note.part);
    await catalog.update(transfer.idtu, { spool: null });
    found.undelivered.push({ ...transfer, spool: null });
  } else if (transfer.workfile === "" && transfer.fname !== "") {
    found.delivered.push(transfer);
  } else if (transfer.workfile !== "" && (await statusOf(disk, transfer.workfile)) !== undefined) {
    found.undelivered.push(transfer);
  } else {
    found.lost.push(transfer);
  }
}

/** A work file of a receive whose record is gone or names no work file: its discarding was interrupted. */
async function removeOrphans(context: SpoolContext): Promise<void> {
  const { catalog, disk } = context;
  const folder = receiveFolder(context.rundir);
  const entries = await disk.list(folder).catch((error) => {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  });
  for (const { name, kind } of entries) {
    if (kind !== "file" || !/^\d{8}$/.test(name)) continue;
    const path = join(folder, name);
    if ((await catalog.get(name))?.workfile !== path) await removeFile(disk, path);
  }
}
