/**
 * What a reload would change, and what each change needs. Needs are those of the schemas (`x-reload`):
 * at once, from the next session or transfer, a new listener, or a restart of the process.
 */
import type { Configuration } from "./model.ts";
import { type Effect, keySchema, tables } from "./schemas.ts";
import { Secret } from "./secret.ts";
import { formatDuration, formatTimeOfDay } from "./units.ts";

export interface Change {
  /** Table, for example `cftpart`. */
  object: string;
  /** `ACME`, `TLS/server`, or "" for a table that exists once. */
  id: string;
  change: "added" | "removed" | "changed";
  /** For "changed": keys by their names in the configuration, values as text, secrets as "[secret]". */
  keys: { key: string; from: string; to: string }[];
  effect: Effect;
}

const WEIGHT: readonly Effect[] = ["now", "new", "listen", "restart"];

/** Every difference between two configurations, tables in the order of the manual. */
export function plan(before: Configuration, after: Configuration): Change[] {
  const changes: Change[] = [];
  for (const [table, schema] of tables()) {
    const name = table as Table;
    const [old, next] = [objects(before[name]), objects(after[name])];
    const whole = (id: string, change: "added" | "removed") =>
      changes.push({ object: table, id, change, keys: [], effect: schema["x-reload"] });
    for (const id of old.keys()) if (!next.has(id)) whole(id, "removed");
    for (const [id, object] of next) {
      const was = old.get(id);
      if (!was) whole(id, "added");
      else if (!isSame(was, object)) changes.push(...compare(table, id, was, object));
    }
  }
  return changes;
}

/** Nearly all of thousands of objects are as they were: those need no list of their keys. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (one instanceof Secret) return other instanceof Secret && one.fingerprint === other.fingerprint;
  if (one instanceof Map || one instanceof Set || one instanceof Date) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every(
    (key) =>
      key in other && isSame((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
  );
}

/** The plan for people, one line for each object and one, indented, for each key. */
export function renderPlan(changes: readonly Change[]): string[] {
  return changes.flatMap(({ object, id, change, keys, effect }) => [
    `${change} ${object}${id && ` ${id}`}: ${NEEDS[effect]}`,
    ...keys.map(({ key, from, to }) => `  ${key}: ${from} -> ${to}`),
  ]);
}

const NEEDS: Record<Effect, string> = {
  now: "at once",
  new: "from the next session or transfer on",
  listen: "re-opens the listener",
  restart: "needs a restart",
};

type Table = Exclude<keyof Configuration, "files" | "includes" | "directory">;

function objects(table: Configuration[Table]): ReadonlyMap<string, object> {
  if (table instanceof Map) return table;
  // a table that need not be there
  return table === null ? new Map() : new Map([["", table]]);
}

function compare(table: string, id: string, old: object, next: object): Change[] {
  const [before, after] = [flat(table, old), flat(table, next)];
  const keys: Change["keys"] = [];
  let effect: Effect = "now";
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(key), after.get(key)];
    if (from?.compare === to?.compare) continue;
    keys.push({ key, from: from?.text ?? "none", to: to?.text ?? "none" });
    const needs = needed(table, key, from?.compare, to?.compare);
    if (WEIGHT.indexOf(needs) > WEIGHT.indexOf(effect)) effect = needs;
  }
  return keys.length > 0 ? [{ object: table, id, change: "changed", keys, effect }] : [];
}

/** Another TLS profile serves the next caller; TLS instead of clear text is another listener. */
function needed(table: string, key: string, from: unknown, to: unknown): Effect {
  const turned = table === "cftprot" && key === "ssl" && (from === '""' || to === '""');
  return turned ? "listen" : (keySchema(table, key)?.["x-reload"] ?? "new");
}

interface Shown {
  /** Equal for equal values. */
  compare: string;
  text: string;
}

/** An object of the model under the keys of the configuration. */
function flat(table: string, object: object): Map<string, Shown> {
  const keys = new Map<string, Shown>();
  for (const [name, value] of Object.entries(object)) {
    if (name === "security") {
      for (const [key, choice] of Object.entries(value)) keys.set(key, shown(table, key, choice));
    } else if (name === "outgoing" || name === "incoming") {
      const letter = name === "outgoing" ? "o" : "i";
      keys.set(`${letter}mintime`, { compare: String(value.from), text: formatTimeOfDay(value.from) });
      keys.set(`${letter}maxtime`, { compare: String(value.to), text: formatTimeOfDay(value.to) });
    } else if (name === "digest") {
      // Same path, other certificate: told at the file.
      const file = keys.get("file");
      if (file)
        keys.set("file", {
          compare: `${file.compare} ${value}`,
          text: `${file.text} (${String(value).slice(0, 8)})`,
        });
    } else keys.set(name, shown(table, name, value));
  }
  return keys;
}

function shown(table: string, key: string, value: unknown): Shown {
  if (value instanceof Secret) return { compare: value.fingerprint, text: "[secret]" };
  const compare = JSON.stringify(value);
  if (value === null) return { compare, text: "none" };
  const unit = keySchema(table, key)?.["x-unit"];
  const text = typeof value === "number" && unit && unit !== "octets" ? formatDuration(value) : compare;
  return { compare, text };
}
