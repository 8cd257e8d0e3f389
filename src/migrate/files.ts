/** The files of the new configuration: one main file, one for each partner. */
import type { KeySchema } from "../config/schemas.ts";
import type { Draft } from "./draft.ts";
import type { Site } from "./site.ts";
import { commentLine, tomlObject } from "./toml.ts";

export interface OutputFile {
  /** Relative to the folder of the configuration. */
  path: string;
  text: string;
  /** Only the owner may read it. */
  secret: boolean;
}

/** Name of the main file. */
export const MAIN_FILE = "cygnet.toml";
const PARTNERS = "partners.d";

export function outputFiles(site: Site, sources: readonly string[]): OutputFile[] {
  const order = [...site.keys.tables.keys()];
  const rank = ({ table }: Draft) => order.indexOf(table);
  const homes = homesOf(site);
  const files = new Map<string, Draft[]>();
  for (const draft of [...site.drafts].sort((a, b) => rank(a) - rank(b))) {
    const part = homes.get(draft);
    const path = part === undefined ? MAIN_FILE : `${PARTNERS}/${part.toLowerCase()}.toml`;
    const drafts = files.get(path);
    if (drafts) drafts.push(draft);
    else files.set(path, [draft]);
  }
  const from = sources.join(", ");
  const main = files.get(MAIN_FILE) ?? [];
  files.delete(MAIN_FILE);
  const header = [
    commentLine(
      `Made by "cygnet migrate" from ${from}. What could not be carried over stands in its report.`,
    ),
    "# All tables and keys: docs/configuration.md.",
    "",
    `include = ["${PARTNERS}"]           # every *.toml there belongs to the configuration: one file per partner`,
    "",
  ];
  const output = [{ path: MAIN_FILE, text: render(site, header, main), secret: false }];
  for (const [path, drafts] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const title = commentLine(
      `Partner ${path.slice(PARTNERS.length + 1, -5)}, made by "cygnet migrate" from ${from}.`,
    );
    output.push({ path, text: render(site, [title, ""], drafts), secret: false });
  }
  for (const [path, text] of site.secrets) output.push({ path, text: `${text}\n`, secret: true });
  return output;
}

/** Partner whose file an object belongs to. Profiles that serve one partner alone go with it. */
function homesOf(site: Site): Map<Draft, string> {
  const homes = new Map<Draft, string>();
  const profiles = new Map<string, Set<string>>();
  const users = (id: unknown, user: string) => {
    if (typeof id === "string") profiles.set(id, (profiles.get(id) ?? new Set()).add(user));
  };
  for (const draft of site.drafts) {
    if (draft.table === "cftpart") users(draft.values.get("ssl"), draft.id);
    else if (draft.table === "cftprot") users(draft.values.get("ssl"), "");
  }
  for (const draft of site.drafts) {
    const part = draft.values.get("part");
    if (draft.table === "cftpart" || draft.table === "cfttcp") homes.set(draft, draft.id);
    else if (draft.table === "cftidf" && typeof part === "string" && part !== "") homes.set(draft, part);
    else if (draft.table === "cftssl") {
      const [user, ...more] = profiles.get(draft.id) ?? [""];
      if (user && more.length === 0) homes.set(draft, user);
    }
  }
  return homes;
}

function render(site: Site, header: readonly string[], drafts: readonly Draft[]): string {
  const explained = new Set<string>();
  const lines = drafts.flatMap((draft) => {
    const table = site.keys.tables.get(draft.table);
    const keys = new Map<string, KeySchema>();
    for (const key of draft.values.keys()) {
      const schema = site.keys.key(draft.table, key);
      if (schema) keys.set(key, schema);
    }
    return tomlObject(draft, table?.["x-single"] === true, keys, explained);
  });
  return `${[...header, ...lines].join("\n").trimEnd()}\n`;
}
