import {
  backup,
  DatabaseSync,
  type DatabaseSyncOptions,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { CygnetError, describe } from "../platform/errors.ts";

export type Row = Record<string, SQLOutputValue>;

/** SQLite's primary result codes that mean something to an operator. */
const CODES: Readonly<Record<number, string>> = {
  5: "CYG_CATALOG_LOCKED",
  8: "CYG_CATALOG_WRITE",
  10: "CYG_CATALOG_WRITE",
  11: "CYG_CATALOG_DAMAGED",
  13: "CYG_CATALOG_FULL",
  14: "CYG_CATALOG_OPEN",
  26: "CYG_CATALOG_DAMAGED",
};

/** Statements that stay prepared; lists have many forms. */
const REMEMBERED = 1_000;

/** One connection to SQLite, with its prepared statements. Everything in it is synchronous. */
export class Database {
  readonly path: string;
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Throws CYG_CATALOG_OPEN, CYG_CATALOG_DAMAGED. */
  constructor(path: string, options: DatabaseSyncOptions = {}) {
    this.path = path;
    try {
      this.#sqlite = new DatabaseSync(path, options);
    } catch (error) {
      throw catalogError(path, error);
    }
  }

  row(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  rows(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  /** Gives the number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /** One or more statements without values or answers. */
  exec(sql: string): void {
    this.#sqlite.exec(sql);
  }

  /** All of `work` or nothing of it; as durable on return as the database's `synchronous` says. */
  transaction<T>(work: () => T): T {
    this.run("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.run("COMMIT");
      return result;
    } catch (error) {
      if (this.inTransaction) this.exec("ROLLBACK");
      throw error;
    }
  }

  /** False too when SQLite has rolled back by itself, as it does when the disk is full. */
  get inTransaction(): boolean {
    return this.#sqlite.isTransaction;
  }

  /** Writes what this connection sees to a new file, in pieces: the loop goes on turning. */
  async copyTo(path: string): Promise<void> {
    try {
      await backup(this.#sqlite, path);
    } catch (error) {
      throw catalogError(path, error);
    }
  }

  close(): void {
    this.#statements.clear();
    this.#sqlite.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= REMEMBERED) this.#statements.clear();
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** What SQLite reported, as an error with a stable code; errors that have one already pass through. */
export function catalogError(path: string, error: unknown): CygnetError {
  if (error instanceof CygnetError) return error;
  const primary = Number((error as { errcode?: number }).errcode ?? 0) & 0xff;
  const code = CODES[primary] ?? "CYG_CATALOG";
  return new CygnetError(code, `The catalog ${path} cannot be used: ${describe(error)}.`, { cause: error });
}
