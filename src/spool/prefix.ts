import type { Hash } from "node:crypto";
import type { OpenFile } from "../platform/filesystem.ts";

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
