/**
 * May this file come in: the Listener's checks of an SFID (RFC 5024 section 4.3.4) before anything is recorded.
 * Pure.
 */
import type { Configuration, Part } from "../config/model.ts";
import { BLOCK } from "../oftp/files/restart.ts";
import type { Sfid } from "../oftp/wire/commands.ts";
import { ownCodes } from "./site.ts";

export interface Refused {
  /** SFNAREAS, SFNARRTR, SFNAREAST. */
  reason: number;
  retry: boolean;
  text: string;
}

/** Why the file is refused, or undefined. `free`: octets free for its work file. */
export function refuseFile(
  configuration: Configuration,
  part: Part,
  sfid: Sfid,
  free: number,
): Refused | undefined {
  const no = (reason: number, text: string): Refused => ({ reason, retry: false, text });
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
  return refuseSecurity(part, sfid) ?? refuseSize(sfid, free);
}

/** File security of OFTP 2.0 is not available: what carries it is refused, what lacks a required one as well. */
function refuseSecurity(part: Part, sfid: Sfid): Refused | undefined {
  const no = (reason: number, text: string): Refused => ({ reason, retry: false, text });
  if (sfid.sec > 3) return no(99, `SFIDSEC ${sfid.sec} does not exist`);
  const encrypted = sfid.sec === 1 || sfid.sec === 3;
  const signed = sfid.sec === 2 || sfid.sec === 3;
  if (part.require.includes("encrypt") && !encrypted)
    return no(17, "files of this partner must be encrypted");
  if (part.require.includes("sign") && !signed) return no(20, "files of this partner must be signed");
  if (encrypted) return no(16, "encrypted files are not supported by this version");
  if (signed) return no(19, "signed files are not supported by this version");
  if (sfid.comp !== 0) return no(18, "compressed files are not supported by this version");
  if (sfid.env !== 0) return no(99, "enveloped files are not supported by this version");
  if (sfid.sign) return no(15, "signed end-to-end responses are not supported by this version");
  return undefined;
}

function refuseSize(sfid: Sfid, free: number): Refused | undefined {
  const needed = sfid.fsiz * BigInt(BLOCK);
  if (needed <= BigInt(Math.floor(free))) return undefined;
  return { reason: 6, retry: true, text: "there is not enough space at present" };
}
