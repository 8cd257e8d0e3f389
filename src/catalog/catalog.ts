/**
 * The catalog: what was asked, what is under way, what became of it. One interface; all SQL lives behind it.
 *
 * Invariants
 * - A method that changes something resolves only when the change is durable on disk, unless it is said to be applied:
 *   see `Surety`. What a change rests on is on the disk no later than the change itself.
 * - A transfer is worked on only by the owner of a live claim on it.
 * - A file identity is unique among receives, and among sends: one record for each, for ever.
 * - Limits, retry clocks and pending responses are here, never true only in memory.
 */

import type { Backlog } from "./backlog.ts";
/**
 * What a change waits for. "durable": it is on the disk. "applied": it is committed, so that everybody sees it and no
 * later change is on the disk without it; a power failure may still take it, and what came after it.
 */
export type Surety = "durable" | "applied";

/** Phase: A pre-processing, T transfer, Y post-processing, Z acknowledgement, X done. */
export type Phase = "A" | "T" | "Y" | "Z" | "X";

/** Step within a phase: D ready and waiting, H held, C running, K stopped, X done. */
export type PhaseStep = "D" | "H" | "C" | "K" | "X";

/**
 * What identifies a virtual file for ever: RFC 5024 section 1.5.2. Codes and names without trailing spaces;
 * `date` CCYYMMDD and `time` HHMMSScccc as digits (YYMMDD and HHMMSS when the file came over OFTP 1.2 or 1.3).
 */
export interface FileIdentity {
  dsn: string;
  date: string;
  time: string;
  orig: string;
  dest: string;
}

/** SFIDSEC, SFIDCOMP, SFIDSIGN and SFIDCIPH. */
export interface FileSecurity {
  sign: boolean;
  encrypt: boolean;
  compress: boolean;
  /** The end-to-end response has to be signed. */
  signedEerp: boolean;
  /** Cipher suite, 1 to 10; 0 = none. */
  cipher: number;
  /** Receives: octets that the file is said to have outside its envelope (SFIDOSIZ); 0 = not said. */
  original?: number;
}

/** A script that is a step of a transfer's phase: before sending (A), after the data (Y), after the response (Z). */
export type PhaseScript = "preexec" | "exec" | "ackexec";

/**
 * What is noted about a transfer, in the change that calls for it, to be done once beside the transfer's own way:
 * its error script, the script of a response that came when the transfer had ended, its accounting record, and the
 * script of an ended transfer that somebody has asked for again.
 */
export type AftermathKind = "exece" | "ackexec" | "accnt" | "exec";

export interface Aftermath {
  id: number;
  kind: AftermathKind;
  /** As it is now. */
  transfer: Transfer;
}

