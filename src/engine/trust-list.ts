/** Tells once a day when the successor of the trust list in use is overdue: a gateway may run for months without a reload. */
import type { Configuration } from "../config/model.ts";
import type { Journal } from "../messages/journal.ts";
import { importedList, overdue, TSL_ID } from "../pki/trust/tsl-store.ts";
import type { Clock } from "../platform/clock.ts";

const DAY = 24 * 3600 * 1000;

export class TrustListReminder {
  readonly #journal: Journal;
  readonly #clock: Clock;
  /** When it was told last, ms since 1970 UTC; at the start the configuration's warning has told. */
  #told: number;

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
    this.#told = clock.now();
  }

  /** Looks, at most once a day. Errors: CYG_TSL_FILE. */
  async look({ pki, cftparm }: Configuration): Promise<void> {
    const now = this.#clock.now();
    if (!pki.has(TSL_ID) || Math.abs(now - this.#told) < DAY) return;
    this.#told = now;
    const list = await importedList(cftparm.rundir);
    const text = list && overdue(list, now);
    if (text) this.#journal.emit("CFTS76W", { object: `pki ${TSL_ID}`, text });
  }
}
