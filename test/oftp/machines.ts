/** Session machines in every state, reached by events that the tables allow. */

import type { SessionAction, SessionEvent } from "../../src/oftp/session/events.ts";
import { SessionMachine } from "../../src/oftp/session/machine.ts";
import type { Capabilities } from "../../src/oftp/session/negotiate.ts";
import type { State } from "../../src/oftp/session/tables.ts";
import type { Eerp, Nerp, Sfid, Ssid } from "../../src/oftp/wire/commands.ts";
import type { Level } from "../../src/oftp/wire/level.ts";

const NONE = Buffer.alloc(0);
const FILE = { dsn: "HELLO", date: "20260115", time: "1030150001" };

export const SFID: Sfid = {
  type: "SFID",
  ...FILE,
  user: "",
  dest: "B",
  orig: "A",
  fmt: "U",
  lrecl: 0,
  fsiz: 1n,
  osiz: 1n,
  rest: 0n,
  sec: 0,
  ciph: 0,
  comp: 0,
  env: 0,
  sign: false,
  desc: "",
};
export const EERP: Eerp = { type: "EERP", ...FILE, user: "", dest: "A", orig: "B", hsh: NONE, sig: NONE };
export const NERP: Nerp = {
  type: "NERP",
  ...FILE,
  dest: "A",
  orig: "B",
  crea: "B",
  reas: 34,
  reast: "processing failed",
  hsh: NONE,
  sig: NONE,
};

/** Everything that can be negotiated, with a window of two. */
export const CAPABILITIES: Capabilities = {
  levels: [5, 4, 2, 1],
  sdeb: 4096,
  cred: 2,
  sr: "B",
  compression: true,
  restart: true,
  authentication: false,
};

/** The SSID of a partner that can and wants what `CAPABILITIES` say. */
export const ssid = (changes: Partial<Ssid> = {}): Ssid => ({
  type: "SSID",
  lev: 5,
  code: "B",
  pswd: "B",
  sdeb: 4096,
  sr: "B",
  cmpr: true,
  rest: true,
  spec: false,
  cred: 2,
  auth: false,
  user: "",
  ...changes,
});

/** One harmless event of each kind. */
export const EVENTS = {
  F_CONNECT_RQ: { type: "F_CONNECT_RQ" },
  N_CON_CF: { type: "N_CON_CF" },
  N_CON_IND: { type: "N_CON_IND" },
  F_CONNECT_RS: { type: "F_CONNECT_RS", capabilities: CAPABILITIES, code: "A", password: "A" },
  F_CHALLENGE_RS: {
    type: "F_CHALLENGE_RS",
    answer: { chal: Buffer.from("CMS"), expected: Buffer.alloc(20) },
  },
  F_RESPOND_RS: { type: "F_RESPOND_RS", answer: { rsp: Buffer.alloc(20) } },
  F_START_FILE_RQ: { type: "F_START_FILE_RQ", sfid: SFID },
  F_START_FILE_RS: { type: "F_START_FILE_RS", answer: { accept: 0n } },
  F_DATA_RQ: { type: "F_DATA_RQ" },
  F_DATA_RS: { type: "F_DATA_RS" },
  F_CLOSE_FILE_RQ: { type: "F_CLOSE_FILE_RQ", efid: { type: "EFID", rcnt: 0n, ucnt: 5n } },
  F_CLOSE_FILE_RS: { type: "F_CLOSE_FILE_RS", answer: { speaker: false } },
  F_EERP_RQ: { type: "F_EERP_RQ", eerp: EERP },
  F_NERP_RQ: { type: "F_NERP_RQ", nerp: NERP },
  F_RTR_RS: { type: "F_RTR_RS" },
  F_CD_RQ: { type: "F_CD_RQ" },
  F_RELEASE_RQ_OK: { type: "F_RELEASE_RQ", reason: 0, text: "" },
  F_RELEASE_RQ_ERR: { type: "F_RELEASE_RQ", reason: 5, text: "closing down" },
  F_ABORT_RQ: { type: "F_ABORT_RQ" },
  N_DISC_IND: { type: "N_DISC_IND" },
  N_RST_IND: { type: "N_RST_IND" },
  "TIME-OUT": { type: "TIME-OUT" },
  INVALID: { type: "INVALID", reason: 7, text: "too long" },
  SSRM: { type: "SSRM", message: "ODETTE FTP READY " },
  SSID: ssid(),
  SECD: { type: "SECD" },
  AUCH: { type: "AUCH", chal: NONE },
  AURP: { type: "AURP", rsp: Buffer.alloc(20) },
  SFID,
  SFPA: { type: "SFPA", acnt: 0n },
  SFNA: { type: "SFNA", reas: 6, rrtr: true, reast: "full" },
  DATA: { type: "DATA" },
  CDT: { type: "CDT" },
  EFID: { type: "EFID", rcnt: 0n, ucnt: 5n },
  EFPA: { type: "EFPA", cd: false },
  EFNA: { type: "EFNA", reas: 11, reast: "count" },
  CD: { type: "CD" },
  EERP,
  NERP,
  RTR: { type: "RTR" },
  ESID0: { type: "ESID", reas: 0, reast: "" },
  ESIDx: { type: "ESID", reas: 8, reast: "busy" },
} satisfies Record<string, SessionEvent>;

