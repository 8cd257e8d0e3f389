/**
 * Several files by one request: a child for each of them.
 *
 * Invariant: a file becomes one child, whatever moment a crash chooses; what is missing is made at the next look.
 */
import type { Generic, Transfer } from "../../catalog/catalog.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { spoolDiagnostic } from "../../spool/faults.ts";
import { nextOfSend } from "../phases.ts";
import { keys, type Site } from "../site.ts";
import { sendFlow } from "../submission.ts";
import { submitOne } from "../submit-one.ts";
import { filesOf, NoFiles, pathOf } from "./files.ts";
import { recipePaths } from "./recipe.ts";
import { CHILD_STOPPED, labelOf } from "./record.ts";

export type ListRecord = Transfer & { generic: Extract<Generic, { kind: "list" }> };

const MOST = 1_000_000;
/** Messages of a request for several files that comes to none, and of one whose flow ignores that. */
const MESSAGES: Readonly<Record<number, readonly [error: string, warning: string]>> = {
  110: ["CFTF02E", "CFTF02W"],
  132: ["CFTT34E", "CFTT34E"],
  150: ["CFTT44E", "CFTT44W"],
};

/**
 * Makes the children that are not there yet, or looks how they stand and ends with the last of them.
 * @returns how many there are, where it waits for them: counting takes time
 */
export async function reviewList(site: Site, list: ListRecord): Promise<number> {
  // its scripts have their own way from there
  if (list.phase !== "T") return 0;
  if (list.generic.children === undefined) {
    await expand(site, list);
    return 0;
  }
  const { catalog, clock, configuration } = site;
  const { all, ended, refused, stuck } = await catalog.children(list.idtu);
  if (ended < all) {
    const now = stuck > 0 ? ({ phasestep: "K", diagi: CHILD_STOPPED } as const) : WAITING;
    if (now.phasestep !== list.phasestep) await catalog.transition(list.idtu, list, now);
    return all;
  }
  const { ackstate } = sendFlow(configuration, list.idf).flow;
  const ack = refused > 0 ? ("N" as const) : ackstate === "require" ? ("A" as const) : ("" as const);
  const edate = clock.now();
  const next = nextOfSend(configuration, { ...list, ack, ackstate: "ignore" }, "data", edate);
  await catalog.transition(list.idtu, list, { ...next, ack, ackstate: "ignore", diagi: 0, edate });
  return 0;
}

const WAITING = { phasestep: "H", diagi: 0 } as const;
const ENDED = { phase: "X", phasestep: "X" } as const;

async function expand(site: Site, list: ListRecord): Promise<void> {
  const { catalog, configuration, disk, clock } = site;
  const { idtu, idf, generic } = list;
  try {
    const { file, selfname } = recipePaths(site, list, generic.recipe);
    const files = await filesOf(disk, pathOf(file), selfname);
    const there = new Set((await catalog.list({ pidtu: idtu, limit: MOST })).map(({ fname }) => fname));
    for (const path of files) {
      if (there.has(path)) continue;
      if (site.stopping || !(await isWanted(site, idtu))) return;
      const { part } = list;
      await submitOne(
        site,
        { part, idf, path, recipe: generic.recipe, parent: { pidtu: idtu, member: "list" } },
        `list ${idtu}`,
      );
    }
    const children = files.length;
    const diagc = `${children} files`;
    await catalog.transition(idtu, list, { diagc, generic: { ...generic, children } });
    site.kick();
  } catch (error) {
    // a full disk is waited for
    if (site.stopping || (error instanceof CygnetError && error.code === "CYG_DISK_LOW")) throw error;
    const diagc = describe(error);
    const diagi = error instanceof NoFiles ? error.diagi : spoolDiagnostic(error);
    const { filenotfound } = sendFlow(configuration, idf).flow;
    const ignored = error instanceof NoFiles && diagi !== 132 && filenotfound === "ignore";
    const left = ignored ? { ...ENDED, edate: clock.now() } : ({ phasestep: "K" } as const);
    const done = await catalog.transition(idtu, list, { ...left, diagi, diagp: labelOf(generic), diagc });
    if (!done) return;
    const [id, warning] = MESSAGES[diagi] ?? ["CFTT82E", "CFTT82E"];
    site.journal.emit(ignored ? warning : id, {
      ...keys(list),
      phase: "T",
      dir: list.fname,
      diagi,
      diagc,
      text: diagc,
    });
  }
}

/** False once somebody has stopped or deleted the request. */
async function isWanted({ catalog }: Site, idtu: string): Promise<boolean> {
  const now = await catalog.get(idtu);
  return now !== undefined && now.phase === "T" && (now.diagi === 0 || now.diagi === CHILD_STOPPED);
}
