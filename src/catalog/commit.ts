import { CygnetError } from "../platform/errors.ts";
import { catalogError, type Database } from "./database.ts";

/** Changes in one commit at most: one turn of the loop should not last long. */
const LARGEST_GROUP = 500;

interface Change {
  apply: () => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

type Outcome = { value: unknown } | { error: unknown };

/**
 * Group commit: all changes asked for in one turn of the loop share one transaction and one wait for the disk.
 *
 * Invariants
 * - Changes are applied in the order in which they were asked for.
 * - A promise resolves only after COMMIT; when COMMIT fails, all of its group reject and nothing was changed.
 * - A change that throws is undone alone (savepoint); the others of its group are not touched.
 */
export class GroupCommit {
  readonly #database: Database;
  #queue: Change[] = [];
  #scheduled = false;
  #closed = false;
  readonly #watchers: (() => void)[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** Runs `apply` in the next transaction. Rejects with what it throws, or with the failure of the commit. */
  change<T>(apply: () => T): Promise<T> {
    if (this.#closed) {
      return Promise.reject(
        new CygnetError("CYG_CATALOG_CLOSED", `The catalog ${this.#database.path} is closed.`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ apply, resolve, reject });
      this.#schedule();
    });
  }

  /** Calls `changed` after every commit. */
  watch(changed: () => void): void {
    this.#watchers.push(changed);
  }

  /** Commits what waits; afterwards every change is refused. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#commit();
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
      outcomes = this.#database.transaction(() => group.map((change) => this.#attempt(change.apply)));
    } catch (error) {
      const failure = catalogError(this.#database.path, error);
      for (const change of group) change.reject(failure);
      return;
    }
    for (const [index, change] of group.entries()) {
      const outcome = outcomes[index] as Outcome;
      if ("error" in outcome) change.reject(outcome.error);
      else change.resolve(outcome.value as never);
    }
    for (const changed of this.#watchers) changed();
  }

  #attempt(apply: () => unknown): Outcome {
    this.#database.exec("SAVEPOINT change");
    try {
      const value = apply();
      this.#database.exec("RELEASE change");
      return { value };
    } catch (error) {
      // SQLite has undone the whole transaction (disk full, disk error): nothing of this group can stand.
      if (!this.#database.inTransaction) throw error;
      this.#database.exec("ROLLBACK TO change; RELEASE change");
      return { error: catalogError(this.#database.path, error) };
    }
  }
}
