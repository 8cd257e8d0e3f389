/** What the end of a session says: DIAGI and DIAGP for the record, and so whether it is tried again. Pure. */
import { diagiOfEsid, diagpOfEsid } from "../messages/codes.ts";
import type { SessionEnd } from "./link.ts";

export interface Diagnosis {
  diagi: number;
  diagp: string;
}

/** A line that broke says nothing about anybody's will. */
const LOST: Diagnosis = { diagi: 302, diagp: "" };

/** A session that we called for and that was not opened. */
export function diagnoseOpening(end: SessionEnd): Diagnosis {
  if (end.lost) return LOST;
  if (end.origin === "local") return { diagi: 451, diagp: end.reason === 9 ? "TIMEOUT" : "FCON_RN" };
  return { diagi: diagiOfEsid(end.reason), diagp: diagpOfEsid(end.reason) };
}

/** A session that ended in the middle of a file of ours. */
export function diagnoseFile(end: SessionEnd): Diagnosis {
  if (end.lost) return LOST;
  if (end.origin === "distant")
    return { diagi: diagiOfEsid(end.reason, true), diagp: diagpOfEsid(end.reason) };
  if (end.reason === 9) return { diagi: 240, diagp: "RTO" };
  // what we closed for reasons of our own goes on like a line that broke
  return PROTOCOL.has(end.reason) ? { diagi: 230, diagp: diagpOfEsid(end.reason) } : LOST;
}

/** ESID reasons by which we say that the partner has broken the protocol. */
const PROTOCOL = new Set([1, 2, 6, 7]);
