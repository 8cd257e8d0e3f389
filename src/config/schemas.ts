/**
 * The JSON Schemas of `schemas/`: the only description of the configuration. Words of our own:
 * `x-reload` what a change of the key needs, `x-unit` the unit of a bare number, `x-secret` a value that is
 * never shown, `x-allowed` the sentence that says what is allowed, `x-default` a default that depends on
 * other keys, `x-single` a table that may appear once.
 */
import { readdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import nodeCron from "node-cron";
import { checkCharset } from "../oftp/files/charset.ts";
import { projectRoot } from "../platform/root.ts";
import { type CftUnit, parseActivation, parseDuration, parseSize, parseTimeOfDay } from "./units.ts";

/** What a change needs: nothing, the next session or transfer, a new listener, a restart of the process. */
export type Effect = "now" | "new" | "listen" | "restart";

/** The part of a schema that messages, plans and the manual use. */
export interface KeySchema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  pattern?: string;
  items?: KeySchema;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  uniqueItems?: boolean;
  format?: string;
  "x-reload"?: Effect;
  "x-unit"?: CftUnit | "octets";
  "x-secret"?: boolean;
  "x-allowed"?: string;
  "x-default"?: string;
}

export interface TableSchema {
  title: string;
  description: string;
  required: string[];
  properties: Record<string, KeySchema>;
  "x-reload": Effect;
  "x-single": boolean;
}

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;

/** A text of digits and dots only is meant as an address: 1.2.3 and 300.1.1.1 are no host names. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 || (HOST_NAME.test(text) && !/^[0-9.]+$/.test(text));
}

/** "" or an address and a port, the address in brackets where it has colons. */
function isHostPort(text: string): boolean {
  return text === "" || hostPortOf(text) !== undefined;
}

/** Address and port of `HOST:PORT` or `[ADDRESS]:PORT`; undefined for anything else. */
export function hostPortOf(text: string): { host: string; port: number } | undefined {
  const [, bracketed, plain = "", digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const known = bracketed === undefined ? isAddress(host) : isIP(host) === 6;
  return known && port >= 1 && port <= 65535 ? { host, port } : undefined;
}

function isCharset(name: string): boolean {
  try {
    checkCharset(name);
    return true;
  } catch {
    return false; // the only thing that it tells
  }
}

function isBlock(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Checks what JSON Schema's minimum and maximum cannot: texts such as "90s", in the unit of the key. */
function withinUnit(unit: CftUnit | "octets", value: unknown, schema: KeySchema = {}): boolean {
  const { minimum = 0, maximum = Infinity } = schema;
  if (typeof value !== "string") return true;
  try {
    const amount = unit === "octets" ? parseSize(value) : parseDuration(value, unit) / parseDuration(1, unit);
    return amount >= minimum && amount <= maximum;
  } catch {
    return false; // not a duration or size at all: the same answer
  }
}

/** One address, plain: nothing that could add another recipient or a header. */
function isMailbox(text: string): boolean {
  return /^[^\s<>()[\],;:\\"@]+@[^\s<>()[\],;:\\"@]+$/.test(text);
}

/** A password in an address would show in every log. */
function isWebhook(text: string): boolean {
  if (text === "") return true;
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

interface Loaded {
  tables: ReadonlyMap<string, TableSchema>;
  shapes: Record<string, KeySchema>;
  /** Keys outside all tables. */
  outside: Record<string, KeySchema>;
  validate: ValidateFunction;
}

let loaded: Loaded | undefined;

function load(): Loaded {
  if (loaded) return loaded;
  const folder = join(projectRoot(), "schemas");
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    strictTypes: false,
    allowUnionTypes: true,
    verbose: true,
  });
  for (const word of ["x-reload", "x-secret", "x-allowed", "x-default", "x-single"]) ajv.addKeyword(word);
  ajv.addKeyword({ keyword: "x-unit", validate: withinUnit, errors: false });
  ajv.addFormat("address", isAddress);
  ajv.addFormat("cidr", isBlock);
  ajv.addFormat("host-port", isHostPort);
  ajv.addFormat("time-of-day", (text) => parseTimeOfDay(text) !== undefined);
  ajv.addFormat("time-or-none", (text) => text === "" || parseTimeOfDay(text) !== undefined);
  ajv.addFormat("mailbox", isMailbox);
  ajv.addFormat("webhook", isWebhook);
  ajv.addFormat("activation", (text) => text === "" || parseActivation(text) !== undefined);
  ajv.addFormat("charset", isCharset);
  ajv.addFormat("cron", (text) => text === "" || nodeCron.validate(text));
  const names = readdirSync(folder).filter((name) => name.endsWith(".schema.json"));
  for (const name of names) ajv.addSchema(read(name));
  const root = read("cygnet.schema.json") as { properties: Record<string, KeySchema> };
  const tables = Object.keys(root.properties).filter((name) => name !== "include");
  loaded = {
    tables: new Map(tables.map((name) => [name, read(`${name}.schema.json`) as TableSchema])),
    shapes: (read("defs.schema.json") as { $defs: Record<string, KeySchema> }).$defs,
    outside: root.properties,
    validate: ajv.getSchema("cygnet.schema.json") as ValidateFunction,
  };
  return loaded;
}

/** The tables in the order of the manual, by name. */
export function tables(): ReadonlyMap<string, TableSchema> {
  return load().tables;
}

/** The schema of one key, shared shapes filled in; undefined for an unknown key. Table "" holds `include`. */
export function keySchema(table: string, key: string): KeySchema | undefined {
  const own = (table === "" ? load().outside : load().tables.get(table)?.properties)?.[key];
  return own && complete(own);
}

/** A key's schema with the shape that it refers to. */
export function complete(schema: KeySchema): KeySchema {
  const shape = schema.$ref?.split("/$defs/")[1];
  return shape ? { ...load().shapes[shape], ...schema } : schema;
}

/** Checks a merged configuration, filling in defaults. Gives every violation. */
export function validate(tree: object): ErrorObject[] {
  const check = load().validate;
  return check(tree) ? [] : [...(check.errors ?? [])];
}
