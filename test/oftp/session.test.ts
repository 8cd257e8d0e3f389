/** The session machine held against the tables of RFC 5024 section 9, state by state and event by event. */
import fc from "fast-check";
import { test } from "tap";
import type { SessionEvent } from "../../src/oftp/session/events.ts";
import type { SessionMachine } from "../../src/oftp/session/machine.ts";
import {
  accept,
  type Capabilities,
  type Negotiated,
  offer,
  respond,
} from "../../src/oftp/session/negotiate.ts";
import { cell, E, L, P, Q, S, type State, type StateTable } from "../../src/oftp/session/tables.ts";
import { timerOf } from "../../src/oftp/session/timers.ts";
import type { Ssid } from "../../src/oftp/wire/commands.ts";
import { LEVELS, type Level } from "../../src/oftp/wire/level.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import {
  AUTHENTICATING,
  at,
  authenticated,
  CAPABILITIES,
  EVENTS,
  type EventName,
  event,
  machineIn,
  memory,
  NERP,
  ROLES,
  type Role,
  type Setting,
  SFID,
  STATES,
  ssid,
  told,
} from "./machines.ts";
import { MATRIX, STATE_FACTS } from "./rfc-tables.ts";

/** Names of the documents for what the code calls otherwise. */
const RENAMED: Record<string, string> = {
  "Invalid Buffer": "INVALID",
  "F_REL_RQ(Ok)": "F_RELEASE_RQ_OK",
  "F_REL_RQ(Err)": "F_RELEASE_RQ_ERR",
  "ESID R=Normal": "ESID_NORMAL",
  "ESID R=Error": "ESID_ERROR",
};

/** What an event comes to: the actions, comma-separated, and the next state; or "user error" in the same state. */
function step(machine: SessionMachine, input: SessionEvent): string {
  const before = memory(machine);
  try {
    const actions = machine.input(input).map(told);
    return [...actions, `-> ${machine.state}`].join(", ");
  } catch (error) {
    if (!(error instanceof CygnetError && error.code === "CYG_OFTP_USER")) throw error;
    const after = memory(machine);
    const same = Object.entries(before).every(([name, value]) => after[name as keyof typeof after] === value);
    return same ? "user error" : "user error that changed the machine";
  }
}

test("RFC 5024 9.6 to 9.10: the five tables, cell by cell", (t) => {
  const tables: Record<string, StateTable> = { S, E, P, Q, L };
  t.strictSame(Object.keys(tables).sort(), Object.keys(STATE_FACTS).sort());
  for (const [name, facts] of Object.entries(STATE_FACTS)) {
    const table = tables[name] as StateTable;
    t.equal(table.states.join(" "), facts.states, `states of ${name}`);
    t.equal(Object.keys(table.events).length, Object.keys(facts.events).length, `events of ${name}`);
    for (const [row, cells] of Object.entries(facts.events)) {
      t.equal(table.events[RENAMED[row] ?? row], cells, `${name} ${row}`);
    }
  }
  t.end();
});

const VIOLATION = "ESID 02, F_ABORT_IND local 02, -> WF_NDISC";

/** What each transition on a command comes to for the events of `EVENTS`. */
const TRANSITIONS: Record<string, string> = {
  v: VIOLATION,
  "E-A": "disconnect, -> IDLE",
  "S-D": "F_CONNECT_CF, -> IDLESP",
  "S-E": "F_CONNECT_IND, -> A_WF_CONRS",
  "S-F": "F_ABORT_IND local 02, disconnect, -> IDLE",
  "S-H": "SSID, -> I_WF_SSID",
  "S-I": "RESPOND, -> WF_AUCH",
  "S-J": "CHALLENGE, -> WF_SECD",
  "S-K I": "F_CONNECT_CF, -> IDLESP",
  "S-K R": "SECD, -> WF_AUCH",
  "S-L": VIOLATION,
  "P-C": VIOLATION,
  "P-H": "F_CD_IND, -> IDLESP",
  "P-I": "SFID, -> OPOP",
  "P-J": "CD, -> IDLELICD",
  "P-K": "F_START_FILE_CF +, -> OPO",
  "P-L": "F_START_FILE_CF -, -> IDLESP",
  "P-N": "F_RTR_CF, -> IDLESP",
  "P-O": "F_DATA_CF, -> OPO",
  "P-P": VIOLATION,
  "P-R": "EERP, -> WF_RTR",
  "P-Z1": "NERP, -> WF_RTR",
  "Q-B": VIOLATION,
  "Q-C": "F_CLOSE_FILE_CF +, -> IDLESP",
  "Q-D": "F_CLOSE_FILE_CF -, -> IDLESP",
  "L-A": "F_START_FILE_IND, -> OPIP",
  "L-B": VIOLATION,
  "L-C": "F_CD_IND, -> IDLESPCD",
  "L-E": "F_EERP_IND, -> RTRP",
  "L-F": "F_RELEASE_IND, disconnect, -> IDLE",
  "L-I": "F_DATA_IND, -> OPI",
  "L-J": "F_CLOSE_FILE_IND, -> CLIP",
  "L-L": "F_NERP_IND, -> RTRP",
};

/** What differs unless the machine is strict. */
const TOLERATED: Record<string, string> = {
  "OPO CDT": "tolerated cdt-early, -> OPO",
  "CLOP CDT": "tolerated cdt-late, -> CLOP",
  "IDLESP CDT": "tolerated cdt-late, -> IDLESP",
  "OPOP CDT": "tolerated cdt-late, -> OPOP",
  "IDLELICD CD": "tolerated cd-answered-by-cd, F_CD_IND, -> IDLESPCD",
  "IDLELI ESID0": "tolerated esid-without-cd, F_RELEASE_IND, disconnect, -> IDLE",
};

