/**
 * Session negotiation: what the two SSIDs make of each other (RFC 5024 sections 4.2 and 5.3.2).
 * Identity and passwords are not looked at here: they are the user's decision.
 */
import type { Ssid } from "../wire/commands.ts";
import { LEVELS, type Level } from "../wire/level.ts";

/** What this side can and wants. */
export interface Capabilities {
  /** Levels that may be negotiated. */
  levels: readonly Level[];
  /** Largest data exchange buffer, 128..99999. */
  sdeb: number;
  /** Credit window, 1..999. */
  cred: number;
  /** S = only sends files, R = only receives, B = both. */
  sr: "S" | "R" | "B";
  compression: boolean;
  restart: boolean;
  authentication: boolean;
}

/** What is in force for the session. */
export interface Agreement {
  level: Level;
  sdeb: number;
  cred: number;
  /** What THIS side may do with files. */
  maySend: boolean;
  mayReceive: boolean;
  compression: boolean;
  restart: boolean;
  authentication: boolean;
}

export type Negotiated = { agreement: Agreement; answer: Ssid } | { refuse: number; text: string };

const refuse = (reason: number, text: string) => ({ refuse: reason, text });

/** The SSID that opens a session as Initiator. */
export function offer(own: Capabilities, code: string, password: string): Ssid {
  return ssid(own, Math.max(...own.levels), code, password);
}

function ssid(own: Capabilities, lev: number, code: string, pswd: string): Ssid {
  return {
    type: "SSID",
    lev,
    code,
    pswd,
    sdeb: own.sdeb,
    sr: own.sr,
    cmpr: own.compression,
    rest: own.restart,
    spec: false,
    cred: own.cred,
    auth: lev === 5 && own.authentication,
    user: "",
  };
}

/** Reason 06 for a field whose content is illegal, whoever sent it. */
function invalid(theirs: Ssid): { refuse: number; text: string } | undefined {
  if (theirs.lev === 0) return refuse(6, "SSIDLEV is not a protocol level");
  if (!/^[SRB]$/.test(theirs.sr)) return refuse(6, `SSIDSR "${theirs.sr}" is not S, R or B`);
  return undefined;
}

/** Reason 06 for a size that cannot be; looked at only once level and direction suit. */
function outOfRange(theirs: Ssid): { refuse: number; text: string } | undefined {
  if (theirs.sdeb < 128) return refuse(6, `SSIDSDEB ${theirs.sdeb} is below 128`);
  if (theirs.cred < 1) return refuse(6, "SSIDCRED is zero");
  return undefined;
}

/** Responder: the answer to the Initiator's SSID, or why there is none. */
export function respond(theirs: Ssid, own: Capabilities, code: string, password: string): Negotiated {
  const bad = invalid(theirs);
  if (bad) return bad;
  const level = LEVELS.find((candidate) => candidate <= theirs.lev && own.levels.includes(candidate));
  if (level === undefined) {
    return refuse(10, `SSIDLEV ${theirs.lev} is too low, needed is ${Math.min(...own.levels)}`);
  }
  const sr = complement(theirs.sr, own.sr);
  if (sr === undefined) return refuse(10, `SSIDSR ${theirs.sr} and ${own.sr} leave no direction`);
  const size = outOfRange(theirs);
  if (size) return size;
  const authentication = level === 5 && own.authentication;
  if (level === 5 && theirs.auth !== authentication) return refuse(12, "SSIDAUTH differs");
  if (level < 5 && own.authentication) return refuse(10, "secure authentication needs OFTP 2.0");
  const agreed: Capabilities = {
    ...own,
    sdeb: Math.min(theirs.sdeb, own.sdeb),
    cred: Math.min(theirs.cred, own.cred),
    sr,
    compression: theirs.cmpr && own.compression,
    restart: theirs.rest && own.restart,
    authentication,
  };
  return { agreement: agreement(agreed, level), answer: ssid(agreed, level, code, password) };
}

/** Responder's SSIDSR for the Initiator's, within what it can; undefined when no direction is left. */
function complement(theirs: string, own: string): "S" | "R" | "B" | undefined {
  const send = theirs !== "S" && own !== "R";
  const receive = theirs !== "R" && own !== "S";
  return send && receive ? "B" : send ? "S" : receive ? "R" : undefined;
}

function agreement(agreed: Capabilities, level: Level): Agreement {
  return {
    level,
    sdeb: agreed.sdeb,
    cred: agreed.cred,
    maySend: agreed.sr !== "R",
    mayReceive: agreed.sr !== "S",
    compression: agreed.compression,
    restart: agreed.restart,
    authentication: agreed.authentication,
  };
}

/** Initiator: judges the Responder's SSID against its own offer. */
export function accept(theirs: Ssid, own: Capabilities): Negotiated {
  const bad = invalid(theirs);
  if (bad) return bad;
  const level = LEVELS.find((candidate) => candidate === theirs.lev && own.levels.includes(candidate));
  if (level === undefined) return refuse(10, `SSIDLEV ${theirs.lev} was not offered`);
  if (theirs.cred > own.cred)
    return refuse(10, `SSIDCRED ${theirs.cred} is more than the ${own.cred} offered`);
  if (theirs.spec) return refuse(10, "special logic was not offered");
  const sr = complement(theirs.sr, own.sr);
  if (sr === undefined) return refuse(10, `SSIDSR ${own.sr} and ${theirs.sr} leave no direction`);
  const size = outOfRange(theirs);
  if (size) return size;
  if (level === 5 && theirs.auth !== own.authentication) return refuse(12, "SSIDAUTH differs");
  if (level < 5 && own.authentication) return refuse(10, "secure authentication needs OFTP 2.0");
  const agreed: Capabilities = {
    ...own,
    sdeb: Math.min(theirs.sdeb, own.sdeb),
    cred: theirs.cred,
    sr,
    compression: theirs.cmpr && own.compression,
    restart: theirs.rest && own.restart,
    authentication: level === 5 && own.authentication,
  };
  return { agreement: agreement(agreed, level), answer: theirs };
}
