/**
 * A second form of a work file, made from the first: the form of the line before a file is sent, the local one of a
 * received file before it is delivered. It appears whole under its name or not at all, so that a crash in between
 * only means making it again.
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

/** What came of making a form. Hashes are lower-case hexadecimal. */
export interface Made {
  /** Octets of the new form. */
  size: number;
  /** SHA-256 of the old and of the new form. */
  sourceSha256: string;
  sha256: string;
  /** Hash of what is on the line by the cipher suite of the file; "" where nobody asked for it. */
  linehash: string;
}

/** Makes the file `target`, complete and synced, out of `source`; neither it nor what it leaves behind on failure counts. */
export type Maker = (disk: FileSystem, source: string, target: string) => Promise<Made>;

const PIECE = 256 * 1024;

/** Name of the second form beside a work file. */
export function secondForm(workfile: string): string {
  return `${workfile}.form`;
}

/** Makes `secondForm(from)` durable; the old form stays. Throws CYG_SPOOL_… and what the maker throws. */
export async function makeForm(disk: FileSystem, from: string, make: Maker): Promise<Made> {
  const target = secondForm(from);
  const half = `${target}.part`;
  try {
    if (await statusOf(disk, half)) await removeFile(disk, half);
    const made = await make(disk, from, half);
    await disk.rename(half, target);
    await syncParent(disk, target);
    return made;
  } catch (error) {
    throw spoolError(error, `Converting ${from}`);
  }
}

/** The maker of a conversion that this process does by itself. */
export function converting(conversion: Conversion): Maker {
  return async (disk, from, to) => {
    const [read, written] = [createHash("sha256"), createHash("sha256")];
    let source: OpenFile | undefined;
    let copy: OpenFile | undefined;
    try {
      source = await disk.open(from, "read");
      copy = await disk.open(to, "create");
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
      return { size, sourceSha256: read.digest("hex"), sha256: written.digest("hex"), linehash: "" };
    } finally {
      await source?.close();
      await copy?.close();
    }
  };
}

/** One maker after the other, over a file between them. */
export function through(first: Maker, second: Maker): Maker {
  return async (disk, from, to) => {
    const middle = `${to}.middle`;
    if (await statusOf(disk, middle)) await removeFile(disk, middle);
    try {
      const before = await first(disk, from, middle);
      const after = await second(disk, middle, to);
      const { sourceSha256 } = before;
      return { ...after, sourceSha256, linehash: after.linehash || before.linehash };
    } finally {
      await removeFile(disk, middle);
    }
  };
}

/** Removes the second form of a work file and what a crash left of its making. */
export async function removeForms(disk: FileSystem, workfile: string): Promise<void> {
  const form = secondForm(workfile);
  for (const path of [form, `${form}.part`, `${form}.part.middle`]) {
    if (await statusOf(disk, path)) await removeFile(disk, path);
  }
}
