/** The rows of the rules applied to objects. */
import { isDeepStrictEqual } from "node:util";
import type { KeySchema } from "../config/schemas.ts";
import { bySchema } from "./by-schema.ts";
import { placeholder } from "./convert.ts";
import type { Draft } from "./draft.ts";
import { type Given, type Source, unknownParameter } from "./objects.ts";
import type { Result, Row } from "./rule.ts";
import type { Site } from "./site.ts";
import { tomlValue } from "./toml.ts";
import { folded, single, texts, type Value } from "./value.ts";

/** Makes a draft of an object, or tells why each of its parameters is left out. */
export function translate(site: Site, object: Source): void {
  const left = site.left.get(object);
  if (left !== undefined) {
    const heeded = object.kind.rows.length > 0 && object.kind.rows.every((row) => row.heeded);
    const fate = heeded ? "translated" : "without";
    site.tell(fate, object, "", "", left);
    for (const parameter of object.given.keys()) site.tell(fate, object, parameter, "", left);
    return;
  }
  const { kind } = object;
  const draft = site.draft(kind.table, `${object.title}, ${object.file}:${object.line}`, object);
  for (const given of object.given.values()) apply(site, object, draft, given);
  for (const row of kind.rows) {
    const value = object.given.get(row.parameter)?.value;
    if (row.missing && (value === undefined || texts(value).length === 0))
      applyMissing(site, object, draft, row);
  }
  kind.shape?.(draft, object, site);
}

function apply(site: Site, object: Source, draft: Draft, { name, row, value }: Given): void {
  if (!row) return site.tell("without", object, name, "", unknownParameter(object.kind, name));
  const { parameter } = row;
  if (texts(value).length === 0) return site.tell("translated", object, parameter, "", "not set");
  const open = placeholder(value);
  if (open)
    return lose(site, object, row, undefined, `${open} was resolved by Transfer CFT: set the key by hand`);
  const schema = row.key === "" ? undefined : site.keys.key(draft.table, row.key);
  if (schema === undefined) {
    if (row.heeded) return site.tell("translated", object, parameter, "", row.why);
    return lose(site, object, row, value, row.why);
  }
  const place = { site, object, kind: object.kind, row };
  put(site, object, draft, row, schema, row.convert?.(value, place) ?? bySchema(value, schema, site));
}

function isIdle(row: Row, value: Value): boolean {
  const one = single(value);
  return one !== undefined && row.idle.includes(folded(one).toUpperCase());
}

function put(site: Site, object: Source, draft: Draft, row: Row, schema: KeySchema, result: Result): void {
  const { parameter, key } = row;
  const given = object.given.get(parameter);
  if ("without" in result) return lose(site, object, row, given?.value, result.without);
  const { value, why = "", advice = "" } = result;
  const to = `${draft.table}.${key} = ${tomlValue(value)}`;
  const fate = why === "" ? "translated" : "changed";
  if (isDeepStrictEqual(value, schema.default)) {
    return site.tell(fate, object, parameter, `${to}, the default`, why || advice);
  }
  draft.set(key, value, why);
  site.tell(fate, object, parameter, to, why || advice);
}

/** No counterpart: a loss, unless the value asks for nothing. */
function lose(site: Site, object: Source, row: Row, value: Value | undefined, why: string): void {
  const { parameter } = row;
  if (value && isIdle(row, value)) return site.tell("translated", object, parameter, "", "asks for nothing");
  site.tell("without", object, parameter, "", why);
  if (row.guard) site.todo.push(`${object.title}: ${parameter} kept somebody out and is lost; ${why}`);
}

/** A parameter that is not given has Transfer CFT's default, which may not be ours. */
function applyMissing(site: Site, object: Source, draft: Draft, row: Row): void {
  const schema = site.keys.key(draft.table, row.key);
  if (!row.missing || !schema || row.missing.when?.(site) === false) return;
  const { value: text, keep, why } = row.missing;
  const result = bySchema({ kind: "text", text, quote: '"', line: object.line }, schema, site);
  if ("without" in result || isDeepStrictEqual(result.value, schema.default)) return;
  const name = `${draft.table}.${row.key}`;
  const from = `(not given: ${text})`;
  if (!keep) {
    const to = `${name} = ${tomlValue(schema.default as never)}, the default`;
    return site.tell("changed", object, row.parameter, to, why, from);
  }
  draft.set(row.key, result.value, why);
  site.tell("translated", object, row.parameter, `${name} = ${tomlValue(result.value)}`, why, from);
}