test("RFC 5024 9: every state and every command received, strict and tolerant", (t) => {
  const [head, ...rows] = MATRIX.trim()
    .split("\n")
    .map((row) => row.trim().split(/ +/)) as [string[], ...string[][]];
  const listed = rows.map(([state]) => state as State);
  t.strictSame([...listed, "IDLE", "I_WF_NC"].sort(), [...STATES].sort(), "every state has a row");
  const used = new Set<string>();
  for (const [state, ...cells] of rows as [State, ...string[]][]) {
    // the states of secure authentication are the same for both roles, but for the end of S-K
    for (const role of AUTHENTICATING.includes(state) ? ROLES : (["I"] as const)) {
      for (const [column, code] of cells.entries()) {
        const command = head[column + 1] as EventName;
        const row = command.replace("ESID0", "ESID_NORMAL").replace("ESIDx", "ESID_ERROR");
        t.equal(cell(state, row), code === "." ? "ignore" : code, `${state} ${command}`);
        const reason = command === "ESID0" ? "00" : "08";
        const ended = command.startsWith("ESID") && ["d", "L-D", "S-F"].includes(code);
        const outcome = ended ? "d" : code === "S-K" ? `S-K ${role}` : code;
        const expected = ended
          ? `F_ABORT_IND distant ${reason}, disconnect, -> IDLE`
          : code === "."
            ? `-> ${state}`
            : TRANSITIONS[outcome];
        used.add(outcome);
        const key = `${state} ${command}`;
        const strict = machineIn(state, { strict: true, role });
        t.equal(step(strict, EVENTS[command]), expected, `${key} ${code} ${role}`);
        const tolerant = machineIn(state, { role });
        t.equal(step(tolerant, EVENTS[command]), TOLERATED[key] ?? expected, `${key} ${role}, tolerant`);
      }
    }
  }
  t.strictSame([...used].sort(), [...Object.keys(TRANSITIONS), "d", "."].sort(), "every transition was met");
  // nothing can arrive where there is no connection
  for (const state of ["IDLE", "I_WF_NC"] as const) {
    for (const command of head.slice(1)) t.equal(step(machineIn(state), event(command)), `-> ${state}`);
  }
  t.end();
});

