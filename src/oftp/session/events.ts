/** What goes into the session machine and what comes out of it (RFC 5024 sections 3 and 9.3). */
import type { Command, Eerp, Efid, Nerp, Sfid, Ssid } from "../wire/commands.ts";
import type { Level } from "../wire/level.ts";
import type { Agreement, Capabilities } from "./negotiate.ts";

/** Requests and responses of the local user, and what the network reports. */
export type SessionEvent =
  | { type: "F_CONNECT_RQ" }
  | { type: "N_CON_CF" }
  | { type: "N_CON_IND" }
  /** The Responder's verdict on the SSID received. */
  | { type: "F_CONNECT_RS"; capabilities: Capabilities; code: string; password: string }
  /**
   * Answer to CHALLENGE: the enveloped challenge (AUCHCHAL) and the 20 octets in it, or why there is none
   * (no certificate of the partner that may be used), which ends the session with reason 11.
   */
  | { type: "F_CHALLENGE_RS"; answer: { chal: Buffer; expected: Buffer } | { text: string } }
  /** Answer to RESPOND: the 20 octets of the challenge, or why it cannot be answered: reason 11. */
  | { type: "F_RESPOND_RS"; answer: { rsp: Buffer } | { text: string } }
  | { type: "F_START_FILE_RQ"; sfid: Sfid }
  | { type: "F_START_FILE_RS"; answer: { accept: bigint } | { reason: number; retry: boolean; text: string } }
  /** One data exchange buffer is on its way out. */
  | { type: "F_DATA_RQ" }
  /** The Listener can take a full window again. */
  | { type: "F_DATA_RS" }
  | { type: "F_CLOSE_FILE_RQ"; efid: Efid }
  | { type: "F_CLOSE_FILE_RS"; answer: { speaker: boolean } | { reason: number; text: string } }
  | { type: "F_EERP_RQ"; eerp: Eerp }
  | { type: "F_NERP_RQ"; nerp: Nerp }
  | { type: "F_RTR_RS" }
  | { type: "F_CD_RQ" }
  /** Normal end (only right after an unsolicited CD), or an error end. */
  | { type: "F_RELEASE_RQ"; reason: number; text: string }
  | { type: "F_ABORT_RQ" }
  | { type: "N_DISC_IND" }
  | { type: "N_RST_IND" }
  | { type: "TIME-OUT" }
  /** A buffer that cannot be read, with the ESID reason for it. */
  | { type: "INVALID"; reason: number; text: string }
  /** A data exchange buffer arrived; its octets stay outside. */
  | { type: "DATA" }
  | Command;

/** What the machine wants done, in order. */
export type SessionAction =
  /** `level`: which layout the command takes. */
  | { do: "send"; command: Command; level: Level }
  | { do: "disconnect" }
  /** The partner's SSID is here: decide, then F_CONNECT_RS or F_RELEASE_RQ. */
  | { do: "F_CONNECT_IND"; ssid: Ssid }
  /** The partner wants to prove itself: make a challenge for it, then F_CHALLENGE_RS. */
  | { do: "CHALLENGE" }
  /** The partner's challenge (AUCHCHAL): decrypt it, then F_RESPOND_RS. */
  | { do: "RESPOND"; chal: Buffer }
  /** Responder: the session is open and the Initiator has the turn; with authentication, both are proven. */
  | { do: "OPEN"; agreement: Agreement }
  /**
   * Initiator: the session is open, with authentication after both are proven. Check the Responder's identity
   * in `ssid` before anything else.
   */
  | { do: "F_CONNECT_CF"; ssid: Ssid; agreement: Agreement }
  | { do: "F_START_FILE_IND"; sfid: Sfid }
  | { do: "F_START_FILE_CF"; answer: { accept: bigint } | { reason: number; retry: boolean; text: string } }
  /** Data received; `credit` = the window is used up: answer F_DATA_RS when there is room. */
  | { do: "F_DATA_IND"; credit: boolean }
  /** The Speaker may go on sending data. */
  | { do: "F_DATA_CF" }
  | { do: "F_CLOSE_FILE_IND"; efid: Efid }
  /** `speaker` = this side is still the Speaker. */
  | { do: "F_CLOSE_FILE_CF"; answer: { speaker: boolean } | { reason: number; text: string } }
  | { do: "F_EERP_IND"; eerp: Eerp }
  | { do: "F_NERP_IND"; nerp: Nerp }
  | { do: "F_RTR_CF" }
  /** This side is the Speaker now. */
  | { do: "F_CD_IND" }
  | { do: "F_RELEASE_IND" }
  | { do: "F_ABORT_IND"; reason: number; text: string; origin: "local" | "distant" }
  | { do: "TOLERATED"; name: string };
