/** What only reads: shared by the gateway's catalog and by the read-only view of the command line. */
import type {
  Activation,
  Aftermath,
  AftermathKind,
  FileIdentity,
  PartnerClock,
  Transfer,
} from "./catalog.ts";
import type { Database } from "./database.ts";
import { TRANSFER_COLUMNS, toId, toTransfer } from "./rows.ts";

/** Sends that may be taken; word for word the condition of the partial indexes `send_waiting` and `send_retry`. */
export const WAITING_SEND =
  "direct = 'send' AND phase = 'T' AND phasestep = 'D' AND owner IS NULL AND stepNote IS NOT 'claim'";

/** Sends that lack the envelope that their security asks for. */
export const UNSEALED = `formsize < 0 AND security IS NOT NULL AND (json_extract(security, '$.sign')
  OR json_extract(security, '$.encrypt') OR json_extract(security, '$.compress'))`;

/** Sends that may go over the line, as far as they themselves are concerned. */
export const READY_SEND = `${WAITING_SEND} AND NOT coalesce(${UNSEALED}, 0)`;

/** Sends before which no other one has to go (SERIAL); `row` is what the query calls the send. */
export function isNext(row: string): string {
  return `(${row}.serial = '' OR NOT EXISTS (
    SELECT 1 FROM transfer earlier INDEXED BY send_serial
      WHERE earlier.serial <> '' AND earlier.direct = 'send' AND earlier.phase <> 'X'
        AND earlier.part = ${row}.part AND earlier.idf = ${row}.idf AND earlier.id < ${row}.id
        AND (earlier.serial = 'X' OR earlier.phase IN ('A', 'T'))))`;
}

export function getTransfer(database: Database, idtu: string): Transfer | undefined {
  const row = database.row(`SELECT ${TRANSFER_COLUMNS} FROM transfer WHERE id = ?`, toId(idtu));
  return row && toTransfer(row);
}

/** Sends that wait for their partner to call; word for word the condition of the index `send_held`. */
export const HELD_SEND =
  "direct = 'send' AND phase = 'T' AND phasestep = 'H' AND diagi = 0 AND owner IS NULL AND stepNote IS NOT 'claim'";

export function countTransfers(database: Database): {
  send: Record<string, number>;
  recv: Record<string, number>;
  responses: number;
} {
  const totals = { send: {} as Record<string, number>, recv: {} as Record<string, number>, responses: 0 };
  for (const row of database.rows("SELECT direct, state, records FROM tally WHERE records > 0")) {
    totals[row.direct as "send" | "recv"][row.state as string] = Number(row.records);
  }
  totals.responses = Number(
    database.row("SELECT count(*) AS n FROM response INDEXED BY response_unsent WHERE sent = 0")?.n,
  );
  return totals;
}

/**
 * The send with this identity (`orig` and `dest` are the file's). `short` ignores the century and the counter,
 * whichever side has them: RFC 5024's predecessors carry YYMMDD and HHMMSS only.
 */
export function findSend(database: Database, file: FileIdentity, short: boolean): Transfer | undefined {
  const key = [file.orig, file.dest, file.dsn];
  const select = `SELECT ${TRANSFER_COLUMNS} FROM transfer WHERE direct = 'send' AND orig = ? AND dest = ? AND dsn = ?`;
  if (!short) {
    const row = database.row(`${select} AND date = ? AND time = ?`, ...key, file.date, file.time);
    return row && toTransfer(row);
  }
  const day = file.date.slice(-6);
  const second = file.time.slice(0, 6);
  // Both spellings of the date and a range of times keep this on the identity index.
  const row = database.row(
    `${select} AND date IN (?, ?, ?) AND time BETWEEN ? AND ? ORDER BY ack <> '', id LIMIT 1`,
    ...key,
    day,
    `19${day}`,
    `20${day}`,
    second,
    `${second}9999`,
  );
  return row && toTransfer(row);
}

