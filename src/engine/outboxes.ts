/**
 * Watched folders: scans on a schedule and soon after the file system says that something changed; what is found
 * becomes transfers.
 */
import { basename, join } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import cron, { type ScheduledTask } from "node-cron";
import type { Configuration, Folder, Part, Send } from "../config/model.ts";
import { substitute } from "../config/symbols.ts";
import { sendVariables } from "../config/variables.ts";
import { utf8 } from "../oftp/wire/codec.ts";
import type { Timer } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { datasetName } from "../spool/names.ts";
import { type ReadyFile, Sightings, scanOutbox } from "../spool/outbox.ts";
import { lackingFor, wantedSecurity } from "./security.ts";
import { keys, type Site } from "./site.ts";

/** A file that could not be claimed is left alone so long, ms. */
const POSTPONE = 30_000;
/** Complaints that are remembered, so that each is made once. */
const COMPLAINTS = 50_000;
/** The flow template where the configuration has none. */
const BUILT_IN: Omit<Send, "id"> = {
  nfname: "&FROOT&(-.)FSUF",
  frecfm: "U",
  flrecl: 0,
  fcode: "binary",
  ftype: "T",
  xlate: "",
  preexec: null,
  exec: null,
  ackexec: null,
  exece: null,
  ackstate: "require",
  pri: 128,
  security: {},
};

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
      for (const part of configuration.cftpart.keys()) await disk.makeDirectory(join(folder.scandir, part));
    }
    for (const part of configuration.cftpart.keys()) await disk.makeDirectory(join(rundir, "inbox", part));
  }

  /** Watches what the current configuration says; folders that did not change keep their memory. */
  async apply(configuration: Configuration): Promise<void> {
    const old = this.#folders;
    this.#folders = [];
    for (const folder of configuration.cftfolder.values()) {
      const same = old.find((outbox) => JSON.stringify(outbox.folder) === JSON.stringify(folder));
      if (same) old.splice(old.indexOf(same), 1);
      this.#folders.push(same ?? new Outbox(this.#site, folder));
    }
    await Promise.all(old.map((outbox) => outbox.close()));
    for (const outbox of this.#folders) outbox.open();
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
    const { disk, clock } = this.#site;
    const isPart = (name: string) => this.#site.configuration.cftpart.has(name);
    const found = await scanOutbox(disk, clock, this.folder, isPart, this.#sightings);
    this.#complained.delete("");
    for (const path of found.unknown) this.#complain(path, "CFTR70W", "its directory names no partner");
    for (const { path, error } of found.unreadable) this.#complain(path, "CFTR20W", describe(error));
    for (const file of found.ready) {
      if (this.#closed) return;
      await this.#submit(file);
    }
    if (found.waiting !== null) this.#scanIn(found.waiting);
  }

  async #submit({ candidate, part: id, idf }: ReadyFile): Promise<void> {
    const site = this.#site;
    const { folder } = this;
    const part = site.configuration.cftpart.get(id);
    if (part === undefined) return;
    try {
      const send = describeSend(site, part, idf, candidate.path, candidate.mtimeMs);
      const { workdir, archivedir: archive } = folder;
      const hold = await holdReason(site, part, send.flow);
      const target = { workdir, archive, ...(hold ? { hold } : {}) };
      const transfer = await site.spool.claim(candidate, send.request, target);
      const { idtu, phasestep, diagc } = transfer;
      site.journal.emit("CFTR12I", {
        ...keys(transfer),
        cmd: "SEND",
        user: `folder ${folder.id}`,
        text: idtu,
      });
      if (phasestep === "H" || phasestep === "K")
        site.journal.emit("CFTT17I", { ...keys(transfer), text: diagc });
      site.kick();
    } catch (error) {
      this.#sightings.postpone(candidate.path, site.clock.monotonic() + POSTPONE);
      this.#complain(candidate.path, "CFTR20E", describe(error));
    }
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

/** What is recorded for a file that is to be sent: flow, names, codes. */
export function describeSend(
  site: Site,
  part: Part,
  idf: string,
  path: string,
  mtimeMs: number,
  nfname?: string,
) {
  const { configuration } = site;
  const flowId = idf || part.idf || configuration.cftparm.default;
  const flow: Omit<Send, "id"> =
    configuration.cftsend.get(flowId) ?? configuration.cftsend.get(configuration.cftparm.default) ?? BUILT_IN;
  const variables = sendVariables({
    site: configuration.cftparm.part,
    part,
    idf: flowId,
    name: basename(path),
    fileDate: new Date(mtimeMs),
    now: new Date(site.clock.now()),
  });
  const name = substitute(nfname ?? flow.nfname, variables);
  const dsn = datasetName(name);
  return {
    flow,
    request: {
      part: part.id,
      idf: flowId,
      nfname: name,
      dsn,
      orig: part.sfidorig,
      dest: part.sfiddest,
      description: dsn === name ? "" : utf8(name, 999).toString("utf8"),
      pri: flow.pri,
      ackstate: flow.ackstate,
      script: flow.preexec && flow.preexec.length > 0 ? ("preexec" as const) : ("" as const),
      coarse: knowsNoCounter(configuration, part),
      security: wantedSecurity(part, flow),
      format: flow.frecfm,
      lrecl: flow.flrecl,
    },
  };
}

/** True when nothing newer than OFTP 1.3 is spoken with a partner. */
function knowsNoCounter({ cftprot }: Configuration, part: Part): boolean {
  const levels = part.prot.flatMap((id) => cftprot.get(id)?.level ?? []);
  return levels.every((level) => level < 4 || (part.level !== null && !part.level.includes(level)));
}

/** A file that must be protected is never sent without: it stops, with what is missing. */
export async function holdReason(site: Site, part: Part, flow: Pick<Send, "security">) {
  const wanted = wantedSecurity(part, flow);
  const lacking = wanted ? await lackingFor(site.credentials, site.judgement, part, wanted) : [];
  if (lacking.length === 0) return undefined;
  const diagc = `the file is to be secured, but [[pki]] lacks ${lacking.join(" and ")}; it is not sent without`;
  return { step: "K" as const, diagi: 278, diagp: "SECURITY", diagc };
}
