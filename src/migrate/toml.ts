/** TOML in the manner of etc/cygnet.toml: aligned keys, comments behind them. */
import type { KeySchema } from "../config/schemas.ts";
import type { Draft } from "./draft.ts";
import type { Toml } from "./rule.ts";

const WIDEST = 110;
/** Values longer than this do not push the comments of their neighbours to the right. */
const LONG_LINE = 44;

/** A value as TOML has it. */
export function tomlValue(value: Toml): string {
  if (typeof value === "string") {
    // JSON's escapes are TOML's, but TOML wants one more
    return JSON.stringify(value.toWellFormed()).replace(/\x7f/g, "\\u007F");
  }
  if (typeof value === "object") return `[${value.map(tomlValue).join(", ")}]`;
  return String(value);
}

/** Text on one line of a comment: TOML's comments take no control characters. */
export function commentLine(text: string): string {
  return `# ${text.toWellFormed().replace(/\p{Cc}/gu, "?")}`;
}

/** The lines of an object. Keys that `explained` does not name yet get the first sentence of their description. */
export function tomlObject(
  draft: Draft,
  single: boolean,
  keys: ReadonlyMap<string, KeySchema>,
  explained: Set<string>,
): string[] {
  const lines = [...draft.values].map(([key, value]) => ({ key, value: tomlValue(value) }));
  const width = Math.max(...lines.map(({ key }) => key.length));
  const texts = lines.map(({ key, value }) => `${key.padEnd(width)} = ${value}`);
  const column = Math.max(...texts.map((text) => (text.length <= LONG_LINE ? text.length : 0)));
  const body = texts.map((text, index) => {
    const key = lines[index]?.key ?? "";
    const comment = draft.notes.get(key) ?? explain(`${draft.table}.${key}`, keys.get(key), explained);
    if (comment === "") return text;
    const padded = `${text.padEnd(column)}  ${commentLine(comment)}`;
    return padded.length <= WIDEST ? padded : `${commentLine(comment)}\n${text}`;
  });
  const header = single ? `[${draft.table}]` : `[[${draft.table}]]`;
  return [commentLine(draft.origin), header, ...body, ""];
}

function explain(name: string, schema: KeySchema | undefined, explained: Set<string>): string {
  if (!schema?.description || explained.has(name)) return "";
  explained.add(name);
  const sentence = /^.*?[.;:](?=\s|$)/.exec(schema.description)?.[0] ?? schema.description;
  const text = sentence.replace(/[.;:]$/, "");
  // of a description that goes through the words of a choice, the first word alone says nothing
  return /^"[^"]*"$/.test(text) ? "" : text;
}
