/** From commands to objects: parameter names made whole, MODE obeyed, so that each object stands once. */
import { didYouMean } from "../config/suggestion.ts";
import type { Parameter, Statement } from "./parser.ts";
import type { Item } from "./report.ts";
import type { Kind, Row } from "./rule.ts";
import { folded, showValue, single, texts } from "./value.ts";

/** A parameter with the row that says what becomes of it; no row: Transfer CFT has no such parameter that we know. */
export interface Given extends Parameter {
  row: Row | undefined;
}

/** Parameters that are never shown, whatever object they belong to. */
export const SECRET = /PASS|SECRET|TOKEN|^KEY$/;

/** The value for reports; a password is not shown. */
export function shown({ name, row, value }: Given): string {
  const text = showValue(value);
  const hidden = row?.secret || SECRET.test(row?.parameter ?? name) || /PASS\w*\s*=/i.test(text);
  return hidden ? "(not shown)" : text;
}

/** An object of Transfer CFT as it stands in an extract. */
export interface Source {
  kind: Kind;
  file: string;
  line: number;
  /** `CFTPART PARIS`, for people. */
  title: string;
  /** By Transfer CFT's full name of the parameter. */
  given: ReadonlyMap<string, Given>;
}

/** Text of a parameter, folded as identifiers are; `otherwise` where it is not given or empty. */
export function word(object: Source, parameter: string, otherwise = ""): string {
  const value = object.given.get(parameter)?.value;
  const one = value && texts(value)[0];
  return one ? folded(one) : otherwise;
}

/** Texts of a list parameter, folded. */
export function words(object: Source, parameter: string): string[] {
  const value = object.given.get(parameter)?.value;
  return value ? texts(value).map(folded) : [];
}

/** The parameters of a statement under their full names. Faults go to `items`. */
export function readObject(kind: Kind, statement: Statement, file: string, items: Item[]): Source {
  const given = new Map<string, Given>();
  const id = statement.parameters.find(({ name }) => name === "ID");
  const name = id ? (single(id.value)?.text.trim() ?? "") : "";
  const title = `${kind.command} ${kind.identity[0]?.[0] === "ID" ? name : ""}`.trim();
  for (const parameter of statement.parameters) {
    const row = findRow(kind, parameter.name);
    const full = row?.parameter ?? parameter.name;
    if (given.has(full)) {
      items.push({
        fate: "problem",
        file,
        line: parameter.line,
        object: title,
        parameter: full,
        from: shown({ ...parameter, row }),
        to: "",
        why: "given twice: the last one counts",
      });
    }
    given.set(full, { ...parameter, row });
  }
  return { kind, file, line: statement.line, title, given };
}

/** By full name, other spelling, or the only row that begins with a name of at least three letters. */
function findRow({ rows }: Kind, name: string): Row | undefined {
  const exact = rows.find(({ parameter, also }) => parameter === name || also.includes(name));
  if (exact || name.length < 3) return exact;
  const begins = rows.filter(({ parameter }) => parameter.startsWith(name));
  return begins.length === 1 ? begins[0] : undefined;
}

/** The name that was probably meant, for a parameter without a row. */
export function unknownParameter({ rows }: Kind, name: string): string {
  const meant = didYouMean(
    name,
    rows.map(({ parameter }) => parameter),
  );
  return `no such parameter is known${meant}: look it up and set the key by hand`;
}

/** Whether two objects are the same one: the later one replaces the earlier. */
export function identityOf(object: Source): string {
  return object.kind.identity.map(([parameter, otherwise]) => word(object, parameter, otherwise)).join("/");
}

/**
 * The objects in force once all are read in order: MODE=REPLACE replaces, MODE=DELETE deletes. What is replaced or
 * deleted goes to `items`.
 */
export function inForce(objects: readonly Source[], items: Item[]): Source[] {
  const living = new Map<string, Source>();
  const gone = (object: Source, why: string) => {
    const { file, line, title, given } = object;
    const item = {
      fate: "without",
      file,
      line,
      object: title,
      parameter: "",
      from: "",
      to: "",
      why,
    } as const;
    items.push(item);
    for (const [parameter, one] of given)
      items.push({ ...item, line: one.line, parameter, from: shown(one) });
  };
  for (const object of objects) {
    const key = `${object.kind.command}/${identityOf(object)}`;
    const mode = word(object, "MODE", "REPLACE");
    const before = living.get(key);
    const where = `${object.file}:${object.line}`;
    if (mode === "DELETE" || mode === "D") {
      gone(object, before ? `deletes the object of ${before.file}:${before.line}` : "deletes an object");
      if (before) gone(before, `deleted at ${where}`);
      living.delete(key);
    } else {
      if (before) gone(before, `replaced at ${where}`);
      living.delete(key);
      living.set(key, object);
    }
  }
  return [...living.values()];
}
