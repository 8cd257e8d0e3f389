import { createReadStream } from "node:fs";
import { catalogue } from "./catalogue.ts";
import { unescapeControls } from "./escape.ts";
import type { Severity } from "./journal.ts";
import { inlineNames, type Layout } from "./layout.ts";

export { follow } from "./follow.ts";

/** A line of the log, taken apart again. */
export interface LogEntry {
  /** Milliseconds since 1970 UTC. */
  time: number;
  severity: Severity;
  id: string;
  /** The sentence, as it stands in the line. */
  text: string;
  /** Variables by lower-case name; what layout V23 cut stays cut. */
  variables: Record<string, string>;
  layout: Layout;
  /** The line as it was read. */
  line: string;
}

/** What `cygnet log` can be asked for; everything that is given must hold. */
export interface LogFilter {
  /** Lowest severity shown. */
  level?: Severity;
  part?: string;
  /** Never holds for lines in layout V23, which carries no IDTU. */
  idtu?: string;
}

const SEVERITIES = "TIWEF";
const HEAD = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) (CFT[A-Z]\d\d[TIWEF])(?: (.*))?$/s;
const PAIR = /^([A-Z][A-Z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s">]*))(?: |$)/s;

/** Takes `KEY=value` pairs off the front of a text; gives them and what remains. */
function takePairs(text: string): { variables: Record<string, string>; rest: string } {
  const variables: Record<string, string> = {};
  let rest = text;
  for (let match = PAIR.exec(rest); match !== null; match = PAIR.exec(rest)) {
    variables[(match[1] as string).toLowerCase()] = unescapeControls(match[2] ?? match[3] ?? "");
    rest = rest.slice(match[0].length);
  }
  return { variables, rest };
}

/** Separates sentence and pairs, wherever the layout puts them. */
function separate(body: string): Pick<LogEntry, "text" | "variables" | "layout"> {
  const open = body.lastIndexOf(" <");
  if (open >= 0 && body.endsWith(">")) {
    const { variables, rest } = takePairs(body.slice(open + 2, -1));
    if (rest === "") return { text: body.slice(0, open), variables, layout: "V24" };
  }
  const { variables, rest } = takePairs(body);
  return { text: rest, variables, layout: Object.keys(variables).length === 0 ? "V24" : "V23" };
}

/** Finds the variables that stand inside the sentence of a catalogued message. */
function inlineVariables(id: string, text: string): Record<string, string> {
  const template = catalogue.get(id)?.text ?? "";
  const names = inlineNames(template);
  const pieces = template.split(/\{\w+\}/).map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = names.reduce((before, _, index) => {
    const last = index === names.length - 1 && pieces[index + 1] === "";
    if (!last) return `${before}(.*?)${pieces[index + 1]}`;
    const [, stem = "", joint = ""] = /^(.*?)([: ]*)$/s.exec(before) ?? [];
    return `${stem}(?:${joint}(.*))?`;
  }, pieces[0] ?? "");
  const found = new RegExp(`^${pattern}$`, "s").exec(text);
  const variables: Record<string, string> = {};
  names.forEach((name, index) => {
    const value = found?.[index + 1];
    if (value !== undefined) variables[name] = unescapeControls(value);
  });
  return variables;
}

function parseJson(line: string): LogEntry | null {
  let value: { time?: unknown; level?: unknown; id?: unknown; text?: unknown; variables?: unknown };
  try {
    value = JSON.parse(line);
  } catch {
    return null; // a line that a crash has torn, or that is not ours
  }
  const { time, level, id, text } = value;
  if (typeof time !== "string" || typeof id !== "string" || typeof text !== "string") return null;
  if (typeof level !== "string" || level.length !== 1 || !SEVERITIES.includes(level)) return null;
  const variables = Object.entries(value.variables ?? {}).map(([name, item]) => [name, String(item)]);
  return {
    time: Date.parse(time),
    severity: level as Severity,
    id,
    text,
    variables: Object.fromEntries(variables) as Record<string, string>,
    layout: "json",
    line,
  };
}

/** Takes a line of any layout apart; null when it is none of ours. */
export function parseLine(line: string): LogEntry | null {
  if (line.startsWith("{")) return parseJson(line);
  const head = HEAD.exec(line);
  if (head === null) return null;
  const [date, clock, id] = head.slice(1, 4) as [string, string, string];
  const { text, variables, layout } = separate(head[4] ?? "");
  return {
    time: new Date(`${date}T${clock}`).getTime(), // without a zone: local time
    id,
    severity: id.slice(-1) as Severity,
    text,
    variables: { ...variables, ...inlineVariables(id, text) },
    layout,
    line,
  };
}

/** True when the entry satisfies the filter. A partner cut by layout V23 satisfies every id that begins so. */
export function matches(entry: LogEntry, filter: LogFilter): boolean {
  const { level, part, idtu } = filter;
  if (level !== undefined && SEVERITIES.indexOf(entry.severity) < SEVERITIES.indexOf(level)) return false;
  if (idtu !== undefined && entry.variables.idtu !== idtu) return false;
  if (part === undefined || entry.variables.part === part) return true;
  return (
    entry.layout === "V23" && entry.variables.part?.length === 8 && part.startsWith(entry.variables.part)
  );
}

/**
 * The lines of one log file, oldest first; throws the system's error when it cannot be read. From an octet that is not
 * the first on, the first line is a torn one.
 */
export async function* readLines(path: string, start = 0): AsyncGenerator<string> {
  let torn = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", start })) {
    const lines = (torn + String(chunk)).split("\n");
    torn = lines.pop() ?? "";
    yield* lines;
  }
  if (torn !== "") yield torn;
}
