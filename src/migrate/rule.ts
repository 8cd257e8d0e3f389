/**
 * What becomes of Transfer CFT's objects and parameters: one `Kind` for each object, one `Row` for each parameter.
 * To let migrate use a new key, change the row of its parameter from `none` to `same` (the key has the parameter's
 * name) or `to`; a `same` row begins to work by itself as soon as the schema has the key.
 */
import type { Draft } from "./draft.ts";
import type { Source } from "./objects.ts";
import type { Site } from "./site.ts";
import type { Value } from "./value.ts";

export type Toml = string | number | boolean | readonly (string | number)[];

/** A value for the key; `why` says what changed, `advice` what to think about. Or the reason why there is none. */
export type Result = { value: Toml; why?: string; advice?: string } | { without: string };

export type Converter = (value: Value, place: Place) => Result;

/** Where a parameter stands. */
export interface Place {
  site: Site;
  object: Source;
  kind: Kind;
  row: Row;
}

export interface Row {
  /** Transfer CFT's name. */
  parameter: string;
  /** Other spellings of it. */
  also: readonly string[];
  /** Key of the kind's table; "" = there is no counterpart. */
  key: string;
  /** By default the schema of the key says how. */
  convert?: Converter;
  /** Why there is no counterpart, or none as long as the schema lacks the key; what to do instead. */
  why: string;
  /** Values that ask for nothing: capitals. Nothing is lost with them. */
  idle: readonly string[];
  /** Never shown. */
  secret: boolean;
  /** It was obeyed, although no key has its value: nothing is lost. */
  heeded: boolean;
  /** It keeps somebody out: what is lost of it is a thing to do. */
  guard: boolean;
  /** Transfer CFT's default where ours differs, and what is made of it when the parameter is not given. */
  missing?: {
    value: string;
    keep: boolean;
    why: string;
    /** It counts only where this holds. */
    when?: (site: Site) => boolean;
  };
}

export interface Kind {
  /** Transfer CFT's object, for example `CFTPART`. */
  command: string;
  /** Table of this gateway; "" = none. */
  table: string;
  /** What the object is, in a few words. */
  what: string;
  /** Why there is no counterpart, or what differs as a whole; "" = the same. */
  why: string;
  /** What somebody has to do for each object of this kind that cannot be written; none when left out. */
  todo?: string;
  /** Parameters by which one object is told from another, with their defaults. */
  identity: readonly (readonly [parameter: string, otherwise: string])[];
  rows: readonly Row[];
  /** What several parameters say together: called once the rows are applied. */
  shape?: (draft: Draft, object: Source, site: Site) => void;
}

type Options = Partial<Pick<Row, "also" | "idle" | "secret" | "guard" | "heeded" | "missing" | "convert">>;

const NOT_HERE = "this version of the gateway has no such key";

function row(parameter: string, key: string, why: string, options: Options): Row {
  return { parameter, key, why, also: [], idle: [], secret: false, heeded: false, guard: false, ...options };
}

/** The key has the parameter's name in lower case and means the same; its schema says what it takes. */
export function same(parameter: string, why = NOT_HERE, options: Options = {}): Row {
  return row(parameter, parameter.toLowerCase(), why, options);
}

/** The key has another name, or the value needs a converter of its own. */
export function to(parameter: string, key: string, convert?: Converter, options: Options = {}): Row {
  return row(parameter, key, NOT_HERE, { ...options, ...(convert && { convert }) });
}

/** There is no counterpart: why, and what to do instead. */
export function none(parameter: string, why: string, options: Options = {}): Row {
  return row(parameter, "", why, options);
}

/** It needs no key, because it was obeyed in another way. */
export function heeded(parameter: string, why: string): Row {
  return row(parameter, "", why, { heeded: true });
}

/** The same reason for several parameters. */
export function nones(parameters: string, why: string, options: Options = {}): Row[] {
  return parameters.split(" ").map((parameter) => none(parameter, why, options));
}

/** What every object has. */
export const COMMON: readonly Row[] = [
  same("COMMENT"),
  heeded("MODE", "later objects replace or delete earlier ones"),
  heeded("ORIGIN", "who wrote the object into Transfer CFT's files"),
];

/** A kind whose objects have an id and nothing else to be told apart by. */
export function kind(
  command: string,
  what: string,
  rows: readonly Row[],
  more: Partial<Pick<Kind, "table" | "why" | "todo" | "identity" | "shape">> = {},
): Kind {
  const own = new Set(rows.map(({ parameter }) => parameter));
  return {
    command,
    table: command.toLowerCase(),
    what,
    why: "",
    identity: [["ID", ""]],
    rows: [...rows, ...COMMON.filter(({ parameter }) => !own.has(parameter))],
    ...more,
  };
}

/** A kind without counterpart: one reason for all of it. */
export function unknownHere(command: string, what: string, why: string): Kind {
  return { command, table: "", what, why, identity: [["ID", ""]], rows: [] };
}
