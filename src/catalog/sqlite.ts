import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as rest } from "node:timers/promises";
import type { Clock } from "../platform/clock.ts";
import { Aside } from "./aside.ts";
import { countBacklog } from "./backlog.ts";
import type { Catalog, Surety } from "./catalog.ts";
import * as changes from "./changes.ts";
import { GroupCommit } from "./commit.ts";
import { catalogError, Database } from "./database.ts";
import { isSlow, listTransfers } from "./list.ts";
import { lockCatalog } from "./lock.ts";
import { migrate } from "./migrate.ts";
import { News } from "./news.ts";
import * as queries from "./queries.ts";
import { writeAheadLog } from "./write-ahead-log.ts";

/** How long a commit waits for somebody else's lock on the database (a backup, an administrator's shell), ms. */
const BUSY_TIMEOUT = 2000;
/** Pages of the write-ahead log at which a commit copies it into the catalog itself, should the thread not have done it. */
const LONGEST_LOG = 32_768;

/**
 * Opens the catalog at `path` for this process alone, and creates or migrates it where needed.
 * Throws CYG_CATALOG_IN_USE (another process has it), CYG_CATALOG_NEWER (a later program wrote it),
 * CYG_CATALOG_DAMAGED, CYG_CATALOG_OPEN, CYG_CATALOG_FULL.
 */
