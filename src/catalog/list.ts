/** Lists of transfers: filters, masks and orders of LISTCAT. */
import type { SQLInputValue } from "node:sqlite";
import { CygnetError } from "../platform/errors.ts";
import type { SortKey, Transfer, TransferFilter } from "./catalog.ts";
import type { Database } from "./database.ts";
import { TRANSFER_COLUMNS, toId, toTransfer } from "./rows.ts";

const DEFAULT_LIMIT = 100;

/** What a list may be sorted by. `kdate` and `idtu` come newest first, as people look for what is new. */
export const SORT_KEYS: readonly SortKey[] = [
  "kdate",
  "bdate",
  "edate",
  "idtu",
  "part",
  "idf",
  "filesize",
  "pri",
  "diagi",
  "fname",
];

/** Each direction is a query of its own, so that an index gives both the filter and the usual order. */
export function listTransfers(database: Database, filter: TransferFilter): Transfer[] {
  const { sql, values } = conditionsOf(filter);
  const next = filter.after === undefined ? { sql: [], values: [] } : beyond(filter.after, filter.sort);
  sql.push(...next.sql);
  values.push(...next.values);
  const arm = `SELECT ${TRANSFER_COLUMNS} FROM transfer WHERE ${["direct = ?", ...sql].join(" AND ")}`;
  const directions = filter.direct === undefined ? ["send", "recv"] : [filter.direct];
  const rows = database.rows(
    `${directions.map(() => arm).join(" UNION ALL ")} ORDER BY ${orderOf(filter.sort)} LIMIT ?`,
    ...directions.flatMap((direct) => [direct, ...values]),
    filter.limit ?? DEFAULT_LIMIT,
  );
  return rows.map(toTransfer);
}

function conditionsOf(filter: TransferFilter): { sql: string[]; values: SQLInputValue[] } {
  const sql: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return;
    sql.push(condition);
    values.push(value);
  };
  const { idtu, part, idf, state, phase, phasestep, diagi, pidtu, ack, mode, since, until } = filter;
  add("id = ?", idtu && toId(idtu));
  for (const [column, wanted] of Object.entries({ part, idf })) {
    if (wanted !== undefined && isMask(wanted)) add(`${column} GLOB ?`, globOf(wanted));
    else add(`${column} = ?`, wanted);
  }
  // the partial indexes by state serve only queries that say the same
  if (state !== undefined && state !== "X") sql.push("phase <> 'X'");
  add("state = ?", state);
  add("phase = ?", phase);
  add("phasestep = ?", phasestep);
  if (diagi === "error") sql.push("diagi <> 0");
  else add("diagi = ?", diagi);
  add("pidtu = ?", pidtu);
  add("ack = ?", ack);
  add("mode = ?", mode);
  add("kdate >= ?", since);
  add("kdate < ?", until);
  return { sql, values };
}

type Way = "ASC" | "DESC";

function orderOf(sort?: TransferFilter["sort"]): string {
  const { key, way, idWay } = directionsOf(sort);
  return key === "idtu" ? `id ${way}` : `${key} ${way}, id ${idWay}`;
}

function directionsOf(sort: TransferFilter["sort"] = "kdate"): { key: SortKey; way: Way; idWay: Way } {
  const turned = sort.startsWith("-");
  const key = sort.replace(/^-/, "") as SortKey;
  const newest = key === "kdate" || key === "idtu";
  const way = newest === turned ? "ASC" : "DESC";
  // among equals, what was recorded later stands where what is newer stands
  return { key, way, idWay: newest ? way : "DESC" };
}

/** Where a list goes on behind this record, in this order: for `after`. It stays right when the record is deleted. */
export function cursorOf(transfer: Transfer, sort?: TransferFilter["sort"]): string {
  const { key } = directionsOf(sort);
  return Buffer.from(JSON.stringify([key, key === "idtu" ? null : transfer[key], transfer.idtu])).toString(
    "base64url",
  );
}

/** @throws CygnetError CYG_REQUEST_CURSOR for what is no cursor of a list in this order */
function beyond(cursor: string, sort: TransferFilter["sort"]): { sql: string[]; values: SQLInputValue[] } {
  const { key, way, idWay } = directionsOf(sort);
  const { value, id } = readCursor(cursor, key);
  const after = (direction: Way) => (direction === "ASC" ? ">" : "<");
  const ofId = `id ${after(idWay)} ?`;
  if (key === "idtu") return { sql: [ofId], values: [id] };
  // SQLite's order: NULL before everything
  if (value === null) {
    const later = way === "ASC" ? ` OR ${key} IS NOT NULL` : "";
    return { sql: [`((${key} IS NULL AND ${ofId})${later})`], values: [id] };
  }
  const later = way === "DESC" ? ` OR ${key} IS NULL` : "";
  return {
    sql: [`(${key} ${after(way)} ? OR (${key} = ? AND ${ofId})${later})`],
    values: [value, value, id],
  };
}

function readCursor(cursor: string, key: SortKey): { value: string | number | null; id: SQLInputValue } {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    // not JSON: judged like everything else that is no cursor
  }
  const [name, value, idtu] = Array.isArray(read) ? read : [];
  const known = value === null || typeof value === "string" || typeof value === "number";
  if (name === key && known && typeof idtu === "string" && /^\d{1,18}$/.test(idtu)) {
    return { value, id: toId(idtu) };
  }
  const text = "the cursor belongs to another list; begin again without it, and keep the order between pages";
  throw new CygnetError("CYG_REQUEST_CURSOR", text);
}

/** True for a text that stands for several ids. */
export function isMask(text: string): boolean {
  return /[*?]/.test(text);
}

/** SQLite's GLOB knows sets in brackets, which masks of Transfer CFT do not. */
function globOf(mask: string): string {
  return mask.replaceAll("[", "[[]");
}
