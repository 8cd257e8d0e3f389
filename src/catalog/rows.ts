import type { SQLInputValue } from "node:sqlite";
import { CygnetError } from "../platform/errors.ts";
import type { Changes, EndResponse, Transfer } from "./catalog.ts";
import type { Row } from "./database.ts";

/** Fields of a transfer that are columns of the same name and may be changed. */
const CHANGEABLE: readonly (keyof Changes)[] = [
  "part",
  "idf",
  "mode",
  "phase",
  "phasestep",
  "ack",
  "diagi",
  "diagp",
  "diagc",
  "fname",
  "nfname",
  "description",
  "filesize",
  "bytes",
  "sha256",
  "prot",
  "kdate",
  "bdate",
  "edate",
  "workfile",
  "spool",
  "format",
  "lrecl",
  "formsize",
  "security",
  "linehash",
  "pidtu",
  "via",
  "pri",
  "ackstate",
  "script",
  "tries",
  "retryAt",
  "deadline",
  "serial",
  "scriptAt",
  "member",
  "generic",
];

const FIXED = ["direct", "type", "dsn", "date", "time", "orig", "dest"] as const;

/** The columns that make a `Transfer`, for SELECT and RETURNING. */
export const TRANSFER_COLUMNS: string = ["id", ...FIXED, ...CHANGEABLE].join(", ");

/** The columns that make an `EndResponse`. */
export const RESPONSE_COLUMNS =
  "id, transfer, kind, part, dsn, date, time, orig, dest, reason, text, creator, hsh, sig";

/** Eight digits. */
export function toIdtu(id: unknown): string {
  return String(id).padStart(8, "0");
}

/** The row number behind an IDTU; -1, which no row has, for what is not one. */
export function toId(idtu: string): number {
  return /^\d{8}$/.test(idtu) ? Number(idtu) : -1;
}

export function toTransfer(row: Row): Transfer {
  const { id, spool, security, generic, ...fields } = row;
  return {
    ...fields,
    idtu: toIdtu(id),
    spool: typeof spool === "string" ? JSON.parse(spool) : null,
    security: typeof security === "string" ? JSON.parse(security) : null,
    generic: typeof generic === "string" ? JSON.parse(generic) : null,
  } as unknown as Transfer;
}

export function toResponse(row: Row): EndResponse {
  const { transfer, ...fields } = row;
  return { ...fields, idtu: toIdtu(transfer) } as unknown as EndResponse;
}

/**
 * The SET list of an UPDATE and its values; "" when nothing changes. A record that comes to phase X gets an end
 * date where it has none, because retention counts from it. Throws CYG_CATALOG_FIELD for a field that is not
 * there or never changes.
 */
export function assignments(changes: Changes, now: number): { set: string; values: SQLInputValue[] } {
  for (const key of Object.keys(changes)) {
    if (!CHANGEABLE.includes(key as keyof Changes)) {
      throw new CygnetError("CYG_CATALOG_FIELD", `A catalog record's "${key}" cannot be changed.`);
    }
  }
  const set: string[] = [];
  const values: SQLInputValue[] = [];
  for (const key of CHANGEABLE) {
    const value = changes[key];
    if (value === undefined) continue;
    set.push(`${key} = ?`);
    values.push(typeof value === "object" && value !== null ? JSON.stringify(value) : value);
  }
  if (changes.phase === "X" && changes.edate === undefined) {
    set.push("edate = coalesce(edate, ?)");
    values.push(now);
  }
  return { set: set.join(", "), values };
}