/** One transfer. Times are milliseconds since 1970 UTC; sizes and positions are octets. */
export interface Transfer extends FileIdentity {
  /** Local identifier, unique on this site: eight digits. */
  idtu: string;
  part: string;
  idf: string;
  direct: "send" | "recv";
  type: "file";
  /** Who opened the session that carries it: we (requester) or the partner (server). */
  mode: "requester" | "server";
  phase: Phase;
  phasestep: PhaseStep;
  /** End-to-end response: none yet, positive (EERP), negative (NERP). For a receive: the one that we sent. */
  ack: "" | "A" | "N";
  /** Transfer CFT's diagnostic, 0 = none; below 500 local, above 500 reported by the partner. */
  diagi: number;
  diagp: string;
  /** The diagnostic in plain words. */
  diagc: string;
  /** Send: the file as it was dropped. Receive: the file as delivered ("" before). Absolute path. */
  fname: string;
  /** Send: name given to the partner before it was fitted into a dataset name. Receive: what it sent, verbatim. */
  nfname: string;
  /** SFIDDESC, UTF-8 text of 0..999 octets. */
  description: string;
  filesize: number;
  /** Octets that crossed the line so far and are safe on this side (receive: synced). */
  bytes: number;
  /** SHA-256 of the file's contents, lower-case hexadecimal; "" before it is known. */
  sha256: string;
  /** Protocol object used last ("" before the first attempt). */
  prot: string;
  kdate: number;
  bdate: number | null;
  edate: number | null;
  /** Where the payload is while the gateway holds it: claimed or half-received file, absolute; "" = nowhere. */
  workfile: string;
  /** What the spool needs to finish a step after a crash; opaque to everybody else. */
  spool: SpoolNote | null;
  /** SFIDFMT and SFIDLRECL. */
  format: "U" | "T" | "F" | "V";
  lrecl: number;
  /** Octets of the form in which a send goes over the line, where that is not its local form; -1 = it is. */
  formsize: number;
  /** File security of OFTP 2.0 that was applied or announced; null = none. */
  security: FileSecurity | null;
  /** Hash of the octets on the line by the cipher suite, hexadecimal; "" before it is known or when nobody needs it. */
  linehash: string;
  /** Priority 0..255, 255 first. */
  pri: number;
  /**
   * Send: wait in phase Z for the end-to-end response. Receive, once delivered: whether somebody (a script, an
   * operator) has the response still to give.
   */
  ackstate: "require" | "ignore";
  /** The script that this phase waits for (step D) or runs (step C); "" = none. It runs at least once. */
  script: PhaseScript | "";
  /** The transfer that this one was made of: the receive of a forwarded file, the parent of a broadcast; "" = none. */
  pidtu: string;
  /** The intermediate partner whose session brought it; "" = the partner's own. */
  via: string;
  /** Attempts so far, and when the next may begin (0 = at once). */
  tries: number;
  retryAt: number;
  /** When a send that has not begun is given up; 0 = never. */
  deadline: number;
  /** Phase that it must reach before the next send of its partner and flow that says so, too, may go; "" = none. */
  serial: "" | "Y" | "X";
  /** Its script does not run before this time; 0 = at once. */
  scriptAt: number;
  /** It is one of several files of one request ("list"); "" = it is none. */
  member: "" | "list";
  /** What makes it the parent of others, and nothing that goes over the line itself; null = it is no such record. */
  generic: Generic | null;
}

/** How the children of a generic record are asked for: as a request that names a file is. */
export interface Recipe {
  /** Relative to rundir or absolute; with # in front it stands for several. */
  file: string;
  /** List of the names in the directory of `file` that are meant; "" = all. */
  selfname: string;
  /** There are no symbolic variables in them: somebody has named the file itself. */
  literal: boolean;
  nfname?: string;
  state?: "disp" | "hold" | "keep";
  mindate?: string;
  mintime?: string;
  maxdate?: string;
  maxtime?: string;
}

/**
 * A parent. "list": one child for each of several files, `children` once all are there; it ends with the last of them. "cycle": one child
 * every so many periods counted from `first`, the next at `retryAt`, until `deadline`.
 */
export type Generic =
  | { kind: "list"; recipe: Recipe; children?: number }
  | { kind: "cycle"; recipe: Recipe; every: number; period: "min" | "day" | "month"; first: number };

/** A file that was copied to be sent, as it stood then, and what is to be done with it in the end. */
export interface Original {
  path: string;
  ino: string;
  size: number;
  mtimeMs: number;
  action: "delete" | "erase";
}

/**
 * A step of the spool that a crash may interrupt. `archive` is a folder ("" = none), `name` that of the file in it where
 * it is another than it had. "claim": about to be renamed into `workdir`; such a send waits
 * for the spool and is not taken by `claimSend`. "claimed": nothing is under way. "deliver": about to be linked
 * to its final name in an inbox, in the archive or under failed; `part` is the copy that is linked where that
 * name is on another file system.
 */
export type SpoolNote =
  | {
      step: "claim";
      source: string;
      ino: string;
      size: number;
      mtimeMs: number;
      archive: string;
      workdir: string;
      name?: string;
      original?: Original;
    }
  | { step: "claimed"; source: string; archive: string; name?: string; original?: Original }
  | { step: "deliver"; target: string; ctimeNs: string; ino: string; part?: string };

export type NewSend = Pick<
  Transfer,
  | "part"
  | "idf"
  | "fname"
  | "nfname"
  | "dsn"
  | "orig"
  | "dest"
  | "description"
  | "filesize"
  | "pri"
  | "ackstate"
  | "format"
  | "lrecl"
  | "security"
