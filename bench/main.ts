/**
 * npm run bench [-- PART… --runs N --gib N --mib N --json]: speed and memory of gateways on loopback, each figure beside what a
 * reference makes of the same work in the same run. Without parts all are measured. Prints a table; --json prints the
 * figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ediFile, envelopeRows } from "./envelopes.ts";
import { option, type Row, table } from "./figures.ts";
import { largeFile, largeRows } from "./large.ts";
import { compressionRows, protocolRow } from "./protocol.ts";
import { catalogRows, partnerRows, sessionRows, smallRows } from "./scale.ts";

const SIZE = option("gib", 1) * 1024 ** 3;

/** Octets of the file that is sealed and opened. */
const SEALED = option("mib", 512) * 1024 ** 2;

/** What can be measured by itself, by name; each in a folder of its own. */
const PARTS: Record<string, (folder: string) => Promise<Row[]>> = {
  protocol: async () => [await protocolRow(SIZE)],
  compression: () => compressionRows(SIZE),
  plain: async (folder) => largeRows(await largeFile(folder, SIZE), false),
  tls: async (folder) => largeRows(await largeFile(folder, SIZE), true),
  security: async (folder) => {
    await ediFile(join(folder, "plain"), SEALED);
    return envelopeRows(folder, SEALED);
  },
  small: smallRows,
  sessions: sessionRows,
  catalog: catalogRows,
  partners: partnerRows,
};

/** The parts named on the command line, or all. */
function wanted(): string[] {
  const named = process.argv
    .slice(2)
    .filter((word, at, words) => !word.startsWith("--") && !/^--(runs|gib|mib)$/.test(words[at - 1] ?? ""));
  const unknown = named.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    console.error(`there is no part "${unknown}"; parts are ${Object.keys(PARTS).join(", ")}`);
    process.exit(2);
  }
  return named.length > 0 ? named : Object.keys(PARTS);
}

const rows: Row[] = [];
for (const part of wanted()) {
  const folder = mkdtempSync(join(process.env.CYGNET_BENCH_DIR ?? tmpdir(), "cygnet-bench-"));
  try {
    rows.push(...((await PARTS[part]?.(folder)) ?? []));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(process.argv.includes("--json") ? JSON.stringify(rows, null, 2) : table(rows));
