import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** How deep folders are watched. */
const DEPTH = 8;

/** How many folders there are from `path` on, itself included, as deep as they are watched; 0 when it is not there. */
export async function countFolders(path: string, depth = DEPTH): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => null);
  if (entries === null) return 0;
  let count = 1;
  if (depth === 0) return count;
  for (const entry of entries)
    if (entry.isDirectory()) count += await countFolders(join(path, entry.name), depth - 1);
  return count;
}
