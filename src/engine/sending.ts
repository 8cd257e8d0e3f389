/**
 * Sending one file as Speaker: SFID, data as credit and the line allow, EFID, and what each answer makes of the
 * transfer.
 *
 * Invariants
 * - The claimed file is settled (deleted or archived) only when the transfer is in phase X.
 * - Whatever happens, the claim on the transfer is given up with a state that says what comes next.
 */
import type { Changes, Transfer } from "../catalog/catalog.ts";
import type { Part } from "../config/model.ts";
import { diagiOfAnswer, diagpOfAnswer } from "../messages/codes.ts";
import type { Counts } from "../oftp/files/format.ts";
import {
  type Position,
  type PositionSearch,
  positionOf,
  positionWithin,
  START,
  sizeInBlocks,
} from "../oftp/files/restart.ts";
import type { Efid, Sfid } from "../oftp/wire/commands.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Outgoing } from "../spool/spool.ts";
import { conclude, putAway } from "./conclude.ts";
import { type Forbidden, forbidden } from "./flows.ts";
import { towardsLine } from "./forms.ts";
import { insist } from "./insist.ts";
import { SessionOver } from "./link.ts";
import { sendData } from "./outflow.ts";
import { nextOfSend } from "./phases.ts";
import { afterFailure, DEFAULT_SCHEDULE, type Decision, engineOf, jittered, spacing } from "./retry.ts";
import { RELAYED } from "./routing.ts";
import { isEnveloped, lineForm, sfidSecurity } from "./security.ts";
import { tellReleased, tellSelected } from "./selected.ts";
import type { Session } from "./session.ts";
import { type Diagnosis, diagnoseFile } from "./session-end.ts";
import { keys } from "./site.ts";
import { isHeld, sendFlow } from "./submission.ts";
import { unreadableAs } from "./unreadable.ts";
import { Waiter } from "./waiter.ts";

/** How often a running transfer's progress is noted, ms. */
const PROGRESS = 2_000;

type Started = { accept: bigint } | { reason: number; retry: boolean; text: string };
type Closed = { speaker: boolean } | { reason: number; text: string };

export class Sending {
  readonly started = new Waiter<Started>();
  readonly credit = new Waiter<void>();
  readonly closed = new Waiter<Closed>();
  /** The transfer under way, for status. */
  current: { transfer: Transfer; bytes: number } | null = null;
  /** What an operator wants the transfer under way to become once it has been cut. */
  order: Changes | null = null;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Sends a claimed transfer and gives the claim up. Rejects with SessionOver when the session ended. */
  async send(transfer: Transfer): Promise<void> {
    const { site } = this.#session;
    if (transfer.ack !== "") return this.#answered(transfer);
    let file: Outgoing | null = null;
    this.current = { transfer, bytes: 0 };
    try {
      const exchange = exchangeKindOf(transfer.dsn) !== undefined;
      // certificates and what passes through are nobody's flow
      const listed = !exchange && transfer.idf !== RELAYED;
      const denied = listed && forbidden(site.configuration, this.#partOf(transfer), transfer.idf, "send");
      if (denied) return await this.#denied(transfer, denied);
      let prepared: Transfer;
      if ((transfer.security || exchange) && (this.#session.agreement?.level ?? 0) < 5)
        return await this.#insecure(transfer, exchange);
      try {
        prepared = await this.#prepare(transfer);
        file = await site.spool.openOutgoing(prepared, 0);
      } catch (error) {
        return await this.#unreadable(transfer, error);
      }
      await this.#transfer(prepared, file, (other) => {
        file = other;
      });
    } catch (error) {
      await this.#interrupted(transfer, error);
      throw error;
    } finally {
      this.current = null;
      this.order = null;
      await file?.close();
    }
  }

  /** Whose file it is: the partner of the session, or one whose files it carries. */
  #partOf({ part }: Transfer): Part {
    return this.#session.configuration.cftpart.get(part) ?? (this.#session.part as Part);
  }

