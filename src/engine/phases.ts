/**
 * The phases of a send behind the transfer of its data: Y its script, Z its response and the script of that, X the
 * end. Pure.
 */
import type { Changes, Transfer } from "../catalog/catalog.ts";
import type { Configuration } from "../config/model.ts";
import { scriptFor } from "./scripts/choose.ts";

/** What has just been done: the data is at the partner, the script of phase Y has ended, the response has come. */
export type Done = "data" | "exec" | "answer";

/** Where a send goes next. `ack` is what is known of its response by now. */
export function nextOfSend(
  configuration: Configuration,
  transfer: Pick<Transfer, "direct" | "idf" | "dsn" | "part" | "via" | "prot" | "ackstate" | "ack">,
  done: Done,
): Pick<Changes, "phase" | "phasestep" | "script"> {
  if (done === "data" && scriptFor(configuration, transfer, "exec")) {
    return { phase: "Y", phasestep: "D", script: "exec" };
  }
  if (transfer.ack === "") {
    return transfer.ackstate === "require"
      ? { phase: "Z", phasestep: "H", script: "" }
      : { phase: "X", phasestep: "X", script: "" };
  }
  if (scriptFor(configuration, transfer, "ackexec")) {
    return { phase: "Z", phasestep: "D", script: "ackexec" };
  }
  return { phase: "X", phasestep: "X", script: "" };
}
