/** Transfer CFT's values for keys of this gateway, as the schema of the key says. */

import { allowed } from "../config/schema-problems.ts";
import { complete, type KeySchema } from "../config/schemas.ts";
import type { Result } from "./rule.ts";
import type { Site } from "./site.ts";
import { folded, single, type TextValue, texts, type Value } from "./value.ts";

const BOOLEANS: Readonly<Record<string, boolean>> = { YES: true, Y: true, NO: false, N: false };

/** The value for a key. Values that the schema refuses have no counterpart: the reason says what it takes. */
export function bySchema(value: Value, given: KeySchema, site: Site): Result {
  const schema = complete(given);
  if (schema.type === "array") return list(texts(value), schema, site);
  if (Array.isArray(schema.type) && schema.type.includes("array")) {
    const all = texts(value).map(({ text }) => text.trim());
    if (schema.maxItems !== undefined && all.length > schema.maxItems) return refused(schema);
    return { value: all.length === 1 ? (all[0] as string) : all };
  }
  const one = single(value);
  return one === undefined ? refused(schema) : simple(one, schema, site);
}

function list(items: readonly TextValue[], schema: KeySchema, site: Site): Result {
  const values: (string | number)[] = [];
  for (const item of items) {
    const result = simple(item, complete(schema.items ?? {}), site);
    if ("without" in result) return result;
    const converted = result.value as string | number;
    if (!values.includes(converted) || !schema.uniqueItems) values.push(converted);
  }
  const count = values.length;
  return count < (schema.minItems ?? 0) || count > (schema.maxItems ?? Infinity)
    ? refused(schema)
    : { value: values };
}

function simple(item: TextValue, schema: KeySchema, site: Site): Result {
  const text = item.text.trim();
  if (schema.enum) return choice(text, schema);
  if (schema.format === "time-of-day" || schema.format === "time-or-none") return timeOf(text);
  if (schema["x-unit"]) return amount(text, schema);
  if (schema.type === "boolean") {
    const value = BOOLEANS[text.toUpperCase()];
    return value === undefined ? refused(schema) : { value };
  }
  if (schema.type === "integer") return amount(text, schema);
  if (isId(schema)) {
    const id = site.names.id(item);
    return id === folded(item) ? { value: id } : { value: id, why: `${text} is no id here` };
  }
  if (schema.pattern) {
    const value = folded(item);
    return new RegExp(schema.pattern).test(value) ? { value } : refused(schema);
  }
  return (schema.minLength ?? 0) > text.length ? refused(schema) : { value: item.text };
}

/** True for the shapes of ids: "id", "reference" and "level" of the schemas. */
function isId({ pattern = "" }: KeySchema): boolean {
  return pattern.includes("[A-Za-z0-9][A-Za-z0-9_.-]{0,31}");
}

/** A word of a list, whole or its beginning where that is enough. */
function choice(text: string, schema: KeySchema): Result {
  const words = schema.enum ?? [];
  const lower = text.toLowerCase();
  const exact = words.find((candidate) => String(candidate).toLowerCase() === lower);
  const begins = words.filter(
    (candidate) => lower !== "" && String(candidate).toLowerCase().startsWith(lower),
  );
  const found = exact ?? (begins.length === 1 ? begins[0] : undefined);
  return found === undefined ? refused(schema) : { value: found as string | number };
}

function amount(text: string, schema: KeySchema): Result {
  const { minimum = 0, maximum = Infinity } = schema;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < minimum || value > maximum) return refused(schema);
  return { value };
}

/** "HH:MM", with seconds where there are any, of Transfer CFT's 1 to 8 digits HHMMSSCC. */
export function timeOf(text: string): Result {
  if (!/^\d{1,8}$/.test(text)) return { without: "this is no time of the form HHMMSSCC" };
  const digits = (text.length % 2 === 1 ? `0${text}` : text).padEnd(8, "0");
  const [hours = "", minutes = "", seconds = "", hundredths = ""] = digits.match(/../g) ?? [];
  if (hours > "23" || minutes > "59" || seconds > "59") return { without: "there is no such time of day" };
  if (hundredths !== "00") return { value: digits };
  return { value: seconds === "00" ? `${hours}:${minutes}` : `${hours}:${minutes}:${seconds}` };
}

export function refused(schema: KeySchema): Result {
  return { without: `not possible here; the key takes ${allowed(schema)}` };
}
