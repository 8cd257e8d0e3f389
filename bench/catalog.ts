/** A catalog of a million records: lists, inserts, retention and start, beside an empty one. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import type { NewSend, TransferFilter } from "../src/catalog/catalog.ts";
import { isSlow } from "../src/catalog/list.ts";
import { openCatalog } from "../src/catalog/sqlite.ts";
import { readCatalog } from "../src/catalog/view.ts";
import { systemClock } from "../src/platform/clock.ts";
import { median, RUNS, timed } from "./figures.ts";
import { startAlone, stop } from "./pair.ts";

export interface CatalogFigures {
  records: number;
  /** Milliseconds for a page of 100 by what was asked; the slowest first. */
  pages: { filter: string; milliseconds: number }[];
  /** Durable inserts per second, one after the other and 50 at a time, of each run. */
  inserts: { empty: number[]; full: number[]; emptyTogether: number[]; fullTogether: number[] };
  /** Retention of a tenth of the records: how many a second, and how late the loop was (99th percentile, worst), ms. */
  purge: { perSecond: number; late: number; worst: number };
  /** Seconds from the start of the process to its first answer, with these records and with none. */
  start: { full: number; empty: number };
}

const DAY = 86_400_000;
/** Partners and flows of the records. */
const PARTS = 1_000;
const IDFS = 20;

