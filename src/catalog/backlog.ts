/** What has not ended, by partner: for metrics, so without looking at what has ended. */
import type { Database } from "./database.ts";

/** Numbers of one partner. Times are ms since 1970 UTC; null = there is none. */
export interface Backlog {
  part: string;
  /** Transfers that have not ended, by direction and state letter. */
  transfers: { direct: "send" | "recv"; state: string; records: number }[];
  /** When the oldest send that waits was requested. */
  waitingSince: number | null;
  /** When the earliest requested send that waits for its response was sent. */
  awaitedSince: number | null;
  /** Responses that are still to be sent, and when the file of the oldest of them was delivered. */
  unsent: number;
  unsentSince: number | null;
}

/** Reads an index of what has not ended once, and one record for each partner and age. */
export function countBacklog(database: Database): Backlog[] {
  const all = new Map<string, Backlog>();
  const of = (part: string): Backlog => {
    const known = all.get(part);
    if (known) return known;
    const empty = { transfers: [], waitingSince: null, awaitedSince: null, unsent: 0, unsentSince: null };
    const made: Backlog = { part, ...empty };
    all.set(part, made);
    return made;
  };
  const states = database.rows(
    `SELECT direct, part, state, count(*) AS records, min(kdate) AS since
       FROM transfer INDEXED BY transfer_part_state WHERE phase <> 'X' AND direct IN ('send', 'recv')
       GROUP BY direct, part, state`,
  );
  for (const row of states) {
    const direct = row.direct as "send" | "recv";
    const state = row.state as string;
    const backlog = of(row.part as string);
    backlog.transfers.push({ direct, state, records: Number(row.records) });
    if (direct === "send" && state === "D") backlog.waitingSince = Number(row.since);
    if (direct === "send" && state === "Z") backlog.awaitedSince = sentSince(database, backlog.part);
  }
  const responses = database.rows(
    `SELECT response.part AS part, response.unsent AS unsent, coalesce(transfer.edate, transfer.kdate) AS since
       FROM (SELECT part, count(*) AS unsent, min(id) AS oldest FROM response WHERE sent = 0 GROUP BY part) response
       JOIN response first ON first.id = response.oldest
       JOIN transfer ON transfer.id = first.transfer`,
  );
  for (const row of responses) {
    const backlog = of(row.part as string);
    backlog.unsent = Number(row.unsent);
    backlog.unsentSince = Number(row.since);
  }
  return [...all.values()];
}

function sentSince(database: Database, part: string): number | null {
  const row = database.row(
    `SELECT coalesce(edate, kdate) AS since FROM transfer INDEXED BY transfer_part_state
       WHERE phase <> 'X' AND direct = 'send' AND part = ? AND state = 'Z' ORDER BY kdate LIMIT 1`,
    part,
  );
  return row === undefined ? null : Number(row.since);
}
