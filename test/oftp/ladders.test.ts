/**
 * Whole sessions of two machines, through real octets: each ladder of RFC 5024 section 4 step by step, with what
 * goes over the line and both states after each step.
 */
import { X509Certificate } from "node:crypto";
import { test } from "tap";
import { answerChallenge, newChallenge } from "../../src/cms/challenge.ts";
import type { RecipientKey } from "../../src/cms/enveloped.ts";
import type { SessionAction, SessionEvent } from "../../src/oftp/session/events.ts";
import { SessionMachine, type SessionOptions } from "../../src/oftp/session/machine.ts";
import type { Capabilities } from "../../src/oftp/session/negotiate.ts";
import { decode, encode } from "../../src/oftp/wire/codec.ts";
import type { Command } from "../../src/oftp/wire/commands.ts";
import { DATA } from "../../src/oftp/wire/layout.ts";
import { LEVELS, type Level } from "../../src/oftp/wire/level.ts";
import { frame, StreamDecoder } from "../../src/oftp/wire/stream.ts";
import { newKey, selfSigned } from "../../src/pki/generate.ts";
import { CygnetError } from "../../src/platform/errors.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { CAPABILITIES, EERP, NERP, SFID, ssid, told } from "./machines.ts";
import { SESSION } from "./vectors.ts";

type Side = "I" | "R";
const OTHER = { I: "R", R: "I" } as const;

const text = (reason: number): string => (reason === 0 ? "" : "see the reason");

/** What each side signs in with: RSA-3072, and a certificate of the same name for a key that is gone. */
const [I, R, gone] = await Promise.all([identity("I"), identity("R"), identity("R")]);
const IDENTITIES: Record<Side, RecipientKey> = { I, R };

async function identity(commonName: string): Promise<RecipientKey> {
  const key = await newKey();
  const pem = await selfSigned(key, { commonName, hosts: [], days: 1 });
  return { certificate: new X509Certificate(pem), key };
}

/** A challenge for the other side: 3 = in 3DES, 1 = for a key that is gone, 9 = there is no certificate. */
function challenge(n: number, side: Side): SessionEvent {
  if (n === 9) return { type: "F_CHALLENGE_RS", answer: { text: "no certificate of the partner" } };
  const { certificate } = n === 1 ? gone : IDENTITIES[OTHER[side]];
  const suite = n === 3 ? "3des" : "aes256";
  return { type: "F_CHALLENGE_RS", answer: newChallenge(certificate, suite, systemRandom) };
}

/** The answer to the challenge that a side was told of; 1 = a wrong one. */
function respond(n: number, side: Side, line: Line): SessionEvent {
  const asked = line.seen[side].at(-1);
  if (asked?.do !== "RESPOND") throw new Error(`${side} was not challenged`);
  try {
    const rsp = answerChallenge(asked.chal, [IDENTITIES[side]]);
    if (n === 1) rsp.writeUInt8((rsp[19] as number) ^ 1, 19);
    return { type: "F_RESPOND_RS", answer: { rsp } };
  } catch (error) {
    if (!(error instanceof CygnetError && error.code === "CYG_CMS_RECIPIENT")) throw error;
    return { type: "F_RESPOND_RS", answer: { text: "the challenge is for no key of ours" } };
  }
}

/** What a step of a ladder asks of a machine; the number behind its name is `n`. */
const REQUESTS: Record<string, (n: number, line: Line, side: Side) => SessionEvent> = {
  accept: (_, line) => ({
    type: "F_CONNECT_RS",
    capabilities: line.responder,
    code: line.code.R,
    password: line.code.R,
  }),
  challenge: (n, _, side) => challenge(n, side),
  respond: (n, line, side) => respond(n, side, line),
  // a restart position
  file: (n) => ({ type: "F_START_FILE_RQ", sfid: { ...SFID, rest: BigInt(n) } }),
  take: (n) => ({ type: "F_START_FILE_RS", answer: { accept: BigInt(n) } }),
  deny: (n) => ({ type: "F_START_FILE_RS", answer: { reason: n, retry: n === 6, text: text(n) } }),
  data: () => ({ type: "F_DATA_RQ" }),
  room: () => ({ type: "F_DATA_RS" }),
  // octets of the whole file
  end: (n) => ({ type: "F_CLOSE_FILE_RQ", efid: { type: "EFID", rcnt: 0n, ucnt: BigInt(n) } }),
  keep: () => ({ type: "F_CLOSE_FILE_RS", answer: { speaker: false } }),
  turn: () => ({ type: "F_CLOSE_FILE_RS", answer: { speaker: true } }),
  reject: (n) => ({ type: "F_CLOSE_FILE_RS", answer: { reason: n, text: text(n) } }),
  eerp: () => ({ type: "F_EERP_RQ", eerp: EERP }),
  nerp: () => ({ type: "F_NERP_RQ", nerp: NERP }),
  ready: () => ({ type: "F_RTR_RS" }),
  cd: () => ({ type: "F_CD_RQ" }),
  release: (n) => ({ type: "F_RELEASE_RQ", reason: n, text: text(n) }),
  silence: () => ({ type: "TIME-OUT" }),
  closed: () => ({ type: "N_DISC_IND" }),
};

