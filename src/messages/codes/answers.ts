/**
 * What the protocol's reasons become in the catalog: DIAGI and DIAGP. Transfer CFT writes SFNA and EFNA as 100 plus the
 * reason into DIAGP, ESID as 200 plus the reason. For DIAGI its documents give the general rule (500 plus the code that
 * the partner would have written itself); these tables apply it.
 */

/** DIAGI of an SFNA or EFNA reason. */
const ANSWERS: Readonly<Record<number, number>> = {
  1: 610, // file absent: Transfer CFT words DIAGP 101 "file unknown"
  2: 909, // network name unknown
  3: 909,
  4: 639, // attributes refused
  5: 626, // record length
  6: 611, // no space to create
  10: 620, // counters
  11: 620,
  12: 600, // input/output
  13: 613, // exists
  14: 904, // transfer refused
  15: 778, // 278, security profile
  16: 778,
  17: 778,
  18: 629, // 129, file compression
  19: 778,
  20: 778,
  21: 778,
  22: 778,
  23: 630, // 130, file decompression
};
const REFUSED = 904;

/** DIAGI of an ESID reason that comes before a file is under way. */
const OPENING: Readonly<Record<number, number>> = {
  0: 451,
  1: 730,
  2: 730,
  3: 909, // requester unknown; Transfer CFT reports a wrong password the same way
  4: 909,
  5: 916, // congestion, or closing down: no room now
  6: 730,
  7: 730,
  8: 916, // no session free
  9: 740, // time-out
  10: 720, // negotiation
  11: 963, // not convinced who we are
  12: 720,
};
const CONNECT_REFUSED = 451;
/** ESID inside a file: VRESID. Time-out and congestion keep their codes, since they say when to try again. */
const INSIDE: Readonly<Record<number, number>> = { 8: 916, 9: 740 };
const ESID_RECEIVED = 730;

/** DIAGI of a refused file. */
export function diagiOfAnswer(reason: number | string): number {
  return ANSWERS[Number(reason)] ?? REFUSED;
}

/** DIAGP of a refused file: `1nn`. */
export function diagpOfAnswer(reason: number | string): string {
  return String(100 + Number(reason));
}

/** DIAGI of a session that the partner ended; `inFile`: while a file was under way. */
export function diagiOfEsid(reason: number | string, inFile = false): number {
  if (inFile) return INSIDE[Number(reason)] ?? ESID_RECEIVED;
  return OPENING[Number(reason)] ?? CONNECT_REFUSED;
}

/** DIAGP of a session that the partner ended: `2nn`. */
export function diagpOfEsid(reason: number | string): string {
  return String(200 + Number(reason));
}
