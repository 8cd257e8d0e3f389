/** What changes the catalog: each function is one change, applied inside a transaction of the group commit. */
import { join } from "node:path";
import { CygnetError } from "../platform/errors.ts";
import type {
  Activation,
  AftermathKind,
  Changes,
  EndResponse,
  Forward,
  NewReceive,
  NewSend,
  PartnerClock,
  SpoolNote,
  Transfer,
} from "./catalog.ts";
import type { Database } from "./database.ts";
import { HELD_SEND, isNext, READY_SEND, UNSEALED, WAITING_SCRIPT, WAITING_SEND } from "./queries.ts";
import {
  assignments,
  RESPONSE_COLUMNS,
  TRANSFER_COLUMNS,
  toId,
  toIdtu,
  toResponse,
  toTransfer,
} from "./rows.ts";
import { forgetStamps, nextStamp } from "./stamp.ts";

/** Records deleted in one change of a purge. */
const PURGE_BATCH = 100;

/** Stamps outlive the records that they were given to by this much, for clocks that step back. */
const STAMPS_KEPT = 7 * 24 * 3600 * 1000;

export interface Hold {
  step: "H" | "K";
  diagi: number;
  diagp: string;
  diagc: string;
}

export function insertSend(database: Database, send: NewSend, hold: Hold | undefined, now: number): Transfer {
  const { dupkey = "", retryAt = 0, deadline = 0, script = "" } = send;
  const first = dupkey === "" ? undefined : database.row("SELECT id FROM transfer WHERE dupkey = ?", dupkey);
  const double = first && duplicateOf(toIdtu(first.id));
  // what is not sent at all holds up nobody
  const serial = double ? "" : (send.serial ?? "");
  if (send.turn) takeTurn(database, send.pidtu ?? "", send.turn);
  for (let at = now; ; at += 1000) {
    const { date, time } = nextStamp(database, at);
    if (send.coarse && sameSecond(database, send, date, time)) continue;
    const row = database.row(
      `INSERT INTO transfer (direct, mode, phase, phasestep, diagi, diagp, diagc, part, idf, fname, nfname, dsn,
         orig, dest, description, filesize, pri, ackstate, spool, date, time, kdate, format, lrecl, pidtu, workfile,
         dupkey, retryAt, deadline, script, security, serial, generic, member, scriptAt)
       VALUES ('send', 'requester', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (direct, orig, dest, dsn, date, time) DO NOTHING
       RETURNING ${TRANSFER_COLUMNS}`,
      ...stateOfNew(script, double ?? hold, send.prestate),
      ...[send.part, send.idf],
      ...[send.fname, send.nfname, send.dsn, send.orig, send.dest, send.description, send.filesize, send.pri],
      ...[send.ackstate, JSON.stringify(send.spool), date, time, now, send.format, send.lrecl],
      ...[send.pidtu ?? "", send.workfile ?? "", double ? "" : dupkey, retryAt, deadline],
      script,
      send.security && JSON.stringify(send.security),
      ...[serial, send.generic ? JSON.stringify(send.generic) : null],
      ...[send.member ?? "", script === "" ? 0 : (send.scriptAt ?? 0)],
    );
    // No row: an older record has this identity although its stamp was forgotten. The next one is free.
    if (row !== undefined) return toTransfer(row);
  }
}

/** A cycle goes on to its next time, once for each turn. */
function takeTurn(database: Database, idtu: string, { from, to }: { from: number; to: number }): void {
  const taken = database.run(
    `UPDATE transfer SET retryAt = ? WHERE id = ? AND retryAt = ? AND phase = 'T' AND phasestep = 'H' AND diagi = 0`,
    ...[to, toId(idtu), from],
  );
  if (taken === 1) return;
  throw new CygnetError("CYG_CATALOG_TURN", `The cycle ${idtu} has gone on already, or has stopped.`);
}

/**
 * Phase, step and diagnosis of a new send. A script comes first: what is to be held or kept without being at fault is
 * so afterwards, and DIAGP remembers it.
 */
