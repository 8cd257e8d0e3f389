/**
 * Lists of transfers: filters, masks and orders of LISTCAT. A page of a catalog of a million records must come at once,
 * so each kind of filter and order goes by an index (test/catalog/lists.test.ts holds the plans):
 * - an order that an index gives is read from its end, each direction and, for ends, each half of the phases apart;
 * - a mask becomes the ids that it stands for, which are read off an index id by id;
 * - what few records have (a diagnosis, a refusal, another phase than X) has a partial index of its own.
 * `isSlow` tells the orders for which there is none.
 */
import type { SQLInputValue } from "node:sqlite";
import type { SortKey, Transfer, TransferFilter } from "./catalog.ts";
import type { Database } from "./database.ts";
import { beyond, directionsOf, orderOf } from "./order.ts";
import { TRANSFER_COLUMNS, toId, toTransfer } from "./rows.ts";

const DEFAULT_LIMIT = 100;
/** The condition of the partial indexes by state. */
const RUNNING = "phase <> 'X'";
/** Ids of a mask that are read each by itself; more are so many records that a scan finds a page of them soon. */
const MOST_IDS = 100;

/** Orders that no index gives, or only after sorting all that one partner or flow has. */
const UNINDEXED: ReadonlySet<string> = new Set(["bdate", "filesize", "pri", "fname", "part", "idf"]);

/** A list that may have to look at every record: not for a thread in which sessions run. */
export function isSlow({ sort = "kdate", part, idtu, pidtu, state }: TransferFilter): boolean {
  const narrow = idtu !== undefined || pidtu !== undefined || (state !== undefined && state !== "X");
  return UNINDEXED.has(sort.replace(/^-/, "")) && !narrow && (part === undefined || isMask(part));
}

/** One SELECT that reads an index in one direction. */
interface Arm {
  /** The index to read, where SQLite would take one that gives the order and look at far more records. */
  index?: string;
  conditions: string[];
  values: SQLInputValue[];
}

/** @throws CygnetError CYG_REQUEST_CURSOR */
export function listTransfers(database: Database, filter: TransferFilter): Transfer[] {
  const { key, way } = directionsOf(filter.sort);
  if (key === "part" || key === "idf") return listById(database, filter, key, way === "DESC");
  if (key === "diagi") return listByDiagnosis(database, filter, way === "DESC");
  return select(database, filter, armsOf(database, filter, key));
}

function select(database: Database, filter: TransferFilter, arms: readonly Arm[]): Transfer[] {
  const order = orderOf(filter.sort);
  const limit = filter.limit ?? DEFAULT_LIMIT;
  if (arms.length === 0 || limit === 0) return [];
  const selects = arms.map(
    ({ index, conditions }) =>
      `SELECT ${TRANSFER_COLUMNS} FROM transfer ${index ? `INDEXED BY ${index}` : ""} WHERE ${conditions.join(" AND ")}`,
  );
  // each arm by itself gives its first records off an index; a limit around all of them alone would sort everything
  const sql =
    selects.length === 1
      ? `${selects[0]} ORDER BY ${order} LIMIT ?`
      : `${selects.map((each) => `SELECT * FROM (${each} ORDER BY ${order} LIMIT ?)`).join(" UNION ALL ")} ORDER BY ${order} LIMIT ?`;
  const values = arms.flatMap((arm) => [...arm.values, limit]);
  return database.rows(sql, ...values, ...(selects.length === 1 ? [] : [limit])).map(toTransfer);
}

