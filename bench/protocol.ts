/** Rows about the protocol without disks: against a raw connection, and buffer compression against plain literals. */

import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import * as packing from "../src/oftp/wire/fast-subrecords.ts";
import { SLOT, takeSlot } from "../src/oftp/wire/kernel.ts";
import { text } from "./content.ts";
import { type Row, RUNS, row } from "./figures.ts";
import { sendFile, startReceiver } from "./nowhere.ts";
import { sendRaw, startRawReceiver } from "./raw-nowhere.ts";

const MEMORY = 63 * 8192;

/** Memory to nowhere against raw TCP. */
export async function protocolRow(size: number): Promise<Row> {
  const [ours, theirs] = await Promise.all([startReceiver(), startRawReceiver()]);
  try {
    const noise = randomBytes(MEMORY);
    const speeds = { ours: [] as number[], raw: [] as number[] };
    // the first of each is for the compilers
    for (let run = -1; run < RUNS; run++) {
      const raw = await sendRaw(theirs.port, size);
      const seconds = await sendFile(ours.port, size, noise, false);
      if (run < 0) continue;
      speeds.raw.push(size / raw / 1e6);
      speeds.ours.push(size / seconds / 1e6);
    }
    const work = "OFTP 2.0 in clear, memory to nowhere";
    return row({ work, unit: "MB/s", against: "raw TCP", aim: 0.8 }, speeds.ours, speeds.raw);
  } finally {
    ours.child.kill();
    theirs.child.kill();
  }
}

/** Buffer compression on text against plain literals: over a connection, and packing and unpacking by themselves. */
export async function compressionRows(size: number): Promise<Row[]> {
  const { child, port } = await startReceiver();
  try {
    const lines = text(MEMORY);
    const speeds = { literals: [] as number[], compressed: [] as number[] };
    for (let run = -1; run < RUNS; run++) {
      const literals = await sendFile(port, size, lines, false);
      const compressed = await sendFile(port, size, lines, true);
      if (run < 0) continue;
      speeds.literals.push(size / literals / 1e6);
      speeds.compressed.push(size / compressed / 1e6);
    }
    const work = "buffer compression of text, memory to nowhere";
    const facts = { work, unit: "MB/s", against: "plain literals", aim: 0.25 };
    return [row(facts, speeds.compressed, speeds.literals), ...codecRows(lines)];
  } finally {
    child.kill();
  }
}

/** Packing and unpacking in one process, without anything around them. */
function codecRows(lines: Buffer): Row[] {
  const [source, packed, target] = [takeSlot(), takeSlot(), takeSlot()];
  if (!source || !packed || !target) return [];
  lines.copy(source);
  const { packLiterals, packCompressed, unpack } = packing;
  const rates = (pack: typeof packLiterals): { encode: number[]; decode: number[] } => {
    const encode: number[] = [];
    const decode: number[] = [];
    const { at } = pack(source, 0, lines.length, packed, 0, SLOT, true);
    for (let run = -1; run < RUNS; run++) {
      const [into, from] = [
        rate(lines.length, () => pack(source, 0, lines.length, packed, 0, SLOT, true)),
        rate(lines.length, () => unpack(packed.subarray(0, at), 0, target, 0)),
      ];
      if (run < 0) continue;
      encode.push(into);
      decode.push(from);
    }
    return { encode, decode };
  };
  const [literals, compressed] = [rates(packLiterals), rates(packCompressed)];
  const against = "plain literals";
  return (["encode", "decode"] as const).map((way) =>
    row({ work: `${way} text by itself`, unit: "MB/s", against }, compressed[way], literals[way]),
  );
}

const OFTEN = 400;

/** MB/s of something that handles `octets` at a time. */
function rate(octets: number, work: () => unknown): number {
  const begun = performance.now();
  for (let count = 0; count < OFTEN; count++) work();
  return (octets * OFTEN) / (performance.now() - begun) / 1e3;
}
