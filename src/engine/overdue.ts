/** What has taken too long: slots that were missed, responses that do not come, transfers that run on, records of old. */
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError } from "../platform/errors.ts";
import { act } from "./actions.ts";
import { keys, type Site } from "./site.ts";

const MOST = 10_000;
const MISSED = { diagi: 414, diagp: "OUT TIME", diagc: "its time to begin (maxdate, maxtime) is over" };

/** Looks once. Transfers that somebody is faster with are left to the next look. */
export async function endOverdue(site: Site): Promise<void> {
  const now = site.clock.now();
  for (const transfer of await site.catalog.stopLate(now, MISSED)) {
    site.journal.emit("CFTT82E", { ...keys(transfer), ...MISSED });
  }
  for (const flow of site.configuration.cftsend.values()) {
    if (flow.delete) await deleteEnded(site, flow.id);
    if (flow.acktimeout > 0) await endWaiting(site, flow.id, now - flow.acktimeout);
    if (flow.pretimeout > 0) await endPreparing(site, flow.id, now - flow.pretimeout);
    if (flow.maxduration > 0) await endRunning(site, flow.id, now - flow.maxduration);
  }
}

/** Sends of a flow whose response has not come since `before` stop (Z/K); it may still come. */
async function endWaiting(site: Site, idf: string, before: number): Promise<void> {
  const waiting = await site.catalog.list({ idf, direct: "send", phase: "Z", phasestep: "H", limit: MOST });
  for (const transfer of waiting) {
    if ((transfer.edate ?? transfer.kdate) >= before) continue;
    const why = { diagi: 244, diagp: "ACKTIMEOUT", diagc: "the end-to-end response has not come in time" };
    const stopped = await site.catalog.transition(transfer.idtu, transfer, { phasestep: "K", ...why });
    if (stopped) site.journal.emit("CFTT82E", { ...keys(transfer), ...why });
  }
}

/** Sends of a flow whose script has not let them go since `before` stop (A/K). */
async function endPreparing(site: Site, idf: string, before: number): Promise<void> {
  for (const phasestep of ["C", "D"] as const) {
    const slow = { idf, direct: "send", phase: "A", phasestep, until: before, limit: MOST } as const;
    for (const { idtu } of await site.catalog.list(slow)) {
      await unlessTooLate(act(site, { action: "keep", text: "phase A took longer than pretimeout" }, idtu));
    }
  }
}

/** Transfers of a flow that have run since `before` are cut. */
async function endRunning(site: Site, idf: string, before: number): Promise<void> {
  for (const transfer of await site.catalog.list({ idf, direct: "send", state: "C", limit: MOST })) {
    if ((transfer.bdate ?? before) >= before) continue;
    await unlessTooLate(act(site, { action: "keep", text: "it ran longer than maxduration" }, transfer.idtu));
  }
}

/** Records of a flow that keeps none (DELETE = YES) go when the transfer has ended. */
async function deleteEnded(site: Site, idf: string): Promise<void> {
  for (const { idtu } of await site.catalog.finished(idf, MOST)) {
    await unlessTooLate(act(site, { action: "delete", user: `flow ${idf}` }, idtu));
  }
}

/**
 * Deletes ended transfers whose file goes with the record (FDELETE), as old as the catalog keeps them: everything else that
 * has ended goes in one go.
 */
export async function deleteWithFiles(site: Site): Promise<number> {
  const { cftsend, cftrecv, cftcat } = site.configuration;
  const now = site.clock.now();
  let deleted = 0;
  for (const [direct, flows, kept] of [
    ["send", cftsend, cftcat.sx],
    ["recv", cftrecv, cftcat.rx],
  ] as const) {
    for (const { id: idf, fdelete } of flows.values()) {
      if (fdelete !== "*" && !fdelete.includes("X")) continue;
      const until = now - kept;
      const old = await site.catalog.list({ direct, idf, state: "X", until, limit: MOST });
      for (const { idtu, edate } of old) {
        if ((edate ?? now) < until)
          deleted += (await unlessTooLate(act(site, DROP, idtu))) === undefined ? 0 : 1;
      }
    }
  }
  return deleted;
}

const DROP = { action: "delete", user: "purge" } as const;

/** Deletes sends that nobody has wanted for as long as the catalog keeps them (SH, ST); their files stay in failed. */
export async function deleteOld(site: Site): Promise<number> {
  const { sh, st } = site.configuration.cftcat;
  const now = site.clock.now();
  const rows: [state: string, kept: number][] = [
    ["H", sh],
    ["K", sh],
    ["Z", st],
  ];
  let deleted = 0;
  for (const [state, kept] of rows) {
    if (kept === 0) continue;
    const old = await site.catalog.list({ direct: "send", state, until: now - kept, limit: MOST });
    // a list ends with its children, a cycle by a command
    for (const { idtu, generic } of old) if (generic === null) deleted += await erased(site, idtu);
  }
  return deleted;
}

async function erased(site: Site, idtu: string): Promise<number> {
  return (await unlessTooLate(act(site, { action: "delete", force: true }, idtu))) === undefined ? 0 : 1;
}

/** A record that has gone on by itself meanwhile is nothing to worry about. */
async function unlessTooLate(work: Promise<Transfer>): Promise<Transfer | undefined> {
  return work.catch((error: unknown) => {
    if (error instanceof CygnetError && error.code === "CYG_REQUEST_STATE") return undefined;
    throw error;
  });
}
