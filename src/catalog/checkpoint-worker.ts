/**
 * The thread that copies the write-ahead log into the catalog, with a connection of its own: the syncs that this takes
 * stall nobody. Each message is a request; its answer says how long the log is.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Database } from "./database.ts";

/** Frames (pages of 4 KiB) at which writers are made to wait until the log can begin anew. */
const LONGEST = 16_384;
/** How long that may take to come about, ms. */
const PATIENCE = 50;

const database = new Database(workerData as string, { timeout: PATIENCE });
database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;");

parentPort?.on("message", (request: "checkpoint" | "close") => {
  if (request === "close") {
    database.close();
    parentPort?.close();
    return;
  }
  let frames = -1;
  try {
    frames = Number(database.row("PRAGMA wal_checkpoint(PASSIVE)")?.log ?? -1);
    if (frames > LONGEST) database.row("PRAGMA wal_checkpoint(RESTART)");
  } finally {
    parentPort?.postMessage(frames);
  }
});
