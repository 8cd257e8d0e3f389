/**
 * From a file in its form for the line to framed data exchange buffers: read ahead, packed in batches, written as
 * credit and the line allow.
 *
 * Invariants
 * - No buffer is counted or written without credit; a batch has at most as many as there is credit left.
 * - A batch is filled again only when the line has taken what it held, and memory is given back only when neither the
 *   disk nor the line uses it any more.
 */
import { framedSize } from "../oftp/files/batch.ts";
import type { Counts, Format } from "../oftp/files/format.ts";
import { type Packer, packerFor } from "../oftp/files/packing.ts";
import type { Position } from "../oftp/files/restart.ts";
import { giveSlot, SLOT, takeSlot } from "../oftp/wire/kernel.ts";
import { capacity } from "../oftp/wire/subrecords.ts";
import type { Outgoing } from "../spool/spool.ts";
import type { Link } from "./link.ts";

/** Octets read from the file at a time: a multiple of 63, so that subrecords stay full. */
const PIECE = 63 * 8192;
/** Octets of framed data exchange buffers handed to the line at a time. */
const BATCH = SLOT;
/** Batches in flight before packing waits for the line. */
const DEPTH = 3;
/** Files up to this many octets take what they need of the heap, and leave the slots to large ones. */
const SMALL = 128 * 1024;

export interface OutflowOptions {
  link: Link;
  file: Outgoing;
  format: Format;
  /** SFIDLRECL; 0 for U and T. */
  lrecl: number;
  /** Runs of equal octets are worth looking for, and the partner takes them compressed. */
  compressed: boolean;
  /** Where in the file to begin. */
  position: Position;
  /** Resolves when credit may have come; rejects when the session is over. */
  credit(): Promise<void>;
  /** So many octets of the file have gone. */
  progress(octets: number): void;
}

/**
 * Sends the rest of a file. Resolves, with what EFID counts, when the last buffer was handed to the line.
 * @throws SessionOver when the session ends meanwhile; FormatError for what should be a virtual file and is none;
 * CYG_SPOOL_… when the file cannot be read
 */
export async function sendData(options: OutflowOptions): Promise<Counts> {
  const outflow = new Outflow(options);
  try {
    return await outflow.run();
  } finally {
    outflow.release();
  }
}

class Outflow {
  readonly #options: OutflowOptions;
  readonly #packer: Packer;
  readonly #most: number;
  readonly #slots: Buffer[] = [];
  readonly #batches: Buffer[];
  /** When the line has taken what a batch held. */
  readonly #free: Promise<void>[];
  readonly #pieces: Buffer[];
  /** The piece that is being packed; the other one is being read. */
  #piece = 0;
  /** Octets of the piece being packed, and how many of them were. */
  #filled = 0;
  #at = 0;
  /** Octets of the file read so far. */
  #read: number;
  #ahead: Promise<number>;

  constructor(options: OutflowOptions) {
    const { link, file, format, lrecl, compressed, position } = options;
    const sdeb = link.machine.agreement?.sdeb ?? 0;
    const left = file.size - position.offset;
    const needed = Math.floor(left / capacity(sdeb - 1)) + 1;
    const take = (octets: number): Buffer => {
      const slot = left > SMALL ? takeSlot() : undefined;
      if (slot) this.#slots.push(slot);
      return slot?.subarray(0, octets) ?? Buffer.allocUnsafeSlow(octets);
    };
    this.#options = options;
    this.#packer = packerFor({ format, lrecl, sdeb, compressed, before: position });
    this.#most = Math.min(needed, Math.max(1, Math.floor(BATCH / framedSize(sdeb))));
    const depth = needed > this.#most ? DEPTH : 1;
    this.#batches = Array.from({ length: depth }, () => take(this.#most * framedSize(sdeb)));
    this.#free = this.#batches.map(() => Promise.resolve());
    const size = Math.min(PIECE, Math.max(left, 1));
    this.#pieces = Array.from({ length: left > size ? 2 : 1 }, () => take(size));
    this.#read = position.offset;
    this.#ahead = this.#readAhead();
  }

  async run(): Promise<Counts> {
    const packer = this.#packer;
    for (let turn = 0; !packer.ended; turn = (turn + 1) % this.#batches.length) {
      const batch = this.#batches[turn] as Buffer;
      await this.#free[turn];
      const { creditS, agreement } = this.#options.link.machine;
      // while credit is awaited the next batch is made: as many buffers as will be allowed then
      packer.begin(batch, Math.min(this.#most, creditS > 0 ? creditS : (agreement?.cred ?? 1)));
      while (!packer.full && !packer.ended) await this.#pack();
      // while the file was read the session may have come to its end: nothing follows our ESID
      while (this.#options.link.machine.state !== "OPO") await this.#options.credit();
      for (let count = packer.count; count > 0; count--) this.#options.link.request({ type: "F_DATA_RQ" });
      this.#free[turn] = this.#write(batch.subarray(0, packer.length));
      this.#options.progress(this.#read);
    }
    return { records: packer.records, octets: packer.octets };
  }

  /** Gives the memory back as soon as nobody uses it any more. */
  release(): void {
    const busy = [...this.#free, this.#ahead];
    void Promise.allSettled(busy).then(() => {
      for (const slot of this.#slots.splice(0)) giveSlot(slot);
    });
  }

  /** Packs what was read, and has the next piece read meanwhile. */
  async #pack(): Promise<void> {
    const { size } = this.#options.file;
    if (this.#at === this.#filled && this.#read < size) {
      const filled = await this.#ahead;
      if (filled === 0) throw new Error("the claimed file became shorter while it was sent");
      this.#filled = filled;
      this.#at = 0;
      this.#read += filled;
      this.#piece = this.#next;
      if (this.#read < size) this.#ahead = this.#readAhead();
    }
    const piece = this.#pieces[this.#piece] as Buffer;
    this.#at = this.#packer.put(piece, this.#at, this.#filled, this.#read === size);
  }

  get #next(): number {
    return (this.#piece + 1) % this.#pieces.length;
  }

  /** A read that may be abandoned: its failure is heard only when it is awaited. */
  #readAhead(): Promise<number> {
    const reading = this.#options.file.read(this.#pieces[this.#next] as Buffer);
    reading.catch(() => {});
    return reading;
  }

  /** Resolves when the octets have left this process, so that the batch may be filled again. */
  #write(framed: Buffer): Promise<void> {
    const { link } = this.#options;
    const { stream } = link.connection;
    if (stream.destroyed || !stream.writable) return Promise.resolve();
    return new Promise((resolve) => {
      stream.write(framed, () => {
        link.alive();
        resolve();
      });
    });
  }
}
