/**
 * A second form of a work file, made from the first: the virtual representation of a local file before it is sent,
 * the local one of a received file before it is delivered. It appears whole under its name or not at all, so that a
 * crash in between only means making it again.
 */
import { createHash } from "node:crypto";
import type { FileSystem, OpenFile } from "../platform/filesystem.ts";
import { syncParent } from "../platform/filesystem.ts";
import { removeFile, statusOf } from "./directories.ts";
import { spoolError } from "./faults.ts";

/** Octets in, octets out, in order; `end` gives what is left. May throw for contents that cannot be converted. */
export interface Conversion {
  push(chunk: Buffer): readonly Buffer[];
  end(): readonly Buffer[];
}

export interface Converted {
  /** Octets of the new form. */
  size: number;
  /** SHA-256 of the old and of the new form, lower-case hexadecimal. */
  sourceSha256: string;
  sha256: string;
}

const PIECE = 256 * 1024;

/** Name of the second form beside a work file. */
export function secondForm(workfile: string): string {
  return `${workfile}.form`;
}

/** Makes `secondForm(from)` durable; the old form stays. Throws CYG_SPOOL_… and what the conversion throws. */
export async function convertFile(
  disk: FileSystem,
  from: string,
  conversion: Conversion,
): Promise<Converted> {
  const target = secondForm(from);
  const half = `${target}.part`;
  const [read, written] = [createHash("sha256"), createHash("sha256")];
  let source: OpenFile | undefined;
  let copy: OpenFile | undefined;
  try {
    if (await statusOf(disk, half)) await removeFile(disk, half);
    source = await disk.open(from, "read");
    copy = await disk.open(half, "create");
    const piece = Buffer.allocUnsafeSlow(PIECE);
    let size = 0;
    const write = async (buffers: readonly Buffer[]) => {
      for (const buffer of buffers) written.update(buffer);
      await (copy as OpenFile).write(buffers, size);
      for (const { length } of buffers) size += length;
    };
    for (let at = 0; ; ) {
      const count = await source.read(piece, at);
      if (count === 0) break;
      at += count;
      read.update(piece.subarray(0, count));
      await write(conversion.push(piece.subarray(0, count)));
    }
    await write(conversion.end());
    await copy.sync();
    await disk.rename(half, target);
    await syncParent(disk, target);
    return { size, sourceSha256: read.digest("hex"), sha256: written.digest("hex") };
  } catch (error) {
    throw spoolError(error, `Converting ${from}`);
  } finally {
    await source?.close();
    await copy?.close();
  }
}

/** Removes the second form of a work file and what a crash left of its making. */
export async function removeForms(disk: FileSystem, workfile: string): Promise<void> {
  for (const path of [secondForm(workfile), `${secondForm(workfile)}.part`]) {
    if (await statusOf(disk, path)) await removeFile(disk, path);
  }
}
