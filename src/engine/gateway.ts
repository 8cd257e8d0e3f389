/**
 * The running appliance: start, reload, stop.
 *
 * A reload is load → plan → build what is new → check it (ports, keys, folders) → swap → retire what is old.
 * Invariants
 * - Any failure before the swap leaves everything as it was; nothing is ever half applied.
 * - Sessions keep the configuration that they began with.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { RESTORE_MARK } from "../backup/layout.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { openCatalog } from "../catalog/sqlite.ts";
import { type Change, plan, renderPlan } from "../config/diff.ts";
import { load } from "../config/load.ts";
import type { Configuration } from "../config/model.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import { type ConfigurationWatch, watchConfiguration } from "../config/watch.ts";
import { type OpenJournal, openJournal } from "../messages/logger.ts";
import type { Connection } from "../net/connection.ts";
import { openStore, storeDirectory } from "../pki/folder-store.ts";
import { Handovers, handoverDirectory } from "../pki/handovers.ts";
import type { CertificateStore } from "../pki/store.ts";
import { createTrust } from "../pki/trust/create.ts";
import type { Trust } from "../pki/trust/trust.ts";
import { systemClock } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { systemFileSystem } from "../platform/filesystem.ts";
import { nearFileSystem } from "../platform/near-disk.ts";
import { systemRandom } from "../platform/random.ts";
import { createSpool } from "../spool/create.ts";
import { Activations } from "./activations.ts";
import { tellingTrouble } from "./catalog-trouble.ts";
import { type Credentials, loadCredentials } from "./credentials.ts";
import { Deliveries } from "./deliveries.ts";
import { DiskSpace } from "./disk-space.ts";
import { Envelopes } from "./envelopes.ts";
import { Exchange } from "./exchange/exchange.ts";
import { Health } from "./health.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Judgement } from "./judgement.ts";
import { GOOD_BYE, takeLeave } from "./leave.ts";
import { Listeners } from "./listeners.ts";
import { Metrics } from "./metrics/metrics.ts";
import { Outboxes } from "./outboxes.ts";
import { type Partaker, type Prepared, prepareAll } from "./partakers.ts";
import { type PathReport, probePartner } from "./probe.ts";
import { recover } from "./recovery.ts";
import { Scheduler } from "./scheduler.ts";
import { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import type { Site } from "./site.ts";
import { storeChanges } from "./store-changes.ts";
import { tellTls, tellTlsError, tellTlsProblem } from "./tls-news.ts";

/** A configuration that was accepted, and what it changed. */
export interface Generation {
  number: number;
  /** When it came into force, ms since 1970 UTC. */
  at: number;
  plan: readonly Change[];
}

/** What became of a reload. */
export type ReloadResult =
  | { accepted: true; generation: number; plan: readonly Change[]; warnings: readonly Problem[] }
  | { accepted: false; reasons: readonly string[] };

/** How long a graceful stop lets transfers finish, ms. */
const GRACE = 30_000;
const OWNER = "node-1";

export class Gateway {
  readonly site: Site;
  readonly startedAt: number;
  readonly generations: Generation[] = [];
  /** Why the last reload was rejected; empty when it was accepted. */
  lastRejection: readonly string[] = [];
  /** When a reload was last asked for, accepted or not, ms since 1970 UTC; null = never. */
  lastReload: number | null = null;
  readonly journal: OpenJournal;
  readonly outboxes: Outboxes;
  readonly listeners: Listeners;
  readonly scheduler: Scheduler;
  readonly housekeeping: Housekeeping;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly #partakers: Partaker[] = [];
  readonly #file: string;
  readonly #catalog: Catalog;
  #watch: ConfigurationWatch | null = null;
  #reloading: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | null = null;
  #fast = false;