export type EventName = keyof typeof EVENTS;
export const event = (name: string): SessionEvent => {
  const found = EVENTS[name as EventName];
  if (found === undefined) throw new Error(`no event ${name}`);
  return found;
};

const WANTS_TURN: SessionEvent = { type: "F_CLOSE_FILE_RS", answer: { speaker: true } };

type Way = readonly [State | null, ...SessionEvent[]];

/** How to come to a state: from another one, by some events. */
const WAYS: Record<Exclude<State, keyof typeof AUTHENTICATION.I>, Way> = {
  IDLE: [null],
  I_WF_NC: ["IDLE", EVENTS.F_CONNECT_RQ],
  I_WF_RM: ["I_WF_NC", EVENTS.N_CON_CF],
  I_WF_SSID: ["I_WF_RM", EVENTS.SSRM],
  A_NC_ONLY: ["IDLE", EVENTS.N_CON_IND],
  A_WF_CONRS: ["A_NC_ONLY", EVENTS.SSID],
  IDLESP: ["I_WF_SSID", EVENTS.SSID],
  IDLESPCD: ["IDLELI", EVENTS.CD],
  WF_RTR: ["IDLESP", EVENTS.F_EERP_RQ],
  OPOP: ["IDLESP", EVENTS.F_START_FILE_RQ],
  OPO: ["OPOP", EVENTS.SFPA],
  OPOWFC: ["OPO", EVENTS.F_DATA_RQ, EVENTS.F_DATA_RQ],
  CLOP: ["OPO", EVENTS.F_CLOSE_FILE_RQ],
  IDLELI: ["A_WF_CONRS", EVENTS.F_CONNECT_RS],
  IDLELICD: ["IDLESP", EVENTS.F_CD_RQ],
  OPIP: ["IDLELI", EVENTS.SFID],
  OPI: ["OPIP", EVENTS.F_START_FILE_RS],
  CLIP: ["OPI", EVENTS.EFID],
  RTRP: ["IDLELI", EVENTS.EERP],
  WF_CD: ["CLIP", WANTS_TURN],
  ERSTWFCD: ["WF_CD", EVENTS.F_EERP_RQ],
  NRSTWFCD: ["WF_CD", EVENTS.F_NERP_RQ],
  SFSTWFCD: ["WF_CD", EVENTS.F_START_FILE_RQ],
  CDSTWFCD: ["WF_CD", EVENTS.F_CD_RQ],
  WF_NDISC: ["IDLESP", EVENTS.F_RELEASE_RQ_ERR],
};

/** The same for secure authentication, where Initiator and Responder take the steps in another order. */
const AUTHENTICATION = {
  I: {
    WF_AUCH: ["I_WF_SSID", EVENTS.SSID],
    WF_SECD: ["WF_AUCH", EVENTS.AUCH, EVENTS.F_RESPOND_RS],
    WF_AURP: ["WF_SECD", EVENTS.SECD, EVENTS.F_CHALLENGE_RS],
  },
  R: {
    WF_SECD: ["A_WF_CONRS", EVENTS.F_CONNECT_RS],
    WF_AURP: ["WF_SECD", EVENTS.SECD, EVENTS.F_CHALLENGE_RS],
    WF_AUCH: ["WF_AURP", EVENTS.AURP],
  },
} satisfies Record<Role, Partial<Record<State, Way>>>;

