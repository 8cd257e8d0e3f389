import { CygnetError } from "../platform/errors.ts";
import { catalogError, Database } from "./database.ts";

/** Exclusive use of a catalog, until `release` or the death of the process. */
export interface CatalogLock {
  release(): void;
}

/**
 * Takes the exclusive use of the catalog at `path`. The lock is SQLite's own file lock on an empty database
 * beside it, `<path>.lock`: the operating system drops it with the process, however that dies, so it is never
 * stale, and readers of the catalog itself are not disturbed. Throws CYG_CATALOG_IN_USE.
 */
export function lockCatalog(path: string): CatalogLock {
  const database = new Database(`${path}.lock`, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const failure = catalogError(path, error);
    if (failure.code !== "CYG_CATALOG_LOCKED") throw failure;
    throw new CygnetError(
      "CYG_CATALOG_IN_USE",
      `The catalog ${path} is in use by another gateway${holderOf(path)}: stop that one first, or give this one a rundir of its own.`,
      { cause: error },
    );
  }
  return { release: () => database.close() };
}

/** Says which process has the catalog, as far as the catalog itself tells. */
function holderOf(path: string): string {
  let database: Database | undefined;
  try {
    database = new Database(path, { readOnly: true, timeout: 1000 });
    const pid = database.row("SELECT pid FROM holder")?.pid;
    return pid === undefined ? "" : ` (process ${pid})`;
  } catch {
    // Only an ornament of the message: a holder that is just creating its tables has not written it yet.
    return "";
  } finally {
    database?.close();
  }
}
