/**
 * An operator's commands on transfers: HALT, KEEP, START, RESUME, SUBMIT and DELETE by Transfer CFT's rules
 * (`catalog/transitions.ts`).
 *
 * Invariants
 * - A record changes only from the state that the rule was looked up for; a scheduler that was faster wins.
 * - A running transfer is cut before its state changes, and its partner can go on later from where it was.
 * - A deleted record takes no file with it: what was still to be sent is moved to failed/<PART>/.
 */
import type { Changes, Transfer, TransferFilter } from "../catalog/catalog.ts";
import { type Action, statesFor, stepsOf, transitionOf, writtenState } from "../catalog/transitions.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { isBroadcast } from "./broadcast.ts";
import { BY_OPERATOR } from "./operator.ts";
import { tellRefused } from "./refused-commands.ts";
import { RELAYED } from "./routing.ts";
import { scriptFor } from "./scripts/choose.ts";
import { keys, type Site } from "./site.ts";
import { obstacle } from "./submission.ts";

export interface Order {
  action: Action;
  /** Goes into DIAGC, so that the next operator knows why. */
  text?: string;
  /** DELETE: also what still owes the partner a response. */
  force?: boolean;
  /** Who gave it, for the log. */
  user?: string;
}

/** Transfers that a command meant, each done or refused with the reason. */
export interface Outcome {
  done: Transfer[];
  refused: { transfer: Transfer; code: string; reason: string }[];
}

/** Most records that one command works on. */
const MOST = 10_000;
/** Times that a record may run away under a command before it is left alone. */
const PURSUITS = 20;
/** Between two attempts, ms: a transfer that has just been claimed is about to run. */
const PURSUIT = 25;

/** Carries a command out on every transfer that the filter selects. */
export async function perform(site: Site, order: Order, filter: TransferFilter): Promise<Outcome> {
  const outcome: Outcome = { done: [], refused: [] };
  for (const transfer of await site.catalog.list({ limit: MOST, ...filter })) {
    try {
      outcome.done.push(await act(site, order, transfer.idtu));
    } catch (error) {
      if (!(error instanceof CygnetError)) throw error;
      outcome.refused.push({ transfer, code: error.code, reason: describe(error) });
    }
  }
  return outcome;
}

/**
 * Carries a command out on one transfer; the record as it is then.
 * @throws CygnetError CYG_REQUEST_STATE when its state does not allow it
 */
export async function act(site: Site, order: Order, idtu: string): Promise<Transfer> {
  for (let pursuit = 0; pursuit < PURSUITS; pursuit += 1) {
    const transfer = await site.catalog.get(idtu);
    if (transfer === undefined) {
      const unknown = new CygnetError("CYG_REQUEST_STATE", `there is no transfer ${idtu}`);
      tellRefused(site, order.action, idtu, unknown);
      throw unknown;
    }
    const done = await attempt(site, order, transfer).catch((error: unknown) => {
      tellRefused(site, order.action, transfer, error);
      throw error;
    });
    if (done !== undefined) {
      tellDone(site, order, transfer, done);
      site.kick();
      return done;
    }
    await new Promise<void>((resolve) => site.clock.timer(PURSUIT, resolve));
  }
  throw new CygnetError("CYG_REQUEST_STATE", `${idtu} changes too fast at the moment; try again`);
}

function tellDone({ journal }: Site, { action }: Order, before: Transfer, after: Transfer): void {
  const who = keys(before);
  journal.emit("CFTR12I", { ...who, cmd: action.toUpperCase(), user: "operator", text: before.idtu });
  const [from, to] = [writtenState(before), writtenState(after)];
  if (action === "delete") journal.emit("CFTC07I", { ...who, state: from, direct: before.direct });
  else journal.emit("CFTS19I", { ...who, text: `${from} to ${to}` });
}

/** Undefined when the record went on while it was looked at. */
async function attempt(site: Site, order: Order, transfer: Transfer): Promise<Transfer | undefined> {
  const { action } = order;
  const state = writtenState(transfer);
  const row = transitionOf(action, transfer.direct, state);
  if (row === undefined) throw notFrom(order, transfer);
  if (row.cut) {
    const { idtu, phase, script } = transfer;
    if (phase !== "T" && script === "") {
      throw new CygnetError("CYG_REQUEST_STATE", `${idtu} is just being delivered; try again`);
    }
    const to = row.to === "" ? `${phase}K` : row.to;
    const left: Changes = { ...stepsOf(to), ...stopped(order) };
    await (phase === "T" ? site.sessions.cut(idtu, { ...left, retryAt: 0 }) : site.cutScript(idtu, left));
    const now = await site.catalog.get(transfer.idtu);
    // it may have come to its end meanwhile, or be about to begin; a record that is to go is stopped now
    return now && action !== "delete" && writtenState(now) === to ? now : undefined;
  }
  if (action === "start" && isBroadcast(transfer)) return startBroadcast(site, transfer);
  if (action === "delete") return erase(site, order, transfer);
  if (action === "submit") mustHaveScript(site, transfer);
  if (action === "submit" && transfer.phase === "X") {
    await site.catalog.note(transfer.idtu, "exec");
    return transfer;
  }
  if (action === "start" && transfer.phase === "T") await startable(site, transfer);
  if (action === "resume" && transfer.diagi === 0) throw notFrom(order, transfer);
  const to = transfer.script !== "" && row.script !== undefined ? row.script : row.to;
  // what was given up for its time is not held to it again
  const anew = action === "start" ? { deadline: 0, ...(to === "ZH" ? { edate: site.clock.now() } : {}) } : {};
  const changes: Changes = { ...stepsOf(to), ...diagnosis(order), ...anew };
  if (!(await site.catalog.transition(transfer.idtu, transfer, changes))) return undefined;
  if (action === "start" && transfer.direct === "send") {
    const { part } = transfer;
    await site.catalog.setClock({ part, tries: 0, nextCallAt: 0, diagi: 0, reason: "" });
  }
  return { ...transfer, ...changes };
}