/** Initiator or Responder. */
export type Role = "I" | "R";
export const ROLES: readonly Role[] = ["I", "R"];
export const AUTHENTICATING = Object.keys(AUTHENTICATION.I) as State[];
export const STATES = [...(Object.keys(WAYS) as State[]), ...AUTHENTICATING];

export interface Setting {
  strict?: boolean;
  /** In the states of secure authentication; Initiator without it. */
  role?: Role;
  /** The user has been asked for a challenge (WF_SECD) or an answer (WF_AUCH). */
  asked?: boolean;
  /** What the Initiator offers, or the Responder accepts with. */
  capabilities?: Capabilities;
  /** What the partner's SSID says otherwise. */
  partner?: Partial<Ssid>;
}

/** A machine in a state. */
export function machineIn(state: State, given: Setting = {}): SessionMachine {
  const secure = AUTHENTICATING.includes(state);
  const setting = secure ? authenticated(given) : given;
  const ways: Partial<Record<State, Way>> = secure ? AUTHENTICATION[setting.role ?? "I"] : WAYS;
  const [before, ...events] = ways[state] as Way;
  if (before === null) {
    return new SessionMachine({
      capabilities: setting.capabilities ?? CAPABILITIES,
      code: "A",
      password: "A",
      strict: setting.strict ?? false,
    });
  }
  const machine = machineIn(before, { ...setting, asked: false });
  for (const each of events) {
    if (each.type === "SSID") machine.input(ssid(setting.partner));
    else if (each.type === "F_CONNECT_RS" && setting.capabilities) {
      machine.input({ ...each, capabilities: setting.capabilities });
    } else machine.input(each);
  }
  if (setting.asked) machine.input(state === "WF_SECD" ? EVENTS.SECD : EVENTS.AUCH);
  if (machine.state !== state) throw new Error(`the way to ${state} ends in ${machine.state}`);
  return machine;
}

/** A setting in which both sides want secure authentication. */
export const authenticated = (setting: Setting = {}): Setting => ({
  ...setting,
  capabilities: { ...(setting.capabilities ?? CAPABILITIES), authentication: true },
  partner: { ...setting.partner, auth: true },
});

/** Everything that a machine remembers. */
export const memory = (machine: SessionMachine) => {
  const { state, agreement, creditS, creditL, latched, restartPosition, stored, level } = machine;
  const { initiator, partner, challenge, asked } = machine;
  const credit = { creditS, creditL, latched };
  return {
    state,
    agreement,
    ...credit,
    restartPosition,
    stored,
    level,
    initiator,
    partner,
    challenge,
    asked,
  };
};

const two = (reason: number): string => String(reason).padStart(2, "0");

/** An action in a few words: commands by name, ESID with its reason, indications with what matters. */
export function told(action: SessionAction): string {
  switch (action.do) {
    case "send": {
      const { command } = action;
      if (command.type === "ESID" || command.type === "EFNA") return `${command.type} ${two(command.reas)}`;
      if (command.type === "SFNA") return `SFNA ${two(command.reas)} ${command.rrtr ? "Y" : "N"}`;
      if (command.type === "SFPA") return `SFPA ${command.acnt}`;
      return command.type === "EFPA" ? `EFPA ${command.cd ? "Y" : "N"}` : command.type;
    }
    case "F_ABORT_IND":
      return `F_ABORT_IND ${action.origin} ${two(action.reason)}`;
    case "F_START_FILE_CF":
      return "accept" in action.answer ? "F_START_FILE_CF +" : "F_START_FILE_CF -";
    case "F_CLOSE_FILE_CF":
      return "speaker" in action.answer
        ? `F_CLOSE_FILE_CF +${action.answer.speaker ? "" : " turn lost"}`
        : "F_CLOSE_FILE_CF -";
    case "F_DATA_IND":
      return action.credit ? "F_DATA_IND last" : "F_DATA_IND";
    case "TOLERATED":
      return `tolerated ${action.name}`;
    default:
      return action.do;
  }
}

export const at = (level: Level, capabilities: Capabilities = CAPABILITIES): Capabilities => ({
  ...capabilities,
  levels: [level],
});
