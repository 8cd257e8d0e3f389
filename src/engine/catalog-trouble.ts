/** A catalog that cannot be written is told of at once, whoever it was that wanted to write. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Journal } from "../messages/journal.ts";
import type { Clock } from "../platform/clock.ts";
import { CygnetError } from "../platform/errors.ts";

/** Errors of the catalog as a whole, not of one record. */
const WHOLE = new Set(["CYG_CATALOG_FULL", "CYG_CATALOG_WRITE"]);
/** Everything fails then: one message in this time, ms. */
const QUIET = 60_000;

/** The same catalog; CFTC01E says when it cannot be written. */
export function tellingTrouble(catalog: Catalog, journal: Journal, clock: Clock): Catalog {
  let toldAt = Number.NEGATIVE_INFINITY;
  const hear = (error: unknown) => {
    if (!(error instanceof CygnetError && WHOLE.has(error.code))) return;
    const now = clock.monotonic();
    if (now - toldAt < QUIET) return;
    toldAt = now;
    journal.emit("CFTC01E", { text: error.message });
  };
  const hearing = Object.entries(catalog).map(([name, method]) => {
    const call = (...values: unknown[]) => {
      const result = (method as (...values: unknown[]) => unknown)(...values);
      if (result instanceof Promise) result.catch(hear);
      return result;
    };
    return [name, call];
  });
  return Object.fromEntries(hearing) as Catalog;
}
