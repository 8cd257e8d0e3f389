/**
 * Which transfers changed their state: noted by triggers of this connection, in memory, and told after each commit.
 * What was undone is not told; what changed twice within one commit is told once.
 */
import type { GroupCommit } from "./commit.ts";
import type { Database } from "./database.ts";
import { toIdtu } from "./rows.ts";

const FOLLOW = `
  PRAGMA temp_store = MEMORY;
  CREATE TEMP TABLE news (id INTEGER PRIMARY KEY);
  CREATE TEMP TRIGGER news_insert AFTER INSERT ON main.transfer BEGIN
    INSERT OR IGNORE INTO news VALUES (new.id);
  END;
  CREATE TEMP TRIGGER news_update AFTER UPDATE OF phase, phasestep, ack, diagi ON main.transfer
    WHEN new.phase <> old.phase OR new.phasestep <> old.phasestep OR new.ack <> old.ack OR new.diagi <> old.diagi
  BEGIN
    INSERT OR IGNORE INTO news VALUES (new.id);
  END;
`;

export class News {
  readonly #database: Database;
  readonly #commits: GroupCommit;
  readonly #hearers: ((idtus: readonly string[]) => void)[] = [];

  constructor(database: Database, commits: GroupCommit) {
    this.#database = database;
    this.#commits = commits;
  }

  /** Costs something only from the first one on. */
  follow(hear: (idtus: readonly string[]) => void): void {
    this.#hearers.push(hear);
    if (this.#hearers.length > 1) return;
    this.#database.exec(FOLLOW);
    this.#commits.watch(() => this.#tell());
  }

  #tell(): void {
    const rows = this.#database.rows("SELECT id FROM news");
    if (rows.length === 0) return;
    this.#database.exec("DELETE FROM news");
    const idtus = rows.map(({ id }) => toIdtu(id));
    for (const hear of this.#hearers) hear(idtus);
  }
}
