/** What follows from all drafts together: certificates that are named, references, keys that must be there. */
import type { Draft } from "./draft.ts";
import { type Source, word } from "./objects.ts";
import type { Site } from "./site.ts";

export function finish(site: Site): void {
  addSite(site);
  addCertificates(site);
  addFolderFlows(site);
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

/** A flow that a folder names needs no template in Transfer CFT: the default's values serve under its name. */
function addFolderFlows(site: Site): void {
  const flows = new Set(site.drafts.filter(({ table }) => table === "cftsend").map(({ id }) => id));
  for (const folder of site.drafts.filter(({ table }) => table === "cftfolder")) {
    const idf = folder.values.get("idf");
    if (typeof idf !== "string" || idf.startsWith("(") || flows.has(idf)) continue;
    flows.add(idf);
    const draft = site.draft("cftsend", `flow ${idf} of cftfolder ${folder.id}, which has no CFTSEND`);
    draft.set("id", idf);
    draft.set(
      "nfname",
      "&IDF",
      "Transfer CFT sends the flow's network name as the virtual file name over OFTP",
    );
  }
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
