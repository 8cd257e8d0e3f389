/**
 * Rows about file security: one large file sealed and opened by one of the gateway's threads, file to file and synced,
 * beside `openssl cms` doing the same, and beside one thread with one zlib stream, since openssl is rarely built with
 * compression.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { SealingPool } from "../src/cms/pool.ts";
import { type Row, RUNS, row, timed } from "./figures.ts";
import { owners, sealJob, signAndEncrypt, unsealJob, verifyAndDecrypt } from "./sealing.ts";
import { inOneThread } from "./single-thread.ts";

/** As the gateway compresses. */
const LEVEL = 4;

/** Lines like those of an EDI message; zlib makes about a fifth of them. */
export async function ediFile(path: string, size: number): Promise<void> {
  const handle = await open(path, "w");
  const lines: string[] = [];
  let seed = 1;
  for (let length = 0; length < 16 * 1024 * 1024; length += (lines.at(-1) as string).length) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    lines.push(
      `LIN+${lines.length % 9999}++${seed % 99_991}:IN'QTY+113:${seed % 877}:PCE'DTM+137:2026${seed % 1231}:102'\r\n`,
    );
  }
  const piece = Buffer.from(lines.join("").slice(0, 16 * 1024 * 1024));
  for (let written = 0; written < size; written += piece.length) {
    await handle.write(piece.subarray(0, Math.min(piece.length, size - written)));
  }
  await handle.sync();
  await handle.close();
}

/** Seals and opens the file `plain`, `size` octets, in `folder`. */
export async function envelopeRows(folder: string, size: number): Promise<Row[]> {
  const at = (name: string): string => join(folder, name);
  const who = await owners(folder);
  const pool = new SealingPool({ threads: 1 });
  const speeds = new Map<string, number[]>();
  const take = async (name: string, work: () => unknown): Promise<void> => {
    speeds.set(name, [...(speeds.get(name) ?? []), size / (await timed(work)) / 1e6]);
  };
  for (let run = 0; run < RUNS; run++) {
    for (const compressed of [false, true]) {
      const sealed = at(compressed ? "sealed.all" : "sealed");
      await take(`seal ${compressed}`, () =>
        pool.run(sealJob(who, at("plain"), sealed, compressed ? LEVEL : null)),
      );
      await take(`open ${compressed}`, () => pool.run(unsealJob(who, sealed, at("back"), size, compressed)));
    }
    await take("openssl seal", () => signAndEncrypt(who, at("plain"), at("theirs"), folder));
    await take("openssl open", () => verifyAndDecrypt(who, at("sealed"), at("back"), folder));
    await take("one seal", () => inOneThread("seal", at("plain"), at("single"), LEVEL));
    await take("one open", () => inOneThread("open", at("single"), at("back"), LEVEL));
  }
  await pool.close();
  const line = (work: string, ours: string, theirs: string, against: string, aim: number | null): Row =>
    row({ work, unit: "MB/s", against, aim }, speeds.get(ours) ?? [], speeds.get(theirs) ?? []);
  const chain = "hash, zlib and AES in one thread";
  return [
    line("sign + encrypt", "seal false", "openssl seal", "openssl cms", 1),
    line("decrypt + verify", "open false", "openssl open", "openssl cms", 3),
    line("sign + compress + encrypt", "seal true", "one seal", chain, 1.6),
    line("decrypt + decompress + verify", "open true", "one open", chain, null),
  ];
}