  /** Makes the form for the line where it is another than the local one; once, so that a retry sends the same octets. */
  async #prepare(transfer: Transfer): Promise<Transfer> {
    // a certificate goes as it is, whatever the default flow converts
    if (transfer.formsize >= 0 || exchangeKindOf(transfer.dsn)) return transfer;
    const { site, configuration } = this.#session;
    const { cftsend, cftparm } = configuration;
    const flow = cftsend.get(transfer.idf) ?? cftsend.get(cftparm.default);
    const part = this.#partOf(transfer);
    const make = flow && towardsLine(site, part, transfer, flow);
    return make ? site.spool.prepare(transfer, make, flow?.fdisp === "check") : transfer;
  }

  async #transfer(transfer: Transfer, opened: Outgoing, reopened: (file: Outgoing) => void): Promise<void> {
    const { link, agreement, site, role, ids, prot } = this.#session;
    let file = opened;
    // an attempt that began may have left something there, whoever has set the count of tries back since
    const retried = transfer.bdate !== null;
    const { format, lrecl } = lineForm(transfer);
    // how far the partner got is for the partner to say: it answers with what it holds
    const offered =
      agreement?.restart && retried
        ? await this.#locate(transfer, positionWithin(format, lrecl, file.size))
        : START;
    // on the disk before the partner can have the whole file: a retry has to know that there was an attempt
    const begun = site.catalog.update(transfer.idtu, {
      mode: this.#session.initiator ? "requester" : "server",
      prot: prot.id,
      bdate: site.clock.now(),
    });
    begun.catch(() => {}); // heard where it is awaited
    const answer = this.started.wait();
    link.request({ type: "F_START_FILE_RQ", sfid: sfidOf(transfer, file.size, offered.count) });
    const what = { fname: transfer.fname, size: file.size, text: retried ? "selected" : "created" } as const;
    tellSelected(this.#session, transfer, what);
    const started = await answer;
    if ("reason" in started) return this.#refused(transfer, started, retried);

    const position =
      started.accept === offered.count
        ? offered
        : await this.#locate(transfer, positionOf(format, lrecl, started.accept));
    if (position.offset > 0) {
      await file.close();
      file = await site.spool.openOutgoing(transfer, position.offset);
      reopened(file);
      site.journal.emit("CFTT96I", { ...keys(transfer), role, ids, pos: position.offset });
    }
    site.journal.emit("CFTT57I", { ...keys(transfer), ids, role });
    const counts = await this.#pump(transfer, file, position);
    await this.#checkUnchanged(transfer, file);
    await begun;
    while (link.machine.state !== "OPO") await this.credit.wait();
    const ending = this.closed.wait();
    const efid: Efid = { type: "EFID", rcnt: BigInt(counts.records), ucnt: BigInt(counts.octets) };
    link.request({ type: "F_CLOSE_FILE_RQ", efid });
    const closed = await ending;
    const sha256 = transfer.formsize < 0 ? file.digest() : transfer.sha256;
    if ("reason" in closed) return this.#notTaken(transfer, closed);
    await this.#delivered(transfer, counts.octets, sha256);
  }

  /** A flow may want to know that nobody has written to the file while it was read (FDISP = CHECK). */
  async #checkUnchanged({ idf, formsize }: Transfer, file: Outgoing): Promise<void> {
    if (formsize >= 0 || sendFlow(this.#session.configuration, idf).flow.fdisp !== "check") return;
    if (await file.unchanged()) return;
    throw new CygnetError("CYG_SPOOL_OVERWRITTEN", "the file was written to while it was sent");
  }

  /** Carries a search for a position out: only in V files is there anything to read. */
  async #locate(transfer: Transfer, search: PositionSearch): Promise<Position> {
    const { spool } = this.#session.site;
    if (search.needsData) await spool.scanLine(transfer, (chunk) => search.push(chunk));
    return search.position;
  }

  /** Sends the data, and notes now and then how far it has come. */
  #pump(transfer: Transfer, file: Outgoing, position: Position): Promise<Counts> {
    const { link, agreement, site } = this.#session;
    let noted = site.clock.monotonic();
    return sendData({
      link,
      file,
      ...lineForm(transfer),
      // what is compressed or encrypted has no runs worth looking for
      compressed: (agreement?.compression ?? false) && !isEnveloped(transfer.security),
      position,
      credit: () => this.credit.wait(),
      progress: (bytes) => {
        if (this.current) this.current.bytes = bytes;
        if (site.clock.monotonic() - noted <= PROGRESS) return;
        noted = site.clock.monotonic();
        void site.catalog.update(transfer.idtu, { bytes }).catch(() => {});
      },
    });
  }

  /** EFPA: every byte is at the partner. What is left is its end-to-end response, if we wait for one. */
  async #delivered(transfer: Transfer, size: number, sha256: string): Promise<void> {
    const { site, role, ids } = this.#session;
    const now = site.clock.now();
    const fresh = (await site.catalog.get(transfer.idtu)) ?? transfer;
    const done: Changes = {
      bytes: size,
      sha256,
      // a response that says no has left its reason there
      ...(fresh.ack === "N" ? {} : { diagi: 0, diagp: "", diagc: "" }),
      prot: this.#session.prot.id,
    };
    // the response may have come in another session before the answer here
    const next = nextOfSend(site.configuration, fresh, "data", now);
    // what a power failure takes of it, the partner says again: it has the file, and refuses it as a duplicate
    const surety = next.phase === "X" ? "durable" : "applied";
    await site.catalog.release(transfer.idtu, { ...done, ...next, edate: now }, surety);
    site.journal.emit("CFTT58I", { ...keys(transfer), ids, role });
    site.journal.emit("CFTT56I", { ...keys(transfer), role, ids, fname: transfer.fname });
    tellReleased(this.#session, transfer);
    const duration = ((now - (fresh.bdate ?? now)) / 1000).toFixed(3);
    const { direct, fname } = transfer;
    site.journal.emit("CFTT88I", { ...keys(transfer), direct, fname, nbc: size, duration });
    if (next.phase === "X") this.#session.aside(putAway(site, { ...fresh, ...done }), transfer);
    else await conclude(site, transfer);
  }

  /** The answer was lost with its line, and the response came in another session: nothing is left to send. */
  async #answered(transfer: Transfer): Promise<void> {
    const { site } = this.#session;
    const edate = site.clock.now();
    const next = nextOfSend(site.configuration, transfer, "data", edate);
    await site.catalog.release(transfer.idtu, { ...next, edate });
    if (next.phase === "X") await putAway(site, transfer);
  }

  /**
   * Gives the claim up with a state that says what comes next, unless the response has come in another session.
   * @returns true when it has: the send is over
   */
  async #giveUp(transfer: Transfer, changes: Changes): Promise<boolean> {
    const { site } = this.#session;
    const fresh = await site.catalog.get(transfer.idtu);
    if (fresh !== undefined && fresh.ack !== "") {
      await this.#answered(fresh);
      return true;
    }
    await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, changes));
    return conclude(site, transfer);
  }

  /** SFNA. On a retry "duplicate file" proves that an earlier attempt had arrived. */
  async #refused(
    transfer: Transfer,
    answer: { reason: number; retry: boolean; text: string },
    retried: boolean,
  ): Promise<void> {
    const { site } = this.#session;
    if (answer.reason === 13 && !answer.retry && retried) {
      const size = transfer.formsize < 0 ? transfer.filesize : transfer.formsize;
      const whole = await site.spool.openOutgoing(transfer, size);
      const sha256 = transfer.formsize < 0 ? whole.digest() : transfer.sha256;
      await whole.close();
      return this.#delivered(transfer, transfer.filesize, sha256);
    }
    await this.#answeredNo(transfer, "CFTT71E", answer.reason, answer.retry, answer.text);
  }

  /** EFNA: a count that did not match is sent again from the start; anything else needs an operator. */
  async #notTaken(transfer: Transfer, answer: { reason: number; text: string }): Promise<void> {
    const again = answer.reason === 10 || answer.reason === 11 || answer.reason === 12;
    await this.#answeredNo(transfer, "CFTT78E", answer.reason, again && transfer.tries < 3, answer.text);
  }

  async #answeredNo(
    transfer: Transfer,
    id: string,
    reason: number,
    retry: boolean,
    text: string,
  ): Promise<void> {
    const { site, ids } = this.#session;
    const diagi = diagiOfAnswer(reason);
    const diagp = diagpOfAnswer(reason);
    const diagc = text === "" ? `answered with reason ${reason}` : text;
    const again = retry ? this.#nextTry(transfer.tries) : null;
    await this.#giveUp(transfer, {
      phase: "T",
      phasestep: again === null ? "H" : "D",
      diagi,
      diagp,
      diagc,
      bytes: 0,
      tries: transfer.tries,
      retryAt: again ?? 0,
      ...(again === null ? {} : stillHeld(transfer)),
    });
    site.journal.emit(id, { ...keys(transfer), ids, diagi, diagp, diagc });
  }

  /** A list of flows was changed after the file had been recorded: it stops. */
  async #denied(transfer: Transfer, { diagi, message, text }: Forbidden): Promise<void> {
    const { site, ids } = this.#session;
    const changes: Changes = { phase: "T", phasestep: "K", diagi, diagp: "SAUTH", diagc: text };
    await this.#giveUp(transfer, changes);
    site.journal.emit(message, { ...keys(transfer), ids, diagi, text });
  }

  /** File security and the exchange of certificates came with OFTP 2.0: below it the file stays here. */
  async #insecure(transfer: Transfer, exchange: boolean): Promise<void> {
    const { site } = this.#session;
    const diagc = exchange
      ? `certificates are exchanged at OFTP 2.0 (level 5); this session has level ${this.#session.agreement?.level}`
      : "the file is to be secured, which the protocol level of this session cannot carry";
    const changes: Changes = { phase: "T", phasestep: "H", diagi: 278, diagp: "SECURITY", diagc };
    await site.catalog.release(transfer.idtu, changes);
    site.journal.emit("CFTT17I", { ...keys(transfer), text: diagc });
  }

  async #unreadable(transfer: Transfer, error: unknown): Promise<void> {
    const { site } = this.#session;
    const diagc = describe(error);
    const diagi = unreadableAs(error);
    const gone = diagi === 110;
    const ignored = gone && sendFlow(site.configuration, transfer.idf).flow.filenotfound === "ignore";
    const over = await this.#giveUp(transfer, {
      ...(ignored
        ? { phase: "X", phasestep: "X", workfile: "", spool: null }
        : { phase: "T", phasestep: "H" }),
      diagi,
      diagp: gone ? "NO OLD" : "",
      diagc,
    });
    if (over) return;
    const id = ignored ? "CFTT82W" : gone ? "CFTF02E" : "CFTF04E";
    site.journal.emit(id, { ...keys(transfer), fname: transfer.fname, diagi, text: diagc });
  }

  /** The session ended in the middle: back to D, from where it stopped, a little later each time. */
  async #interrupted(transfer: Transfer, error: unknown): Promise<void> {
    const { site, ids } = this.#session;
    const end = error instanceof SessionOver ? error.end : null;
    const bytes = this.current?.bytes ?? 0;
    if (this.order !== null) {
      const over = await this.#giveUp(transfer, { ...this.order, bytes });
      const { diagi = 0, diagp, diagc } = this.order;
      if (!over) site.journal.emit("CFTT62E", { ...keys(transfer), ids, diagi, diagp, diagc });
      return;
    }
    const { diagi, diagp } = end === null ? diagnoseFault(error) : diagnoseFile(end);
    const diagc = end?.text || describe(error);
    const tries = Math.max(bytes > transfer.bytes ? 1 : transfer.tries, 1);
    const next = site.stopping ? { wait: 0, stop: null } : this.#afterFailure(diagi, tries);
    const stop = next.stop ?? { diagi, diagp };
    // what is wrong with the file itself is held, as what a partner has refused
    const step = engineOf(diagi) === "ABORT" ? "H" : "K";
    const changes: Changes = {
      phase: "T",
      phasestep: next.stop === null ? "D" : step,
      diagi: stop.diagi,
      diagp: stop.diagp || diagp,
      diagc,
      bytes,
      tries,
      retryAt: site.clock.now() + next.wait,
      ...(next.stop === null ? stillHeld(transfer) : {}),
    };
    const over = await this.#giveUp(transfer, changes);
    const text = diagc;
    const cut = end?.origin === "distant" && !end.lost;
    site.journal.emit(cut ? "CFTT74E" : "CFTT82E", { ...keys(transfer), ids, diagi, diagp, diagc });
    if (next.stop === null || step === "H" || over) return;
    const id = stop.diagp === "MAXRST" ? "CFTT08E" : "CFTT03E";
    site.journal.emit(id, { ...keys(transfer), diagi: stop.diagi, diagp, text });
  }

  #afterFailure(diagi: number, tries: number): Decision {
    const { site, configuration, part, prot } = this.#session;
    const schedule = configuration.cfttcp.get(part?.id ?? "") ?? DEFAULT_SCHEDULE;
    const before = { tries: tries - 1, diagi };
    return afterFailure(diagi, before, { ...schedule, restart: prot.restart }, site.random.fraction());
  }

  /** When a transfer may be tried again after so many tries; null when they are used up. */
  #nextTry(tries: number): number | null {
    const { site, configuration, part } = this.#session;
    const schedule = configuration.cfttcp.get(part?.id ?? "") ?? DEFAULT_SCHEDULE;
    const wait = spacing(schedule, tries);
    return wait === null ? null : site.clock.now() + jittered(wait, site.random.fraction());
  }
}

