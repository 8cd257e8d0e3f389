/**
 * The thread beside the gateway's that does the catalog's long work with a connection of its own: copying the
 * write-ahead log into the catalog, whose syncs stall nobody here, and lists for which every record is looked at.
 */
import { parentPort, workerData } from "node:worker_threads";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Answer, Request } from "./aside.ts";
import { catalogError, Database } from "./database.ts";
import { listTransfers } from "./list.ts";

/** Frames (pages of 4 KiB) at which writers are made to wait until the log can begin anew. */
const LONGEST = 16_384;
/** How long that may take to come about, ms. */
const PATIENCE = 50;

const database = new Database(workerData as string, { timeout: PATIENCE });
database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;");

function work(request: Exclude<Request, { kind: "close" }>): Answer {
  const { number } = request;
  try {
    if (request.kind === "list") return { number, transfers: listTransfers(database, request.filter) };
    const frames = Number(database.row("PRAGMA wal_checkpoint(PASSIVE)")?.log ?? 0);
    if (frames > LONGEST) database.row("PRAGMA wal_checkpoint(RESTART)");
    return { number, transfers: [] };
  } catch (error) {
    const { code, message } = error instanceof CygnetError ? error : catalogError(database.path, error);
    return { number, failure: { code, message: message || describe(error) } };
  }
}

parentPort?.on("message", (request: Request) => {
  if (request.kind !== "close") return parentPort?.postMessage(work(request));
  database.close();
  parentPort?.close();
});
