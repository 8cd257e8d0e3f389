/**
 * The log on disk, written by appending whole lines.
 *
 * Invariants
 * - A line stands in one file; files are cut between lines.
 * - No file grows beyond `maxsize`, unless a single line is longer.
 * - A torn end (left by a crash or a full disk) is closed before the next line, which stays readable.
 * - A file that somebody moved away or deleted is made anew.
 */
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../platform/errors.ts";
import { rotate } from "./rotation.ts";

/** Where lines go, and how much is kept. */
export interface LogFileSettings {
  /** Absolute path; its folder is made when missing. */
  fname: string;
  /** Octets after which a new file is begun; 0 = never. */
  maxsize: number;
  /** How many old files are kept. */
  backups: number;
}

const NEWLINE = 0x0a;

export class LogFile {
  readonly settings: LogFileSettings;
  #handle: FileHandle | null = null;
  #inode = 0n;
  #size = 0;
  #regular = true;
  /** Size at which the next rotation is due; raised when a rotation was not possible. */
  #limit: number;

  constructor(settings: LogFileSettings) {
    this.settings = settings;
    this.#limit = settings.maxsize > 0 ? settings.maxsize : Number.POSITIVE_INFINITY;
  }

  /**
   * Writes as many of the lines (at least one) as the current file has room for, beginning a new file first when it has
   * none; gives their number. Throws the system's error; then none of them counts as written.
   */
  async append(lines: readonly string[]): Promise<number> {
    const sizes = lines.map((line) => Buffer.byteLength(line) + 1);
    const handle = await this.#ready(sizes[0] ?? 0);
    let octets = sizes[0] ?? 0;
    let count = 1;
    while (count < lines.length && this.#size + octets + (sizes[count] as number) <= this.#limit) {
      octets += sizes[count] as number;
      count += 1;
    }
    try {
      await handle.appendFile(`${lines.slice(0, count).join("\n")}\n`);
    } catch (error) {
      // Where the disk refuses this too, the torn end is closed when the file is opened again.
      await handle.truncate(this.#size).catch(() => undefined);
      await this.close();
      throw error;
    }
    this.#size += octets;
    return count;
  }

  /** Forces what was appended to the disk (fdatasync). */
  async sync(): Promise<void> {
    await this.#handle?.datasync();
  }

  /** Begins a new file, whatever the size of this one; nothing where this one is empty or not there. */
  async switch(): Promise<void> {
    const handle = this.#handle ?? (await this.#open());
    if (!this.#regular || this.#size === 0 || handle === null) return;
    await this.close();
    await rotate(this.settings.fname, this.settings.backups);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #ready(octets: number): Promise<FileHandle> {
    if (this.#handle !== null && (await this.#moved())) await this.close();
    let handle = this.#handle ?? (await this.#open());
    if (this.#regular && this.#size > 0 && this.#size + octets > this.#limit) {
      await this.close();
      await this.#rotate();
      handle = await this.#open();
    }
    return handle;
  }

  async #moved(): Promise<boolean> {
    try {
      return (await stat(this.settings.fname, { bigint: true })).ino !== this.#inode;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return true;
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.settings.fname), { recursive: true, mode: 0o750 });
    const handle = await open(this.settings.fname, "a+", 0o640);
    try {
      const status = await handle.stat({ bigint: true });
      this.#inode = status.ino;
      this.#regular = status.isFile();
      this.#size = this.#regular ? Number(status.size) : 0;
      if (this.#size > 0) {
        const end = Buffer.alloc(1);
        await handle.read(end, 0, 1, this.#size - 1);
        if (end[0] !== NEWLINE) {
          await handle.appendFile("\n");
          this.#size += 1;
        }
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
    return handle;
  }

  async #rotate(): Promise<void> {
    try {
      await rotate(this.settings.fname, this.settings.backups);
      this.#limit = this.settings.maxsize;
    } catch {
      // A log that grows is better than none: go on with this file and try again after another maxsize.
      this.#limit = this.#size + this.settings.maxsize;
    }
  }
}
