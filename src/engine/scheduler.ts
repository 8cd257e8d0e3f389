/**
 * Who is called, and when. One session to a partner at a time serves all that waits for it; a partner that is
 * down has its own clock and costs nothing to the others.
 */
import type { PartnerClock } from "../catalog/catalog.ts";
import type { Part } from "../config/model.ts";
import type { Timer } from "../platform/clock.ts";
import { describe } from "../platform/errors.ts";
import { type CallFailure, call } from "./caller.ts";
import type { SessionEnd } from "./link.ts";
import { Preparation } from "./preparation.ts";
import { jittered, spacing } from "./retry.ts";
import { Session } from "./session.ts";
import type { Site } from "./site.ts";
import { untilOpen } from "./window.ts";

/** After these ESID reasons nobody calls again within a minute: it is the partner's or our software. */
const PATIENT = new Set([1, 2, 6, 7]);
const A_MINUTE = 60_000;
/** DIAGI of a session that the partner did not open. */
const REFUSED = 451;
/** DIAGI of a failed TLS handshake: not tried again, because a certificate does not get better by itself. */
const NOT_TRUSTED = 260;
/** DIAGI of a partner that has no room now or is closing down (ESID 05, 08): tried again without a limit. */
const BUSY = 916;
/** ESID 10: mode or capabilities incompatible. */
const INCOMPATIBLE = 10;
/** Kicks within this time are one. */
const GATHER = 10;
/** Longest sleep: work that another process left behind is found at the latest then. */
const LONGEST = 60_000;
const DEFAULTS = { retryw: A_MINUTE, retryn: 4, retrym: 12 };

export class Scheduler {
  readonly #site: Site;
  readonly #preparation: Preparation;
  readonly #calling = new Set<string>();
  readonly #calls = new Set<Promise<void>>();
  #timer: Timer | null = null;
  #due = Number.POSITIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();
  /** Highest level to offer a partner that refused a higher one; forgotten at a restart, in case it has learned. */
  readonly #ceilings = new Map<string, number>();
  readonly #abort = new AbortController();
  #stopped = false;

  constructor(site: Site) {
    this.#site = site;
    this.#preparation = new Preparation(site);
  }

  /** Something may have become due. */
  kick(): void {
    this.#wakeIn(GATHER);
  }

  /** Begins no call from now on; resolves when those under way have come to nothing or to a session. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abort.abort();
    this.#timer?.cancel();
    await this.#running;
    await Promise.all(this.#calls);
  }

  /** Resolves when no envelope is being made any more; those that are not ready are made at the next start. */
  async sealed(): Promise<void> {
    await this.#preparation.stop();
  }

  /** Calls a partner now, whether or not something waits for it; otherwise gives the reason why not. */
  poll(id: string): string | undefined {
    const part = this.#site.configuration.cftpart.get(id);
    if (part === undefined) return "there is no such partner";
    const why = this.#reasonNotToCall(part);
    if (why === undefined) this.#begin(part);
    return why;
  }

