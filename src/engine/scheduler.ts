/**
 * Who is called, and when. One session to a partner at a time serves all that waits for it; a partner that is
 * down has its own clock and costs nothing to the others.
 */
import type { PartnerClock } from "../catalog/catalog.ts";
import type { Part } from "../config/model.ts";
import { describe } from "../platform/errors.ts";
import { reviewBroadcasts } from "./broadcast.ts";
import { type CallFailure, call } from "./caller.ts";
import type { SessionEnd } from "./link.ts";
import { Looks } from "./looks.ts";
import { type Obstacle, obstacleOf } from "./obstacle.ts";
import { Preparation } from "./preparation.ts";
import { afterFailure, DEFAULT_SCHEDULE, engineOf } from "./retry.ts";
import { onlyRouted } from "./routing.ts";
import { Session } from "./session.ts";
import { diagnoseOpening } from "./session-end.ts";
import type { Site } from "./site.ts";

/** After these ESID reasons nobody calls again within a minute: it is the partner's or our software. */
const PATIENT = new Set([1, 2, 6, 7]);
const A_MINUTE = 60_000;
/** ESID 10: mode or capabilities incompatible. */
const INCOMPATIBLE = 10;
/** DIAGI of limits that pass when a session ends. */
const PASSING = new Set([416, 418]);
/** Kicks within this time are one. */
const GATHER = 10;
/** The part of the time that is spent in looking: one in so many. */
const LEISURE = 4;
/** Longest sleep: work that another process left behind is found at the latest then. */
const LONGEST = 60_000;

export class Scheduler {
  readonly #site: Site;
  readonly #preparation: Preparation;
  readonly #calling = new Set<string>();
  readonly #calls = new Set<Promise<void>>();
  readonly #looks: Looks;
  /** How long the last look took, ms: where thousands of partners wait, looks are fewer and see more. */
  #took = 0;
  /** Highest level to offer a partner that refused a higher one; forgotten at a restart, in case it has learned. */
  readonly #ceilings = new Map<string, number>();
  /** What the records of waiting sends say about their partner. */
  readonly #explained = new Map<string, string>();
  /** Partners whose files go by an intermediate one, as was said in the log. */
  readonly #rerouted = new Set<string>();
  /** Partners that are to be called although nothing waits for them. */
  readonly #polled = new Set<string>();
  readonly #abort = new AbortController();

