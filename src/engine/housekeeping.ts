/**
 * What a gateway does beside moving files: scripts, jobs, accounting, retention, reminders, notifications. Each stands
 * by itself; here is only when they begin, follow a reload, and end.
 */
import type { Configuration } from "../config/model.ts";
import type { OpenJournal } from "../messages/logger.ts";
import { Accounting } from "./accounting/accounting.ts";
import { wantedAftermath } from "./aftermath.ts";
import { ClockWatch } from "./clock-watch.ts";
import { ExpiryWatch } from "./expiry.ts";
import { insist } from "./insist.ts";
import type { Commands } from "./jobs/commands.ts";
import { Jobs } from "./jobs/jobs.ts";
import { Notifier } from "./notify/notifier.ts";
import { Retention } from "./retention.ts";
import { Scripts } from "./scripts/scripts.ts";
import type { Site } from "./site.ts";

/** How long the last notifications may take, ms. */
const LAST_NOTICES = 5_000;

export class Housekeeping {
  readonly scripts: Scripts;
  readonly accounting: Accounting;
  readonly jobs: Jobs;
  readonly retention: Retention;
  readonly notifier: Notifier;
  readonly expiry: ExpiryWatch;
  readonly clockWatch: ClockWatch;
  readonly #site: Site;

  constructor(site: Site, journal: OpenJournal, commands: Omit<Commands, "purge">) {
    this.#site = site;
    const current = () => site;
    this.scripts = new Scripts(current);
    this.accounting = new Accounting(current);
    this.clockWatch = new ClockWatch(current);
    this.retention = new Retention(current, () => this.clockWatch.doubtful);
    this.jobs = new Jobs(current, { ...commands, purge: () => this.retention.purge() });
    this.notifier = new Notifier({ journal, clock: site.clock, random: site.random, disk: site.disk });
    this.expiry = new ExpiryWatch(() => site.credentials, journal, site.clock);
  }

  /** Before the first transfer: people hear of everything, and nothing is ended without being noted. */
  async prepare(): Promise<void> {
    const { catalog, configuration } = this.#site;
    this.notifier.apply(configuration);
    this.expiry.start();
    await catalog.want(wantedAftermath(configuration));
    await this.clockWatch.open();
  }

  /** The gateway works. */
  open(): void {
    this.retention.open();
    this.scripts.open();
    this.accounting.open();
    this.jobs.apply(this.#site.configuration);
  }

  /** A configuration has come into force. */
  async follow(configuration: Configuration): Promise<void> {
    const noting = () => this.#site.catalog.want(wantedAftermath(configuration));
    // a catalog that cannot be written at this moment makes no reload undone
    await insist(this.#site, { idtu: "", part: "" }, noting);
    this.accounting.reopen();
    this.jobs.apply(configuration);
    this.notifier.apply(configuration);
    this.expiry.check();
  }

  /** Begins no script and no job from now on; waits for those that run, at most `patience` ms, then ends them. */
  async rest(patience: number): Promise<void> {
    await Promise.all([this.scripts.stop(patience), this.jobs.stop(patience)]);
  }

  /** Before the catalog is closed: what is noted is written, nothing runs any more. */
  async close(): Promise<void> {
    this.retention.stop();
    this.clockWatch.stop();
    this.expiry.stop();
    await this.rest(0);
    await this.accounting.stop();
  }

  /** After everything else: what waits is told. */
  sayGoodBye(): Promise<void> {
    return this.notifier.stop(LAST_NOTICES);
  }
}