/** Fills a new catalog with ended transfers and some that are not, over the last 90 days. */
export async function fill(path: string, records: number): Promise<void> {
  await openCatalog(path, systemClock).close();
  const database = new DatabaseSync(path);
  const now = Date.now();
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN");
  database
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO transfer (direct, part, idf, mode, phase, phasestep, ack, diagi, dsn, date, time, orig, dest, fname,
         nfname, description, filesize, bytes, sha256, prot, kdate, bdate, edate, format, lrecl, pri, ackstate)
       SELECT CASE WHEN i % 2 THEN 'send' ELSE 'recv' END,
         printf('P%04d', abs(i * 7919) % ${PARTS}), printf('FLOW%02d', abs(i * 31) % ${IDFS}),
         CASE WHEN i % 3 THEN 'requester' ELSE 'server' END,
         CASE WHEN i % 500 = 0 THEN 'T' ELSE 'X' END, CASE WHEN i % 500 = 0 THEN 'H' ELSE 'X' END,
         CASE WHEN i % 97 = 0 THEN 'N' WHEN i % 5 THEN 'A' ELSE '' END, CASE WHEN i % 97 = 0 THEN 730 ELSE 0 END,
         printf('FILE%08d', i), '20261101', printf('%010d', i), 'O0013ALPHA', 'O0013BETA',
         printf('/srv/out/file%08d.edi', abs(i * 104729) % 10000000), printf('file%08d', i), '', (i * 7907) % 1000000,
         (i * 7907) % 1000000, '', 'OFTP', ? - (? - i) * ?, ? - (? - i) * ?, ? - (? - i) * ?, 'U', 0, 128, 'require' FROM n`,
    )
    .run(
      records,
      ...Array.from({ length: 3 }, () => [now - DAY, records, Math.round((89 * DAY) / records)]).flat(),
    );
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

const NEW: NewSend = {
  ...{ part: "P0001", idf: "FLOW01", fname: "/srv/out/new", nfname: "new", dsn: "NEW", orig: "O", dest: "D" },
  ...{ description: "", filesize: 1, pri: 128, ackstate: "require", format: "U", lrecl: 0, security: null },
  spool: { step: "claimed", source: "/srv/out/new", archive: "" },
};

/** Filters that people and programs use, and every order. */
export function filters(now: number): Record<string, TransferFilter> {
  const hour = 3_600_000;
  const sorts = ["bdate", "edate", "idtu", "part", "idf", "filesize", "pri", "diagi", "fname"] as const;
  return {
    all: {},
    part: { part: "P0007" },
    "part mask": { part: "P00*" },
    "rare mask": { part: "*9999*" },
    idf: { idf: "FLOW07" },
    "idf of a partner": { part: "P0007", idf: "FLOW07" },
    "state H": { state: "H" },
    "state X": { state: "X" },
    "partner and state": { part: "P0007", state: "H" },
    error: { diagi: "error" },
    "diagi 730": { diagi: 730 },
    "diagi that nobody has": { diagi: 402 },
    "ack N": { ack: "N" },
    "mode of a partner": { part: "P0007", mode: "server" },
    "phasestep K": { phasestep: "K" },
    "phase Y": { phase: "Y" },
    "last hour": { since: now - hour },
    "an old hour": { since: now - 60 * DAY, until: now - 60 * DAY + hour },
    "sends, oldest first": { direct: "send", sort: "-kdate" },
    ...Object.fromEntries(sorts.map((sort) => [`sort ${sort}`, { sort }])),
    ...Object.fromEntries(sorts.map((sort) => [`sort -${sort}`, { sort: `-${sort}` as const }])),
    "partner, sort filesize": { part: "P0007", sort: "filesize" },
  };
}

/** Inserts into both catalogs in turn, so that both see the same machine. */
async function insertRates(paths: { full: string; empty: string }): Promise<CatalogFigures["inserts"]> {
  const catalogs = [openCatalog(paths.empty, systemClock), openCatalog(paths.full, systemClock)] as const;
  const rates: CatalogFigures["inserts"] = { empty: [], full: [], emptyTogether: [], fullTogether: [] };
  const count = 500;
  for (let run = 0; run < RUNS; run++) {
    for (const [index, catalog] of catalogs.entries()) {
      const one = await timed(async () => {
        for (let each = 0; each < count; each++) await catalog.addSend(NEW);
      });
      const many = await timed(async () => {
        for (let each = 0; each < count * 5; each += 50) {
          await Promise.all(Array.from({ length: 50 }, () => catalog.addSend(NEW)));
        }
      });
      rates[index === 0 ? "empty" : "full"].push(count / one);
      rates[index === 0 ? "emptyTogether" : "fullTogether"].push((count * 5) / many);
    }
  }
  for (const catalog of catalogs) await catalog.close();
  return rates;
}

async function startTime(folder: string): Promise<number> {
  const begun = performance.now();
  const site = await startAlone(folder);
  const seconds = (performance.now() - begun) / 1000;
  await stop(site);
  return seconds;
}

export async function catalogFigures(folder: string, records: number): Promise<CatalogFigures> {
  const paths = Object.fromEntries(
    ["full", "empty"].map((name) => {
      const rundir = join(folder, name, "run");
      mkdirSync(rundir, { recursive: true });
      return [name, join(rundir, "catalog.db")];
    }),
  ) as { full: string; empty: string };
  await fill(paths.full, records);
  const start = {
    full: await startTime(join(folder, "full")),
    empty: await startTime(join(folder, "empty")),
  };
  const view = readCatalog(paths.full);
  const pages: CatalogFigures["pages"] = [];
  for (const [name, filter] of Object.entries(filters(Date.now()))) {
    // orders without an index are for people who can wait, and made beside the loop
    if (isSlow(filter)) continue;
    const times: number[] = [];
    for (let run = 0; run < 3; run++) times.push((await timed(() => view.list(filter))) * 1000);
    pages.push({ filter: name, milliseconds: median(times) });
  }
  await view.close();
  pages.sort((a, b) => b.milliseconds - a.milliseconds);
  const inserts = await insertRates(paths);
  const catalog = openCatalog(paths.full, systemClock);
  const before = Date.now() - 80 * DAY;
  const histogram = monitorEventLoopDelay({ resolution: 2 });
  histogram.enable();
  let purged = 0;
  const seconds = await timed(async () => {
    purged = await catalog.purge({ sends: before, receives: before });
  });
  histogram.disable();
  await catalog.close();
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 2);
  return {
    ...{ records, pages, start, inserts },
    purge: {
      perSecond: purged / seconds,
      late: late(histogram.percentile(99)),
      worst: late(histogram.max),
    },
  };
}
