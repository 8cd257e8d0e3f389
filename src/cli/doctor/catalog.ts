/** The catalog: can it be opened by this program, is it sound; and what stands in work/ that no record knows. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { RESTORE_MARK } from "../../backup/layout.ts";
import { type Check, type Finding, finding } from "./finding.ts";

/** How many are named. */
const NAMED = 3;

export const checkCatalog: Check = async ({ catalog, places }) => {
  if (catalog === null) return [];
  const { version, known, damage } = catalog;
  const text = `${places.catalog}: schema version ${version}, this program knows ${known}`;
  if (damage.length > 0) {
    const action =
      "Stop the gateway, keep a copy of the file, and restore the newest backup: docs/operation.md.";
    return [finding("catalog", "fail", `${places.catalog} is damaged: ${damage.join("; ")}`, action)];
  }
  if (version > known) {
    const action = "Run the newer program, or restore the catalog from before its upgrade.";
    return [finding("catalog", "fail", text, action)];
  }
  if (version < known) return [finding("catalog", "ok", `${text}: the next start brings it up`)];
  return [finding("catalog", "ok", text)];
};

export const checkWork: Check = async ({ catalog, places, status }) => {
  const findings: Finding[] = [];
  const { rundir } = places;
  const top: string[] = await readdir(rundir).catch(() => []);
  if (top.includes(RESTORE_MARK)) {
    const text = `a restore into ${rundir} was cut off`;
    findings.push(finding("work", "fail", text, "Run cygnet restore --force with the same backup again."));
  }
  if (catalog === null) return findings;
  const orphans: string[] = [];
  for (const folder of ["recv", "outbox", "relay", "."]) {
    const directory = join(rundir, "work", folder);
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      // records name files by their own number; forms of a file stand beside it
      if (!entry.isFile() || !/^\d{8}(\.|$)/.test(entry.name)) continue;
      const path = join(directory, entry.name.slice(0, 8));
      if (!catalog.workfiles.has(path) && !isForm(catalog.workfiles, entry.name)) orphans.push(path);
    }
  }
  const missing = status ? [] : await lost(catalog.workfiles);
  if (missing.length > 0) {
    const text = `${missing.length} work files of records are gone: ${some(missing)}`;
    findings.push(
      finding("work", "warn", text, "cygnet display IDTU; drop the files again where they were to be sent."),
    );
  }
  if (orphans.length > 0) {
    const text = `${orphans.length} files in work belong to no record: ${some(orphans)}`;
    const action = status
      ? "If they are still there in an hour: move them away and look at them."
      : "Those in work/recv go at the next start; move the others away and look at them.";
    findings.push(finding("work", "warn", text, action));
  }
  if (findings.length > 0) return findings;
  return [finding("work", "ok", `${catalog.workfiles.size} files are under way, none without a record`)];
};

function isForm(workfiles: ReadonlyMap<string, string>, name: string): boolean {
  const idtu = name.slice(0, 8);
  return [...workfiles].some(([path, owner]) => owner === idtu || basename(path).startsWith(idtu));
}

async function lost(workfiles: ReadonlyMap<string, string>): Promise<string[]> {
  const folders = new Map<string, Set<string>>();
  const missing: string[] = [];
  for (const [path, idtu] of workfiles) {
    const folder = join(path, "..");
    const names = folders.get(folder) ?? new Set(await readdir(folder).catch(() => []));
    folders.set(folder, names);
    if (!names.has(basename(path))) missing.push(`${idtu} ${path}`);
  }
  return missing;
}

function some(paths: readonly string[]): string {
  return paths.slice(0, NAMED).join(", ") + (paths.length > NAMED ? ", …" : "");
}
