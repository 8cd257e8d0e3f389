/** Why a partner is not called at this moment, in the terms of the records that wait for it. Pure. */
import type { Part, Tcp, Window } from "../config/model.ts";
import { formatTimeOfDay } from "../config/units.ts";
import type { Full } from "./sessions.ts";
import { untilOpen } from "./window.ts";

export interface Facts {
  part: Part;
  tcp: Tcp | undefined;
  /** Who may open sessions now: the configuration's word, or an operator's. */
  state: Part["state"];
  /** Why no further session may be. */
  full: Full | undefined;
  now: number;
}

export interface Obstacle {
  diagi: number;
  text: string;
  /** Said once, when it has become so. */
  message?: "CFTT46W" | "CFTT12W" | "CFTT09W";
  /** ms until the window opens that keeps it. */
  wait?: number;
}

/** Sessions that are open or about to be are no obstacle: what waits goes with them. */
export function obstacleOf({ part, tcp, state, full, now }: Facts): Obstacle | undefined {
  if (state === "noactive" || state === "activeserv") {
    const calls = state === "activeserv" ? "it waits for the partner's call" : "cygnet act opens it";
    const text = `the partner is not called (state ${state}): ${calls}`;
    return { diagi: 430, text, message: "CFTT46W" };
  }
  if (tcp === undefined)
    return { diagi: 0, text: "there is no cfttcp for the partner: it waits for its call" };
  const windows = [part.outgoing, tcp.outgoing];
  if (windows.some(isNever)) {
    return {
      diagi: 414,
      text: "the partner is never called (omintime and omaxtime are 0): it waits for its call",
    };
  }
  const [shut] = windows
    .map((window) => ({ window, wait: untilOpen(window, now) }))
    .sort((a, b) => b.wait - a.wait);
  if (shut && shut.wait > 0) {
    const opens = formatTimeOfDay(shut.window.from);
    return {
      diagi: 414,
      text: `the partner is called from ${opens} on`,
      message: "CFTT12W",
      wait: shut.wait,
    };
  }
  if (full === undefined) return undefined;
  const { diagi, text } = full;
  return { diagi, text, ...(diagi === 418 ? { message: "CFTT09W" } : {}) };
}

/** Transfer CFT's window that is shut for good. */
export function isNever({ from, to }: Window): boolean {
  return from === 0 && to === 0;
}
