/**
 * What was fetched, kept: in memory, and on disk over restarts. Contents are signed by somebody and verified at each use,
 * so this folder needs no trust: what is damaged here is fetched again.
 *
 * Invariants
 * - Questions for the same key at the same time share one fetch.
 * - A file is whole or not there: written aside, synced, renamed.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import { describe, isSystemError } from "../../platform/errors.ts";

export interface Download {
  content: Buffer;
  /** When it was fetched, ms since 1970 UTC. */
  at: number;
}

/** What there is: possibly out of date, with the reason why there is nothing newer. */
export interface Held {
  held: Download | null;
  trouble: string;
}

/** Octets kept in memory; what is on disk is read again. */
const MOST_OCTETS = 64 * 1024 * 1024;
/** After a failure nobody asks the same place again for so long, ms. */
const REST = 60_000;
/** What nobody has renewed for so long is dropped from the disk, ms. */
const FORGOTTEN = 60 * 24 * 3600 * 1000;
const HEADER = /^cygnet-download (\d{1,15}) ([0-9a-f]{64})\n/;

export class Downloads {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #memory = new Map<string, Download>();
  readonly #underWay = new Map<string, Promise<Held>>();
  readonly #failures = new Map<string, { until: number; trouble: string }>();
  #swept = false;

  /** @param folder absolute; made when it is first needed */
  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /**
   * What is kept under a key, fetched first when `due` says so of it, or when there is nothing.
   * @param keep also on disk
   */
  get(
    key: string,
    due: (held: Download) => boolean,
    fetch: () => Promise<Buffer>,
    keep: boolean,
  ): Promise<Held> {
    const shared = this.#underWay.get(key);
    if (shared) return shared;
    const work = this.#get(key, due, fetch, keep).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, work);
    return work;
  }

  async #get(
    key: string,
    due: (held: Download) => boolean,
    fetch: () => Promise<Buffer>,
    keep: boolean,
  ): Promise<Held> {
    const held = this.#memory.get(key) ?? (keep ? await this.#read(key) : null);
    // a clock that was set back makes everything look young: then it is fetched
    if (held && held.at <= this.#clock.now() && !due(held))
      return { held: this.#remember(key, held), trouble: "" };
    const failure = this.#failures.get(key);
    if (failure && this.#clock.monotonic() < failure.until) return { held, trouble: failure.trouble };
    this.#failures.delete(key);
    try {
      const fresh = this.#remember(key, { content: await fetch(), at: this.#clock.now() });
      const trouble = keep ? await this.#write(key, fresh) : "";
      return { held: fresh, trouble };
    } catch (error) {
      const trouble = describe(error);
      if (this.#failures.size > 1_000) this.#failures.clear();
      this.#failures.set(key, { until: this.#clock.monotonic() + REST, trouble });
      return { held: held && this.#remember(key, held), trouble };
    }
  }

  #remember(key: string, download: Download): Download {
    this.#memory.delete(key);
    this.#memory.set(key, download);
    let octets = 0;
    for (const { content } of this.#memory.values()) octets += content.length + 1_000;
    for (const [oldest, { content }] of this.#memory) {
      if (octets <= MOST_OCTETS || oldest === key) break;
      this.#memory.delete(oldest);
      octets -= content.length + 1_000;
    }
    return download;
  }

  #path(key: string): string {
    return join(this.#folder, `${createHash("sha256").update(key).digest("hex").slice(0, 40)}.download`);
  }

  async #read(key: string): Promise<Download | null> {
    let octets: Buffer;
    try {
      octets = await readFile(this.#path(key));
    } catch {
      return null; // not there, or not to be read: fetched anew, and writing tells what is wrong with the folder
    }
    const [line, at, of] = HEADER.exec(octets.subarray(0, 120).toString("latin1")) ?? [];
    if (line === undefined || of !== digest(key)) return null;
    return { content: octets.subarray(line.length), at: Number(at) };
  }

  /** Gives the trouble that there was: what was fetched serves without the disk as well. */
  async #write(key: string, { content, at }: Download): Promise<string> {
    const aside = join(this.#folder, `${randomBytes(8).toString("hex")}.tmp`);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o750 });
      await this.#sweep();
      const file = await open(aside, "wx", 0o640);
      try {
        await file.writeFile(Buffer.concat([Buffer.from(`cygnet-download ${at} ${digest(key)}\n`), content]));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, this.#path(key));
      return "";
    } catch (error) {
      await unlink(aside).catch(() => {}); // it may never have come into being
      return `what was fetched cannot be kept in ${this.#folder}: ${describe(error)}`;
    }
  }

  /** Once in a process: what nobody renews any more, and what an interrupted write left. */
  async #sweep(): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    for (const name of await readdir(this.#folder)) {
      if (!/\.(download|tmp)$/.test(name)) continue;
      const path = join(this.#folder, name);
      try {
        const { mtimeMs } = await stat(path);
        if (Date.now() - mtimeMs > (name.endsWith(".tmp") ? 3600_000 : FORGOTTEN)) await unlink(path);
      } catch (error) {
        // another process sweeps, too
        if (!isSystemError(error, "ENOENT")) throw error;
      }
    }
  }
}

function digest(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
