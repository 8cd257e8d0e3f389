/**
 * Transfer CFT's configuration as one of this gateway: texts in, texts and a report out. Touches no disk.
 *
 * Invariant: every parameter of every object has exactly one item in the report, and no password is in it or in the
 * configuration, only in the files under secrets/.
 */

import { type OutputFile, outputFiles } from "./files.ts";
import { finish } from "./finish.ts";
import { inForce, readObject, SECRET, type Source } from "./objects.ts";
import { parseExtract, type Statement } from "./parser.ts";
import type { Item, Report } from "./report.ts";
import { KINDS } from "./rules/kinds.ts";
import { COMMANDS } from "./rules/services.ts";
import { UCONF } from "./rules/uconf.ts";
import { selectObjects } from "./select.ts";
import { type Keys, Site } from "./site.ts";
import { tomlValue } from "./toml.ts";
import { translate } from "./translate.ts";
import { showValue, single } from "./value.ts";

export interface Extract {
  /** Name for the report. */
  file: string;
  text: string;
}

export interface Migration extends Report {
  /** Of the new configuration; empty when the extracts have no object that could be carried over. */
  files: readonly OutputFile[];
}

const BY_COMMAND = new Map(KINDS.map((kind) => [kind.command, kind]));

/** Translates extracts, later ones on top of earlier ones, into the keys that `keys` says exist. Throws nothing. */
export function migrate(extracts: readonly Extract[], keys: Keys): Migration {
  const items: Item[] = [];
  const objects: Source[] = [];
  const settings: { statement: Statement; file: string }[] = [];
  for (const { file, text } of extracts) {
    const { statements, problems } = parseExtract(text);
    for (const { line, message } of problems) {
      items.push({ fate: "problem", file, line, object: "", parameter: "", from: "", to: "", why: message });
    }
    for (const statement of statements) {
      const kind = BY_COMMAND.get(statement.command);
      if (kind) objects.push(readObject(kind, statement, file, items));
      else if (statement.command === "UCONFSET") settings.push({ statement, file });
      else items.push(notAnObject(statement, file));
    }
  }
  const site = new Site(keys, inForce(objects, items), items);
  selectObjects(site);
  for (const kind of KINDS) {
    for (const object of site.objects) if (object.kind === kind) translate(site, object);
  }
  for (const { statement, file } of settings) items.push(applySetting(site, statement, file));
  const carried = site.drafts.length > 0;
  if (carried) finish(site);
  const order = new Map(extracts.map(({ file }, index) => [file, index]));
  items.sort((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line);
  const files = carried
    ? outputFiles(
        site,
        extracts.map(({ file }) => file),
      )
    : [];
  return { items, todo: [...new Set(site.todo)], files };
}

function notAnObject({ command, line }: Statement, file: string): Item {
  const known = COMMANDS.includes(command);
  return {
    fate: known ? "without" : "problem",
    file,
    line,
    object: command,
    parameter: "",
    from: "",
    to: "",
    why: known ? "a command, not configuration" : "no such object or command is known: left out",
  };
}

/** A setting of UCONF: few have a key here. */
function applySetting(site: Site, { parameters, line }: Statement, file: string): Item {
  const text = (name: string) => {
    const value = parameters.find((parameter) => parameter.name === name)?.value;
    return value ? (single(value)?.text.trim() ?? showValue(value)) : "";
  };
  const [id, value] = [text("ID").toLowerCase(), text("VALUE")];
  const found = UCONF.find(({ name }) =>
    name === "" || name.endsWith(".") ? id.startsWith(name) : id === name,
  );
  const { table = "", key = "", why = "" } = found ?? {};
  const converted = found?.convert(value);
  const from = SECRET.test(id.toUpperCase()) || /key/.test(id) ? "(not shown)" : value;
  const item: Item = { fate: "without", file, line, object: "UCONFSET", parameter: id, from, to: "", why };
  if (table === "" || converted === undefined) return item;
  const draft =
    site.drafts.find((one) => one.table === table) ?? site.draft(table, `UCONFSET, ${file}:${line}`);
  draft.set(key, converted, `UCONF ${id}`);
  return { ...item, fate: "translated", to: `${table}.${key} = ${tomlValue(converted)}`, why: "" };
}
