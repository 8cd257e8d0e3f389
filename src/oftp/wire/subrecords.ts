/**
 * Subrecords of the data exchange buffer (RFC 5024 section 7): a header octet, then 0 to 63 octets of the file,
 * or one octet to be repeated.
 *
 *   80 = end of record, 40 = one octet follows and is repeated, 3F = count
 */
import { WireError } from "./codec.ts";

/** Bits of the header octet: end of record, one octet repeated, number of file octets. */
export const END_OF_RECORD = 0x80;
export const COMPRESSED = 0x40;
export const COUNT = 0x3f;

/** Shortest run that is worth a compressed subrecord: three octets are neutral at best. */
const RUN = 4;

/** Octets of subrecords that `length` octets of one record need without compression. */
export function packedLength(length: number): number {
  return length + Math.ceil(length / COUNT);
}

/** Octets of one record that surely fit `room` octets of subrecords without compression. */
export function capacity(room: number): number {
  const whole = Math.floor(room / (COUNT + 1));
  return whole * COUNT + Math.max(0, (room % (COUNT + 1)) - 1);
}

/** Where packing stopped: positions in the source and in the target. */
export interface Packed {
  from: number;
  at: number;
  /** True when the end of the record was written. */
  ended: boolean;
}

/**
 * Packs octets of one record as literal subrecords until the source or the room ends.
 * @param last the source ends the record: its last subrecord carries the end-of-record bit
 */
export function packLiterals(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  limit: number,
  last: boolean,
): Packed {
  let read = from;
  let write = at;
  if (read === to && last && write < limit) {
    target[write] = END_OF_RECORD;
    return { from: read, at: write + 1, ended: true };
  }
  while (read < to && limit - write >= 2) {
    const count = Math.min(COUNT, to - read, limit - write - 1);
    target[write++] = count;
    source.copy(target, write, read, read + count);
    read += count;
    write += count;
    if (read === to && last) {
      target[write - count - 1] = END_OF_RECORD | count;
      return { from: read, at: write, ended: true };
    }
  }
  return { from: read, at: write, ended: false };
}

/** Like `packLiterals`, but runs of four and more equal octets become compressed subrecords. */
export function packCompressed(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  limit: number,
  last: boolean,
): Packed {
  let read = from;
  let write = at;
  if (read === to) return packLiterals(source, from, to, target, at, limit, last);
  while (read < to && limit - write >= 2) {
    const header = write++;
    const run = runLength(source, read, to);
    if (run >= RUN) {
      target[header] = COMPRESSED | run;
      target[write++] = source[read] as number;
      read += run;
    } else {
      const most = Math.min(read + COUNT, to, read + limit - write);
      const end = nextRun(source, Math.min(read + run, most), to, most);
      target[header] = end - read;
      source.copy(target, write, read, end);
      write += end - read;
      read = end;
    }
    if (read === to && last) {
      target[header] = (target[header] as number) | END_OF_RECORD;
      return { from: read, at: write, ended: true };
    }
  }
  return { from: read, at: write, ended: false };
}

/** Equal octets from `from` on, at most 63. */
function runLength(source: Buffer, from: number, to: number): number {
  const octet = source[from];
  const most = Math.min(to, from + COUNT);
  let end = from + 1;
  while (end < most && source[end] === octet) end++;
  return end - from;
}

/** First position from `from` on where a run of four begins, at most `most`. */
function nextRun(source: Buffer, from: number, to: number, most: number): number {
  let at = from;
  while (at < most && at + RUN <= to) {
    // unlike octets at +2 and +3 rule out a run that begins at +0, +1 or +2
    if (source[at + 2] !== source[at + 3]) at += 3;
    else if (source[at + 1] !== source[at + 2]) at += 2;
    else if (source[at] !== source[at + 1]) at += 1;
    else return at;
  }
  return most;
}

/** Where unpacking stopped, and what it met. */
export interface Unpacked {
  from: number;
  at: number;
  records: number;
  compressed: boolean;
}

/**
 * Unpacks subrecords until the buffer ends or the target has less than 63 octets left; call again with more
 * room to go on. Record boundaries are only counted: for formats U and T they carry no meaning.
 * @throws WireError 06 when a subrecord runs past the end of the buffer
 */
export function unpack(source: Buffer, from: number, target: Buffer, at: number): Unpacked {
  let read = from;
  let write = at;
  let records = 0;
  let compressed = false;
  const room = target.length - COUNT;
  while (read < source.length && write <= room) {
    const header = source[read++] as number;
    const count = header & COUNT;
    if ((header & END_OF_RECORD) !== 0) records++;
    if ((header & COMPRESSED) !== 0) {
      if (read >= source.length) throw new WireError(6, "a compressed subrecord lacks its octet");
      target.fill(source[read++] as number, write, write + count);
      compressed = true;
    } else {
      if (read + count > source.length) throw new WireError(6, "a subrecord runs past the end of its buffer");
      source.copy(target, write, read, read + count);
      read += count;
    }
    write += count;
  }
  return { from: read, at: write, records, compressed };
}
