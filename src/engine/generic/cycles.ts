/**
 * Requests that are repeated (CYCLE): at each of its times a child is made as by a request of its own.
 *
 * Invariants
 * - A time is taken once: the child is recorded in the same step in which the cycle goes on to its next time.
 * - Times that were missed while nothing ran are taken together, once.
 */
import type { Generic, Transfer } from "../../catalog/catalog.ts";
import { keys, type Site } from "../site.ts";
import { nextOf } from "../slot.ts";
import { submitOne } from "../submit-one.ts";
import { isSeveral } from "./files.ts";
import { recipePaths } from "./recipe.ts";
import { recordGeneric } from "./record.ts";

export type CycleRecord = Transfer & { generic: Extract<Generic, { kind: "cycle" }> };

/** True when there is something to do about a cycle at this time. */
export function isDue({ retryAt, deadline }: CycleRecord, now: number): boolean {
  return retryAt <= now || isOver({ retryAt, deadline });
}

function isOver({ retryAt, deadline }: Pick<Transfer, "retryAt" | "deadline">): boolean {
  return deadline !== 0 && retryAt > deadline;
}

/** Takes the turn of a cycle that is due, or ends it where there is none left. */
export async function takeTurn(site: Site, cycle: CycleRecord): Promise<void> {
  const { catalog, clock, configuration, journal } = site;
  const { idtu, part, idf, retryAt, generic } = cycle;
  const now = clock.now();
  if (isOver(cycle) || (cycle.deadline !== 0 && now > cycle.deadline)) {
    const diagc = "its last time (maxdate) is over";
    await catalog.transition(idtu, cycle, { phase: "X", phasestep: "X", diagc, edate: now });
    return;
  }
  if (!configuration.cftpart.has(part) && !configuration.cftdest.has(part)) {
    const diagc = `there is no partner ${part}`;
    const why = { phasestep: "K", diagi: 408, diagp: "NO PART", diagc } as const;
    if (await catalog.transition(idtu, cycle, why)) journal.emit("CFTT14E", { ...keys(cycle), text: diagc });
    return;
  }
  const { recipe, first } = generic;
  const parent = { pidtu: idtu, turn: { from: retryAt, to: nextOf(generic, first, now) } };
  const user = `cycle ${idtu}`;
  if (isSeveral(recipe.file)) {
    const list = await recordGeneric(site, { part, idf, generic: { kind: "list", recipe }, parent });
    journal.emit("CFTR12I", { ...keys(list), cmd: "SEND", user, text: list.idtu });
    return;
  }
  const { file: path } = recipePaths(site, cycle, recipe);
  await submitOne(site, { part, idf, path, recipe, parent }, user);
}
