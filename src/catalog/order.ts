/** Orders of lists of transfers, and where in an order a list goes on. */
import type { SQLInputValue } from "node:sqlite";
import { CygnetError } from "../platform/errors.ts";
import type { SortKey, Transfer, TransferFilter } from "./catalog.ts";
import { toId } from "./rows.ts";

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

type Way = "ASC" | "DESC";

/** The ORDER BY of a list. */
export function orderOf(sort?: TransferFilter["sort"]): string {
  const { key, way, idWay } = directionsOf(sort);
  return key === "idtu" ? `id ${way}` : `${key} ${way}, id ${idWay}`;
}

/** What a list is sorted by, and which way: the key, and the number behind IDTU among equals. */
export function directionsOf(sort: TransferFilter["sort"] = "kdate"): { key: SortKey; way: Way; idWay: Way } {
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

/** Keys that a record may lack. */
const NULLABLE: ReadonlySet<SortKey> = new Set(["bdate", "edate"]);

/**
 * The conditions of what comes behind a cursor.
 * @throws CygnetError CYG_REQUEST_CURSOR for what is no cursor of a list in this order
 */
export function beyond(
  cursor: string,
  sort: TransferFilter["sort"],
): { conditions: string[]; values: SQLInputValue[] } {
  const { key, way, idWay } = directionsOf(sort);
  const { value, id } = readCursor(cursor, key);
  const after = (direction: Way) => (direction === "ASC" ? ">" : "<");
  const ofId = `id ${after(idWay)} ?`;
  if (key === "idtu") return { conditions: [ofId], values: [id] };
  // SQLite's order: NULL before everything
  if (value === null) {
    const later = way === "ASC" ? ` OR ${key} IS NOT NULL` : "";
    return { conditions: [`((${key} IS NULL AND ${ofId})${later})`], values: [id] };
  }
  const later = way === "DESC" && NULLABLE.has(key) ? ` OR ${key} IS NULL` : "";
  const exactly = `(${key} ${after(way)} ? OR (${key} = ? AND ${ofId})${later})`;
  if (NULLABLE.has(key)) return { conditions: [exactly], values: [value, value, id] };
  // says less, in a form from which an index is entered in the middle
  return { conditions: [`${key} ${after(way)}= ?`, exactly], values: [value, value, value, id] };
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
