/**
 * Looks after generic records: makes their children, takes the turns of cycles, ends what has come to its end. What is to
 * be done follows from the catalog alone, so that a crash only means looking again.
 */
import type { Transfer } from "../../catalog/catalog.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { Looks } from "../looks.ts";
import { keys, type Site } from "../site.ts";
import { type CycleRecord, isDue, takeTurn } from "./cycles.ts";
import { type ListRecord, reviewList } from "./lists.ts";
import { CHILD_STOPPED } from "./record.ts";

/** Changes of the catalog within this time are looked at together, ms. */
const GATHER = 100;
/** After a failure, ms. */
const AGAIN = 60_000;
/** Between two looks at a list, for each of its children, and at most, ms. */
const FOR_EACH = 0.2;
const SELDOM = 10_000;
/** Longest sleep: the wall clock may be set. */
const LONGEST = 60_000;

/** A cycle at a glance. */
export interface CycleStatus {
  idtu: string;
  part: string;
  idf: string;
  fname: string;
  every: number;
  period: "min" | "day" | "month";
  /** ms since 1970 UTC; null when it was stopped. */
  next: number | null;
}

export class Generics {
  readonly #site: () => Site;
  readonly #working = new Map<string, Promise<void>>();
  /** Until when (monotonic) a record is left alone after a failure. */
  readonly #postponed = new Map<string, number>();
  /** Records that a look has found being worked on. */
  readonly #missed = new Set<string>();
  readonly #looks: Looks;

  constructor(site: () => Site) {
    this.#site = site;
    this.#looks = new Looks(site, { name: "lists and cycles wait", again: AGAIN }, () => this.#look());
  }

  /** Begins with what the catalog says is due, and follows it from then on. */
  open(): void {
    this.#site().catalog.watch(() => this.#looks.lookIn(GATHER));
    this.#looks.lookIn(GATHER);
  }

  /** Begins nothing from now on; resolves when nothing is under way. Files that are being copied are given up. */
  async stop(): Promise<void> {
    await this.#looks.stop();
    await Promise.all(this.#working.values());
  }

  async cycles(): Promise<CycleStatus[]> {
    const all = (await this.#site().catalog.generics()).filter(isCycle);
    return all.map(({ idtu, part, idf, fname, generic, diagi, retryAt }) => {
      const { every, period } = generic;
      return { idtu, part, idf, fname, every, period, next: diagi === 0 ? retryAt : null };
    });
  }

  async #look(): Promise<void> {
    const { catalog, clock, stopping } = this.#site();
    if (this.#looks.stopped || stopping) return;
    let next = LONGEST;
    const records = await catalog.generics();
    const there = new Set(records.map(({ idtu }) => idtu));
    for (const idtu of this.#postponed.keys()) if (!there.has(idtu)) this.#postponed.delete(idtu);
    for (const record of records) {
      if (record.diagi !== 0 && record.diagi !== CHILD_STOPPED) continue;
      if (this.#working.has(record.idtu)) {
        // what has changed meanwhile may have come too late for the work under way
        this.#missed.add(record.idtu);
        continue;
      }
      const wait = (this.#postponed.get(record.idtu) ?? 0) - clock.monotonic();
      if (wait > 0) next = Math.min(next, wait);
      else if (!isCycle(record)) this.#begin(record, () => this.#reviewList(record as ListRecord));
      else if (isDue(record, clock.now())) this.#begin(record, () => takeTurn(this.#site(), record));
      else next = Math.min(next, record.retryAt - clock.now());
    }
    this.#looks.lookIn(Math.max(next, GATHER));
  }

  /** The longer a list is, the more seldom it is counted. */
  async #reviewList(list: ListRecord): Promise<void> {
    const count = await reviewList(this.#site(), list);
    const wait = Math.min(count * FOR_EACH, SELDOM);
    if (wait > GATHER) this.#postponed.set(list.idtu, this.#site().clock.monotonic() + wait);
  }

  #begin(record: Transfer, work: () => Promise<void>): void {
    const { idtu } = record;
    this.#postponed.delete(idtu);
    const done = work()
      .catch((error: unknown) => this.#failed(record, error))
      .finally(() => {
        this.#working.delete(idtu);
        if (this.#missed.delete(idtu)) this.#looks.lookIn(GATHER);
      });
    this.#working.set(idtu, done);
  }

  #failed(record: Transfer, error: unknown): void {
    const { clock, journal, stopping } = this.#site();
    // an operator was faster
    if (stopping || (error instanceof CygnetError && error.code === "CYG_CATALOG_TURN")) return;
    this.#postponed.set(record.idtu, clock.monotonic() + AGAIN);
    journal.emit("CFTC70E", { ...keys(record), text: describe(error) });
    this.#looks.lookIn(AGAIN);
  }
}

function isCycle(record: Transfer): record is CycleRecord {
  return record.generic?.kind === "cycle";
}
