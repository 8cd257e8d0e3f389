/**
 * From a message to its line. One message is one line, whatever its variables hold.
 *
 * - V24: `2026-11-20 09:14:05.120 CFTT57I Transfer started as requester <IDTU=… PART=… IDF=…>`, local time.
 * - V23: `2026-11-20 09:14:05.120 CFTT57I PART=… IDF=… Transfer started as requester`, local time, identifiers cut to
 *   8 characters and no IDTU.
 * - json: `{"time":"…Z","level":"I","id":"CFTT57I","text":"…","variables":{"idtu":"…"}}`, UTC.
 *
 * A value beside the text is quoted when it is empty or holds more than plain characters. `<` in a value is written
 * `\u003c`, so that the last ` <` of a V24 line always opens the block.
 */
import { escapeControls, safeJson } from "./escape.ts";
import type { MessageVariables, Severity } from "./journal.ts";
import type { Message } from "./message.ts";

export type Layout = "V23" | "V24" | "json";

/** A message with its variables, at a moment (milliseconds since 1970 UTC). */
export interface Event {
  time: number;
  message: Message;
  variables: MessageVariables;
  /** Its line in layout V24, once that was made. */
  line?: string;
}

/** Variables that are identifiers: layout V23 shows 8 characters of them. */
const IDENTIFIERS = new Set([
  "part",
  "npart",
  "idf",
  "idm",
  "prot",
  "net",
  "ssl",
  "id",
  "list",
  "object",
  "user",
]);
const PLAIN = /^[\w.:/@+,*%~-]+$/;
const PLACEHOLDER = /\{(\w+)\}/g;

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `YYYY-MM-DD HH:MM:SS.mmm` in local time. */
export function localTime(time: number): string {
  const date = new Date(time);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Names of the variables that stand inside the text of a message. */
export function inlineNames(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map((match) => match[1] as string);
}

/**
 * The sentence of a message with its variables in place, each passed through `show`. A text that would end in an empty
 * variable ends before the colon in front of it.
 */
export function sentence(text: string, variables: MessageVariables, show: (value: string) => string): string {
  const last = inlineNames(text).at(-1);
  const stem = last !== undefined && text.endsWith(`{${last}}`) && (variables[last] ?? "") === "";
  const template = stem ? text.replace(/[: ]*\{\w+\}$/, "") : text;
  return template.replace(PLACEHOLDER, (_, name: string) => show(String(variables[name] ?? "")));
}

/** A value that can neither leave its line nor open a block. */
function inLine(value: string): string {
  return escapeControls(value).replaceAll("<", "\\u003c");
}

/** Declared variables in their order, then whatever else was given; without those in the text and absent optional ones. */
function besideText(event: Event): [string, string][] {
  const { message, variables } = event;
  const inline = new Set(inlineNames(message.text));
  const declared = message.variables.filter(
    (variable) => !variable.optional || variables[variable.name] !== undefined,
  );
  const known = new Set(message.variables.map((variable) => variable.name));
  const others = Object.keys(variables).filter((name) => !known.has(name) && variables[name] !== undefined);
  return [...declared.map((variable) => variable.name), ...others]
    .filter((name) => !inline.has(name))
    .map((name) => [name, String(variables[name] ?? "")]);
}

function pair([name, value]: [string, string]): string {
  const shown = PLAIN.test(value) ? value : `"${inLine(value).replaceAll('"', '\\"')}"`;
  return `${name.toUpperCase()}=${shown}`;
}

function v24(event: Event): string {
  const pairs = besideText(event).map(pair);
  const block = pairs.length === 0 ? "" : ` <${pairs.join(" ")}>`;
  return `${localTime(event.time)} ${event.message.id} ${sentence(event.message.text, event.variables, inLine)}${block}`;
}

function v23(event: Event): string {
  const pairs = besideText(event)
    .filter(([name]) => name !== "idtu")
    .map(([name, value]) => pair([name, IDENTIFIERS.has(name) ? value.slice(0, 8) : value]));
  const text = sentence(event.message.text, event.variables, inLine);
  return [localTime(event.time), event.message.id, ...pairs, text].join(" ");
}

function json(event: Event): string {
  const variables: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(event.variables)) {
    if (value !== undefined) variables[name] = typeof value === "bigint" ? String(value) : value;
  }
  const level: Severity = event.message.severity;
  const text = sentence(event.message.text, event.variables, (value) => value);
  return safeJson({ time: new Date(event.time).toISOString(), level, id: event.message.id, text, variables });
}

const LAYOUTS: Readonly<Record<Layout, (event: Event) => string>> = { V23: v23, V24: v24, json };

/** The line of a message, without its line end. */
export function render(event: Event, layout: Layout): string {
  return LAYOUTS[layout](event);
}