/** Legal transitions one by one: [row, states, event, outcome, setting]. "= state" stands for the same state. */
const SENDING: SessionEvent = { type: "F_START_FILE_RQ", sfid: { ...SFID, rest: 9n } };
const BOTH_WANT: SessionEvent = {
  ...EVENTS.F_CONNECT_RS,
  capabilities: { ...CAPABILITIES, authentication: true },
};
const WRONG = "ESID 11, F_ABORT_IND local 11, -> WF_NDISC";
type Row = [number, string, SessionEvent, string, Setting?];
const ROWS: Row[] = [
  [1, "IDLE", EVENTS.F_CONNECT_RQ, "-> I_WF_NC"],
  [2, "I_WF_NC", EVENTS.N_CON_CF, "-> I_WF_RM"],
  [3, "I_WF_RM", EVENTS.SSRM, "SSID, -> I_WF_SSID"],
  [4, "I_WF_SSID", EVENTS.SSID, "F_CONNECT_CF, -> IDLESP"],
  [5, "I_WF_SSID", ssid({ auth: true }), "SECD, -> WF_AUCH", authenticated()],
  [6, "I_WF_SSID", ssid({ auth: true }), "ESID 12, F_ABORT_IND local 12, -> WF_NDISC"],
  [7, "I_WF_SSID", ssid({ cred: 3 }), "ESID 10, F_ABORT_IND local 10, -> WF_NDISC"],
  [8, "IDLE", EVENTS.N_CON_IND, "SSRM, -> A_NC_ONLY"],
  [9, "A_NC_ONLY", EVENTS.SSID, "F_CONNECT_IND, -> A_WF_CONRS"],
  [10, "A_WF_CONRS", EVENTS.F_CONNECT_RS, "SSID, OPEN, -> IDLELI"],
  [11, "A_WF_CONRS", BOTH_WANT, "SSID, -> WF_SECD", authenticated()],
  [12, "A_WF_CONRS", BOTH_WANT, "ESID 12, F_ABORT_IND local 12, -> WF_NDISC"],
  ...ROLES.flatMap((role): Row[] => [
    [13, "WF_SECD", EVENTS.SECD, "CHALLENGE, -> WF_SECD", { role }],
    [13, "WF_SECD", EVENTS.F_CHALLENGE_RS, "AUCH, -> WF_AURP", { role, asked: true }],
    [18, "WF_AURP", { type: "AURP", rsp: Buffer.alloc(20, 1) }, WRONG, { role }],
    [18, "WF_AURP", { type: "AURP", rsp: Buffer.alloc(19) }, WRONG, { role }],
    [18, "WF_AURP", { type: "AURP", rsp: Buffer.alloc(21) }, WRONG, { role }],
  ]),
  [14, "WF_AUCH", EVENTS.AUCH, "RESPOND, -> WF_AUCH", { role: "I" }],
  [14, "WF_AUCH", EVENTS.F_RESPOND_RS, "AURP, -> WF_SECD", { role: "I", asked: true }],
  [15, "WF_AUCH", EVENTS.AUCH, "RESPOND, -> WF_AUCH", { role: "R" }],
  [15, "WF_AUCH", EVENTS.F_RESPOND_RS, "AURP, OPEN, -> IDLELI", { role: "R", asked: true }],
  [16, "WF_AURP", EVENTS.AURP, "F_CONNECT_CF, -> IDLESP", { role: "I" }],
  [17, "WF_AURP", EVENTS.AURP, "SECD, -> WF_AUCH", { role: "R" }],
  [19, "IDLESP IDLESPCD", EVENTS.F_START_FILE_RQ, "SFID, -> OPOP"],
  [20, "IDLESP IDLESPCD", EVENTS.F_EERP_RQ, "EERP, -> WF_RTR"],
  [20, "IDLESP IDLESPCD", EVENTS.F_NERP_RQ, "NERP, -> WF_RTR"],
  [21, "WF_RTR", EVENTS.RTR, "F_RTR_CF, -> IDLESP"],
  [22, "IDLESP", EVENTS.F_CD_RQ, "CD, -> IDLELICD"],
  [23, "IDLESPCD", EVENTS.F_CD_RQ, "user error"],
  [24, "IDLESPCD", EVENTS.F_RELEASE_RQ_OK, "ESID 00, -> WF_NDISC"],
  [25, "IDLESP", EVENTS.F_RELEASE_RQ_OK, "user error"],
  [26, "OPOP", EVENTS.SFPA, "F_START_FILE_CF +, -> OPO"],
  [27, "OPOP", { type: "SFPA", acnt: 1n }, VIOLATION],
  [28, "OPOP", EVENTS.SFNA, "F_START_FILE_CF -, -> IDLESP"],
  [29, "OPO", EVENTS.F_DATA_RQ, "F_DATA_CF, -> OPO"],
  [30, "OPO", EVENTS.F_DATA_RQ, "-> OPOWFC", { partner: { cred: 1 } }],
  [31, "OPOWFC", EVENTS.CDT, "F_DATA_CF, -> OPO"],
  [32, "OPO", EVENTS.F_CLOSE_FILE_RQ, "EFID, -> CLOP"],
  [33, "OPOWFC", EVENTS.F_CLOSE_FILE_RQ, "user error"],
  [34, "CLOP", EVENTS.EFPA, "F_CLOSE_FILE_CF +, -> IDLESP"],
  [35, "CLOP", { type: "EFPA", cd: true }, "F_CLOSE_FILE_CF + turn lost, CD, -> IDLELI"],
  [36, "CLOP", EVENTS.EFNA, "F_CLOSE_FILE_CF -, -> IDLESP"],
  [37, "IDLELI IDLELICD", { ...SFID, rest: 3n }, "F_START_FILE_IND, -> OPIP"],
  [37, "IDLELI IDLELICD", { ...SFID, rest: 3n }, VIOLATION, { partner: { rest: false } }],
  [37, "IDLELI", SFID, VIOLATION, { partner: { sr: "R" } }],
  [37, "IDLELICD", SFID, VIOLATION, { partner: { sr: "R" } }],
  [38, "OPIP", EVENTS.F_START_FILE_RS, "SFPA 0, -> OPI"],
  [
    39,
    "OPIP",
    { type: "F_START_FILE_RS", answer: { reason: 13, retry: false, text: "" } },
    "SFNA 13 N, -> IDLELI",
  ],
  [40, "OPI", EVENTS.DATA, "F_DATA_IND, -> OPI"],
  [41, "OPI", EVENTS.DATA, "F_DATA_IND last, -> OPI", { partner: { cred: 1 } }],
  [43, "OPI", EVENTS.EFID, "F_CLOSE_FILE_IND, -> CLIP"],
  [44, "CLIP", { type: "F_CLOSE_FILE_RS", answer: { speaker: true } }, "EFPA Y, -> WF_CD"],
  [45, "CLIP", EVENTS.F_CLOSE_FILE_RS, "EFPA N, -> IDLELI"],
  [46, "CLIP", { type: "F_CLOSE_FILE_RS", answer: { reason: 11, text: "" } }, "EFNA 11, -> IDLELI"],
  [47, "WF_CD", EVENTS.CD, "F_CD_IND, -> IDLESP"],
  [48, "ERSTWFCD", EVENTS.CD, "EERP, -> WF_RTR"],
  [48, "NRSTWFCD", EVENTS.CD, "NERP, -> WF_RTR"],
  [48, "SFSTWFCD", EVENTS.CD, "SFID, -> OPOP"],
  [48, "CDSTWFCD", EVENTS.CD, "CD, -> IDLELICD"],
  [49, "IDLELI IDLELICD", EVENTS.EERP, "F_EERP_IND, -> RTRP"],
  [49, "IDLELI IDLELICD", EVENTS.NERP, "F_NERP_IND, -> RTRP"],
  [50, "RTRP", EVENTS.F_RTR_RS, "RTR, -> IDLELI"],
  [51, "IDLELI", EVENTS.CD, "F_CD_IND, -> IDLESPCD"],
  [52, "IDLELICD", EVENTS.CD, VIOLATION, { strict: true }],
  [53, "IDLELICD", EVENTS.ESID0, "F_RELEASE_IND, disconnect, -> IDLE"],
  [54, "WF_NDISC", EVENTS.N_DISC_IND, "-> IDLE"],
  [55, "WF_NDISC", EVENTS["TIME-OUT"], "disconnect, -> IDLE"],
];

test("RFC 5024 9: the legal transitions one by one", (t) => {
  for (const [row, states, input, expected, setting] of ROWS) {
    for (const state of states.split(" ") as State[]) {
      t.equal(step(machineIn(state, setting), input), expected, `row ${row}: ${state} ${input.type}`);
    }
  }
  const covered = new Set([...ROWS.map(([row]) => row), 42]);
  t.strictSame(
    [...Array(55).keys()].map((n) => n + 1).filter((row) => !covered.has(row)),
    [],
    "none is missing",
  );
  t.end();
});

/** Answers to CHALLENGE and RESPOND that end the session, and those that nobody asked for: [state, event, outcome]. */
const CANNOT: [State, SessionEvent, string, Setting][] = [
  ["WF_SECD", { type: "F_CHALLENGE_RS", answer: { text: "no certificate" } }, WRONG, { asked: true }],
  ["WF_AUCH", { type: "F_RESPOND_RS", answer: { text: "no key" } }, WRONG, { asked: true }],
  ["WF_SECD", EVENTS.F_CHALLENGE_RS, "user error", {}],
  ["WF_SECD", EVENTS.F_RESPOND_RS, "user error", { asked: true }],
  ["WF_AUCH", EVENTS.F_RESPOND_RS, "user error", {}],
  ["WF_AUCH", EVENTS.F_CHALLENGE_RS, "user error", { asked: true }],
  ["WF_AURP", EVENTS.F_CHALLENGE_RS, "user error", {}],
  // twenty octets
  ["WF_SECD", challenge(19), "user error", { asked: true }],
  ["WF_AUCH", { type: "F_RESPOND_RS", answer: { rsp: Buffer.alloc(21) } }, "user error", { asked: true }],
];