/**
 * Partners with a due send or a waiting response, and the next time at which a send falls due. Steps from
 * partner to partner in the index, which SQLite must be told, instead of reading all that waits.
 */
export function findWork(database: Database, now: number): { parts: string[]; nextAt: number | null } {
  const parts = new Set<string>();
  let nextAt: number | null = null;
  const sends = database.rows(
    `WITH RECURSIVE waiting (part) AS (
       SELECT min(part) FROM transfer INDEXED BY send_retry WHERE ${WAITING_SEND}
       UNION ALL
       SELECT (SELECT min(part) FROM transfer INDEXED BY send_retry
           WHERE ${WAITING_SEND} AND part > waiting.part)
         FROM waiting WHERE waiting.part IS NOT NULL
     )
     SELECT part,
       EXISTS (SELECT 1 FROM transfer t INDEXED BY send_retry
         WHERE ${READY_SEND} AND ${isNext("t")} AND t.part = waiting.part AND retryAt <= ?) AS due,
       (SELECT min(retryAt) FROM transfer t INDEXED BY send_retry
         WHERE ${WAITING_SEND} AND t.part = waiting.part AND retryAt > ?) AS later
     FROM waiting WHERE part IS NOT NULL`,
    now,
    now,
  );
  for (const { part, due, later } of sends) {
    if (due === 1) parts.add(part as string);
    if (later !== null) nextAt = Math.min(nextAt ?? Number.POSITIVE_INFINITY, Number(later));
  }
  const responses = database.rows(
    `WITH RECURSIVE waiting (part) AS (
       SELECT min(part) FROM response WHERE sent = 0 AND owner IS NULL
       UNION ALL
       SELECT (SELECT min(part) FROM response WHERE sent = 0 AND owner IS NULL AND part > waiting.part)
         FROM waiting WHERE waiting.part IS NOT NULL
     )
     SELECT part FROM waiting WHERE part IS NOT NULL`,
  );
  for (const { part } of responses) parts.add(part as string);
  return { parts: [...parts], nextAt };
}

export function listActivations(database: Database): Activation[] {
  return database
    .rows("SELECT kind, id, state, configured FROM activation")
    .map((row) => ({ ...row }) as unknown as Activation);
}

export function listFinished(database: Database, idf: string, limit: number): Transfer[] {
  return database
    .rows(
      `SELECT ${TRANSFER_COLUMNS} FROM transfer
         WHERE direct = 'send' AND idf = ? AND phase = 'X' AND workfile = '' AND owner IS NULL
           AND NOT EXISTS (SELECT 1 FROM aftermath WHERE aftermath.transfer = transfer.id)
           AND (pidtu = '' OR NOT EXISTS (
             SELECT 1 FROM transfer parent WHERE parent.id = CAST(transfer.pidtu AS INTEGER) AND parent.phase <> 'X'
               AND json_extract(parent.generic, '$.kind') IS NOT 'cycle'))
         ORDER BY kdate LIMIT ?`,
      ...[idf, limit],
    )
    .map(toTransfer);
}

/** Generic records under way, oldest first. */
export function listGenerics(database: Database): Transfer[] {
  return database
    .rows(
      `SELECT ${TRANSFER_COLUMNS} FROM transfer INDEXED BY transfer_generic
         WHERE generic IS NOT NULL AND phase <> 'X' ORDER BY id`,
    )
    .map(toTransfer);
}

export function countChildren(
  database: Database,
  pidtu: string,
): { all: number; ended: number; refused: number; stuck: number } {
  const row = database.row(
    `SELECT count(*) AS "all", total(phase = 'X') AS ended, total(phase = 'X' AND ack = 'N') AS refused,
       total(phase <> 'X' AND phasestep IN ('H', 'K') AND diagi <> 0) AS stuck
     FROM transfer WHERE pidtu = ? AND pidtu <> ''`,
    pidtu,
  );
  return { ...row } as { all: number; ended: number; refused: number; stuck: number };
}

