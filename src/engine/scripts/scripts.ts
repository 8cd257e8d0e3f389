/**
 * Runs the scripts of transfers: those that are a step of a phase (A before sending, Y after the data, Z after the
 * response), and those that change nothing about the transfer (errors, late responses).
 *
 * Invariants
 * - Which script is due is in the catalog: a crash or a stop makes it run again, never skips it. At least once.
 * - No more than max_processing_scripts run at a time.
 * - Nothing that was started outlives a stop of the gateway.
 */
import type { Aftermath, Changes, Transfer } from "../../catalog/catalog.ts";
import { describe } from "../../platform/errors.ts";
import { Looks } from "../looks.ts";
import { keys, type Site } from "../site.ts";
import { type Moment, type Script, scriptFor } from "./choose.ts";
import { concludeScript, diagnosisOf, type Scripted, skipScript } from "./conclusion.ts";
import { MISSING, type Outcome, run } from "./run.ts";
import { scriptVariables } from "./variables.ts";

/** Changes of the catalog within this time are looked at together, ms. */
const GATHER = 25;
/** After a failure of the catalog, ms. */
const AGAIN = 10_000;
/** How long the limit may keep scripts waiting before it is told, ms. */
const STARVED = 60_000;
/** Longest sleep before a script that may begin at a set time, ms: the wall clock may be set. */
const LONGEST = 60_000;

const NOTES = ["exece", "ackexec", "exec"] as const;

export class Scripts {
  readonly #site: () => Site;
  readonly #running = new Set<Promise<void>>();
  /** Notes whose script runs. */
  readonly #notes = new Set<number>();
  /** What runs for a transfer as the step of its phase: how to end it, and what its record is to be then. */
  readonly #cuttable = new Map<string, { abort: AbortController; left?: Changes; over: Promise<void> }>();
  readonly #abort = new AbortController();
  readonly #cut = () => this.#abort.abort();
  readonly #looks: Looks;
  #fullSince: number | null = null;
  /** Whose turn it is, so that a flood of errors does not starve the others, nor they it. */
  #notesFirst = false;