function stateOfNew(
  script: string,
  { step, diagi, diagp, diagc }: Partial<Hold> = {},
  prestate: NewSend["prestate"] = "disp",
): (string | number)[] {
  const phase = script === "" ? "T" : "A";
  const begins = prestate === "hold" ? "H" : "D";
  const first = script !== "" && (diagi ?? 0) === 0 ? begins : (step ?? "D");
  return [phase, first, diagi ?? 0, diagp ?? "", diagc ?? ""];
}

function duplicateOf(idtu: string): Hold {
  return { step: "K", diagi: 432, diagp: "DUPLICAT", diagc: `the same as ${idtu}` };
}

/** OFTP 1.2 and 1.3 carry no counter within the second: there, only the second tells two files of one name apart. */
function sameSecond(database: Database, { orig, dest, dsn }: NewSend, date: string, time: string): boolean {
  const second = time.slice(0, 6);
  return (
    database.row(
      `SELECT 1 FROM transfer WHERE direct = 'send' AND orig = ? AND dest = ? AND dsn = ? AND date = ?
         AND time >= ? AND time < ? LIMIT 1`,
      ...[orig, dest, dsn, date, second, `${second}:`],
    ) !== undefined
  );
}

export function insertReceive(
  database: Database,
  receive: NewReceive,
  owner: string,
  now: number,
): { transfer: Transfer; isNew: boolean } {
  const identity = [receive.orig, receive.dest, receive.dsn, receive.date, receive.time];
  const known = database.row(
    `SELECT ${TRANSFER_COLUMNS} FROM transfer
       WHERE direct = 'recv' AND orig = ? AND dest = ? AND dsn = ? AND date = ? AND time = ?`,
    ...identity,
  );
  if (known !== undefined) return { transfer: toTransfer(known), isNew: false };
  const row = database.row(
    `INSERT INTO transfer (direct, phase, phasestep, orig, dest, dsn, date, time, part, idf, mode, fname, nfname,
       description, filesize, format, lrecl, prot, pri, ackstate, kdate, bdate, owner, lease, security, via)
     VALUES ('recv', 'T', 'C', ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, 0, 'require', ?, ?, ?, ?, ?, ?)
     RETURNING ${TRANSFER_COLUMNS}`,
    ...identity,
    ...[receive.part, receive.idf, receive.mode, receive.nfname, receive.description, receive.filesize],
    ...[receive.format, receive.lrecl, receive.prot, now, now, owner, now],
    receive.security && JSON.stringify(receive.security),
    receive.via,
  );
  const transfer = toTransfer(row as NonNullable<typeof row>);
  const workfile = join(receive.workfolder, transfer.idtu);
  database.run("UPDATE transfer SET workfile = ? WHERE id = ?", workfile, toId(transfer.idtu));
  return { transfer: { ...transfer, workfile }, isNew: true };
}

/** False when there is no such record. */
export function updateTransfer(database: Database, idtu: string, changes: Changes, now: number): boolean {
  const { set, values } = assignments(changes, now);
  if (set === "") return database.row("SELECT 1 FROM transfer WHERE id = ?", toId(idtu)) !== undefined;
  return database.run(`UPDATE transfer SET ${set} WHERE id = ?`, ...values, toId(idtu)) === 1;
}

/** What gives a claim up, beside other changes. */
const FREE = ["owner = NULL", "lease = NULL"];

/** Changes a record and gives its claim up. Throws CYG_CATALOG_UNKNOWN. */
export function releaseTransfer(database: Database, idtu: string, changes: Changes, now: number): void {
  const { set, values } = assignments(changes, now);
  const all = [...FREE, set].filter((part) => part !== "").join(", ");
  if (database.run(`UPDATE transfer SET ${all} WHERE id = ?`, ...values, toId(idtu)) === 1) return;
  throw new CygnetError("CYG_CATALOG_UNKNOWN", `The catalog ${database.path} has no transfer ${idtu}.`);
}

