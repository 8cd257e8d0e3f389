/**
 * Is the gateway alive, and can it take work. Alive: the loop turns and the catalog can be written; where it is not, a
 * new start may help. Ready: ports are open, the catalog answers, a configuration is in force, the disk has room; where
 * it is not, callers should wait or go elsewhere.
 */
import { CygnetError, describe } from "../platform/errors.ts";
import type { Listeners } from "./listeners.ts";
import type { Site } from "./site.ts";

export interface Finding {
  check: "process" | "catalog" | "listeners" | "configuration" | "disk";
  ok: boolean;
  /** What was found, for people. */
  text: string;
}

export interface Verdict {
  ok: boolean;
  checks: readonly Finding[];
}

/** What is looked at beside the site. */
export interface Looked {
  site: Site;
  listeners: Listeners;
  /** Number of the configuration in force; 0 = none yet. */
  generation(): number;
}

/** How long the catalog may take for a change that changes nothing, ms. */
const PATIENCE = 5_000;
/** A verdict on the catalog, or a look at the disks, serves this long, ms: asking is free, writing is not. */
const FRESH = 1_000;

export class Health {
  readonly #looked: () => Looked;
  #written: { at: number; finding: Promise<Finding> } | null = null;

  constructor(looked: () => Looked) {
    this.#looked = looked;
  }

  /** Whoever hears the answer knows that the loop turns. */
  async alive(): Promise<Verdict> {
    const { site } = this.#looked();
    const now = site.clock.monotonic();
    if (this.#written === null || now - this.#written.at >= FRESH) {
      this.#written = { at: now, finding: found("catalog", () => written(site)) };
    }
    const process: Finding = { check: "process", ok: true, text: "the main loop turns" };
    return verdict([process, await this.#written.finding]);
  }

  async ready(): Promise<Verdict> {
    const { site, listeners, generation } = this.#looked();
    const number = generation();
    return verdict(
      await Promise.all([
        found("process", async () => {
          if (site.stopping) throw new CygnetError("CYG_NOT_READY", "the gateway is stopping");
          return "running";
        }),
        found("listeners", async () => {
          const closed = listeners.closed;
          if (closed.length > 0) throw new CygnetError("CYG_NOT_READY", `not open: ${closed.join(", ")}`);
          return `${listeners.ports.length} open`;
        }),
        found("catalog", async () => {
          await site.catalog.totals();
          return "it answers";
        }),
        found("configuration", async () => {
          if (number === 0) throw new CygnetError("CYG_NOT_READY", "none is in force yet");
          return `generation ${number}`;
        }),
        found("disk", () => roomy(site)),
      ]),
    );
  }
}

async function found(check: Finding["check"], look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, text: await look() };
  } catch (error) {
    return { check, ok: false, text: describe(error) };
  }
}

function verdict(checks: readonly Finding[]): Verdict {
  return { ok: checks.every(({ ok }) => ok), checks };
}

async function written({ catalog, clock }: Site): Promise<string> {
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    const text = `a change took longer than ${PATIENCE / 1000} s`;
    const timer = clock.timer(PATIENCE, () => reject(new CygnetError("CYG_NOT_ALIVE", text)));
    stop = () => timer.cancel();
  });
  try {
    await Promise.race([catalog.probe(), late]);
    return "it can be written";
  } catch (error) {
    // a new start makes no room: that is a matter of /readyz
    if (error instanceof CygnetError && error.code === "CYG_CATALOG_FULL") return "the disk is full";
    throw error;
  } finally {
    stop();
  }
}

async function roomy({ diskSpace }: Site): Promise<string> {
  await diskSpace.look(FRESH);
  const { shortage, disks } = diskSpace;
  if (shortage !== null) throw new CygnetError("CYG_NOT_READY", shortage);
  return disks.map(({ text }) => text).join("; ");
}
