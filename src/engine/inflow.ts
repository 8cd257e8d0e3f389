/**
 * From data exchange buffers to the work file: unpacked at once, written in order, synced beside it. Holds the line
 * back while the disk is behind, so that memory stays bounded.
 */
import { FormatError } from "../oftp/files/format.ts";
import type { Position } from "../oftp/files/restart.ts";
import { ROOM, type Unpacker } from "../oftp/files/unpacking.ts";
import { giveSlot, isWithin, takeSlot } from "../oftp/wire/kernel.ts";
import type { Incoming } from "../spool/spool.ts";

/** Octets gathered before they are written, where they stand on the heap; else as many as a slot has. */
const PIECE = 256 * 1024;
/** Files announced with up to this many octets leave the slots to large ones. */
const SMALL = 128 * 1024;
/** Octets waiting for the disk at which the line is stopped, and at which it goes on. */
const HIGH = 4 * 1024 * 1024;
const LOW = 1024 * 1024;
/** Octets between two syncs of a running file: what a crash of the machine may cost. */
const SYNC_EVERY = 64 * 1024 * 1024;

const NOTHING: Buffer = Buffer.alloc(0);
/**
 * Pieces of the heap that no file uses at present, for all sessions. New ones for each of a thousand small files would
 * be hundreds of megabytes before the runtime looks for those that nobody needs any more.
 */
const spares: Buffer[] = [];

function takePiece(large: boolean): Buffer {
  return (large ? takeSlot() : undefined) ?? spares.pop() ?? Buffer.allocUnsafeSlow(PIECE);
}

function giveBack(piece: Buffer): void {
  if (isWithin(piece)) giveSlot(piece);
  else if (piece.length > 0 && spares.length < (2 * HIGH) / PIECE) spares.push(piece);
}

/** What an inflow asks of the session around it. */
export interface InflowOwner {
  pause(): void;
  resume(): void;
  /** The disk has caught up: credit that is due may be given. */
  caughtUp(): void;
  /** So many octets of the work file are safe now. */
  synced(octets: number): Promise<unknown>;
  /** The disk failed; what follows is counted but not kept. */
  broke(error: unknown): void;
}

export class Inflow {
  readonly file: Incoming;
  readonly unpacker: Unpacker;
  readonly #owner: InflowOwner;
  readonly #large: boolean;
  /** Taken with the first octets, so that a file of which none come costs nothing. */
  #piece: Buffer = NOTHING;
  #fill = 0;
  /** Position in the subrecords being taken. */
  #from = 0;
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  #written: number;
  #syncStart: number;
  #syncing: Promise<void> = Promise.resolve();
  #paused = false;
  #stopped = false;
  #drained = false;
  /** Octets of the work file that are safe. */
  syncedAt: number;
  /** Why what arrives is not kept any more: the disk, or a record that breaks the format. */
  failure: unknown = null;

  /** @param announced octets that the file is said to have */
  constructor(file: Incoming, unpacker: Unpacker, position: Position, announced: number, owner: InflowOwner) {
    this.file = file;
    this.unpacker = unpacker;
    this.#owner = owner;
    this.#written = position.offset;
    this.#syncStart = position.offset;
    this.syncedAt = position.offset;
    this.#large = announced > SMALL;
  }

  /** Octets written so far, those before a restart included. */
  get written(): number {
    return this.#written;
  }

  /** False while the disk is so far behind that the partner should wait for its credit. */
  get keepsUp(): boolean {
    return this.#queued <= LOW;
  }

  /**
   * Takes the subrecords of one buffer.
   * @throws WireError when they cannot be read
   */
  take(subrecords: Buffer): void {
    this.#unpack((at) => this.unpacker.take(subrecords, this.#from, this.#piece, at));
  }

  /** The file has ended: everything is with the operating system when this resolves. */
  async finish(): Promise<void> {
    this.#stopped = true;
    this.#unpack((at) => this.unpacker.finish(this.#piece, at));
    await this.drain();
  }

  /** Hands over what is gathered and waits for the disk; nothing is taken after it. Done again, harmless. */
  async drain(): Promise<void> {
    this.#stopped = true;
    this.#drained = true;
    this.#flush();
    giveBack(this.#piece);
    this.#piece = NOTHING;
    await this.#queue;
    await this.#syncing;
  }

  #unpack(step: (at: number) => { from: number; at: number; done: boolean }): void {
    if (this.failure !== null || this.#drained) return;
    if (this.#piece === NOTHING) this.#piece = takePiece(this.#large);
    this.#from = 0;
    try {
      for (let done = false; !done; ) {
        if (this.#piece.length - this.#fill < ROOM) this.#flush();
        const taken = step(this.#fill);
        this.#from = taken.from;
        this.#fill = taken.at;
        done = taken.done;
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.failure ??= error;
    }
  }

  /** Hands the gathered octets to the disk, in order, and takes a spare piece. */
  #flush(): void {
    if (this.#fill === 0) return;
    const piece = this.#piece;
    const octets = this.#fill;
    this.#queued += octets;
    this.#queue = this.#queue.then(() => this.#write(piece, octets));
    if (this.#queued > HIGH && !this.#paused) {
      this.#paused = true;
      this.#owner.pause();
    }
    this.#piece = takePiece(this.#large);
    this.#fill = 0;
  }

  async #write(piece: Buffer, octets: number): Promise<void> {
    try {
      if (this.failure === null) {
        await this.file.write([piece.subarray(0, octets)]);
        this.#written += octets;
        if (this.#written - this.#syncStart >= SYNC_EVERY) this.#syncAside();
      }
    } catch (error) {
      this.failure ??= error;
      this.#owner.broke(error);
    }
    giveBack(piece);
    this.#queued -= octets;
    if (this.#paused && this.#queued <= LOW) {
      this.#paused = false;
      this.#owner.resume();
    }
    if (this.#queued <= LOW) this.#owner.caughtUp();
  }

  /** Forces what is there to the disk while more is written: the end of a long file does not wait for all of it. */
  #syncAside(): void {
    this.#syncStart = this.#written;
    const syncing = this.#syncing.then(async () => {
      if (this.#stopped) return;
      this.syncedAt = await this.file.sync();
      await this.#owner.synced(this.syncedAt);
    });
    this.#syncing = syncing.catch((error: unknown) => {
      this.failure ??= error;
    });
  }
}
