/**
 * Which way files and responses go: straight to their partner, or by the sessions of an intermediate one (IPART, COMMUT);
 * and for whom a received file is. Pure.
 */
import type { Transfer } from "../catalog/catalog.ts";
import type { Configuration, Part } from "../config/model.ts";
import type { Sfid } from "../oftp/wire/commands.ts";
import type { Refused } from "./admission.ts";
import { isNever } from "./obstacle.ts";
import { ownCodes } from "./site.ts";

/** Flow of files that only pass through. */
export const RELAYED = "COMMUT";

/** True when a partner is never called directly: there is no way to, or its window is shut for good (00:00 to 00:00). */
export function onlyRouted({ cfttcp }: Configuration, { id, ipart, outgoing }: Part): boolean {
  const tcp = cfttcp.get(id);
  return ipart !== "" && (tcp === undefined || isNever(outgoing) || isNever(tcp.outgoing));
}

/** Partners whose files and responses may go in a partner's sessions, itself first. */
export function carriedBy({ cftpart }: Configuration, carrier: Part): Part[] {
  return [carrier, ...[...cftpart.values()].filter(({ ipart }) => ipart === carrier.id)];
}

/** True when a session of `carrier` may carry what belongs to `id`. */
export function carries({ cftpart }: Configuration, carrier: Part | null, id: string): boolean {
  return carrier !== null && (carrier.id === id || cftpart.get(id)?.ipart === carrier.id);
}

/** Whom a file request concerns. */
export type Addressed =
  | {
      /** Whose file it is: the partner of the session, or one whose files it carries. */
      part: Part;
      /** Whom it is forwarded to; null = it is for us. */
      relay: Part | null;
    }
  | Refused;

/** Reads originator and destination of a file that came in a session of `carrier` (CTRLPART, COMMUT). */
export function addressed(
  configuration: Configuration,
  carrier: Part,
  sfid: Pick<Sfid, "orig" | "dest">,
): Addressed {
  const { ctrlpart, commut } = carrier;
  const stations = carriedBy(configuration, carrier);
  const sender = stations.find((each) => answersTo(each, sfid.orig));
  if (!sender && (ctrlpart === "all" || ctrlpart === "spart")) {
    const text = "the originator is not known for this partner";
    return { reason: 3, retry: false, text, diagi: 409, message: "CFTT15E" };
  }
  const part = sender ?? carrier;
  const local = stations.some((each) => ownCodes(configuration, each).includes(sfid.dest));
  if (local) return { part, relay: null };
  const others = [...configuration.cftpart.values()].filter(({ id }) => id !== part.id && id !== carrier.id);
  const relay = others.find((each) => answersTo(each, sfid.dest));
  if (relay && commut !== "no") return { part, relay };
  if (!relay && (ctrlpart === "ignore" || ctrlpart === "spart")) return { part, relay: null };
  const no = { reason: 2, retry: false };
  if (relay) {
    return { ...no, text: "files of this partner are not forwarded", diagi: 413, message: "CFTT25E" };
  }
  return { ...no, text: "the destination is not served here", diagi: 409, message: "CFTT15E" };
}

/** True for a received file whose script says whether it is forwarded (COMMUT = SERVER of the partner that sent it). */
export function isDecidedByScript(
  { cftpart }: Configuration,
  { direct, idf, part, via }: Pick<Transfer, "direct" | "idf" | "part" | "via">,
): boolean {
  return direct === "recv" && idf === RELAYED && cftpart.get(via || part)?.commut === "server";
}

/** The partner that a station code stands for. */
export function partOf({ cftpart }: Configuration, code: string): Part | undefined {
  return [...cftpart.values()].find((each) => answersTo(each, code));
}

function answersTo({ sfiddest, nrpart }: Part, code: string): boolean {
  return code === sfiddest || code === nrpart;
}
