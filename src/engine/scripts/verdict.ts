/**
 * What the exit code of a script means as an end-to-end response (`ackmode = "script"`). Pure.
 *
 *   0                                    accepted: EERP
 *   11 to 16, 20 to 36, 50, 90, 99       refused: NERP with this number as its reason (RFC 5024 section 5.3.14)
 *   126, 127, above 128                  no verdict: the shell's codes of a program that did not run or was killed
 *   anything else                        refused: NERP 34
 */
import { NERP_REASONS } from "../../messages/codes.ts";

/** NERPREAS when the exit code is no reason. */
const OTHERWISE = 34;
/** SFNA's and EFNA's reasons among them are codes that programs end with for reasons of their own. */
const FIRST = 11;

/** NERPREAS, 0 for an EERP; null when the script gave no verdict. */
export function verdictOf(code: number): number | null {
  if (code === 0) return 0;
  if (code === 126 || code === 127 || code > 128) return null;
  return code >= FIRST && NERP_REASONS.has(code) ? code : OTHERWISE;
}
