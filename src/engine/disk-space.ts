/**
 * Room on the disks: looked at every few seconds, so that files are declined in good order before a write fails.
 *
 * Invariants
 * - While there is a shortage nothing new is taken on: no file of a partner, none of an outbox, none that is submitted,
 *   and no envelope is begun. What runs goes on: it is what makes room.
 * - The shortage ends by itself when a tenth more is free than what began it.
 */
import { dirname, join } from "node:path";
import type { Configuration } from "../config/model.ts";
import type { SpaceLimit } from "../config/units.ts";
import type { Timer } from "../platform/clock.ts";
import { describe, isSystemError } from "../platform/errors.ts";
import type { FileSystem, Space } from "../platform/filesystem.ts";
import type { Site } from "./site.ts";

export type DiskLevel = "ok" | "low" | "alert";

/** One file system that the gateway writes to. Sizes in octets. */
export interface Disk {
  /** What of the gateway stands on it, absolute; the first of several. */
  path: string;
  free: number;
  total: number;
  level: DiskLevel;
  /** The catalog stands on it. */
  holdsCatalog: boolean;
  /** For people: where, how much is free, how much should be. */
  text: string;
}

/** Between two looks, ms. */
const EVERY = 5_000;
/** What must be free for a level to be left, as a multiple of what must be free not to enter it. */
const MARGIN = 1.1;
/** Octets that a record takes in the catalog, with its indexes; rather more than less. */
const RECORD = 1024;
const MESSAGES = { low: "CFTS86W", alert: "CFTS86E" } as const;
const ORDER: readonly DiskLevel[] = ["ok", "low", "alert"];

export class DiskSpace {
  readonly #site: () => Site;
  readonly #again: () => void;
  #disks: Disk[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;
  #timer: Timer | null = null;
  #closed = false;
  /** What could not be asked, told once. */
  #trouble = "";

  /** `again` is called when a shortage has ended. */
  constructor(site: () => Site, again: () => void) {
    this.#site = site;
    this.#again = again;
  }

  /** Looks now and from now on. */
  async open(): Promise<void> {
    await this.look();
    this.#wait();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** The file systems as they were at the last look. */
  get disks(): readonly Disk[] {
    return this.#disks;
  }

  /** Free octets where rundir is, as of the last look; what is not known counts as plenty: whoever writes hears of it. */
  get free(): number {
    return this.#disks[0]?.free ?? Number.MAX_SAFE_INTEGER;
  }

  /** The worst of all disks. */
  get level(): DiskLevel {
    return this.#disks.reduce<DiskLevel>(
      (worst, { level }) => (ORDER.indexOf(level) > ORDER.indexOf(worst) ? level : worst),
      "ok",
    );
  }

  /** Why nothing more is taken on, in words; null while there is room. */
  get shortage(): string | null {
    return this.#disks.find(({ level }) => level !== "ok")?.text ?? null;
  }

