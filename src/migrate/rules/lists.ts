/** CFTAUTH, CFTIDF, CFTDEST: lists of flows, network names of flows, lists of partners. */
import { bySchema } from "../by-schema.ts";
import { WINDOWS } from "../convert.ts";
import type { Draft } from "../draft.ts";
import { type Source, word, words } from "../objects.ts";
import { type Converter, type Kind, kind, none, nones, type Result, same, to } from "../rule.ts";
import type { Site } from "../site.ts";
import { folded, listOf, texts } from "../value.ts";

/** Makes a list of flows one that lets nothing pass. */
export function closedList(draft: Draft): void {
  draft.set("idf", ["*"], "nothing passes until the flows are written here");
  draft.set("deny", true);
}

/** Flows as they are called here; what cannot stand in an id becomes "_" in masks too. */
const flows: Converter = (value, { site }) => {
  const all = texts(value).map(folded);
  const names = all.map((text) =>
    /[*?]/.test(text) ? text.replace(/[^A-Za-z0-9_.*?-]/g, "_") : site.names.of(text),
  );
  const result = bySchema(listOf(names, value.line), site.keys.key("cftauth", "idf") ?? {}, site);
  if ("without" in result || names.every((name, index) => name === all[index])) return result;
  return { ...result, why: "flows as they are called here" };
};

const NOT = /^NOT/;

/** Whether a list allows or denies hangs on its id, which may have changed; without its flows it lets nothing pass. */
function shapeAuth(draft: Draft, object: Source, site: Site): void {
  const denies = NOT.test(word(object, "ID"));
  if (denies !== NOT.test(draft.id)) {
    draft.set("deny", denies, `as the list ${word(object, "ID")} of Transfer CFT`);
  }
  if (draft.values.has("idf")) return;
  closedList(draft);
  const file = fileName(object);
  const from = file === "" ? "" : ` from ${file}`;
  site.todo.push(`write the flows of cftauth ${draft.id}${from} into idf: until then nothing passes`);
  if (object.given.has("FNAME")) {
    const why = "lists stand in the configuration: until its flows are written there, nothing passes";
    site.tell("changed", object, "FNAME", 'cftauth.idf = ["*"], cftauth.deny = true', why);
  }
}

export const AUTH: Kind = kind(
  "CFTAUTH",
  "a list of flows",
  [same("ID"), to("IDF", "idf", flows), none("FNAME", "write the flows of the file into idf")],
  { shape: shapeAuth },
);

const mappedPartner: Converter = (value, { site }) => {
  const [text = ""] = texts(value).map(folded);
  if (text === "*") return { value: "", why: "every partner" };
  return bySchema(value, site.keys.key("cftidf", "part") ?? {}, site);
};

const networkName: Converter = (value, { site, object }) => {
  const [text = ""] = texts(value).map(folded);
  if (word(object, "TYPE").startsWith("S") && /[*?]/.test(text))
    return { without: "files are sent under one name, without * and ?" };
  return bySchema(value, site.keys.key("cftidf", "nidf") ?? {}, site);
};

export const IDF: Kind = kind(
  "CFTIDF",
  "network names of flows",
  [same("ID"), to("PART", "part", mappedPartner), same("TYPE"), to("NIDF", "nidf", networkName)],
  {
    identity: [
      ["ID", ""],
      ["PART", ""],
      ["TYPE", ""],
    ],
  },
);

/** The partners that are carried over. */
const members: Converter = (value, { site, object }) => {
  const all = texts(value).map(folded);
  const lost = all.filter((id) => !site.find("CFTPART", id));
  const kept = all.filter((id) => !lost.includes(id));
  const result = bySchema(listOf(kept, value.line), site.keys.key("cftdest", "part") ?? {}, site);
  if ("without" in result || lost.length === 0) return result;
  const ids = lost.join(", ");
  site.todo.push(`${object.title}: ${ids} cannot be in the list; see that the files reach them another way`);
  return { ...result, why: `no partners here, left out: ${ids}` };
};

/** The file that names the partners of a list. */
export function fileOfList(object: Source): Result {
  const path = fileName(object);
  if (words(object, "PART").length > 0) return { without: "PART names the partners" };
  if (path.includes("&")) return { without: "the name of the file is fixed: write one list for each" };
  if (WINDOWS.test(path)) return { without: "a path of Windows: choose a file for fname" };
  return path.startsWith("/")
    ? { value: path }
    : { value: path, why: "relative to the main file, no longer to Transfer CFT's runtime directory" };
}

function fileName(object: Source): string {
  const value = object.given.get("FNAME")?.value;
  return value === undefined ? "" : (texts(value)[0]?.text.trim() ?? "");
}

const listFile: Converter = (_, { site, object }) => {
  const result = fileOfList(object);
  if (!("without" in result))
    site.todo.push(
      `${object.title}: put its file at ${String(result.value)}, with partners as they are called here`,
    );
  return result;
};

export const DEST: Kind = kind("CFTDEST", "a list of partners", [
  same("ID"),
  to("PART", "part", members),
  to("FNAME", "fname", listFile),
  none("FOR", "lists are for files of this site, not for those that are forwarded", {
    idle: ["LOCAL", "BOTH"],
  }),
  same("NOPART"),
  ...nones("EXEC EXECA EXECPRE", "scripts are not run for lists", { idle: ["DEST", "PART", "CHILDREN"] }),
]);

export const LIST_KINDS: readonly Kind[] = [AUTH, IDF, DEST];
