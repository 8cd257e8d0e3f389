/**
 * From the work folder to the inbox, and the end-to-end response that follows.
 *
 * Invariants
 * - An EERP is recorded only after the file stands under its final name, synced, directory included.
 * - A delivery that keeps failing ends in a NERP, with the file kept in failed/<PART>/.
 */
import type { Changes, Transfer } from "../catalog/catalog.ts";
import type { Recv } from "../config/model.ts";
import { nerpText } from "../messages/codes.ts";
import { FormatError } from "../oftp/files/format.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import type { Timer } from "../platform/clock.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { reasonsOf } from "./envelopes.ts";
import { lineHash, towardsDisk } from "./forms.ts";
import { insist } from "./insist.ts";
import { isDecidedByScript, partOf, RELAYED } from "./routing.ts";
import { scriptFor } from "./scripts/choose.ts";
import { isEnveloped } from "./security.ts";
import { keys, type Site } from "./site.ts";
import { confine, isDatasheet, receiveFlow, targetOf } from "./target.ts";

/** Waits between attempts, ms; after the last one the delivery is given up. */
const ATTEMPTS = [1_000, 5_000, 30_000, 120_000, 600_000, 600_000, 1_800_000, 3_600_000];

/** RETRYRENAME: how often a name that is taken is tried again, and how long after each, ms. */
const RENAMES = 10;
const RENAME_EVERY = 60_000;
/** DIAGI of a name that is taken, and of one that stayed so. */
const TAKEN = 137;
const STILL_TAKEN = 156;

/** What an end-to-end response says: NERPREAS (0 = positive) and NERPREAST. */
export interface Verdict {
  reason: number;
  text: string;
}

/** NERPREAS of a file that cannot be delivered. */
const UNDELIVERABLE = 34;
/** DIAGI of a file that the exit code of a script, or an operator, has turned back. */
const BY_SCRIPT = 155;
/** DIAGP of a file that a script has let pass, until it is forwarded. */
const GOES_ON = "FORWARD";
/** A file for another partner whose flow has no script to decide. */
export const UNDECIDED = {
  diagi: 155,
  diagp: "NO EXEC",
  diagc: "its flow has no script that says whether it is forwarded; cygnet end forwards it",
} as const;

/** Priority of what passes through: that of an ordinary file. */
const RELAY_PRIORITY = 128;

export class Deliveries {
  readonly #site: () => Site;
  /** Deliveries under way by session id. */
  readonly #underWay = new Map<string, Set<Promise<void>>>();
  readonly #timers = new Set<Timer>();

  constructor(site: () => Site) {
    this.#site = site;
  }

