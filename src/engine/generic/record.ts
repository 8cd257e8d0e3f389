/**
 * Generic records: parents of others that go over no line themselves. A list of files waits in T/H with DIAGP LIST_FI until
 * its last child has ended; a cycle waits there with MIN CYC, DAY CYC or MON CYC for its next time.
 */
import { basename } from "node:path";
import type { Changes, Generic, Transfer } from "../../catalog/catalog.ts";
import type { Action } from "../../catalog/transitions.ts";
import { datasetName } from "../../spool/names.ts";
import type { Site } from "../site.ts";
import { pathOf } from "./files.ts";

/** DIAGI of a parent with a child that stopped. */
export const CHILD_STOPPED = 200;

/** What Transfer CFT writes into DIAGP. */
export function labelOf(generic: Generic): string {
  if (generic.kind === "list") return "LIST_FI";
  return { min: "MIN CYC", day: "DAY CYC", month: "MON CYC" }[generic.period];
}

export interface NewGeneric {
  /** Partner or list of partners. */
  part: string;
  idf: string;
  generic: Generic;
  /** When a cycle has its first time, and until when it goes on; 0 = for ever. */
  retryAt?: number;
  deadline?: number;
  /** The cycle that it is a turn of. */
  parent?: Parent;
}

/** Whose child a record is, and of a cycle which turn: see `NewSend.turn`. */
export interface Parent {
  pidtu: string;
  member?: "list";
  turn?: { from: number; to: number };
}

/** Records a generic one. */
export function recordGeneric(
  { catalog, configuration }: Site,
  { part, idf, generic, retryAt = 0, deadline = 0, parent }: NewGeneric,
): Promise<Transfer> {
  const { recipe } = generic;
  const fname = recipe.file;
  return catalog.addSend(
    {
      ...{ part, idf, fname, nfname: recipe.nfname ?? "", dsn: datasetName(basename(pathOf(fname))) },
      // never on the line: the partner itself, in the place of a station
      ...{ orig: configuration.cftparm.npart, dest: part, description: "", pri: 0, ackstate: "require" },
      ...{ coarse: false, security: null, format: "U", lrecl: 0, filesize: 0, retryAt, deadline, generic },
      spool: { step: "claimed", source: "", archive: "" },
      ...parent,
    },
    { step: "H", diagi: 0, diagp: labelOf(generic), diagc: "" },
  );
}

/**
 * What an operator's command makes of a generic record; undefined where it does not apply. A cycle that waits is begun at
 * once by START, one that was stopped goes on with its next time.
 */
export function steered(
  { generic, phase, diagi, retryAt }: Transfer,
  action: Action,
  now: number,
): Changes | undefined {
  if (generic === null || phase !== "T") return undefined;
  if (action === "halt") return { phasestep: "H" };
  if (action === "keep") return { phasestep: "K" };
  if (action !== "start") return undefined;
  const waits = diagi === 0 && generic.kind === "cycle";
  return {
    ...{ phasestep: "H", diagi: 0, diagp: labelOf(generic), diagc: "" },
    retryAt: waits ? Math.min(now, retryAt) : retryAt,
  };
}
