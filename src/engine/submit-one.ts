/** One file that was asked for becomes a transfer, or where nobody waits for the answer, a record of why it does not. */
import type { Original, Recipe, Transfer } from "../catalog/catalog.ts";
import type { Dest, Part } from "../config/model.ts";
import { parseActivation, parseDay } from "../config/units.ts";
import { CygnetError } from "../platform/errors.ts";
import type { FileStatus } from "../platform/filesystem.ts";
import type { Spool } from "../spool/spool.ts";
import { describeBroadcast } from "./broadcast.ts";
import { type Copy, inWorkingDirectory, makeCopy, Unsendable } from "./copies.ts";
import type { Parent } from "./generic/record.ts";
import { tellRecorded } from "./recorded.ts";
import { keys, type Site } from "./site.ts";
import { type Asked, describeSend, sendFlow } from "./submission.ts";

/** A file, whom it is for, and how it was asked for. */
export interface Single {
  /** Partner or list of partners. */
  part: string;
  idf: string;
  /** Absolute; of an upload the name alone. */
  path: string;
  recipe: Pick<Recipe, "nfname" | "state" | "mindate" | "mintime" | "maxdate" | "maxtime">;
  /** The generic record that it is a child of; then a file that cannot be sent leaves a record. */
  parent?: Parent;
}

/** Whom an id means: a partner, or several. */
export function addressee(site: Site, id: string): { part?: Part; dest?: Dest } {
  const { cftpart, cftdest } = site.configuration;
  const part = cftpart.get(id);
  const dest = cftdest.get(id);
  if (part) return { part };
  if (dest) return { dest };
  const known = [...cftpart.keys(), ...cftdest.keys()].join(", ");
  throw new CygnetError("CYG_REQUEST_PART", `there is no partner ${id}; known are ${known || "none"}`);
}

/**
 * Records a copy of the file.
 * @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_FILE, CYG_REQUEST_OUTSIDE, CYG_REQUEST_CHANGED, or what the spool says
 */
export async function submitOne(site: Site, single: Single, user: string): Promise<Transfer> {
  const { configuration } = site;
  const { path, parent } = single;
  const { part } = addressee(site, single.part);
  const { id: idf, flow } = sendFlow(configuration, single.idf, part);
  let copy: Copy;
  try {
    const { workingdir } = flow;
    await inWorkingDirectory(site, { flow: idf, workingdir, file: path });
    copy = await makeCopy(site, path, flow.fdisp === "check");
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    const ignored = error.diagi === 110 && flow.filenotfound === "ignore";
    if (parent || ignored) return recordUnsent(site, { ...single, idf }, error, { ignored, user });
    if (error.diagi === 145) {
      const { diagi, message: text } = error;
      site.journal.emit("CFTF46E", { idtu: "", part: single.part, idf, fname: path, diagi, text });
    }
    throw error;
  }
  return submitCopy(site, { ...single, idf }, copy, user);
}

/** Records a copy that has been made, as what `single` says. */
export async function submitCopy(site: Site, single: Single, copy: Copy, user: string): Promise<Transfer> {
  const claim = await claimOf(site, single, copy).catch(async (error: unknown) => {
    await copy.forget();
    throw error;
  });
  try {
    const claimed = await site.spool.claim(...claim);
    tellRecorded(site, claimed, user);
    site.kick();
    await copy.forget();
    return claimed;
  } catch (error) {
    // a record that was made has the copy claimed at the next start
    if (error instanceof CygnetError && error.code.startsWith("CYG_CATALOG")) await copy.forget();
    throw error;
  }
}

/** How the spool is to claim a copy. */
async function claimOf(site: Site, single: Single, copy: Copy): Promise<Parameters<Spool["claim"]>> {
  const { configuration, disk } = site;
  const { path, parent } = single;
  const { size, mtimeMs, ino } = await disk.status(copy.path);
  const { request, hold, keep } = await described(site, single, copy.mtimeMs);
  const workdir = `${configuration.cftparm.rundir}/work`;
  const original = copy.original && originalOf(site, single, copy.original);
  const to = {
    ...{ workdir, archive: "", fname: path, ...keep },
    ...(hold ? { hold } : {}),
    ...(original ? { original } : {}),
  };
  return [{ path: copy.path, size, mtimeMs, ino }, { ...request, ...parent }, to];
}

/** What is recorded, for one partner or for the parent of a broadcast. */
async function described(site: Site, { part: id, idf, path, recipe }: Single, mtimeMs: number) {
  const { part, dest } = addressee(site, id);
  if (part) return describeSend(site, part, idf, path, mtimeMs, askedOf(recipe));
  return { ...describeBroadcast(site, dest as Dest, idf, path, recipe.nfname), keep: undefined };
}

/** What is done with the file in the end; one that goes to many partners stays. */
function originalOf(
  { configuration }: Site,
  { part: id, idf, path }: Single,
  { ino, size, mtimeMs }: FileStatus,
): Original | undefined {
  const part = configuration.cftpart.get(id);
  const { faction } = sendFlow(configuration, idf, part).flow;
  if (part === undefined || faction === "none") return undefined;
  // its copy is what the archive gets
  return { path, ino: String(ino), size, mtimeMs, action: faction === "erase" ? "erase" : "delete" };
}

/** A file that is not sent, for those who look later; one that is not there may be none that anybody misses. */
async function recordUnsent(
  site: Site,
  single: Single,
  { step, diagi, message: diagc }: Unsendable,
  { ignored, user }: { ignored: boolean; user: string },
): Promise<Transfer> {
  const { catalog, clock, journal } = site;
  const { path, parent } = single;
  const { request } = await described(site, single, clock.now());
  const about = { ...request, ...parent, fname: path, filesize: 0, script: "" as const, dupkey: "" };
  const spool = { step: "claimed" as const, source: "", archive: "" };
  const held = { step, diagi, diagp: diagi === 110 ? "NO FILE" : "", diagc };
  // what nobody misses holds up nobody
  const send = ignored ? { ...about, spool, serial: "" as const } : { ...about, spool };
  const transfer = await catalog.addSend(send, held);
  if (!ignored) {
    tellRecorded(site, transfer, user);
    return transfer;
  }
  const ended = { phase: "X", phasestep: "X", edate: clock.now() } as const;
  await catalog.transition(transfer.idtu, transfer, ended);
  journal.emit("CFTR12I", { ...keys(transfer), cmd: "SEND", user, text: transfer.idtu });
  journal.emit("CFTF02W", { ...keys(transfer), fname: path, diagi, text: diagc });
  return { ...transfer, ...ended };
}

/**
 * What a request says over its flow.
 * @throws CygnetError CYG_REQUEST_DATE for what is no day or time
 */
export function askedOf({ nfname, state, ...slot }: Single["recipe"]): Asked {
  const asked: Asked = { ...(nfname ? { nfname } : {}), ...(state ? { state } : {}) };
  for (const key of ["mindate", "maxdate"] as const) {
    const text = slot[key];
    if (text !== undefined) asked[key] = parseDay(text) ?? wrong(key, text, '"2026-12-31" or "+1"');
  }
  for (const key of ["mintime", "maxtime"] as const) {
    const text = slot[key];
    if (text !== undefined) asked[key] = parseActivation(text) ?? wrong(key, text, '"20:00" or "+90"');
  }
  return asked;
}

function wrong(key: string, text: string, examples: string): never {
  throw new CygnetError("CYG_REQUEST_DATE", `${key}: found "${text}"; examples: ${examples}`);
}