/** Changes a record in this phase and step, and gives its claim up. False when there is none. */
export function advanceTransfer(
  database: Database,
  idtu: string,
  from: Pick<Transfer, "phase" | "phasestep">,
  changes: Changes,
  now: number,
): boolean {
  const { set, values } = assignments(changes, now);
  const all = [...FREE, set].filter((part) => part !== "").join(", ");
  const where = "id = ? AND phase = ? AND phasestep = ?";
  return (
    database.run(
      `UPDATE transfer SET ${all} WHERE ${where}`,
      ...[...values, toId(idtu), from.phase, from.phasestep],
    ) === 1
  );
}

export function takeScript(database: Database, owner: string, now: number): Transfer | undefined {
  const row = database.row(
    `UPDATE transfer SET phasestep = 'C', owner = ?, lease = ? WHERE id = (
       SELECT id FROM transfer INDEXED BY script_waiting
         WHERE ${WAITING_SCRIPT} AND scriptAt <= ? ORDER BY id LIMIT 1
     ) RETURNING ${TRANSFER_COLUMNS}`,
    ...[owner, now, now],
  );
  return row && toTransfer(row);
}

export function takeSend(
  database: Database,
  part: string | readonly string[],
  owner: string,
  now: number,
  asked = false,
): Transfer | undefined {
  const several = typeof part !== "string";
  const take = (candidates: string, ...times: number[]) => {
    const row = database.row(
      `UPDATE transfer SET phasestep = 'C', tries = tries + 1, owner = ?, lease = ?
         WHERE id = (${several ? bestOfAll(candidates) : bestOf(candidates, "?")}) RETURNING ${TRANSFER_COLUMNS}`,
      ...[owner, now, ...times, several ? JSON.stringify(part) : part],
    );
    return row && toTransfer(row);
  };
  return take(READY_NOW, now, now) ?? (asked ? take(HELD_NOW, now) : undefined);
}

const READY_NOW = `INDEXED BY send_waiting WHERE ${READY_SEND} AND ${isNext("transfer")} AND retryAt <= ? AND (deadline = 0 OR deadline > ?)`;
const HELD_NOW = `INDEXED BY send_held WHERE ${HELD_SEND} AND generic IS NULL AND NOT coalesce(${UNSEALED}, 0) AND retryAt <= ?`;
const BEST = "ORDER BY pri DESC, id LIMIT 1";

function bestOf(candidates: string, part: string): string {
  return `SELECT id FROM transfer ${candidates} AND part = ${part} ${BEST}`;
}

/** Of a JSON array of partners: one step in the index for each; what waits behind their best is not looked at. */
function bestOfAll(candidates: string): string {
  const each = `SELECT (${bestOf(candidates, "each.value")}) AS best FROM json_each(?) AS each`;
  return `SELECT id FROM (${each}) CROSS JOIN transfer ON id = best ${BEST}`;
}

/** Changes a record that is in this state and free. */
export function transitionTransfer(
  database: Database,
  idtu: string,
  from: Pick<Transfer, "phase" | "phasestep">,
  changes: Changes,
  now: number,
): boolean {
  const { set, values } = assignments(changes, now);
  return (
    database.run(
      `UPDATE transfer SET ${set} WHERE id = ? AND phase = ? AND phasestep = ? AND owner IS NULL`,
      ...[...values, toId(idtu), from.phase, from.phasestep],
    ) === 1
  );
}

/** Deletes a free record without a file; its response goes with it. */
export function removeTransfer(database: Database, idtu: string): boolean {
  return (
    database.run("DELETE FROM transfer WHERE id = ? AND owner IS NULL AND workfile = ''", toId(idtu)) === 1
  );
}

/** DIAGP of a diagnostic that is the partner's and not of the send itself. */
const WAITS = "WAIT";

