import { relative } from "node:path";

/** What kind of fault a problem is: stable, for programs. */
export type ProblemCode =
  | "CYG_CONFIG_READ"
  | "CYG_CONFIG_SYNTAX"
  | "CYG_CONFIG_UNKNOWN"
  | "CYG_CONFIG_VALUE"
  | "CYG_CONFIG_REQUIRED"
  | "CYG_CONFIG_REFERENCE"
  | "CYG_CONFIG_DUPLICATE"
  | "CYG_CONFIG_CLASH"
  | "CYG_CONFIG_SECRET"
  | "CYG_CONFIG_SYMBOL"
  | "CYG_CONFIG_FILE_MISSING"
  | "CYG_CONFIG_FILE"
  | "CYG_CONFIG_CERTIFICATE"
  | "CYG_CONFIG_ADVICE";

/** A fault in the configuration, or a warning about it. Never shows a secret. */
export interface Problem {
  code: ProblemCode;
  /** Absolute path. */
  file: string;
  /** Both from 1; 1:1 where the fault has no place of its own. */
  line: number;
  column: number;
  /** For example `cftpart ACME`; "" for the file as a whole. */
  object: string;
  /** The key at fault; "" for the object as a whole. */
  key: string;
  /** What was found, what is allowed, an example. */
  message: string;
}

/** One line such as `etc/cygnet.toml:12:9: cftpart ACME: nrpassw: …`; files below `from` are shown relative to it. */
export function formatProblem(problem: Problem, from = process.cwd()): string {
  const short = relative(from, problem.file);
  const file = short === "" || short.startsWith("..") ? problem.file : short;
  const subject = [problem.object, problem.key].filter((part) => part !== "").map((part) => `${part}: `);
  return `${file}:${problem.line}:${problem.column}: ${subject.join("")}${problem.message}`;
}

/** In reading order: by file as the files were read, then by place. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const rank = (problem: Problem) => order.get(problem.file) ?? files.length;
  return [...problems].sort(
    (a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column || a.key.localeCompare(b.key),
  );
}