/** The arms of a list: by direction, by id of a mask, and by whether the transfer has ended. */
function armsOf(database: Database, filter: TransferFilter, key: SortKey): Arm[] {
  const common = conditionsOf(filter);
  if (key === "idtu" && isWide(filter)) {
    // "+" keeps the index by direction out of it: the order is that of the table
    const direct = filter.direct === undefined ? [] : ["+direct = ?"];
    const values = filter.direct === undefined ? [] : [filter.direct];
    const conditions = ["id > 0", ...direct, ...common.conditions, ...idConditions(filter)];
    return [{ conditions, values: [...values, ...common.values, ...idValues(filter)] }];
  }
  const halves = key === "edate" ? ["phase = 'X'", RUNNING] : [""];
  const { state, phase, phasestep } = filter;
  const running =
    state === undefined && [phase, phasestep].some((each) => each !== undefined && each !== "X");
  const index = (part: string | undefined, half: string): Pick<Arm, "index"> => {
    if (!running && half !== RUNNING) return {};
    return { index: part !== undefined && !isMask(part) ? "transfer_part_state" : "transfer_state" };
  };
  const arms: Arm[] = [];
  for (const direct of filter.direct === undefined ? ["send", "recv"] : [filter.direct]) {
    for (const ids of idsOf(database, filter, direct)) {
      for (const half of halves) {
        const contradicts = half === "phase = 'X'" && common.conditions.includes(RUNNING);
        if (contradicts) continue;
        arms.push({
          ...index(filter.part, half),
          conditions: ["direct = ?", ...ids.conditions, ...common.conditions, ...(half === "" ? [] : [half])],
          values: [direct, ...ids.values, ...common.values],
        });
      }
    }
  }
  return arms;
}

/** True for a filter that most records pass: what an index would single out is not asked for. */
function isWide({
  idtu,
  part,
  idf,
  state,
  phase,
  phasestep,
  diagi,
  pidtu,
  ack,
  since,
  until,
}: TransferFilter): boolean {
  const few = [idtu, part, idf, pidtu, since, until].some((each) => each !== undefined);
  const states = [state, phase, phasestep].every((each) => each === undefined || each === "X");
  return !few && states && (diagi === undefined || diagi === 0) && ack !== "N";
}

/** Conditions on part and idf: one for each id that a mask of partners, or else one of flows, stands for. */
function idsOf(database: Database, filter: TransferFilter, direct: string): Arm[] {
  for (const column of ["part", "idf"] as const) {
    const mask = filter[column];
    if (mask === undefined || !isMask(mask)) continue;
    const ids = idsLike(database, column, direct, mask);
    if (ids.length > MOST_IDS) continue;
    const { [column]: _, ...others } = filter;
    const conditions = [`${column} = ?`, ...idConditions(others)];
    return ids.map((id) => ({ conditions, values: [id, ...idValues(others)] }));
  }
  return [{ conditions: idConditions(filter), values: idValues(filter) }];
}

/** The ids of a mask that records of a direction have, at most one more than are read each by itself. */
function idsLike(database: Database, column: "part" | "idf", direct: string, mask: string): string[] {
  const rows = database.rows(
    `${distinct(column)} SELECT id FROM ids WHERE id IS NOT NULL AND id GLOB ? LIMIT ${MOST_IDS + 1}`,
    ...[direct, direct, globOf(mask)],
  );
  return rows.map(({ id }) => id as string);
}

/** Steps from id to id in the index that begins with direction and id: `ids (id)`. Takes the direction twice. */
function distinct(column: "part" | "idf"): string {
  return `WITH RECURSIVE ids (id) AS (
      SELECT min(${column}) FROM transfer INDEXED BY transfer_${column} WHERE direct = ?
      UNION ALL
      SELECT (SELECT min(${column}) FROM transfer INDEXED BY transfer_${column}
          WHERE direct = ? AND ${column} > ids.id)
        FROM ids WHERE ids.id IS NOT NULL
    )`;
}