export function explainWaiting(
  database: Database,
  part: string,
  why: { diagi: number; diagc: string } | undefined,
  isNews: boolean,
): void {
  const { diagi, diagc } = why ?? { diagi: 0, diagc: "" };
  const said = [diagi, why ? WAITS : "", diagc];
  if (isNews) {
    const told = `diagp = '${WAITS}' AND (diagi <> ? OR diagc <> ?)`;
    database.run(
      `UPDATE transfer SET diagi = ?, diagp = ?, diagc = ? WHERE ${WAITING_SEND} AND part = ? AND ${told}`,
      ...[...said, part, diagi, diagc],
    );
  }
  if (why === undefined) return;
  database.run(
    `UPDATE transfer SET diagi = ?, diagp = ?, diagc = ? WHERE id IN (
       SELECT id FROM transfer INDEXED BY send_unexplained WHERE ${WAITING_SEND} AND diagi = 0 AND part = ?)`,
    ...[...said, part],
  );
}

type Why = Pick<Transfer, "diagi" | "diagp" | "diagc">;

/** Sends of a condition stop (T/K). Gives them as they are now. */
function stopWhere(
  database: Database,
  condition: string,
  { diagi, diagp, diagc }: Why,
  value: string | number,
): Transfer[] {
  return database
    .rows(
      `UPDATE transfer SET phasestep = 'K', diagi = ?, diagp = ?, diagc = ? WHERE ${condition} RETURNING ${TRANSFER_COLUMNS}`,
      ...[diagi, diagp, diagc, value],
    )
    .map(toTransfer);
}

/** Sends whose time to begin is over stop. */
export function stopLate(database: Database, now: number, why: Why): Transfer[] {
  const late = `id IN (SELECT id FROM transfer WHERE deadline <> 0 AND phase = 'T' AND phasestep = 'D'
    AND deadline < ? AND direct = 'send' AND owner IS NULL)`;
  return stopWhere(database, late, why, now);
}

export function takeUnsealed(database: Database, owner: string, now: number): Transfer | undefined {
  for (const lacking of [
    `INDEXED BY send_retry WHERE ${WAITING_SEND} AND ${UNSEALED} AND retryAt <= ?`,
    `INDEXED BY send_held WHERE ${HELD_SEND} AND generic IS NULL AND ${UNSEALED} AND retryAt <= ?`,
  ]) {
    const row = database.row(
      `UPDATE transfer SET phasestep = 'C', owner = ?, lease = ? WHERE id = (
         SELECT id FROM transfer ${lacking} ORDER BY pri DESC, id LIMIT 1
       ) RETURNING ${TRANSFER_COLUMNS}`,
      ...[owner, now, now],
    );
    if (row !== undefined) return toTransfer(row);
  }
  return undefined;
}

/** Waiting sends of a partner stop: its paths are used up. */
export function stopSends(database: Database, part: string, why: Why): Transfer[] {
  return stopWhere(database, `${WAITING_SEND} AND part = ?`, why, part);
}

export function takeReceive(database: Database, idtu: string, owner: string, now: number): boolean {
  return (
    database.run(
      `UPDATE transfer SET phasestep = 'C', owner = ?, lease = ?
         WHERE id = ? AND direct = 'recv' AND phase = 'T' AND phasestep = 'H' AND owner IS NULL`,
      ...[owner, now, toId(idtu)],
    ) === 1
  );
}

/**
 * Ends a receive (phase X unless `changes` say otherwise) and queues its response. Done again, it queues the
 * same response again: the partner that repeats a file has not seen it.
 */
export function endReceive(
  database: Database,
  idtu: string,
  changes: Changes,
  response: Omit<EndResponse, "id">,
  now: number,
  from?: Pick<Transfer, "phase" | "phasestep">,
): boolean {
  const ended: Changes = { phase: "X", phasestep: "X", workfile: "", spool: null };
  if (from === undefined) releaseTransfer(database, idtu, { ...ended, ...changes }, now);
  else if (!advanceTransfer(database, idtu, from, { ...ended, ...changes }, now)) return false;
  database.run(
    `INSERT INTO response (transfer, kind, part, dsn, date, time, orig, dest, reason, text, creator, hsh, sig)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (transfer) DO UPDATE SET kind = excluded.kind, part = excluded.part,
         reason = excluded.reason, text = excluded.text, creator = excluded.creator, hsh = excluded.hsh,
         sig = excluded.sig, sent = 0, owner = NULL`,
    ...[toId(idtu), response.kind, response.part, response.dsn, response.date, response.time],
    ...[response.orig, response.dest, response.reason, response.text],
    ...[response.creator ?? "", response.hsh ?? "", response.sig ?? ""],
  );
  return true;
}

