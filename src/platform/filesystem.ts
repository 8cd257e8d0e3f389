import { type BigIntStats, constants } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./directory-sync.ts";

/** What the gateway reads of a file's status. Sizes in octets, times in milliseconds; ns as bigint. */
export interface FileStatus {
  kind: "file" | "directory" | "other";
  size: number;
  mtimeMs: number;
  ctimeNs: bigint;
  ino: bigint;
  dev: bigint;
  nlink: bigint;
}

/** An open file. Positions and lengths in octets. */
export interface OpenFile {
  read(buffer: Uint8Array, position: number): Promise<number>;
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  truncate(length: number): Promise<void>;
  /** Forces contents and length to the disk (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The disk as the gateway sees it: just the operations that the file promises rest on. The production
 * version below is thin; tests wrap it to fail, fill up or stop at any step.
 * Every method throws Node's system errors (`code` = ENOENT, EEXIST, ENOSPC, …).
 */
/** Room on a file system. */
export interface Space {
  /** Octets that this process may still write. */
  free: number;
  total: number;
  /** Which file system it is. */
  device: bigint;
}

export interface FileSystem {
  /** `create`: new file, fails with EEXIST; `update`: existing, read and write; `read`: existing, read only. */
  open(path: string, mode: "create" | "update" | "read"): Promise<OpenFile>;
  /** Does not follow symbolic links: a link has kind "other". */
  status(path: string): Promise<FileStatus>;
  /** Names in a directory, with kinds; links and devices have kind "other". */
  list(path: string): Promise<{ name: string; kind: FileStatus["kind"] }[]>;
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Hard link; fails with EEXIST, never overwrites. */
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes a directory with all that is in it. */
  removeDirectory(path: string): Promise<void>;
  /** Makes renames and links in this directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Of the file system that holds `path`. */
  space(path: string): Promise<Space>;
}

/** Flags of `open` by mode. */
export const FLAGS = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
  update: constants.O_RDWR | constants.O_NOFOLLOW,
  read: constants.O_RDONLY | constants.O_NOFOLLOW,
};

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): FileStatus["kind"] {
  return entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";
}

/** What the gateway reads of what the system says. */
export function statusFrom(stat: BigIntStats): FileStatus {
  return {
    kind: kindOf(stat),
    size: Number(stat.size),
    mtimeMs: Number(stat.mtimeNs / 1_000_000n),
    ctimeNs: stat.ctimeNs,
    ino: stat.ino,
    dev: stat.dev,
    nlink: stat.nlink,
  };
}

/** The machine's disk. Files and directories are made for the owner and the group, never for others. */
export const systemFileSystem: FileSystem = {
  async open(path, mode) {
    const handle = await fs.open(path, FLAGS[mode], 0o640);
    return {
      read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      async write(buffers, position) {
        let rest = buffers.filter((buffer) => buffer.length > 0);
        let at = position;
        while (rest.length > 0) {
          let { bytesWritten } = await handle.writev(rest, at);
          at += bytesWritten;
          while (rest.length > 0 && bytesWritten >= (rest[0] as Uint8Array).length) {
            bytesWritten -= (rest[0] as Uint8Array).length;
            rest = rest.slice(1);
          }
          if (bytesWritten > 0) rest = [(rest[0] as Uint8Array).subarray(bytesWritten), ...rest.slice(1)];
        }
      },
      truncate: (length) => handle.truncate(length),
      sync: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  async status(path) {
    return statusFrom(await fs.lstat(path, { bigint: true }));
  },
  async list(path) {
    const entries = await fs.readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  },
  async makeDirectory(path) {
    await fs.mkdir(path, { recursive: true, mode: 0o770 });
  },
  rename: (from, to) => fs.rename(from, to),
  link: (from, to) => fs.link(from, to),
  remove: (path) => fs.unlink(path),
  removeDirectory: (path) => fs.rm(path, { recursive: true, force: true }),
  syncDirectory,
  async space(path) {
    const [{ bavail, bsize, blocks }, { dev }] = await Promise.all([
      fs.statfs(path),
      fs.stat(path, { bigint: true }),
    ]);
    return { free: bavail * bsize, total: blocks * bsize, device: dev };
  },
};

/** Makes the rename or link that put `path` there durable. */
export function syncParent(disk: FileSystem, path: string): Promise<void> {
  return disk.syncDirectory(dirname(path));
}
