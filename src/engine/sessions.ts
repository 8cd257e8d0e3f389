/** The sessions that are open, for limits and status. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { Changes } from "../catalog/catalog.ts";
import type { Configuration } from "../config/model.ts";
import type { Session } from "./session.ts";

/** Why one more session may not be: DIAGI, DIAGP and words. */
export interface Full {
  diagi: number;
  diagp: string;
  text: string;
}

export type SessionNews = "opened" | "agreed" | "closed";

export class Sessions {
  readonly #open = new Set<Session>();
  readonly #hearers: ((session: Session, what: SessionNews) => void)[] = [];
  /** Those whose partner is known: the scheduler asks for each of thousands of partners. */
  readonly #byPart = new Map<string, Set<Session>>();
  #recognised = 0;
  /** Lines that are not closed yet: they outlive their sessions by what is still to be written. */
  readonly #lines = new Set<Duplex>();
  readonly #work = new Set<Promise<unknown>>();

  add(session: Session): void {
    this.#open.add(session);
    const { stream } = session.link.connection;
    this.#lines.add(stream);
    stream.once("close", () => this.#lines.delete(stream));
    if (session.part !== null) this.recognised(session, session.part.id);
    this.tell(session, "opened");
  }

  /** The partner of an open session is known now. */
  recognised(session: Session, part: string): void {
    const theirs = this.#byPart.get(part) ?? new Set();
    if (theirs.has(session) || !this.#open.has(session)) return;
    this.#byPart.set(part, theirs.add(session));
    this.#recognised += 1;
  }

  remove(session: Session): void {
    if (!this.#open.delete(session)) return;
    const part = session.part?.id ?? "";
    const theirs = this.#byPart.get(part);
    if (theirs?.delete(session)) {
      this.#recognised -= 1;
      if (theirs.size === 0) this.#byPart.delete(part);
    }
    this.tell(session, "closed");
  }

  /** Calls `hear` when a session is opened, agreed on and closed. It must be quick and not throw. */
  listen(hear: (session: Session, what: SessionNews) => void): void {
    this.#hearers.push(hear);
  }

  tell(session: Session, what: SessionNews): void {
    for (const hear of this.#hearers) hear(session, what);
  }

  /** Work of a session that may outlive it: what a transfer leaves in the catalog when the line breaks. */
  track(work: Promise<unknown>): void {
    const settled = work.catch(() => {}).finally(() => this.#work.delete(settled));
    this.#work.add(settled);
  }

  /** Resolves when no session has anything left to record. */
  async finished(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** Resolves when every line is closed; those that are not after `patience` ms are cut. */
  async hangUp(patience: number): Promise<void> {
    const closed = [...this.#lines].map((stream) => once(stream, "close"));
    const late = setTimeout(() => {
      for (const stream of this.#lines) stream.destroy();
    }, patience);
    await Promise.allSettled(closed);
    clearTimeout(late);
  }

  /** Cuts a transfer that is under way; false when no session carries it. See `Session.cut`. */
  async cut(idtu: string, left: Changes): Promise<boolean> {
    for (const session of this.#open) if (await session.cut(idtu, left)) return true;
    return false;
  }

  get all(): readonly Session[] {
    return [...this.#open];
  }

  of(part: string): Session[] {
    return [...(this.#byPart.get(part) ?? [])];
  }

  /** Sessions whose partner is known, in the given direction. */
  count(part: string, initiator: boolean): number {
    return this.of(part).filter((session) => session.initiator === initiator).length;
  }

  /** Why one more session with this partner may not be, or undefined. */
  full(configuration: Configuration, part: string, initiator: boolean): Full | undefined {
    const { maxtrans } = configuration.cftparm;
    if (this.#recognised >= maxtrans) {
      return { diagi: 416, diagp: "MAXTRANS", text: `maxtrans = ${maxtrans} is reached` };
    }
    const many = (text: string): Full => ({ diagi: 418, diagp: "MAXCV", text });
    const limits = configuration.cfttcp.get(part);
    const inward = limits?.cnxin ?? 2;
    const outward = limits?.cnxout ?? 2;
    const both = limits?.cnxinout ?? 4;
    const sessions = this.of(part).length;
    if (initiator && outward === 0)
      return { diagi: 414, diagp: "NOCALL", text: "cnxout = 0: it is not called" };
    if (sessions >= both) return many(`cnxinout = ${both} is reached`);
    if (!initiator && this.count(part, false) >= inward) return many(`cnxin = ${inward} is reached`);
    if (initiator && this.count(part, true) >= outward) return many(`cnxout = ${outward} is reached`);
    return undefined;
  }
}
