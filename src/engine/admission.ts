/**
 * May this file come in: the Listener's checks of an SFID (RFC 5024 section 4.3.4) before anything is recorded.
 * Pure.
 */
import type { Configuration, Part, Recv } from "../config/model.ts";
import { BLOCK } from "../oftp/files/restart.ts";
import type { Sfid } from "../oftp/wire/commands.ts";
import type { Level } from "../oftp/wire/level.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import type { Credentials } from "./credentials.ts";
import { refuseReserved } from "./exchange/reserved.ts";
import { refuseSecurity } from "./security.ts";

export interface Refused {
  /** SFNAREAS, SFNARRTR, SFNAREAST. */
  reason: number;
  retry: boolean;
  text: string;
  diagi: number;
  /** Transfer CFT's word for it, beside CFTR71W, which stands for every refusal; "" = none. */
  message: string;
  /** What our log says where that is more than the partner is told. */
  detail?: string;
}

/**
 * Why a file of a partner is refused, or undefined. `relay`: whom it is forwarded to; `free`: octets free for its work
 * file; `level`: that of the session.
 */
export function refuseFile(
  configuration: Configuration,
  credentials: Credentials,
  { part, relay }: { part: Part; relay: Part | null },
  sfid: Sfid,
  free: number,
  level: Level,
): Refused | undefined {
  const reserved = relay === null ? refuseReserved(part, sfid, level) : undefined;
  if (reserved) return reserved;
  const attributes = { diagi: 139, message: "CFTF27E" };
  const no = (reason: number, text: string, how = { diagi: 131, message: "" }): Refused => {
    return { reason, retry: false, text, ...how };
  };
  if (sfid.dsn === "") return no(1, "the dataset name is empty");
  // it must come back in the end-to-end response, octet by octet
  if (/[^\x20-\x7e]/.test(sfid.dsn)) return no(1, "the dataset name has characters outside ASCII");
  if (!/^[UTFV]$/.test(sfid.fmt)) return no(4, `format ${sfid.fmt} does not exist`, attributes);
  const records = sfid.fmt === "F" || sfid.fmt === "V";
  if (records && sfid.lrecl === 0) return no(5, `format ${sfid.fmt} needs a record length`, attributes);
  // certificates travel unsecured, whatever else the partner's files must have; what passes through stays closed: its
  // security is its destination's business
  const unsecured = exchangeKindOf(sfid.dsn) !== undefined || relay !== null;
  const insecure = unsecured ? undefined : refuseSecurity(configuration, credentials, part, sfid);
  if (insecure) return { ...insecure, diagi: 278, message: "" };
  return refuseSize(sfid, free);
}

/** Transfer CFT's FCHECK: what the flow says about format and record length is a demand, not a wish. */
export function refuseForm(flow: Recv, { fmt, lrecl }: Sfid): Refused | undefined {
  const { fcheck, frecfm, flrecl } = flow;
  if (!fcheck) return undefined;
  const no = (reason: number, text: string): Refused => {
    return { reason, retry: false, text, diagi: 139, message: "CFTF27E" };
  };
  if (fmt !== frecfm) return no(4, `the file has format ${fmt}, wanted is ${frecfm}`);
  const fits = frecfm === "F" ? lrecl === flrecl : frecfm === "V" ? lrecl <= flrecl : true;
  return fits ? undefined : no(5, `the file has record length ${lrecl}, wanted is ${flrecl}`);
}

/** An envelope and what is in it stand on the disk side by side. */
function refuseSize(sfid: Sfid, free: number): Refused | undefined {
  const needed = (sfid.fsiz + (sfid.env === 1 ? sfid.osiz : 0n)) * BigInt(BLOCK);
  if (needed <= BigInt(Math.floor(free))) return undefined;
  const text = "there is not enough space at present";
  return { reason: 6, retry: true, text, diagi: 111, message: "CFTF23E" };
}
