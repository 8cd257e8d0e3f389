/**
 * The two forms of a file: as it stands in outbox and inbox, and as it goes over the line. What a flow says decides
 * which conversion lies between them, if any.
 */
import type { Configuration, LocalForm } from "../config/model.ts";
import type { Format } from "../oftp/files/format.ts";
import { type LocalFile, type Transform, toLocal, toVirtual } from "../oftp/files/transform.ts";
import type { Conversion } from "../spool/convert.ts";

/** What the line says of a file: SFIDFMT and SFIDLRECL. */
export interface LineForm {
  format: Format;
  lrecl: number;
}

/** From the outbox to the line; null when both forms are the same. */
export function towardsLine(
  configuration: Configuration,
  line: LineForm,
  local: LocalForm,
): Conversion | null {
  return needed(line, local) ? adapt(toVirtual(options(configuration, line, local))) : null;
}

/** From the line to the inbox; null when both forms are the same. */
export function towardsDisk(
  configuration: Configuration,
  line: LineForm,
  local: LocalForm,
): Conversion | null {
  // that an F file consists of whole records was seen when it arrived
  const same = line.format === "F" && local.xlate === "";
  return needed(line, local) && !same ? adapt(toLocal(options(configuration, line, local))) : null;
}

/** V has lengths before its records; F is checked for whole ones; the others differ only when something is converted. */
function needed({ format }: LineForm, { fcode, xlate }: LocalForm): boolean {
  return format === "V" || format === "F" || xlate !== "" || (format === "T" && fcode === "ascii");
}

function options(configuration: Configuration, line: LineForm, local: LocalForm): LocalFile {
  const table = configuration.cftxlate.get(local.xlate);
  const charset = table ? { local: table.fcharset, network: table.ncharset } : null;
  return { ...line, ftype: local.ftype, fcode: local.fcode, charset };
}

function adapt(transform: Transform): Conversion {
  return { push: (chunk) => transform.push(chunk), end: () => transform.end().buffers };
}
