/**
 * The end of a send whose answer (EFPA) and end-to-end response came in different sessions at the same time. Each side
 * looks again after it has recorded its own half: whoever records last sees both, and both may.
 */
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Disposal } from "../spool/spool.ts";
import { nextOfSend } from "./phases.ts";
import { keys, type Site } from "./site.ts";

/**
 * Moves the send on when no session has it, no script of it is due, and its response is there already.
 * @returns false when there is nothing to move
 */
export async function conclude(site: Site, { idtu }: Pick<Transfer, "idtu">): Promise<boolean> {
  const transfer = await site.catalog.get(idtu);
  if (transfer === undefined || transfer.ack === "") return false;
  const { phase, phasestep, ack } = transfer;
  const waits = (phase === "Z" && transfer.script === "") || (phase === "T" && phasestep !== "C");
  if (!waits) return false;
  const well = ack === "A" ? { diagi: 0, diagp: "", diagc: "" } : {};
  const next = nextOfSend(site.configuration, transfer, phase === "T" ? "data" : "answer", site.clock.now());
  const changes = { ...well, ...next, edate: site.clock.now() };
  if (!(await site.catalog.advance(idtu, { phase, phasestep }, changes))) return conclude(site, { idtu });
  if (next.phase === "X") await putAway(site, transfer);
  return true;
}

/**
 * Puts the claimed file where its response says, unless the other session is doing it at this moment. What cannot be done
 * is told; the file waits in the work folder then, and the next start tries again.
 */
export async function putAway(site: Site, transfer: Transfer): Promise<void> {
  const ended: Transfer = { ...transfer, phase: "X", phasestep: "X" };
  try {
    if (transfer.ack === "N") await site.spool.fail(ended);
    else tellDisposal(site, ended, await site.spool.settle(ended));
  } catch (error) {
    if (error instanceof CygnetError && error.code === "CYG_SPOOL_BUSY") return;
    const source = transfer.workfile || transfer.fname;
    const archive = transfer.ack === "N" ? "failed" : "archive";
    site.journal.emit("CFTF51W", { ...keys(transfer), source, archive, reason: describe(error) });
  }
  // those behind it in a series may go now
  if (transfer.serial !== "") site.kick();
}

/** What became of the file that a sent one was a copy of. */
function tellDisposal({ journal }: Site, transfer: Transfer, disposal: Disposal | undefined): void {
  if (disposal === undefined) return;
  const { path: file, action, left } = disposal;
  if (left === undefined) journal.emit("CFTT89I", { ...keys(transfer), action, file });
  else journal.emit("CFTT90W", { ...keys(transfer), action, file, text: left });
}
