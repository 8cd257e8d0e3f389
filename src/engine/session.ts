/**
 * One session with a partner: its life, and handing each event to the part that does the work (`welcome.ts`,
 * `authentication.ts`, `speaking.ts`, `sending.ts`, `receiving.ts`, `responses.ts`).
 *
 * Invariant: the configuration that a session began with serves it to its end.
 */

import type { Changes, Transfer } from "../catalog/catalog.ts";
import type { Configuration, Part, Prot } from "../config/model.ts";
import type { Connection } from "../net/connection.ts";
import type { Agreement } from "../oftp/session/negotiate.ts";
import { tolerates } from "../oftp/tolerances.ts";
import type { Command, Eerp, Efid, Nerp, Sfid, Ssid } from "../oftp/wire/commands.ts";
import { describe } from "../platform/errors.ts";
import { answerPartner, challengePartner } from "./authentication.ts";
import { Link, type SessionEnd, SessionOver, type SessionUser } from "./link.ts";
import { Receiving } from "./receiving.ts";
import { authenticates, capabilities, samePassword } from "./recognition.ts";
import { receiveResponse } from "./responses.ts";
import { Sending } from "./sending.ts";
import { keys, type Site } from "./site.ts";
import { DELIVERY_PATIENCE, Speaking } from "./speaking.ts";
import { traceLine } from "./trace.ts";
import { Waiter } from "./waiter.ts";
import { welcome } from "./welcome.ts";

export interface SessionRequest {
  site: Site;
  connection: Connection;
  prot: Prot;
  /** The partner that we call; null when somebody calls us. */
  part: Part | null;
  /** Only say hello: no file goes either way. */
  probe?: boolean;
  /** Highest SSIDLEV to offer; the configuration's when it is not given. */
  ceiling?: number;
}

/** How long a session that is cut may take for its good-bye, ms. */
const GOOD_BYE = 2_000;

let counter = 0;

export class Session implements SessionUser {
  /** Session id for messages (IDS). */
  readonly ids: string;
  readonly site: Site;
  readonly configuration: Configuration;
  readonly prot: Prot;
  readonly initiator: boolean;
  readonly link: Link;
  readonly sending: Sending;
  readonly receiving: Receiving;
  readonly speaking: Speaking;
  readonly startedAt: number;
  part: Part | null;
  agreement: Agreement | null = null;
  /** Resolves when the session is over; never rejects. */
  readonly closed: Promise<SessionEnd>;
  /** Resolves true when the session was opened, false when it ended before. */
  readonly opened: Promise<boolean>;
  readonly #rtr = new Waiter<void>();
  readonly #working = new Set<Promise<unknown>>();
  #resolveClosed: (end: SessionEnd) => void = () => {};
  #resolveOpened: (opened: boolean) => void = () => {};

  constructor({ site, connection, prot, part, probe = false, ceiling = 5 }: SessionRequest) {
    this.ids = String(++counter).padStart(6, "0");
    this.site = site;
    this.configuration = site.configuration;
    this.prot = prot;
    this.part = part;
    this.initiator = part !== null;
    this.startedAt = site.clock.now();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
    const guard = (wait: number) => (wait === 0 ? 0 : wait + DELIVERY_PATIENCE);
    const wanted = part && capabilities(prot, part, true, authenticates(prot, part, null, false));
    this.link = new Link({
      connection,
      initiator: this.initiator,
      session:
        part && wanted
          ? {
              capabilities: {
                ...wanted,
                levels: wanted.levels.filter((level) => level <= ceiling),
                // a station that only sends is sent nothing
                ...(probe ? { sr: "S" } : {}),
              },
              code: part.nspart,
              password: part.nspassw.reveal(),
            }
          : {},
      timers: {
        disctc: prot.disctc,
        rto: prot.rto,
        // an idle Speaker ends the session itself; this timer only guards against our own silence
        disctd: guard(prot.disctd),
        discts: prot.discts,
        disctr: prot.disctr,
      },
      clock: site.clock,
      user: this,
      trace: (way, command) => this.#trace(way, command),
    });
    if (part) this.link.machine.tolerates = tolerates(part.quirks);
    this.sending = new Sending(this);
    this.receiving = new Receiving(this);
    this.speaking = new Speaking(this, probe);
  }

