/**
 * Watched folders: scans on a schedule and soon after the file system says that something changed; what is found
 * becomes transfers.
 */
import { join } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import cron, { type ScheduledTask } from "node-cron";
import type { Configuration, Folder } from "../config/model.ts";
import type { Timer } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { type ReadyFile, Sightings, scanOutbox } from "../spool/outbox.ts";
import { describeBroadcast } from "./broadcast.ts";
import { tellRecorded } from "./recorded.ts";
import type { Site } from "./site.ts";
import { describeSend } from "./submission.ts";

/** A file that could not be claimed is left alone so long, ms. */
const POSTPONE = 30_000;
/** Files that are claimed at a time. */
const TOGETHER = 64;
/** Complaints that are remembered, so that each is made once. */
const COMPLAINTS = 50_000;

type Described = Awaited<ReturnType<typeof describeSend>> | ReturnType<typeof describeBroadcast>;

export class Outboxes {
  readonly #site: Site;
  #folders: Outbox[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  /** Makes the directories that a configuration needs. Throws for the first that cannot be made. */
  async prepare(configuration: Configuration): Promise<void> {
    const { disk } = this.#site;
    const { rundir } = configuration.cftparm;
    for (const path of ["inbox", "work", "archive", "failed"]) await disk.makeDirectory(join(rundir, path));
    for (const folder of configuration.cftfolder.values()) {
      await disk.makeDirectory(folder.scandir);
      await disk.makeDirectory(folder.workdir);
      if (folder.archivedir !== "") await disk.makeDirectory(folder.archivedir);
      const [scandir, workdir] = await Promise.all(
        [folder.scandir, folder.workdir].map((path) => disk.status(path)),
      );
      if (scandir?.dev !== workdir?.dev) {
        const why = "a file is claimed by renaming it, so both must be on the same file system";
        throw new CygnetError("CYG_FOLDER_DEVICE", `cftfolder ${folder.id}: scandir and workdir: ${why}`);
      }
      if (folder.part !== "(0)") continue;
      await this.#makeEach(folder.scandir, [
        ...configuration.cftpart.keys(),
        ...configuration.cftdest.keys(),
      ]);
    }
    await this.#makeEach(join(rundir, "inbox"), [...configuration.cftpart.keys()]);
  }

  /** Makes those directories that are missing: of thousands, a reload makes a few. */
  async #makeEach(folder: string, names: readonly string[]): Promise<void> {
    const { disk } = this.#site;
    const found = await disk.list(folder);
    const present = new Set(found.filter(({ kind }) => kind === "directory").map(({ name }) => name));
    for (const name of names) if (!present.has(name)) await disk.makeDirectory(join(folder, name));
  }

  /** Watches what the current configuration says; folders that did not change keep their memory. */
  async apply(configuration: Configuration): Promise<void> {
    const old = this.#folders;
    this.#folders = [];
    for (const said of configuration.cftfolder.values()) {
      const folder = { ...said, state: this.#site.activations.folder(said) };
      const same = old.find((outbox) => JSON.stringify(outbox.folder) === JSON.stringify(folder));
      if (same) old.splice(old.indexOf(same), 1);
      this.#folders.push(same ?? new Outbox(this.#site, folder));
    }
    await Promise.all(old.map((outbox) => outbox.close()));
    for (const outbox of this.#folders) outbox.open();
  }

  /** Looks into every folder now. */
  scan(): void {
    for (const outbox of this.#folders) if (outbox.folder.state !== "noactive") outbox.scan();
  }

  async close(): Promise<void> {
    await Promise.all(this.#folders.map((outbox) => outbox.close()));
    this.#folders = [];
  }

  get status(): { id: string; state: string; scandir: string }[] {
    return this.#folders.map(({ folder }) => ({
      id: folder.id,
      state: folder.state,
      scandir: folder.scandir,
    }));
  }
}

