/**
 * From data exchange buffers to the virtual representation of a file (RFC 5024 section 7), with what a Listener has
 * to check. Memory is one record at most: a V record's length, which stands before it, is known only at its end.
 *
 * Tolerated, and told at the end: the end-of-record bit inside a U or T file (some set it on every buffer or line),
 * and its absence at the end of a file. An empty file may come without any data exchange buffer.
 */
import { WireError } from "../wire/codec.ts";
import { unpack } from "../wire/fast-subrecords.ts";
import { COMPRESSED, COUNT, END_OF_RECORD } from "../wire/subrecords.ts";
import { type Counts, type Format, FormatError, LONGEST_RECORD, PREFIX } from "./format.ts";

/** Octets that a target must have free for `take` to go on. */
export const ROOM = COUNT;

/**
 * Oddities in the data that were let pass. `empty-file-as-record`: an F file begins with an empty record, as an empty
 * U file does; no F record can be empty, so it is none.
 */
export type DataTolerance = "end-of-record-inside" | "end-of-record-missing" | "empty-file-as-record";

export interface Taken {
  /** Position in the source up to which subrecords were read. */
  from: number;
  /** Position in the target up to which octets were written. */
  at: number;
  /** False when the target became full first: call again with more room. */
  done: boolean;
}

export interface Unpacker {
  /**
   * Unpacks the subrecords of one buffer, `from` on, into `target`, `at` on. The target must have ROOM octets free.
   * @throws WireError 06 when a subrecord runs past the end of the buffer
   * @throws FormatError with the EFNA reason when a record breaks the file's format
   */
  take(source: Buffer, from: number, target: Buffer, at: number): Taken;
  /** To be called at EFID, with room as above, until it is done: a last record without its end counts. */
  finish(target: Buffer, at: number): Taken;
  /** Records so far, and before the restart position: to be compared with EFIDRCNT; 0 for U and T. */
  readonly records: number;
  /** Octets of content so far, and before the restart position: to be compared with EFIDUCNT. */
  readonly octets: number;
  /** A compressed subrecord has come. */
  readonly compressed: boolean;
  readonly tolerated: ReadonlySet<DataTolerance>;
}

/**
 * @param lrecl SFIDLRECL; 0 for U and T
 * @param before what the retained part of the file holds, after a restart
 */
export function unpackerFor(format: Format, lrecl: number, before?: Counts): Unpacker {
  if (format === "F") return new FixedUnpacker(lrecl, before);
  if (format === "V") return new VariableUnpacker(lrecl, before);
  return new StreamUnpacker(before);
}

abstract class CountingUnpacker {
  records: number;
  octets: number;
  compressed = false;
  readonly tolerated = new Set<DataTolerance>();

  constructor(before: Counts = { records: 0, octets: 0 }) {
    this.records = before.records;
    this.octets = before.octets;
  }
}

/** Formats U and T, and everything in an envelope: the record boundaries carry no meaning. */
class StreamUnpacker extends CountingUnpacker implements Unpacker {
  #ended = false;

  constructor(before?: Counts) {
    super(before && { records: 0, octets: before.octets });
  }

