/**
 * The session machine of RFC 5024 section 9: an event goes in, actions come out. It owns no socket, file, timer
 * or clock; which transition an event takes is looked up in the tables, what a transition does is below.
 *
 * Invariants
 * - Nothing is sent after an ESID.
 * - A DATA buffer is never counted without credit, in either direction.
 * - An event that its state does not allow never changes the state: from the partner it ends the session with
 *   reason 02, from the local user it throws.
 */
import { CygnetError } from "../../platform/errors.ts";
import type { Tolerates } from "../tolerances.ts";
import type { Command, Esid, Ssid } from "../wire/commands.ts";
import type { Level } from "../wire/level.ts";
import {
  askForChallenge,
  awaitSecd,
  challenged,
  challengeMade,
  challengeWanted,
  responded,
  responseReceived,
} from "./authentication.ts";
import type { SessionAction, SessionEvent } from "./events.ts";
import { type Agreement, accept, type Capabilities, offer, respond } from "./negotiate.ts";
import { cell, type State } from "./tables.ts";

export interface SessionOptions {
  /** What the Initiator offers; a Responder gives its own with F_CONNECT_RS, once it knows who calls. */
  capabilities?: Capabilities;
  /** SSIDCODE and SSIDPSWD of this side, as Initiator. */
  code?: string;
  password?: string;
  /** Refuses what the field tolerates (early credit, late credit, a bare CD answered by CD). */
  strict?: boolean;
}

type EventOf<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;
type Transition = (machine: SessionMachine, event: never) => readonly SessionAction[];

const NOTHING: readonly SessionAction[] = [];
const DATA_IN: readonly SessionAction[] = [{ do: "F_DATA_IND", credit: false }];
const DATA_IN_LAST: readonly SessionAction[] = [{ do: "F_DATA_IND", credit: true }];
const DATA_OUT: readonly SessionAction[] = [{ do: "F_DATA_CF" }];

export class SessionMachine {
  state: State = "IDLE";
  /** What both sides agreed on; null before the SSIDs are through. */
  agreement: Agreement | null = null;
  /** Decides on deviations of the field by name; may be changed once it is known who the partner is. */
  tolerates: Tolerates;
  readonly capabilities: Capabilities | undefined;
  readonly code: string;
  readonly password: string;
  /** Credit left as Speaker, and as Listener (V.Credit_S, V.Credit_L). */
  creditS = 0;
  creditL = 0;
  /** Credit that came before it was due, kept until the window is used up. */
  latched = false;
  /** Restart position offered for the file being opened (V.Restart-pos). */
  restartPosition = 0n;
  /** This side opened the session (V.Caller). */
  initiator = false;
  /** The partner's SSID. */
  partner: Ssid | null = null;
  /** Octets that the partner has to answer (V.Challenge), from AUCH to AURP. */
  challenge: Buffer | null = null;
  /** The local user has been asked for a challenge or an answer: the partner has to wait. */
  asked = false;
  /** A request that waits for the turn (V.Req-buf). */
  stored: SessionEvent | null = null;
  #esidLevel: Level = 4;

  constructor(options: SessionOptions = {}) {
    this.capabilities = options.capabilities;
    this.code = options.code ?? "";
    this.password = options.password ?? "";
    this.tolerates = () => options.strict !== true;
  }

  /** The level whose layouts incoming commands have. */
  get level(): Level {
    return this.agreement?.level ?? 5;
  }

  /** True while this side has the turn and may start something. */
  get speaker(): boolean {
    return this.state === "IDLESP" || this.state === "IDLESPCD";
  }

