/**
 * How long things are kept: ended records, half-received files that nobody goes on with, the trust list in use;
 * and what has taken too long.
 */
import { writtenState } from "../catalog/transitions.ts";
import type { Timer } from "../platform/clock.ts";
import { describe } from "../platform/errors.ts";
import { deleteOld, endOverdue } from "./overdue.ts";
import { keys, type Site } from "./site.ts";
import { TrustListReminder } from "./trust-list.ts";

/** After a start, and from then on, ms. */
const FIRST = 10_000;
const EVERY = 3_600_000;
/** How often transfers that take too long are looked for, ms. */
const OVERDUE_EVERY = 5_000;

export class Retention {
  readonly #site: () => Site;
  readonly #doubtful: () => boolean;
  readonly #trustList: TrustListReminder;
  #timer: Timer | null = null;
  #stopped = false;
  #overdue: Timer | null = null;

  /** `doubtful`: whether what the clock calls old may be young. */
  constructor(site: () => Site, doubtful: () => boolean = () => false) {
    this.#site = site;
    this.#doubtful = doubtful;
    const { journal, clock } = site();
    this.#trustList = new TrustListReminder(journal, clock);
  }

  open(): void {
    this.#schedule(FIRST);
    this.#lookForOverdue();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#overdue?.cancel();
    this.#timer = null;
    this.#stopped = true;
  }

  /** Deletes what is older than [cftcat] says; gives the number of records. */
  async purge(): Promise<number> {
    const { catalog, clock, configuration, journal } = this.#site();
    const { sx, rx, rh } = configuration.cftcat;
    if (this.#doubtful()) {
      journal.emit("CFTC08I", { text: "purge: left out, the clock was set forward less than a day ago" });
      return 0;
    }
    const now = clock.now();
    const count = await catalog.purge({ sends: now - sx, receives: now - rx }, (transfer) => {
      const { direct } = transfer;
      journal.emit("CFTC12I", { ...keys(transfer), state: writtenState(transfer), direct });
    });
    if (count > 0) journal.emit("CFTC08I", { text: `purge: ${count} records deleted` });
    await this.#expire(now - rh);
    await deleteOld(this.#site());
    return count;
  }

  #lookForOverdue(): void {
    const site = this.#site();
    this.#overdue = site.clock.timer(OVERDUE_EVERY, () => {
      endOverdue(site)
        .catch((error: unknown) => site.journal.emit("CFTC70E", { text: `overdue: ${describe(error)}` }))
        .finally(() => this.#stopped || this.#lookForOverdue());
    });
  }

  #schedule(wait: number): void {
    const { clock, journal } = this.#site();
    this.#timer = clock.timer(wait, () => {
      const { configuration } = this.#site();
      this.purge().catch((error: unknown) => journal.emit("CFTC70E", { text: `purge: ${describe(error)}` }));
      this.#trustList
        .look(configuration)
        .catch((error: unknown) => journal.emit("CFTS76W", { text: describe(error) }));
      this.#schedule(EVERY);
    });
  }

  /** Drops what was half received and not offered again since `before`: the next offer starts anew. */
  async #expire(before: number): Promise<void> {
    const { catalog, spool, journal, owner } = this.#site();
    for (const transfer of await catalog.list({ direct: "recv", state: "H", limit: 10_000 })) {
      const { idtu, workfile, bdate, kdate } = transfer;
      if (workfile === "" || (bdate ?? kdate) > before) continue;
      // the partner may offer it again at this very moment: one of both has it
      if (!(await catalog.claimReceive(idtu, owner))) continue;
      await spool.discard(transfer);
      const diagc = "the half-received file has expired";
      await catalog.release(idtu, { phase: "T", phasestep: "H", diagc });
      journal.emit("CFTC08I", { ...keys(transfer), text: `half-received file of ${transfer.idtu} dropped` });
    }
  }
}
