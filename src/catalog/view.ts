import { existsSync } from "node:fs";
import { CygnetError } from "../platform/errors.ts";
import type { Catalog } from "./catalog.ts";
import { catalogError, Database } from "./database.ts";
import { listTransfers } from "./list.ts";
import { newerCatalog, schemaVersion } from "./migrate.ts";
import * as queries from "./queries.ts";
import { MIGRATIONS } from "./schema.ts";

/** What the command line may do with a catalog on its own, while a gateway runs or not. */
export type CatalogView = Pick<Catalog, "get" | "list" | "totals" | "close">;

/**
 * Opens the catalog at `path` for reading only. Throws CYG_CATALOG_MISSING, CYG_CATALOG_OLDER (the gateway
 * migrates it when it starts), CYG_CATALOG_NEWER, CYG_CATALOG_DAMAGED, CYG_CATALOG_OPEN.
 */
export function readCatalog(path: string): CatalogView {
  if (!existsSync(path)) {
    throw new CygnetError(
      "CYG_CATALOG_MISSING",
      `There is no catalog at ${path}: no gateway with this configuration has been started yet.`,
    );
  }
  const database = new Database(path, { readOnly: true, timeout: 2000 });
  try {
    checkVersion(database);
  } catch (error) {
    database.close();
    throw catalogError(path, error);
  }
  const read = async <T>(query: () => T): Promise<T> => {
    try {
      return query();
    } catch (error) {
      throw catalogError(path, error);
    }
  };
  return {
    get: (idtu) => read(() => queries.getTransfer(database, idtu)),
    list: (filter) => read(() => listTransfers(database, filter)),
    totals: () => read(() => queries.countTransfers(database)),
    close: async () => database.close(),
  };
}

function checkVersion(database: Database): void {
  const version = schemaVersion(database);
  if (version > MIGRATIONS.length) throw newerCatalog(database.path, version, MIGRATIONS.length);
  if (version < MIGRATIONS.length) {
    throw new CygnetError(
      "CYG_CATALOG_OLDER",
      `The catalog ${database.path} has schema version ${version}, this program reads ${MIGRATIONS.length}: start the gateway once, it brings the catalog up to date.`,
    );
  }
}