/** See `Catalog.forward`. */
export function forwardReceive(database: Database, idtu: string, to: Forward, now: number): Transfer {
  const received = database.row(`SELECT ${TRANSFER_COLUMNS} FROM transfer WHERE id = ?`, toId(idtu));
  if (received === undefined) {
    throw new CygnetError("CYG_CATALOG_UNKNOWN", `The catalog ${database.path} has no transfer ${idtu}.`);
  }
  const { dsn, date, time, orig, dest, ...file } = toTransfer(received);
  const identity = [orig, dest, dsn, date, time];
  const note: SpoolNote = { step: "claimed", source: "", archive: "" };
  const made = database.row(
    `INSERT INTO transfer (direct, mode, phase, phasestep, orig, dest, dsn, date, time, part, idf, fname, nfname,
       description, filesize, formsize, linehash, pri, ackstate, spool, kdate, format, lrecl, security, workfile, pidtu)
     VALUES ('send', 'requester', 'T', 'D', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'require', ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (direct, orig, dest, dsn, date, time) DO NOTHING RETURNING ${TRANSFER_COLUMNS}`,
    ...identity,
    ...[
      to.part,
      file.idf,
      file.nfname,
      file.nfname,
      file.description,
      to.filesize,
      to.formsize,
      file.linehash,
    ],
    ...[to.pri, JSON.stringify(note), now, file.format, file.lrecl],
    file.security && JSON.stringify(file.security),
    ...[to.workfile, idtu],
  );
  const waits: Changes = { phase: "Z", phasestep: "H", workfile: "", spool: null, diagp: "", edate: now };
  updateTransfer(database, idtu, waits, now);
  database.run("UPDATE transfer SET owner = NULL, lease = NULL WHERE id = ?", toId(idtu));
  const send =
    made ??
    database.row(
      `SELECT ${TRANSFER_COLUMNS} FROM transfer
         WHERE direct = 'send' AND orig = ? AND dest = ? AND dsn = ? AND date = ? AND time = ?`,
      ...identity,
    );
  return toTransfer(send as NonNullable<typeof send>);
}

export function takeResponse(database: Database, part: string, owner: string): EndResponse | undefined {
  const row = database.row(
    `UPDATE response SET owner = ? WHERE id = (
       SELECT id FROM response INDEXED BY response_waiting
         WHERE sent = 0 AND owner IS NULL AND part = ? ORDER BY id LIMIT 1
     ) RETURNING ${RESPONSE_COLUMNS}`,
    ...[owner, part],
  );
  return row && toResponse(row);
}

export function endResponse(database: Database, id: number): void {
  const row = database.row(
    "UPDATE response SET sent = 1, owner = NULL WHERE id = ? RETURNING transfer, kind",
    id,
  );
  if (row === undefined) {
    throw new CygnetError("CYG_CATALOG_UNKNOWN", `The catalog ${database.path} has no end response ${id}.`);
  }
  database.run(
    "UPDATE transfer SET ack = ? WHERE id = ?",
    row.kind === "EERP" ? "A" : "N",
    Number(row.transfer),
  );
}

export function putActivation(
  database: Database,
  { kind, id }: Pick<Activation, "kind" | "id">,
  to: Pick<Activation, "state" | "configured"> | undefined,
): void {
  database.run("DELETE FROM activation WHERE kind = ? AND id = ?", kind, id);
  if (to) database.run("INSERT INTO activation VALUES (?, ?, ?, ?)", kind, id, to.state, to.configured);
}