  constructor(site: () => Site) {
    this.#site = site;
    this.#looks = new Looks(site, { name: "scripts wait", again: AGAIN }, () => this.#look());
    // a process that ends at once takes its scripts along
    process.once("exit", this.#cut);
  }

  /** Begins with what the catalog says is due, and follows it from then on. */
  open(): void {
    this.#site().catalog.watch(() => this.#looks.lookIn(GATHER));
    this.#looks.lookIn(GATHER);
  }

  get running(): number {
    return this.#running.size;
  }

  /** Ends the script that is running as the step of this transfer's phase; false when none is. See `Site.cutScript`. */
  async cut(idtu: string, left: Changes): Promise<boolean> {
    const running = this.#cuttable.get(idtu);
    if (running === undefined) return false;
    running.left = left;
    running.abort.abort();
    await running.over;
    return true;
  }

  /** Begins nothing from now on and waits for what runs, at most `patience` ms; then ends it. */
  async stop(patience: number): Promise<void> {
    await this.#looks.stop();
    const late = this.#site().clock.timer(patience, () => this.#abort.abort());
    if (patience <= 0) this.#abort.abort();
    await Promise.all(this.#running);
    late.cancel();
    process.off("exit", this.#cut);
  }

  async #look(): Promise<void> {
    for (;;) {
      const { configuration, stopping } = this.#site();
      if (this.#looks.stopped || stopping) return;
      const limit = configuration.cftparm.max_processing_scripts || Number.POSITIVE_INFINITY;
      if (this.#running.size >= limit) return this.#full(limit);
      const started = this.#notesFirst
        ? (await this.#startNote()) || (await this.#startPhase())
        : (await this.#startPhase()) || (await this.#startNote());
      this.#notesFirst = !this.#notesFirst;
      this.#fullSince = null;
      if (!started) return;
    }
  }

  async #full(limit: number): Promise<void> {
    const { catalog, clock, journal } = this.#site();
    const now = clock.monotonic();
    this.#fullSince ??= now;
    if (now - this.#fullSince >= STARVED) {
      const n = await catalog.scriptsWaiting();
      if (n > 0) journal.emit("CFTS65W", { n, limit });
      this.#fullSince = now;
    }
    this.#looks.lookIn(STARVED);
  }

  async #startPhase(): Promise<boolean> {
    const site = this.#site();
    // a look that finds nothing must not be a change, which would call for another look
    const now = site.clock.now();
    if ((await site.catalog.scriptsWaiting(now)) === 0) {
      const later = await site.catalog.nextScriptAt(now);
      if (later !== null) this.#looks.lookIn(Math.min(later - now, LONGEST));
      return false;
    }
    const transfer = await site.catalog.claimScript(site.owner, site.clock.now());
    if (transfer === undefined) return false;
    this.#begin(this.#runPhase(transfer as Scripted));
    return true;
  }

  async #startNote(): Promise<boolean> {
    const found = await this.#site().catalog.aftermath(NOTES, 0, this.#notes.size + 1);
    const note = found.find(({ id }) => !this.#notes.has(id));
    if (note === undefined) return false;
    this.#notes.add(note.id);
    this.#begin(this.#runNote(note).finally(() => this.#notes.delete(note.id)));
    return true;
  }

  #begin(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#site().journal.emit("CFTC70E", { text: `after a script: ${describe(error)}` });
      })
      .finally(() => {
        this.#running.delete(tracked);
        this.#looks.lookIn(GATHER);
      });
    this.#running.add(tracked);
  }

  async #runPhase(transfer: Scripted): Promise<void> {
    const site = this.#site();
    const script = scriptFor(site.configuration, transfer, transfer.script);
    if (script === null) return skipScript(site, transfer);
    const { idtu } = transfer;
    const abort = new AbortController();
    const signal = AbortSignal.any([this.#abort.signal, abort.signal]);
    let finish: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    this.#cuttable.set(idtu, { abort, over });
    try {
      const outcome = await this.#run(script, transfer, signal);
      await concludeScript(site, transfer, outcome, this.#cuttable.get(idtu)?.left);
    } finally {
      this.#cuttable.delete(idtu);
      finish();
    }
  }

  async #runNote({ id, kind, transfer }: Aftermath): Promise<void> {
    const site = this.#site();
    const script = scriptFor(site.configuration, transfer, kind as Moment);
    const outcome = script && (await this.#run(script, transfer, this.#abort.signal));
    if (outcome?.kind === "stopped") return;
    await site.catalog.settleAftermath([id]);
  }

  async #run({ argv, event }: Script, transfer: Transfer, signal: AbortSignal): Promise<Outcome> {
    const site = this.#site();
    const { configuration, journal } = site;
    const script = argv[0] ?? "";
    const about = { ...keys(transfer), event };
    const variables = scriptVariables(configuration, transfer, event, new Date(site.clock.now()));
    journal.emit("CFTS03I", { ...about, script });
    const timeout = configuration.cftparm.exectimeout;
    const outcome = await run(site, { argv, variables, about, timeout, signal });
    report(site, { ...about, script }, outcome);
    return outcome;
  }
}

function report(site: Site, about: Record<string, string>, outcome: Outcome): void {
  const { journal } = site;
  if (outcome.kind === "stopped") return journal.emit("CFTS80W", about);
  if (outcome.kind === "done" && outcome.code === 0) {
    return journal.emit("CFTS80I", { ...about, code: 0, duration: outcome.seconds });
  }
  const { diagi, diagp, diagc } = diagnosisOf(outcome);
  if (diagi === 158) return journal.emit("CFTS68E", { ...about, variable: diagp });
  if (diagp === "NO EXEC") {
    return journal.emit(diagc === MISSING ? "CFTS02E" : "CFTS11E", { ...about, text: diagc });
  }
  const text = outcome.kind === "done" ? `exit code ${outcome.code}: ${diagc}` : diagc;
  journal.emit("CFTS80E", { ...about, text, duration: outcome.seconds });
}