/** Octets that no machine of ours would send. */
const FORGED: Record<string, Command> = {
  "credit-9": ssid({ cred: 9 }),
  auth: ssid({ auth: true }),
  "no-auth": ssid(),
  secd: { type: "SECD" },
  sfid: SFID,
  cd: { type: "CD" },
  cdt: { type: "CDT" },
  "normal-end": { type: "ESID", reas: 0, reast: "" },
};

/** Two machines and the line between them. */
class Line {
  readonly sides: Record<Side, SessionMachine>;
  readonly responder: Capabilities;
  readonly code = { I: "A", R: "B" };
  /** Frames on the line, with their sender. */
  readonly octets: [Side, Buffer][] = [];
  /** Data exchange buffer that each data request sends. */
  data: Buffer = Buffer.from("D\x85HELLO", "latin1");
  /** The Listener keeps its credit to itself until it says `room`. */
  readonly slow: boolean;
  /** Last thing that each side was told of. */
  readonly seen: Record<Side, SessionAction[]> = { I: [], R: [] };
  /** Everything that each side was told of. */
  readonly heard: Record<Side, string[]> = { I: [], R: [] };
  #trace: string[] = [];
  readonly #decoders = { I: new StreamDecoder(), R: new StreamDecoder() };

  constructor(
    initiator: Capabilities,
    responder: Capabilities,
    options: SessionOptions & { slow?: boolean },
  ) {
    this.responder = responder;
    this.slow = options.slow ?? false;
    const { I: code } = this.code;
    this.sides = {
      I: new SessionMachine({ ...options, capabilities: initiator, code, password: code }),
      R: new SessionMachine(options),
    };
  }

  /** Carries out one step and gives what went over the line. */
  step(side: Side, request: string, argument: string): string {
    this.#trace = [];
    if (request === "connect") {
      this.sides.I.input({ type: "F_CONNECT_RQ" });
      this.sides.I.input({ type: "N_CON_CF" });
      this.#perform("R", this.sides.R.input({ type: "N_CON_IND" }));
    } else if (request === "forge") {
      this.#send(side, encode(FORGED[argument] as Command, this.sides[side].level), `(${argument})`);
    } else {
      const make = REQUESTS[request];
      if (make === undefined) throw new Error(`no request ${request}`);
      const actions = this.sides[side].input(make(Number(argument), this, side));
      if (request === "data") this.#send(side, this.data, "DATA");
      this.#perform(side, actions);
    }
    return this.#trace.join(", ");
  }

  #perform(side: Side, actions: readonly SessionAction[]): void {
    this.seen[side] = [...actions];
    this.heard[side].push(...actions.filter((action) => action.do !== "send").map(told));
    for (const action of actions) {
      if (action.do === "send") this.#send(side, encode(action.command, action.level), told(action));
      else if (action.do === "disconnect") this.#trace.push(`${side} closes`);
      else if (action.do === "F_DATA_IND" && action.credit && !this.slow) {
        this.#perform(side, this.sides[side].input({ type: "F_DATA_RS" }));
      }
    }
  }

  /** Octets over the line, in pieces of seven. */
  #send(from: Side, buffer: Buffer, name: string): void {
    const to = OTHER[from];
    const framed = frame(buffer);
    this.#trace.push(`${from} ${name}`);
    this.octets.push([from, framed]);
    for (let at = 0; at < framed.length; at += 7) {
      this.#decoders[to].push(framed.subarray(at, at + 7), (received) => {
        const machine = this.sides[to];
        const event = received[0] === DATA ? ({ type: "DATA" } as const) : decode(received, machine.level);
        this.#perform(to, machine.input(event));
        return true;
      });
    }
  }
}

