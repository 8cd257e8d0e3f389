/** Which timer runs in a state (RFC 5024 has one inactivity timer; Transfer CFT gives it several lengths). */
import type { State } from "./tables.ts";

/**
 * Transfer CFT's names: `disctc` until the SSIDs are through, `rto` for every awaited answer, `disctd` for an
 * idle Speaker, `discts` for a Responder that waits for the Initiator, `disctr` for the partner's close.
 */
export type TimerName = "disctc" | "rto" | "disctd" | "discts" | "disctr" | "none";

const CONNECTING: readonly State[] = ["I_WF_NC", "I_WF_RM", "I_WF_SSID", "A_NC_ONLY", "A_WF_CONRS"];

export function timerOf(state: State, initiator: boolean): TimerName {
  switch (state) {
    case "IDLE":
      return "none";
    case "WF_NDISC":
      return "disctr";
    case "IDLESP":
    case "IDLESPCD":
      return "disctd";
    // an Initiator without the turn waits for the partner to use it
    case "IDLELI":
    case "IDLELICD":
      return initiator ? "rto" : "discts";
    default:
      return CONNECTING.includes(state) ? "disctc" : "rto";
  }
}
