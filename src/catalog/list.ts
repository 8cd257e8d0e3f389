/** Lists of transfers: filters, masks and orders of LISTCAT. */
import type { SQLInputValue } from "node:sqlite";
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

function orderOf(sort: TransferFilter["sort"] = "kdate"): string {
  const turned = sort.startsWith("-");
  const key = sort.replace(/^-/, "") as SortKey;
  const newest = key === "kdate" || key === "idtu";
  const way = newest === turned ? "ASC" : "DESC";
  // among equals, what was recorded later stands where what is newer stands
  return key === "idtu" ? `id ${way}` : `${key} ${way}, id ${newest ? way : "DESC"}`;
}

/** True for a text that stands for several ids. */
export function isMask(text: string): boolean {
  return /[*?]/.test(text);
}

/** SQLite's GLOB knows sets in brackets, which masks of Transfer CFT do not. */
function globOf(mask: string): string {
  return mask.replaceAll("[", "[[]");
}
