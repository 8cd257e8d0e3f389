/**
 * The end of a send whose answer (EFPA) and end-to-end response came in different sessions at the same time. Each side
 * looks again after it has recorded its own half: whoever records last sees both, and both may.
 */
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError } from "../platform/errors.ts";
import type { Site } from "./site.ts";

/**
 * Ends the send when it waits in phase Z for a response that is there already.
 * @returns false when there is nothing to end
 */
export async function conclude(site: Site, { idtu }: Pick<Transfer, "idtu">): Promise<boolean> {
  const transfer = await site.catalog.get(idtu);
  if (transfer?.phase !== "Z" || transfer.ack !== "A") return false;
  await site.catalog.update(idtu, { phase: "X", phasestep: "X", edate: site.clock.now() });
  await settleOnce(site, transfer);
  return true;
}

/** Settles the claimed file unless the other session is doing it at this moment. */
export async function settleOnce(site: Site, transfer: Transfer): Promise<void> {
  try {
    await site.spool.settle({ ...transfer, phase: "X", phasestep: "X" });
  } catch (error) {
    if (!(error instanceof CygnetError && error.code === "CYG_SPOOL_BUSY")) throw error;
  }
}