function challenge(octets: number): SessionEvent {
  return { type: "F_CHALLENGE_RS", answer: { chal: Buffer.alloc(459), expected: Buffer.alloc(octets) } };
}

test("RFC 5024 4.2.4, 9.6: while the user thinks, the partner waits", (t) => {
  const commands = (Object.keys(EVENTS) as EventName[]).filter((name) => !/^(F_|N_|TIME|INVALID)/.test(name));
  for (const role of ROLES) {
    for (const [state, input, expected, setting] of CANNOT) {
      const found = step(machineIn(state, { ...setting, role }), input);
      t.equal(found, expected, `${role} ${state} ${input.type}`);
    }
    for (const state of ["WF_SECD", "WF_AUCH"] as const) {
      for (const name of commands) {
        const reason = name === "ESID0" ? "00" : "08";
        const ended = `F_ABORT_IND distant ${reason}, disconnect, -> IDLE`;
        const expected = name.startsWith("ESID") ? ended : VIOLATION;
        t.equal(
          step(machineIn(state, { role, asked: true }), EVENTS[name]),
          expected,
          `${role} ${state} ${name}`,
        );
      }
      const late = step(machineIn(state, { role, asked: true }), EVENTS["TIME-OUT"]);
      t.equal(late, "ESID 09, F_ABORT_IND local 09, disconnect, -> IDLE", `${role} ${state} TIME-OUT`);
    }
  }
  t.end();
});

test("RFC 5024 4.2.4, 9.6 K: every octet of an answer counts, and a challenge serves once", (t) => {
  const expected = Buffer.from([...Array(20).keys()]);
  const challenged = (role: Role): SessionMachine => {
    const machine = machineIn("WF_SECD", { role, asked: true });
    const [sent] = machine.input({ type: "F_CHALLENGE_RS", answer: { chal: Buffer.from("CMS"), expected } });
    t.match(sent, { do: "send", command: { type: "AUCH", chal: Buffer.from("CMS") }, level: 5 });
    return machine;
  };
  for (const role of ROLES) {
    for (let octet = 0; octet < 20; octet++) {
      const rsp = Buffer.from(expected);
      rsp.writeUInt8((rsp[octet] as number) ^ 1, octet);
      const machine = challenged(role);
      t.equal(step(machine, { type: "AURP", rsp }), WRONG, `${role}, octet ${octet}`);
      t.equal(machine.challenge, null);
    }
    const machine = challenged(role);
    const right = step(machine, { type: "AURP", rsp: Buffer.from(expected) });
    t.equal(right, TRANSITIONS[`S-K ${role}`], role);
    t.equal(machine.challenge, null);
  }
  // what the user hears at the end is what was agreed on at the beginning
  const [confirmed] = machineIn("WF_AURP", { role: "I" }).input(EVENTS.AURP);
  t.match(confirmed, { do: "F_CONNECT_CF", ssid: ssid({ auth: true }), agreement: { authentication: true } });
  const [answer, open] = machineIn("WF_AUCH", { role: "R", asked: true }).input(EVENTS.F_RESPOND_RS);
  t.match(answer, { do: "send", command: { type: "AURP", rsp: Buffer.alloc(20) }, level: 5 });
  t.match(open, { do: "OPEN", agreement: { authentication: true, level: 5 } });
  const [, plain] = machineIn("A_WF_CONRS").input(EVENTS.F_CONNECT_RS);
  t.match(plain, { do: "OPEN", agreement: { authentication: false, level: 5 } });
  t.end();
});

test("RFC 5024 5.3.9, 9.10: credit is counted on both sides", (t) => {
  const listener = machineIn("OPI", { strict: true });
  t.equal(step(listener, EVENTS.F_DATA_RS), "-> OPI", "nothing to renew yet");
  t.equal(step(listener, EVENTS.DATA), "F_DATA_IND, -> OPI");
  t.equal(step(listener, EVENTS.F_DATA_RS), "-> OPI", "still one left");
  t.equal(step(listener, EVENTS.DATA), "F_DATA_IND last, -> OPI");
  t.equal(step(listener, EVENTS.F_DATA_RS), "CDT, -> OPI");
  t.equal(step(listener, EVENTS.F_DATA_RS), "-> OPI", "once for each window");
  t.equal(step(listener, EVENTS.DATA), "F_DATA_IND, -> OPI");
  t.equal(step(listener, EVENTS.DATA), "F_DATA_IND last, -> OPI");
  t.equal(step(listener, EVENTS.DATA), VIOLATION, "row 42: data without credit");

  // an end of file that did not wait for the credit owed
  const hasty = machineIn("OPI", { partner: { cred: 1 } });
  hasty.input(EVENTS.DATA);
  t.equal(step(hasty, EVENTS.EFID), "F_CLOSE_FILE_IND, -> CLIP");
  t.equal(step(hasty, EVENTS.F_DATA_RS), "-> CLIP", "the credit is no longer owed");

  // credit that came early counts when the window is used up, and only once
  const speaker = machineIn("OPO");
  t.equal(step(speaker, EVENTS.CDT), "tolerated cdt-early, -> OPO");
  t.equal(step(speaker, EVENTS.CDT), "tolerated cdt-early, -> OPO");
  const sent = [1, 2, 3, 4].map(() => step(speaker, EVENTS.F_DATA_RQ));
  t.strictSame(sent, ["F_DATA_CF, -> OPO", "F_DATA_CF, -> OPO", "F_DATA_CF, -> OPO", "-> OPOWFC"]);
  t.equal(step(speaker, EVENTS.F_DATA_RQ), "user error");

  // a window never passes from one file to the next
  t.equal(machineIn("CLOP").creditS, 0);
  const next = machineIn("OPO");
  for (const each of [EVENTS.CDT, EVENTS.F_CLOSE_FILE_RQ, EVENTS.EFPA, EVENTS.F_START_FILE_RQ, EVENTS.SFPA]) {
    next.input(each);
  }
  t.strictSame([1, 2].map(() => step(next, EVENTS.F_DATA_RQ)).at(-1), "-> OPOWFC");
  t.end();
});

