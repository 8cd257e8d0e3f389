/** Daily windows in local time, which may span midnight (OMINTIME..OMAXTIME, IMINTIME..IMAXTIME). Pure. */
import type { Window } from "../config/model.ts";

function sinceMidnight(now: number): number {
  const at = new Date(now);
  return ((at.getHours() * 60 + at.getMinutes()) * 60 + at.getSeconds()) * 1000 + at.getMilliseconds();
}

export function isOpen(window: Window, now: number): boolean {
  const time = sinceMidnight(now);
  return window.from <= window.to
    ? time >= window.from && time <= window.to
    : time >= window.from || time <= window.to;
}

/** Milliseconds until the window opens; 0 when it is open. */
export function untilOpen(window: Window, now: number): number {
  if (isOpen(window, now)) return 0;
  const day = 24 * 3600 * 1000;
  return (window.from - sinceMidnight(now) + day) % day;
}
