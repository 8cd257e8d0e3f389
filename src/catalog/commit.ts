import { CygnetError } from "../platform/errors.ts";
import type { Surety } from "./catalog.ts";
import { catalogError, type Database } from "./database.ts";

/** Changes in one commit at most: one turn of the loop should not last long. */
const LARGEST_GROUP = 500;
/** Longest time that a change which nobody waits for is not on the disk, ms. */
const LATEST = 100;

interface Change {
  apply: () => unknown;
  surety: Surety;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

type Outcome = { value: unknown } | { error: unknown };

/** A change that is committed and waits for the disk. */
interface Waiting {
  done: () => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: all changes asked for in one turn of the loop share one transaction, and all transactions that are
 * committed while the disk is busy share its next sync.
 *
 * Invariants
 * - Changes are applied in the order in which they were asked for, and reach the disk in that order.
 * - A durable change resolves only after the sync of its COMMIT; when COMMIT fails, all of its group reject and nothing
 *   was changed. When the sync fails, what was changed stays visible, but nobody is told that it is safe.
 * - A change that throws is undone alone (savepoint); the others of its group are not touched.
 */
export class GroupCommit {
  readonly #database: Database;
  readonly #sync: (() => Promise<void>) | null;
  #queue: Change[] = [];
  #scheduled = false;
  #closed = false;
  #waiting: Waiting[] = [];
  #dirty = false;
  #syncing: Promise<void> | null = null;
  #later: NodeJS.Timeout | null = null;
  readonly #watchers: (() => void)[] = [];

  /** `sync` makes durable what is committed; without it, COMMIT itself does. */
  constructor(database: Database, sync: (() => Promise<void>) | null = null) {
    this.#database = database;
    this.#sync = sync;
  }

  /** Runs `apply` in the next transaction. Rejects with what it throws, or with the failure of the commit. */
  change<T>(apply: () => T, surety: Surety = "durable"): Promise<T> {
    if (this.#closed) {
      return Promise.reject(
        new CygnetError("CYG_CATALOG_CLOSED", `The catalog ${this.#database.path} is closed.`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ apply, surety, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when everything that anybody can see by now is on the disk. */
  settled(): Promise<void> {
    if (!this.#dirty && this.#syncing === null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ done: resolve, reject });
      this.#startSync();
    });
  }

  /** Calls `changed` after every commit that is on the disk. */
  watch(changed: () => void): void {
    this.#watchers.push(changed);
  }

  /** Commits what waits; afterwards every change is refused. Resolves when all of it is on the disk. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#queue.length > 0) this.#commit();
    if (this.#dirty) this.#startSync();
    while (this.#syncing !== null) await this.#syncing;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#queue.length === 0) return;
      this.#commit();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #commit(): void {
    const group = this.#queue.splice(0, LARGEST_GROUP);
    let outcomes: Outcome[];
    try {
      const [only] = group;
      outcomes = this.#database.transaction(() =>
        group.length === 1 && only !== undefined
          ? [{ value: only.apply() }]
          : group.map((change) => this.#attempt(change.apply)),
      );
    } catch (error) {
      const failure = catalogError(this.#database.path, error);
      for (const change of group) change.reject(failure);
      return;
    }
    this.#dirty = true;
    for (const [index, change] of group.entries()) {
      const outcome = outcomes[index] as Outcome;
      if ("error" in outcome) change.reject(outcome.error);
      else if (this.#sync === null || change.surety === "applied") change.resolve(outcome.value as never);
      else {
        const done = () => change.resolve(outcome.value as never);
        this.#waiting.push({ done, reject: change.reject });
      }
    }
    if (this.#sync === null || this.#waiting.length > 0) this.#startSync();
    else this.#later ??= setTimeout(() => this.#startSync(), LATEST).unref();
  }

  /** One sync at a time; what is committed while it runs goes with the next one. */
  #startSync(): void {
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = null;
      if (this.#waiting.length > 0) this.#startSync();
    });
  }

  async #syncAll(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#dirty = false;
    try {
      await this.#sync?.();
    } catch (error) {
      this.#dirty = true;
      const failure = catalogError(this.#database.path, error);
      for (const { reject } of waiting) reject(failure);
      return;
    }
    for (const { done } of waiting) done();
    for (const changed of this.#watchers) changed();
  }

  #attempt(apply: () => unknown): Outcome {
    this.#database.run("SAVEPOINT change");
    try {
      const value = apply();
      this.#database.run("RELEASE change");
      return { value };
    } catch (error) {
      // SQLite has undone the whole transaction (disk full, disk error): nothing of this group can stand.
      if (!this.#database.inTransaction) throw error;
      this.#database.exec("ROLLBACK TO change; RELEASE change");
      return { error: catalogError(this.#database.path, error) };
    }
  }
}
