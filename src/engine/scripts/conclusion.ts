/** What the end of a script makes of its transfer: Transfer CFT's END and KEEP. */
import type { Changes, PhaseScript, Transfer } from "../../catalog/catalog.ts";
import { isSystemError } from "../../platform/errors.ts";
import { conclude, putAway } from "../conclude.ts";
import { UNDECIDED } from "../deliveries.ts";
import { insist } from "../insist.ts";
import { nextOfSend } from "../phases.ts";
import { isDecidedByScript, RELAYED } from "../routing.ts";
import { keys, type Site } from "../site.ts";
import type { Outcome } from "./run.ts";
import { verdictOf } from "./verdict.ts";

/** How a send goes on that was recorded with STATE = HOLD or KEEP, by the DIAGP that says so. */
const AFTERWARDS: Readonly<Record<string, "H" | "K">> = { HOLD: "H", KEEP: "K" };

/** A transfer whose phase has a script; one that runs is in step C. */
export type Scripted = Transfer & { script: PhaseScript };

/** Records how the script ended; `left` is what a script leaves that was ended from outside. Nothing happens where somebody has moved the transfer meanwhile. */
export async function concludeScript(
  site: Site,
  transfer: Scripted,
  outcome: Outcome,
  left: Changes = { phasestep: "D" },
): Promise<void> {
  await insist(site, keys(transfer), async () => {
    if (outcome.kind === "stopped") return move(site, transfer, left);
    if (outcome.kind === "done") {
      if (await decided(site, transfer, outcome)) return;
      if (outcome.code === 0) return end(site, transfer);
    }
    return move(site, transfer, { phasestep: "K", ...diagnosisOf(outcome) });
  });
}

/** DIAGI, DIAGP and DIAGC of a script that did not end well. */
export function diagnosisOf(outcome: Exclude<Outcome, { kind: "stopped" }>) {
  if (outcome.kind === "failed") return { diagi: outcome.diagi, diagp: outcome.diagp, diagc: outcome.text };
  const diagc = outcome.lastLine === "" ? "the script wrote nothing" : outcome.lastLine;
  return { diagi: 155, diagp: `EXIT ${outcome.code}`, diagc };
}

/** The script of this phase has done its work, or there is none any more: the transfer goes on. */
export async function end(site: Site, transfer: Scripted): Promise<void> {
  const fresh = (await site.catalog.get(transfer.idtu)) ?? transfer;
  if (transfer.script === "preexec") {
    // the script may have made another file of it
    const size = await sizeOf(site, transfer);
    if (size === null) {
      const diagc = `the script left no file at ${transfer.workfile}`;
      return void (await move(site, transfer, { phasestep: "K", diagi: 104, diagp: "NO FILE", diagc }));
    }
    // what was to be held or kept is so from now on
    const phasestep = fresh.diagi !== 0 ? "D" : (AFTERWARDS[fresh.diagp] ?? "D");
    await move(site, transfer, { phase: "T", phasestep, script: "", filesize: size });
    return site.kick();
  }
  if (transfer.direct === "recv" && transfer.idf === RELAYED) return void (await site.deliveries.goOn(fresh));
  if (transfer.direct === "recv") {
    const open = fresh.ackstate === "require";
    return void (await move(site, transfer, open ? { phase: "Z", phasestep: "H", script: "" } : DONE));
  }
  const next = transfer.script === "exec" ? nextOfSend(site.configuration, fresh, "exec") : DONE;
  if (!(await move(site, transfer, next))) return;
  if (next.phase === "X") await putAway(site, fresh);
  else await conclude(site, transfer);
}

/** The configuration has no such script any more. What only it could have decided waits for an operator. */
export async function skipScript(site: Site, transfer: Scripted): Promise<void> {
  const lost = isDecidedByScript(site.configuration, transfer);
  await insist(site, keys(transfer), () =>
    lost ? move(site, transfer, { phasestep: "K", ...UNDECIDED }) : end(site, transfer),
  );
}

/** Octets of the claimed file; null when it is not there. */
async function sizeOf(site: Site, { workfile }: Transfer): Promise<number | null> {
  try {
    const { size, kind } = await site.disk.status(workfile);
    return kind === "file" ? size : null;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  }
}

const DONE = { phase: "X", phasestep: "X", script: "" } as const satisfies Changes;

/** True when the exit code was the verdict on a received file. */
async function decided(
  site: Site,
  transfer: Scripted,
  { code, lastLine }: Extract<Outcome, { kind: "done" }>,
): Promise<boolean> {
  if (transfer.direct !== "recv") return false;
  const reason = verdictOf(code);
  if (transfer.idf === RELAYED) {
    if (reason === null || reason === 0) return false;
    return site.deliveries.turnBack(transfer, { reason, text: lastLine });
  }
  if (site.deliveries.ackmode(transfer) !== "script") return false;
  const fresh = await site.catalog.get(transfer.idtu);
  if (reason === null || fresh?.ackstate !== "require") return false;
  const text = reason === 0 ? "" : lastLine;
  return site.deliveries.decide(transfer, { reason, text });
}

async function move(site: Site, transfer: Scripted, changes: Changes): Promise<boolean> {
  const { idtu, phase, phasestep } = transfer;
  return site.catalog.advance(idtu, { phase, phasestep }, changes);
}
