/** What the log says of commands on transfers that were not carried out: Transfer CFT's messages for each cause. */
import type { Transfer } from "../catalog/catalog.ts";
import { writtenState } from "../catalog/transitions.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { keys, type Site } from "./site.ts";

/**
 * @param cmd the command, in lower case
 * @param about the transfer that it meant, or its id where there is none
 */
export function tellRefused({ journal }: Site, cmd: string, about: Transfer | string, error: unknown): void {
  const command = cmd.toUpperCase();
  const text = describe(error);
  if (typeof about === "string") return journal.emit("CFTR13E", { cmd: command, idtu: about });
  const who = keys(about);
  const code = error instanceof CygnetError ? error.code : "";
  if (code.startsWith("CYG_CATALOG"))
    return journal.emit(cmd === "delete" ? "CFTC05W" : "CFTS18E", { ...who, text });
  if (cmd === "delete") return journal.emit("CFTC04W", { ...who, state: writtenState(about), text });
  if (cmd === "start") return journal.emit("CFTR22E", { cmd: command, ...who, phase: about.phase });
  journal.emit("CFTS18W", { ...who, text });
}
