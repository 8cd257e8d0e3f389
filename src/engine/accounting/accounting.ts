/**
 * Accounting: one line for each ended transfer, in the order in which they ended.
 *
 * Invariants
 * - The catalog notes an ended transfer in the change that ends it, and forgets the note only when its line is on disk:
 *   none is lost. After a crash the last lines may stand twice, under the same idtu.
 * - A record is purged only when it has been accounted.
 */
import { stat } from "node:fs/promises";
import type { Accnt } from "../../config/model.ts";
import { safeJson } from "../../messages/escape.ts";
import { LogFile } from "../../messages/log-file.ts";
import type { Timer } from "../../platform/clock.ts";
import { describe, isSystemError } from "../../platform/errors.ts";
import { BROADCAST } from "../broadcast.ts";
import type { Site } from "../site.ts";
import { accountOf } from "./record.ts";

/** Ends within this time are written together, ms. */
const GATHER = 100;
/** After a failure, ms. */
const AGAIN = 10_000;
/** Lines written together. */
const BATCH = 500;
const A_DAY = 24 * 3600 * 1000;

export class Accounting {
  readonly #site: () => Site;
  #file: LogFile | null = null;
  #settings = "";
  #timer: Timer | null = null;
  #due = Number.POSITIVE_INFINITY;
  #working: Promise<void> = Promise.resolve();
  /** Notes whose lines are on disk, and which the catalog could not be told yet. */
  #written = new Set<number>();
  #failed = false;
  #stopped = false;

  constructor(site: () => Site) {
    this.#site = site;
  }

  open(): void {
    this.#site().catalog.watch(() => this.#writeIn(GATHER));
    this.#writeIn(0);
  }

  /** After a reload: the file is opened anew, under the name that it has now. */
  reopen(): void {
    this.#settings = "";
    this.#cancel();
    this.#writeIn(0);
  }

  /** Writes what is due and closes the file. */
  async stop(): Promise<void> {
    this.#cancel();
    if (!this.#stopped) this.#enqueue();
    this.#stopped = true;
    await this.#working;
    await this.#file?.close();
    this.#file = null;
  }

  #writeIn(wait: number): void {
    if (this.#stopped) return;
    const { clock } = this.#site();
    const at = clock.monotonic() + wait;
    // after a failure the disk gets its time, whatever else ends
    if (this.#timer && (at >= this.#due || this.#failed)) return;
    this.#timer?.cancel();
    this.#due = at;
    this.#timer = clock.timer(wait, () => {
      this.#timer = null;
      this.#enqueue();
    });
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #enqueue(): void {
    this.#working = this.#working
      .then(() => this.#write())
      .catch((error: unknown) => {
        const { journal, configuration } = this.#site();
        const file = configuration.cftaccnt?.fname ?? "";
        if (!this.#failed) journal.emit("CFTS82E", { file, text: describe(error) });
        this.#failed = true;
        this.#cancel();
        this.#writeIn(AGAIN);
      });
  }

  async #write(): Promise<void> {
    const { catalog, configuration, journal } = this.#site();
    const settings = configuration.cftaccnt;
    if (settings === null) return;
    for (;;) {
      const found = await catalog.aftermath(["accnt"], 0, BATCH);
      const notes = found.filter(({ id }) => !this.#written.has(id));
      if (found.length === 0) break;
      const file = await this.#ready(settings);
      // the record of a broadcast is none of a transfer: its children are
      const moved = notes.filter(({ transfer }) => transfer.diagp !== BROADCAST);
      let lines = moved.map(({ transfer }) => safeJson(accountOf(configuration, transfer)));
      while (lines.length > 0) {
        lines = lines.slice(await file.append(lines));
        // before the next piece, which may begin a new file
        await file.sync();
      }
      for (const { id } of notes) this.#written.add(id);
      await catalog.settleAftermath(found.map(({ id }) => id));
      this.#written.clear();
    }
    if (this.#failed) journal.emit("CFTS82I", { file: settings.fname });
    this.#failed = false;
  }

  /** The file in force, a new one when its day is over. */
  async #ready(settings: Accnt): Promise<LogFile> {
    const { fname, maxsize, backup_count: backups } = settings;
    const { clock, journal } = this.#site();
    const wanted = JSON.stringify(settings);
    if (this.#file === null || wanted !== this.#settings) {
      await this.#file?.close();
      this.#file = new LogFile({ fname, maxsize, backups });
      this.#settings = wanted;
    }
    if (settings.switch !== null && (await lastWrite(fname)) < lastSwitch(settings.switch, clock.now())) {
      await this.#file.switch();
      journal.emit("CFTS35I", { file: fname });
    }
    return this.#file;
  }
}

/** When a file was written last, ms since 1970 UTC; never for one that is not there or empty. */
async function lastWrite(path: string): Promise<number> {
  try {
    const { mtimeMs, size } = await stat(path);
    return size === 0 ? Number.POSITIVE_INFINITY : mtimeMs;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** The last time of day `at` (ms after local midnight) before now. */
export function lastSwitch(at: number, now: number): number {
  const day = (time: number): number => {
    const date = new Date(time);
    // the time of day as people read it: a day in which the clock is changed is shorter or longer
    return new Date(date.getFullYear(), date.getMonth(), date.getDate(), 0, 0, 0, at).getTime();
  };
  const today = day(now);
  return today <= now ? today : day(now - A_DAY);
}