  /** Transfer CFT's word for this side, in messages. */
  get role(): string {
    return `${this.link.connection.secure ? "SSL " : ""}${this.initiator ? "requester" : "server"}`;
  }

  get host(): string {
    return this.link.connection.remote.address;
  }

  /** No file is under way in either direction. */
  get idle(): boolean {
    return this.sending.current === null && this.receiving.current === null;
  }

  start(): void {
    this.site.sessions.add(this);
    this.link.start();
  }

  /** There may be something to send: an idle Speaker looks again. */
  wake(): void {
    this.speaking.work.give();
  }

  /**
   * Cuts the transfer under way so that it becomes what an operator wants; resolves when that is recorded. The session
   * goes with it: OFTP has no way to take back a file that has begun.
   * @returns false when this session does not carry the transfer
   */
  async cut(idtu: string, left: Changes): Promise<boolean> {
    const carrier = [this.sending, this.receiving].find((each) => each.current?.transfer.idtu === idtu);
    if (carrier === undefined) return false;
    carrier.order = left;
    this.link.end(99, "stopped by an operator");
    const patience = this.site.clock.timer(GOOD_BYE, () => this.link.destroy());
    await this.closed;
    patience.cancel();
    await Promise.all(this.#working);
    return true;
  }

  connectIndication(ssid: Ssid): void {
    welcome(this, ssid);
  }

  connectOpened(agreement: Agreement): void {
    this.#open(agreement);
  }

  challenge(): void {
    this.background(challengePartner(this));
  }

  respond(chal: Buffer): void {
    answerPartner(this, chal);
  }

  connectConfirmed(ssid: Ssid, agreement: Agreement): void {
    const part = this.part as Part;
    if (ssid.code !== part.nrpart) {
      const text = `the partner calls itself "${ssid.code}", expected is "${part.nrpart}"`;
      this.site.journal.emit("CFTT15E", { npart: ssid.code, host: this.host, ids: this.ids, text });
      return this.link.end(3, "the identification code is not the one expected");
    }
    if (!samePassword(part.nrpassw, ssid.pswd)) {
      this.site.journal.emit("CFTT19E", { part: part.id, text: "the password that it answered is wrong" });
      return this.link.end(4, "the password is wrong");
    }
    this.#open(agreement);
    this.turn();
  }

  #open(agreement: Agreement): void {
    this.agreement = agreement;
    const part = this.part as Part;
    const { journal } = this.site;
    const protocol = `ODETTE level ${agreement.level}`;
    journal.emit("CFTH56I", {
      part: part.id,
      ids: this.ids,
      prot: this.prot.id,
      protocol,
      role: this.role,
      host: this.host,
    });
    journal.emit("CFTT51I", { part: part.id, role: this.role, ids: this.ids });
    this.link.connection.standing?.accepted(part.nrpart);
    this.site.sessions.tell(this, "agreed");
    this.#resolveOpened(true);
  }

  startFile(sfid: Sfid): void {
    this.speaking.turnTaken();
    this.speaking.partnerSpeaks();
    this.receiving.startFile(sfid);
  }

  data(subrecords: Buffer, credit: boolean): void {
    this.receiving.data(subrecords, credit);
  }

  closeFile(efid: Efid): void {
    this.speaking.partnerSpeaks();
    this.receiving.closeFile(efid);
  }

  startFileConfirmed(answer: Parameters<SessionUser["startFileConfirmed"]>[0]): void {
    this.sending.started.give(answer);
  }

  dataConfirmed(): void {
    this.sending.credit.give();
  }

  closeFileConfirmed(answer: Parameters<SessionUser["closeFileConfirmed"]>[0]): void {
    this.sending.closed.give(answer);
  }

  eerp(eerp: Eerp): void {
    this.speaking.turnTaken();
    this.background(receiveResponse(this, eerp));
  }