  /** Looks, unless the last look is less than `age` ms old. Never rejects. */
  look(age = 0): Promise<void> {
    const { clock } = this.#site();
    if (this.#looking === null) {
      if (clock.monotonic() - this.#lookedAt < age) return Promise.resolve();
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
    }
    return this.#looking;
  }

  #wait(): void {
    if (this.#closed) return;
    this.#timer = this.#site().clock.timer(EVERY, () => void this.look().then(() => this.#wait()));
  }

  async #look(): Promise<void> {
    const { configuration, clock, disk, journal } = this.#site();
    const before = this.#disks;
    const short = this.shortage !== null;
    let found: Disk[] = [];
    try {
      found = await surveyDisks(configuration, disk, before);
      this.#trouble = "";
    } catch (error) {
      // a disk that cannot be asked is told of by those that write to it
      const text = `free space is not known: ${describe(error)}`;
      if (text !== this.#trouble) journal.emit("CFTS76W", { file: "", text });
      this.#trouble = text;
    }
    if (found.length === 0) return;
    this.#disks = found;
    this.#lookedAt = clock.monotonic();
    for (const now of this.#disks)
      this.#tell(now, before.find(({ path }) => path === now.path)?.level ?? "ok");
    if (short && this.shortage === null) this.#again();
  }

  #tell({ path, free, level, holdsCatalog, text }: Disk, was: DiskLevel): void {
    if (level === was) return;
    const { journal, configuration } = this.#site();
    if (level === "ok") {
      journal.emit("CFTS86I", { path, free, text });
    } else {
      const limit = configuration.cftparm[level === "low" ? "disk_low" : "disk_alert"];
      journal.emit(MESSAGES[level], { path, free, limit: writtenLimit(limit), text });
      if (holdsCatalog) journal.emit("CFTC01W", { n: Math.floor(free / RECORD), text });
    }
  }
}

/** Every file system that a configuration writes to, as it is now; `before` is what was found the last time. */
export async function surveyDisks(
  configuration: Configuration,
  disk: Pick<FileSystem, "space">,
  before: readonly Disk[] = [],
): Promise<Disk[]> {
  const found = new Map<bigint, Disk>();
  const catalog = dirname(configuration.cftcat.fname);
  for (const path of placesOf(configuration)) {
    const space = await spaceAt(path, (at) => disk.space(at));
    if (!found.has(space.device)) found.set(space.device, judge(path, space, configuration, before));
    if (path === catalog) Object.assign(found.get(space.device) ?? {}, { holdsCatalog: true });
  }
  return [...found.values()];
}

/** Where the gateway writes, the most important first. */
function placesOf({ cftparm, cftcat, cftlog, cftaccnt, cftfolder }: Configuration): string[] {
  const { rundir } = cftparm;
  return [
    rundir,
    join(rundir, "work"),
    join(rundir, "inbox"),
    dirname(cftcat.fname),
    dirname(cftlog.fname),
    ...(cftaccnt ? [dirname(cftaccnt.fname)] : []),
    ...[...cftfolder.values()].map(({ workdir }) => workdir),
  ];
}

/** Of a place, or of the nearest folder above it that is there. */
async function spaceAt(path: string, ask: (path: string) => Promise<Space>): Promise<Space> {
  try {
    return await ask(path);
  } catch (error) {
    if (!isSystemError(error, "ENOENT") || dirname(path) === path) throw error;
    return spaceAt(dirname(path), ask);
  }
}

function judge(
  path: string,
  { free, total }: Space,
  { cftparm }: Configuration,
  before: readonly Disk[],
): Disk {
  const was = before.find((one) => one.path === path)?.level ?? "ok";
  const below = (level: "low" | "alert") => {
    const limit = octetsOf(cftparm[`disk_${level}`], total);
    const stays = ORDER.indexOf(was) >= ORDER.indexOf(level) && limit * MARGIN < total;
    return limit > 0 && free < (stays ? limit * MARGIN : limit);
  };
  const level: DiskLevel = below("alert") ? "alert" : below("low") ? "low" : "ok";
  const wanted = level === "ok" ? "" : `, less than ${writtenLimit(cftparm[`disk_${level}`])}`;
  const text = `${mebibytes(free)} of ${mebibytes(total)} are free on the file system of ${path}${wanted}`;
  return { path, free, total, level, holdsCatalog: false, text };
}

function octetsOf({ percent, octets }: SpaceLimit, total: number): number {
  const limits = [
    ...(percent === null ? [] : [(total * percent) / 100]),
    ...(octets === null ? [] : [octets]),
  ];
  return limits.length === 0 ? 0 : Math.min(...limits);
}

function writtenLimit({ percent, octets }: SpaceLimit): string {
  return [
    ...(percent === null ? [] : [`${percent} %`]),
    ...(octets === null ? [] : [mebibytes(octets)]),
  ].join(" or ");
}

function mebibytes(octets: number): string {
  return `${Math.floor(octets / 1024 ** 2)} MiB`;
}