export function putClock(database: Database, clock: PartnerClock): void {
  database.run(
    `INSERT INTO partner (part, tries, nextCallAt, diagi, reason) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET tries = excluded.tries, nextCallAt = excluded.nextCallAt,
         diagi = excluded.diagi, reason = excluded.reason`,
    ...[clock.part, clock.tries, clock.nextCallAt, clock.diagi, clock.reason],
  );
}

/** What was put off is due `by` ms earlier, but for sends that wait for their first try. */
export function bringForward(database: Database, by: number, now: number): void {
  database.run(
    `UPDATE transfer SET retryAt = max(0, retryAt - ?) WHERE ${WAITING_SEND} AND tries > 0 AND retryAt > ?`,
    ...[by, now],
  );
  database.run("UPDATE partner SET nextCallAt = max(0, nextCallAt - ?) WHERE nextCallAt > ?", by, now);
}

/** A running record without an owner is nobody's work either, and comes free with those of `owner`. */
export function freeClaims(database: Database, owner: string) {
  const mine = "(owner = ? OR owner IS NULL)";
  const free = (direct: string, step: string): number =>
    database.run(
      `UPDATE transfer SET phasestep = ${step}, owner = NULL, lease = NULL
         WHERE direct = ? AND phase = 'T' AND phasestep = 'C' AND ${mine}`,
      ...[direct, owner],
    );
  // what a partner is to fetch waits for its call again
  const waits = "CASE WHEN diagp = 'HOLD' AND diagi = 0 THEN 'H' ELSE 'D' END";
  const freed = { sends: free("send", waits), receives: free("recv", "'H'"), responses: 0, scripts: 0 };
  freed.scripts = database.run(
    `UPDATE transfer SET phasestep = 'D', owner = NULL, lease = NULL
       WHERE phase IN ('A', 'Y', 'Z') AND phasestep = 'C' AND script <> '' AND ${mine}`,
    owner,
  );
  database.run("UPDATE transfer SET owner = NULL, lease = NULL WHERE owner = ? AND phasestep = 'C'", owner);
  freed.responses = database.run("UPDATE response SET owner = NULL WHERE sent = 0 AND owner = ?", owner);
  return freed;
}

/** Deletes one batch of ended records of a direction; the number deleted, 0 when there are no more. */
export function purgeBatch(database: Database, direct: "send" | "recv", before: number): Transfer[] {
  const rows = database.rows(
    `DELETE FROM transfer WHERE id IN (
       SELECT id FROM transfer WHERE direct = ? AND phase = 'X' AND edate < ? AND workfile = '' AND owner IS NULL
         AND NOT EXISTS (SELECT 1 FROM response WHERE response.transfer = transfer.id AND sent = 0)
         AND NOT EXISTS (SELECT 1 FROM aftermath WHERE aftermath.transfer = transfer.id)
       LIMIT ${PURGE_BATCH}) RETURNING ${TRANSFER_COLUMNS}`,
    ...[direct, before],
  );
  return rows.map(toTransfer);
}

/** Says what is noted from now on, and drops the notes of other kinds. */
export function setWanted(database: Database, kinds: readonly AftermathKind[]): void {
  database.run("DELETE FROM wanted");
  for (const kind of kinds) database.run("INSERT INTO wanted VALUES (?)", kind);
  database.run("DELETE FROM aftermath WHERE kind NOT IN (SELECT kind FROM wanted)");
}

export function addAftermath(database: Database, idtu: string, kind: AftermathKind): boolean {
  if (database.row("SELECT 1 FROM transfer WHERE id = ?", toId(idtu)) === undefined) return false;
  database.run(
    "INSERT INTO aftermath (kind, transfer) VALUES (?, ?) ON CONFLICT DO NOTHING",
    kind,
    toId(idtu),
  );
  return true;
}

export function deleteAftermath(database: Database, ids: readonly number[]): void {
  for (const id of ids) database.run("DELETE FROM aftermath WHERE id = ?", id);
}

/** Forgets one batch of stamps that nobody needs; the number, 0 when there are no more. */
export function purgeStamps(database: Database, before: number): number {
  return forgetStamps(database, before - STAMPS_KEPT);
}