  /**
   * Makes the local form of a received file, once: opens its envelope, converts it. The transfer as it is then.
   * @throws CygnetError CYG_CMS_…, FormatError, and what the spool throws
   */
  async open(transfer: Transfer): Promise<Transfer> {
    const site = this.#site();
    const part = site.configuration.cftpart.get(transfer.part);
    if (part === undefined)
      throw new CygnetError("CYG_DELIVERY_PART", `there is no partner ${transfer.part}`);
    const make = towardsDisk(site, part, transfer, this.#flow(transfer));
    return make ? await site.spool.localise(transfer, make) : transfer;
  }

  /** Starts delivering a completely received file; `ids` is the session that brought it. */
  begin(transfer: Transfer, ids: string, attempt = 0): void {
    const work = this.#deliver(transfer, ids, attempt)
      // what could not even be recorded stays as it is: the next start takes it up
      .catch((error: unknown) => {
        this.#site().journal.emit("CFTC70E", { ...keys(transfer), text: describe(error) });
      })
      .finally(() => {
        const mine = this.#underWay.get(ids);
        mine?.delete(work);
        if (mine?.size === 0) this.#underWay.delete(ids);
      });
    const mine = this.#underWay.get(ids) ?? new Set();
    this.#underWay.set(ids, mine.add(work));
  }

  /**
   * Waits until a session's deliveries are through, at most `patience` ms.
   * @returns false when there was nothing to wait for
   */
  async settled(ids: string, patience: number): Promise<boolean> {
    const mine = this.#underWay.get(ids);
    if (mine === undefined) return false;
    let timer: Timer | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = this.#site().clock.timer(patience, () => resolve(false));
    });
    const done = Promise.all(mine).then(() => true);
    const result = await Promise.race([done, late]);
    timer?.cancel();
    return result;
  }

  /** Waits for everything under way and forgets what would be tried later: the next start finds it. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await Promise.all([...this.#underWay.values()].flatMap((each) => [...each]));
  }

  async #deliver(transfer: Transfer, ids: string, attempt: number): Promise<void> {
    const site = this.#site();
    try {
      const ready = await this.#hashed(transfer);
      if (ready.idf === RELAYED) {
        if (ready.diagp !== GOES_ON && isDecidedByScript(site.configuration, ready))
          return await this.#ask(ready);
        return await this.#forward(ready);
      }
      if (exchangeKindOf(ready.dsn)) return await site.exchange.received(ready);
      const local = await this.open(ready);
      const target = this.#target(local);
      const flow = this.#flow(transfer);
      await confine(site.disk, site.configuration, flow, target);
      const only = flow.fdisp === "new" || flow.faction !== "";
      const fname = await site.spool.deliver(local, target, only);
      await this.finish({ ...local, fname });
      if (attempt > 0) site.journal.emit("CFTF33I", { ...keys(transfer), fname });
    } catch (error) {
      const text = describe(error);
      if (await this.#isGone(transfer)) return await this.lost(transfer, text);
      if (hasCode(error, "CYG_SPOOL_TAKEN") && /rename/.test(this.#flow(transfer).faction)) {
        return await this.#renameLater(transfer, ids, attempt, text);
      }
      // contents that the flow cannot convert do not get better
      const final = error instanceof FormatError || hasCode(error, "CYG_SPOOL_TAKEN");
      const reason = final ? UNDELIVERABLE : reasonsOf(error)?.nerp;
      if (reason !== undefined) return this.#giveUp(transfer, reason, text);
      site.journal.emit("CFTF25E", { ...keys(transfer), fname: transfer.nfname, text });
      const wait = ATTEMPTS[attempt];
      if (wait === undefined) {
        site.journal.emit("CFTF32E", { ...keys(transfer), fname: transfer.nfname, text });
        return this.#giveUp(transfer, UNDELIVERABLE, text);
      }
      await this.#again(transfer, ids, { attempt, wait, diagi: 142, text });
    }
  }

  async #again(
    transfer: Transfer,
    ids: string,
    { attempt, wait, diagi, text }: { attempt: number; wait: number; diagi: number; text: string },
  ): Promise<void> {
    const site = this.#site();
    if (site.stopping) return;
    await site.catalog.update(transfer.idtu, { diagi, diagc: text }).catch(() => {});
    const time = new Date(site.clock.now() + wait).toISOString();
    site.journal.emit("CFTF35W", { ...keys(transfer), fname: transfer.nfname, time });
    const timer = site.clock.timer(wait, () => {
      this.#timers.delete(timer);
      this.begin(transfer, ids, attempt + 1);
    });
    this.#timers.add(timer);
  }

  /** A name that is taken is waited for, or not: then the file stays in the work folder, and its response waits, too. */
  async #renameLater(transfer: Transfer, ids: string, attempt: number, text: string): Promise<void> {
    const site = this.#site();
    const patient = this.#flow(transfer).faction === "retryrename";
    if (patient && attempt < RENAMES) {
      return this.#again(transfer, ids, { attempt, wait: RENAME_EVERY, diagi: TAKEN, text });
    }
    const diagi = patient ? STILL_TAKEN : TAKEN;
    const stopped: Changes = { phase: "Y", phasestep: "K", diagi, diagp: "RENAME", diagc: text };
    await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, stopped));
    const id = patient ? "CFTF32E" : "CFTF25E";
    site.journal.emit(id, { ...keys(transfer), fname: transfer.nfname, text });
  }

  /** True when the complete file is in the work folder no more, and was not delivered either. */
  async #isGone({ idtu }: Transfer): Promise<boolean> {
    const { catalog, disk } = this.#site();
    const record = await catalog.get(idtu).catch(() => undefined);
    if (record === undefined || record.phase !== "Y" || record.workfile === "" || record.spool !== null)
      return false;
    return disk.status(record.workfile).then(
      () => false,
      (error: unknown) => isSystemError(error, "ENOENT"),
    );
  }

  /** The file of a receive has vanished from the work folder: its partner hears that it was not delivered. */
  async lost(transfer: Transfer, text: string): Promise<void> {
    const site = this.#site();
    site.journal.emit("CFTF34E", { ...keys(transfer), fname: transfer.nfname, text });
    const ended: Changes = { edate: site.clock.now(), diagi: 142, diagp: "", diagc: text };
    await this.respond(transfer, ended, {
      kind: "NERP",
      reason: UNDELIVERABLE,
      text: "the file could not be delivered",
    });
  }

  /** Whether a file for somebody else goes on is for the script of its flow to say. */
  async #ask(transfer: Transfer): Promise<void> {
    const { catalog, configuration, clock, journal } = this.#site();
    const script: Changes = { phase: "Y", phasestep: "D", script: "exec", edate: clock.now() };
    if (scriptFor(configuration, transfer, "exec")) return catalog.release(transfer.idtu, script);
    await catalog.release(transfer.idtu, { ...script, phasestep: "K", ...UNDECIDED });
    journal.emit("CFTS02E", { ...keys(transfer), script: "", text: UNDECIDED.diagc });
  }

  /** Somebody has said that a file for somebody else goes on. Durable when it resolves; false where it does not wait for that. */
  async goOn(transfer: Transfer): Promise<boolean> {
    const { idtu, phase, phasestep } = transfer;
    const allowed = { phase: "Y", phasestep: "C", script: "", diagi: 0, diagp: GOES_ON, diagc: "" } as const;
    if (!(await this.#site().catalog.advance(idtu, { phase, phasestep }, allowed))) return false;
    this.begin({ ...transfer, ...allowed }, "script");
    return true;
  }

  /** Somebody has said that a file for somebody else does not go on: it is put away, its originator hears why. */
  async turnBack(transfer: Transfer, { reason, text }: Verdict): Promise<boolean> {
    const { phase, phasestep } = transfer;
    return this.endPutAway(await this.#putAway(transfer, { diagi: BY_SCRIPT, reason, text }), {
      phase,
      phasestep,
    });
  }

  /** Puts the file of a receive away for good. The transfer as it is then, with what is left to be told. */
  async #putAway(
    transfer: Transfer,
    { diagi, reason, text }: { diagi: number; reason: number; text: string },
  ): Promise<Transfer> {
    const { catalog, spool } = this.#site();
    // before the file moves: should we die in between, the next start says it. What is put away keeps the name under
    // which it would have been delivered
    const why = { fname: this.#target(transfer), diagi, diagp: `NERP ${reason}`, diagc: text };
    await catalog.update(transfer.idtu, why);
    await spool.fail(transfer);
    return { ...transfer, ...why };
  }

  /** The file of a receive was put away instead of delivered: its originator hears the reason that was noted before. */
  endPutAway(transfer: Transfer, from?: Pick<Transfer, "phase" | "phasestep">): Promise<boolean> {
    const { diagi, diagp, diagc } = transfer;
    const reason = Number(/^NERP (\d+)$/.exec(diagp)?.[1] ?? UNDELIVERABLE);
    const edate = this.#site().clock.now();
    if (diagi === BY_SCRIPT) {
      const ended: Changes = { script: "", ackstate: "ignore", diagi, diagp, diagc, edate };
      return this.respond(transfer, ended, { kind: "NERP", reason, text: diagc }, from);
    }
    const text = reason === UNDELIVERABLE ? "the file could not be delivered" : nerpText(reason);
    const ended: Changes = { edate, diagi: 142, diagp: "", diagc };
    return this.respond(transfer, ended, { kind: "NERP", reason, text }, from);
  }

  /** A file for somebody else goes on as it came; its response will come back the same way. */
  async #forward(transfer: Transfer): Promise<void> {
    const site = this.#site();
    const to = partOf(site.configuration, transfer.dest);
    if (to === undefined) {
      throw new CygnetError("CYG_DELIVERY_PART", `no partner has the code ${transfer.dest}`);
    }
    const { workfile, size } = await site.spool.relay(transfer);
    // what the file has outside its envelope is for its destination to know
    const filesize = transfer.security?.original || transfer.filesize;
    const send = await site.catalog.forward(transfer.idtu, {
      ...{ part: to.id, workfile, filesize },
      ...{ formsize: size, pri: RELAY_PRIORITY },
    });
    // the first name of the file: nobody misses it now
    await site.disk.remove(transfer.workfile).catch(() => {});
    const text = `forwarded to ${to.id} as ${send.idtu}`;
    site.journal.emit("CFTR12I", { ...keys(send), cmd: "SEND", user: `from ${transfer.part}`, text });
    site.kick();
  }

  /**
   * The file is in the inbox. The record ends, or waits for its script; the response goes with the next turn, or when
   * a script or `cygnet end` gives it.
   */
  async finish(transfer: Transfer): Promise<void> {
    const { catalog, clock, journal, configuration } = this.#site();
    const { fname } = transfer;
    const delivered: Changes = { edate: clock.now(), diagi: 0, diagp: "", diagc: "", fname };
    const script: Changes | null = scriptFor(configuration, transfer, "exec") && {
      phase: "Y",
      phasestep: "D",
      script: "exec",
    };
    if (this.#flow(transfer).ackmode === "auto") {
      const changes: Changes = { ...delivered, ackstate: "ignore", ...script };
      await this.respond(transfer, changes, { kind: "EERP", reason: 0, text: "" });
    } else {
      const waits: Changes = { phase: "Z", phasestep: "H", workfile: "", spool: null, ackstate: "require" };
      await catalog.release(transfer.idtu, { ...delivered, ...waits, ...script });
    }
    journal.emit("CFTT56I", { ...keys(transfer), role: "server", fname });
    if (isDatasheet(transfer.nfname)) journal.emit("CFTH96I", { ...keys(transfer), fname });
  }

  /**
   * The verdict of an operator, an application or a script on a delivered file whose flow waits for one. Given while
   * the script of the file is due or runs, it does not keep that from ending as it does; a script that has stopped
   * counts as done.
   * @throws CygnetError CYG_REQUEST_STATE when it does not wait
   */
  async end(transfer: Transfer, verdict: Verdict): Promise<void> {
    const { direct, phase, phasestep, script, ackstate } = transfer;
    const waits = phase === "Z" || (phase === "Y" && script !== "" && ackstate === "require");
    const { reason, text } = verdict;
    const diagnosis: Changes = reason === 0 ? {} : { diagp: `NERP ${reason}`, diagc: text };
    const kind = reason === 0 ? "EERP" : "NERP";
    const goesOn = phase === "Y" && (phasestep === "D" || phasestep === "C");
    const state: Changes = goesOn ? { phase, phasestep } : { script: "" };
    const changes: Changes = { ...diagnosis, ...state, ackstate: "ignore" };
    const done =
      direct === "recv" &&
      waits &&
      (await this.respond(transfer, changes, { kind, reason, text }, { phase, phasestep }));
    if (done) return;
    const why = `${transfer.idtu} is a ${direct} in phase ${phase}; only a receive that waits for its response (phase Z, or Y with a script) can be ended`;
    throw new CygnetError("CYG_REQUEST_STATE", why);
  }

  /** The verdict of the script of a received file: it ends with it. False where somebody was faster. */
  decide(transfer: Transfer, { reason, text }: Verdict): Promise<boolean> {
    const diagnosis: Changes = reason === 0 ? {} : { diagp: `NERP ${reason}`, diagc: text };
    const kind = reason === 0 ? "EERP" : "NERP";
    const changes: Changes = { ...diagnosis, script: "", ackstate: "ignore" };
    return this.respond(transfer, changes, { kind, reason, text }, { phase: "Y", phasestep: "C" });
  }

  /** Who gives the end-to-end response for this file. */
  ackmode(transfer: Transfer): Recv["ackmode"] {
    return this.#flow(transfer).ackmode;
  }

  /** Ends a receive, with changes, and queues its response. */
  async respond(
    transfer: Transfer,
    changes: Changes,
    answer: Verdict & { kind: "EERP" | "NERP" },
    from?: Pick<Transfer, "phase" | "phasestep">,
  ): Promise<boolean> {
    const site = this.#site();
    const done: Changes = { phase: "X", phasestep: "X", ...changes };
    const response = { ...responseTo(transfer), ...answer };
    const recorded = await site.catalog.finishReceive(transfer.idtu, done, response, from);
    if (recorded) site.kick();
    return recorded;
  }

  /** A response that has to be signed needs the hash of what was on the line, before that form is gone. */
  async #hashed(transfer: Transfer): Promise<Transfer> {
    const { security } = transfer;
    const passes = transfer.idf === RELAYED;
    if (!security?.signedEerp || isEnveloped(security) || passes || transfer.linehash !== "") return transfer;
    const linehash = (await lineHash(this.#site(), transfer)).toString("hex");
    await this.#site().catalog.update(transfer.idtu, { linehash });
    return { ...transfer, linehash };
  }

  async #giveUp(transfer: Transfer, reason: number, text: string): Promise<void> {
    const site = this.#site();
    try {
      if (transfer.security?.signedEerp && transfer.linehash === "") {
        const linehash = (await lineHash(site, transfer)).toString("hex");
        await site.catalog.update(transfer.idtu, { linehash });
      }
      await this.endPutAway(await this.#putAway(transfer, { diagi: 142, reason, text }));
    } catch (error) {
      site.journal.emit("CFTC70E", { ...keys(transfer), text: `${text}; ${describe(error)}` });
    }
  }

  #flow(transfer: Transfer): Recv {
    return receiveFlow(this.#site().configuration, transfer);
  }

  #target(transfer: Transfer): string {
    const { configuration, clock } = this.#site();
    return targetOf(configuration, transfer, new Date(clock.now()));
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof CygnetError && error.code === code;
}

/** The response to a receive goes back by the sessions that brought it. */
export function responseTo(transfer: Transfer) {
  const { dsn, date, time, orig, dest, part, via, idtu } = transfer;
  return { dsn, date, time, orig, dest, part: via || part, idtu };
}
