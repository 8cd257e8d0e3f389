/** Converters for values that the schema of a key alone does not explain. */

import { variablesIn } from "../config/symbols.ts";
import { RECEIVE_VARIABLES } from "../config/variables.ts";
import { describe } from "../platform/errors.ts";
import { bySchema } from "./by-schema.ts";
import { word } from "./objects.ts";
import type { Converter, Result } from "./rule.ts";
import { folded, listOf, single, texts } from "./value.ts";

/** A path on Windows: it means nothing here. */
export const WINDOWS = /^[A-Za-z]:[\\/]|^\\\\/;

/** The simple text of a value, trimmed; undefined for a list. */
function plain(value: Parameters<Converter>[0]): string | undefined {
  return single(value)?.text.trim();
}

/** Another word for the value before the schema judges it: `{ "15": "1" }`. */
export function instead(words: Readonly<Record<string, string>>, why: string): Converter {
  return (value, { site, kind, row }) => {
    const schema = site.keys.key(kind.table, row.key) ?? {};
    const other = words[(plain(value) ?? "").toUpperCase()];
    if (other === undefined) return bySchema(value, schema, site);
    const result = bySchema({ kind: "text", text: other, quote: '"', line: value.line }, schema, site);
    return "without" in result ? result : { ...result, why };
  };
}

/** By the schema, with something to think about. */
export function advised(advice: string): Converter {
  return (value, { site, kind, row }) => {
    const result = bySchema(value, site.keys.key(kind.table, row.key) ?? {}, site);
    return "without" in result ? result : { ...result, advice };
  };
}

/** Listening addresses: Transfer CFT's words for all of them. */
export const listenOn: Converter = (value, place) => {
  const all: Record<string, string[]> = {
    INADDR_ANY: ["0.0.0.0", "::"],
    IN4ADDR_ANY: ["0.0.0.0"],
    IN6ADDR_ANY: ["::"],
  };
  const addresses = texts(value).flatMap((one) => all[folded(one)] ?? [one.text.trim()]);
  const named = texts(value).some((one) => folded(one) in all);
  const result = bySchema(
    listOf(addresses, value.line),
    place.site.keys.key("cftnet", "host") ?? {},
    place.site,
  );
  return "without" in result || !named ? result : { ...result, why: "all addresses, by their numbers" };
};

/** A listening port; Transfer CFT takes service names too. */
export const port: Converter = (value, { site, kind, row }) => {
  if (/^\d+$/.test(plain(value) ?? ""))
    return bySchema(value, site.keys.key(kind.table, row.key) ?? {}, site);
  return { without: "a service name: look its port up in /etc/services and write the number" };
};

/** A directory: paths of Windows get a place of their own below rundir. */
export function directory(otherwise: string): Converter {
  return (value, { object }) => {
    const path = plain(value) ?? "";
    if (WINDOWS.test(path) || path.includes("%")) {
      return {
        value: `${otherwise}/${word(object, "ID", "X")
          .toLowerCase()
          .replace(/[^a-z0-9_.-]/g, "_")}`,
        why: "the old path cannot be used here: choose one",
      };
    }
    if (path.startsWith("/")) return { value: path };
    return { value: path, why: "relative to cftparm.rundir, no longer to Transfer CFT's runtime directory" };
  };
}

/** A password that goes into a file: `name` of it from the object's id in lower case. */
export function password(name: (id: string) => string, longest: number): Converter {
  return (value, { site, object }) => {
    const one = single(value);
    if (one === undefined) return { without: "a list is no password" };
    return site.secret(one.text, name(site.names.of(word(object, "ID", "X")).toLowerCase()), longest);
  };
}

/** Name of a delivered file: the symbolic variables must exist here. */
export const deliveredName: Converter = (value): Result => {
  const text = plain(value) ?? "";
  if (WINDOWS.test(text) || text.includes("\\"))
    return { without: "a path of Windows: choose a folder for fname" };
  try {
    const known: readonly string[] = RECEIVE_VARIABLES;
    const strange = variablesIn(text).find(({ name }) => !known.includes(name));
    if (strange)
      return { without: `there is no variable &${strange.name} here: choose another name for fname` };
  } catch (error) {
    return { without: describe(error) };
  }
  // a plus sign marks where Transfer CFT may make directories; here all are made
  const path = text.replace(/\+(?=\/)|(?<=\/)\+/g, "");
  if (path !== text) return { value: path, why: "missing directories are always made" };
  return text.startsWith("/") ? { value: path } : { value: path, why: "relative to cftparm.rundir" };
};

/** Text of Transfer CFT's `%env:NAME%` and `%uconf:name%`, which it resolves when the object is made. */
export function placeholder(value: Parameters<Converter>[0]): string | undefined {
  for (const { text } of texts(value)) {
    const found = /%(?:env|uconf):[^%\s]+%/i.exec(text);
    if (found) return found[0];
  }
  return undefined;
}