  #wakeIn(wait: number): void {
    if (this.#stopped) return;
    const at = this.#site.clock.monotonic() + wait;
    if (this.#timer && at >= this.#due) return;
    this.#timer?.cancel();
    this.#due = at;
    this.#timer = this.#site.clock.timer(wait, () => {
      this.#timer = null;
      this.#running = this.#running
        .then(() => this.#look())
        .catch((error: unknown) => {
          this.#site.journal.emit("CFTC70E", { text: `the scheduler stumbled: ${describe(error)}` });
          this.#wakeIn(A_MINUTE);
        });
    });
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const { catalog, clock, configuration, sessions } = this.#site;
    const now = clock.now();
    this.#preparation.kick();
    const { parts, nextAt } = await catalog.work(now);
    let next = nextAt === null ? LONGEST : Math.max(GATHER, nextAt - now);
    for (const id of parts) {
      const part = configuration.cftpart.get(id);
      if (part === undefined) continue;
      for (const session of sessions.of(id)) session.wake();
      if (this.#reasonNotToCall(part) !== undefined) continue;
      const { nextCallAt } = await catalog.clock(id);
      const wait = Math.max(nextCallAt - now, untilOpen(part.outgoing, now));
      if (wait > 0) next = Math.min(next, wait);
      else if (!this.#calling.has(id)) this.#begin(part);
    }
    this.#wakeIn(Math.min(next, LONGEST));
  }

  #reasonNotToCall(part: Part): string | undefined {
    const { configuration, sessions, stopping } = this.#site;
    if (stopping || this.#stopped) return "the gateway is shutting down";
    if (this.#calling.has(part.id)) return "a call is under way";
    if (part.state === "noactive" || part.state === "activeserv") return "the partner may not be called";
    if (!configuration.cfttcp.has(part.id)) return "there is no cfttcp for the partner";
    if (sessions.count(part.id, true) > 0) return "a session is open";
    return sessions.full(configuration, part.id, true);
  }

  #begin(part: Part): void {
    this.#calling.add(part.id);
    const work = this.#call(part)
      .catch((error: unknown) => this.#failed(part, { diagi: 302, diagp: "", text: describe(error) }, false))
      .finally(() => {
        this.#calling.delete(part.id);
        this.#calls.delete(work);
        this.kick();
      });
    this.#calls.add(work);
  }

  async #call(part: Part): Promise<void> {
    const site = this.#site;
    const result = await call(site, part, this.#abort.signal);
    if (this.#stopped && !("connection" in result)) return;
    if (!("connection" in result)) return this.#failed(part, result, false);
    if (this.#stopped) {
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
    session.start();
    if (await session.opened) {
      const { tries } = await site.catalog.clock(part.id);
      if (tries > 0) await site.catalog.setClock(rested(part.id, 0));
      void session.closed.then((end) => this.#afterSession(part, session, end)).catch(() => {});
    } else {
      const end = await session.closed;
      const code = String(end.reason).padStart(2, "0");
      const text = end.reason === 99 ? end.text : `ESID ${code}: ${end.text || "refused"}`;
      if (site.stopping) return;
      if (end.origin === "distant" && end.reason === INCOMPATIBLE) this.#stepDown(part, session);
      site.journal.emit("CFTH11E", { part: part.id, host: session.host, prot: session.prot.id, text });
      // a line that broke says nothing about the partner's will: it counts as a failed call
      const lost = end.reason === 99;
      const busy = end.reason === 5 || end.reason === 8;
      const diagi = lost ? 302 : busy ? BUSY : REFUSED;
      const failure = { diagi, diagp: lost ? "" : `2${code}`, text };
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
      const { retryw } = configuration.cfttcp.get(part.id) ?? DEFAULTS;
      const reason = "the session was not one in which this side may send files";
      await catalog.setClock({ ...rested(part.id, clock.now() + retryw), reason });
    }
  }

  /** Counts the failure and sets the partner's clock; when all tries are used its waiting sends stop. */
  async #failed(part: Part, failure: CallFailure, patient: boolean): Promise<void> {
    const { catalog, clock, configuration, journal, random } = this.#site;
    const refused = failure.diagi === REFUSED;
    const before = await catalog.clock(part.id);
    // calls that fail and sessions that are refused have limits of their own, so they are not added up
    const failures = ((before.diagi === REFUSED) === refused ? before.tries : 0) + 1;
    const tcp = configuration.cfttcp.get(part.id) ?? DEFAULTS;
    const limit =
      failure.diagi === BUSY
        ? Number.POSITIVE_INFINITY
        : refused
          ? Math.max(...part.prot.map((id) => configuration.cftprot.get(id)?.restart ?? 5))
          : tcp.retrym;
    const wait = spacing({ ...tcp, retrym: Math.max(limit, 1) }, failures);
    const spaced = jittered(wait ?? tcp.retryw, random.fraction());
    const nextCallAt = clock.now() + (patient ? Math.max(spaced, A_MINUTE) : spaced);
    const { diagi, text } = failure;
    const state: PartnerClock = {
      part: part.id,
      tries: wait === null ? 0 : failures,
      nextCallAt,
      diagi,
      reason: text,
    };
    await catalog.setClock(state);
    if (diagi === NOT_TRUSTED) {
      const why = { diagi, diagp: failure.diagp, diagc: text };
      for (const { idtu, idf } of await catalog.stopSends(part.id, why)) {
        journal.emit("CFTT75E", { idtu, part: part.id, idf, ...why });
      }
    }
    if (wait !== null) return;
    const stopped = await catalog.stopSends(part.id, {
      diagi: refused ? 406 : 405,
      diagp: refused ? "MAXRST" : "MAXRETRY",
      diagc: text,
    });
    const id = refused ? "CFTT08E" : "CFTT03E";
    for (const { idtu, idf } of stopped) journal.emit(id, { idtu, part: part.id, idf, diagi, text });
  }
}

function rested(part: string, nextCallAt: number): PartnerClock {
  return { part, tries: 0, nextCallAt, diagi: 0, reason: "" };
}
