import type { Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/filesystem.ts";

/** What the parts of the spool work with. */
export interface SpoolContext {
  catalog: Catalog;
  disk: FileSystem;
  /** Absolute. */
  rundir: string;
  clock: Clock;
}