/** When the newest record was made; null = there is none. */
export function newest(database: Database): number | null {
  // two steps into an index instead of reading all of it
  const row = database.row(
    `SELECT max((SELECT coalesce(max(kdate), 0) FROM transfer WHERE direct = 'send'),
       (SELECT coalesce(max(kdate), 0) FROM transfer WHERE direct = 'recv')) AS kdate`,
  );
  return Number(row?.kdate) || null;
}

export function owesResponse(database: Database, idtu: string): boolean {
  return database.row("SELECT 1 FROM response WHERE transfer = ? AND sent = 0", toId(idtu)) !== undefined;
}

export function responseWaits(database: Database, part: string): boolean {
  const waiting =
    "SELECT 1 FROM response INDEXED BY response_waiting WHERE sent = 0 AND owner IS NULL AND part = ?";
  return database.row(`${waiting} LIMIT 1`, part) !== undefined;
}

/** A partner that never failed has a clock of zeros. */
export function getClock(database: Database, part: string): PartnerClock {
  const row = database.row("SELECT part, tries, nextCallAt, diagi, reason FROM partner WHERE part = ?", part);
  if (row === undefined) return { part, tries: 0, nextCallAt: 0, diagi: 0, reason: "" };
  return { ...row } as unknown as PartnerClock;
}

/** Records that wait for a script; word for word the condition of the partial index `script_waiting`. */
export const WAITING_SCRIPT =
  "script <> '' AND phasestep = 'D' AND owner IS NULL AND stepNote IS NOT 'claim'";

export function countScripts(database: Database, by = Number.MAX_SAFE_INTEGER): number {
  const row = database.row(
    `SELECT count(*) AS n FROM transfer INDEXED BY script_waiting WHERE ${WAITING_SCRIPT} AND scriptAt <= ?`,
    by,
  );
  return Number(row?.n);
}

export function nextScriptAt(database: Database, now: number): number | null {
  const row = database.row(
    `SELECT min(scriptAt) AS at FROM transfer INDEXED BY script_later
       WHERE scriptAt <> 0 AND script <> '' AND phasestep = 'D' AND scriptAt > ?`,
    now,
  );
  return row?.at == null ? null : Number(row.at);
}

/** The columns of a transfer beside those of its note. */
const NOTED_COLUMNS = TRANSFER_COLUMNS.split(", ")
  .map((column) => `transfer.${column}`)
  .join(", ");

/** Notes of these kinds behind the note `after`, oldest first, each with its transfer. */
export function listAftermath(
  database: Database,
  kinds: readonly AftermathKind[],
  after: number,
  limit: number,
): Aftermath[] {
  return database
    .rows(
      `SELECT aftermath.id AS note, aftermath.kind AS noted, ${NOTED_COLUMNS}
         FROM aftermath JOIN transfer ON transfer.id = aftermath.transfer
         WHERE aftermath.kind IN (${kinds.map(() => "?").join(", ")}) AND aftermath.id > ?
         ORDER BY aftermath.id LIMIT ?`,
      ...[...kinds, after, limit],
    )
    .map(({ note, noted, ...row }) => {
      return { id: Number(note), kind: noted as AftermathKind, transfer: toTransfer(row) };
    });
}

/** Records whose last step of the spool may be half done, oldest first. */
export function findUnfinished(database: Database): Transfer[] {
  const rows = database.rows(
    `SELECT ${TRANSFER_COLUMNS} FROM transfer WHERE id IN (
       SELECT id FROM transfer INDEXED BY spool_noted WHERE stepNote IN ('claim', 'deliver')
       UNION SELECT id FROM transfer INDEXED BY spool_received
         WHERE direct = 'recv' AND phase = 'Y' AND script = ''
       UNION SELECT id FROM transfer INDEXED BY spool_unsettled WHERE direct = 'send' AND phase = 'X' AND workfile <> ''
     ) ORDER BY id`,
  );
  return rows.map(toTransfer);
}
