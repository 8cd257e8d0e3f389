/** What an operator asks for: send a file from anywhere, answer for a received one. */
import { randomUUID } from "node:crypto";
import { basename, isAbsolute, join, normalize } from "node:path";
import type { Transfer } from "../catalog/catalog.ts";
import type { Dest, Part, Send } from "../config/model.ts";
import { NERP_REASONS } from "../messages/codes.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { syncParent } from "../platform/filesystem.ts";
import { wayOut } from "../spool/jail.ts";
import { describeBroadcast } from "./broadcast.ts";
import type { Verdict } from "./deliveries.ts";
import { tellRecorded } from "./recorded.ts";
import { tellRefused } from "./refused-commands.ts";
import { end, type Scripted } from "./scripts/conclusion.ts";
import { keys, type Site } from "./site.ts";
import { describeSend } from "./submission.ts";
import { endUndecided, isUndecided } from "./undecided.ts";

const PIECE = 1024 * 1024;
/** How old what is known of the disk may be, ms. */
const FRESH = 1_000;

/** What is to be sent, and how. */
export interface Submission {
  part: string;
  idf?: string;
  nfname?: string;
  /** Absolute path. */
  file: string;
  /** Waiting for its turn, for the partner's call, or for an operator; undefined = as the flow says. */
  state?: Send["state"];
}

/** What is to be sent from nowhere on this machine: its octets come with the request. */
export interface Upload extends Omit<Submission, "file"> {
  /** Name of the file where it came from, without folders. */
  name: string;
  content: AsyncIterable<Buffer>;
}

/**
 * Sends a copy of a file; the file itself stays where it is.
 * @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_FILE, CYG_REQUEST_OUTSIDE, CYG_DISK_LOW, or what the spool says
 */
export async function submitFile(site: Site, request: Submission, user = "operator"): Promise<Transfer> {
  const { file } = request;
  const partner = partnerOf(site, request);
  if (!isAbsolute(file)) throw new CygnetError("CYG_REQUEST_FILE", `${file} is not an absolute path`);
  await inWorkingDirectory(site, request, partner.part?.idf ?? "");
  return submit(site, request, partner, user, async (copy) => {
    await copyFile(site, file, copy);
    return (await site.disk.status(file)).mtimeMs;
  });
}

/**
 * Sends what is uploaded. It counts as received when it is on disk whole; a torn upload leaves nothing behind.
 * @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_FILE, CYG_REQUEST_UPLOAD, or what the spool says
 */
export async function submitUpload(site: Site, upload: Upload, user: string): Promise<Transfer> {
  const { name, content, ...request } = upload;
  if (name === "" || name !== basename(name) || name === "." || name === ".." || name.includes("\0")) {
    throw new CygnetError("CYG_REQUEST_FILE", `"${name}" is no name of a file; folders do not belong to it`);
  }
  const partner = partnerOf(site, request);
  return submit(site, { ...request, file: name }, partner, user, async (copy) => {
    await writeFile(site, whole(content), copy);
    return site.clock.now();
  });
}

/** @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_STATE */
function partnerOf({ configuration }: Site, request: Omit<Submission, "file">): { part?: Part; dest?: Dest } {
  const part = configuration.cftpart.get(request.part);
  const dest = configuration.cftdest.get(request.part);
  if (part) return { part };
  if (dest === undefined) {
    const known = [...configuration.cftpart.keys(), ...configuration.cftdest.keys()].join(", ");
    throw new CygnetError(
      "CYG_REQUEST_PART",
      `there is no partner ${request.part}; known are ${known || "none"}`,
    );
  }
  if (request.state && request.state !== "disp") {
    const text = "a broadcast is sent at once; hold its transfers by the flow (cftsend.state)";
    throw new CygnetError("CYG_REQUEST_STATE", text);
  }
  return { dest };
}

/** `fill` makes the copy that is sent, durable, and gives the time of its last change, ms. */
async function submit(
  site: Site,
  request: Submission,
  { part, dest }: { part?: Part; dest?: Dest },
  user: string,
  fill: (copy: string) => Promise<number>,
): Promise<Transfer> {
  const { configuration, disk, spool, catalog } = site;
  const { file, idf = "" } = request;
  await site.diskSpace.look(FRESH);
  if (site.diskSpace.shortage !== null) {
    throw new CygnetError("CYG_DISK_LOW", `nothing is taken on at present: ${site.diskSpace.shortage}`);
  }
  const workdir = join(configuration.cftparm.rundir, "work");
  const folder = join(workdir, "submit", randomUUID());
  await disk.makeDirectory(folder);
  const copy = join(folder, basename(file));
  const mtimeMs = await fill(copy).catch(async (error: unknown) => {
    await disk.removeDirectory(folder);
    throw error;
  });
  const status = await disk.status(copy);
  const send = part
    ? await describeSend(site, part, idf, file, mtimeMs, request)
    : describeBroadcast(site, dest as Dest, idf, file, request.nfname);
  const candidate = { path: copy, size: status.size, mtimeMs: status.mtimeMs, ino: status.ino };
  const target = { workdir, archive: "", ...(send.hold ? { hold: send.hold } : {}) };
  const claimed = await spool.claim(candidate, send.request, target);
  await catalog.update(claimed.idtu, { fname: file });
  await disk.removeDirectory(folder);
  tellRecorded(site, claimed, user);
  site.kick();
  return { ...claimed, fname: file };
}

