/** What is sent: files and buffers of octets that do not compress, or of lines as messages have them. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

const PIECE = 16 * 1024 * 1024;

/** A synced file of `size` octets without runs. */
export async function writeNoise(path: string, size: number): Promise<void> {
  const handle = await open(path, "w");
  const piece = randomBytes(PIECE);
  for (let written = 0; written < size; written += piece.length)
    await handle.write(piece.subarray(0, Math.min(piece.length, size - written)));
  await handle.sync();
  await handle.close();
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/**
 * Records of fixed width as they leave older systems: numbers with leading zeros, texts filled up with blanks. About
 * half of it stands in runs.
 */
export function text(size: number): Buffer {
  const lines: string[] = [];
  for (let length = 0, number = 1; length < size; number++) {
    const article = `ART-${(number * 7919) % 99_991}`.padEnd(35);
    const name = ["BRACKET, LEFT", "BRACKET, RIGHT", "SHAFT SEAL", "HEX BOLT M8X40 ZINC PLATED"][number % 4];
    const quantity = String((number * 31) % 877).padStart(15, "0");
    const line = `${String(number).padStart(10, "0")}${article}${name?.padEnd(40)}${quantity}20261120PCE\r\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join("")).subarray(0, size);
}
