import type { Database } from "./database.ts";

/** Counters per second: RFC 5024 section 5.3.3, SFIDTIME is HHMMSScccc with cccc from 0001. */
const LAST_COUNTER = 9999;

/**
 * The next stamp for a file that we originate: `date` CCYYMMDD and `time` HHMMSScccc in local time. Each stamp
 * is given out once, because the last counter of each second is in the catalog: also when the clock steps back,
 * when summer time ends, or when the record of an earlier file was purged. A full second borrows from the next.
 */
export function nextStamp(database: Database, now: number): { date: string; time: string } {
  for (let at = now; ; at += 1000) {
    const second = localSecond(at);
    const row = database.row(
      `INSERT INTO stamp VALUES (?, 1)
         ON CONFLICT DO UPDATE SET counter = counter + 1 WHERE counter < ${LAST_COUNTER}
         RETURNING counter`,
      second,
    );
    if (row === undefined) continue;
    const counter = String(row.counter).padStart(4, "0");
    return { date: second.slice(0, 8), time: second.slice(8) + counter };
  }
}

/** Counters that are forgotten in one change. */
const FORGOTTEN = 1_000;

/** Forgets counters of seconds before `before` (milliseconds since 1970 UTC), some at a time; how many. */
export function forgetStamps(database: Database, before: number): number {
  return database.run(
    `DELETE FROM stamp WHERE second IN (SELECT second FROM stamp WHERE second < ? LIMIT ${FORGOTTEN})`,
    localSecond(before),
  );
}

/** CCYYMMDDHHMMSS in local time. */
function localSecond(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
