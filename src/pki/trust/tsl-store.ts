/**
 * The imported trust list: one PEM file with what the list says about itself in front, so that list and anchors are
 * never of two minds. Beside it stands the list as it came.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CygnetError, describe, isSystemError } from "../../platform/errors.ts";
import { nameLine } from "../material.ts";
import { anchorsOf, type TrustList } from "./tsl.ts";

/** What stands in `rootcid` for the authorities of the imported trust list. */
export const TSL_ID = "@tsl";

/** What is remembered of the list in force; times in ms since 1970 UTC. */
export interface ImportedList {
  sequence: number;
  operator: string;
  issued: number;
  nextUpdate: number | null;
  imported: number;
  /** SHA-256 of the signer's certificate. */
  signer: string;
}

/** PEM file with the anchors; `all` of its material are anchors. */
export function trustListFile(rundir: string): string {
  return join(rundir, "pki", "tsl", "anchors.pem");
}

/** The list in force, or null when none was imported. Errors: CYG_TSL_FILE. */
export async function importedList(rundir: string): Promise<ImportedList | null> {
  const path = trustListFile(rundir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (isSystemError(cause, "ENOENT")) return null;
    throw new CygnetError("CYG_TSL_FILE", `${path} cannot be read: ${describe(cause)}`, { cause });
  }
  const value = (key: string) => new RegExp(`^# ${key}: (.*)$`, "m").exec(text)?.[1] ?? "";
  const [sequence, issued] = [Number(value("sequence")), Date.parse(value("issued"))];
  if (!Number.isSafeInteger(sequence) || sequence < 1 || Number.isNaN(issued)) {
    throw new CygnetError("CYG_TSL_FILE", `${path} is damaged: delete it and import the trust list again`);
  }
  const next = Date.parse(value("next update"));
  return {
    sequence,
    operator: value("operator"),
    issued,
    nextUpdate: Number.isNaN(next) ? null : next,
    imported: Date.parse(value("imported")),
    signer: value("signer"),
  };
}

/** What to say when the next list should have come, or undefined while it need not have. `now`: ms since 1970 UTC. */
export function overdue(
  { sequence, nextUpdate }: Pick<ImportedList, "sequence" | "nextUpdate">,
  now: number,
): string | undefined {
  if (nextUpdate === null || now <= nextUpdate) return undefined;
  const due = iso(nextUpdate).slice(0, 10);
  return `the successor of trust list ${sequence} was due on ${due}; get it and run: cygnet pki tsl import FILE --signer CERTIFICATE`;
}

/**
 * Puts a verified list in force, durable when this resolves.
 * @param text the document that it was read from
 * @throws CygnetError CYG_TSL_OLD for one that is older than the list in force, CYG_TSL_EMPTY, CYG_TSL_FILE
 */
export async function storeList(rundir: string, list: TrustList, text: string, now: number): Promise<void> {
  const before = await importedList(rundir);
  if (before && list.sequence < before.sequence) {
    throw new CygnetError(
      "CYG_TSL_OLD",
      `the list has the sequence number ${list.sequence}, but number ${before.sequence} is in force; an older list is never taken`,
    );
  }
  if (list.issued > now + 24 * 3600_000) {
    throw new CygnetError(
      "CYG_TSL_OLD",
      `the list is dated ${iso(list.issued)}; check the clock of this machine`,
    );
  }
  const anchors = anchorsOf(list);
  if (anchors.length === 0) {
    throw new CygnetError(
      "CYG_TSL_EMPTY",
      "no service of the list is in accord: nobody would be trusted by it",
    );
  }
  const header = [
    "Authorities of the imported trust list, written by cygnet pki tsl import; do not edit.",
    `sequence: ${list.sequence}`,
    `operator: ${list.operator}`,
    `issued: ${iso(list.issued)}`,
    ...(list.nextUpdate === null ? [] : [`next update: ${iso(list.nextUpdate)}`]),
    `imported: ${iso(now)}`,
    `signer: ${list.signer.fingerprint256}`,
  ].map((line) => `# ${line}\n`);
  const blocks = anchors.map(
    (one) => `\n# ${nameLine(one.subject).replaceAll("-----", "")}\n${one.toString()}`,
  );
  const target = trustListFile(rundir);
  await write(join(dirname(target), "list.xml"), text);
  await write(target, `${header.join("")}${blocks.join("")}`);
}

async function write(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    const file = await open(aside, "wx", 0o640);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    const folder = await open(dirname(path), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    await unlink(aside).catch(() => {}); // it may never have come into being
    throw new CygnetError("CYG_TSL_FILE", `${path} cannot be written: ${describe(cause)}`, { cause });
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
