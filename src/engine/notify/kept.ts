/**
 * Notices that wait, as small files in a folder of their own: one for each place that is told.
 *
 * Invariants
 * - A notice that is kept is on disk, whole, under its name; names sort in the order in which they came.
 * - It goes only when it was delivered or given up: after a crash it is there again.
 */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { isSystemError } from "../../platform/errors.ts";
import type { FileSystem } from "../../platform/filesystem.ts";
import type { NoticeStore, Waiting } from "./queue.ts";
import type { Notice } from "./selection.ts";

/** Larger ones are none of ours, octets. */
const LARGEST = 1024 * 1024;
const NAME = /^\d{15}-\d{6}-[0-9a-f-]+\.json$/;

export class KeptNotices implements NoticeStore {
  readonly #disk: FileSystem;
  readonly #folder: string;
  /** Names of files by notice. */
  readonly #names = new Map<string, string>();
  #count = 0;

  /** `folder`: absolute; made when the first notice is kept. */
  constructor(disk: FileSystem, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** What waits since an earlier life, oldest first; what cannot be read is removed. */
  async load(): Promise<Waiting[]> {
    const found: Waiting[] = [];
    for (const name of (await this.#files()).sort()) {
      const waiting = await this.#read(name);
      if (waiting === undefined) await this.#disk.remove(join(this.#folder, name));
      else {
        this.#names.set(waiting.notice.id, name);
        found.push(waiting);
      }
    }
    return found;
  }

  async keep({ notice, since }: Waiting): Promise<void> {
    this.#count += 1;
    const order = String(this.#count % 1_000_000).padStart(6, "0");
    const name = `${String(since).padStart(15, "0")}-${order}-${randomUUID()}.json`;
    const path = join(this.#folder, name);
    await this.#disk.makeDirectory(this.#folder);
    const file = await this.#disk.open(`${path}.new`, "create");
    try {
      await file.write([Buffer.from(JSON.stringify({ since, notice }))], 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(`${path}.new`, path);
    await this.#disk.syncDirectory(this.#folder);
    this.#names.set(notice.id, name);
  }

  async drop({ notice }: Waiting): Promise<void> {
    const name = this.#names.get(notice.id);
    if (name === undefined) return;
    this.#names.delete(notice.id);
    await this.#disk.remove(join(this.#folder, name));
  }

  async #files(): Promise<string[]> {
    try {
      const entries = await this.#disk.list(this.#folder);
      return entries.filter(({ kind }) => kind === "file").map(({ name }) => name);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return [];
      throw error;
    }
  }

  /** Undefined for what a crash has left half written, and for what nobody here wrote. */
  async #read(name: string): Promise<Waiting | undefined> {
    if (!NAME.test(name)) return undefined;
    const path = join(this.#folder, name);
    const { size } = await this.#disk.status(path);
    if (size > LARGEST) return undefined;
    const octets = Buffer.alloc(size);
    const file = await this.#disk.open(path, "read");
    try {
      if ((await file.read(octets, 0)) !== size) return undefined;
    } finally {
      await file.close();
    }
    return waitingOf(octets.toString());
  }
}

function waitingOf(text: string): Waiting | undefined {
  try {
    const { since, notice } = JSON.parse(text) as { since: unknown; notice: Partial<Notice> | null };
    return typeof since === "number" && typeof notice?.id === "string"
      ? { since, notice: notice as Notice }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Folder of the notices of a [[notify]] for one kind of place. */
export function folderOf(rundir: string, id: string, kind: "webhook" | "mail"): string {
  const name = createHash("sha256").update(`${kind} ${id}`).digest("hex").slice(0, 16);
  return join(noticeFolder(rundir), name);
}

/** Folder of all notices that wait. */
export function noticeFolder(rundir: string): string {
  return join(rundir, "work", "notices");
}