class Outbox {
  readonly folder: Folder;
  readonly #site: Site;
  readonly #sightings = new Sightings();
  readonly #complained = new Set<string>();
  #task: ScheduledTask | null = null;
  #watcher: FSWatcher | null = null;
  #interval: Timer | null = null;
  #soon: Timer | null = null;
  #scanning: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(site: Site, folder: Folder) {
    this.#site = site;
    this.folder = folder;
  }

  open(): void {
    const { folder } = this;
    if (folder.state === "noactive" || this.#task || this.#interval) return;
    if (folder.schedule !== "") this.#task = cron.schedule(folder.schedule, () => this.scan());
    else this.#tick();
    if (folder.usefsevents) this.#watch();
    this.#site.journal.emit("CFTR20I", { id: folder.id, text: `${folder.scandir} is watched` });
    this.scan();
  }

  #tick(): void {
    this.#interval = this.#site.clock.timer(this.folder.interval, () => {
      this.scan();
      if (!this.#closed) this.#tick();
    });
  }

  #watch(): void {
    const watcher = watch(this.folder.scandir, { ignoreInitial: true, depth: 8, atomic: false });
    watcher.on("all", (event) => {
      if (event === "add" || event === "change") this.#scanIn(0);
    });
    // out of watches, or a folder that vanished: the schedule still finds everything
    watcher.on("error", (error) => {
      this.#site.journal.emit("CFTR20W", {
        id: this.folder.id,
        text: `no file system events: ${describe(error)}`,
      });
    });
    this.#watcher = watcher;
  }

  #scanIn(wait: number): void {
    if (this.#closed) return;
    this.#soon?.cancel();
    this.#soon = this.#site.clock.timer(Math.max(wait, 20), () => this.scan());
  }

  /** Looks now, or once more after the scan that is under way. */
  scan(): void {
    if (this.#closed || this.#site.stopping) return;
    if (this.#scanning) {
      this.#again = true;
      return;
    }
    this.#scanning = this.#scan()
      .catch((error: unknown) => this.#complain("", "CFTR20E", describe(error)))
      .finally(() => {
        this.#scanning = null;
        if (this.#again) {
          this.#again = false;
          this.scan();
        }
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#interval?.cancel();
    this.#soon?.cancel();
    await this.#task?.destroy();
    await this.#watcher?.close();
    await this.#scanning;
  }

  async #scan(): Promise<void> {
    const { disk, diskSpace, clock } = this.#site;
    // a claim needs a record: what stands in the outbox is safe there
    if (diskSpace.shortage !== null) return;
    const { cftpart, cftdest } = this.#site.configuration;
    const isPart = (name: string) => cftpart.has(name) || cftdest.has(name);
    const found = await scanOutbox(disk, clock, this.folder, isPart, this.#sightings);
    this.#complained.delete("");
    for (const path of found.unknown) this.#complain(path, "CFTR70W", "its directory names no partner");
    for (const { path, error } of found.unreadable) this.#complain(path, "CFTR20W", describe(error));
    for (let at = 0; at < found.ready.length; at += TOGETHER) {
      if (this.#closed) return;
      await this.#submitAll(found.ready.slice(at, at + TOGETHER));
    }
    if (found.waiting !== null) this.#scanIn(found.waiting);
  }

  /** Files that are claimed together share commits and syncs; they are recorded, and so sent, in this order. */
  async #submitAll(files: readonly ReadyFile[]): Promise<void> {
    const described = await Promise.all(
      files.map(async (file) => {
        try {
          return { file, send: await this.#describe(file) };
        } catch (error) {
          this.#failed(file, error);
          return { file, send: undefined };
        }
      }),
    );
    await Promise.all(described.map(({ file, send }) => send && this.#claim(file, send)));
  }

  async #describe({ candidate, part: id, idf }: ReadyFile): Promise<Described | undefined> {
    const site = this.#site;
    const part = site.configuration.cftpart.get(id);
    if (part) return describeSend(site, part, idf, candidate.path, candidate.mtimeMs);
    const dest = site.configuration.cftdest.get(id);
    return dest && describeBroadcast(site, dest, idf, candidate.path);
  }

  async #claim(file: ReadyFile, { request, ...held }: Described): Promise<void> {
    const site = this.#site;
    const { id, workdir, archivedir: archive } = this.folder;
    try {
      const transfer = await site.spool.claim(file.candidate, request, { workdir, archive, ...held });
      tellRecorded(site, transfer, `folder ${id}`);
      site.kick();
    } catch (error) {
      this.#failed(file, error);
    }
  }

  #failed({ candidate: { path } }: ReadyFile, error: unknown): void {
    this.#sightings.postpone(path, this.#site.clock.monotonic() + POSTPONE);
    this.#complain(path, "CFTR20E", describe(error));
  }

  /** Once for each path and until it is well again: a folder is looked at every few seconds. */
  #complain(path: string, id: string, text: string): void {
    const key = `${path} ${text}`;
    if (this.#complained.has(key)) return;
    const [oldest] = this.#complained;
    if (this.#complained.size >= COMPLAINTS && oldest !== undefined) this.#complained.delete(oldest);
    this.#complained.add(key);
    this.#site.journal.emit(id, { id: this.folder.id, fname: path, text });
  }
}
