/**
 * The disk side of the catalog's write-ahead log. SQLite commits into it without waiting (synchronous = NORMAL); the
 * wait is done here, in a thread of the runtime, and one wait serves all that was committed before it began. That holds
 * because the log is one file that only grows until it is begun anew, which SQLite itself syncs: a frame is valid only
 * behind valid ones, so what a power failure takes is always the end.
 */
import { closeSync, fdatasync, openSync } from "node:fs";
import type { Database } from "./database.ts";

export interface WriteAheadLog {
  /** Resolves when everything that is committed is on the disk. Throws the system's or SQLite's error. */
  sync(): Promise<void>;
  close(): void;
}

/** The log of an open database in WAL mode; `datasync` is for tests that let it fail. */
export function writeAheadLog(database: Database, datasync: typeof fdatasync = fdatasync): WriteAheadLog {
  let descriptor: number | null = null;
  /** A sync has failed: the system may have forgotten what it could not write. */
  let doubtful = false;
  return {
    async sync() {
      descriptor ??= openSync(`${database.path}-wal`, "r");
      if (!doubtful) {
        const failure = await new Promise<Error | null>((resolve) => datasync(descriptor as number, resolve));
        if (failure === null) return;
        doubtful = true;
      }
      // by another way: from what SQLite can still read of the log into the database file itself, synced
      const result = database.row("PRAGMA wal_checkpoint(TRUNCATE)");
      if (result?.busy !== 0) {
        throw Object.assign(new Error("the log could not be synced, nor its contents be written"), {
          errcode: 10,
        });
      }
      doubtful = false;
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}