export function openCatalog(path: string, clock: Clock): Catalog {
  createFile(path);
  const lock = lockCatalog(path);
  let database: Database | undefined;
  try {
    database = new Database(path, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true });
    // commits do not wait for the disk: group commit does, see write-ahead-log.ts
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${LONGEST_LOG};`,
    );
    migrate(database);
    database.run(
      "INSERT INTO holder VALUES (1, ?) ON CONFLICT DO UPDATE SET pid = excluded.pid WHERE pid <> excluded.pid",
      process.pid,
    );
  } catch (error) {
    database?.close();
    lock.release();
    throw catalogError(path, error);
  }
  return catalogOn(database, clock, () => lock.release());
}

/** Does batches until one is empty, and rests after each for as long as it took: others have at least half of the time. */
async function inBatches(batch: () => Promise<number>): Promise<void> {
  for (;;) {
    const begun = performance.now();
    if ((await batch()) === 0) return;
    await rest(Math.max(1, performance.now() - begun));
  }
}

/** An empty file with the gateway's rights; SQLite gives the same rights to the files that it puts beside it. */
function createFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o770 });
    closeSync(openSync(path, "a", 0o640));
  } catch (error) {
    throw catalogError(path, Object.assign(error as Error, { errcode: 14 }));
  }
}

function catalogOn(database: Database, clock: Clock, closed: () => void): Catalog {
  const log = writeAheadLog(database);
  const aside = new Aside(database.path);
  const commits = new GroupCommit(database, async () => {
    await log.sync();
    aside.synced();
  });
  const news = new News(database, commits);
  const now = (): number => clock.now();
  /** Reads at once what is committed. */
  const read = async <T>(query: () => T): Promise<T> => {
    try {
      return query();
    } catch (error) {
      throw catalogError(database.path, error);
    }
  };
  const change = <T>(apply: () => T, surety?: Surety): Promise<T> => commits.change(apply, surety);
  let open = true;

  return {
    addSend: (send, hold) => change(() => changes.insertSend(database, send, hold, now())),
    addReceive: (receive, owner) =>
      change(() => changes.insertReceive(database, receive, owner, now()), "applied"),
    settled: () => commits.settled(),
    get: (idtu) => read(() => queries.getTransfer(database, idtu)),
    list: (filter) => (isSlow(filter) ? aside.list(filter) : read(() => listTransfers(database, filter))),
    update: (idtu, values, surety) =>
      change(() => changes.updateTransfer(database, idtu, values, now()), surety),
    claimSend: (part, owner, at, asked) =>
      change(() => changes.takeSend(database, part, owner, at, asked), "applied"),
    transition: (idtu, from, values) =>
      change(() => changes.transitionTransfer(database, idtu, from, values, now())),
    remove: (idtu) => change(() => changes.removeTransfer(database, idtu)),
    owesResponse: (idtu) => read(() => queries.owesResponse(database, idtu)),
    stopLate: (at, why) => change(() => changes.stopLate(database, at, why)),
    explainWaiting: (part, why, isNews) =>
      change(() => changes.explainWaiting(database, part, why, isNews), "applied"),
    claimUnsealed: (owner, at) => change(() => changes.takeUnsealed(database, owner, at)),
    stopSends: (part, why) => change(() => changes.stopSends(database, part, why)),
    claimReceive: (idtu, owner) => change(() => changes.takeReceive(database, idtu, owner, now())),
    release: (idtu, values, surety) =>
      change(() => changes.releaseTransfer(database, idtu, values, now()), surety),
    advance: (idtu, from, values, surety) =>
      change(() => changes.advanceTransfer(database, idtu, from, values, now()), surety),
    finishReceive: (idtu, values, response, from) =>
      change(() => changes.endReceive(database, idtu, values, response, now(), from)),
    claimScript: (owner, at) => change(() => changes.takeScript(database, owner, at)),
    scriptsWaiting: (by) => read(() => queries.countScripts(database, by)),
    nextScriptAt: (at) => read(() => queries.nextScriptAt(database, at)),
    want: (kinds) => change(() => changes.setWanted(database, kinds)),
    aftermath: (kinds, after, limit) => read(() => queries.listAftermath(database, kinds, after, limit)),
    note: (idtu, kind) => change(() => changes.addAftermath(database, idtu, kind)),
    settleAftermath: (ids) => change(() => changes.deleteAftermath(database, ids)),
    watch: (changed) => commits.watch(changed),
    finished: (idf, limit) => read(() => queries.listFinished(database, idf, limit)),
    generics: () => read(() => queries.listGenerics(database)),
    follow: (hear) => news.follow(hear),
    children: (pidtu) => read(() => queries.countChildren(database, pidtu)),
    forward: (idtu, to) => change(() => changes.forwardReceive(database, idtu, to, now())),
    responseWaits: (part) => read(() => queries.responseWaits(database, part)),
    claimResponse: (part, owner) => change(() => changes.takeResponse(database, part, owner), "applied"),
    responseSent: (id) => change(() => changes.endResponse(database, id), "applied"),
    releaseResponse: (id) =>
      change(() => {
        database.run("UPDATE response SET owner = NULL WHERE id = ?", id);
      }, "applied"),
    findSend: (identity, short) => read(() => queries.findSend(database, identity, short)),
    work: (at) => read(() => queries.findWork(database, at)),
    latest: () => read(() => queries.newest(database)),
    bringForward: (by, at) => change(() => changes.bringForward(database, by, at)),
    clock: (part) => read(() => queries.getClock(database, part)),
    setClock: (values) => change(() => changes.putClock(database, values)),
    activations: () => read(() => queries.listActivations(database)),
    setActivation: (key, to) => change(() => changes.putActivation(database, key, to)),
    totals: () => read(() => queries.countTransfers(database)),
    backlog: () => read(() => countBacklog(database)),
    probe: () =>
      change(() => {
        database.run("UPDATE holder SET pid = ? WHERE one = 1", process.pid);
      }),
    recover: (owner) => change(() => changes.freeClaims(database, owner)),
    unfinishedSpool: () => read(() => queries.findUnfinished(database)),
    async purge(before, told = () => {}) {
      let purged = 0;
      for (const [direct, time] of [["send", before.sends] as const, ["recv", before.receives] as const]) {
        await inBatches(async () => {
          const batch = await change(() => changes.purgeBatch(database, direct, time), "applied");
          for (const transfer of batch) told(transfer);
          purged += batch.length;
          return batch.length;
        });
      }
      await inBatches(() => change(() => changes.purgeStamps(database, before.sends), "applied"));
      await commits.settled();
      return purged;
    },
    async close() {
      if (!open) return;
      open = false;
      await commits.close();
      await aside.close();
      log.close();
      try {
        database.exec("PRAGMA optimize");
        database.close();
      } catch (error) {
        throw catalogError(database.path, error);
      } finally {
        closed();
      }
    },
  };
}