const OPEN = `
  I connect     | R SSRM, I SSID              | I_WF_SSID A_WF_CONRS
  R accept      | R SSID                      | IDLESP    IDLELI`;
const ONE_FILE = `
  I file        | I SFID                      | OPOP      OPIP
  R take 0      | R SFPA 0                    | OPO       OPI
  I data        | I DATA                      | OPO       OPI
  I end 5       | I EFID                      | CLOP      CLIP`;
const KEPT = `
  R keep        | R EFPA N                    | IDLESP    IDLELI`;
const R_ENDS = `
  I cd          | I CD                        | IDLELICD  IDLESPCD
  R release     | R ESID 00, I closes         | IDLE      WF_NDISC
  R closed      |                             | IDLE      IDLE`;
const I_ENDS = `
  R cd          | R CD                        | IDLESPCD  IDLELICD
  I release     | I ESID 00, R closes         | WF_NDISC  IDLE
  I closed      |                             | IDLE      IDLE`;
const R_EERP = `
  R eerp        | R EERP                      | RTRP      WF_RTR
  I ready       | I RTR                       | IDLELI    IDLESP`;

interface Ladder {
  title: string;
  /** Lowest level at which it can be played. */
  since?: Level;
  initiator?: Partial<Capabilities>;
  responder?: Partial<Capabilities>;
  strict?: boolean;
  slow?: boolean;
  /** Step of a side | what goes over the line | state of I, state of R. */
  steps: string;
}

/** A ladder in which both sides want secure authentication. */
function secure(title: string, steps: string): Ladder {
  const wanted = { authentication: true };
  return { title: `secure authentication: ${title}`, since: 5, initiator: wanted, responder: wanted, steps };
}

const SECURE = `
  I connect     | R SSRM, I SSID              | I_WF_SSID A_WF_CONRS
  R accept      | R SSID, I SECD              | WF_AUCH   WF_SECD`;
const PROVING_I = `${SECURE}
  R challenge   | R AUCH                      | WF_AUCH   WF_AURP`;
const PROVING_R = `${PROVING_I}
  I respond     | I AURP, R SECD              | WF_SECD   WF_AUCH
  I challenge 3 | I AUCH                      | WF_AURP   WF_AUCH`;
const PROVEN = `${PROVING_R}
  R respond     | R AURP                      | IDLESP    IDLELI`;