  private constructor(file: string, configuration: Configuration, parts: Parts) {
    this.#file = file;
    this.#catalog = parts.catalog;
    this.journal = parts.journal;
    this.startedAt = systemClock.now();
    const { journal } = parts;
    const catalog = tellingTrouble(parts.catalog, journal, systemClock);
    const { rundir } = configuration.cftparm;
    const credentials = () => this.site.credentials;
    const { trust } = parts;
    // the catalog's file system: the one that SQLite, too, writes to in this thread
    const disk = nearFileSystem(dirname(configuration.cftcat.fname));
    this.site = {
      configuration,
      credentials: parts.credentials,
      store: parts.store,
      catalog,
      spool: createSpool({ catalog, disk, rundir, clock: systemClock }),
      journal,
      clock: systemClock,
      random: systemRandom,
      disk,
      diskSpace: new DiskSpace(
        () => this.site,
        () => this.#roomAgain(),
      ),
      sessions: new Sessions(),
      deliveries: new Deliveries(() => this.site),
      exchange: new Exchange(() => this.site),
      handovers: parts.handovers,
      envelopes: new Envelopes(() => this.site, systemClock),
      trust,
      judgement: new Judgement({ trust, credentials, journal, clock: systemClock }),
      activations: new Activations(catalog),
      owner: OWNER,
      stopping: false,
      routed: (part) => this.scheduler.routed(part),
      cutScript: (idtu, left) => this.housekeeping.scripts.cut(idtu, left),
      seats: (net) => this.listeners.seat(this.site.configuration.cftnet.get(net)),
      unlock: (id, user) => this.listeners.unlock(id, user),
      kick: () => this.scheduler.kick(),
    };
    this.scheduler = new Scheduler(this.site);
    this.housekeeping = new Housekeeping(this.site, journal, {
      poll: (part) => this.scheduler.poll(part),
      reload: (cause) => this.reload(cause),
    });
    this.outboxes = new Outboxes(this.site);
    this.listeners = new Listeners(
      journal,
      systemClock,
      () => this.site.credentials,
      (connection, prot) => this.#arrived(connection, prot),
    );
    this.health = new Health(() => ({
      site: this.site,
      listeners: this.listeners,
      generation: () => this.generations.at(-1)?.number ?? 0,
    }));
    this.metrics = new Metrics(this);
  }

  /**
   * Starts the gateway: catalog, recovery, ports, folders, in this order; it is ready when this resolves.
   * @throws ConfigurationRejected with every problem; CygnetError when a port, key or the catalog is not to be had
   */
  static async start(file: string, options: { console: boolean }): Promise<Gateway> {
    const result = await load(file);
    if ("problems" in result) throw new ConfigurationRejected(result.problems);
    const { configuration, warnings } = result;
    if (existsSync(join(configuration.cftparm.rundir, RESTORE_MARK))) {
      const message = `a restore into ${configuration.cftparm.rundir} was cut off: run "cygnet restore --force" with the same backup again`;
      throw new CygnetError("CYG_RESTORE_UNFINISHED", message);
    }
    await systemFileSystem.makeDirectory(dirname(configuration.cftlog.fname));
    const journal = openJournal({
      ...logSettings(configuration),
      clock: systemClock,
      console: options.console,
    });
    const cacheDirectory = join(configuration.cftparm.rundir, "pki", "revocation");
    const trust = createTrust({ cacheDirectory, clock: systemClock });
    let store: CertificateStore;
    let handovers: Handovers;
    let credentials: Credentials;
    let catalog: Catalog;
    try {
      store = await openStore(storeDirectory(configuration.cftparm.rundir));
      handovers = await Handovers.open(handoverDirectory(configuration.cftparm.rundir));
      credentials = await loadCredentials(configuration, { store, trust });
      await systemFileSystem.makeDirectory(dirname(configuration.cftcat.fname));
      catalog = openCatalog(configuration.cftcat.fname, systemClock);
    } catch (error) {
      tellTlsError(journal, error);
      tellFailedStart(journal, error);
      await journal.close();
      throw error;
    }
    const parts = { catalog, journal, credentials, store, handovers, trust };
    const gateway = new Gateway(file, configuration, parts);
    try {
      await gateway.#open(warnings);
    } catch (error) {
      tellFailedStart(journal, error);
      await gateway.#close();
      throw error;
    }
    return gateway;
  }

