/**
 * End-to-end responses: EERP and NERP out for what was received, and in for what was sent (RFC 5024 section 4.3.6).
 *
 * Invariants
 * - A response counts as sent only when RTR has come; until then it is sent again.
 * - RTR is sent only when what the response says is in the catalog.
 */
import type { Changes, EndResponse, FileIdentity, Transfer } from "../catalog/catalog.ts";
import type { Part } from "../config/model.ts";
import { nerpText } from "../messages/codes.ts";
import type { Eerp, Nerp } from "../oftp/wire/commands.ts";
import { describe } from "../platform/errors.ts";
import { conclude, putAway } from "./conclude.ts";
import { responseTo } from "./deliveries.ts";
import { lineHash } from "./forms.ts";
import { insist } from "./insist.ts";
import { nextOfSend } from "./phases.ts";
import { carries, RELAYED } from "./routing.ts";
import type { Session } from "./session.ts";
import { keys, type Site } from "./site.ts";

const UNSIGNED = { hsh: Buffer.alloc(0), sig: Buffer.alloc(0) };

/** Sends the oldest waiting response to a partner; false when there is none. */
export async function sendResponse(session: Session, part: Part): Promise<boolean> {
  const { site, link, ids, agreement } = session;
  // mostly there is none, and a look costs less than a change
  if (!(await site.catalog.responseWaits(part.id))) return false;
  const response = await site.catalog.claimResponse(part.id, site.owner);
  if (response === undefined) return false;
  if (response.kind === "NERP" && (agreement?.level ?? 5) < 4) {
    // OFTP 1.2 and 1.3 have no way to say it: somebody must
    await site.catalog.responseSent(response.id);
    const { idtu, text } = response;
    site.journal.emit("CFTT93W", { part: part.id, ids, idtu, text });
    return true;
  }
  try {
    const proof = agreement?.level === 5 ? await proofOf(session, response) : UNSIGNED;
    const taken = session.awaitRtr();
    if (response.kind === "EERP")
      link.request({ type: "F_EERP_RQ", eerp: { ...eerpOf(response), ...proof } });
    else link.request({ type: "F_NERP_RQ", nerp: { ...nerpOf(response), ...proof } });
    await taken;
    await site.catalog.responseSent(response.id);
  } catch (error) {
    const { idtu } = response;
    await insist(site, { idtu, part: part.id }, () => site.catalog.releaseResponse(response.id));
    throw error;
  }
  const id = response.kind === "EERP" ? "CFTH60I" : "CFTH73I";
  const { idtu, reason, text } = response;
  site.journal.emit(id, { idtu, part: part.id, ids, idm: response.kind, nidt: response.dsn, reason, text });
  return true;
}

/** The response names originator and destination from its own point of view: swapped. */
function eerpOf({ dsn, date, time, orig, dest }: EndResponse): Eerp {
  return { type: "EERP", dsn, date, time, user: "", dest: orig, orig: dest, ...UNSIGNED };
}

function nerpOf({ dsn, date, time, orig, dest, reason, text, creator }: EndResponse): Nerp {
  const names = { dsn, date, time, dest: orig, orig: dest, crea: creator || dest };
  return { type: "NERP", ...names, reas: reason, reast: text, ...UNSIGNED };
}

/** Hash and signature, where the file asked for them. Without a key the response goes unsigned, and we say so. */
async function proofOf(session: Session, response: EndResponse): Promise<{ hsh: Buffer; sig: Buffer }> {
  const { site } = session;
  const { hsh = "", sig = "" } = response;
  if (sig !== "") return { hsh: Buffer.from(hsh, "hex"), sig: Buffer.from(sig, "hex") };
  const transfer = await site.catalog.get(response.idtu);
  // what passed through is answered by its destination, signed or not: not by us
  if (transfer?.idf === RELAYED) return UNSIGNED;
  if (!transfer?.security?.signedEerp) return UNSIGNED;
  const command = response.kind === "EERP" ? eerpOf(response) : nerpOf(response);
  try {
    return site.envelopes.signReceipt(session.part as Part, command, transfer);
  } catch (error) {
    const text = `the response to ${transfer.idtu} goes unsigned: ${describe(error)}`;
    site.journal.emit("CFTC70E", { ...keys(transfer), text });
    return UNSIGNED;
  }
}

/** Takes a response in, then releases the partner with RTR whatever it was about. */
export async function receiveResponse(session: Session, response: Eerp | Nerp): Promise<void> {
  const { site, link, agreement } = session;
  const short = (agreement?.level ?? 5) < 4;
  const transfer = await findAnswered(session, response, short);
  if (transfer === undefined) {
    const { dsn, date, time } = response;
    const where = { part: session.part?.id, ids: session.ids, host: session.host };
    site.journal.emit("CFTH71W", { ...where, kind: response.type, dsn, date, time, nidt: dsn });
  } else if (transfer.ack !== "") {
    const ids = session.ids;
    site.journal.emit("CFTH74W", { ...keys(transfer), ids, kind: response.type, nidt: response.dsn });
    // another session may be recording it at this moment
    await site.catalog.settled();
  } else if (transfer.idf === RELAYED) {
    await passBack(session, transfer, response);
  } else if (!(await isProved(session, transfer, response))) {
    // stays unacknowledged; RTR is flow control only
  } else {
    await (response.type === "EERP"
      ? acknowledge(session, transfer)
      : rejectTransfer(session, transfer, response));
  }
  if (!link.over) link.request({ type: "F_RTR_RS" });
}

