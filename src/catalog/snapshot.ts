/**
 * A copy of a catalog as it stood at one moment, made from outside while a gateway works with it.
 *
 * For as long as the snapshot is held nothing is committed: the gateway's records and the steps of its spool stand as
 * they would after a crash. So what is looked at on the disk meanwhile belongs to the records of the copy.
 */

import type { SpoolNote, Transfer } from "./catalog.ts";
import { catalogError, Database } from "./database.ts";
import { schemaVersion } from "./migrate.ts";

/** How long a commit of the gateway is waited for, ms. */
const PATIENCE = 10_000;

/** The schema steps with which these came. */
const FORMSIZE = 2;
const AFTERMATH = 5;

/** A record whose payload is still in the gateway's hands. */
export type Pending = Pick<
  Transfer,
  "idtu" | "direct" | "phase" | "workfile" | "bytes" | "formsize" | "filesize" | "spool"
>;

export class CatalogSnapshot {
  readonly version: number;
  readonly #lock: Database;
  readonly #reader: Database;
  #held = true;

  private constructor(lock: Database, reader: Database) {
    this.#lock = lock;
    this.#reader = reader;
    this.version = schemaVersion(reader);
  }

  /**
   * Holds commits back and begins to read. Call `release` soon: the gateway waits.
   * @throws CygnetError CYG_CATALOG_LOCKED, CYG_CATALOG_DAMAGED, CYG_CATALOG_OPEN
   */
  static hold(path: string): CatalogSnapshot {
    const opened: Database[] = [];
    try {
      const lock = new Database(path, { timeout: PATIENCE });
      opened.push(lock);
      lock.exec("BEGIN IMMEDIATE");
      const reader = new Database(path, { readOnly: true, timeout: PATIENCE });
      opened.push(reader);
      reader.exec("BEGIN");
      return new CatalogSnapshot(lock, reader);
    } catch (error) {
      for (const database of opened) database.close();
      throw catalogError(path, error);
    }
  }

  /** Every record with a work file, or a step of the spool under way. */
  pending(): Pending[] {
    return pendingIn(this.#reader);
  }

  /** Commits go on; the snapshot stays as it was. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#lock.exec("ROLLBACK");
    this.#lock.close();
  }

  /** Writes the snapshot to a new file. */
  async copyTo(path: string): Promise<void> {
    await this.#reader.copyTo(path);
  }

  close(): void {
    this.release();
    this.#reader.close();
  }
}

/** A copy of a catalog that nobody works with: changes that make it fit its files. */
export class CatalogCopy {
  readonly #database: Database;

  /** @throws CygnetError CYG_CATALOG_OPEN, CYG_CATALOG_DAMAGED */
  constructor(path: string) {
    this.#database = new Database(path);
    this.#database.exec("PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = OFF");
  }

  get version(): number {
    return schemaVersion(this.#database);
  }

  pending(): Pending[] {
    return pendingIn(this.#database);
  }

  /** Changes fields of a record that say where its payload is. */
  amend(
    idtu: string,
    values: Partial<Pick<Transfer, "workfile" | "spool" | "bytes" | "filesize" | "fname">>,
  ): void {
    for (const [column, value] of Object.entries(values)) {
      const written = typeof value === "object" ? (value === null ? null : JSON.stringify(value)) : value;
      this.#database.run(`UPDATE transfer SET ${column} = ? WHERE id = ?`, written, Number(idtu));
    }
  }

  /**
   * Takes over of the named records those that have ended in the catalog at `live` meanwhile, with their responses and what
   * is due beside them. Gives those that are received there and not delivered yet.
   */
  follow(live: string, idtus: readonly string[]): string[] {
    const database = this.#database;
    database.run("ATTACH ? AS live", live);
    try {
      const columns = database
        .rows("SELECT name FROM pragma_table_info('transfer')")
        .map(({ name }) => String(name))
        .filter((name) => name !== "id");
      const list = columns.join(", ");
      return database.transaction(() => {
        const waiting: string[] = [];
        for (const idtu of idtus) {
          const id = Number(idtu);
          const now = database.row("SELECT direct, phase FROM live.transfer WHERE id = ?", id);
          if (now === undefined) continue;
          if (now.direct === "recv" && now.phase === "Y") waiting.push(idtu);
          if (now.phase !== "X") continue;
          database.run(
            `UPDATE transfer SET (${list}) = (SELECT ${list} FROM live.transfer l WHERE l.id = transfer.id) WHERE id = ?`,
            id,
          );
          database.run(
            "INSERT INTO response SELECT * FROM live.response l WHERE l.transfer = ? AND true ON CONFLICT DO UPDATE SET sent = excluded.sent, owner = excluded.owner",
            id,
          );
          if (schemaVersion(database) < AFTERMATH) continue;
          database.run("DELETE FROM aftermath WHERE transfer = ?", id);
          const due = "SELECT kind, transfer FROM live.aftermath l WHERE l.transfer = ?";
          database.run(`INSERT INTO aftermath (kind, transfer) ${due}`, id);
        }
        return waiting;
      });
    } finally {
      database.exec("DETACH live");
    }
  }

  /**
   * Rewrites the paths of payload that is still in the gateway's hands, and of the outbox names that it remembers.
   * @param moved gives the new path of an old one
   */
  move(moved: (path: string) => string): void {
    this.#database.transaction(() => {
      for (const { idtu, workfile, spool } of this.pending()) {
        this.amend(idtu, {
          workfile: workfile === "" ? "" : moved(workfile),
          spool: spool && movedNote(spool, moved),
        });
      }
    });
  }

  /** The next IDTUs leave a gap of this size behind those that the copy knows. */
  skip(count: number): void {
    // there are 99,999,999 of them, and that is for ever
    const last = "name = 'transfer' AND seq < 90000000";
    this.#database.run(`UPDATE sqlite_sequence SET seq = seq + ? WHERE ${last}`, count);
  }

  close(): void {
    this.#database.close();
  }
}

function pendingIn(database: Database): Pending[] {
  const formsize = schemaVersion(database) >= FORMSIZE ? "formsize" : "-1 AS formsize";
  const rows = database.rows(
    `SELECT id, direct, phase, workfile, bytes, filesize, spool, ${formsize} FROM transfer
       WHERE workfile <> '' OR stepNote IN ('claim', 'deliver')`,
  );
  return rows.map(({ id, spool, ...fields }) => ({
    ...(fields as Omit<Pending, "idtu" | "spool">),
    idtu: String(id).padStart(8, "0"),
    spool: typeof spool === "string" ? (JSON.parse(spool) as SpoolNote) : null,
  }));
}

function movedNote(note: SpoolNote, moved: (path: string) => string): SpoolNote {
  const or = (path: string) => (path === "" ? "" : moved(path));
  if (note.step === "claim") {
    return { ...note, source: moved(note.source), workdir: moved(note.workdir), archive: or(note.archive) };
  }
  if (note.step === "claimed") return { ...note, source: moved(note.source), archive: or(note.archive) };
  return {
    ...note,
    target: moved(note.target),
    ...(note.part === undefined ? {} : { part: moved(note.part) }),
  };
}
