/**
 * The disk under the gateway's own directory, where the catalog is: looking at a file there, giving it a name and
 * reading or writing a little of it take microseconds, less than handing the call to a thread and hearing of it again.
 * So these are done at once. What may take long (syncs, much data, removing large files) and everything on other file
 * systems, which may be far away, goes through threads as everywhere.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import type { FileStatus, FileSystem, OpenFile } from "./filesystem.ts";
import { FLAGS, statusFrom, systemFileSystem } from "./filesystem.ts";

/** Octets that are read and written, or removed, at once. */
const LITTLE = 64 * 1024;
const REMOVED = 4 * 1024 * 1024;
/** Directories that are remembered as near or far. */
const REMEMBERED = 20_000;

/** The machine's disk, with the file system that `root` stands on as the near one; `root` must exist. */
export function nearFileSystem(root: string): FileSystem {
  const { dev } = fs.statSync(root);
  const known = new Map<string, boolean>();

  /** Whether a directory is on the near file system: false as long as that is not known, which costs only time. */
  function isNear(directory: string): boolean {
    const near = known.get(directory);
    if (near !== undefined) return near;
    if (known.size >= REMEMBERED) known.clear();
    fs.stat(directory, (error, status) => {
      if (error === null) known.set(directory, status.dev === dev);
    });
    return false;
  }

  return {
    ...systemFileSystem,
    async status(path) {
      if (!isNear(dirname(path))) return systemFileSystem.status(path);
      return statusNow(path);
    },
    async open(path, mode) {
      if (!isNear(dirname(path))) return systemFileSystem.open(path, mode);
      return fileOn(mode === "create" ? await made(path) : fs.openSync(path, FLAGS[mode]));
    },
    async rename(from, to) {
      if (!isNear(dirname(from)) || !isNear(dirname(to))) return systemFileSystem.rename(from, to);
      fs.renameSync(from, to);
    },
    async link(from, to) {
      if (!isNear(dirname(from)) || !isNear(dirname(to))) return systemFileSystem.link(from, to);
      fs.linkSync(from, to);
    },
    async remove(path) {
      if (!isNear(dirname(path))) return systemFileSystem.remove(path);
      const { size, nlink } = statusNow(path);
      if (size > REMOVED && nlink === 1n) return systemFileSystem.remove(path);
      fs.unlinkSync(path);
    },
  };
}

function statusNow(path: string): FileStatus {
  const status = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (status !== undefined) return statusFrom(status);
  throw Object.assign(new Error(`ENOENT: no such file or directory, lstat '${path}'`), {
    code: "ENOENT",
    syscall: "lstat",
    path,
  });
}

/** A new file: on file systems with a journal this waits for syncs of others. */
function made(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, FLAGS.create, 0o640, (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
}

function fileOn(descriptor: number): OpenFile {
  return {
    async read(buffer, position) {
      if (buffer.length <= LITTLE) return fs.readSync(descriptor, buffer, 0, buffer.length, position);
      return new Promise((resolve, reject) => {
        fs.read(descriptor, buffer, 0, buffer.length, position, (error, count) =>
          error ? reject(error) : resolve(count),
        );
      });
    },
    async write(buffers, position) {
      const size = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
      let rest = buffers.filter((buffer) => buffer.length > 0);
      for (let at = position; rest.length > 0; ) {
        const written =
          size <= LITTLE ? fs.writevSync(descriptor, rest, at) : await writev(descriptor, rest, at);
        at += written;
        rest = behind(rest, written);
      }
    },
    truncate: (length) => promised((done) => fs.ftruncate(descriptor, length, done)),
    sync: () => promised((done) => fs.fdatasync(descriptor, done)),
    async close() {
      fs.closeSync(descriptor);
    },
  };
}

function writev(descriptor: number, buffers: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(descriptor, buffers as Uint8Array[], position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

/** What of these buffers comes after the first `count` octets. */
function behind(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  return buffers.flatMap((buffer) => {
    const gone = Math.min(left, buffer.length);
    left -= gone;
    return gone === buffer.length ? [] : [buffer.subarray(gone)];
  });
}

function promised(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null ? resolve() : reject(error)));
  });
}
