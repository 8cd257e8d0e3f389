/** Whether a file under a reserved dataset name may come in at all. Pure. */
import type { Part } from "../../config/model.ts";
import { DATASHEET_NAMES } from "../../datasheet/datasheet.ts";
import { BLOCK } from "../../oftp/files/restart.ts";
import type { Sfid } from "../../oftp/wire/commands.ts";
import type { Level } from "../../oftp/wire/level.ts";
import { exchangeKindOf, LARGEST_CERTIFICATE_FILE } from "../../pki/exchange/kinds.ts";
import type { Refused } from "../admission.ts";

/** Larger than any datasheet, octets. */
const LARGEST_DATASHEET = 1024 * 1024;

/** Why, in terms of SFNA; undefined for a file that may come, or whose name is an ordinary one. */
export function refuseReserved(part: Part, sfid: Sfid, level: Level): Refused | undefined {
  const no = (reason: number, text: string): Refused => {
    return { reason, retry: false, text, diagi: 139, message: "CFTF27E" };
  };
  const kind = exchangeKindOf(sfid.dsn);
  const datasheet = DATASHEET_NAMES.includes(sfid.dsn.toUpperCase());
  if (kind === undefined && !datasheet) return undefined;
  if (level < 5) return no(1, `${sfid.dsn} is reserved for OFTP 2.0`);
  const largest = kind ? LARGEST_CERTIFICATE_FILE : LARGEST_DATASHEET;
  if (sfid.fsiz > BigInt(Math.ceil(largest / BLOCK)))
    return no(6, `${sfid.dsn} has at most ${largest} octets`);
  if (kind === undefined) return undefined;
  if (part.certificates.includes("refuse")) return no(1, "certificates are not taken over OFTP here");
  if (sfid.fmt !== "U") return no(4, "a certificate is an unstructured file (U)");
  if (sfid.comp !== 0) return no(18, "a certificate travels uncompressed");
  if (sfid.sec === 1 || sfid.sec === 3) return no(16, "a certificate travels in clear");
  if (sfid.sec !== 0) return no(19, "a certificate travels unsigned");
  return undefined;
}