test("RFC 5024 5.3.3, 5.3.4: restart positions are never beyond the one offered", (t) => {
  const speaker = () => {
    const machine = machineIn("IDLESP");
    machine.input(SENDING);
    return machine;
  };
  t.equal(step(speaker(), { type: "SFPA", acnt: 9n }), "F_START_FILE_CF +, -> OPO");
  t.equal(step(speaker(), { type: "SFPA", acnt: 5n }), "F_START_FILE_CF +, -> OPO");
  t.equal(step(speaker(), { type: "SFPA", acnt: 10n }), VIOLATION);
  const listener = () => {
    const machine = machineIn("IDLELI");
    machine.input({ ...SFID, rest: 9n });
    return machine;
  };
  const answer = (position: bigint): SessionEvent => ({
    type: "F_START_FILE_RS",
    answer: { accept: position },
  });
  t.equal(step(listener(), answer(9n)), "SFPA 9, -> OPI");
  t.equal(step(listener(), answer(5n)), "SFPA 5, -> OPI");
  t.equal(step(listener(), answer(10n)), "user error");
  t.end();
});

/** Outcome of table E by event and letter; "user error" for X. */
const ERRORS: Record<string, string> = {
  A: "disconnect, -> IDLE",
  B: "ESID 09, F_ABORT_IND local 09, disconnect, -> IDLE",
  C: "disconnect, -> IDLE",
  D: "disconnect, F_ABORT_IND distant 99, -> IDLE",
  E: "F_ABORT_IND distant 99, -> IDLE",
  F: "-> IDLE",
  G: "F_ABORT_IND distant 99, -> IDLE",
  H: "-> WF_NDISC",
  I: "ESID 07, F_ABORT_IND local 07, -> WF_NDISC",
  X: "user error",
};

test("RFC 5024 9.7: every state and every error, lost line and abort", (t) => {
  const facts = STATE_FACTS.E as { states: string; events: Record<string, string> };
  const columns = facts.states.split(" ");
  for (const [row, cells] of Object.entries(facts.events)) {
    for (const state of STATES) {
      const column = columns.includes(state) ? columns.indexOf(state) : columns.indexOf("Other");
      const letter = cells.split(" ")[column] as string;
      t.equal(
        step(machineIn(state), event(RENAMED[row] ?? row)),
        ERRORS[letter],
        `${state} ${row} ${letter}`,
      );
    }
  }
  for (const reason of [1, 6, 7]) {
    t.match(step(machineIn("IDLESP"), { type: "INVALID", reason, text: "" }), `ESID 0${reason}`);
  }
  t.end();
});

test("RFC 5024 9.3, 9.8: a release with a reason is possible wherever there is a line", (t) => {
  for (const state of STATES) {
    const over = state === "IDLE" || state === "WF_NDISC";
    const expected = over ? `-> ${state}` : "ESID 05, F_ABORT_IND local 05, -> WF_NDISC";
    t.equal(step(machineIn(state), EVENTS.F_RELEASE_RQ_ERR), expected, state);
  }
  t.end();
});

/** Requests and network events that a state may not allow. */
const REQUESTS: readonly EventName[] = [
  "F_CONNECT_RQ",
  "N_CON_CF",
  "N_CON_IND",
  "F_CONNECT_RS",
  "F_CHALLENGE_RS",
  "F_RESPOND_RS",
  "F_START_FILE_RQ",
  "F_START_FILE_RS",
  "F_DATA_RQ",
  "F_CLOSE_FILE_RQ",
  "F_CLOSE_FILE_RS",
  "F_EERP_RQ",
  "F_NERP_RQ",
  "F_RTR_RS",
  "F_CD_RQ",
  "F_RELEASE_RQ_OK",
];

/** The letter of the documents' tables for a request; "" where no table has one. */
function letterOf(state: State, request: string): string {
  for (const { states, events } of Object.values(STATE_FACTS)) {
    const row = Object.entries(events).find(([name]) => (RENAMED[name] ?? name) === request)?.[1];
    if (row === undefined) continue;
    const columns = states.split(" ");
    const column = columns.includes(state) ? columns.indexOf(state) : columns.indexOf("Other");
    return row.split(" ")[column] ?? "";
  }
  return "";
}

/** Requests that the agreement of the session forbids: [state, request, setting]. */
const FORBIDDEN: [State, SessionEvent, Setting][] = [
  ["IDLESP", EVENTS.F_START_FILE_RQ, { partner: { sr: "S" } }],
  ["IDLESPCD", EVENTS.F_START_FILE_RQ, { partner: { sr: "S" } }],
  ["WF_CD", EVENTS.F_START_FILE_RQ, { partner: { sr: "S" } }],
  ["IDLESP", SENDING, { partner: { rest: false } }],
  ["WF_CD", SENDING, { partner: { rest: false } }],
  ["IDLESP", EVENTS.F_NERP_RQ, { partner: { lev: 2 } }],
  ["IDLESPCD", EVENTS.F_NERP_RQ, { partner: { lev: 1 } }],
  ["WF_CD", EVENTS.F_NERP_RQ, { partner: { lev: 1 } }],
];

