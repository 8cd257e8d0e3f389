/**
 * May this file come in: the Listener's checks of an SFID (RFC 5024 section 4.3.4) before anything is recorded.
 * Pure.
 */
import type { Configuration, Part } from "../config/model.ts";
import { BLOCK } from "../oftp/files/restart.ts";
import type { Sfid } from "../oftp/wire/commands.ts";
import type { Level } from "../oftp/wire/level.ts";
import { exchangeKindOf } from "../pki/exchange/kinds.ts";
import type { Credentials } from "./credentials.ts";
import { refuseReserved } from "./exchange/reserved.ts";
import { refuseSecurity } from "./security.ts";
import { ownCodes } from "./site.ts";

export interface Refused {
  /** SFNAREAS, SFNARRTR, SFNAREAST. */
  reason: number;
  retry: boolean;
  text: string;
}

/** Why the file is refused, or undefined. `free`: octets free for its work file; `level`: that of the session. */
export function refuseFile(
  configuration: Configuration,
  credentials: Credentials,
  part: Part,
  sfid: Sfid,
  free: number,
  level: Level,
): Refused | undefined {
  const no = (reason: number, text: string): Refused => ({ reason, retry: false, text });
  const reserved = refuseReserved(part, sfid, level);
  if (reserved) return reserved;
  if (!ownCodes(configuration, part).includes(sfid.dest)) return no(2, "the destination is not served here");
  if (sfid.orig !== part.sfiddest && sfid.orig !== part.nrpart) {
    return no(3, "the originator is not known for this partner");
  }
  if (sfid.dsn === "") return no(1, "the dataset name is empty");
  // it must come back in the end-to-end response, octet by octet
  if (/[^\x20-\x7e]/.test(sfid.dsn)) return no(1, "the dataset name has characters outside ASCII");
  if (!/^[UTFV]$/.test(sfid.fmt)) return no(4, `format ${sfid.fmt} does not exist`);
  const records = sfid.fmt === "F" || sfid.fmt === "V";
  if (records && sfid.lrecl === 0) return no(5, `format ${sfid.fmt} needs a record length`);
  // certificates travel unsecured, whatever else the partner's files must have
  const unsecured = exchangeKindOf(sfid.dsn) !== undefined;
  const refused = unsecured ? undefined : refuseSecurity(configuration, credentials, part, sfid);
  return refused ?? refuseSize(sfid, free);
}

/** An envelope and what is in it stand on the disk side by side. */
function refuseSize(sfid: Sfid, free: number): Refused | undefined {
  const needed = (sfid.fsiz + (sfid.env === 1 ? sfid.osiz : 0n)) * BigInt(BLOCK);
  if (needed <= BigInt(Math.floor(free))) return undefined;
  return { reason: 6, retry: true, text: "there is not enough space at present" };
}