  take(source: Buffer, from: number, target: Buffer, at: number): Taken {
    const unpacked = unpack(source, from, target, at);
    const octets = unpacked.at - at;
    if ((this.#ended && octets > 0) || unpacked.records > 1) this.tolerated.add("end-of-record-inside");
    if (unpacked.records > 0) this.#ended = true;
    this.octets += octets;
    this.compressed ||= unpacked.compressed;
    return { from: unpacked.from, at: unpacked.at, done: unpacked.from === source.length };
  }

  finish(_target: Buffer, at: number): Taken {
    if (!this.#ended && this.octets > 0) this.tolerated.add("end-of-record-missing");
    return { from: 0, at, done: true };
  }
}

/** Copies the content of the subrecord that begins at `from`; gives the position behind the subrecord. */
function copySubrecord(source: Buffer, from: number, target: Buffer, at: number): number {
  const header = source[from] as number;
  const count = header & COUNT;
  const read = from + 1;
  if ((header & COMPRESSED) !== 0) {
    if (read >= source.length) throw new WireError(6, "a compressed subrecord lacks its octet");
    target.fill(source[read] as number, at, at + count);
    return read + 1;
  }
  if (read + count > source.length) throw new WireError(6, "a subrecord runs past the end of its buffer");
  source.copy(target, at, read, read + count);
  return read + count;
}

/** Format F: every record has SFIDLRECL octets, or EFNA 10 follows. */
class FixedUnpacker extends CountingUnpacker implements Unpacker {
  readonly #lrecl: number;
  #length = 0;

  constructor(lrecl: number, before?: Counts) {
    super(before);
    this.#lrecl = lrecl;
  }

  take(source: Buffer, from: number, target: Buffer, at: number): Taken {
    const room = target.length - ROOM;
    let read = from;
    let write = at;
    while (read < source.length && write <= room) {
      const header = source[read] as number;
      const count = header & COUNT;
      if (this.#length + count > this.#lrecl) throw this.#wrong(`has more than ${this.#lrecl} octets`);
      read = copySubrecord(source, read, target, write);
      write += count;
      this.octets += count;
      this.#length += count;
      if ((header & COMPRESSED) !== 0) this.compressed = true;
      if ((header & END_OF_RECORD) !== 0) this.#end();
    }
    return { from: read, at: write, done: read === source.length };
  }

  finish(_target: Buffer, at: number): Taken {
    if (this.#length > 0) {
      this.#end();
      this.tolerated.add("end-of-record-missing");
    }
    return { from: 0, at, done: true };
  }

  #end(): void {
    if (this.#length === 0 && this.records === 0) {
      this.tolerated.add("empty-file-as-record");
      return;
    }
    if (this.#length !== this.#lrecl) throw this.#wrong(`has ${this.#length} octets, not ${this.#lrecl}`);
    this.#length = 0;
    this.records++;
  }

  #wrong(what: string): FormatError {
    return new FormatError("CYG_FORMAT_RECORD_LENGTH", `a record ${what}`, this.records + 1, this.octets);
  }
}

/** Format V: a record has at most SFIDLRECL octets, or EFNA 05 follows. */
class VariableUnpacker extends CountingUnpacker implements Unpacker {
  readonly #lrecl: number;
  /** Length and content of the record under way, later of the one on its way into the target. */
  #record: Buffer = Buffer.allocUnsafeSlow(4096);
  #fill = PREFIX;
  /** True while the record goes into the target; then `#given` octets of it are there. */
  #giving = false;
  #given = 0;
  /** Something of the record has come: a record of which not even that came does not exist. */
  #begun = false;

  constructor(lrecl: number, before?: Counts) {
    super(before);
    this.#lrecl = lrecl === 0 ? LONGEST_RECORD : lrecl;
  }

  take(source: Buffer, from: number, target: Buffer, at: number): Taken {
    let read = from;
    let write = this.#giving ? this.#give(target, at) : at;
    while (!this.#giving && read < source.length) {
      const header = source[read] as number;
      const count = header & COUNT;
      if (this.#fill - PREFIX + count > this.#lrecl) throw this.#tooLong();
      if (this.#fill + count > this.#record.length) this.#grow();
      read = copySubrecord(source, read, this.#record, this.#fill);
      this.#fill += count;
      this.octets += count;
      if (count > 0) this.#begun = true;
      if ((header & COMPRESSED) !== 0) this.compressed = true;
      if ((header & END_OF_RECORD) !== 0) {
        this.#end();
        write = this.#give(target, write);
      }
    }
    return { from: read, at: write, done: !this.#giving && read === source.length };
  }

  finish(target: Buffer, at: number): Taken {
    if (!this.#giving && this.#begun) {
      this.#end();
      this.tolerated.add("end-of-record-missing");
    }
    const write = this.#giving ? this.#give(target, at) : at;
    return { from: 0, at: write, done: !this.#giving };
  }

  #end(): void {
    this.#record.writeUInt32BE(this.#fill - PREFIX, 0);
    this.records++;
    this.#begun = false;
    this.#giving = true;
    this.#given = 0;
  }

  /** Moves the complete record into the target, as far as there is room. */
  #give(target: Buffer, at: number): number {
    const end = Math.min(this.#fill, this.#given + target.length - at);
    this.#record.copy(target, at, this.#given, end);
    const written = at + end - this.#given;
    this.#given = end;
    if (end === this.#fill) {
      this.#giving = false;
      this.#fill = PREFIX;
    }
    return written;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#record.length * 2, PREFIX + this.#lrecl + COUNT));
    this.#record.copy(larger, 0, 0, this.#fill);
    this.#record = larger;
  }

  #tooLong(): FormatError {
    const what = `a record is longer than the record length ${this.#lrecl}`;
    return new FormatError("CYG_FORMAT_RECORD_TOO_LONG", what, this.records + 1, this.octets);
  }
}
