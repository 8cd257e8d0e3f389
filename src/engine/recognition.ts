/**
 * Who is calling, and may it: the Responder's decision on the Initiator's SSID, in Transfer CFT's order. A
 * refusal leaves no record in the catalog, only a message. Pure.
 */
import { timingSafeEqual } from "node:crypto";
import type { Configuration, Part, Prot } from "../config/model.ts";
import type { Secret } from "../config/secret.ts";
import type { Capabilities } from "../oftp/session/negotiate.ts";
import type { Ssid } from "../oftp/wire/commands.ts";
import type { Full } from "./sessions.ts";
import { isOpen } from "./window.ts";

export interface Caller {
  ssid: Ssid;
  prot: Prot;
  secure: boolean;
  now: number;
  /** Whether the partner may open sessions now. */
  active(part: Part): boolean;
  /** Why no further session with this partner may be, or undefined. */
  full(part: string): Full | undefined;
}

/** A refusal: ESID reason for the caller, DIAGI and words for us, and the message that goes with it. */
export interface Refusal {
  esid: number;
  diagi: number;
  /** Beside CFTH22E, which stands for every refusal; "" = none. */
  message: string;
  text: string;
  /** What the caller is told, where that is less than `text`. */
  told?: string;
  part: Part | null;
}

export type Recognition = { part: Part } | { refusal: Refusal };

export function recognise(configuration: Configuration, caller: Caller): Recognition {
  const { ssid, prot, secure, now } = caller;
  const part =
    [...configuration.cftpart.values()].find((candidate) => candidate.nrpart === ssid.code) ?? null;
  const refuse = (esid: number, diagi: number, message: string, text: string): Recognition => ({
    refusal: { esid, diagi, message, text, part },
  });
  if (part === null) return refuse(3, 409, "CFTT15E", "no partner has this nrpart");
  if (!samePassword(part.nrpassw, ssid.pswd)) return refuse(4, 403, "CFTT19E", "the password is wrong");
  if (!caller.active(part)) {
    return refuse(8, 430, "CFTT46W", "the partner is not active as a caller");
  }
  const windows = [part.incoming, configuration.cfttcp.get(part.id)?.incoming];
  if (windows.some((window) => window && !isOpen(window, now))) {
    return refuse(8, 414, "CFTT12W", "outside imintime to imaxtime");
  }
  if (!part.prot.includes(prot.id)) {
    return refuse(3, 402, "CFTT10E", `${prot.id} is not in prot of the partner`);
  }
  const full = caller.full(part.id);
  if (full !== undefined) return refuse(8, full.diagi, full.diagi === 418 ? "CFTT09W" : "", full.text);
  if (part.require.includes("tls") && !secure) {
    return refuse(10, 278, "CFTT48E", "the partner is required to use TLS");
  }
  return { part };
}

/** Constant time; an empty password of ours accepts any, as Transfer CFT's empty NRPASSW does. */
export function samePassword(expected: Secret, given: string): boolean {
  const wanted = expected.reveal();
  if (wanted === "") return true;
  const pad = (text: string) => Buffer.from(text.padEnd(8).slice(0, 64).padEnd(64), "latin1");
  return timingSafeEqual(pad(wanted), pad(given));
}

/** What this side offers or grants under a protocol object; `srin` as Responder, `srout` as Initiator. */
export function capabilities(
  prot: Prot,
  part: Part,
  initiator: boolean,
  authentication: boolean,
): Capabilities {
  const direction = initiator ? prot.srout : prot.srin;
  return {
    levels: prot.level.filter((level) => part.level === null || part.level.includes(level)),
    sdeb: prot.srusize,
    cred: prot.scredit,
    sr: direction === "both" ? "B" : direction === "sender" ? "S" : "R",
    compression: prot.scomp,
    restart: prot.resync,
    authentication,
  };
}

/**
 * Whether this side says SSIDAUTH = Y: always where it is required, with "allow" only to a caller that says it and
 * can be answered.
 */
export function authenticates(prot: Prot, part: Part, caller: Ssid | null, possible: boolean): boolean {
  if (prot.secauth === "require" || part.require.includes("auth")) return true;
  return prot.secauth === "allow" && caller?.lev === 5 && caller.auth && possible;
}
