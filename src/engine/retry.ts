/** The retry schedule of Transfer CFT: RETRYW, RETRYN and RETRYM of CFTTCP. Pure. */

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
