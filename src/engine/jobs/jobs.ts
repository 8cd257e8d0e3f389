/**
 * Jobs ([[cftcron]]): programs and commands at set times.
 *
 * Invariants
 * - A job does not overlap with itself: a time that comes while it runs is left out, and told.
 * - Nothing that was started outlives a stop of the gateway. A run that a stop or a crash cut is not repeated: it
 *   comes again at its next time.
 */
import cron, { type ScheduledTask } from "node-cron";
import { builtInOf } from "../../config/builtin.ts";
import type { Configuration, Cron } from "../../config/model.ts";
import { substitute } from "../../config/symbols.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { type Outcome, run } from "../scripts/run.ts";
import { jobVariables } from "../scripts/variables.ts";
import type { Site } from "../site.ts";
import { type Commands, carryOut } from "./commands.ts";

export interface JobStatus {
  id: string;
  active: boolean;
  running: boolean;
  /** ms since 1970 UTC; null when it is not active. */
  next: number | null;
}

export class Jobs {
  readonly #site: () => Site;
  readonly #commands: Commands;
  readonly #jobs = new Map<string, Job>();
  /** By id, also of a job that a reload has changed or taken away. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();
  #stopped = false;
  readonly #cut = () => this.#abort.abort();

  constructor(site: () => Site, commands: Commands) {
    this.#site = site;
    this.#commands = commands;
    process.once("exit", this.#cut);
  }

  /** Follows a configuration and what operators ordered; jobs that did not change keep what they are doing. */
  apply({ cftcron }: Configuration): void {
    for (const [id, job] of this.#jobs) {
      if (JSON.stringify(cftcron.get(id)) === JSON.stringify(job.settings)) continue;
      job.setActive(false);
      this.#jobs.delete(id);
    }
    for (const [id, settings] of cftcron) {
      const job = this.#jobs.get(id) ?? new Job(settings, () => this.#begin(settings));
      this.#jobs.set(id, job);
      job.setActive(this.#site().activations.job(settings) === "active");
    }
  }

  /**
   * Runs a job now, whatever its times; false when it runs already. Resolves when it has been started.
   * @throws CygnetError CYG_JOB_UNKNOWN
   */
  start(id: string): boolean {
    return this.#begin(this.#job(id).settings);
  }

  get status(): JobStatus[] {
    return [...this.#jobs].map(([id, { active, next }]) => {
      return { id, active, running: this.#running.has(id), next };
    });
  }

  /** Begins nothing from now on and waits for what runs, at most `patience` ms; then ends it. */
  async stop(patience: number): Promise<void> {
    this.#stopped = true;
    for (const job of this.#jobs.values()) job.setActive(false);
    const late = this.#site().clock.timer(patience, this.#cut);
    if (patience <= 0) this.#cut();
    await Promise.all(this.#running.values());
    late.cancel();
    process.off("exit", this.#cut);
  }

  #job(id: string): Job {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    const known = [...this.#jobs.keys()].join(", ") || "none";
    throw new CygnetError("CYG_JOB_UNKNOWN", `there is no job ${id}; known are ${known}`);
  }

  #begin(job: Cron): boolean {
    if (this.#stopped || this.#site().stopping) return false;
    const { id } = job;
    if (this.#running.has(id)) {
      this.#site().journal.emit("CFTS38W", { id, text: "it runs still" });
      return false;
    }
    this.#running.set(
      id,
      this.#run(job).finally(() => this.#running.delete(id)),
    );
    return true;
  }

  async #run(job: Cron): Promise<void> {
    const site = this.#site();
    const { configuration, journal, clock } = site;
    const { id } = job;
    const variables = jobVariables(configuration, job, new Date(clock.now()));
    const begun = clock.monotonic();
    const duration = () => ((clock.monotonic() - begun) / 1000).toFixed(3);
    journal.emit("CFTS37I", { id, text: "started" });
    try {
      let text = "ended";
      if (job.type === "cftutil") {
        const words = job.exec.map((word) => substitute(word, variables));
        text = `ended: ${await carryOut(site, this.#commands, id, builtInOf(words))}`;
      } else {
        const about = { id, event: "CFTCRON" };
        const { exec: argv, exectimeout: timeout } = job;
        const { signal } = this.#abort;
        wellEnded(await run(site, { argv, variables, about, timeout, signal }));
      }
      journal.emit("CFTS37I", { id, text, duration: duration() });
    } catch (error) {
      journal.emit("CFTS39E", { id, text: describe(error), duration: duration() });
    }
  }
}

function wellEnded(outcome: Outcome): void {
  if (outcome.kind === "done" && outcome.code === 0) return;
  const text =
    outcome.kind === "stopped"
      ? "ended with the gateway"
      : outcome.kind === "failed"
        ? outcome.text
        : `exit code ${outcome.code}${outcome.lastLine && `: ${outcome.lastLine}`}`;
  throw new CygnetError("CYG_JOB_FAILED", text);
}

/** When a job is due. */
class Job {
  readonly settings: Cron;
  readonly #due: () => void;
  #task: ScheduledTask | null = null;

  constructor(settings: Cron, due: () => void) {
    this.settings = settings;
    this.#due = due;
  }

  get active(): boolean {
    return this.#task !== null;
  }

  /** ms since 1970 UTC */
  get next(): number | null {
    return this.#task?.getNextRun()?.getTime() ?? null;
  }

  setActive(active: boolean): void {
    if (active === this.active) return;
    if (active) this.#task = cron.schedule(this.settings.time, this.#due);
    else {
      void this.#task?.destroy();
      this.#task = null;
    }
  }
}
