/** What an operator asks for: send a file from anywhere, answer for a received one. */
import { basename, isAbsolute } from "node:path";
import type { Recipe, Transfer } from "../catalog/catalog.ts";
import type { Send } from "../config/model.ts";
import { NERP_REASONS } from "../messages/codes.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { writeCopy } from "./copies.ts";
import type { Verdict } from "./deliveries.ts";
import { isSeveral, pathOf } from "./generic/files.ts";
import { recipePaths } from "./generic/recipe.ts";
import { recordGeneric } from "./generic/record.ts";
import { tellRefused } from "./refused-commands.ts";
import { end, type Scripted } from "./scripts/conclusion.ts";
import { keys, type Site } from "./site.ts";
import { firstOf, nextOf, slotOf } from "./slot.ts";
import { sendFlow } from "./submission.ts";
import { addressee, askedOf, submitCopy, submitOne } from "./submit-one.ts";
import { endUndecided, isUndecided } from "./undecided.ts";

/** What is to be sent, and how. */
export interface Submission {
  part: string;
  idf?: string;
  nfname?: string;
  /** Absolute path, with # in front for several; undefined = what the flow says (FNAME). */
  file?: string;
  /** Waiting for its turn, for the partner's call, or for an operator; undefined = as the flow says. */
  state?: Send["state"];
  /** When it may begin and until when, as in a flow. */
  mindate?: string;
  mintime?: string;
  maxdate?: string;
  maxtime?: string;
}

/** What is to be sent from nowhere on this machine: its octets come with the request. */
export interface Upload extends Omit<Submission, "file"> {
  /** Name of the file where it came from, without folders. */
  name: string;
  content: AsyncIterable<Buffer>;
}

/**
 * Sends a copy of a file, or of several, once or, where the flow says so, again and again.
 * @returns the transfer, or the generic record whose children are the transfers
 * @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_FILE, CYG_REQUEST_OUTSIDE, CYG_REQUEST_DATE, or what the spool says
 */
export async function submitFile(site: Site, request: Submission, user = "operator"): Promise<Transfer> {
  const { part } = receiver(site, request);
  const { id: idf, flow } = sendFlow(site.configuration, request.idf ?? "", part);
  const recipe = recipeOf(request, idf, flow);
  const asked = askedOf(recipe);
  if (flow.cycle > 0) {
    const cycle = cycleOf({ ...flow, ...asked }, recipe, site.clock.now());
    return tell(site, await recordGeneric(site, { part: request.part, idf, ...cycle }), user);
  }
  if (isSeveral(recipe.file)) {
    const generic = { kind: "list", recipe } as const;
    return tell(site, await recordGeneric(site, { part: request.part, idf, generic }), user);
  }
  const { file: path } = recipePaths(site, { part: request.part, idf }, recipe);
  return submitOne(site, { part: request.part, idf, path, recipe }, user);
}

/**
 * Sends what is uploaded, once. It counts as received when it is on disk whole; a torn upload leaves nothing behind.
 * @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_FILE, CYG_REQUEST_DATE, CYG_REQUEST_UPLOAD, CYG_DISK_LOW,
 *   or what the spool says
 */
export async function submitUpload(site: Site, upload: Upload, user: string): Promise<Transfer> {
  const { name, content, part: id, idf: asked = "", ...recipe } = upload;
  if (name === "" || name !== basename(name) || name === "." || name === ".." || name.includes("\0")) {
    throw new CygnetError("CYG_REQUEST_FILE", `"${name}" is no name of a file; folders do not belong to it`);
  }
  const { part } = receiver(site, upload);
  askedOf(recipe);
  const { id: idf } = sendFlow(site.configuration, asked, part);
  const copy = await writeCopy(site, name, whole(content));
  return submitCopy(site, { part: id, idf, path: name, recipe }, copy, user);
}

/** @throws CygnetError CYG_REQUEST_PART, CYG_REQUEST_STATE */
function receiver(site: Site, { part: id, state }: Pick<Submission, "part" | "state">) {
  const found = addressee(site, id);
  if (found.dest === undefined || state === undefined || state === "disp") return found;
  const text = "a broadcast is sent at once; hold its transfers by the flow (cftsend.state)";
  throw new CygnetError("CYG_REQUEST_STATE", text);
}

/** @throws CygnetError CYG_REQUEST_FILE where neither the request nor its flow names a file */
function recipeOf(
  { part: _, idf: __, file, ...rest }: Submission,
  idf: string,
  flow: Omit<Send, "id">,
): Recipe {
  if (file !== undefined && !isAbsolute(pathOf(file))) {
    throw new CygnetError("CYG_REQUEST_FILE", `${file} is not an absolute path`);
  }
  if (file !== undefined) return { ...rest, file, selfname: "", literal: true };
  if (flow.fname !== "") return { ...rest, file: flow.fname, selfname: flow.selfname, literal: false };
  const text = `flow ${idf} does not say what is to be sent: name a file, or set its fname`;
  throw new CygnetError("CYG_REQUEST_FILE", text);
}

/** A request that is repeated: when it begins, and until when it goes on. */
function cycleOf(flow: Omit<Send, "id">, recipe: Recipe, now: number) {
  const { cycle: every, tcycle: period, mindate, maxdate } = flow;
  const first = firstOf(flow, now);
  // days that are named are for the whole of it; everything else of a slot is for each of its sends
  const named = (day: Send["mindate"]) => (day !== null && "on" in day ? day : null);
  const slot = { mindate: named(mindate), mintime: null, maxdate: named(maxdate), maxtime: null };
  const { retryAt: from, deadline } = slotOf(slot, now);
  const soonest = Math.max(from, now);
  const retryAt = first >= soonest ? first : nextOf({ every, period }, first, soonest - 1);
  return { generic: { kind: "cycle", recipe, every, period, first } as const, retryAt, deadline };
}

function tell({ journal }: Site, record: Transfer, user: string): Transfer {
  journal.emit("CFTR12I", { ...keys(record), cmd: "SEND", user, text: `${record.idtu} (${record.diagp})` });
  return record;
}

/** @throws CygnetError CYG_REQUEST_UPLOAD when the octets break off */
async function* whole(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (cause) {
    throw new CygnetError("CYG_REQUEST_UPLOAD", `the upload broke off: ${describe(cause)}`, { cause });
  }
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
