/**
 * The five state tables of RFC 5024 section 9 as data, cell by cell. A letter names a transition of the table
 * (see `machine.ts`); X = impossible, U and W = error of the local user; the session stays as it is.
 * Columns are states; "Other" stands for every state that the table does not list.
 */

export type State =
  | "IDLE"
  | "I_WF_NC"
  | "I_WF_RM"
  | "I_WF_SSID"
  | "A_NC_ONLY"
  | "A_WF_CONRS"
  | "WF_SECD"
  | "WF_AUCH"
  | "WF_AURP"
  | "IDLESP"
  | "IDLESPCD"
  | "WF_RTR"
  | "OPOP"
  | "OPO"
  | "OPOWFC"
  | "CLOP"
  | "IDLELI"
  | "IDLELICD"
  | "OPIP"
  | "OPI"
  | "CLIP"
  | "RTRP"
  | "WF_CD"
  | "ERSTWFCD"
  | "NRSTWFCD"
  | "SFSTWFCD"
  | "CDSTWFCD"
  | "WF_NDISC";

export interface StateTable {
  states: readonly (State | "Other")[];
  events: Record<string, string>;
}

/** Session connection (RFC 5024 section 9.6). */
export const S: StateTable = {
  states: [
    "IDLE",
    "I_WF_NC",
    "I_WF_RM",
    "I_WF_SSID",
    "A_NC_ONLY",
    "A_WF_CONRS",
    "WF_AUCH",
    "WF_AURP",
    "WF_SECD",
    "Other",
  ],
  events: {
    F_CONNECT_RQ: "A X X X X X X X X X",
    N_CON_CF: "X C X X X X X X X X",
    SSRM: "X X H X X X L L L X",
    SSID: "X X X D E F L L L F",
    N_CON_IND: "B X X X X X X X X X",
    F_CONNECT_RS: "X U U U U G X X X U",
    ESID: "X X X F X X F F F X",
    AUCH: "X X U U X X I L L U",
    AURP: "X X U U X X L K L U",
    SECD: "X X U U X X L L J U",
  },
};

/** Errors and aborts (section 9.7). */
export const E: StateTable = {
  states: ["IDLE", "I_WF_NC", "WF_NDISC", "Other"],
  events: {
    "TIME-OUT": "X X A B",
    F_ABORT_RQ: "X A X C",
    N_RST_IND: "X X A D",
    N_DISC_IND: "X E F G",
    INVALID: "X X H I",
  },
};

/** Speaker, but for the end of a file (section 9.8). */
export const P: StateTable = {
  states: [
    "IDLESP",
    "IDLESPCD",
    "WF_RTR",
    "WF_CD",
    "ERSTWFCD",
    "NRSTWFCD",
    "SFSTWFCD",
    "CDSTWFCD",
    "OPOP",
    "OPO",
    "OPOWFC",
    "WF_NDISC",
    "Other",
  ],
  events: {
    F_EERP_RQ: "A A W F W W U U U U U U U",
    F_NERP_RQ: "Y Y W Z W W U U U U U U U",
    F_START_FILE_RQ: "B B W G W W U U U U U X U",
    SFPA: "C C C C C C C C K C C S C",
    SFNA: "C C C C C C C C L C C S C",
    CD: "C C C H R Z1 I J C C C S C",
    F_DATA_RQ: "U U U U U U U U U M U S U",
    CDT: "C C C C C C C C C P O S C",
    F_CD_RQ: "D U W T W W U U U U U X U",
    F_RELEASE_RQ_OK: "U E U U U U U U U U U X U",
    F_RELEASE_RQ_ERR: "Q Q Q Q Q Q Q Q Q Q Q S Q",
    RTR: "C C N C C C C C C C C S C",
  },
};

/** Speaker at the end of a file (section 9.9). */
export const Q: StateTable = {
  states: ["OPO", "OPOWFC", "CLOP"],
  events: {
    F_CLOSE_FILE_RQ: "A E U",
    EFPA: "B B C",
    EFNA: "B B D",
  },
};

/** Listener (section 9.10). */
export const L: StateTable = {
  states: ["IDLELI", "IDLELICD", "OPIP", "OPI", "CLIP", "RTRP"],
  events: {
    SFID: "A A B B B B",
    DATA: "B B B I B B",
    EFID: "B B B J B B",
    F_START_FILE_RS: "U U H U U U",
    F_CLOSE_FILE_RS: "U U U U K U",
    CD: "C B B B B B",
    ESID_NORMAL: "D F D D D D",
    ESID_ERROR: "D D D D D D",
    EERP: "E E B B B B",
    NERP: "L L B B B B",
    F_RTR_RS: "U U U U U M",
  },
};

const TABLES: Record<string, StateTable> = { L, Q, P, S, E };

/**
 * What the tables leave open, closed the same way for both roles: a command in a state where no table has a
 * transition for it is a protocol violation ("v"), an ESID there ends the session ("d").
 */
const COMMANDS = new Set(
  "SSRM SSID SECD AUCH AURP SFID SFPA SFNA DATA CDT EFID EFPA EFNA CD EERP NERP RTR".split(" "),
);

/**
 * The cell for an event in a state: `<table>-<letter>`, "v" (protocol violation), "d" (ended by the partner),
 * "ignore", "user" (error of the local user) or "impossible".
 */
export function cell(state: State, event: string): string {
  const command = COMMANDS.has(event);
  const esid = event === "ESID_NORMAL" || event === "ESID_ERROR";
  // both have said the last word at the same time: each would wait for the other, as if for a partner's close
  if (state === "WF_NDISC" && esid) return "E-A";
  // without a connection nothing can arrive or be sent: leftovers of the one that ended mean nothing
  if ((state === "IDLE" || state === "I_WF_NC" || state === "WF_NDISC") && (command || esid)) return "ignore";
  if (state === "IDLE" && event === "F_RELEASE_RQ_ERR") return "ignore";
  const found = esid
    ? (letter("L", state, event) ?? letter("S", state, "ESID"))
    : (letter("L", state, event) ?? letter("Q", state, event) ?? other(state, event));
  if (found === undefined || /-[XUW]$/.test(found)) {
    if (esid) return "d";
    if (command) return "v";
    return found?.endsWith("X") === false || found === undefined ? "user" : "impossible";
  }
  return found;
}

/** The cell of one table when it lists the state itself. */
function letter(table: string, state: State, event: string): string | undefined {
  const { states, events } = TABLES[table] as StateTable;
  const column = states.indexOf(state);
  const row = events[event];
  return row === undefined || column < 0 ? undefined : `${table}-${row.split(" ")[column]}`;
}

/** Tables S, P and E, where the column "Other" counts as well. */
function other(state: State, event: string): string | undefined {
  for (const table of ["P", "S", "E"]) {
    const { states, events } = TABLES[table] as StateTable;
    const row = events[event];
    if (row === undefined) continue;
    const column = states.includes(state) ? states.indexOf(state) : states.indexOf("Other");
    return `${table}-${row.split(" ")[column]}`;
  }
  return undefined;
}
