/**
 * npm run bench:curves [-- --quick --files N]: throughput against the number of files, their size and the number of sessions, as
 * pictures and as points (JSON) in docs/performance. Quick leaves the long points out, N is the
 * largest number of files.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { projectRoot } from "../src/platform/root.ts";
import { writeNoise } from "./content.ts";
import { option, timed } from "./figures.ts";
import { startPair, stop } from "./pair.ts";
import { type Picture, type Series, svg } from "./picture.ts";
import { sessionFigures } from "./sessions.ts";
import { drop, ended, pause, stageFiles } from "./small-files.ts";

const QUICK = process.argv.includes("--quick");
const KIB = 1024;
const COUNTS = [10, 100, 1_000, 10_000, 100_000].filter((count) => count <= option("files", 100_000));
const SIZES = [1, 10, 100, 1_024, 10_240, 102_400, 1_048_576, 10_485_760].map((kib) => kib * KIB);
const SESSIONS = [1, 10, 100, 300, 900];
/** Largest points of a quick run. */
const QUICK_FILES = 1_000;
const QUICK_SIZE = 10_240 * KIB;
const QUICK_SESSIONS = 100;
/** Octets of all files of one point of the curve by size, where one file is less. */
const SHARE = 4 * 1024 * KIB;
const MOST_FILES = 200;

const upTo = (values: readonly number[], quick: number): number[] =>
  values.filter((value) => !QUICK || value <= quick);

async function byCount(folder: string, tls: boolean): Promise<Series> {
  const { sender, receiver } = await startPair(join(folder, `count-${tls}`), { tls });
  const points: Series["points"][number][] = [];
  try {
    for (const count of upTo(COUNTS, QUICK_FILES)) {
      const files = stageFiles(join(sender.rundir, "stage"), count, 10 * KIB, `c${count}-`);
      points.push({ x: count, y: count / (await drop(sender, receiver.name, files)) });
    }
  } finally {
    await stop(sender, receiver);
  }
  return { name: tls ? "over TLS 1.3" : "in clear", points };
}

async function bySize(folder: string, tls: boolean): Promise<Series> {
  const { sender, receiver } = await startPair(join(folder, `size-${tls}`), { tls });
  mkdirSync(join(sender.rundir, "stage"), { recursive: true });
  const points: Series["points"][number][] = [];
  try {
    for (const size of upTo(SIZES, QUICK_SIZE)) {
      const count = Math.min(MOST_FILES, Math.max(1, Math.floor(SHARE / size)));
      const stage = join(sender.rundir, "stage");
      const large = [join(stage, `s${size}.dat`)];
      const files = count > 1 ? stageFiles(stage, count, size, `s${size}-`) : large;
      if (count === 1) await writeNoise(join(stage, `s${size}.dat`), size);
      const wanted = (await ended(sender)) + count;
      await pause(300);
      const seconds = await timed(async () => {
        for (const file of files)
          renameSync(file, join(sender.rundir, "outbox", receiver.name, basename(file)));
        while ((await ended(sender)) < wanted) await pause(10);
      });
      points.push({ x: size, y: (count * size) / 1e6 / seconds });
      rmSync(join(receiver.rundir, "inbox", sender.name), { recursive: true });
      mkdirSync(join(receiver.rundir, "inbox", sender.name));
    }
  } finally {
    await stop(sender, receiver);
  }
  return { name: tls ? "over TLS 1.3" : "in clear", points };
}

async function bySessions(folder: string): Promise<Series[]> {
  const ours: Series["points"][number][] = [];
  const raw: Series["points"][number][] = [];
  for (const sessions of upTo(SESSIONS, QUICK_SESSIONS)) {
    const home = join(folder, `sessions-${sessions}`);
    mkdirSync(home);
    const figures = await sessionFigures(home, { sessions, size: 100 * KIB, runs: 1 });
    if (figures.lost > 0) throw new Error(`${figures.lost} files of ${sessions} sessions were lost`);
    ours.push({ x: sessions, y: figures.files });
    raw.push({ x: sessions, y: figures.raw });
  }
  return [
    { name: "OFTP over TLS 1.3", points: ours },
    { name: "raw TLS connections", points: raw },
  ];
}

/** A curve for each of these, made one after the other. */
async function curves(folder: string): Promise<Record<string, Picture>> {
  return {
    files: {
      ...{ title: "Files of 10 KiB in one session, each with EERP", x: "files", y: "files per second" },
      series: [await byCount(folder, false), await byCount(folder, true)],
    },
    size: {
      ...{ title: "Files of one size, durable and acknowledged", x: "octets of a file", y: "MB per second" },
      series: [await bySize(folder, false), await bySize(folder, true)],
    },
    sessions: {
      ...{ title: "Sessions at once, a file of 100 KiB each", x: "sessions", y: "sessions per second" },
      series: await bySessions(folder),
    },
  };
}

const folder = mkdtempSync(join(process.env.CYGNET_BENCH_DIR ?? tmpdir(), "cygnet-curves-"));
try {
  const pictures = await curves(folder);
  const target = process.env.CYGNET_CURVES_DIR ?? join(projectRoot(), "docs", "performance");
  mkdirSync(target, { recursive: true });
  for (const [name, picture] of Object.entries(pictures)) {
    writeFileSync(join(target, `${name}.svg`), svg(picture));
  }
  const [first] = cpus();
  const machine = `${cpus().length} x ${first?.model.trim()}, Node ${process.version}`;
  writeFileSync(
    join(target, "curves.json"),
    `${JSON.stringify({ at: new Date().toISOString(), machine, quick: QUICK, ...pictures }, null, 2)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