  nerp(nerp: Nerp): void {
    this.speaking.turnTaken();
    this.background(receiveResponse(this, nerp));
  }

  rtr(): void {
    this.#rtr.give();
  }

  turn(): void {
    const speaking = this.speaking.begin();
    if (speaking) this.background(speaking);
  }

  /** True when a deviation is let pass for this partner; it is logged then. */
  lets(name: string): boolean {
    if (!this.link.machine.tolerates(name)) return false;
    this.tolerated(name);
    return true;
  }

  tolerated(name: string): void {
    this.site.journal.emit("CFTH70W", { part: this.part?.id, ids: this.ids, host: this.host, name });
  }

  /** Work of this session that may outlive it: what a transfer leaves in the catalog when the line breaks. */
  track(work: Promise<unknown>): void {
    const settled = work.catch(() => {}).finally(() => this.#working.delete(settled));
    this.#working.add(settled);
    this.site.sessions.track(settled);
  }

  /** Work for a transfer that nothing in this session waits for; that it failed is said in the log. */
  aside(work: Promise<unknown>, transfer: Pick<Transfer, "idtu" | "part" | "idf">): void {
    this.track(work);
    work.catch((error: unknown) => {
      this.site.journal.emit("CFTC70E", { ...keys(transfer), text: describe(error) });
    });
  }

  /** Waits for RTR after an EERP or NERP. */
  awaitRtr(): Promise<void> {
    return this.#rtr.wait();
  }

  ended(end: SessionEnd): void {
    const over = new SessionOver(end);
    for (const waiter of [
      this.#rtr,
      this.speaking.work,
      this.sending.started,
      this.sending.credit,
      this.sending.closed,
    ]) {
      waiter.fail(over);
    }
    this.receiving.ended(over);
    // it could not answer the challenge to the partner's key
    if (this.part && end.origin === "local" && end.reason === 11) {
      this.link.connection.standing?.refused(this.part.nrpart);
    }
    this.site.sessions.remove(this);
    this.#resolveOpened(false);
    this.#report(end);
    this.#resolveClosed(end);
    this.site.kick();
  }

  #report(end: SessionEnd): void {
    const { journal } = this.site;
    const part = this.part?.id;
    const where = { part, ids: this.ids, host: this.host, prot: this.prot.id };
    if (end.fault) {
      const text = `the line broke: ${end.fault}`;
      journal.emit("CFTH03E", { part: part ?? "", ncs: end.fault, net: this.prot.net, ids: this.ids, text });
    }
    const why = `${end.text || "ended"} (ESID ${String(end.reason).padStart(2, "0")} ${end.origin})`;
    if (!end.normal) {
      const timer = end.text.startsWith("timer ");
      if (timer) journal.emit("CFTH78W", { ...where, timer: end.text.split(" ")[1] ?? "", text: why });
      else
        journal.emit("CFTH76W", { ...where, state: this.link.machine.state, reason: end.reason, text: why });
    }
    if (this.agreement) {
      journal.emit("CFTT52I", { part, role: this.role, ids: this.ids });
      journal.emit("CFTH61I", {
        ...where,
        protocol: `ODETTE level ${this.agreement.level}`,
        role: this.role,
      });
    }
  }

  /** Runs work that nobody awaits: the end of the session is no error, everything else ends the session. */
  background(work: Promise<void>): void {
    this.track(work);
    work.catch((error: unknown) => {
      if (error instanceof SessionOver) return;
      const part = this.part?.id;
      this.site.journal.emit("CFTH77E", { part, ids: this.ids, text: describe(error) });
      this.link.end(99, "internal error");
    });
  }

  #trace(way: "in" | "out", command: Command): void {
    const id = this.part?.trace ? "CFTH75I" : "CFTH75T";
    if (id === "CFTH75T" && this.site.configuration.cftlog.level !== "T") return;
    const text = `${way} ${traceLine(command)}`;
    this.site.journal.emit(id, { part: this.part?.id, ids: this.ids, text });
  }
}
