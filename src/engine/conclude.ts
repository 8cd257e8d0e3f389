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
  const about = { ...keys(transfer), action: actionOf(transfer), file: transfer.fname };
  let disposal: Disposal | undefined;
  try {
    if (transfer.ack === "N") await site.spool.fail(ended);
    else disposal = await site.spool.settle(ended);
    tellPutAway(site, transfer, about, disposal);
  } catch (error) {
    if (error instanceof CygnetError && error.code === "CYG_SPOOL_BUSY") return;
    const text = describe(error);
    const source = transfer.workfile || transfer.fname;
    if (about.action === "ARCHIVE") {
      site.journal.emit("CFTF51W", { ...keys(transfer), source, archive: archiveOf(transfer), reason: text });
    }
    site.journal.emit("CFTT90W", { ...about, text });
  }
  // those behind it in a series may go now
  if (transfer.serial !== "") site.kick();
}

/** Says what became of the file: of the one that was named, where a copy of it was sent. */
function tellPutAway(
  { journal }: Site,
  { spool, fname, ack, ...transfer }: Transfer,
  about: { action: string; file: string },
  disposal: Disposal | undefined,
): void {
  const who = { ...keys(transfer), ...about };
  if (disposal?.left !== undefined) return journal.emit("CFTT90W", { ...who, text: disposal.left });
  const copied = spool?.step === "claimed" && spool.source !== fname;
  // the copy is nobody's but ours
  if (disposal || !copied || ack === "N" || about.action === "ARCHIVE") journal.emit("CFTT89I", who);
}

/** FACTION: what becomes of the file of a send that has ended. */
function actionOf({ ack, spool }: Transfer): string {
  if (ack === "N") return "KEEP in failed";
  if (spool?.step !== "claimed") return "DELETE";
  if (spool.original?.action === "erase") return "ERASE";
  return spool.archive !== "" ? "ARCHIVE" : "DELETE";
}

function archiveOf({ spool }: Transfer): string {
  return spool?.step === "claimed" ? spool.archive : "";
}