  /**
   * @returns what to do, in order
   * @throws CygnetError CYG_OFTP_USER for a request that this state does not allow; the state stays
   */
  input(event: SessionEvent): readonly SessionAction[] {
    if (event.type === "F_DATA_RS") return this.#renewCredit();
    if (event.type === "F_CHALLENGE_RS") return challengeMade(this, event);
    if (event.type === "F_RESPOND_RS") return responded(this, event);
    const tolerated = this.#tolerate(event);
    if (tolerated) return tolerated;
    const found = cell(this.state, nameOf(event));
    if (found === "ignore") return NOTHING;
    if (found === "v") return this.abort(2, `${event.type} is not allowed in state ${this.state}`);
    if (found === "d") return this.endedByPartner(event as Esid);
    const transition = TRANSITIONS[found];
    if (transition === undefined) {
      throw new CygnetError("CYG_OFTP_USER", `${nameOf(event)} is not possible in state ${this.state}`);
    }
    return transition(this, event as never);
  }

  /** Sends an ESID with an error reason and waits for the partner to close. */
  abort(reason: number, text: string): readonly SessionAction[] {
    this.state = "WF_NDISC";
    return [
      this.send({ type: "ESID", reas: reason, reast: text }),
      { do: "F_ABORT_IND", reason, text, origin: "local" },
    ];
  }

  endedByPartner(esid: Esid): readonly SessionAction[] {
    this.state = "IDLE";
    return [
      { do: "F_ABORT_IND", reason: esid.reas, text: esid.reast, origin: "distant" },
      { do: "disconnect" },
    ];
  }

  send(command: Command): SessionAction {
    const level =
      command.type === "ESID" ? this.#esidLevel : command.type === "SSID" ? command.lev : this.level;
    return { do: "send", command, level: level as Level };
  }

  /** Short or long ESID (RFC 5024 is silent before the SSIDs are through): by the lower of both offers. */
  settleEsid(level: number): void {
    this.#esidLevel = level >= 5 ? 5 : 4;
  }

  #renewCredit(): readonly SessionAction[] {
    if (this.state !== "OPI" || this.creditL > 0) return NOTHING;
    this.creditL = (this.agreement as Agreement).cred;
    return [this.send({ type: "CDT" })];
  }

  /** Behaviour of products in the field that does no harm. */
  #tolerate(event: SessionEvent): readonly SessionAction[] | undefined {
    const late = this.state === "CLOP" || this.state === "IDLESP" || this.state === "OPOP";
    if (event.type === "CDT" && this.state === "OPO" && this.tolerates("cdt-early")) {
      this.latched = true;
      return [{ do: "TOLERATED", name: "cdt-early" }];
    }
    if (event.type === "CDT" && late && this.tolerates("cdt-late")) {
      return [{ do: "TOLERATED", name: "cdt-late" }];
    }
    if (event.type === "CD" && this.state === "IDLELICD" && this.tolerates("cd-answered-by-cd")) {
      this.state = "IDLESPCD";
      return [{ do: "TOLERATED", name: "cd-answered-by-cd" }, { do: "F_CD_IND" }];
    }
    const normal = event.type === "ESID" && event.reas === 0;
    if (normal && this.state === "IDLELI" && this.tolerates("esid-without-cd")) {
      this.state = "IDLE";
      return [{ do: "TOLERATED", name: "esid-without-cd" }, { do: "F_RELEASE_IND" }, { do: "disconnect" }];
    }
    return undefined;
  }
}

/** Row of the tables for an event: ESID and F_RELEASE_RQ have two, by their reason. */
function nameOf(event: SessionEvent): string {
  if (event.type === "ESID") return event.reas === 0 ? "ESID_NORMAL" : "ESID_ERROR";
  if (event.type === "F_RELEASE_RQ") return event.reason === 0 ? "F_RELEASE_RQ_OK" : "F_RELEASE_RQ_ERR";
  return event.type;
}

/** Moves to a state and gives actions: most transitions are just that. */
function go(machine: SessionMachine, state: State, ...actions: SessionAction[]): readonly SessionAction[] {
  machine.state = state;
  return actions;
}

