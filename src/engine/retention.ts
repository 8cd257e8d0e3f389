/** How long things are kept: ended records, half-received files that nobody goes on with, the trust list in use. */
import type { Timer } from "../platform/clock.ts";
import { describe } from "../platform/errors.ts";
import { keys, type Site } from "./site.ts";
import { TrustListReminder } from "./trust-list.ts";

/** After a start, and from then on, ms. */
const FIRST = 10_000;
const EVERY = 3_600_000;

export class Retention {
  readonly #site: () => Site;
  readonly #trustList: TrustListReminder;
  #timer: Timer | null = null;

  constructor(site: () => Site) {
    this.#site = site;
    const { journal, clock } = site();
    this.#trustList = new TrustListReminder(journal, clock);
  }

  open(): void {
    this.#schedule(FIRST);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Deletes what is older than [cftcat] says; gives the number of records. */
  async purge(): Promise<number> {
    const { catalog, clock, configuration, journal } = this.#site();
    const { sx, rx, rh } = configuration.cftcat;
    const now = clock.now();
    const count = await catalog.purge({ sends: now - sx, receives: now - rx });
    if (count > 0) journal.emit("CFTC08I", { text: `purge: ${count} records deleted` });
    await this.#expire(now - rh);
    return count;
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
