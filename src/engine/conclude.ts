/**
 * The end of a send whose answer (EFPA) and end-to-end response came in different sessions at the same time. Each side
 * looks again after it has recorded its own half: whoever records last sees both, and both may.
 */
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError, describe } from "../platform/errors.ts";
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
  const next = nextOfSend(site.configuration, transfer, phase === "T" ? "data" : "answer");
  const changes = { ...well, ...next, edate: site.clock.now() };
  if (!(await site.catalog.advance(idtu, { phase, phasestep }, changes))) return conclude(site, { idtu });
  if (next.phase === "X") await putAway(site, transfer);
  return true;
}

/** Puts the claimed file where its response says, unless the other session is doing it at this moment. */
export async function putAway(site: Site, transfer: Transfer): Promise<void> {
  const ended: Transfer = { ...transfer, phase: "X", phasestep: "X" };
  const about = { ...keys(transfer), action: actionOf(transfer), file: transfer.fname };
  try {
    await (transfer.ack === "N" ? site.spool.fail(ended) : site.spool.settle(ended));
    site.journal.emit("CFTT89I", about);
  } catch (error) {
    if (error instanceof CygnetError && error.code === "CYG_SPOOL_BUSY") return;
    site.journal.emit("CFTT90W", { ...about, text: describe(error) });
    throw error;
  }
}

/** FACTION: what becomes of the file of a send that has ended. */
function actionOf({ ack, spool }: Transfer): string {
  if (ack === "N") return "KEEP in failed";
  return spool?.step === "claimed" && spool.archive !== "" ? "ARCHIVE" : "DELETE";
}
