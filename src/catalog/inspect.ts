/** A look at a catalog from outside, also while a gateway has it. Nothing is changed or made. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { catalogError, Database } from "./database.ts";
import { schemaVersion } from "./migrate.ts";
import { MIGRATIONS } from "./schema.ts";

export interface Inspection {
  /** Schema steps that it has seen, and those that this program knows. */
  version: number;
  known: number;
  /** When the newest record was requested, ms since 1970 UTC; null = there is none. */
  newest: number | null;
  /** Damage that SQLite sees; empty = none. */
  damage: readonly string[];
  /** Work files that records name: path and IDTU. */
  workfiles: ReadonlyMap<string, string>;
}

/**
 * Opens a catalog to read alone. Without a gateway there is no log beside it, and SQLite would make one: then the file is
 * read as it stands.
 * @throws CygnetError CYG_CATALOG_OPEN, CYG_CATALOG_DAMAGED
 */
export function openReadOnly(path: string): Database {
  const busy = existsSync(`${path}-wal`);
  return new Database(busy ? path : `${pathToFileURL(path).href}?immutable=1`, {
    readOnly: true,
    timeout: 5_000,
  });
}

/** @throws CygnetError CYG_CATALOG_OPEN, CYG_CATALOG_DAMAGED */
export function inspectCatalog(path: string): Inspection {
  const database = openReadOnly(path);
  try {
    const version = schemaVersion(database);
    const damage = database
      .rows("PRAGMA quick_check(5)")
      .map((row) => String(Object.values(row)[0]))
      .filter((text) => text !== "ok");
    if (version === 0) {
      return { version, known: MIGRATIONS.length, newest: null, damage, workfiles: new Map() };
    }
    const newest = database.row("SELECT max(kdate) AS newest FROM transfer")?.newest ?? null;
    const rows = database.rows("SELECT workfile, id FROM transfer WHERE workfile <> ''");
    return {
      version,
      known: MIGRATIONS.length,
      newest: newest === null ? null : Number(newest),
      damage,
      workfiles: new Map(rows.map(({ workfile, id }) => [String(workfile), String(id).padStart(8, "0")])),
    };
  } catch (error) {
    throw catalogError(path, error);
  } finally {
    database.close();
  }
}