/** By partner or flow, rising or falling: id by id, until there is a page. */
function listById(
  database: Database,
  filter: TransferFilter,
  column: "part" | "idf",
  falling: boolean,
): Transfer[] {
  const wanted = filter[column];
  const ids = new Set<string>();
  if (wanted !== undefined && !isMask(wanted)) ids.add(wanted);
  else {
    const glob = wanted === undefined ? "*" : globOf(wanted);
    for (const direct of filter.direct === undefined ? ["send", "recv"] : [filter.direct]) {
      const sql = `${distinct(column)} SELECT id FROM ids WHERE id IS NOT NULL AND id GLOB ?`;
      for (const { id } of database.rows(sql, direct, direct, glob)) ids.add(id as string);
    }
  }
  const [from] = filter.after === undefined ? [] : beyond(filter.after, filter.sort).values;
  const sorted = [...ids].sort((a, b) => (a < b === falling ? 1 : -1));
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const page: Transfer[] = [];
  for (const id of sorted) {
    if (typeof from === "string" && (falling ? id > from : id < from)) continue;
    const rest = { ...filter, [column]: id, limit: limit - page.length };
    page.push(...select(database, rest, armsOf(database, rest, column)));
    if (page.length >= limit) break;
  }
  return page;
}

/** By diagnosis: what has none is nearly everything, and comes first when it rises and last when it falls. */
function listByDiagnosis(database: Database, filter: TransferFilter, falling: boolean): Transfer[] {
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const page: Transfer[] = [];
  const halves = filter.diagi === undefined ? ["diagi = 0", "diagi <> 0"] : ["diagi IS NOT NULL"];
  for (const half of falling ? halves.reverse() : halves) {
    const rest = { ...filter, limit: limit - page.length };
    // among those without one, the order is that of the table
    const arms = armsOf(database, rest, half === "diagi = 0" ? "idtu" : "diagi");
    for (const arm of arms) arm.conditions.push(half);
    page.push(...select(database, rest, arms));
    if (page.length >= limit) break;
  }
  return page;
}

/** What a filter says beside direction, partner and flow. */
function conditionsOf(filter: TransferFilter): Arm {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  const { idtu, state, phase, phasestep, diagi, pidtu, ack, mode, since, until } = filter;
  add("id = ?", idtu && toId(idtu));
  // the partial indexes serve only queries that say the same
  const running = [state, phase, phasestep].some((each) => each !== undefined && each !== "X");
  if (running) conditions.push(RUNNING);
  add("state = ?", state);
  add("phase = ?", phase);
  add("phasestep = ?", phasestep);
  // the index knows states only
  if (state === undefined && running) {
    const steps = phasestep === undefined ? ["D", "H", "C", "K"] : [phasestep];
    const states = [...(phase === undefined || phase === "T" ? steps : []), ...statesOf(phase)];
    conditions.push(`state IN (${states.map((each) => `'${each}'`).join(", ")})`);
  }
  if (diagi !== undefined && diagi !== 0) conditions.push("diagi <> 0");
  if (diagi !== "error") add("diagi = ?", diagi);
  if (ack === "N") conditions.push("ack = 'N'");
  else add("ack = ?", ack);
  if (pidtu !== undefined && pidtu !== "") conditions.push("pidtu <> ''");
  add("pidtu = ?", pidtu);
  add("mode = ?", mode);
  add("kdate >= ?", since);
  add("kdate < ?", until);
  const next = filter.after === undefined ? undefined : beyond(filter.after, filter.sort);
  if (next) {
    conditions.push(...next.conditions);
    values.push(...next.values);
  }
  return { conditions, values };
}

/** States of phases other than T, which are their letters. */
function statesOf(phase: TransferFilter["phase"]): readonly string[] {
  if (phase === undefined) return ["A", "Y", "Z"];
  return phase === "T" ? [] : [phase];
}

function idConditions({ part, idf }: TransferFilter): string[] {
  return Object.entries({ part, idf })
    .filter(([, wanted]) => wanted !== undefined)
    .map(([column, wanted]) => (isMask(wanted as string) ? `${column} GLOB ?` : `${column} = ?`));
}

function idValues({ part, idf }: TransferFilter): string[] {
  return [part, idf].flatMap((wanted) =>
    wanted === undefined ? [] : [isMask(wanted) ? globOf(wanted) : wanted],
  );
}

/** True for a text that stands for several ids. */
export function isMask(text: string): boolean {
  return /[*?]/.test(text);
}

/** SQLite's GLOB knows sets in brackets, which masks of Transfer CFT do not. */
function globOf(mask: string): string {
  return mask.replaceAll("[", "[[]");
}
