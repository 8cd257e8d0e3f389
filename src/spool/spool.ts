/**
 * The spool: the only writer of payload. It claims files from outboxes, holds them in the work folder, takes
 * half-received files and delivers them to inboxes.
 *
 * Invariants
 * - An outbox file is untouched until its catalog record is durable; then it is renamed into the work folder.
 * - A payload is in exactly one of: outbox, work folder, inbox, archive, failed. Never in none.
 * - What stands in an inbox is complete and synced, was put there by a hard link, and replaced nothing.
 * - Every step can be interrupted by a crash; `recover` finishes or undoes it from the catalog's spool note.
 */
import type { Catalog, NewSend, Original, Transfer } from "../catalog/catalog.ts";
import type { OpenFile } from "../platform/filesystem.ts";
import type { Maker } from "./convert.ts";
import type { Contents } from "./original.ts";

/** A file found in an outbox that was still long enough. */
export interface Candidate {
  /** Absolute path. */
  path: string;
  size: number;
  mtimeMs: number;
  ino: bigint;
}

/** A half-received file. Positions in octets of the virtual file. */
export interface Incoming {
  readonly path: string;
  /** Appends to what was written before; resolves when the operating system has it. */
  write(buffers: readonly Uint8Array[]): Promise<void>;
  /** Forces all that was written to the disk; gives the synced length. */
  sync(): Promise<number>;
  /** SHA-256 of everything from octet 0, lower-case hexadecimal; call once, after the last write. */
  digest(): string;
  readonly length: number;
  close(): Promise<void>;
}

/** A claimed file being sent. */
export interface Outgoing {
  readonly size: number;
  /** Fills as much of `buffer` as there is; 0 at the end of the file. */
  read(buffer: Uint8Array): Promise<number>;
  /** SHA-256 of everything from octet 0 to what was read; call once. */
  digest(): string;
  /** False when somebody has written to the file since it was opened. */
  unchanged(): Promise<boolean>;
  close(): Promise<void>;
}

/** What became of the file that a sent one was copied from; `left`: why it was left as it is. */
export interface Disposal {
  path: string;
  action: "delete" | "erase";
  left?: string;
}

export interface Spool {
  /** Records and claims an outbox file: catalog record first, then the rename. */
  claim(
    candidate: Candidate,
    send: Omit<NewSend, "spool" | "fname" | "filesize">,
    to: ClaimTarget,
  ): Promise<Transfer>;
  /**
   * Makes the form of a claimed file that goes over the line, and notes its size. The transfer as it is then.
   * `steady`: the file must not change meanwhile.
   * @throws what the maker throws for contents that it cannot convert; CygnetError CYG_SPOOL_OVERWRITTEN
   */
  prepare(transfer: Transfer, make: Maker, steady?: boolean): Promise<Transfer>;
  openOutgoing(transfer: Transfer, position: number): Promise<Outgoing>;
  /** Reads the first `limit` octets of a half-received file, until `each` gives false. */
  scanIncoming(transfer: Transfer, limit: number, each: (chunk: Buffer) => boolean): Promise<void>;
  /** Reads the form of the line of a transfer until `each` gives false. */
  scanLine(transfer: Transfer, each: (chunk: Buffer) => boolean): Promise<void>;
  /** Makes the local form of a received file in place of the one of the line. The transfer as it is then. */
  localise(transfer: Transfer, make: Maker): Promise<Transfer>;
  /** Opens the work file of a receive, cut to `position` (a multiple of 1024; 0 starts anew). */
  openIncoming(transfer: Transfer, position: number): Promise<Incoming>;
  /**
   * Delivers a completely received, synced work file to `target` or, where that name is taken, to a name with
   * a suffix. Durable when it resolves: gives the absolute final path, already noted in the catalog.
   * @throws CygnetError CYG_SPOOL_TAKEN with `only` when the name is taken
   */
  deliver(transfer: Transfer, target: string, only?: boolean): Promise<string>;
  /** Gives the file of a broadcast a further name, for one of its children; durable when it resolves. Done again, the same. */
  share(parent: Transfer, child: string): Promise<string>;
  /**
   * Gives a completely received file a second name under which it can be sent on, durable when it resolves; the first one
   * goes by itself when no record names it. Done again, the same name.
   */
  relay(transfer: Transfer): Promise<{ workfile: string; size: number }>;
  /**
   * After a send has ended well: archives or deletes the claimed file, and does with the one that it was copied from what
   * was asked for; gives that, where it was.
   */
  settle(transfer: Transfer): Promise<Disposal | undefined>;
  /**
   * After a transfer has ended for good without success: moves its file to failed/<PART>/. The record of a receive keeps the
   * note of it until its end is recorded: it tells a file that was put away from one that was delivered.
   */
  fail(transfer: Transfer): Promise<void>;
  /** Deletes the claimed file of a send whose record goes. */
  drop(transfer: Transfer): Promise<void>;
  /** Deletes a file that was sent or delivered, where its contents are still the same; says why it did not. */
  erase(file: Contents): Promise<Disposal>;
  /** Removes the work file of a receive whose record names it no more; `transfer` is as it was before. */
  forget(transfer: Transfer): Promise<void>;
  /** Drops the work file of a receive that will not go on. */
  discard(transfer: Transfer): Promise<void>;
  /** After a crash: finishes or undoes every interrupted step; steps in progress are left alone. */
  recover(): Promise<Recovery>;
}

/** What `recover` found. One record's trouble does not keep it from the others. */
export interface Recovery {
  /** Claims that were finished: these sends wait to be sent now. */
  claimed: number;
  /** Receives that stand in their inbox, with the final path in `fname`: their response is still to be queued. */
  delivered: Transfer[];
  /** Receives whose file was put away instead of delivered: their negative response is still to be queued. */
  putAway: Transfer[];
  /** Receives that are complete and still to be delivered. */
  undelivered: Transfer[];
  /** Sends whose file had left the outbox by itself (now T/K), and receives whose work file is gone. */
  lost: Transfer[];
  /** Steps that failed again, with the reason; the next `recover` tries again. */
  troubles: { transfer: Transfer; error: unknown }[];
}

export interface ClaimTarget {
  /** The folder's `workdir`, absolute. */
  workdir: string;
  /** Folder in which the file is kept once the transfer has ended well, absolute; "" deletes it. */
  archive: string;
  /** Name by which the file is recorded, where it is another than that of the candidate: absolute. */
  fname?: string;
  /** Name of the file there, where it is another than its own. */
  name?: string;
  /** The file that this one is a copy of, where something is to be done with it then. */
  original?: Original;
  /** Set when the file cannot be sent as configured: the record is held or stopped with this reason. */
  hold?: { step: "H" | "K"; diagi: number; diagp: string; diagc: string };
}

export type { Catalog, OpenFile };