const violation: Transition = (machine, event: SessionEvent) =>
  machine.abort(2, `${event.type} is not allowed in state ${machine.state}`);

const store =
  (state: State, check: (machine: SessionMachine, event: never) => void = () => {}): Transition =>
  (machine, event: SessionEvent) => {
    check(machine, event as never);
    machine.stored = event;
    return go(machine, state);
  };

/** The turn has come: carry out the stored request as Speaker. */
const resume: Transition = (machine) => {
  const event = machine.stored as SessionEvent;
  machine.stored = null;
  machine.state = "IDLESP";
  return machine.input(event);
};

function mayStart(machine: SessionMachine, event: EventOf<"F_START_FILE_RQ">): void {
  const agreed = machine.agreement as Agreement;
  if (!agreed.maySend || (event.sfid.rest > 0n && !agreed.restart)) {
    throw new CygnetError("CYG_OFTP_USER", "this session was negotiated without sending, or without restart");
  }
}

function startFile(machine: SessionMachine, event: EventOf<"F_START_FILE_RQ">): readonly SessionAction[] {
  mayStart(machine, event);
  machine.restartPosition = event.sfid.rest;
  return go(machine, "OPOP", machine.send(event.sfid));
}

function receiveFile(machine: SessionMachine, event: EventOf<"SFID">): readonly SessionAction[] {
  const agreed = machine.agreement as Agreement;
  if (event.rest > 0n && !agreed.restart) return machine.abort(2, "restart was not negotiated");
  if (!agreed.mayReceive) return machine.abort(2, "this side was negotiated as a sender of files only");
  machine.restartPosition = event.rest;
  return go(machine, "OPIP", { do: "F_START_FILE_IND", sfid: event });
}

function hasNerp(machine: SessionMachine): void {
  if (machine.level < 4) throw new CygnetError("CYG_OFTP_USER", `SSIDLEV ${machine.level} has no NERP`);
}

function answerStart(machine: SessionMachine, event: EventOf<"F_START_FILE_RS">): readonly SessionAction[] {
  const { answer } = event;
  if ("reason" in answer) {
    const { reason, retry, text } = answer;
    return go(machine, "IDLELI", machine.send({ type: "SFNA", reas: reason, rrtr: retry, reast: text }));
  }
  if (answer.accept > machine.restartPosition) {
    throw new CygnetError("CYG_OFTP_USER", "the restart position answered is beyond the one offered");
  }
  machine.creditL = (machine.agreement as Agreement).cred;
  return go(machine, "OPI", machine.send({ type: "SFPA", acnt: answer.accept }));
}

function startedFile(machine: SessionMachine, event: EventOf<"SFPA">): readonly SessionAction[] {
  if (event.acnt > machine.restartPosition) {
    return machine.abort(2, `SFPAACNT ${event.acnt} is beyond the ${machine.restartPosition} offered`);
  }
  machine.creditS = (machine.agreement as Agreement).cred;
  machine.latched = false;
  return go(machine, "OPO", { do: "F_START_FILE_CF", answer: { accept: event.acnt } });
}

function sendData(machine: SessionMachine): readonly SessionAction[] {
  machine.creditS--;
  if (machine.creditS > 0) return DATA_OUT;
  if (machine.latched) {
    machine.latched = false;
    machine.creditS = (machine.agreement as Agreement).cred;
    return DATA_OUT;
  }
  machine.state = "OPOWFC";
  return NOTHING;
}

function receiveData(machine: SessionMachine): readonly SessionAction[] {
  if (machine.creditL === 0) return machine.abort(2, "more data than credit");
  machine.creditL--;
  return machine.creditL === 0 ? DATA_IN_LAST : DATA_IN;
}

