/**
 * The two forms of a file: as it stands in outbox and inbox, and as it goes over the line. What a flow says decides
 * which conversion lies between them, if any; file security is the layer next to the line.
 */
import { createHash } from "node:crypto";
import type { Transfer } from "../catalog/catalog.ts";
import type { Configuration, LocalForm, Part } from "../config/model.ts";
import { type LocalFile, type Transform, toLocal, toVirtual } from "../oftp/files/transform.ts";
import { type Conversion, converting, type Maker, through } from "../spool/convert.ts";
import { hashOf } from "./envelopes.ts";
import { isEnveloped } from "./security.ts";
import { keys, type Site } from "./site.ts";

/** From the outbox to the line; null when both forms are the same. */
export function towardsLine(site: Site, part: Part, transfer: Transfer, local: LocalForm): Maker | null {
  const enveloped = isEnveloped(transfer.security);
  const file = localFile(site.configuration, transfer, local);
  const conversion = needed(transfer, local, enveloped) ? outwards(file, enveloped) : null;
  const converted = conversion && converting(conversion);
  if (converted) tellCharsets(site, transfer, file);
  if (!enveloped || transfer.security === null) return converted;
  const sealing = site.envelopes.sealing(part, transfer.security, (text) => {
    site.journal.emit("CFTF71I", { ...keys(transfer), fname: transfer.fname, text });
  });
  return converted ? through(converted, sealing) : sealing;
}

/** From the line to the inbox; null when both forms are the same. */
export function towardsDisk(site: Site, part: Part, transfer: Transfer, local: LocalForm): Maker | null {
  const enveloped = isEnveloped(transfer.security);
  const file = localFile(site.configuration, transfer, local);
  // that an F file consists of whole records was seen when it arrived, unless it was inside an envelope
  const same = transfer.format === "F" && local.xlate === "" && !enveloped;
  const conversion = needed(transfer, local, enveloped) && !same ? inwards(file, enveloped) : null;
  const converted = conversion && converting(conversion);
  if (converted) tellCharsets(site, transfer, file);
  if (!enveloped || transfer.security === null) return converted;
  const opening = site.envelopes.opening(part, transfer.security, (text) => {
    site.journal.emit("CFTF70W", { ...keys(transfer), fname: transfer.nfname, text });
  });
  return converted ? through(opening, converted) : opening;
}

function tellCharsets({ journal }: Site, transfer: Transfer, { charset }: LocalFile): void {
  if (!charset) return;
  const [fcharset, ncharset] = "table" in charset ? ["table", "table"] : [charset.local, charset.network];
  journal.emit("CFTT94I", { ...keys(transfer), fcharset, ncharset });
}

/** V has lengths before its records; F is checked for whole ones; the others differ only when something is converted. */
function needed({ format }: Transfer, { fcode, ftype, xlate }: LocalForm, enveloped: boolean): boolean {
  if (format === "V" && enveloped && ftype === "V" && xlate === "") return false;
  return format === "V" || format === "F" || xlate !== "" || (format === "T" && fcode === "ascii");
}

function localFile(configuration: Configuration, { format, lrecl }: Transfer, local: LocalForm): LocalFile {
  const table = configuration.cftxlate.get(local.xlate);
  const charset = table ? { local: table.fcharset, network: table.ncharset } : null;
  return { format, lrecl, ftype: local.ftype, fcode: local.fcode, charset };
}

/** Inside an envelope V records stand behind two octets of length (RFC 5024 section 6.1), not behind our four. */
function inEnvelope({ format, lrecl }: LocalFile): LocalFile {
  return { format, lrecl, ftype: "V", fcode: "binary", charset: null };
}

function outwards(file: LocalFile, enveloped: boolean): Conversion {
  const virtual = toVirtual(file);
  return enveloped && file.format === "V" ? chained(virtual, toLocal(inEnvelope(file))) : chained(virtual);
}

function inwards(file: LocalFile, enveloped: boolean): Conversion {
  const local = toLocal(file);
  return enveloped && file.format === "V" ? chained(toVirtual(inEnvelope(file)), local) : chained(local);
}

function chained(...transforms: readonly Transform[]): Conversion {
  const push = (index: number, chunk: Buffer): Buffer[] => {
    const transform = transforms[index];
    return transform ? transform.push(chunk).flatMap((octets) => push(index + 1, octets)) : [chunk];
  };
  return {
    push: (chunk) => push(0, chunk),
    end: () =>
      transforms.flatMap((transform, index) =>
        transform.end().buffers.flatMap((octets) => push(index + 1, octets)),
      ),
  };
}

/**
 * Hash of the octets on the line, which a signed end-to-end response carries (RFC 5024 section 5.3.13): of the envelope
 * where there is one, else of the contents, V records without their lengths.
 */
export async function lineHash(site: Site, transfer: Transfer): Promise<Buffer> {
  if (transfer.linehash !== "") return Buffer.from(transfer.linehash, "hex");
  const hash = createHash(hashOf(transfer.security));
  const { format, lrecl } = transfer;
  const records =
    format === "V" && !isEnveloped(transfer.security)
      ? toLocal({ format, lrecl, ftype: "B", fcode: "binary", charset: null })
      : null;
  await site.spool.scanLine(transfer, (chunk) => {
    for (const octets of records ? records.push(chunk) : [chunk]) hash.update(octets);
    return true;
  });
  for (const octets of records?.end().buffers ?? []) hash.update(octets);
  return hash.digest();
}
