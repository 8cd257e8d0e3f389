import type { Transfer } from "../catalog/catalog.ts";

/** The stamp of a file identity (RFC 5024 section 1.5.2), local time; when the record was made where it is none. */
export function fileDate({ date, time, kdate }: Pick<Transfer, "date" | "time" | "kdate">): Date {
  const [, century = "20", year, month, day] = /^(\d\d)?(\d\d)(\d\d)(\d\d)$/.exec(date) ?? [];
  const [hours, minutes, seconds] = [time.slice(0, 2), time.slice(2, 4), time.slice(4, 6)];
  const at = new Date(`${century}${year}-${month}-${day}T${hours}:${minutes}:${seconds}`);
  return Number.isNaN(at.getTime()) ? new Date(kdate) : at;
}