/** What each cell of the tables does, named table-letter as in RFC 5024 sections 9.6 to 9.10. */
const TRANSITIONS: Record<string, Transition> = {
  // Table S: session connection
  "S-A": (machine) => {
    machine.initiator = true;
    return go(machine, "I_WF_NC");
  },
  "S-B": (machine) => {
    machine.initiator = false;
    return go(machine, "A_NC_ONLY", machine.send({ type: "SSRM", message: "ODETTE FTP READY " }));
  },
  "S-C": (machine) => go(machine, "I_WF_RM"),
  "S-D": (machine, event: EventOf<"SSID">) => {
    machine.settleEsid(event.lev);
    const result = accept(event, machine.capabilities as Capabilities);
    if ("refuse" in result) return machine.abort(result.refuse, result.text);
    const { agreement } = result;
    machine.agreement = agreement;
    machine.partner = event;
    if (agreement.authentication) return askForChallenge(machine);
    return go(machine, "IDLESP", { do: "F_CONNECT_CF", ssid: event, agreement });
  },
  "S-E": (machine, event: EventOf<"SSID">) => {
    machine.settleEsid(Math.min(event.lev, Math.max(...(machine.capabilities?.levels ?? [5]))));
    machine.partner = event;
    return go(machine, "A_WF_CONRS", { do: "F_CONNECT_IND", ssid: event });
  },
  "S-F": (machine, event: Command) => {
    if (event.type === "ESID") return machine.endedByPartner(event);
    machine.state = "IDLE";
    const text = `${event.type} came a second time`;
    return [{ do: "F_ABORT_IND", reason: 2, text, origin: "local" }, { do: "disconnect" }];
  },
  "S-G": (machine, event: EventOf<"F_CONNECT_RS">) => {
    const caller = machine.partner as Ssid;
    machine.settleEsid(Math.min(caller.lev, Math.max(...event.capabilities.levels)));
    const result = respond(caller, event.capabilities, event.code, event.password);
    if ("refuse" in result) return machine.abort(result.refuse, result.text);
    const { agreement, answer } = result;
    machine.agreement = agreement;
    if (agreement.authentication) return awaitSecd(machine, machine.send(answer));
    return go(machine, "IDLELI", machine.send(answer), { do: "OPEN", agreement });
  },
  "S-H": (machine) => {
    const ssid = offer(machine.capabilities as Capabilities, machine.code, machine.password);
    return go(machine, "I_WF_SSID", machine.send(ssid));
  },
  "S-I": challenged as Transition,
  "S-J": challengeWanted as Transition,
  "S-K": responseReceived as Transition,
  "S-L": violation,

  // Table E: errors and aborts
  "E-A": (machine) => go(machine, "IDLE", { do: "disconnect" }),
  "E-B": (machine) => {
    const [esid, indication] = machine.abort(9, "time-out") as [SessionAction, SessionAction];
    return go(machine, "IDLE", esid, indication, { do: "disconnect" });
  },
  "E-C": (machine) => go(machine, "IDLE", { do: "disconnect" }),
  "E-D": (machine) => lost(machine, true),
  "E-E": (machine) => lost(machine, false),
  "E-F": (machine) => go(machine, "IDLE"),
  "E-G": (machine) => lost(machine, false),
  "E-H": () => NOTHING,
  "E-I": (machine, event: EventOf<"INVALID">) => machine.abort(event.reason, event.text),

  // Table P: Speaker
  "P-A": (machine, event: EventOf<"F_EERP_RQ">) => go(machine, "WF_RTR", machine.send(event.eerp)),
  "P-B": startFile as Transition,
  "P-C": violation,
  "P-D": (machine) => go(machine, "IDLELICD", machine.send({ type: "CD" })),
  "P-E": (machine) => go(machine, "WF_NDISC", machine.send({ type: "ESID", reas: 0, reast: "" })),
  "P-F": store("ERSTWFCD"),
  "P-G": store("SFSTWFCD", mayStart),
  "P-H": (machine) => go(machine, "IDLESP", { do: "F_CD_IND" }),
  "P-I": resume,
  "P-J": resume,
  "P-K": startedFile as Transition,
  "P-L": (machine, event: EventOf<"SFNA">) =>
    go(machine, "IDLESP", {
      do: "F_START_FILE_CF",
      answer: { reason: event.reas, retry: event.rrtr, text: event.reast },
    }),
  "P-M": sendData as Transition,
  "P-N": (machine) => go(machine, "IDLESP", { do: "F_RTR_CF" }),
  "P-O": (machine) => {
    machine.creditS = (machine.agreement as Agreement).cred;
    return go(machine, "OPO", { do: "F_DATA_CF" });
  },
  "P-P": violation,
  "P-Q": (machine, event: EventOf<"F_RELEASE_RQ">) => machine.abort(event.reason, event.text),
  "P-R": resume,
  "P-S": () => NOTHING,
  "P-T": store("CDSTWFCD"),
  "P-Y": (machine, event: EventOf<"F_NERP_RQ">) => {
    hasNerp(machine);
    return go(machine, "WF_RTR", machine.send(event.nerp));
  },
  "P-Z": store("NRSTWFCD", hasNerp),
  "P-Z1": resume,

  // Table Q: Speaker at the end of a file. E: an EFID without credit is the user's error.
  "Q-A": (machine, event: EventOf<"F_CLOSE_FILE_RQ">) => {
    machine.creditS = 0;
    return go(machine, "CLOP", machine.send(event.efid));
  },
  "Q-B": violation,
  "Q-C": (machine, event: EventOf<"EFPA">) =>
    event.cd
      ? go(
          machine,
          "IDLELI",
          { do: "F_CLOSE_FILE_CF", answer: { speaker: false } },
          machine.send({ type: "CD" }),
        )
      : go(machine, "IDLESP", { do: "F_CLOSE_FILE_CF", answer: { speaker: true } }),
  "Q-D": (machine, event: EventOf<"EFNA">) =>
    go(machine, "IDLESP", { do: "F_CLOSE_FILE_CF", answer: { reason: event.reas, text: event.reast } }),

  // Table L: Listener
  "L-A": receiveFile as Transition,
  "L-B": violation,
  "L-C": (machine) => go(machine, "IDLESPCD", { do: "F_CD_IND" }),
  "L-D": (machine, event: Esid) => machine.endedByPartner(event),
  "L-E": (machine, event: EventOf<"EERP">) => go(machine, "RTRP", { do: "F_EERP_IND", eerp: event }),
  "L-F": (machine) => go(machine, "IDLE", { do: "F_RELEASE_IND" }, { do: "disconnect" }),
  "L-H": answerStart as Transition,
  "L-I": receiveData as Transition,
  "L-J": (machine, event: EventOf<"EFID">) => go(machine, "CLIP", { do: "F_CLOSE_FILE_IND", efid: event }),
  "L-K": (machine, event: EventOf<"F_CLOSE_FILE_RS">) => {
    const { answer } = event;
    if ("reason" in answer) {
      const efna: Command = { type: "EFNA", reas: answer.reason, reast: answer.text };
      return go(machine, "IDLELI", machine.send(efna));
    }
    return go(
      machine,
      answer.speaker ? "WF_CD" : "IDLELI",
      machine.send({ type: "EFPA", cd: answer.speaker }),
    );
  },
  "L-L": (machine, event: EventOf<"NERP">) => go(machine, "RTRP", { do: "F_NERP_IND", nerp: event }),
  "L-M": (machine) => go(machine, "IDLELI", machine.send({ type: "RTR" })),
};

function lost(machine: SessionMachine, disconnect: boolean): readonly SessionAction[] {
  machine.state = "IDLE";
  const ind: SessionAction = {
    do: "F_ABORT_IND",
    reason: 99,
    text: "the connection was lost",
    origin: "distant",
  };
  return disconnect ? [{ do: "disconnect" }, ind] : [ind];
}
