/**
 * Files of the configuration as trees. What has not changed since the last look is not read again: of thousands of
 * partners' files a reload reads those that were touched.
 */
import { readFile, stat } from "node:fs/promises";
import { parse } from "toml";
import { Positions } from "./positions.ts";

export interface Document {
  tree: Record<string, unknown>;
  positions: Positions;
}

interface Known extends Document {
  /** Of the file's status: nobody can change contents and keep the time of the last change of the status. */
  stamp: string;
}

const known = new Map<string, Known>();

/** The file holds something else than UTF-8 text. */
export class NotText extends Error {}

/** Within the grain of the file system's clock, ms, a second change may leave the same times. */
const GRAIN = 50;

/** Reads and parses a file; the tree is the caller's own. Throws NotText, the system's and the parsers' errors. */
export async function readTree(file: string): Promise<Document> {
  const now = Date.now();
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  const stamp = `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  const before = known.get(file);
  if (before?.stamp === stamp) return copyOf(before);
  known.delete(file);
  const text = textOf(await readFile(file));
  const document = { tree: parse(text) as Record<string, unknown>, positions: new Positions(text), stamp };
  const settled = Math.abs(now - Number(ctimeNs / 1_000_000n)) > GRAIN;
  if (settled) known.set(file, document);
  return settled ? copyOf(document) : document;
}

function textOf(octets: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch (cause) {
    throw new NotText("this is not UTF-8 text", { cause });
  }
}

/** Forgets all files but these. */
export function keepTrees(files: readonly string[]): void {
  if (known.size <= files.length) return;
  const kept = new Set(files);
  for (const file of known.keys()) if (!kept.has(file)) known.delete(file);
}

function copyOf({ tree, positions }: Document): Document {
  return { tree: structuredClone(tree), positions };
}
