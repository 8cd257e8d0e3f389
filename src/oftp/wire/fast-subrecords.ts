/**
 * Packing and unpacking of subrecords by the kernel, where the buffers stand in its memory; else by `subrecords.ts`,
 * which says what comes out. Same arguments, same results, but for octets of the target between where an unpacking or
 * packing stopped and its limit: the kernel may leave anything there.
 */
import { WireError } from "./codec.ts";
import { addressOf, isWithin, kernel, results } from "./kernel.ts";
import * as plain from "./subrecords.ts";
import { COUNT, END_OF_RECORD, type Packed, type Unpacked } from "./subrecords.ts";

/** Like `subrecords.ts`. */
export function packLiterals(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  limit: number,
  last: boolean,
): Packed {
  const full = Math.min(Math.floor((to - from) / COUNT), Math.floor((limit - at) / (COUNT + 1)));
  if (full < 1 || !isWithin(source) || !isWithin(target))
    return plain.packLiterals(source, from, to, target, at, limit, last);
  kernel.literals(source.byteOffset + from, target.byteOffset + at, full);
  const read = from + full * COUNT;
  const write = at + full * (COUNT + 1);
  if (read < to || !last) return plain.packLiterals(source, read, to, target, write, limit, last);
  target[write - COUNT - 1] = END_OF_RECORD | COUNT;
  return { from: read, at: write, ended: true };
}

/** Like `subrecords.ts`. */
export function packCompressed(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  limit: number,
  last: boolean,
): Packed {
  if (from === to || !isWithin(source) || !isWithin(target))
    return plain.packCompressed(source, from, to, target, at, limit, last);
  const { byteOffset: read } = source;
  const { byteOffset: write } = target;
  const ended = kernel.compressed(read + from, read + to, write + at, write + limit, last ? 1 : 0);
  return {
    from: (results[0] as number) - read,
    at: (results[1] as number) - write,
    ended: ended !== 0,
  };
}

/**
 * Like `subrecords.ts`; the source may stand anywhere.
 * @throws WireError 06 when a subrecord runs past the end of the buffer
 */
export function unpack(source: Buffer, from: number, target: Buffer, at: number): Unpacked {
  const read = isWithin(target) ? addressOf(source, from, source.length) : -1;
  if (read < 0) return plain.unpack(source, from, target, at);
  const { byteOffset: write } = target;
  const end = read + source.length - from;
  const failed = kernel.unpack(read, end, write + at, write + target.length - COUNT);
  if (failed === 1) throw new WireError(6, "a compressed subrecord lacks its octet");
  if (failed !== 0) throw new WireError(6, "a subrecord runs past the end of its buffer");
  return {
    from: (results[0] as number) - read + from,
    at: (results[1] as number) - write,
    records: results[2] as number,
    compressed: results[3] !== 0,
  };
}
