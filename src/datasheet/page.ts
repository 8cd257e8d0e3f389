/** The text of a translated datasheet while it is written, and the files that it refers to. */

/** Width of `key = value` before its comment. */
const COLUMN = 34;
const LONGEST_COMMENT = 400;

export interface SideFile {
  name: string;
  content: Buffer;
  mode: number;
}

export class Page {
  readonly lines: string[] = [];
  readonly files: SideFile[] = [];

  /** A comment line. */
  say(text: string): void {
    this.lines.push(`# ${plain(text)}`);
  }

  /** A key, its value in TOML, and where the value comes from. */
  set(key: string, value: string, from: string): void {
    this.lines.push(`${`${key} = ${value}`.padEnd(COLUMN)} # ${plain(from)}`);
  }

  /** The header of a table, after an empty line. */
  table(name: string): void {
    this.lines.push("", `[[${name}]]`);
  }
}

/** One comment line, whatever is in it. */
export function plain(text: string): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trimEnd();
  return line.length > LONGEST_COMMENT ? `${line.slice(0, LONGEST_COMMENT)}…` : line;
}

/** A basic string of TOML. */
export function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll("\u007f", "\\u007F");
}

/** An array of basic strings. */
export const list = (values: readonly string[]) => `[${values.map(quoted).join(", ")}]`;
