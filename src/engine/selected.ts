/** What the log says of a transfer that a session takes up or puts down. */
import type { Transfer } from "../catalog/catalog.ts";
import type { Session } from "./session.ts";
import { keys } from "./site.ts";

/** The session has taken the transfer up: `size` octets of it are announced. */
export function tellSelected(
  { site, role, ids }: Session,
  transfer: Transfer,
  { fname, size, text }: { fname: string; size: number; text: "created" | "selected" },
): void {
  const { journal } = site;
  const who = keys(transfer);
  journal.emit("CFTT53I", { ...who, role, ids, text });
  journal.emit("CFTH57I", { ...who, ids });
  journal.emit("CFTT55I", { ...who, role, ids, fname });
  journal.emit("CFTT86I", { ...who, fname, size });
}

/** The session has put the transfer down, whole; from now on an idle timer of so many seconds runs. */
export function tellReleased({ site, role, ids, initiator, prot }: Session, transfer: Transfer): void {
  const who = keys(transfer);
  const idle = initiator ? prot.disctd : prot.discts;
  site.journal.emit("CFTT54I", { ...who, role, ids });
  site.journal.emit("CFTH58I", { ...who, ids, nidt: transfer.dsn, t: idle / 1000 });
}
