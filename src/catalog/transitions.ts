/**
 * What an operator's command makes of a transfer: Transfer CFT's table, as data. Pure.
 *
 * A state is written as phase and step: "TD" is phase T, step D. What the gateway itself does to a record while it
 * works (claims, answers, responses) is not here: it holds a claim then, and a command waits for it or cuts it.
 */
import type { Changes, Transfer } from "./catalog.ts";

export type Action = "halt" | "keep" | "start" | "resume" | "submit" | "delete";

export const ACTIONS: readonly Action[] = ["halt", "keep", "start", "resume", "submit", "delete"];

export type Direct = Transfer["direct"];

export interface Transition {
  action: Action;
  /** Undefined = both directions. */
  direct?: Direct;
  /** States in which the command may be given. */
  from: readonly string[];
  /** State that follows; "" = none, the record goes. */
  to: string;
  /** State that follows where the phase has a script. */
  script?: string;
  /** The transfer or the script that runs in this state has to be stopped first. */
  cut?: boolean;
}

/** The first row that fits is the one. */
export const TRANSITIONS: readonly Transition[] = [
  { action: "halt", from: ["AD", "AK"], to: "AH" },
  { action: "halt", from: ["AC"], to: "AH", cut: true },
  { action: "halt", from: ["TD", "TK"], to: "TH" },
  { action: "halt", from: ["TC"], to: "TH", cut: true },
  { action: "halt", from: ["YD", "YK"], to: "YH" },
  { action: "halt", from: ["YC"], to: "YH", cut: true },

  { action: "keep", from: ["AD", "AH"], to: "AK" },
  { action: "keep", from: ["AC"], to: "AK", cut: true },
  { action: "keep", from: ["TD", "TH"], to: "TK" },
  { action: "keep", from: ["TC"], to: "TK", cut: true },
  { action: "keep", from: ["YD", "YH"], to: "YK" },
  { action: "keep", from: ["YC"], to: "YK", cut: true },
  { action: "keep", from: ["ZD", "ZH"], to: "ZK" },
  { action: "keep", from: ["ZC"], to: "ZK", cut: true },

  { action: "start", direct: "send", from: ["AH", "AK"], to: "AD" },
  { action: "start", direct: "send", from: ["TH", "TK", "TD"], to: "TD" },
  // a partner's file goes on when the partner offers it again: all that is to be done is to let it
  { action: "start", direct: "recv", from: ["TK"], to: "TH" },
  { action: "start", from: ["YH", "YK"], to: "YD" },
  { action: "start", from: ["ZK"], to: "ZH", script: "ZD" },

  { action: "resume", direct: "send", from: ["TH"], to: "TH" },

  { action: "submit", from: ["AK", "AH"], to: "AD" },
  { action: "submit", from: ["YH", "YK", "YD"], to: "YD" },
  { action: "submit", from: ["ZK", "ZD"], to: "ZD" },
  // beside the record, which has ended
  { action: "submit", from: ["XX"], to: "XX" },

  { action: "delete", from: ["TC", "AC", "YC", "ZC"], to: "", cut: true },
  {
    action: "delete",
    from: ["AD", "AH", "AK", "TD", "TH", "TK", "YD", "YH", "YK", "ZH", "ZK", "ZD", "XX"],
    to: "",
  },
];

/** Every state that a record can have. */
export const STATES: readonly string[] = [
  ...["A", "T", "Y", "Z"].flatMap((phase) => ["D", "H", "C", "K"].map((step) => phase + step)),
  "XX",
];

/** The row for a command in a state; undefined = it may not be given. */
export function transitionOf(action: Action, direct: Direct, state: string): Transition | undefined {
  return TRANSITIONS.find(
    (row) =>
      row.action === action &&
      (row.direct === undefined || row.direct === direct) &&
      row.from.includes(state),
  );
}

/** States in which a command may be given to a direction, for messages. */
export function statesFor(action: Action, direct: Direct): string[] {
  return STATES.filter((state) => transitionOf(action, direct, state) !== undefined);
}

/** Phase and step of a state, for the record. */
export function stepsOf(state: string): Required<Pick<Changes, "phase" | "phasestep">> {
  return { phase: state.charAt(0), phasestep: state.charAt(1) } as Required<
    Pick<Changes, "phase" | "phasestep">
  >;
}

/** The state of a record as the table writes it. */
export function writtenState({ phase, phasestep }: Pick<Transfer, "phase" | "phasestep">): string {
  return phase + phasestep;
}
