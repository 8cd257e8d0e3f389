/** What follows from all drafts together: certificates that are named, references, keys that must be there. */
import type { Draft } from "./draft.ts";
import { NETWORK_NAME } from "./flow-form.ts";
import { type Source, word } from "./objects.ts";
import type { Site } from "./site.ts";

export function finish(site: Site): void {
  addSite(site);
  addCertificates(site);
  addFlows(site);
  dropConversions(site);
  dropIncomplete(site);
  dropSame(site);
}

function addSite(site: Site): void {
  if (site.drafts.some(({ table }) => table === "cftparm")) return;
  const draft = site.draft("cftparm", "no CFTPARM in the extract");
  draft.set("part", "SITE", "choose a name for this site");
  site.todo.push("the extract has no CFTPARM: set part and npart of [cftparm]");
}

/** Certificates that profiles name and the extract does not have. */
function addCertificates(site: Site): void {
  const known = new Set(site.drafts.filter(({ table }) => table === "pki").map(({ id }) => id));
  for (const profile of site.drafts.filter(({ table }) => table === "cftssl")) {
    const own = profile.values.get("usercid");
    const roots = profile.values.get("rootcid");
    const named = [...(own ? [String(own)] : []), ...(Array.isArray(roots) ? roots.map(String) : [])];
    for (const id of named) {
      if (known.has(id)) continue;
      known.add(id);
      const name = `pki/${id.toLowerCase()}`;
      const draft = site.draft("pki", `certificate ${id} of Transfer CFT's PKI base`);
      draft.set("id", id);
      draft.set("file", `${name}.pem`);
      if (id === own) draft.set("key", `${name}.key`);
      else draft.set("usage", ["ca"]);
      const files = id === own ? `${name}.pem and its key at ${name}.key` : `${name}.pem`;
      site.todo.push(`export certificate ${id} with PKIUTIL PKIEXT and put it at ${files}`);
    }
  }
}

/** A flow that is only named needs no template in Transfer CFT: the default's values serve under its name. */
function addFlows(site: Site): void {
  const ids = (table: string) =>
    new Set(site.drafts.filter((draft) => draft.table === table).map(({ id }) => id));
  const known: Record<string, Set<string>> = { cftsend: ids("cftsend"), cftrecv: ids("cftrecv") };
  const named = site.drafts.filter(
    ({ table, values }) => table === "cftidf" && values.get("type") === "send",
  );
  const sentUnder = new Set(named.map(({ id }) => id));
  const standard = String(
    site.drafts.find(({ table }) => table === "cftparm")?.values.get("default") ?? "DEFAULT",
  );
  for (const { user, table, id } of namedFlows(site)) {
    if (id === standard || known[table]?.has(id)) continue;
    known[table]?.add(id);
    const template = site.drafts.find((draft) => draft.table === table && draft.id === standard);
    const object = table === "cftsend" ? "CFTSEND" : "CFTRECV";
    const draft = site.draft(table, `flow ${id} of ${user}, which has no ${object}: the default's values`);
    draft.set("id", id);
    for (const [key, value] of template?.values ?? []) if (key !== "id") draft.set(key, value);
    if (table === "cftsend") draft.set("nfname", sentUnder.has(id) ? "&NIDF" : "&IDF", NETWORK_NAME);
  }
}

/** Flows that folders, partners and network names refer to. */
function namedFlows(site: Site): { user: string; table: "cftsend" | "cftrecv"; id: string }[] {
  return site.drafts.flatMap((draft) => {
    const user = `${draft.table} ${draft.id}`;
    const idf = draft.values.get("idf");
    if (draft.table === "cftidf") {
      const table = draft.values.get("type") === "send" ? ("cftsend" as const) : ("cftrecv" as const);
      return lacking(site, draft).length > 0 ? [] : [{ user: "a cftidf", table, id: draft.id }];
    }
    const names = draft.table === "cftfolder" || draft.table === "cftpart";
    if (!names || typeof idf !== "string" || idf === "" || idf.startsWith("(")) return [];
    return [{ user, table: "cftsend" as const, id: idf }];
  });
}

/** xlate of flows whose CFTXLATE could not be carried over. */
function dropConversions(site: Site): void {
  const whole = site.drafts.filter(
    (draft) => draft.table === "cftxlate" && lacking(site, draft).length === 0,
  );
  const known = new Set<unknown>(whole.map(({ id }) => id));
  for (const object of [...site.of("CFTSEND"), ...site.of("CFTRECV")]) {
    const draft = site.draftOf(object);
    const xlate = draft?.values.get("xlate");
    if (!draft || xlate === undefined || known.has(xlate)) continue;
    draft.values.delete("xlate");
    site.tell(
      "without",
      object,
      "XLATE",
      "",
      `write a [[cftxlate]] with id = "${String(xlate)}" and name it in xlate`,
    );
    site.todo.push(`name the charsets of ${object.title} in a cftxlate (XLATE=${word(object, "XLATE")})`);
  }
}

function lacking(site: Site, draft: Draft): string[] {
  const required = site.keys.tables.get(draft.table)?.required ?? [];
  return required.filter((key) => !draft.values.has(key));
}

/** An object without a key that it must have cannot be written. */
function dropIncomplete(site: Site): void {
  for (let index = site.drafts.length - 1; index >= 0; index -= 1) {
    const draft = site.drafts[index] as Draft;
    const missing = lacking(site, draft);
    if (missing.length === 0) continue;
    site.drafts.splice(index, 1);
    const object = site.sourceOf(draft);
    if (!object) continue;
    drop(site, object, object.kind.why || `it cannot be written without ${missing.join(" and ")}`);
    if (object.kind.todo) site.todo.push(`${object.title}: ${object.kind.todo}`);
  }
}

/** Objects that Transfer CFT tells apart by a parameter without counterpart: the last one stays. */
function dropSame(site: Site): void {
  const seen = new Set<string>();
  for (let index = site.drafts.length - 1; index >= 0; index -= 1) {
    const draft = site.drafts[index] as Draft;
    const object = site.sourceOf(draft);
    const keys = (object?.kind.identity ?? [["ID", ""]]).map(([parameter]) => parameter.toLowerCase());
    const name = [draft.table, ...keys.map((key) => JSON.stringify(draft.values.get(key) ?? ""))].join("/");
    if (object && seen.has(name)) {
      site.drafts.splice(index, 1);
      drop(site, object, "another object has the same id and only differs in what has no counterpart here");
    } else seen.add(name);
  }
}

function drop(site: Site, object: Source, why: string): void {
  site.tell("without", object, "", "", why);
  for (const parameter of object.given.keys()) site.tell("without", object, parameter, "", why);
}