test("RFC 5024 9.3: an error of the local user never changes the machine", (t) => {
  let errors = 0;
  for (const state of STATES) {
    for (const request of REQUESTS) {
      const letter = letterOf(state, request);
      const wrong =
        ["", "X", "U", "W"].includes(letter) || (state === "OPOWFC" && request === "F_CLOSE_FILE_RQ");
      const found = step(machineIn(state), EVENTS[request]);
      if (wrong) errors++;
      const fits = wrong
        ? found === "user error"
        : letter === "S"
          ? found === `-> ${state}`
          : /-> /.test(found);
      t.ok(fits, `${state} ${request} ${letter}: ${found}`);
    }
  }
  t.ok(errors > 300, `${errors} errors tried`);
  for (const [state, request, setting] of FORBIDDEN) {
    t.equal(step(machineIn(state, setting), request), "user error", `${state} ${request.type}`);
  }
  t.end();
});

/** Offer and capability as lev/sdeb/cred/sr/cmpr/rest/auth; answer likewise, or the reason of the ESID. */
const NEGOTIATIONS: [string, string, string | number][] = [
  ["5/65535/99/B/Y/Y/N", "5/32768/64/B/Y/N/N", "5/32768/64/B/Y/N/N"],
  ["5/4096/7/S/N/Y/N", "5/99999/999/B/Y/Y/N", "5/4096/7/R/N/Y/N"],
  ["5/10000/20/B/Y/Y/Y", "5/10000/20/B/Y/Y/N", 12],
  ["5/10000/20/B/Y/Y/N", "5/10000/20/B/Y/Y/Y", 12],
  ["5/10000/20/B/Y/Y/N", "4/10000/20/B/Y/Y/N", "4/10000/20/B/Y/Y/N"],
  ["5/10000/20/B/Y/Y/Y", "4/10000/20/B/Y/Y/N", "4/10000/20/B/Y/Y/N"],
  ["5/10000/20/B/Y/Y/N", "1/10000/20/B/Y/Y/N", "1/10000/20/B/Y/Y/N"],
  ["1/2048/7/B/N/N/N", "5421/4096/20/B/Y/Y/N", "1/2048/7/B/N/N/N"],
  ["5/10000/20/S/Y/Y/N", "5/10000/20/S/Y/Y/N", 10],
  ["5/100/20/B/Y/Y/N", "5/10000/20/B/Y/Y/N", 6],
  // levels
  ["3/10000/20/B/Y/Y/N", "5421/10000/20/B/Y/Y/N", "2/10000/20/B/Y/Y/N"],
  ["6/10000/20/B/Y/Y/N", "5421/10000/20/B/Y/Y/N", "5/10000/20/B/Y/Y/N"],
  ["9/10000/20/B/Y/Y/N", "4/10000/20/B/Y/Y/N", "4/10000/20/B/Y/Y/N"],
  ["0/10000/20/B/Y/Y/N", "5421/10000/20/B/Y/Y/N", 6],
  ["4/10000/20/B/Y/Y/N", "5/10000/20/B/Y/Y/N", 10],
  ["2/10000/20/B/Y/Y/N", "54/10000/20/B/Y/Y/N", 10],
  ["4/10000/20/B/Y/Y/N", "54/10000/20/B/Y/Y/Y", 10],
  // sizes
  ["5/128/1/B/Y/Y/N", "5/99999/999/B/Y/Y/N", "5/128/1/B/Y/Y/N"],
  ["5/127/1/B/Y/Y/N", "5/99999/999/B/Y/Y/N", 6],
  ["5/99999/999/B/Y/Y/N", "5/128/1/B/Y/Y/N", "5/128/1/B/Y/Y/N"],
  ["5/4096/0/B/Y/Y/N", "5/4096/7/B/Y/Y/N", 6],
  // directions
  ["5/4096/7/S/Y/Y/N", "5/4096/7/R/Y/Y/N", "5/4096/7/R/Y/Y/N"],
  ["5/4096/7/R/Y/Y/N", "5/4096/7/B/Y/Y/N", "5/4096/7/S/Y/Y/N"],
  ["5/4096/7/R/Y/Y/N", "5/4096/7/S/Y/Y/N", "5/4096/7/S/Y/Y/N"],
  ["5/4096/7/R/Y/Y/N", "5/4096/7/R/Y/Y/N", 10],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/S/Y/Y/N", "5/4096/7/S/Y/Y/N"],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/R/Y/Y/N", "5/4096/7/R/Y/Y/N"],
  ["5/4096/7/X/Y/Y/N", "5/4096/7/B/Y/Y/N", 6],
  // flags that were not offered are not answered
  ["5/4096/7/B/N/N/N", "5/4096/7/B/Y/Y/N", "5/4096/7/B/N/N/N"],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/B/N/N/N", "5/4096/7/B/N/N/N"],
  // two faults: level before direction, direction before sizes, sizes before authentication
  ["4/100/20/S/Y/Y/N", "5/10000/20/S/Y/Y/N", 10],
  ["5/100/20/S/Y/Y/N", "5/10000/20/S/Y/Y/N", 10],
  ["5/100/20/B/Y/Y/Y", "5/10000/20/B/Y/Y/N", 6],
];

function capabilities(text: string): Capabilities {
  const [levels, sdeb, cred, sr, cmpr, rest, auth] = text.split("/") as string[];
  return {
    levels: [...(levels as string)].map((level) => Number(level) as Level),
    sdeb: Number(sdeb),
    cred: Number(cred),
    sr: sr as "S" | "R" | "B",
    compression: cmpr === "Y",
    restart: rest === "Y",
    authentication: auth === "Y",
  };
}
function proposal(text: string): Ssid {
  const { levels, compression, restart, authentication, ...rest } = capabilities(text);
  const lev = levels[0] as number;
  return ssid({ ...rest, lev, cmpr: compression, rest: restart, auth: authentication });
}
const yn = (flag: boolean): string => (flag ? "Y" : "N");
const spelled = (each: Ssid): string =>
  [each.lev, each.sdeb, each.cred, each.sr, yn(each.cmpr), yn(each.rest), yn(each.auth)].join("/");

