/** What an operator asks for: send a file from anywhere, start a transfer again. */
import { randomUUID } from "node:crypto";
import { basename, isAbsolute, join } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import { NERP_REASONS } from "../messages/codes.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import { CygnetError } from "../platform/errors.ts";
import { syncParent } from "../platform/filesystem.ts";
import type { Verdict } from "./deliveries.ts";
import { describeSend, holdReason } from "./outboxes.ts";
import { end, type Scripted } from "./scripts/conclusion.ts";
import { keys, type Site } from "./site.ts";

const PIECE = 1024 * 1024;

/**
 * Sends a copy of a file; the file itself stays where it is.
 * @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_FILE, or what the spool says
 */
export async function submitFile(
  site: Site,
  request: { part: string; idf?: string; nfname?: string; file: string },
  user = "operator",
): Promise<Transfer> {
  const { configuration, disk, spool, catalog, journal } = site;
  const part = configuration.cftpart.get(request.part);
  if (part === undefined) {
    const known = [...configuration.cftpart.keys()].join(", ");
    throw new CygnetError(
      "CYG_REQUEST_PART",
      `there is no partner ${request.part}; known are ${known || "none"}`,
    );
  }
  if (!isAbsolute(request.file)) {
    throw new CygnetError("CYG_REQUEST_FILE", `${request.file} is not an absolute path`);
  }
  const workdir = join(configuration.cftparm.rundir, "work");
  const folder = join(workdir, "submit", randomUUID());
  await disk.makeDirectory(folder);
  const copy = join(folder, basename(request.file));
  await copyFile(site, request.file, copy).catch(async (error: unknown) => {
    await disk.removeDirectory(folder);
    throw error;
  });
  const status = await disk.status(copy);
  const { mtimeMs } = await disk.status(request.file);
  const send = describeSend(site, part, request.idf ?? "", request.file, mtimeMs, request.nfname);
  const hold = await holdReason(site, part, send.flow);
  const candidate = { path: copy, size: status.size, mtimeMs: status.mtimeMs, ino: status.ino };
  const target = { workdir, archive: "", ...(hold ? { hold } : {}) };
  const claimed = await spool.claim(candidate, send.request, target);
  await catalog.update(claimed.idtu, { fname: request.file });
  await disk.removeDirectory(folder);
  journal.emit("CFTR12I", { ...keys(claimed), cmd: "SEND", user, text: claimed.idtu });
  site.kick();
  return { ...claimed, fname: request.file };
}

