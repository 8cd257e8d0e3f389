/**
 * When something that failed is tried again, and when no more: Transfer CFT's engines (RETRY, COMMUT, RESTART, NEXT, ABORT)
 * and the schedule of CFTTCP (RETRYW, RETRYN, RETRYM). Pure.
 */

/**
 * RETRY: by the schedule, RETRYM times. COMMUT: the next path; a round over all of them counts as RETRY does. RESTART: by
 * the schedule, cftprot.restart times. NEXT: at an even pace, for ever: there was no room. ABORT: not by itself.
 */
export type Engine = "RETRY" | "COMMUT" | "RESTART" | "NEXT" | "ABORT";

const ENGINES: readonly (readonly [Engine, readonly number[]])[] = [
  ["RETRY", [240, 302, 740]],
  ["COMMUT", [301, 303]],
  ["RESTART", [122, 135, 418, 451, 909, 920]],
  // Transfer CFT gives up at once after these: docs/decisions/0021
  ["RESTART", [230, 720, 730, 963]],
  ["NEXT", [412, 415, 416, 417, 421, 916]],
];

/** Which engine a DIAGI sets in motion. */
export function engineOf(diagi: number): Engine {
  return ENGINES.find(([, codes]) => codes.includes(diagi))?.[0] ?? "ABORT";
}

/** Failures in a row that share a limit. */
export interface Tries {
  tries: number;
  /** DIAGI of the last; 0 = none. */
  diagi: number;
}

/** What applies to a partner without a CFTTCP. */
export const DEFAULT_SCHEDULE: RetrySchedule = { retryw: 60_000, retryn: 4, retrym: 12 };

export interface Limits extends RetrySchedule {
  /** Sessions that may fail once the line stands. */
  restart: number;
}

/** How things go on after a failure: when, how many there were, and what the transfers stop with, if they do. */
export interface Decision {
  /** ms until the next try. */
  wait: number;
  tries: number;
  /** DIAGI and DIAGP of what waits and will not be tried again; null = it goes on waiting. */
  stop: { diagi: number; diagp: string } | null;
}

/** What follows on one more failure. `fraction` is uniform in [0, 1). */
export function afterFailure(diagi: number, before: Tries, limits: Limits, fraction: number): Decision {
  const engine = engineOf(diagi);
  // calls that fail and sessions that are refused have limits of their own, so they are not added up
  const tries = (familyOf(before.diagi) === familyOf(diagi) ? before.tries : 0) + 1;
  const even = jittered(limits.retryw, fraction);
  if (engine === "NEXT") return { wait: even, tries, stop: null };
  if (engine === "ABORT") return { wait: even, tries, stop: { diagi, diagp: "" } };
  const most = Math.max(engine === "RESTART" ? limits.restart : limits.retrym, 1);
  const wait = spacing({ ...limits, retrym: most }, tries);
  if (wait !== null) return { wait: jittered(wait, fraction), tries, stop: null };
  const stop = engine === "RESTART" ? { diagi: 406, diagp: "MAXRST" } : { diagi: 405, diagp: "MAXRETRY" };
  return { wait: even, tries: 0, stop };
}

function familyOf(diagi: number): Engine {
  const engine = engineOf(diagi);
  return engine === "COMMUT" ? "RETRY" : engine;
}

export interface RetrySchedule {
  /** First spacing, ms. */
  retryw: number;
  /** Attempts at the first spacing. */
  retryn: number;
  /** Attempts in all. */
  retrym: number;
}

/**
 * Spacing before the attempt that follows `failures` failed ones: RETRYN tries at RETRYW, then half as many at
 * twice the spacing, and so on; when the count has come down to one, double once more and stay there.
 * 1/4/12 waits 1, 1, 1, 1, 2, 2, 4, 8, 8, 8, 8 minutes.
 * @returns milliseconds without jitter, or null when RETRYM attempts were made
 */
export function spacing(schedule: RetrySchedule, failures: number): number | null {
  if (failures >= schedule.retrym) return null;
  let count = Math.max(schedule.retryn, 1);
  let wait = schedule.retryw;
  let left = failures;
  while (left > count) {
    left -= count;
    wait *= 2;
    if (count === 1) break;
    count = Math.floor(count / 2);
  }
  return wait;
}

/** Transfer CFT's jitter: half to one and a half of the spacing. `fraction` is uniform in [0, 1). */
export function jittered(wait: number, fraction: number): number {
  return Math.round(wait * (0.5 + fraction));
}
