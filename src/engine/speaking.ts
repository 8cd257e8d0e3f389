/**
 * What a session does while it is Speaker, and when it passes the turn or ends.
 *
 * Invariant: a Speaker sends waiting end-to-end responses first, then files, then passes the turn or ends.
 */
import type { Transfer } from "../catalog/catalog.ts";
import type { Part } from "../config/model.ts";
import { sendResponse } from "./responses.ts";
import { carriedBy } from "./routing.ts";
import type { Session } from "./session.ts";
import { Waiter } from "./waiter.ts";

/** Longest wait for deliveries under way before the turn is passed without their responses, ms. */
export const DELIVERY_PATIENCE = 30_000;

/** How long after it has sent us a file a partner is trusted to pass its turn soon, ms. */
const TURN_SOON = 5_000;

export class Speaking {
  /** Given when there may be something to send. */
  readonly work = new Waiter<void>();
  readonly #session: Session;
  /** Only say hello: no file goes either way. */
  readonly #probe: boolean;
  /** Whose files this session may carry; its configuration does not change. */
  #carried: readonly Part[] | null = null;
  #running = false;
  /** A turn of the partner that was asked for: still to be given, given. */
  #turn: "due" | "given" | null = null;
  /** Until when our turn is expected without more ado (monotonic). */
  #soonUntil = 0;

  constructor(session: Session, probe: boolean) {
    this.#session = session;
    this.#probe = probe;
  }

  /** True while a turn of the partner that somebody has asked for has not been given. */
  get turnDue(): boolean {
    return this.#turn === "due";
  }

  /** Gives the partner the turn once more, in this session if it may: it ends at once where it may not. */
  handOver(): void {
    this.#turn = "due";
    this.work.give();
  }

  /** The partner does something with its turn. */
  turnTaken(): void {
    if (this.#turn !== "given") return;
    this.#turn = null;
    const { site, part, ids } = this.#session;
    site.journal.emit("CFTT83I", { part: part?.id ?? "", idtu: "", idf: "", ids });
  }

  /** The partner uses its turn: when it is done with it ours will come. */
  partnerSpeaks(): void {
    this.#soonUntil = this.#session.site.clock.monotonic() + TURN_SOON;
  }

  /**
   * For how long our turn in this session is worth waiting for, ms, and while it lasts: a call beside it would cost more
   * than it gains.
   */
  get turnComesIn(): number {
    const { link, site, agreement } = this.#session;
    if (link.over) return 0;
    if (this.#running && agreement?.maySend) return TURN_SOON;
    return Math.max(0, this.#soonUntil - site.clock.monotonic());
  }

  /** Responses, files, then the turn: runs until the turn or the session is gone. Undefined when it runs already. */
  begin(): Promise<void> | undefined {
    this.#soonUntil = 0;
    return this.#running ? undefined : this.#speak();
  }

  async #speak(): Promise<void> {
    const { link, site, ids } = this.#session;
    this.#running = true;
    try {
      while (link.machine.speaker) {
        if (await this.#sendNext()) continue;
        if (await site.deliveries.settled(ids, DELIVERY_PATIENCE)) continue;
        if (link.machine.state === "IDLESP") {
          if (this.turnDue) this.#turn = "given";
          link.request({ type: "F_CD_RQ" });
        } else if (!(await this.#moreWork())) {
          link.request({ type: "F_RELEASE_RQ", reason: 0, text: "" });
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /** Sends one response or file; false when nothing waits. */
  async #sendNext(): Promise<boolean> {
    if (this.#probe) return false;
    const { site, agreement, sending, part } = this.#session;
    if (await sendResponse(this.#session, part as Part)) return true;
    if (site.stopping || !agreement?.maySend) return false;
    const transfer = await this.#claim(part as Part);
    if (transfer === undefined) return false;
    await sending.send(transfer);
    return true;
  }

  /** The best waiting send of the partner and of those whose files its sessions carry. */
  async #claim(part: Part): Promise<Transfer | undefined> {
    const { site, initiator, configuration } = this.#session;
    const { activations, catalog, owner, clock } = site;
    // a partner that was closed meanwhile gets nothing more in a session that is still open
    if (!activations.allows(part, initiator)) return undefined;
    this.#carried ??= carriedBy(configuration, part);
    const parts = [part.id];
    for (const each of this.#carried) {
      if (each !== part && (await site.routed(each))) parts.push(each.id);
    }
    // a partner that has called may fetch what is held for it, and for those behind it
    return catalog.claimSend(parts, owner, clock.now(), !initiator);
  }

  /** An idle requester keeps the session for DISCTD; true when there is something to send after all. */
  async #moreWork(): Promise<boolean> {
    const { site, initiator, prot, link } = this.#session;
    // who has just been given the turn must not give it back (RFC 5024 section 9.8): another session will
    if (!initiator || this.#probe || site.stopping || this.turnDue) return false;
    let timer: { cancel(): void } | undefined;
    const expired = new Promise<false>((resolve) => {
      if (prot.disctd > 0) timer = site.clock.timer(prot.disctd, () => resolve(false));
    });
    const more = await Promise.race([this.work.wait().then(() => true), expired]);
    timer?.cancel();
    return more && !link.over;
  }
}
