import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as pause } from "node:timers/promises";
import { isSystemError } from "../platform/errors.ts";
import { backupIndices, backupPath } from "./rotation.ts";

export interface FollowOptions {
  /** Where to begin in a file that is there already; a file that appears later is read from its start. */
  from?: "start" | "end";
  /** Milliseconds between two looks. */
  interval?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

const CHUNK = 64 * 1024;

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  }
}

async function inodeOrNull(path: string): Promise<bigint | null> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  }
}

/** Opens the file that follows the one with this inode; null while that one is still being written. */
async function successor(path: string, inode: bigint): Promise<FileHandle | null> {
  const last = (await backupIndices(path)).at(-1) ?? 0;
  // Files only ever move to higher indices, so a search upwards cannot miss one that moves meanwhile.
  for (let index = 0; index <= last + 1; index += 1) {
    if ((await inodeOrNull(backupPath(path, index))) !== inode) continue;
    if (index === 0) return null;
    const next = await openOrNull(backupPath(path, index - 1));
    if (next === null) return null;
    const settled = (await inodeOrNull(backupPath(path, index))) === inode;
    if (settled && (await next.stat({ bigint: true })).ino !== inode) return next;
    await next.close();
    return null; // a rotation came between: look again
  }
  for (let index = last; index >= 0; index -= 1) {
    const next = await openOrNull(backupPath(path, index));
    if (next !== null) return next;
  }
  return null;
}

/** Inodes of the old files of a log. */
async function backupInodes(path: string): Promise<Set<bigint | null>> {
  const indices = await backupIndices(path);
  return new Set(await Promise.all(indices.map((index) => inodeOrNull(backupPath(path, index)))));
}

/** Opens the oldest file of a log that is not among those known before; null while there is none. */
async function oldestNew(path: string, known: ReadonlySet<bigint | null>): Promise<FileHandle | null> {
  let found: FileHandle | null = null;
  // Upwards again; an index may be empty for a moment while a rotation renames one file after the other.
  for (let index = 0; index <= ((await backupIndices(path)).at(-1) ?? 0); index += 1) {
    const handle = await openOrNull(backupPath(path, index));
    if (handle === null) continue;
    const old = known.has((await handle.stat({ bigint: true })).ino);
    await (old ? handle : found)?.close();
    if (old) break;
    found = handle;
  }
  return found;
}

/** Reads one log file from a position on and cuts it into lines. */
class Tail {
  readonly handle: FileHandle;
  #position: number;
  #decoder = new StringDecoder("utf8");
  #torn = "";

  constructor(handle: FileHandle, position: number) {
    this.handle = handle;
    this.#position = position;
  }

  /** The complete lines that came since the last call. A file that has become shorter is read anew. */
  async *lines(): AsyncGenerator<string> {
    if ((await this.handle.stat()).size < this.#position) {
      this.#position = 0;
      this.#torn = "";
      this.#decoder = new StringDecoder("utf8");
    }
    const buffer = Buffer.alloc(CHUNK);
    for (;;) {
      const { bytesRead } = await this.handle.read(buffer, 0, CHUNK, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const lines = (this.#torn + this.#decoder.write(buffer.subarray(0, bytesRead))).split("\n");
      this.#torn = lines.pop() ?? "";
      yield* lines;
    }
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/**
 * Yields the lines of a log as they come, across any number of rotations, until the signal ends it. The file need not
 * exist yet. Throws the system's error when the log cannot be read.
 */
export async function* follow(path: string, options: FollowOptions = {}): AsyncGenerator<string> {
  const { from = "end", interval = 100, signal } = options;
  const known = await backupInodes(path);
  const there = await openOrNull(path);
  let tail = there && new Tail(there, from === "start" ? 0 : (await there.stat()).size);
  try {
    while (signal?.aborted !== true) {
      if (tail === null) {
        const first = await oldestNew(path, known);
        tail = first && new Tail(first, 0);
        if (tail !== null) continue;
      } else {
        yield* tail.lines();
        const next = await successor(path, (await tail.handle.stat({ bigint: true })).ino);
        if (next !== null) {
          yield* tail.lines(); // what was written between the last look and the rotation
          await tail.handle.close();
          tail = new Tail(next, 0);
          continue;
        }
      }
      try {
        await pause(interval, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        if (!isAbort(error)) throw error;
      }
    }
  } finally {
    await tail?.handle.close();
  }
}