const LADDERS: readonly Ladder[] = [
  { title: "one file, no response", steps: OPEN + ONE_FILE + KEPT + R_ENDS },
  {
    title: "one file and its response, the turn passed unasked",
    steps: `${OPEN}${ONE_FILE}${KEPT}
      I cd          | I CD                    | IDLELICD  IDLESPCD${R_EERP}${I_ENDS}`,
  },
  {
    title: "one file and its response, the Listener asks for the turn",
    steps: `${OPEN}${ONE_FILE}
      R turn        | R EFPA Y, I CD          | IDLELI    IDLESP${R_EERP}${I_ENDS}`,
  },
  {
    title: "the turn was asked for and there is nothing to send after all",
    steps: `${OPEN}${ONE_FILE}
      R turn        | R EFPA Y, I CD          | IDLELI    IDLESP${I_ENDS}`,
  },
  {
    title: "files in both directions, responses for both",
    steps: `${OPEN}${ONE_FILE}
      R turn        | R EFPA Y, I CD          | IDLELI    IDLESP${R_EERP}
      R file        | R SFID                  | OPIP      OPOP
      I take 0      | I SFPA 0                | OPI       OPO
      R data        | R DATA                  | OPI       OPO
      R end 5       | R EFID                  | CLIP      CLOP
      I keep        | I EFPA N                | IDLELI    IDLESP
      R cd          | R CD                    | IDLESPCD  IDLELICD
      I eerp        | I EERP                  | WF_RTR    RTRP
      R ready       | R RTR                   | IDLESP    IDLELI${R_ENDS}`,
  },
  {
    title: "several files, responses of earlier sessions first",
    since: 4,
    steps: `${OPEN}
      I eerp        | I EERP                  | WF_RTR    RTRP
      R ready       | R RTR                   | IDLESP    IDLELI
      I eerp        | I EERP                  | WF_RTR    RTRP
      R ready       | R RTR                   | IDLESP    IDLELI
      I nerp        | I NERP                  | WF_RTR    RTRP
      R ready       | R RTR                   | IDLESP    IDLELI${ONE_FILE}${KEPT}
      I file        | I SFID                  | OPOP      OPIP
      R deny 2      | R SFNA 02 N             | IDLESP    IDLELI${ONE_FILE}${KEPT}${R_ENDS}`,
  },
  {
    title: "a file is refused, another one fails at its end: the turn stays",
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R deny 13     | R SFNA 13 N             | IDLESP    IDLELI
      I file        | I SFID                  | OPOP      OPIP
      R deny 6      | R SFNA 06 Y             | IDLESP    IDLELI${ONE_FILE}
      R reject 11   | R EFNA 11               | IDLESP    IDLELI${ONE_FILE}${KEPT}${R_ENDS}`,
  },
  {
    title: "a negative response in a later session of the sender",
    since: 4,
    steps: `${OPEN}
      I cd          | I CD                    | IDLELICD  IDLESPCD
      R nerp        | R NERP                  | RTRP      WF_RTR
      I ready       | I RTR                   | IDLELI    IDLESP${I_ENDS}`,
  },
  {
    title: "a negative response in a later session of the recipient",
    since: 4,
    steps: `${OPEN}
      I nerp        | I NERP                  | WF_RTR    RTRP
      R ready       | R RTR                   | IDLESP    IDLELI${R_ENDS}`,
  },
  {
    title: "the line is lost in a file",
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R take 0      | R SFPA 0                | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      I closed      |                         | IDLE      OPI
      R closed      |                         | IDLE      IDLE`,
  },
  {
    title: "restart where the Listener stands",
    steps: `${OPEN}
      I file 9      | I SFID                  | OPOP      OPIP
      R take 5      | R SFPA 5                | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      I end 10000   | I EFID                  | CLOP      CLIP${KEPT}${R_ENDS}`,
  },
  {
    title: "credit is used up exactly at the end of the file",
    slow: true,
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R take 0      | R SFPA 0                | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      I data        | I DATA                  | OPOWFC    OPI
      R room        | R CDT                   | OPO       OPI
      I end 10      | I EFID                  | CLOP      CLIP${KEPT}${R_ENDS}`,
  },
  {
    title: "a window of one: credit after every buffer",
    responder: { cred: 1 },
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R take 0      | R SFPA 0                | OPO       OPI
      I data        | I DATA, R CDT           | OPO       OPI
      I data        | I DATA, R CDT           | OPO       OPI
      I end 10      | I EFID                  | CLOP      CLIP${KEPT}${R_ENDS}`,
  },
  {
    title: "credit that comes before it is due, and again too late",
    slow: true,
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R take 0      | R SFPA 0                | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      R forge cdt   | R (cdt)                 | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      R room        | R CDT                   | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      I data        | I DATA                  | OPO       OPI
      I end 20      | I EFID                  | CLOP      CLIP
      R forge cdt   | R (cdt)                 | CLOP      CLIP
      R keep        | R EFPA N                | IDLESP    IDLELI
      R forge cdt   | R (cdt)                 | IDLESP    IDLELI${ONE_FILE}${KEPT}${R_ENDS}`,
  },
  {
    title: "credit that comes before it is due ends a strict session",
    strict: true,
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R take 0      | R SFPA 0                | OPO       OPI
      R forge cdt   | R (cdt), I ESID 02, R closes | WF_NDISC IDLE
      I closed      |                         | IDLE      IDLE`,
  },
  {
    title: "unknown code",
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R release 3   | R ESID 03, I closes     | IDLE      WF_NDISC`,
  },
  {
    title: "wrong password",
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R release 4   | R ESID 04, I closes     | IDLE      WF_NDISC`,
  },
  {
    title: "overload",
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R release 8   | R ESID 08, I closes     | IDLE      WF_NDISC`,
  },
  {
    title: "the Initiator does not know the Responder",
    steps: `${OPEN}
      I release 3   | I ESID 03, R closes     | WF_NDISC  IDLE
      I closed      |                         | IDLE      IDLE`,
  },
  {
    title: "credit raised by the Responder",
    since: 5,
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R forge credit-9 | R (credit-9), I ESID 10, R closes | WF_NDISC IDLE
      I closed      |                         | IDLE      IDLE`,
  },
  {
    title: "authentication wanted by the Initiator only",
    since: 5,
    initiator: { authentication: true },
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R accept      | R ESID 12, I closes     | IDLE      WF_NDISC`,
  },
  {
    title: "authentication wanted by the Responder only",
    since: 5,
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R forge auth  | R (auth), I ESID 12, R closes | WF_NDISC IDLE`,
  },
  {
    title: "authentication that the Responder agreed to with N",
    since: 5,
    initiator: { authentication: true },
    responder: { authentication: true },
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R forge no-auth | R (no-auth), I ESID 12, R closes | WF_NDISC IDLE`,
  },
  secure(
    "both prove themselves, then a file and its response",
    `${PROVEN}${ONE_FILE}
      R turn        | R EFPA Y, I CD          | IDLELI    IDLESP${R_EERP}${I_ENDS}`,
  ),
  secure(
    "the Initiator answers wrongly",
    `${PROVING_I}
      I respond 1   | I AURP, R ESID 11, I closes | IDLE   WF_NDISC
      R closed      |                         | IDLE      IDLE`,
  ),
  secure(
    "the Responder answers wrongly",
    `${PROVING_R}
      R respond 1   | R AURP, I ESID 11, R closes | WF_NDISC IDLE
      I closed      |                         | IDLE      IDLE`,
  ),
  secure(
    "the Initiator has no certificate of the Responder",
    `${SECURE}
      R challenge   | R AUCH                  | WF_AUCH   WF_AURP
      I respond     | I AURP, R SECD          | WF_SECD   WF_AUCH
      I challenge 9 | I ESID 11, R closes     | WF_NDISC  IDLE`,
  ),
  secure(
    "the Responder has no certificate of the Initiator",
    `${SECURE}
      R challenge 9 | R ESID 11, I closes     | IDLE      WF_NDISC`,
  ),
  secure(
    "the Responder's certificate of the Initiator is not the Initiator's",
    `${SECURE}
      R challenge 1 | R AUCH                  | WF_AUCH   WF_AURP
      I respond     | I ESID 11, R closes     | WF_NDISC  IDLE`,
  ),
  secure(
    "the Initiator does not wait for its challenge",
    `${SECURE}
      I forge secd  | I (secd), R ESID 02, I closes | IDLE WF_NDISC`,
  ),
  secure(
    "the Initiator sends a file before it is proven",
    `${SECURE}
      I forge sfid  | I (sfid), R ESID 02, I closes | IDLE WF_NDISC`,
  ),
  secure(
    "the Initiator sends a file before the Responder is proven",
    `${PROVING_I}
      I respond     | I AURP, R SECD          | WF_SECD   WF_AUCH
      I forge sfid  | I (sfid), R ESID 02, I closes | IDLE WF_NDISC`,
  ),
  secure(
    "the Responder says nothing to the answer",
    `${PROVING_I}
      R closed      |                         | WF_AUCH   IDLE
      I silence     | I ESID 09, I closes     | IDLE      IDLE`,
  ),
  {
    title: "no direction left",
    initiator: { sr: "S" },
    responder: { sr: "S" },
    steps: `
      I connect     | R SSRM, I SSID          | I_WF_SSID A_WF_CONRS
      R accept      | R ESID 10, I closes     | IDLE      WF_NDISC`,
  },
  {
    title: "a station that only receives responds all the same",
    initiator: { sr: "S" },
    steps: `${OPEN}${ONE_FILE}${KEPT}
      I cd          | I CD                    | IDLELICD  IDLESPCD${R_EERP}${I_ENDS}`,
  },
  {
    title: "shutdown in a file, by the Listener",
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      R take 0      | R SFPA 0                | OPO       OPI
      R release 5   | R ESID 05, I closes     | IDLE      WF_NDISC
      R closed      |                         | IDLE      IDLE`,
  },
  {
    title: "shutdown while the answer to the end of a file is due, by the Speaker",
    steps: `${OPEN}${ONE_FILE}
      I release 5   | I ESID 05, R closes     | WF_NDISC  IDLE
      I silence     | I closes                | IDLE      IDLE`,
  },
  {
    title: "the partner says nothing",
    steps: `${OPEN}
      I file        | I SFID                  | OPOP      OPIP
      I silence     | I ESID 09, R closes, I closes | IDLE IDLE`,
  },
  { title: "nothing to send", steps: OPEN + R_ENDS },
  {
    title: "a bare CD answered by a bare CD is taken as a turn, then the session ends",
    steps: `${OPEN}
      I cd          | I CD                    | IDLELICD  IDLESPCD
      R forge cd    | R (cd)                  | IDLESPCD  IDLESPCD
      I release     | I ESID 00, R closes     | WF_NDISC  IDLE`,
  },
  {
    title: "a bare CD answered by a bare CD ends a strict session",
    strict: true,
    steps: `${OPEN}
      I cd          | I CD                    | IDLELICD  IDLESPCD
      R forge cd    | R (cd), I ESID 02, R closes | WF_NDISC IDLE`,
  },
  {
    title: "a normal end without passing the turn first",
    steps: `${OPEN}${ONE_FILE}${KEPT}
      I forge normal-end | I (normal-end), R closes | IDLESP IDLE
      I closed      |                         | IDLE      IDLE`,
  },
];