> & {
  spool: SpoolNote;
  /** A script to run before anything else: the record begins in phase A. */
  script?: "preexec" | "";
  /** A child of this transfer, with the name under which the spool holds its file. */
  pidtu?: string;
  workfile?: string;
  /** Stops the send when an earlier one has the same; "" = no check. */
  dupkey?: string;
  /** Not before, and not after, this time; 0 = at once, never. */
  retryAt?: number;
  deadline?: number;
  serial?: Transfer["serial"];
  member?: Transfer["member"];
  generic?: Generic;
  /** When its script may begin; 0 = at once. "hold": not before somebody says so (A, H). */
  scriptAt?: number;
  prestate?: "disp" | "hold";
  /** It is the child of a cycle whose turn is at this time: the cycle goes on to the next time in the same step. */
  turn?: { from: number; to: number };
  /** The partner's protocol has stamps of whole seconds (OFTP 1.2, 1.3): no two files of one name get the same. */
  coarse?: boolean;
};

export type NewReceive = FileIdentity &
  Pick<
    Transfer,
    | "part"
    | "idf"
    | "mode"
    | "nfname"
    | "description"
    | "filesize"
    | "format"
    | "lrecl"
    | "prot"
    | "security"
    | "via"
  > & {
    /** Absolute path of the folder in which the work file will stand, named by IDTU. */
    workfolder: string;
  };

/** A received file on its way to the next station: the same identity, the same octets. */
export type Forward = Pick<Transfer, "part" | "workfile" | "formsize" | "filesize" | "pri">;

export type Changes = Partial<Omit<Transfer, "idtu" | "direct" | "type" | keyof FileIdentity>>;

/** An end-to-end response that waits to be sent, or was sent. `orig` and `dest` are those of the FILE. */
export interface EndResponse extends FileIdentity {
  id: number;
  kind: "EERP" | "NERP";
  /** Partner on the way back to the originator. */
  part: string;
  /** The receive that it answers. */
  idtu: string;
  /** NERPREAS and NERPREAST; 0 and "" for EERP. */
  reason: number;
  text: string;
  /** Of a response that is passed on: who made it (NERPCREA), hash and signature; "" otherwise. Hexadecimal. */
  creator?: string;
  hsh?: string;
  sig?: string;
}

/** When a partner may be called again after failures, and how many there were in a row. */
export interface PartnerClock {
  part: string;
  tries: number;
  nextCallAt: number;
  /** Why the last call failed: DIAGI and words. */
  diagi: number;
  reason: string;
}

/** What an operator opened or closed: a partner, a folder, a job. */
export interface Activation {
  kind: "part" | "folder" | "cron";
  id: string;
  /** In the words of the configuration's own `state`. */
  state: string;
  /** What the configuration said then. */
  configured: string;
}

export type SortKey =
  | "kdate"
  | "bdate"
  | "edate"
  | "idtu"
  | "part"
  | "idf"
  | "filesize"
  | "pri"
  | "diagi"
  | "fname";

export interface TransferFilter {
  idtu?: string;
  /** An id, or a mask of ids: "*" stands for anything, "?" for one character. */
  part?: string;
  idf?: string;
  direct?: "send" | "recv";
  /** One letter: A, Y, Z, X (phases) or D, H, C, K (steps of phase T). */
  state?: string;
  phase?: Phase;
  phasestep?: PhaseStep;
  /** A DIAGI, or "error": any but 0. */
  diagi?: number | "error";
  pidtu?: string;
  ack?: "A" | "N";
  mode?: "requester" | "server";
  /** Only those requested at or after this time, and before that one. */
  since?: number;
  until?: number;
  /** Default "kdate"; a "-" in front turns the order round. Sorted by kdate or idtu: newest first, else rising. */
  sort?: SortKey | `-${SortKey}`;
  /** Only what comes behind the record of this cursor, in the order of `sort`. Errors: CYG_REQUEST_CURSOR. */
  after?: string;
  /** Default 100. */
  limit?: number;
}

