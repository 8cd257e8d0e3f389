/** What must not stay unrecorded because the catalog's disk is full or gone for a while. */
import { CygnetError, describe } from "../platform/errors.ts";
import type { Site } from "./site.ts";

/** Between two attempts, ms. */
const AGAIN = 1_000;
/** Faults of the catalog that pass. */
const PASSING = new Set(["CYG_CATALOG_FULL", "CYG_CATALOG_WRITE", "CYG_CATALOG_LOCKED"]);

interface Who {
  idtu: string;
  part: string;
  idf?: string;
}

/**
 * Records a change that gives something up (a claim, a response): nobody would work on it again otherwise. When the
 * catalog cannot be written now, this says so, resolves, and goes on trying until it can or the gateway stops, whose
 * next start gives claims up anyway.
 * @throws whatever `record` throws when it will not pass by itself
 */
export async function insist(site: Site, who: Who, record: () => Promise<unknown>): Promise<void> {
  try {
    await record();
  } catch (error) {
    if (!passes(error)) throw error;
    site.journal.emit("CFTT21E", { ...who, code: 412, text: describe(error) });
    site.sessions.track(again(site, who, record));
  }
}

async function again(site: Site, who: Who, record: () => Promise<unknown>): Promise<void> {
  let text = "";
  while (!site.stopping) {
    await new Promise<void>((resolve) => site.clock.timer(AGAIN, resolve));
    try {
      await record();
      return site.kick();
    } catch (error) {
      text = describe(error);
      if (!passes(error)) break;
    }
  }
  site.journal.emit("CFTC06E", {
    ...who,
    text: `${text || "the gateway stops"}; the next start takes it up`,
  });
}

function passes(error: unknown): boolean {
  return error instanceof CygnetError && PASSING.has(error.code);
}
