/** `cygnet migrate`: an extract of Transfer CFT's configuration becomes TOML files, with a report. */
import { chmod, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { load } from "../config/load.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import { keySchema, tables } from "../config/schemas.ts";
import { MAIN_FILE, type OutputFile } from "../migrate/files.ts";
import { type Migration, migrate as translate } from "../migrate/migrate.ts";
import { decodeExtract } from "../migrate/octets.ts";
import { condense, countItems, type Fate, type Item } from "../migrate/report.ts";
import { describe, isSystemError } from "../platform/errors.ts";
import { type CommonOptions, Failed, print, printJson } from "./context.ts";
import { type Colour, type Column, renderTable, tableTarget } from "./table.ts";

export interface MigrateOptions extends CommonOptions {
  out: string;
  force?: boolean;
  charset?: string;
}

/** Extracts are texts written by people and CFTUTIL: larger files are something else. */
const LARGEST = 64 * 1024 * 1024;
/** Faults of the new configuration that wait for files that the extract does not have. */
const TO_DO: readonly string[] = ["CYG_CONFIG_FILE_MISSING", "CYG_CONFIG_SECRET"];

export async function migrate(names: string[], options: MigrateOptions): Promise<void> {
  const extracts = [];
  for (const file of names) extracts.push({ file, text: await readExtract(file, options.charset) });
  const target = resolve(options.out);
  await checkTarget(target, options.force === true);
  const result = translate(extracts, { tables: tables(), key: keySchema });
  let faults: Problem[] = [];
  try {
    for (const file of result.files) await writeOutput(target, file);
    if (result.files.length > 0) faults = await check(target);
  } catch (error) {
    throw new Failed(`cannot write to ${target}: ${describe(error)}`);
  }
  const open = faults.filter(({ code }) => !TO_DO.includes(code)).map((fault) => formatProblem(fault));
  const todo = [...result.todo, ...missing(faults, result.todo)];
  const counts = countItems(result.items);
  const ok = counts.problem === 0 && open.length === 0 && result.files.length > 0;
  if (options.json) {
    const files = result.files.map(({ path }) => path);
    printJson({ ok, directory: target, files, counts, items: result.items, todo, faults: open });
  } else show(result, target, todo, open);
  if (ok) return;
  if (result.files.length === 0)
    throw new Failed("there is nothing in the extract that could be carried over", 2);
  const parts = [
    ...(counts.problem > 0 ? [`${counts.problem} places of the extract were not understood`] : []),
    ...(open.length > 0
      ? [`${open.length} ${open.length === 1 ? "fault is" : "faults are"} left in the new configuration`]
      : []),
  ];
  throw new Failed(parts.join(", "), 2);
}

async function readExtract(file: string, charset: string | undefined): Promise<string> {
  try {
    if ((await stat(file)).size > LARGEST)
      throw new Failed(`${file} is larger than 64 MiB: this is no extract`);
    return decodeExtract(await readFile(file), charset);
  } catch (error) {
    if (error instanceof Failed) throw error;
    const reason = isSystemError(error, "ENOENT") ? "there is no such file" : describe(error);
    throw new Failed(`cannot read ${file}: ${reason}`);
  }
}

async function checkTarget(target: string, force: boolean): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(target);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw new Failed(`cannot use ${target}: ${describe(error)}`);
  }
  if (names.length === 0 || force) return;
  throw new Failed(
    `${target} is not empty; name another folder with --out, or replace files there with --force`,
  );
}

/** A file that is there is replaced as a whole, so that it has the rights of the new one. */
async function writeOutput(target: string, { path, text, secret }: OutputFile): Promise<void> {
  const file = join(target, path);
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: secret ? 0o700 : 0o750 });
  if (secret) await chmod(folder, 0o700);
  await rm(file, { force: true });
  const handle = await open(file, "wx", secret ? 0o600 : 0o640);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

async function check(target: string): Promise<Problem[]> {
  await mkdir(join(target, "partners.d"), { recursive: true, mode: 0o750 });
  const result = await load(join(target, MAIN_FILE));
  return "problems" in result ? result.problems : [];
}

/** Files that the check misses and that nothing on the list provides. */
function missing(faults: readonly Problem[], todo: readonly string[]): string[] {
  const provided = (path: string) => todo.some((line) => line.includes(path));
  return faults.flatMap((fault) => {
    const { code, message, file } = fault;
    if (!TO_DO.includes(code)) return [];
    const path = /(\/[^:]+): there is no such file/.exec(message)?.[1];
    const short =
      path === undefined ? undefined : relative(join(file, "..").replace(/partners\.d$/, ""), path);
    if (short !== undefined && provided(short)) return [];
    return [short === undefined ? formatProblem(fault) : `provide ${short}`];
  });
}

const WORDS: Readonly<Record<Fate, string>> = {
  translated: "same",
  changed: "changed",
  without: "left out",
  problem: "PROBLEM",
};
const COLOURS: Readonly<Record<Fate, Colour | undefined>> = {
  translated: undefined,
  changed: "yellow",
  without: "grey",
  problem: "red",
};

/** For programs: everything in a column of its own. */
const COLUMNS: readonly Column<Item>[] = [
  { title: "LINE", value: ({ file, line }) => `${file}:${line}` },
  { title: "OBJECT", value: ({ object }) => object },
  { title: "PARAMETER", value: ({ parameter }) => parameter },
  { title: "BECAME", value: ({ fate }) => WORDS[fate] },
  { title: "FROM", value: ({ from }) => from },
  { title: "TO", value: ({ to }) => to },
  { title: "WHY", value: ({ why }) => why },
];

/** For people: what does not fit goes over the edge rather than away. */
const NARROW: readonly Column<Item>[] = [
  { title: "LINE", value: ({ file, line }) => `${basename(file)}:${line}` },
  { title: "OBJECT", value: ({ object }) => object },
  { title: "PARAMETER", value: ({ parameter }) => parameter },
  { title: "BECAME", value: ({ fate }) => WORDS[fate], colour: ({ fate }) => COLOURS[fate] },
  { title: "HOW", value: how },
];

function how({ from, to, why }: Item): string {
  const change = [from, to].filter((text) => text !== "").join(" -> ");
  return [change, why].filter((text) => text !== "").join("; ");
}

function show(result: Migration, target: string, todo: readonly string[], faults: readonly string[]): void {
  const goal = tableTarget(process.stdout);
  print(renderTable(goal.tty ? NARROW : COLUMNS, condense(result.items), goal));
  const counts = countItems(result.items);
  const list = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? `\n${title}\n${lines.map((line) => `  - ${line}`).join("\n")}` : "";
  print(list("To do:", todo));
  print(list("Faults left in the new configuration:", faults));
  if (result.files.length === 0) return;
  const sums = `${counts.translated} parameters the same, ${counts.changed} changed, ${counts.without} left out`;
  print(
    `\n${sums}; ${result.files.length} files written. Next: cygnet check --config ${join(relative(process.cwd(), target) || ".", MAIN_FILE)}`,
  );
}
