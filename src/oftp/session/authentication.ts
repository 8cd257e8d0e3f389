/**
 * Secure authentication inside the session machine (RFC 5024 sections 4.2.4 and 9.6, transitions I, J, K): first
 * the Initiator proves that it holds the private key of its certificate, then the Responder. Ciphers are the
 * user's business: the machine asks for a challenge or for an answer and waits in its state.
 *
 * Invariants
 * - Neither side hears that the session is open before both have proven themselves.
 * - A challenge serves for one comparison.
 * - A partner that does not wait for our part ends the session with reason 02.
 */
import { timingSafeEqual } from "node:crypto";
import { CygnetError } from "../../platform/errors.ts";
import type { Auch, Aurp, Secd, Ssid } from "../wire/commands.ts";
import type { SessionAction, SessionEvent } from "./events.ts";
import type { SessionMachine } from "./machine.ts";
import type { Agreement } from "./negotiate.ts";

type EventOf<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;
type Actions = readonly SessionAction[];

/** Octets of a challenge before it is encrypted, and of the answer to it (AURPRSP). */
const CHALLENGE = 20;

/** Says SECD and waits for the challenge: the Initiator after the SSIDs, the Responder when the Initiator is proven. */
export function askForChallenge(machine: SessionMachine): Actions {
  machine.state = "WF_AUCH";
  machine.asked = false;
  return [machine.send({ type: "SECD" })];
}

/** Waits for the partner's SECD, after `before`. */
export function awaitSecd(machine: SessionMachine, before: SessionAction): Actions {
  machine.state = "WF_SECD";
  machine.asked = false;
  return [before];
}

/** S-J: the partner wants to be challenged; the user makes the challenge (action S6). */
export function challengeWanted(machine: SessionMachine, _event: Secd): Actions {
  if (machine.asked) return machine.abort(2, "SECD came a second time");
  machine.asked = true;
  return [{ do: "CHALLENGE" }];
}

/** The rest of S-J: the user has a challenge, or no certificate to encrypt one for. */
export function challengeMade(machine: SessionMachine, { answer }: EventOf<"F_CHALLENGE_RS">): Actions {
  expectAsked(machine, "WF_SECD", "F_CHALLENGE_RS");
  if ("text" in answer) return machine.abort(11, answer.text);
  expectLength(answer.expected, "challenge");
  machine.state = "WF_AURP";
  machine.asked = false;
  machine.challenge = answer.expected;
  return [machine.send({ type: "AUCH", chal: answer.chal })];
}

/** S-I: a challenge for us; the user decrypts it. */
export function challenged(machine: SessionMachine, event: Auch): Actions {
  if (machine.asked) return machine.abort(2, "AUCH came a second time");
  machine.asked = true;
  return [{ do: "RESPOND", chal: event.chal }];
}

/** The rest of S-I: the user has the octets of the challenge, or could not decrypt it. */
export function responded(machine: SessionMachine, { answer }: EventOf<"F_RESPOND_RS">): Actions {
  expectAsked(machine, "WF_AUCH", "F_RESPOND_RS");
  if ("text" in answer) return machine.abort(11, answer.text);
  expectLength(answer.rsp, "answer to a challenge");
  const aurp = machine.send({ type: "AURP", rsp: answer.rsp });
  // P5: the Initiator is proven first, then it challenges; the Responder comes last
  if (machine.initiator) return awaitSecd(machine, aurp);
  machine.state = "IDLELI";
  machine.asked = false;
  return [aurp, { do: "OPEN", agreement: machine.agreement as Agreement }];
}

/** S-K: the answer to our challenge, compared in constant time (P6, P7). */
export function responseReceived(machine: SessionMachine, { rsp }: Aurp): Actions {
  const expected = machine.challenge as Buffer;
  machine.challenge = null;
  if (rsp.length !== CHALLENGE || !timingSafeEqual(rsp, expected)) {
    return machine.abort(11, "the response to the challenge is wrong");
  }
  if (!machine.initiator) return askForChallenge(machine);
  machine.state = "IDLESP";
  const agreement = machine.agreement as Agreement;
  return [{ do: "F_CONNECT_CF", ssid: machine.partner as Ssid, agreement }];
}

function expectAsked(machine: SessionMachine, state: string, event: string): void {
  if (machine.state !== state || !machine.asked) {
    throw new CygnetError("CYG_OFTP_USER", `${event} was not asked for in state ${machine.state}`);
  }
}

function expectLength(octets: Buffer, what: string): void {
  if (octets.length !== CHALLENGE) {
    throw new CygnetError("CYG_OFTP_USER", `a ${what} has ${CHALLENGE} octets, not ${octets.length}`);
  }
}
