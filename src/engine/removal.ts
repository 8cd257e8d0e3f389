/** What goes with a record that is deleted (FDELETE of CFTSEND and CFTRECV). */
import type { Transfer } from "../catalog/catalog.ts";
import type { Configuration } from "../config/model.ts";
import { keys, type Site } from "./site.ts";
import { sendFlow } from "./submission.ts";
import { receiveFlow } from "./target.ts";

/** True where the flow says that the file goes, too, in the state that the record is in. */
export function goesWithRecord(configuration: Configuration, transfer: Transfer): boolean {
  if (transfer.generic !== null) return false;
  const { fdelete } =
    transfer.direct === "send"
      ? sendFlow(configuration, transfer.idf).flow
      : receiveFlow(configuration, transfer);
  return fdelete === "*" || fdelete.includes(letterOf(transfer));
}

/** Transfer CFT's letter: the step before and in phase T, T while a script or the response is due, X in the end. */
function letterOf({ phase, phasestep }: Pick<Transfer, "phase" | "phasestep">): string {
  if (phase === "X") return "X";
  return phase === "A" || phase === "T" ? phasestep : "T";
}

/**
 * Removes the file of an ended transfer, where it is still the one that was sent or delivered. What stands in a watched
 * folder by now waits to be sent, whatever it contains: the one that was sent has left it.
 */
export async function removeFile({ spool, journal, configuration }: Site, transfer: Transfer): Promise<void> {
  const { fname: path, filesize: size, sha256, direct, edate } = transfer;
  if (path === "" || sha256 === "") return;
  const folders = [...configuration.cftfolder.values()];
  if (direct === "send" && folders.some(({ scandir }) => path.startsWith(`${scandir}/`))) return;
  const { left } = await spool.erase({ path, size, sha256, until: edate ?? transfer.kdate });
  if (left === undefined) journal.emit("CFTT89I", { ...keys(transfer), action: "DELETE", file: path });
  else journal.emit("CFTT35W", { ...keys(transfer), fname: path, cause: left });
}