async function copyFile({ disk }: Site, from: string, to: string): Promise<void> {
  const status = await disk.status(from).catch((cause: unknown) => {
    throw new CygnetError("CYG_REQUEST_FILE", `${from} cannot be read`, { cause });
  });
  if (status.kind !== "file") throw new CygnetError("CYG_REQUEST_FILE", `${from} is not a file`);
  const source = await disk.open(from, "read");
  try {
    const target = await disk.open(to, "create");
    try {
      const piece = Buffer.allocUnsafeSlow(PIECE);
      for (let at = 0; ; ) {
        const count = await source.read(piece, at);
        if (count === 0) break;
        await target.write([piece.subarray(0, count)], at);
        at += count;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  await syncParent(disk, to);
}

/**
 * Transfer CFT's START: a held or stopped send becomes ready again, with its tries forgotten. What its script has
 * stopped goes on with that script (SUBMIT).
 * @throws CygnetError CYG_REQUEST_STATE when it is not a held or stopped send with its file at hand
 */
export async function startTransfer(site: Site, idtu: string): Promise<Transfer> {
  const { catalog, journal } = site;
  const transfer = await catalog.get(idtu);
  if (transfer === undefined) throw new CygnetError("CYG_REQUEST_STATE", `there is no transfer ${idtu}`);
  if (transfer.script !== "") return submitScript(site, transfer);
  const stopped = transfer.phase === "T" && (transfer.phasestep === "H" || transfer.phasestep === "K");
  if (transfer.direct !== "send" || !stopped) {
    const state = `${transfer.direct} in phase ${transfer.phase} step ${transfer.phasestep}`;
    throw new CygnetError(
      "CYG_REQUEST_STATE",
      `${idtu} is a ${state}; only a held or stopped send can be started`,
    );
  }
  if (transfer.workfile === "") throw new CygnetError("CYG_REQUEST_STATE", `the file of ${idtu} is gone`);
  const part = site.configuration.cftpart.get(transfer.part);
  const flow = site.configuration.cftsend.get(transfer.idf);
  const exchange = exchangeKindOf(transfer.dsn) !== undefined;
  const hold = part && !exchange && (await holdReason(site, part, flow ?? { security: {} }));
  if (hold) throw new CygnetError("CYG_REQUEST_STATE", `${idtu} cannot be started: ${hold.diagc}`);
  await catalog.update(idtu, { phasestep: "D", tries: 0, retryAt: 0, diagi: 0, diagp: "", diagc: "" });
  await catalog.setClock({ part: transfer.part, tries: 0, nextCallAt: 0, diagi: 0, reason: "" });
  journal.emit("CFTR12I", { ...keys(transfer), cmd: "START", user: "operator", text: idtu });
  site.kick();
  return { ...transfer, phasestep: "D" };
}

/**
 * Transfer CFT's SUBMIT: the script at which a transfer has stopped runs again.
 * @throws CygnetError CYG_REQUEST_STATE when the transfer has not stopped at a script
 */
export async function submitScript(site: Site, transfer: Transfer): Promise<Transfer> {
  const { idtu, phase, phasestep } = transfer;
  const ready = { phasestep: "D", diagi: 0, diagp: "", diagc: "" } as const;
  const stopped = transfer.script !== "" && (phasestep === "H" || phasestep === "K");
  if (!stopped || !(await site.catalog.advance(idtu, { phase, phasestep }, ready))) {
    const state = `in phase ${phase} step ${phasestep}`;
    throw new CygnetError(
      "CYG_REQUEST_STATE",
      `${idtu} is ${state}; only a script that has stopped (step H or K) can run again`,
    );
  }
  site.journal.emit("CFTR12I", { ...keys(transfer), cmd: "SUBMIT", user: "operator", text: idtu });
  return { ...transfer, ...ready };
}

/**
 * Transfer CFT's END for the script of a phase: it counts as done, whatever it came to, and the transfer goes on.
 * @throws CygnetError CYG_REQUEST_STATE when the phase has no script
 */
export async function endScript(site: Site, transfer: Transfer): Promise<void> {
  if (transfer.script === "") {
    const text = `${transfer.idtu} is in phase ${transfer.phase} and waits for no script`;
    throw new CygnetError("CYG_REQUEST_STATE", text);
  }
  await end(site, transfer as Scripted);
  site.journal.emit("CFTR12I", { ...keys(transfer), cmd: "END", user: "operator", text: transfer.idtu });
}

/**
 * Transfer CFT's END for a receive whose flow has ackmode = "manual": the response goes out in the next session.
 * @throws CygnetError CYG_REQUEST_STATE, CYG_REQUEST_REASON
 */
export async function endTransfer(site: Site, idtu: string, verdict: Verdict): Promise<Transfer> {
  const transfer = await site.catalog.get(idtu);
  if (transfer === undefined) throw new CygnetError("CYG_REQUEST_STATE", `there is no transfer ${idtu}`);
  if (verdict.reason !== 0 && !NERP_REASONS.has(verdict.reason)) {
    const known = [...NERP_REASONS].join(", ");
    throw new CygnetError("CYG_REQUEST_REASON", `${verdict.reason} is no NERP reason; known are ${known}`);
  }
  if (exchangeKindOf(transfer.dsn)) {
    const text = `${idtu} brought a certificate; "cygnet pki accept" or "cygnet pki refuse" answers it`;
    throw new CygnetError("CYG_REQUEST_STATE", text);
  }
  await site.deliveries.end(transfer, verdict);
  site.journal.emit("CFTR12I", { ...keys(transfer), cmd: "END", user: "operator", text: idtu });
  return { ...transfer, phase: "X", phasestep: "X" };
}