/** Requests waiting for the turn after an end of file that asked for it: [request, command, states after the CD]. */
const STORED: [string, string, string, Level?][] = [
  ["eerp", "EERP", "RTRP WF_RTR"],
  ["nerp", "NERP", "RTRP WF_RTR", 4],
  ["file", "SFID", "OPIP OPOP"],
  ["cd", "CD", "IDLESPCD IDLELICD"],
];

const words = (line: string): string[] => line.trim().split(/\s+/);

test("RFC 5024 4: ladders at every level, octets over the line and states after every step", (t) => {
  for (const ladder of LADDERS) {
    for (const level of LEVELS.filter((each) => each >= (ladder.since ?? 1))) {
      const line = new Line(
        { ...CAPABILITIES, ...ladder.initiator },
        { ...CAPABILITIES, levels: [level], ...ladder.responder },
        { strict: ladder.strict ?? false, slow: ladder.slow ?? false },
      );
      const expected = ladder.steps
        .trim()
        .split("\n")
        .map((row) =>
          row
            .split("|")
            .map((part) => words(part).join(" "))
            .join(" | "),
        );
      const found = expected.map((row) => {
        const [side, request, argument = "0"] = words(row.split("|")[0] as string) as [Side, string, string?];
        const over = line.step(side, request, argument);
        const asked = [side, request, ...words(row.split("|")[0] as string).slice(2)].join(" ");
        return `${asked} | ${over} | ${line.sides.I.state} ${line.sides.R.state}`;
      });
      t.strictSame(found, expected, `${ladder.title}, level ${level}`);
    }
  }
  t.end();
});

