import type { Problem, ProblemCode } from "./problem.ts";
import type { Entry } from "./sources.ts";

/** What of an entry a finding points at. */
export interface Spot {
  key?: string;
  /** Index in the key's list. */
  element?: number | undefined;
  /** The key's name instead of its value. */
  name?: boolean;
}

/** Collects problems and warnings and gives each its place. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  problem(entry: Entry, spot: Spot, code: ProblemCode, message: string): void {
    this.problems.push(place(entry, spot, code, message));
  }

  warning(entry: Entry, spot: Spot, code: ProblemCode, message: string): void {
    this.warnings.push(place(entry, spot, code, message));
  }
}

function place(entry: Entry, spot: Spot, code: ProblemCode, message: string): Problem {
  const { key = "", element } = spot;
  const path = [...entry.path, ...(key === "" ? [] : [key]), ...(element === undefined ? [] : [element])];
  const position = entry.source.positions.at(path, spot.name || key === "" ? "key" : "value");
  return { code, file: entry.source.file, ...position, object: nameOf(entry), key, message };
}

/** `cftpart ACME`, `cftssl TLS/server`, `cftcat`, or `cftpart #2` where there is no usable id. */
export function nameOf(entry: Entry): string {
  if (entry.single) return entry.table;
  const { id, direct } = entry.value;
  if (typeof id !== "string") return `${entry.table} #${Number(entry.path[1]) + 1}`;
  return `${entry.table} ${id}${entry.table === "cftssl" && typeof direct === "string" ? `/${direct}` : ""}`;
}

/** `acme.toml:12`, to name the other place of a pair. */
export function whereIs(entry: Entry): string {
  const file = entry.source.file.slice(entry.source.file.lastIndexOf("/") + 1);
  return `${file}:${entry.source.positions.at(entry.path, "key").line}`;
}