  async #open(warnings: readonly Problem[]): Promise<void> {
    const { site, journal, outboxes, listeners, housekeeping } = this;
    const { configuration } = site;
    journal.emit("CFTI18I", { text: `maxtrans = ${configuration.cftparm.maxtrans}` });
    const secured = [...configuration.cftprot.values()].filter(({ ssl }) => ssl !== "").map(({ id }) => id);
    if (secured.length > 0) journal.emit("CFTI25I", { text: `TLS (${secured.join(", ")})` });
    else journal.emit("CFTI26I", { text: "no protocol uses TLS" });
    for (const warning of warnings) this.#warn(warning);
    await housekeeping.prepare();
    await site.diskSpace.open();
    tellTls(journal, null, configuration);
    await outboxes.prepare(configuration);
    await recover(site);
    await site.activations.refresh(configuration);
    for (const text of site.handovers.problems) journal.emit("CFTC70E", { text });
    await site.exchange.settle();
    (await listeners.prepare(configuration, site.credentials)).commit();
    await outboxes.apply(configuration);
    this.generations.push({ number: 1, at: site.clock.now(), plan: [] });
    this.#watchFiles();
    this.scheduler.kick();
    housekeeping.open();
    journal.emit("CFTI14I", { text: configuration.cftcat.fname });
  }

  /** Space that was short is there again: what has waited for it goes on. */
  #roomAgain(): void {
    this.outboxes.scan();
    this.scheduler.kick();
  }

  #arrived(connection: Connection, id: string): void {
    const prot = this.site.configuration.cftprot.get(id);
    if (prot === undefined || this.site.stopping) {
      if (connection.secure) {
        const who = { prot: id, sslpid: process.pid, host: connection.remote.address };
        this.journal.emit("CFTY07E", {
          ...who,
          cr: -1,
          text: "nobody takes the session: the gateway is stopping",
        });
      }
      connection.stream.destroy();
      return;
    }
    new Session({ site: this.site, connection, prot, part: null }).start();
  }

  #watchFiles(): void {
    const { configuration } = this.site;
    this.#watch = watchConfiguration(
      { file: this.#file, includes: configuration.includes },
      () => void this.reload("a file changed"),
      (error) => this.journal.emit("CFTS76W", { text: `changes of files are not seen: ${describe(error)}` }),
    );
  }

  /** Reads the configuration again and puts it into force, or tells why not. One at a time. */
  reload(cause: string): Promise<ReloadResult> {
    const next = this.#reloading
      .then(() => this.#reload(cause))
      // nobody awaits a reload that a file or a signal asked for
      .catch((error: unknown) => this.#rejected(cause, [describe(error)]))
      .finally(() => {
        this.lastReload = this.site.clock.now();
      });
    this.#reloading = next;
    return next;
  }

  /**
   * Puts the configuration in force into force for one more, and every later one with it.
   * @throws what it throws that cannot do with this configuration
   */
  join(partaker: Partaker): Promise<void> {
    const joined = this.#reloading.then(async () => {
      const { configuration, credentials } = this.site;
      (await partaker.prepare(configuration, credentials)).commit();
      this.#partakers.push(partaker);
    });
    this.#reloading = joined.catch(() => {}); // whoever joins is told
    return joined;
  }

  /** Calls a partner on every path without moving a file. */
  probe(part: string): Promise<PathReport[]> {
    return probePartner(this.site, part);
  }

  /** What a reload would do, without doing it. */
  async preview(): Promise<{ problems: readonly string[]; plan: readonly Change[] }> {
    const result = await load(this.#file);
    if ("problems" in result) {
      return { problems: result.problems.map((problem) => formatProblem(problem)), plan: [] };
    }
    return { problems: [], plan: plan(this.site.configuration, result.configuration) };
  }

  /** Takes over what `work`, or another process, changed in the certificate store, and answers what waited for it. */
  async refreshStore(
    work?: () => Promise<unknown>,
  ): Promise<{ changes: number; problems: readonly string[] }> {
    const { store, journal } = this.site;
    const changes = await storeChanges(store, work);
    for (const { part, id, text } of changes) journal.emit("CFTS78I", { part, id, text });
    for (const { path, text } of store.problems) journal.emit("CFTS78W", { file: path, text });
    this.housekeeping.expiry.check();
    await this.site.exchange.settle();
    this.site.kick();
    return { changes: changes.length, problems: store.problems.map(({ text }) => text) };
  }

  async #reload(cause: string): Promise<ReloadResult> {
    // the next start reads it anyway
    if (this.site.stopping) return { accepted: false, reasons: ["the gateway is shutting down"] };
    const { site, listeners, outboxes } = this;
    const before = site.configuration;
    const result = await load(this.#file);
    if ("problems" in result) {
      for (const problem of result.problems) {
        this.#reject(problem);
        tellTlsProblem(this.journal, problem);
      }
      return this.#rejected(
        cause,
        result.problems.map((problem) => formatProblem(problem)),
      );
    }
    const { configuration, warnings } = result;
    const changes = plan(before, configuration);
    const current = this.generations.at(-1)?.number ?? 0;
    if (changes.length === 0) {
      await this.#watch?.follow(configuration.includes);
      this.lastRejection = [];
      return { accepted: true, generation: current, plan: [], warnings };
    }
    const fixed = changes.filter(({ effect }) => effect === "restart");
    if (fixed.length > 0) {
      return this.#rejected(
        cause,
        fixed.flatMap((change) => renderPlan([change])),
      );
    }
    try {
      const credentials = await loadCredentials(configuration, site);
      await outboxes.prepare(configuration);
      const ports = await listeners.prepare(configuration, credentials);
      let others: Prepared;
      try {
        others = await prepareAll(this.#partakers, configuration, credentials);
      } catch (error) {
        await ports.rollback();
        throw error;
      }
      // from here on nothing fails
      site.credentials = credentials;
      site.configuration = configuration;
      ports.commit();
      others.commit();
    } catch (error) {
      tellTlsError(this.journal, error);
      return this.#rejected(cause, [describe(error)]);
    }
    tellTls(this.journal, before, configuration);
    // what an operator ordered before: a catalog that cannot be written now is told of, and changes nothing here
    await site.activations
      .refresh(configuration)
      .catch((error: unknown) => this.journal.emit("CFTC70E", { text: describe(error) }));
    await outboxes.apply(configuration);
    this.journal.reconfigure(logSettings(configuration));
    await this.housekeeping.follow(configuration);
    await site.diskSpace.look();
    await this.#watch?.follow(configuration.includes);
    const number = current + 1;
    this.generations.push({ number, at: site.clock.now(), plan: changes });
    if (this.generations.length > 100) this.generations.shift();
    this.lastRejection = [];
    for (const warning of warnings) this.#warn(warning);
    this.journal.emit("CFTS43I", { text: `generation ${number} (${cause})`, generation: number });
    for (const line of renderPlan(changes)) this.journal.emit("CFTS75I", { text: line, generation: number });
    site.kick();
    return { accepted: true, generation: number, plan: changes, warnings };
  }

  #rejected(cause: string, reasons: readonly string[]): ReloadResult {
    this.lastRejection = reasons;
    const generation = this.generations.at(-1)?.number ?? 0;
    const text = `${cause}: generation ${generation} stays in force: ${reasons.join("; ")}`;
    this.journal.emit("CFTS85W", { text });
    return { accepted: false, reasons };
  }

  #reject({ file, line, column, object, key, message }: Problem): void {
    this.journal.emit("CFTS70E", { file, line, column, object, key, text: message });
  }

  #warn(problem: Problem): void {
    const { file, line, column, object, key, message } = problem;
    this.journal.emit("CFTS76W", { file, line, column, object, key, text: message });
  }

  /** Stops: `fast` cuts what runs (it resumes at the next start), otherwise transfers finish, up to 30 s. */
  stop(fast: boolean): Promise<void> {
    this.#fast ||= fast;
    if (fast) void this.housekeeping.rest(0);
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { site } = this;
    site.stopping = true;
    this.listeners.close();
    await this.outboxes.close();
    const deadline = site.clock.monotonic() + GRACE;
    await takeLeave(site, deadline, () => this.#fast);
    await this.scheduler.stop();
    await this.housekeeping.rest(this.#fast ? 0 : deadline - site.clock.monotonic());
    await site.sessions.finished();
    await site.sessions.hangUp(GOOD_BYE);
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#watch?.close();
    this.site.stopping = true;
    this.site.diskSpace.close();
    this.listeners.close();
    await this.outboxes.close();
    await this.site.envelopes.close();
    await this.scheduler.sealed();
    await this.site.deliveries.stop();
    await this.housekeeping.close();
    await this.#catalog.close();
    tellTls(this.journal, this.site.configuration, null);
    this.journal.emit("CFTE09I", { text: "stopped" });
    await this.housekeeping.sayGoodBye();
    this.metrics.stop();
    await this.journal.close();
  }
}

interface Parts {
  catalog: Catalog;
  journal: OpenJournal;
  credentials: Credentials;
  store: CertificateStore;
  handovers: Handovers;
  trust: Trust;
}

/** The configuration cannot be used: every reason, with its place. */
export class ConfigurationRejected extends CygnetError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super("CYG_CONFIG_REJECTED", problems.map((problem) => formatProblem(problem)).join("\n"));
    this.problems = problems;
  }
}

/** The last words of a gateway that does not come up. */
function tellFailedStart(journal: OpenJournal, error: unknown): void {
  const code = error instanceof CygnetError ? error.code : "";
  journal.emit("CFTI01F", { ...(code === "" ? {} : { code }), text: describe(error) });
}

function logSettings({ cftlog }: Configuration) {
  const { fname, format, level, maxsize, backup_count } = cftlog;
  return { fname, format, level, maxsize, backups: backup_count };
}