/** @throws CygnetError CYG_REQUEST_STATE when there is no script to run again */
function mustHaveScript({ configuration }: Site, transfer: Transfer): void {
  const { idtu, phase, script } = transfer;
  if (phase === "X" ? scriptFor(configuration, transfer, "exec") !== null : script !== "") return;
  throw new CygnetError("CYG_REQUEST_STATE", `${idtu} has no script that could run again`);
}

/** A broadcast is started again by starting its children; one that came to none is looked at anew. */
async function startBroadcast(site: Site, parent: Transfer): Promise<Transfer | undefined> {
  const { idtu } = parent;
  const { all } = await site.catalog.children(idtu);
  for (const state of ["H", "K"]) await perform(site, { action: "start" }, { pidtu: idtu, state });
  const changes: Changes = { phasestep: "H", diagi: 0, ...(all === 0 ? { diagc: "" } : {}) };
  if (!(await site.catalog.transition(idtu, parent, changes))) return undefined;
  return { ...parent, ...changes };
}

function stopped({ text = "" }: Pick<Order, "text">): Changes {
  return { diagi: BY_OPERATOR, diagp: "OPER", diagc: text || "stopped by an operator" };
}

/** What a command leaves in the diagnostic fields. */
function diagnosis({ action, text = "" }: Order): Changes {
  if (action === "halt" || action === "keep") return stopped({ text });
  return { diagi: 0, diagp: "", diagc: text, tries: 0, retryAt: 0 };
}

/** @throws CygnetError when the file is gone, or may not be sent without the security that it is to have */
async function startable(site: Site, transfer: Transfer): Promise<void> {
  const { idtu, direct, workfile } = transfer;
  if (direct === "recv") return;
  if (workfile === "") throw new CygnetError("CYG_REQUEST_STATE", `the file of ${idtu} is gone`);
  // certificates and what passes through are nobody's flow
  if (exchangeKindOf(transfer.dsn) || transfer.idf === RELAYED) return;
  const { cftpart, cftsend, cftparm } = site.configuration;
  const part = cftpart.get(transfer.part);
  if (part === undefined) {
    throw new CygnetError(
      "CYG_REQUEST_STATE",
      `${idtu} cannot be started: there is no partner ${transfer.part}`,
    );
  }
  const flow = cftsend.get(transfer.idf) ?? cftsend.get(cftparm.default);
  const hold = await obstacle(site, part, transfer.idf, flow ?? { security: {} });
  if (hold) throw new CygnetError("CYG_REQUEST_STATE", `${idtu} cannot be started: ${hold.diagc}`);
}

async function erase(
  site: Site,
  { force = false }: Order,
  transfer: Transfer,
): Promise<Transfer | undefined> {
  const { catalog, spool } = site;
  const { idtu } = transfer;
  if (!force && (await catalog.owesResponse(idtu))) {
    const text = `the partner has not had the response to ${idtu} yet; force deletes the record with its response`;
    throw new CygnetError("CYG_REQUEST_STATE", text);
  }
  // stopped first: nobody takes it up while its file is put away
  const aside: Changes = transfer.phase === "X" ? {} : stepsOf(`${transfer.phase}K`);
  if (aside.phase && !(await catalog.transition(idtu, transfer, aside))) return undefined;
  if (transfer.workfile !== "") {
    if (transfer.direct === "send") await spool.fail({ ...transfer, ...aside });
    else await spool.discard(transfer);
  }
  return (await catalog.remove(idtu)) ? transfer : undefined;
}

function notFrom({ action }: Order, { idtu, direct, phase, phasestep, diagi }: Transfer): CygnetError {
  const states = statesFor(action, direct).join(", ");
  const now = `${idtu} is a ${direct} in state ${phase}${phasestep}${diagi === 0 ? "" : ` with DIAGI ${diagi}`}`;
  const rule =
    states === ""
      ? `${action} is not for a ${direct}; a partner's file goes on when the partner offers it again (cygnet recv)`
      : `${action} applies to ${states}${action === "resume" ? " with a DIAGI" : ""}`;
  return new CygnetError("CYG_REQUEST_STATE", `${now}; ${rule}`);
}