test("RFC 5024 4.2.3, 5.3.2: what the Responder answers to an offer", (t) => {
  for (const [offered, own, expected] of NEGOTIATIONS) {
    const result: Negotiated = respond(proposal(offered), capabilities(own), "A", "A");
    if ("refuse" in result) {
      t.equal(result.refuse, expected, `${offered} to ${own}: ${result.text}`);
      continue;
    }
    t.equal(spelled(result.answer), expected, `${offered} to ${own}`);
    t.match(result.answer, { code: "A", pswd: "A", spec: false });
    const { level, sdeb, cred, compression, restart, maySend, mayReceive } = result.agreement;
    const sr = maySend && mayReceive ? "B" : maySend ? "S" : "R";
    const inForce = [level, sdeb, cred, sr, yn(compression), yn(restart), "N"].join("/");
    t.equal(inForce, expected, "the answer is what is in force");
    // both ends agree on it
    const initiator = { ...capabilities(offered), levels: LEVELS };
    if (proposal(offered).auth) continue;
    const accepted = accept(result.answer, initiator);
    t.match("agreement" in accepted && accepted.agreement, {
      level,
      sdeb,
      cred,
      compression,
      restart,
      maySend: mayReceive,
      mayReceive: maySend,
    });
  }
  t.end();
});

/** Own capability, the Responder's answer, what is in force (send, receive as S, R, B) or the reason of the ESID. */
const ANSWERS: [string, string, string | number, Partial<Ssid>?][] = [
  ["5421/4096/7/B/Y/Y/N", "5/4096/7/B/Y/Y/N", "5/4096/7/B/Y/Y/N"],
  ["5421/4096/7/B/Y/Y/N", "2/2048/3/B/N/N/N", "2/2048/3/B/N/N/N"],
  // a larger buffer is not harmful, a larger credit is
  ["5/4096/7/B/Y/Y/N", "5/8192/7/B/Y/Y/N", "5/4096/7/B/Y/Y/N"],
  ["5/4096/7/B/Y/Y/N", "5/4096/9/B/Y/Y/N", 10],
  ["5/4096/7/B/Y/Y/N", "5/100/7/B/Y/Y/N", 6],
  ["5/4096/7/B/Y/Y/N", "5/4096/0/B/Y/Y/N", 6],
  // level raised, not assigned, below the own minimum, no level
  ["4/4096/7/B/Y/Y/N", "5/4096/7/B/Y/Y/N", 10],
  ["5421/4096/7/B/Y/Y/N", "3/4096/7/B/Y/Y/N", 10],
  ["5/4096/7/B/Y/Y/N", "4/4096/7/B/Y/Y/N", 10],
  ["5421/4096/7/B/Y/Y/N", "0/4096/7/B/Y/Y/N", 6],
  // Y to an N counts as N
  ["5/4096/7/B/N/N/N", "5/4096/7/B/Y/Y/N", "5/4096/7/B/N/N/N"],
  // B to S or R is their intersection
  ["5/4096/7/S/Y/Y/N", "5/4096/7/B/Y/Y/N", "5/4096/7/S/Y/Y/N"],
  ["5/4096/7/R/Y/Y/N", "5/4096/7/B/Y/Y/N", "5/4096/7/R/Y/Y/N"],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/S/Y/Y/N", "5/4096/7/R/Y/Y/N"],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/R/Y/Y/N", "5/4096/7/S/Y/Y/N"],
  ["5/4096/7/S/Y/Y/N", "5/4096/7/S/Y/Y/N", 10],
  ["5/4096/7/R/Y/Y/N", "5/4096/7/R/Y/Y/N", 10],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/B/Y/Y/Y", 12],
  ["5/4096/7/B/Y/Y/Y", "5/4096/7/B/Y/Y/N", 12],
  ["54/4096/7/B/Y/Y/Y", "4/4096/7/B/Y/Y/N", 10],
  ["5/4096/7/B/Y/Y/N", "5/4096/7/B/Y/Y/N", 10, { spec: true }],
];

test("RFC 5024 5.3.2: what the Initiator makes of the answer", (t) => {
  for (const [own, answer, expected, changes] of ANSWERS) {
    const result = accept({ ...proposal(answer), ...changes }, capabilities(own));
    if ("refuse" in result) {
      t.equal(result.refuse, expected, `${answer} to ${own}: ${result.text}`);
      continue;
    }
    const { level, sdeb, cred, compression, restart, maySend, mayReceive } = result.agreement;
    const sr = maySend && mayReceive ? "B" : maySend ? "S" : "R";
    const inForce = [level, sdeb, cred, sr, yn(compression), yn(restart), "N"].join("/");
    t.equal(inForce, expected, `${answer} to ${own}`);
  }
  t.equal(spelled(offer(capabilities("1542/4096/7/S/Y/N/N"), "A", "P")), "5/4096/7/S/Y/N/N", "highest level");
  t.match(offer(capabilities("5/4096/7/S/Y/N/N"), "A", "P"), { code: "A", pswd: "P", spec: false });
  t.end();
});

/** Level of the layout that an ESID takes: [what, machine, partner's SSID or none, level]. */
const FORMS: [string, () => SessionMachine, 4 | 5][] = [
  ["Initiator before the SSRM", () => machineIn("I_WF_RM"), 4],
  ["Initiator before the answer", () => machineIn("I_WF_SSID"), 4],
  ["Responder before the SSID", () => machineIn("A_NC_ONLY"), 4],
  ["Responder, offered 2.0", () => machineIn("A_WF_CONRS"), 5],
  ["Responder, offered 1.4", () => machineIn("A_WF_CONRS", { partner: { lev: 4 } }), 4],
  ["Responder that has 1.4 only, offered 2.0", () => machineIn("A_WF_CONRS", { capabilities: at(4) }), 4],
  ["Initiator at 2.0", () => machineIn("IDLESP"), 5],
  ["Responder at 2.0", () => machineIn("IDLELI"), 5],
  ["Initiator at 1.3", () => machineIn("IDLESP", { partner: { lev: 1 } }), 4],
  ["Responder at 1.3", () => machineIn("IDLELI", { partner: { lev: 2 } }), 4],
  ["Responder brought down to 1.4", () => machineIn("IDLELI", { capabilities: at(4) }), 4],
];

