/** What the benchmarks have in common: options of the command line, and medians. */

/** The number behind `--name`. */
export function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

/** Seconds that it takes. */
export async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** The options of a run that are not for one part of the benchmarks alone. */
export const RUNS: number = option("runs", 5);

/** One line of the table: what was done, and beside it what the reference made of the same work in the same run. */
export interface Row {
  work: string;
  /** Of all three figures. More is better. */
  unit: string;
  /** Median of the runs. */
  value: number;
  /** Median of the reference's runs; null where there is no reference. */
  reference: number | null;
  /** What the reference is, or why there is none. */
  against: string;
  /** Of the medians. */
  ratio: number | null;
  /** Of the best run of each: what is left of the ratio when others have the machine now and then. */
  best: number | null;
  /** What the ratio should be at least. */
  aim: number | null;
  met: boolean | null;
  runs: { ours: readonly number[]; reference: readonly number[] };
  /** Peak of resident memory above that of the idle process, MB. */
  memory: Ends | null;
  /** How late the main loops were at the 99th percentile, ms. */
  loop: Ends | null;
}

/** A figure of both ends. */
export interface Ends {
  sender: number;
  receiver: number;
}

type Facts = Pick<Row, "work" | "unit" | "against"> & Partial<Pick<Row, "aim" | "memory" | "loop">>;

/** The row of some runs, in turn ours and the reference's. */
export function row(facts: Facts, ours: readonly number[], reference: readonly number[]): Row {
  const value = median(ours);
  const theirs = reference.length > 0 ? median(reference) : null;
  const ratio = theirs === null ? null : value / theirs;
  const best = theirs === null ? null : Math.max(...ours) / Math.max(...reference);
  const aim = facts.aim ?? null;
  const met = ratio === null || aim === null ? null : ratio >= aim;
  const { memory = null, loop = null } = facts;
  return {
    ...facts,
    value,
    reference: theirs,
    ratio,
    best,
    aim,
    met,
    memory,
    loop,
    runs: { ours, reference },
  };
}

/** Rows as a table in Markdown. */
export function table(rows: readonly Row[]): string {
  const number = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  const ends = (pair: Ends | null, unit: string): string =>
    pair === null ? "" : `${number(pair.sender)} / ${number(pair.receiver)} ${unit}`;
  const lines = rows.map(({ work, unit, value, reference, against, ratio, best, aim, met, memory, loop }) => [
    work,
    `${number(value)} ${unit}`,
    reference === null ? against : `${number(reference)} ${unit}, ${against}`,
    ratio?.toFixed(2) ?? "",
    best?.toFixed(2) ?? "",
    aim === null ? "" : `${aim}${met === null ? "" : met ? ", met" : ", not met"}`,
    ends(memory, "MB"),
    ends(loop, "ms"),
  ]);
  const head = [
    "work",
    "median",
    "reference",
    "ratio",
    "of the best",
    "aim",
    "memory above idle",
    "main loop late, p99",
  ];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
