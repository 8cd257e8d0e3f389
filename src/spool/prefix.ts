import type { Hash } from "node:crypto";
import type { FileSystem, OpenFile } from "../platform/filesystem.ts";

const CHUNK = 256 * 1024;

/** Feeds the first `length` octets of a file to `hash`; gives how many there were. */
export async function hashPrefix(file: OpenFile, hash: Hash, length: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, length));
  let at = 0;
  while (at < length) {
    const count = await file.read(chunk.subarray(0, Math.min(chunk.length, length - at)), at);
    if (count === 0) break;
    hash.update(chunk.subarray(0, count));
    at += count;
  }
  return at;
}

/** Reads the first `limit` octets of a file, or what there is of them, until `each` gives false. */
export async function scan(
  disk: FileSystem,
  path: string,
  limit: number,
  each: (chunk: Buffer) => boolean,
): Promise<void> {
  const file = await disk.open(path, "read");
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let at = 0; at < limit; ) {
      const count = await file.read(chunk.subarray(0, Math.min(chunk.length, limit - at)), at);
      if (count === 0 || !each(chunk.subarray(0, count))) return;
      at += count;
    }
  } finally {
    await file.close();
  }
}