test("RFC 5024 9.8 F, G, T, Z: a request made while the CD is awaited is carried out with it", (t) => {
  for (const [request, command, states, since = 1] of STORED) {
    for (const level of LEVELS.filter((each) => each >= since)) {
      const line = new Line(CAPABILITIES, { ...CAPABILITIES, levels: [level] }, {});
      for (const row of `${OPEN}${ONE_FILE}`.trim().split("\n")) {
        const [side, asked, argument = "0"] = words(row.split("|")[0] as string) as [Side, string, string?];
        line.step(side, asked, argument);
      }
      // the Listener asks for the turn and has something to send before the CD is there
      const { I: speaker, R: listener } = line.sides;
      t.match(listener.input({ type: "F_CLOSE_FILE_RS", answer: { speaker: true } }), [
        { command: { type: "EFPA", cd: true } },
      ]);
      t.strictSame(listener.input(REQUESTS[request]?.(0, line, "R") as SessionEvent), []);
      const given = speaker.input({ type: "EFPA", cd: true });
      t.match(given.at(-1), { do: "send", command: { type: "CD" } });
      const [sent] = listener.input({ type: "CD" });
      t.match(sent, { do: "send", command: { type: command }, level });
      t.equal(listener.stored, null);
      if (sent?.do === "send") speaker.input(decode(encode(sent.command, sent.level), speaker.level));
      t.equal(`${speaker.state} ${listener.state}`, states, `${request} at level ${level}`);
    }
  }
  t.end();
});

