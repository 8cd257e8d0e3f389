/** When a send may begin and until when (MINDATE, MINTIME, MAXDATE, MAXTIME), and the times of a cycle. Pure. */
import type { Send } from "../config/model.ts";
import type { Activation, Day } from "../config/units.ts";

export type Slot = Pick<Send, "mindate" | "mintime" | "maxdate" | "maxtime">;

/** The two as times, counted from the request; 0 = at once, for ever. */
export function slotOf(slot: Slot, now: number): { retryAt: number; deadline: number } {
  const { mindate, mintime, maxdate, maxtime } = slot;
  const none = mindate === null && mintime === null;
  const retryAt = none ? 0 : momentOf(mindate, mintime, now, beginningOf);
  if (maxdate !== null) return { retryAt, deadline: momentOf(maxdate, maxtime, now, endOf) };
  if (maxtime === null) return { retryAt, deadline: 0 };
  const until = momentOf(null, maxtime, now, endOf);
  // a slot that ends before it begins spans midnight, and so does one that is over for today
  return { retryAt, deadline: until < Math.max(retryAt, now) ? sameTime(until, 1) : until };
}

/** When a script may begin that has become due now (PREMIN…, POSTMIN…, ACKMIN…); 0 = at once. */
export function scriptTime(flow: Partial<Send>, when: "pre" | "post" | "ack", now: number): number {
  const [mindate, mintime] = [flow[`${when}mindate`] ?? null, flow[`${when}mintime`] ?? null];
  return slotOf({ mindate, mintime, maxdate: null, maxtime: null }, now).retryAt;
}

/** A moment of a day; without a time what the day itself says. */
function momentOf(
  day: Day | null,
  time: Activation | null,
  now: number,
  otherwise: (midnight: number) => number,
): number {
  if (time !== null && "after" in time) return (day === null ? now : midnightOf(day, now)) + time.after;
  const midnight = midnightOf(day ?? { days: 0 }, now);
  return time === null ? otherwise(midnight) : timeOn(midnight, time.at);
}

const beginningOf = (midnight: number): number => midnight;
const endOf = (midnight: number): number => sameTime(midnight, 1) - 1;

/** The local beginning of a day. */
function midnightOf(day: Day, now: number): number {
  if ("on" in day) return new Date(...day.on).getTime();
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + day.days).getTime();
}

/** A local time of the day, whatever the clocks do on it. */
function timeOn(midnight: number, at: number): number {
  const date = new Date(midnight);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate(), 0, 0, 0, at).getTime();
}

/** The same local time some days later. */
function sameTime(at: number, days: number): number {
  const date = new Date(at);
  return date.setDate(date.getDate() + days);
}

/** A period of a cycle: so many minutes, days or months. */
export interface Period {
  every: number;
  period: Send["tcycle"];
}

/** The first time of a cycle (CYCDATE, CYCTIME). */
export function firstOf({ cycdate, cyctime }: Pick<Send, "cycdate" | "cyctime">, now: number): number {
  if (cycdate === null && cyctime === null) return now;
  return momentOf(cycdate, cyctime === null ? null : { at: cyctime }, now, beginningOf);
}

/**
 * The first time of a cycle after `now`: times that were missed are left out. Days and months keep their local time of the
 * day; a month that lacks the day has its last one instead.
 */
export function nextOf({ every, period }: Period, first: number, now: number): number {
  if (now < first) return first;
  // near enough from below, then step by step
  const longest = { min: MINUTE, day: 25 * HOUR, month: 31 * 24 * HOUR + HOUR }[period] * every;
  for (let count = Math.floor((now - first) / longest); ; count += 1) {
    const at = timeOf({ every, period }, first, count);
    if (at > now) return at;
  }
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The time of a cycle that has this number, the first being 0. */
function timeOf({ every, period }: Period, first: number, number: number): number {
  if (period === "min") return first + number * every * MINUTE;
  if (period === "day") return sameTime(first, number * every);
  const date = new Date(first);
  const day = date.getDate();
  date.setDate(1);
  date.setMonth(date.getMonth() + number * every);
  const last = new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate();
  date.setDate(Math.min(day, last));
  return date.getTime();
}