  constructor(site: Site) {
    this.#site = site;
    this.#preparation = new Preparation(site);
    const options = { name: "the scheduler stumbled", again: A_MINUTE };
    this.#looks = new Looks(
      () => site,
      options,
      () => this.#look(),
    );
  }

  /** Something may have become due. */
  kick(): void {
    this.#looks.lookIn(Math.max(GATHER, this.#took * LEISURE));
  }

  /** Begins no call from now on; resolves when those under way have come to nothing or to a session. */
  async stop(): Promise<void> {
    const looked = this.#looks.stop();
    this.#abort.abort();
    await looked;
    await Promise.all(this.#calls);
  }

  /** Resolves when no envelope is being made any more; those that are not ready are made at the next start. */
  async sealed(): Promise<void> {
    await this.#preparation.stop();
  }

  /**
   * Gives a partner the turn, whether or not something waits for it: in the session that is open or about to be, else in
   * one of its own, as soon as one more may be. Otherwise gives the reason why not.
   */
  poll(id: string): string | undefined {
    const { clock, configuration, sessions, stopping } = this.#site;
    const owner = configuration.cftpart.get(id);
    if (owner === undefined) return "there is no such partner";
    if (stopping || this.#looks.stopped) return "the gateway is shutting down";
    const part = (onlyRouted(configuration, owner) && configuration.cftpart.get(owner.ipart)) || owner;
    const session = sessions.of(part.id).find(({ initiator, link }) => initiator && !link.over);
    if (session) {
      session.speaking.handOver();
      void session.closed.then(() => session.speaking.turnDue && this.#pollAgain(part));
      return undefined;
    }
    const obstacle = this.#calling.has(part.id) ? undefined : this.#obstacle(part, clock.now());
    if (obstacle && !PASSING.has(obstacle.diagi)) return obstacle.text;
    this.#pollAgain(part);
    return undefined;
  }

  #pollAgain(part: Part): void {
    this.#polled.add(part.id);
    if (this.#reasonNotToCall(part) === undefined) this.#begin(part);
  }

  async #look(): Promise<void> {
    if (this.#looks.stopped) return;
    const { catalog, clock, configuration, sessions } = this.#site;
    const begun = clock.monotonic();
    await reviewBroadcasts(this.#site);
    const now = clock.now();
    this.#preparation.kick();
    for (const id of this.#polled) {
      const part = configuration.cftpart.get(id);
      if (part === undefined) this.#polled.delete(id);
      else if (this.#reasonNotToCall(part) === undefined) this.#begin(part);
    }
    const { parts, nextAt } = await catalog.work(now);
    let next = nextAt === null ? LONGEST : Math.max(GATHER, nextAt - now);
    for (const id of parts) {
      const owner = configuration.cftpart.get(id);
      if (owner === undefined) {
        await this.#orphaned(id);
        continue;
      }
      const part = await this.#carrier(owner);
      for (const session of sessions.of(part.id)) session.wake();
      await this.#explain(owner, now);
      const shut = this.#obstacle(part, now)?.wait;
      if (shut !== undefined) next = Math.min(next, shut);
      if (this.#reasonNotToCall(part) !== undefined) continue;
      const soon = Math.max(...sessions.of(part.id).map(({ speaking }) => speaking.turnComesIn));
      if (soon > 0) {
        next = Math.min(next, soon);
        continue;
      }
      const { nextCallAt } = await catalog.clock(part.id);
      const wait = nextCallAt - now;
      if (wait > 0) next = Math.min(next, wait);
      else if (!this.#calling.has(part.id)) this.#begin(part);
    }
    this.#took = clock.monotonic() - begun;
    this.#looks.lookIn(Math.min(next, LONGEST));
  }

  /** See `Site.routed`: a partner that has an intermediate one is called itself as long as that works. */
  async routed(part: Part): Promise<boolean> {
    if (part.ipart === "") return false;
    if (onlyRouted(this.#site.configuration, part)) return true;
    const { activations, catalog, clock } = this.#site;
    if (!activations.allows(part, true)) return false;
    const { tries, nextCallAt } = await catalog.clock(part.id);
    return tries > 0 && nextCallAt > clock.now();
  }

  /** Whom to call for what waits for a partner. */
  async #carrier(part: Part): Promise<Part> {
    const by = this.#site.configuration.cftpart.get(part.ipart);
    if (by === undefined || !(await this.routed(part))) return part;
    if (!this.#rerouted.has(part.id)) {
      this.#rerouted.add(part.id);
      const text = `its files go by ${by.id}`;
      this.#site.journal.emit("CFTT06W", { part: part.id, idtu: "", idf: "", text });
    }
    return by;
  }

  /** Keeps what the records of waiting sends say about their partner true. */
  async #explain(part: Part, now: number): Promise<void> {
    const why = await this.#waitsFor(part, now);
    const text = why === undefined ? "" : `${why.diagi} ${why.text}`;
    // the first look clears what a life before has left there
    const isNews = this.#explained.get(part.id) !== text;
    if (!isNews && why === undefined) return;
    if (isNews && why?.message) {
      const who = { idtu: "", part: part.id, idf: "" };
      this.#site.journal.emit(why.message, { ...who, text: why.text });
      if (why.wait)
        this.#site.journal.emit("CFTC03W", { ...who, time: new Date(now + why.wait).toISOString() });
    }
    await this.#site.catalog.explainWaiting(part.id, why && { diagi: why.diagi, diagc: why.text }, isNews);
    this.#explained.set(part.id, text);
  }

  /** What the records of a partner wait for; undefined = nothing worth telling. */
  async #waitsFor(part: Part, now: number): Promise<Obstacle | undefined> {
    const { catalog, sessions } = this.#site;
    if (await this.routed(part)) return undefined;
    // whatever keeps us from calling: what waits goes with the session that is there
    const open = sessions.of(part.id).length > 0 || this.#calling.has(part.id);
    const obstacle = open ? undefined : this.#obstacle(part, now);
    if (obstacle) return obstacle;
    const { nextCallAt, diagi, reason } = await catalog.clock(part.id);
    if (nextCallAt > now && diagi !== 0) return { diagi, text: `the last call failed: ${reason}` };
    return undefined;
  }

  #obstacle(part: Part, now: number): Obstacle | undefined {
    const { activations, configuration, sessions } = this.#site;
    const tcp = configuration.cfttcp.get(part.id);
    const full = sessions.full(configuration, part.id, true);
    return obstacleOf({ part, tcp, state: activations.part(part), full, now });
  }

  #reasonNotToCall(part: Part): string | undefined {
    const { clock, sessions, stopping } = this.#site;
    if (stopping || this.#looks.stopped) return "the gateway is shutting down";
    if (this.#calling.has(part.id)) return "a call is under way";
    if (sessions.count(part.id, true) > 0) return "a session is open";
    return this.#obstacle(part, clock.now())?.text;
  }

  #begin(part: Part): void {
    this.#calling.add(part.id);
    const work = this.#call(part)
      .catch((error: unknown) => this.#failed(part, { diagi: 302, diagp: "", text: describe(error) }, false))
      .catch((error: unknown) => {
        const text = `the failure of a call is not recorded: ${describe(error)}`;
        this.#site.journal.emit("CFTC70E", { part: part.id, text });
        return this.#leaveAlone();
      })
      .finally(() => {
        this.#calling.delete(part.id);
        // asked for once, tried once: whoever asked sees in the log what came of it
        this.#polled.delete(part.id);
        this.#calls.delete(work);
        this.kick();
      });
    this.#calls.add(work);
  }

  /** Where no clock could be set that would say so: a while in which a partner is not called again. */
  #leaveAlone(): Promise<void> {
    const { signal } = this.#abort;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const over = () => {
        timer.cancel();
        signal.removeEventListener("abort", over);
        resolve();
      };
      const timer = this.#site.clock.timer(A_MINUTE, over);
      signal.addEventListener("abort", over);
    });
  }

  async #call(part: Part): Promise<void> {
    const site = this.#site;
    const result = await call(site, part, this.#abort.signal);
    if (this.#looks.stopped && !("connection" in result)) return;
    if (!("connection" in result)) return this.#failed(part, result, false);
    if (this.#looks.stopped) {
      result.connection.stream.destroy();
      return;
    }
    const ceiling = this.#ceilings.get(part.id);
    const session = new Session({
      site,
      connection: result.connection,
      prot: result.prot,
      part,
      ...(ceiling === undefined ? {} : { ceiling }),
    });
    if (this.#polled.has(part.id)) session.speaking.handOver();
    session.start();
    if (await session.opened) {
      const { tries } = await site.catalog.clock(part.id);
      if (tries > 0) await site.catalog.setClock(rested(part.id, 0));
      void session.closed.then((end) => this.#afterSession(part, session, end)).catch(() => {});
    } else {
      const end = await session.closed;
      const code = String(end.reason).padStart(2, "0");
      const text = end.lost ? end.text : `ESID ${code}: ${end.text || "refused"}`;
      if (site.stopping) return;
      if (end.origin === "distant" && end.reason === INCOMPATIBLE) this.#stepDown(part, session);
      const failure = { ...diagnoseOpening(end), text };
      site.journal.emit("CFTH11E", { part: part.id, ids: session.ids, ...failure });
      if (end.origin === "distant" && !end.lost) site.journal.emit("CFTH13E", { part: part.id, ...failure });
      await this.#failed(part, failure, PATIENT.has(end.reason));
    }
  }

  /** Products that cannot negotiate a level down refuse a higher one: the next call offers the next lower. */
  #stepDown(part: Part, session: Session): void {
    const offered = session.link.machine.capabilities?.levels ?? [];
    const lower = offered.filter((level) => level < Math.max(...offered));
    if (lower.length > 0) this.#ceilings.set(part.id, Math.max(...lower));
    else this.#ceilings.delete(part.id);
  }

  /**
   * A session that was opened and broke on a fault of software is not repeated at once; nor is one in which files of
   * ours could not go (`srout`, or what the partner answered to it), since they wait still.
   */
  async #afterSession(part: Part, { agreement }: Session, end: SessionEnd): Promise<void> {
    const { catalog, clock, configuration } = this.#site;
    if (!end.normal && PATIENT.has(end.reason)) {
      await catalog.setClock(rested(part.id, clock.now() + A_MINUTE));
    } else if (agreement && !agreement.maySend) {
      const { retryw } = configuration.cfttcp.get(part.id) ?? DEFAULT_SCHEDULE;
      const reason = "the session was not one in which this side may send files";
      await catalog.setClock({ ...rested(part.id, clock.now() + retryw), reason });
    }
  }

  /** Counts the failure and sets the partner's clock; what is not tried again stops. */
  async #failed(part: Part, failure: CallFailure, patient: boolean): Promise<void> {
    const { catalog, clock, configuration, random } = this.#site;
    const { diagi, text } = failure;
    const before = await catalog.clock(part.id);
    const schedule = configuration.cfttcp.get(part.id) ?? DEFAULT_SCHEDULE;
    const restart = Math.max(...part.prot.map((id) => configuration.cftprot.get(id)?.restart ?? 5));
    const next = afterFailure(diagi, before, { ...schedule, restart }, random.fraction());
    const wait = patient ? Math.max(next.wait, A_MINUTE) : next.wait;
    // what has another way goes that way, unless nobody is to be trusted with it
    const reroutes = part.ipart !== "" && engineOf(diagi) !== "ABORT";
    if (next.stop && !reroutes) await this.#stopSends(part, failure, next.stop);
    const { tries } = next;
    await catalog.setClock({ part: part.id, tries, nextCallAt: clock.now() + wait, diagi, reason: text });
  }

  async #stopSends(part: Part, failure: CallFailure, stop: { diagi: number; diagp: string }): Promise<void> {
    const { catalog, journal } = this.#site;
    const { diagi, text } = failure;
    const why = { diagi: stop.diagi, diagp: stop.diagp || failure.diagp, diagc: text };
    const used = { MAXRETRY: "CFTT03E", MAXRST: "CFTT08E" }[why.diagp];
    for (const { idtu, idf } of await catalog.stopSends(part.id, why)) {
      const who = { idtu, part: part.id, idf };
      if (used) journal.emit(used, { ...who, diagi, diagp: failure.diagp, text });
      else journal.emit("CFTT75E", { ...who, ...why });
    }
  }

  /** What waits for a partner that the configuration does not have any more stops. */
  async #orphaned(id: string): Promise<void> {
    const why = { diagi: 408, diagp: "NO PART", diagc: `there is no partner ${id}` };
    for (const { idtu, idf } of await this.#site.catalog.stopSends(id, why)) {
      this.#site.journal.emit("CFTT14E", { idtu, part: id, idf, text: why.diagc });
    }
  }
}

function rested(part: string, nextCallAt: number): PartnerClock {
  return { part, tries: 0, nextCallAt, diagi: 0, reason: "" };
}
