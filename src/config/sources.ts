/**
 * Reading: the main file and the files of its include directories become one list of entries, one for each
 * table, and each entry remembers where it stands.
 */
import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { breather } from "../platform/breathe.ts";
import { describe, isSystemError } from "../platform/errors.ts";
import { keepTrees, NotText, readTree } from "./documents.ts";
import { Findings } from "./findings.ts";
import { type Position, Positions } from "./positions.ts";
import type { ProblemCode } from "./problem.ts";
import { tables } from "./schemas.ts";
import { didYouMean } from "./suggestion.ts";

export interface Source {
  /** Absolute path. */
  file: string;
  positions: Positions;
}

/** One table of the configuration as it was written: an object, or the entry of a list of objects. */
export interface Entry {
  table: string;
  /** True for a table that may appear once. */
  single: boolean;
  source: Source;
  /** Where it stands in its own file, for example `["cftpart", 0]`. */
  path: (string | number)[];
  value: Record<string, unknown>;
  /** The keys that were written, before defaults are filled in. */
  written: ReadonlySet<string>;
}

export interface Sources {
  files: string[];
  /** Include directories, absolute. */
  includes: string[];
  /** What the main file's `include` says, unchecked. */
  include: unknown;
  /** Folder of the main file. */
  directory: string;
  main: Source;
  entries: Entry[];
  findings: Findings;
}

interface Document {
  source: Source;
  tree: Record<string, unknown>;
}

/** Reads and merges; faults of reading, syntax and table shape are in `findings`. Throws nothing of its own. */
export async function readSources(mainFile: string): Promise<Sources> {
  const file = resolve(mainFile);
  const directory = dirname(file);
  const findings = new Findings();
  const main = await readDocument(file, findings);
  const include = main.tree.include ?? [];
  const sources: Sources = {
    files: [file],
    includes: [],
    include,
    directory,
    main: main.source,
    entries: [],
    findings,
  };
  collect(main, sources);
  const breathe = breather();
  for (const [index, name] of (Array.isArray(include) ? include : []).entries()) {
    if (typeof name !== "string" || name === "") continue; // the schema tells
    const folder = resolve(directory, name);
    sources.includes.push(folder);
    const present = new Set(sources.files); // the main file itself, or a directory named twice
    const listed = await listToml(folder, main.source, index, findings);
    const fresh = listed.filter((path) => !present.has(path));
    const documents = await readTogether(fresh, findings);
    for (const [position, document] of documents.entries()) {
      await breathe();
      sources.files.push(fresh[position] as string);
      if ("include" in document.tree) {
        const message =
          'an included file cannot include others; name the directory in the main file\'s "include"';
        findings.problem(top(document.source), { key: "include", name: true }, "CYG_CONFIG_UNKNOWN", message);
      }
      collect(document, sources);
    }
  }
  keepTrees(sources.files);
  return sources;
}

/** Files that are read at a time. */
const TOGETHER = 64;

async function readTogether(files: readonly string[], findings: Findings): Promise<Document[]> {
  const documents: Document[] = [];
  for (let at = 0; at < files.length; at += TOGETHER) {
    const some = files.slice(at, at + TOGETHER);
    documents.push(...(await Promise.all(some.map((file) => readDocument(file, findings)))));
  }
  return documents;
}

/** A file as an entry of its own, for findings about the file as a whole. */
export function top(source: Source): Entry {
  return { table: "", single: true, source, path: [], value: {}, written: new Set() };
}

async function listToml(folder: string, main: Source, index: number, findings: Findings): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".toml") && !name.startsWith("."));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    const reason = isSystemError(error, "ENOENT") ? "there is no such directory" : describe(error);
    const message = `cannot read ${folder}: ${reason}; directories are relative to the main file, for example include = ["partners.d"]`;
    findings.problem(top(main), { key: "include", element: index }, "CYG_CONFIG_FILE_MISSING", message);
    return [];
  }
}

async function readDocument(file: string, findings: Findings): Promise<Document> {
  const failed = (
    code: ProblemCode,
    message: string,
    position: Position = { line: 1, column: 1 },
  ): Document => {
    findings.problems.push({ code, file, ...position, object: "", key: "", message });
    return { source: { file, positions: new Positions("") }, tree: {} };
  };
  try {
    const { tree, positions } = await readTree(file);
    return { tree, source: { file, positions } };
  } catch (error) {
    if (error instanceof NotText) return failed("CYG_CONFIG_SYNTAX", error.message);
    if (!(error instanceof Error && "syscall" in error)) {
      return failed("CYG_CONFIG_SYNTAX", `not TOML: ${describe(error)}`, syntaxPosition(error));
    }
    const reason = isSystemError(error, "ENOENT") ? "there is no such file" : describe(error);
    return failed("CYG_CONFIG_READ", `cannot be read: ${reason}`);
  }
}

/** Three kinds of syntax error: the grammar's (`location`), the compiler's (`line`), the tree parser's (`lineNumber`). */
function syntaxPosition(error: unknown): Position {
  const fault = error as {
    location?: { start: Position };
    line?: number;
    lineNumber?: number;
    column?: number;
  };
  if (fault.location) return { line: fault.location.start.line, column: fault.location.start.column };
  if (fault.lineNumber) return { line: fault.lineNumber, column: (fault.column ?? 0) + 1 };
  return { line: fault.line ?? 1, column: fault.column ?? 1 };
}

/** Adds a document's tables to the entries, each once where it may appear once. */
function collect({ source, tree }: Document, { entries, findings }: Sources): void {
  const known = tables();
  for (const [table, value] of Object.entries(tree)) {
    const schema = known.get(table);
    const whole: Entry = { ...top(source), table, path: [table] };
    if (table === "include") continue;
    if (!schema) {
      const message = `there is no table "${table}"${didYouMean(table, [...known.keys()])}; known are ${[...known.keys()].join(", ")}`;
      findings.problem(top(source), { key: table, name: true }, "CYG_CONFIG_UNKNOWN", message);
    } else if (schema["x-single"]) {
      const first = entries.find((other) => other.table === table);
      if (!isTable(value)) {
        findings.problem(whole, {}, "CYG_CONFIG_VALUE", `there is one ${table}: write [${table}]`);
      } else if (first) {
        const place = first.source.positions.at(first.path, "key");
        const message = `may appear once; the first stands in ${first.source.file}:${place.line}`;
        findings.problem(whole, {}, "CYG_CONFIG_DUPLICATE", message);
      } else entries.push({ ...whole, value, written: new Set(Object.keys(value)) });
    } else if (!Array.isArray(value) || !value.every(isTable)) {
      findings.problem(whole, {}, "CYG_CONFIG_VALUE", `${table} is a list of objects: write [[${table}]]`);
    } else {
      for (const [index, element] of value.entries()) {
        const written = new Set(Object.keys(element));
        entries.push({ table, single: false, source, path: [table, index], value: element, written });
      }
    }
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
