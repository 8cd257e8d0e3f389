import { CygnetError } from "../platform/errors.ts";

/** Milliseconds per unit. */
const DURATIONS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The unit of a bare number, Transfer CFT's for that key, in milliseconds. */
export const CFT_UNITS = { s: 1000, min: 60_000, d: 86_400_000 } as const;
export type CftUnit = keyof typeof CFT_UNITS;

const SIZES: Record<string, number> = {
  b: 1,
  k: 1000,
  kb: 1000,
  kib: 1024,
  mb: 1e6,
  mib: 1024 ** 2,
  gb: 1e9,
  gib: 1024 ** 3,
  m: 1e6,
  g: 1e9,
};

/** Milliseconds of `90` (in the key's own unit), `"90s"`, `"5m"`, `"2h"`, `"30d"` or `"500ms"`. CYG_DURATION else. */
export function parseDuration(value: number | string, unit: CftUnit): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(String(value));
  if (!match) throw new CygnetError("CYG_DURATION", `"${value}" is not a duration such as "90s"`);
  return Math.round(Number(match[1]) * (match[2] ? (DURATIONS[match[2]] ?? 1) : CFT_UNITS[unit]));
}

/** `"1m 30s"` style text of milliseconds. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  const parts: string[] = [];
  let rest = milliseconds;
  for (const [unit, length] of Object.entries(DURATIONS).reverse()) {
    const count = Math.floor(rest / length);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * length;
  }
  return parts.join(" ");
}

/** Octets of `1000`, `"10MB"` (10 million) or `"10MiB"` (10 times 1024 squared). CYG_SIZE else. */
export function parseSize(value: number | string): number {
  const match = /^(\d+) ?([a-z]*)$/i.exec(String(value));
  const factor = match?.[2] ? SIZES[match[2].toLowerCase()] : 1;
  if (!match || factor === undefined)
    throw new CygnetError("CYG_SIZE", `"${value}" is not a size such as "10MB"`);
  return Number(match[1]) * factor;
}

/** Free space that is too little: less than a share of the file system, than so many octets, or than the smaller of both. */
export interface SpaceLimit {
  /** null = not by share. */
  percent: number | null;
  /** null = not by octets. */
  octets: number | null;
}

/** Reads `5%`, `1GiB` or `5% 1GiB`. CYG_SIZE else. */
export function parseSpace(value: number | string): SpaceLimit {
  const [, percent, size] = /^(?:(\d{1,2}(?:\.\d+)?)%)? ?(.*)$/.exec(String(value)) ?? [];
  return {
    percent: percent === undefined ? null : Number(percent),
    octets: size ? parseSize(size) : null,
  };
}

/** Milliseconds after midnight of `HH:MM`, `HH:MM:SS` or Transfer CFT's `HHMMSSCC`; undefined when it is none. */
export function parseTimeOfDay(text: string): number | undefined {
  if (times.has(text)) return times.get(text);
  const time = readTimeOfDay(text);
  if (times.size < MANY_TIMES) times.set(text, time);
  return time;
}

/** Thousands of partners have a few times of day among them, and each has four. */
const times = new Map<string, number | undefined>();
const MANY_TIMES = 1_000;

function readTimeOfDay(text: string): number | undefined {
  const match = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? /^(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds, hundredths] = match.slice(1).map((part) => Number(part ?? 0));
  if ((hours ?? 0) > 23 || (minutes ?? 0) > 59 || (seconds ?? 0) > 59) return undefined;
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000 + (hundredths ?? 0) * 10;
}

/** A moment of a request: a time of the day (ms after midnight), or so many ms after the request; undefined when neither. */
export type Activation = { at: number } | { after: number };

/** Reads `20:00` or `+90` (minutes). */
export function parseActivation(text: string): Activation | undefined {
  const minutes = /^\+(\d{1,4})$/.exec(text)?.[1];
  if (minutes !== undefined) return { after: Number(minutes) * 60_000 };
  const at = parseTimeOfDay(text);
  return at === undefined ? undefined : { at };
}

/** `HH:MM:SS` of milliseconds after midnight, with hundredths where there are any. */
export function formatTimeOfDay(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString();
  return milliseconds % 1000 === 0 ? text.slice(11, 19) : text.slice(11, 22);
}