test("RFC 5024 5.3.18: the form of an ESID follows the level, and is short before there is one", (t) => {
  for (const [what, make, level] of FORMS) {
    const [sent] = make().input({ type: "INVALID", reason: 7, text: "length" });
    t.match(sent, { do: "send", command: { type: "ESID", reas: 7, reast: "length" }, level }, what);
  }
  // refusals of the negotiation itself
  const initiator = machineIn("I_WF_SSID");
  t.match(initiator.input(ssid({ lev: 4, cred: 9 }))[0], { command: { reas: 10 }, level: 4 });
  const responder = machineIn("A_WF_CONRS");
  const [refused] = responder.input({ ...EVENTS.F_CONNECT_RS, capabilities: { ...CAPABILITIES, sr: "S" } });
  t.match(refused, { do: "send", command: { type: "SSID" } });
  const lower = machineIn("A_WF_CONRS", { capabilities: CAPABILITIES });
  const [low] = lower.input({ ...EVENTS.F_CONNECT_RS, capabilities: { ...at(4), authentication: true } });
  t.match(low, { command: { type: "ESID", reas: 10 }, level: 4 });
  t.end();
});

test("commands go out in the layout of the level agreed on, the SSID in its own", (t) => {
  for (const level of LEVELS) {
    const speaker = machineIn("IDLESP", { partner: { lev: level } });
    t.equal(speaker.level, level);
    t.match(speaker.input(EVENTS.F_START_FILE_RQ), [{ do: "send", command: SFID, level }]);
    const [answer] = machineIn("A_WF_CONRS").input({ ...EVENTS.F_CONNECT_RS, capabilities: at(level) });
    t.match(answer, { do: "send", command: { type: "SSID", lev: level }, level });
    const [opening] = machineIn("I_WF_RM", { capabilities: at(level) }).input(EVENTS.SSRM);
    t.match(opening, { do: "send", command: { type: "SSID", lev: level, code: "A", pswd: "A" }, level });
  }
  t.end();
});

/** Timer of each state, as Initiator and as Responder. */
const TIMERS: Record<State, string> = {
  IDLE: "none none",
  I_WF_NC: "disctc disctc",
  I_WF_RM: "disctc disctc",
  I_WF_SSID: "disctc disctc",
  A_NC_ONLY: "disctc disctc",
  A_WF_CONRS: "disctc disctc",
  WF_SECD: "rto rto",
  WF_AUCH: "rto rto",
  WF_AURP: "rto rto",
  IDLESP: "disctd disctd",
  IDLESPCD: "disctd disctd",
  WF_RTR: "rto rto",
  OPOP: "rto rto",
  OPO: "rto rto",
  OPOWFC: "rto rto",
  CLOP: "rto rto",
  IDLELI: "rto discts",
  IDLELICD: "rto discts",
  OPIP: "rto rto",
  OPI: "rto rto",
  CLIP: "rto rto",
  RTRP: "rto rto",
  WF_CD: "rto rto",
  ERSTWFCD: "rto rto",
  NRSTWFCD: "rto rto",
  SFSTWFCD: "rto rto",
  CDSTWFCD: "rto rto",
  WF_NDISC: "disctr disctr",
};

test("every state but IDLE has a timer", (t) => {
  for (const state of STATES) {
    t.equal(`${timerOf(state, true)} ${timerOf(state, false)}`, TIMERS[state], state);
  }
  t.end();
});

test("whatever comes: nothing is sent after an ESID, data is never counted without credit", (t) => {
  const names = Object.keys(EVENTS) as EventName[];
  const connects = ["F_CONNECT_RQ", "N_CON_IND"];
  const inputs = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 25 });
  let most = 0;
  fc.assert(
    fc.property(fc.constantFrom(...STATES), fc.constantFrom(...ROLES), inputs, (state, role, events) => {
      const machine = machineIn(state, { strict: events.length % 2 === 0, role });
      let ended = state === "WF_NDISC" || state === "IDLE";
      let data = 0;
      for (const name of events) {
        const input = EVENTS[name];
        const { creditL, creditS } = machine;
        const result = step(machine, input);
        if (result === "user error that changed the machine") return false;
        if (result === "user error") {
          // only the local side can be wrong that way
          if (input.type === "DATA" || !/^(F_|N_|TIME|INVALID)/.test(input.type)) return false;
          continue;
        }
        if (connects.includes(name)) ended = false;
        else if (
          ended &&
          /\b(SSRM|SSID|SECD|AUCH|AURP|SFID|SFPA|SFNA|CDT|EFID|EFPA|EFNA|CD|EERP|NERP|RTR|ESID)\b/.test(
            result,
          )
        ) {
          return false;
        }
        // nobody hears of an open session before both are proven
        if (machine.agreement?.authentication) {
          if (result.includes("F_CONNECT_CF") && name !== "AURP") return false;
          if (result.includes("OPEN") && name !== "F_RESPOND_RS") return false;
        }
        if (result.includes("F_DATA_IND") && creditL === 0) return false;
        if (name === "F_DATA_RQ" && machine.state.startsWith("OPO") && creditS === 0) return false;
        if (machine.creditS < 0 || machine.creditL < 0) return false;
        if (/ESID|disconnect/.test(result) || machine.state === "IDLE") ended = true;
        data++;
      }
      most = Math.max(most, data);
      return true;
    }),
    { numRuns: 4000 },
  );
  t.ok(most > 10, `up to ${most} events took effect`);
  t.throws(() => machineIn("IDLESP", { partner: { lev: 1 } }).input({ type: "F_NERP_RQ", nerp: NERP }), {
    code: "CYG_OFTP_USER",
  });
  t.end();
});
