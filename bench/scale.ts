/** Rows about many of something: small files, sessions, records, partners. What has a limit of its own is compared with that. */
import { catalogFigures } from "./catalog.ts";
import { type Row, RUNS, row } from "./figures.ts";
import { partnerFigures } from "./partners.ts";
import { idleFigures, sessionFigures } from "./sessions.ts";
import { smallFiles } from "./small-files.ts";

const FILES = 1_000;
const SMALL = 10 * 1024;
const SESSIONS = 500;
const SESSION_FILE = 100 * 1024;
const IDLE_SESSIONS = 900;
const RECORDS = 1_000_000;

/** A time or an amount beside the most that it may be, both as rates: more is better in every row. */
function within(work: string, unit: string, measured: number, limit: number, loop: Row["loop"] = null): Row {
  const against = `at most ${limit} ${unit}`;
  return row(
    { work, unit: `per ${unit}`, against, aim: 1, loop },
    [1 / Math.max(measured, 1e-6)],
    [1 / limit],
  );
}

export async function smallRows(folder: string): Promise<Row[]> {
  const { runs, loop, missing } = await smallFiles(folder, { runs: RUNS, files: FILES, size: SMALL });
  const against = missing ?? "sftp batch, fsync per file (put -f)";
  const name = `${FILES} files of 10 KiB in one session, each with EERP`;
  const unit = "files/s";
  return [
    row({ work: `OFTP 2.0 in clear, ${name}`, unit, against, aim: 1.5, loop }, runs.clear, runs.sftp),
    row({ work: `OFTP 2.0 over TLS 1.3, ${name}`, unit, against }, runs.tls, runs.sftp),
  ];
}

export async function sessionRows(folder: string): Promise<Row[]> {
  const figures = await sessionFigures(folder, { sessions: SESSIONS, size: SESSION_FILE, runs: RUNS });
  if (figures.lost > 0) throw new Error(`${figures.lost} files were lost`);
  const idle = await idleFigures(folder, IDLE_SESSIONS);
  const work = `${SESSIONS} sessions over TLS at once, each one file of 100 KiB, none lost`;
  const against = `${SESSIONS} raw TLS connections, the same octets`;
  const facts = { work, unit: "sessions/s", against, aim: 0.3, loop: figures.loop };
  const most = Math.max(idle.sender, idle.receiver);
  return [
    row(facts, figures.runs.files, figures.runs.raw),
    within(`memory of an idle session of ${IDLE_SESSIONS}`, "MB", most, 2),
  ];
}

export async function catalogRows(folder: string): Promise<Row[]> {
  const { pages, inserts, purge, start } = await catalogFigures(folder, RECORDS);
  const [slowest] = pages;
  const of = "in a catalog of a million records";
  return [
    within(
      `a page of 100 ${of}, the slowest filter (${slowest?.filter})`,
      "ms",
      slowest?.milliseconds ?? 0,
      50,
    ),
    row(
      { work: `durable inserts ${of}`, unit: "records/s", against: "an empty catalog", aim: 0.8 },
      inserts.full,
      inserts.empty,
    ),
    row(
      {
        work: `durable inserts ${of}, 50 at a time`,
        unit: "records/s",
        against: "an empty catalog",
        aim: 0.8,
      },
      inserts.fullTogether,
      inserts.emptyTogether,
    ),
    within(`retention ${of}: the loop late, p99`, "ms", purge.late, 20),
    within(`start with ${of.slice(3)}`, "s", start.full, 3),
  ];
}

export async function partnerRows(folder: string): Promise<Row[]> {
  const some = await partnerFigures(folder, { partners: 1_000, runs: RUNS });
  const many = await partnerFigures(folder, { partners: 5_000, runs: RUNS });
  return [
    within("1,000 partners at rest: share of a core", "%", some.idle, 1),
    within("1,000 partners: a file that is still is claimed", "ms", some.claim.median, 200),
    within("a reload that changes one of 5,000 partners", "ms", many.reload.median, 1_000),
    within("that reload: the loop late, p99", "ms", many.reload.late, 50),
  ];
}