/**
 * The response to a file that passed through goes on to its originator as it is. It is recorded there first: should we
 * die in between, the partner, without its RTR, says it again.
 */
async function passBack(session: Session, transfer: Transfer, response: Eerp | Nerp): Promise<void> {
  const { site } = session;
  const received = await site.catalog.get(transfer.pidtu);
  if (received) {
    const isNo = response.type === "NERP";
    const back: Omit<EndResponse, "id"> = {
      ...responseTo(received),
      kind: response.type,
      reason: isNo ? response.reas : 0,
      text: isNo ? response.reast : "",
      creator: isNo ? response.crea : "",
      hsh: response.hsh.toString("hex"),
      sig: response.sig.toString("hex"),
    };
    await site.catalog.finishReceive(received.idtu, { phase: "X", phasestep: "X" }, back);
    site.kick();
  }
  await (response.type === "EERP"
    ? acknowledge(session, transfer)
    : rejectTransfer(session, transfer, response));
}

/** A response that had to be signed and is not, or not rightly, never counts (RFC 5024 section 4.3.6). */
async function isProved(session: Session, transfer: Transfer, response: Eerp | Nerp): Promise<boolean> {
  const { site, ids, configuration } = session;
  if (!transfer.security?.signedEerp) return true;
  const linehash = await lineHash(site, transfer);
  // it is signed by whom the file was for, whoever brings it
  const part = configuration.cftpart.get(transfer.part) ?? (session.part as Part);
  const wrong = await site.envelopes.judgeReceipt(part, response, linehash);
  if (wrong === undefined) return true;
  site.journal.emit("CFTH79E", { ...keys(transfer), ids, kind: response.type, text: wrong });
  await site.catalog.update(transfer.idtu, { diagi: 278, diagp: "RECEIPT", diagc: wrong });
  return false;
}

/** The send that is meant: only one of this partner's, or one that its sessions carry; codes swapped as they should be, or not, as some do. */
async function findAnswered(
  session: Session,
  response: Eerp | Nerp,
  short: boolean,
): Promise<Transfer | undefined> {
  const { site, configuration } = session;
  const { dsn, date, time } = response;
  const isTheirs = (part: string) => carries(configuration, session.part, part);
  const swapped: FileIdentity = { dsn, date, time, orig: response.dest, dest: response.orig };
  const found = await site.catalog.findSend(swapped, short);
  if (found) return isTheirs(found.part) ? found : undefined;
  const plain: FileIdentity = { dsn, date, time, orig: response.orig, dest: response.dest };
  const other = await site.catalog.findSend(plain, short);
  if (other === undefined || !isTheirs(other.part)) return undefined;
  return session.lets("response-codes-not-swapped") ? other : undefined;
}

async function acknowledge(session: Session, transfer: Transfer): Promise<void> {
  const { site, ids, role } = session;
  const running = await answer(site, transfer, { ack: "A", diagi: 0, diagp: "", diagc: "" });
  site.journal.emit("CFTT59I", { ...keys(transfer), ids, role, kind: "EERP", text: "EERP" });
  await site.exchange.answered(transfer, "accepted", "");
  // nobody looks for what is done with: the next response need not wait for it
  if (!running) session.aside(putAway(site, { ...transfer, ack: "A" }), transfer);
}

async function rejectTransfer(session: Session, transfer: Transfer, nerp: Nerp): Promise<void> {
  const { site, ids } = session;
  const diagc = nerp.reast === "" ? nerpText(nerp.reas) : nerp.reast;
  const diagp = `NERP ${String(nerp.reas).padStart(2, "0")}`;
  const running = await answer(site, transfer, { ack: "N", diagi: 730, diagp, diagc });
  site.journal.emit("CFTH72W", { ...keys(transfer), ids, reason: nerp.reas, text: diagc });
  await site.exchange.answered(transfer, "refused", diagc);
  if (!running) await putAway(site, { ...transfer, ack: "N" });
}

/**
 * Records what a response says and moves the transfer on.
 * @returns true when it is not for the caller to put the file away: another session or a script has the transfer
 */
async function answer(site: Site, transfer: Transfer, answered: Changes): Promise<boolean> {
  const { idtu, phase, phasestep } = transfer;
  const edate = site.clock.now();
  if (phase === "X") {
    await site.catalog.update(idtu, { ...answered, edate });
    return false;
  }
  if (phase === "Z" && transfer.script === "") {
    const next = nextOfSend(site.configuration, { ...transfer, ...answered }, "answer", edate);
    const from = { phase, phasestep } as const;
    if (await site.catalog.advance(idtu, from, { ...answered, ...next, edate })) return next.phase !== "X";
  }
  // noted first: whoever moves the record from now on sees that there is a response; what a script has said stays
  const { ack = "" } = answered;
  await site.catalog.update(idtu, phase === "T" || ack === "N" ? answered : { ack });
  await conclude(site, transfer);
  return true;
}