/** Something on our side failed while a file was sent: the catalog will be there again, a file may not. */
function diagnoseFault(error: unknown): Diagnosis {
  const unread = unreadableAs(error);
  if (unread === 126 || unread === 153) return { diagi: unread, diagp: "" };
  const catalog = error instanceof CygnetError && error.code.startsWith("CYG_CATALOG");
  return catalog ? { diagi: 412, diagp: "CATUPDT" } : { diagi: 108, diagp: "" };
}

/** What the partner fetches waits for its next call, and is not called out for. */
function stillHeld(transfer: Transfer): Changes {
  const { diagi, diagp } = transfer;
  return isHeld(transfer) ? { phasestep: "H", diagi, diagp } : {};
}

function sfidOf(transfer: Transfer, size: number, rest: bigint): Sfid {
  return {
    type: "SFID",
    dsn: transfer.dsn,
    date: transfer.date,
    time: transfer.time,
    user: "",
    dest: transfer.dest,
    orig: transfer.orig,
    fmt: transfer.format,
    lrecl: transfer.lrecl,
    fsiz: sizeInBlocks(size),
    osiz: sizeInBlocks(isEnveloped(transfer.security) ? transfer.filesize : size),
    rest,
    ...sfidSecurity(transfer.security),
    desc: transfer.description,
  };
}
