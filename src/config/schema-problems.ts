import type { ErrorObject } from "ajv";
import type { Findings, Spot } from "./findings.ts";
import { complete, type KeySchema, keySchema, tables } from "./schemas.ts";
import type { Entry } from "./sources.ts";
import { didYouMean } from "./suggestion.ts";

/** One violation of the schema, as found by ajv, at the entry that it is about. */
export interface Violation {
  entry: Entry;
  /** Path within the entry: key, then index in a list. */
  path: string[];
  error: ErrorObject;
}

/**
 * Turns violations into problems, one for each place, and takes the faulty keys out of the entries, so that
 * the rules that follow can judge the rest.
 */
export function reportViolations(violations: readonly Violation[], findings: Findings): void {
  const seen = new Set<string>();
  for (const { entry, path, error } of violations) {
    const [key = "", element] = path;
    const extra = error.params.additionalProperty ?? error.params.missingProperty ?? "";
    const place = `${entry.source.file}\0${entry.path.join("/")}\0${path.join("/")}\0${extra}`;
    if (seen.has(place)) continue;
    seen.add(place);
    if (error.keyword === "additionalProperties" && key === "") unknownKey(entry, String(extra), findings);
    else if (error.keyword === "required" && key === "") missingKey(entry, String(extra), findings);
    else if (error.keyword === "uniqueItems") {
      const spot: Spot = { key, element: Math.max(error.params.i, error.params.j) };
      findings.problem(
        entry,
        spot,
        "CYG_CONFIG_VALUE",
        `the same entry stands here twice; example: ${example(entry, key)}`,
      );
    } else wrongValue(entry, key, element === undefined ? undefined : Number(element), error, findings);
  }
  for (const { entry, path, error } of violations) {
    const key = path[0] ?? error.params.additionalProperty;
    if (key !== undefined) delete entry.value[key];
  }
}

function unknownKey(entry: Entry, key: string, findings: Findings): void {
  const known = Object.keys(tables().get(entry.table)?.properties ?? {});
  const meant = didYouMean(key, known);
  const home = [...tables()].find(([, schema]) => key in schema.properties);
  const elsewhere = meant === "" && home ? ` ("${key}" belongs to ${home[0]})` : "";
  const message = `unknown key${meant || elsewhere}; known are ${known.join(", ")}`;
  findings.problem(entry, { key, name: true }, "CYG_CONFIG_UNKNOWN", message);
}

function missingKey(entry: Entry, key: string, findings: Findings): void {
  const message = `missing; it takes ${allowed(keySchema(entry.table, key) ?? {})}; example: ${example(entry, key)}`;
  // There is no key to point at: at() falls back to the header of the object.
  findings.problem(entry, { key, name: true }, "CYG_CONFIG_REQUIRED", message);
}

function wrongValue(
  entry: Entry,
  key: string,
  element: number | undefined,
  error: ErrorObject,
  findings: Findings,
): void {
  const schema = keySchema(entry.table, key) ?? {};
  const part = element === undefined ? schema : complete(schema.items ?? schema);
  const found = schema["x-secret"] ? `found ${kindOf(error.data)}; ` : `found ${show(error.data)}; `;
  const words = (part.enum ?? []).filter((word) => typeof word === "string");
  const meant = typeof error.data === "string" ? didYouMean(error.data, words) : "";
  const message = `${found}allowed: ${allowed(part)}${meant}; example: ${example(entry, key)}`;
  findings.problem(entry, { key, element }, "CYG_CONFIG_VALUE", message);
}

/** The kind of a value, where the value itself must not be shown. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a table" : `a ${typeof value}`;
}

/** A value as it would be written in TOML. */
export function show(value: unknown): string {
  if (value instanceof Date) return "a date";
  if (Array.isArray(value))
    return value.length > 4 ? `a list of ${value.length}` : `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return "a table";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return String(value);
}

/** A line that would be right, from the schema's examples. */
export function example(entry: Entry, key: string): string {
  const [first] = keySchema(entry.table, key)?.examples ?? [];
  return `${key} = ${show(first)}`;
}

const UNITS = { s: "seconds", min: "minutes", d: "days", octets: "octets" };

/** What a key takes, in words. */
export function allowed(schema: KeySchema): string {
  if (schema["x-allowed"]) return schema["x-allowed"];
  if (schema.enum) return schema.enum.map(show).join(", ");
  const range = `${schema.minimum ?? 0}${schema.maximum === undefined ? " or more" : ` to ${schema.maximum}`}`;
  const unit = schema["x-unit"];
  if (unit) {
    const texts = unit === "octets" ? '"10MB", "10MiB"' : '"500ms", "90s", "5m", "2h", "30d"';
    return `a number of ${UNITS[unit]} from ${range}, or a text such as ${texts}`;
  }
  if (schema.type === "integer") return `a whole number, ${range}`;
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "array") {
    const { minItems = 0, maxItems } = schema;
    const count = maxItems ? ` of ${minItems} to ${maxItems}` : minItems ? ` of at least ${minItems}` : "";
    return `a list${count}, each ${allowed(complete(schema.items ?? {}))}`;
  }
  return schema.minLength ? "a text that is not empty" : "a text";
}
