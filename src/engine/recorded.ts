/** What the log says when a send has been recorded. */
import type { Transfer } from "../catalog/catalog.ts";
import { isBroadcast } from "./broadcast.ts";
import { keys, type Site } from "./site.ts";

/** Messages of what stops a send before it begins; others are held. */
const STOPS: Readonly<Record<number, string>> = { 411: "CFTT25E", 432: "CFTT50E", 434: "CFTT64E" };

/** Says that a file was recorded, and why it does not simply wait for its turn. `user`: who asked for it. */
export function tellRecorded({ journal }: Site, transfer: Transfer, user: string): void {
  const { idtu, phasestep, diagi, diagc } = transfer;
  journal.emit("CFTR12I", { ...keys(transfer), cmd: "SEND", user, text: idtu });
  if (phasestep === "D" || isBroadcast(transfer)) return;
  journal.emit(STOPS[diagi] ?? "CFTT17I", { ...keys(transfer), diagi, text: diagc });
}