test("RFC 5024 3, 4: what each side is told on the way", (t) => {
  const line = new Line(CAPABILITIES, { ...CAPABILITIES, sdeb: 1024 }, {});
  const rows: [Side, string, string, object[], object[]][] = [
    [
      "I",
      "connect",
      "0",
      [{ do: "send" }],
      [{ do: "F_CONNECT_IND", ssid: { code: "A", pswd: "A", lev: 5 } }],
    ],
    ["R", "accept", "0", [{ do: "F_CONNECT_CF", ssid: { code: "B" }, agreement: { sdeb: 1024 } }], []],
    ["I", "file", "3", [{ do: "send" }], [{ do: "F_START_FILE_IND", sfid: { dsn: "HELLO", rest: 3n } }]],
    [
      "R",
      "deny",
      "6",
      [{ do: "F_START_FILE_CF", answer: { reason: 6, retry: true, text: "see the reason" } }],
      [],
    ],
    ["I", "file", "3", [{ do: "send" }], [{ do: "F_START_FILE_IND" }]],
    ["R", "take", "2", [{ do: "F_START_FILE_CF", answer: { accept: 2n } }], []],
    ["I", "data", "0", [{ do: "F_DATA_CF" }], [{ do: "F_DATA_IND", credit: false }]],
    ["I", "end", "5", [{ do: "send" }], [{ do: "F_CLOSE_FILE_IND", efid: { rcnt: 0n, ucnt: 5n } }]],
    ["R", "reject", "11", [{ do: "F_CLOSE_FILE_CF", answer: { reason: 11, text: "see the reason" } }], []],
    [
      "I",
      "eerp",
      "0",
      [{ do: "send" }],
      [{ do: "F_EERP_IND", eerp: { dsn: "HELLO", dest: "A", orig: "B" } }],
    ],
    ["R", "ready", "0", [{ do: "F_RTR_CF" }], []],
    ["I", "nerp", "0", [{ do: "send" }], [{ do: "F_NERP_IND", nerp: { reas: 34 } }]],
    ["R", "ready", "0", [{ do: "F_RTR_CF" }], []],
    ["I", "cd", "0", [{ do: "send" }], [{ do: "F_CD_IND" }]],
    ["R", "release", "0", [{ do: "F_RELEASE_IND" }, { do: "disconnect" }], []],
  ];
  for (const [side, request, argument, initiator, responder] of rows) {
    line.step(side, request, argument);
    t.match(line.seen.I, initiator, `${side} ${request}: Initiator`);
    t.match(line.seen.R, responder, `${side} ${request}: Responder`);
  }
  t.end();
});

test("RFC 5024 4.2.4: each side hears of an open session only when both are proven", (t) => {
  const wanted = { ...CAPABILITIES, authentication: true };
  const line = new Line(wanted, wanted, {});
  for (const row of PROVEN.trim().split("\n")) {
    const [side, request, argument = "0"] = words(row.split("|")[0] as string) as [Side, string, string?];
    line.step(side, request, argument);
  }
  t.strictSame(line.heard, {
    I: ["RESPOND", "CHALLENGE", "F_CONNECT_CF"],
    R: ["F_CONNECT_IND", "CHALLENGE", "RESPOND", "OPEN"],
  });
  t.match(line.seen.I, [{ do: "F_CONNECT_CF", ssid: { code: "B" }, agreement: { authentication: true } }]);
  t.match(line.seen.R.at(-1), { do: "OPEN", agreement: { authentication: true } });
  // sizes on the line: SECD 1, AUCH 3 + n, AURP 21, each behind its header
  const sizes = line.octets.map(([side, { length }]) => `${side} ${length - 4}`);
  const fixed = [3, 5, 6, 8].map((at) => sizes[at]);
  t.strictSame([sizes.length, ...fixed], [9, "I 1", "I 21", "R 1", "R 21"]);
  t.end();
});

test("RFC 5024 4, 8: a session at level 1 with its response, octet by octet", (t) => {
  const own: Capabilities = {
    ...CAPABILITIES,
    levels: [1],
    sdeb: 128,
    cred: 1,
    compression: false,
    restart: false,
  };
  const line = new Line(own, own, {});
  line.data = SESSION[5]?.[2].subarray(4) as Buffer;
  const steps: [Side, string, string?][] = [
    ["I", "connect"],
    ["R", "accept"],
    ["I", "file"],
    ["R", "take"],
    ["I", "data"],
    ["I", "end", "5"],
    ["R", "keep"],
    ["I", "cd"],
    ["R", "eerp"],
    ["I", "ready"],
    ["R", "cd"],
    ["I", "release"],
  ];
  for (const [side, request, argument] of steps) line.step(side, request, argument ?? "0");
  t.strictSame(
    line.octets.map(([side, octets]) => `${side} ${octets.toString("hex")}`),
    SESSION.map(([side, , octets]) => `${side} ${octets.toString("hex")}`),
  );
  t.end();
});