export interface Catalog {
  /**
   * Records a send in phase T (A with a script) step D, or in a step of `hold`; stamps its identity.
   * @throws CygnetError CYG_CATALOG_TURN when its cycle has gone on already, or has stopped
   */
  addSend(
    send: NewSend,
    hold?: { step: "H" | "K"; diagi: number; diagp: string; diagc: string },
  ): Promise<Transfer>;
  /**
   * Records a receive as claimed and running, or gives the record that already has this identity.
   * `isNew` false means that it was there before (half received, or received completely). Applied.
   */
  addReceive(receive: NewReceive, owner: string): Promise<{ transfer: Transfer; isNew: boolean }>;
  get(idtu: string): Promise<Transfer | undefined>;
  list(filter: TransferFilter): Promise<Transfer[]>;
  /** Resolves when everything that anybody can see in the catalog by now is durable. */
  settled(): Promise<void>;
  /** Changes a record. False when there is none. */
  update(idtu: string, changes: Changes, surety?: Surety): Promise<boolean>;
  /**
   * Takes the best waiting send for a partner, or for any of several (priority, then age): T/D becomes T/C, owned by
   * `owner`, one try more. Those that lack an envelope are passed over. Applied.
   * `asked`: the partner has called, so what is held for it to fetch (T/H without a diagnostic) is offered too, last.
   */
  claimSend(
    part: string | readonly string[],
    owner: string,
    now: number,
    asked?: boolean,
  ): Promise<Transfer | undefined>;
  /**
   * Takes the best waiting or held send of whatever partner that is to travel in an envelope and has none: it becomes T/C,
   * owned by `owner`. It is no try: nobody is called.
   */
  claimUnsealed(owner: string, now: number): Promise<Transfer | undefined>;
  /**
   * Says in the records of a partner's waiting sends what they wait for; undefined takes it back. What a record says of
   * its own last attempt stays. `isNews` false: only those that say nothing yet are told. Applied.
   */
  explainWaiting(
    part: string,
    why: { diagi: number; diagc: string } | undefined,
    isNews: boolean,
  ): Promise<void>;
  /** Stops sends that should have begun by now (T/D becomes T/K) and gives them. */
  stopLate(now: number, why: Pick<Transfer, "diagi" | "diagp" | "diagc">): Promise<Transfer[]>;
  /** Stops all waiting sends of a partner (T/D becomes T/K) and gives them: every way to it was tried. */
  stopSends(part: string, why: Pick<Transfer, "diagi" | "diagp" | "diagc">): Promise<Transfer[]>;
  /**
   * Changes a record that is still in this state and that nobody works on: how an operator's command meets a
   * scheduler. False when it has gone on meanwhile.
   */
  transition(idtu: string, from: Pick<Transfer, "phase" | "phasestep">, changes: Changes): Promise<boolean>;
  /** Deletes a record that nobody works on and that holds no file. False when it does, or is gone. */
  remove(idtu: string): Promise<boolean>;
  /** True when the response to this receive is still to be sent. */
  owesResponse(idtu: string): Promise<boolean>;
  /** Claims one receive that is not running (T/H): the partner offers it again. False when somebody has it. */
  claimReceive(idtu: string, owner: string): Promise<boolean>;
  /** Changes a record and gives the claim up. */
  release(idtu: string, changes: Changes, surety?: Surety): Promise<void>;
  /**
   * Changes a record and gives its claim up, provided that it is in this phase and step. False when it is not: then
   * somebody else has moved it.
   */
  advance(
    idtu: string,
    from: Pick<Transfer, "phase" | "phasestep">,
    changes: Changes,
    surety?: Surety,
  ): Promise<boolean>;
  /**
   * In one step: the receive is done, delivered under its final name, and its response waits to be sent. With `from`,
   * only where the record is in that phase and step; false when it is not.
   */
  finishReceive(
    idtu: string,
    changes: Changes,
    response: Omit<EndResponse, "id">,
    from?: Pick<Transfer, "phase" | "phasestep">,
  ): Promise<boolean>;
  /** Takes the oldest record that waits for a script: its step D becomes C, owned by `owner`. */
  claimScript(owner: string, now: number): Promise<Transfer | undefined>;
  /** How many records wait for a script; with a time only those whose script may begin by then. */
  scriptsWaiting(by?: number): Promise<number>;
  /** When the next script may begin that may not yet; null = none. */
  nextScriptAt(now: number): Promise<number | null>;
  /** What is noted from now on; notes of other kinds are dropped. */
  want(kinds: readonly AftermathKind[]): Promise<void>;
  /** Notes of these kinds behind the note `after`, oldest first. */
  aftermath(kinds: readonly AftermathKind[], after: number, limit: number): Promise<Aftermath[]>;
  /** Notes something about a transfer by hand; once, while it is not done. False when there is no such transfer. */
  note(idtu: string, kind: AftermathKind): Promise<boolean>;
  /** These notes are done. */
  settleAftermath(ids: readonly number[]): Promise<void>;
  /** Calls `changed` after every durable change, whoever asked for it. */
  watch(changed: () => void): void;
  /** Calls `hear` after every commit with the transfers that are new in it or changed phase, step, response or DIAGI. */
  follow(hear: (idtus: readonly string[]) => void): void;
  /** Generic records that have not ended, oldest first. */
  generics(): Promise<Transfer[]>;
  /** What became of the children of a generic record or a broadcast: all, ended, ended with a NERP, held or stopped. */
  children(pidtu: string): Promise<{ all: number; ended: number; refused: number; stuck: number }>;
  /**
   * In one step: a received file becomes a send to the next station under the same identity, and its own record waits for
   * the response (Z/H) without the file. Done again, it gives the send that is there.
   */
  forward(idtu: string, to: Forward): Promise<Transfer>;
  /** Whether there is a response for a partner that nobody is sending. */
  responseWaits(part: string): Promise<boolean>;
  /** Takes the oldest response for a partner that nobody is sending. Applied. */
  claimResponse(part: string, owner: string): Promise<EndResponse | undefined>;
  /** The partner has taken the response (RTR): the receive's `ack` becomes "A" or "N". Applied. */
  responseSent(id: number): Promise<void>;
  /** The session broke before RTR: it will be sent again. Applied. */
  releaseResponse(id: number): Promise<void>;
  /**
   * Finds the send that a received response answers. `short`: compare dates and times as OFTP 1.2 and 1.3 do
   * (YYMMDD, HHMMSS), the oldest unacknowledged one first.
   */
  findSend(identity: FileIdentity, short: boolean): Promise<Transfer | undefined>;
  /**
   * Partners with work to do now (due sends that have the envelope they need, waiting responses), and when the next retry
   * is due (or null).
   */
  work(now: number): Promise<{ parts: string[]; nextAt: number | null }>;
  /** When the newest record was made, ms since 1970 UTC; null = there is none. */
  latest(): Promise<number | null>;
  /**
   * The clock was set back: tries and calls that were put off to a time after `now` are due `by` ms earlier. What waits
   * for its first try waits for a time of day, and stays.
   */
  bringForward(by: number, now: number): Promise<void>;
  clock(part: string): Promise<PartnerClock>;
  setClock(clock: PartnerClock): Promise<void>;
  activations(): Promise<Activation[]>;
  /** Keeps what an operator opened or closed, across restarts; undefined `state` forgets it. */
  setActivation(
    key: Pick<Activation, "kind" | "id">,
    to?: Pick<Activation, "state" | "configured">,
  ): Promise<void>;
  /** Numbers for `status`: records by state letter and direction, and responses waiting. */
  totals(): Promise<{ send: Record<string, number>; recv: Record<string, number>; responses: number }>;
  /** Numbers for metrics: what has not ended, by partner; only partners that have something. */
  backlog(): Promise<Backlog[]>;
  /** Resolves when a change that changes nothing is durable: the catalog can be written. */
  probe(): Promise<void>;
  /**
   * Gives up claims that `owner` held before it died: sends T/C become T/D, receives T/C become T/H, and a script
   * that was running waits again.
   */
  recover(owner: string): Promise<{ sends: number; receives: number; responses: number; scripts: number }>;
  /** Records with an unfinished spool step, oldest first, for the spool's own recovery. */
  unfinishedSpool(): Promise<Transfer[]>;
  /**
   * Ended sends of a flow of which nothing is left to do, oldest first: no file, nothing noted, no parent under way that
   * counts them.
   */
  finished(idf: string, limit: number): Promise<Transfer[]>;
  /** Deletes ended records (phase X, response sent, nothing noted) older than these times; the number deleted. */
  purge(before: { sends: number; receives: number }, told?: (transfer: Transfer) => void): Promise<number>;
  close(): Promise<void>;
}

/** The one-letter state of a record: its phase, or its step in phase T. */
export function stateOf(transfer: Pick<Transfer, "phase" | "phasestep">): string {
  return transfer.phase === "T" ? transfer.phasestep : transfer.phase;
}
