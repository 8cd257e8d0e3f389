/** What a start does about what was under way when the gateway last ended, however that came about. */
import { join } from "node:path";
import { describe } from "../platform/errors.ts";
import { keys, type Site } from "./site.ts";

/** Gives claims up, finishes interrupted steps of the spool, and goes on with deliveries. */
export async function recover(site: Site): Promise<void> {
  const { catalog, spool, deliveries, disk, journal } = site;
  const freed = await catalog.recover(site.owner);
  const recovery = await spool.recover();
  // copies that `send` was making: what was recorded of them has been claimed by now, or is tried again by the next start
  const unclaimed = recovery.troubles.some(({ transfer }) => transfer.spool?.step === "claim");
  if (!unclaimed) await disk.removeDirectory(join(site.configuration.cftparm.rundir, "work", "submit"));
  for (const transfer of recovery.delivered) await deliveries.finish(transfer);
  for (const transfer of recovery.putAway) await deliveries.endPutAway(transfer);
  for (const transfer of recovery.undelivered) deliveries.begin(transfer, "recovery");
  for (const transfer of recovery.lost) {
    const text = `its file is gone: ${transfer.diagc}`;
    if (transfer.direct === "recv") await deliveries.lost(transfer, text);
    else journal.emit("CFTC70E", { ...keys(transfer), text });
  }
  for (const { transfer, error } of recovery.troubles) {
    journal.emit("CFTC70E", { ...keys(transfer), text: describe(error) });
  }
  const { sends, receives, responses, scripts } = freed;
  if (sends + receives + responses + scripts === 0) return;
  const text = `${sends} sends, ${receives} receives, ${responses} responses and ${scripts} scripts were under way and go on`;
  journal.emit("CFTC08I", { text });
}
