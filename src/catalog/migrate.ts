import { CygnetError } from "../platform/errors.ts";
import type { Database } from "./database.ts";
import { MIGRATIONS } from "./schema.ts";

/** Number of the last schema step that a database has seen; 0 for an empty one. */
export function schemaVersion(database: Database): number {
  return Number(database.row("PRAGMA user_version")?.user_version ?? 0);
}

/**
 * Brings a database to the last of `steps`, each step in a transaction of its own: after a crash the next
 * start goes on where this one stopped. Throws CYG_CATALOG_NEWER when the database has seen more steps.
 */
export function migrate(database: Database, steps: readonly string[] = MIGRATIONS): void {
  const version = schemaVersion(database);
  if (version > steps.length) throw newerCatalog(database.path, version, steps.length);
  for (const [index, sql] of steps.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** The refusal of a database that a later version of the program has written. */
export function newerCatalog(path: string, version: number, known: number): CygnetError {
  return new CygnetError(
    "CYG_CATALOG_NEWER",
    `The catalog ${path} has schema version ${version}, this program knows ${known}: run the newer program, or restore the catalog from before its upgrade.`,
  );
}
