/**
 * The same chain in one thread, as simple programs do it: read, hash, deflate by one zlib stream, encrypt, write, sync;
 * and back. A process of its own: single-thread.js seal|open SOURCE TARGET LEVEL.
 */
import { execFileSync } from "node:child_process";
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createDeflate, createInflate } from "node:zlib";

const PIECE = 256 * 1024;
const KEY = Buffer.alloc(32, 7);
const VECTOR = Buffer.alloc(16, 9);

const [, , way, source, target, level] = process.argv;
if ((way === "seal" || way === "open") && source !== undefined && target !== undefined) {
  const [from, to] = [openSync(source, "r"), openSync(target, "w")];
  const write = (octets: Buffer): void => {
    for (let at = 0; at < octets.length; ) at += writeSync(to, octets, at);
  };
  const [inner, outer] = [createHash("sha256"), createHash("sha256")];
  const seals = way === "seal";
  const cipher = seals
    ? createCipheriv("aes-256-cbc", KEY, VECTOR)
    : createDecipheriv("aes-256-cbc", KEY, VECTOR);
  const zlib = seals
    ? createDeflate({ level: Number(level), chunkSize: PIECE })
    : createInflate({ chunkSize: PIECE });
  zlib.on("data", (octets: Buffer) => {
    if (seals) {
      const encrypted = cipher.update(octets);
      outer.update(encrypted);
      write(encrypted);
    } else {
      inner.update(octets);
      write(octets);
    }
  });
  const piece = Buffer.alloc(PIECE);
  const into = (octets: Buffer): Promise<void> =>
    new Promise((resolve) => {
      zlib.write(octets, () => resolve());
    });
  for (let size = readSync(from, piece); size > 0; size = readSync(from, piece)) {
    const chunk = piece.subarray(0, size);
    (seals ? inner : outer).update(chunk);
    await into(seals ? chunk : cipher.update(chunk));
  }
  if (!seals) await into(cipher.final());
  await new Promise((resolve) => zlib.once("end", resolve).end());
  if (seals) write(cipher.final());
  fdatasyncSync(to);
  closeSync(to);
}

/** Seals or opens a file by the chain in one thread. */
export function inOneThread(way: "seal" | "open", from: string, to: string, zlibLevel: number): void {
  execFileSync(process.execPath, [fileURLToPath(import.meta.url), way, from, to, String(zlibLevel)]);
}