/** @throws CygnetError CYG_REQUEST_OUTSIDE for a file outside `workingdir` of its flow */
async function inWorkingDirectory(
  { configuration, disk, journal }: Site,
  { idf = "", file, part }: Submission,
  fallback: string,
): Promise<void> {
  const { cftsend, cftparm } = configuration;
  const flow = cftsend.get(idf || fallback) ?? cftsend.get(cftparm.default);
  if (flow === undefined || flow.workingdir === "") return;
  const out = await wayOut(disk, flow.workingdir, normalize(file));
  if (out === undefined) return;
  const text = `${file} is not below ${flow.workingdir}, workingdir of flow ${flow.id}: ${out}`;
  journal.emit("CFTF46E", { idtu: "", part, idf: flow.id, fname: file, diagi: 145, text });
  throw new CygnetError("CYG_REQUEST_OUTSIDE", `${text} (DIAGI 145)`);
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

/** @throws CygnetError CYG_REQUEST_UPLOAD when the octets break off */
async function* whole(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (cause) {
    throw new CygnetError("CYG_REQUEST_UPLOAD", `the upload broke off: ${describe(cause)}`, { cause });
  }
}

async function writeFile({ disk }: Site, content: AsyncIterable<Buffer>, to: string): Promise<void> {
  const target = await disk.open(to, "create");
  try {
    let at = 0;
    for await (const piece of content) {
      await target.write([piece], at);
      at += piece.length;
    }
    await target.sync();
  } finally {
    await target.close();
  }
  await syncParent(disk, to);
}

/**
 * Transfer CFT's END for the script of a phase: it counts as done, whatever it came to, and the transfer goes on.
 * @throws CygnetError CYG_REQUEST_STATE when the phase has no script
 */
async function endScript(site: Site, transfer: Transfer, user: string): Promise<void> {
  if (transfer.script === "") {
    const text = `${transfer.idtu} is in phase ${transfer.phase} and waits for no script`;
    throw new CygnetError("CYG_REQUEST_STATE", text);
  }
  await end(site, transfer as Scripted);
  site.journal.emit("CFTR12I", { ...keys(transfer), cmd: "END", user, text: transfer.idtu });
}

/**
 * Transfer CFT's END: the response to a receive whose flow waits for one (ackmode = "manual" or "script") goes out in
 * the next session; otherwise the script of the phase counts as done.
 * @throws CygnetError CYG_REQUEST_STATE, CYG_REQUEST_REASON
 */
export async function endTransfer(
  site: Site,
  idtu: string,
  verdict: Verdict,
  user = "operator",
): Promise<Transfer> {
  const transfer = await site.catalog.get(idtu);
  if (transfer === undefined) {
    const unknown = new CygnetError("CYG_REQUEST_STATE", `there is no transfer ${idtu}`);
    tellRefused(site, "end", idtu, unknown);
    throw unknown;
  }
  if (verdict.reason !== 0 && !NERP_REASONS.has(verdict.reason)) {
    const known = [...NERP_REASONS].join(", ");
    throw new CygnetError("CYG_REQUEST_REASON", `${verdict.reason} is no NERP reason; known are ${known}`);
  }
  if (exchangeKindOf(transfer.dsn)) {
    const text = `${idtu} brought a certificate; "cygnet pki accept" or "cygnet pki refuse" answers it`;
    throw new CygnetError("CYG_REQUEST_STATE", text);
  }
  if (isUndecided(transfer)) return endUndecided(site, transfer, verdict, user);
  const owed = transfer.direct === "recv" && transfer.ackstate === "require";
  if (transfer.script !== "" && !owed && verdict.reason === 0) {
    await endScript(site, transfer, user);
    return (await site.catalog.get(idtu)) ?? transfer;
  }
  await site.deliveries.end(transfer, verdict);
  site.journal.emit("CFTR12I", { ...keys(transfer), cmd: "END", user, text: idtu });
  return { ...transfer, phase: "X", phasestep: "X" };
}
