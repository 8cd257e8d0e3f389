/**
 * Receiving one file as Listener: is it wanted, from where on, the data to disk, and the answer at its end.
 *
 * Invariants
 * - EFPA is sent only when every octet and the catalog record (phase Y) are on disk.
 * - Credit is given only when what came before is with the operating system: memory stays bounded.
 * - A restart position is never beyond what was synced.
 */
import type { Changes, Transfer } from "../catalog/catalog.ts";
import { BLOCK, blocks } from "../oftp/files/unstructured.ts";
import type { Efid, Sfid } from "../oftp/wire/commands.ts";
import { unpack } from "../oftp/wire/subrecords.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import type { Incoming } from "../spool/spool.ts";
import { refuseFile } from "./admission.ts";
import { insist } from "./insist.ts";
import { SessionOver } from "./link.ts";
import type { Session } from "./session.ts";
import { keys } from "./site.ts";

/** Octets gathered before they are written. */
const PIECE = 256 * 1024;
/** Octets waiting for the disk at which the line is stopped, and at which it goes on. */
const HIGH = 4 * 1024 * 1024;
const LOW = 1024 * 1024;
/** Octets between two syncs of a running file: what a crash of the machine may cost. */
const SYNC_EVERY = 64 * 1024 * 1024;

interface Running {
  transfer: Transfer;
  file: Incoming;
  position: number;
  /** EFID has come: from here on `#close` decides what becomes of the file, not the end of the session. */
  closing: boolean;
}

export class Receiving {
  readonly #session: Session;
  #running: Running | null = null;
  #piece: Buffer = Buffer.alloc(0);
  #fill = 0;
  #spare: Buffer[] = [];
  #queue: Promise<void> = Promise.resolve();
  #queued = 0;
  #written = 0;
  #syncedAt = 0;
  #syncStart = 0;
  #syncing: Promise<void> = Promise.resolve();
  #paused = false;
  #creditDue = false;
  #compressed = false;
  #failure: unknown = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The transfer under way, for status. */
  get current(): { transfer: Transfer; bytes: number } | null {
    return this.#running && { transfer: this.#running.transfer, bytes: this.#written };
  }

  startFile(sfid: Sfid): void {
    const starting = this.#start(sfid).catch((error: unknown) => {
      const text = describe(error);
      this.#session.site.journal.emit("CFTF01E", { ...this.#names(sfid), fname: sfid.dsn, text });
      // full or forbidden disks get better: the partner may try again
      this.#answer({ reason: 12, retry: true, text: "the file cannot be created at present" });
    });
    this.#session.site.sessions.track(starting);
  }

  async #start(sfid: Sfid): Promise<void> {
    const session = this.#session;
    const { site, configuration, part, agreement } = session;
    if (part === null || agreement === null) return;
    const free = await site.disk.freeSpace(configuration.cftparm.rundir);
    const refused = refuseFile(configuration, part, sfid, free);
    if (refused) return this.#refuse(sfid, refused);
    if (site.stopping) return this.#refuse(sfid, { reason: 99, retry: true, text: "shutting down" });
    const { transfer, isNew } = await site.catalog.addReceive(
      {
        part: part.id,
        idf: this.#flow(sfid),
        mode: session.initiator ? "requester" : "server",
        nfname: sfid.dsn,
        description: sfid.desc,
        dsn: sfid.dsn,
        date: sfid.date,
        time: sfid.time,
        orig: sfid.orig,
        dest: sfid.dest,
        filesize: Number(sfid.fsiz) * BLOCK,
        format: sfid.fmt as "U" | "T",
        lrecl: sfid.lrecl,
        prot: session.prot.id,
      },
      site.owner,
    );
    if (!isNew && !(await this.#resumes(sfid, transfer))) return;
    // half-received data serve only a file that still looks the same
    const same = sfid.fmt === transfer.format && Number(sfid.fsiz) * BLOCK === transfer.filesize;
    const held = isNew || !agreement.restart || !same ? 0n : blocks(transfer.bytes);
    const accept = sfid.rest < held ? sfid.rest : held;
    await this.#open(transfer, Number(accept) * BLOCK, Number(sfid.fsiz) * BLOCK);
    const { role, ids } = session;
    site.journal.emit("CFTT53I", { ...keys(transfer), role, ids, text: isNew ? "created" : "selected" });
    if (accept > 0n) {
      site.journal.emit("CFTT96I", { ...keys(transfer), role, ids, pos: Number(accept) * BLOCK });
    }
    if (session.link.over) return this.#abandon();
    session.link.request({ type: "F_START_FILE_RS", answer: { accept } });
    site.journal.emit("CFTT57I", { ...keys(transfer), ids, role });
  }

  /** True when a file that was offered before may go on; otherwise it has been refused. */
  async #resumes(sfid: Sfid, transfer: Transfer): Promise<boolean> {
    const { site } = this.#session;
    if (transfer.phase !== "T") {
      this.#refuse(sfid, { reason: 13, retry: false, text: "the file was received before" });
      return false;
    }
    if (await site.catalog.claimReceive(transfer.idtu, site.owner)) return true;
    this.#refuse(sfid, { reason: 99, retry: true, text: "the file is being received in another session" });
    return false;
  }

  async #open(transfer: Transfer, position: number, filesize: number): Promise<void> {
    const { site } = this.#session;
    try {
      const file = await site.spool.openIncoming(transfer, position);
      this.#running = { transfer, file, position, closing: false };
      this.#written = position;
      this.#syncedAt = position;
      this.#syncStart = position;
      this.#failure = null;
      this.#compressed = false;
      await site.catalog.update(transfer.idtu, {
        workfile: file.path,
        bytes: position,
        filesize,
        bdate: site.clock.now(),
        prot: this.#session.prot.id,
        diagi: 0,
        diagp: "",
        diagc: "",
      });
    } catch (error) {
      const opened = this.#running?.file;
      this.#running = null;
      // nothing was written to it, so nothing is lost by a close that fails
      await opened?.close().catch(() => {});
      const changes: Changes = {
        phase: "T",
        phasestep: "H",
        diagi: isFull(error) ? 111 : 101,
        diagc: describe(error),
        // what the work file does not have cannot be gone on from
        ...(error instanceof CygnetError && error.code === "CYG_SPOOL_SHORT" ? { bytes: 0 } : {}),
      };
      await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, changes));
      throw error;
    }
  }

  data(subrecords: Buffer, credit: boolean): void {
    if (this.#running === null) return;
    let from = 0;
    while (from < subrecords.length) {
      if (this.#piece.length - this.#fill < 63) this.#flush();
      const unpacked = unpack(subrecords, from, this.#piece, this.#fill);
      from = unpacked.from;
      this.#fill = unpacked.at;
      if (unpacked.compressed && !this.#compressed) {
        this.#compressed = true;
        if (!this.#session.agreement?.compression) this.#session.tolerated("compression-not-negotiated");
      }
    }
    if (!credit) return;
    this.#creditDue = true;
    this.#giveCredit();
  }

  closeFile(efid: Efid): void {
    const { site, link } = this.#session;
    const closing = this.#close(efid);
    site.sessions.track(closing);
    closing.catch((error: unknown) => link.end(99, `internal error: ${describe(error)}`));
  }

  async #close(efid: Efid): Promise<void> {
    const { site, link } = this.#session;
    const running = this.#running;
    if (running === null) return;
    running.closing = true;
    this.#flush();
    await this.#queue;
    await this.#syncing;
    const { transfer, file } = running;
    try {
      if (this.#failure !== null) throw this.#failure;
      if (efid.ucnt !== BigInt(file.length)) return await this.#miscounted(running, efid);
      await file.sync();
      const sha256 = file.digest();
      this.#spare.length = Math.min(this.#spare.length, 1);
      const done = {
        phase: "Y",
        phasestep: "C",
        bytes: file.length,
        filesize: file.length,
        sha256,
        workfile: file.path,
      } as const;
      await site.catalog.update(transfer.idtu, done);
      this.#running = null;
      // synced and recorded: a close that fails takes nothing away
      await file.close().catch(() => {});
      this.#received({ ...transfer, ...done });
    } catch (error) {
      await this.#failed(running, error);
      if (!link.over) {
        const text = "the file could not be written";
        link.request({ type: "F_CLOSE_FILE_RS", answer: { reason: 12, text } });
      }
    }
  }

  /** On disk and in the catalog: the partner hears it, and the delivery begins. */
  #received(transfer: Transfer): void {
    const { site, link, role, ids } = this.#session;
    const now = site.clock.now();
    site.journal.emit("CFTT58I", { ...keys(transfer), ids, role });
    const duration = ((now - (transfer.bdate ?? now)) / 1000).toFixed(3);
    site.journal.emit("CFTT88I", {
      ...keys(transfer),
      fname: transfer.nfname,
      nbc: transfer.bytes,
      duration,
    });
    site.deliveries.begin(transfer, ids);
    if (!link.over) link.request({ type: "F_CLOSE_FILE_RS", answer: { speaker: false } });
  }

  /** The count of EFID is not ours: what we hold is worthless, the file begins anew. */
  async #miscounted({ transfer, file }: Running, efid: Efid): Promise<void> {
    const { site, link } = this.#session;
    this.#running = null;
    await file.close();
    const diagc = `the partner counted ${efid.ucnt} octets, ${file.length} arrived`;
    const changes = { phase: "T", phasestep: "H", diagi: 120, diagp: "111", diagc, bytes: 0 } as const;
    await site.spool.discard(transfer);
    await site.catalog.release(transfer.idtu, changes);
    site.journal.emit("CFTT82E", {
      ...keys(transfer),
      ids: this.#session.ids,
      diagi: 120,
      diagp: "111",
      diagc,
    });
    if (!link.over) link.request({ type: "F_CLOSE_FILE_RS", answer: { reason: 11, text: diagc } });
  }

  /** The session is gone: what arrived is synced and kept for a restart. */
  ended(over: SessionOver): void {
    const { site } = this.#session;
    const running = this.#running;
    if (running === null || running.closing) return;
    this.#flush();
    site.sessions.track(this.#queue.then(() => this.#syncing).then(() => this.#failed(running, over)));
  }

  /** Keeps the half-received file, up to what is synced. */
  async #failed(running: Running, error: unknown): Promise<void> {
    const { site, ids } = this.#session;
    if (this.#running !== running) return;
    this.#running = null;
    const { transfer, file } = running;
    let bytes = this.#syncedAt;
    try {
      bytes = await file.sync();
    } catch (unsynced) {
      site.journal.emit("CFTF09E", { ...keys(transfer), fname: file.path, text: describe(unsynced) });
    }
    await file.close().catch(() => {});
    const lost = error instanceof SessionOver;
    const diagi = isFull(error) ? 114 : lost ? 302 : 109;
    const diagc = describe(error);
    try {
      const changes: Changes = { phase: "T", phasestep: "H", bytes, diagi, diagp: "", diagc };
      await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, changes));
      site.journal.emit("CFTT82E", { ...keys(transfer), ids, diagi, diagp: "", diagc });
    } catch (uncatalogued) {
      site.journal.emit("CFTT82E", {
        ...keys(transfer),
        ids,
        diagi: 412,
        diagp: "",
        diagc: describe(uncatalogued),
      });
    }
  }

  /** Hands the gathered octets to the disk, in order, and takes a spare piece. */
  #flush(): void {
    const { link } = this.#session;
    if (this.#fill > 0 && this.#running) {
      const { file } = this.#running;
      const piece = this.#piece;
      const octets = this.#fill;
      this.#queued += octets;
      this.#queue = this.#queue.then(() => this.#write(file, piece, octets));
      if (this.#queued > HIGH && !this.#paused) {
        this.#paused = true;
        link.pause();
      }
    } else if (this.#piece.length > 0) {
      this.#spare.push(this.#piece);
    }
    this.#piece = this.#running ? (this.#spare.pop() ?? Buffer.allocUnsafeSlow(PIECE)) : Buffer.alloc(0);
    this.#fill = 0;
  }

  async #write(file: Incoming, piece: Buffer, octets: number): Promise<void> {
    const { site, link } = this.#session;
    try {
      if (this.#failure === null) {
        await file.write([piece.subarray(0, octets)]);
        this.#written += octets;
        if (this.#written - this.#syncStart >= SYNC_EVERY) this.#syncAside(file);
      }
    } catch (error) {
      this.#failure ??= error;
      const text = describe(error);
      if (this.#running)
        site.journal.emit("CFTF09E", { ...keys(this.#running.transfer), fname: file.path, text });
    }
    if (this.#spare.length < HIGH / PIECE) this.#spare.push(piece);
    this.#queued -= octets;
    if (this.#paused && this.#queued <= LOW) {
      this.#paused = false;
      link.resume();
    }
    this.#giveCredit();
  }

  /** Forces what is there to the disk while more is written: the end of a long file does not wait for all of it. */
  #syncAside(file: Incoming): void {
    const { site } = this.#session;
    this.#syncStart = this.#written;
    const syncing = this.#syncing.then(async () => {
      const running = this.#running;
      if (running?.file !== file || running.closing) return;
      this.#syncedAt = await file.sync();
      await site.catalog.update(running.transfer.idtu, { bytes: this.#syncedAt });
    });
    this.#syncing = syncing.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /** CDT, when it is due and the disk keeps up. */
  #giveCredit(): void {
    if (!this.#creditDue || this.#queued > LOW || this.#session.link.over) return;
    this.#creditDue = false;
    this.#session.link.request({ type: "F_DATA_RS" });
  }

  /** The session went away while the file was being opened. */
  async #abandon(): Promise<void> {
    if (this.#running)
      await this.#failed(this.#running, new Error("the session ended before the file began"));
  }

  #refuse(sfid: Sfid, answer: { reason: number; retry: boolean; text: string }): void {
    const { site, ids } = this.#session;
    const text = `${answer.text} (SFNA ${String(answer.reason).padStart(2, "0")})`;
    site.journal.emit("CFTR71W", { ...this.#names(sfid), ids, fname: sfid.dsn, reason: answer.reason, text });
    this.#answer(answer);
  }

  #answer(answer: { reason: number; retry: boolean; text: string }): void {
    if (!this.#session.link.over) this.#session.link.request({ type: "F_START_FILE_RS", answer });
  }

  #names(sfid: Sfid) {
    return { part: this.#session.part?.id, idf: this.#flow(sfid) };
  }

  /** Which flow an incoming file belongs to: a template named like it, else the partner's, else the default. */
  #flow(sfid: Sfid): string {
    const { configuration, part } = this.#session;
    if (configuration.cftrecv.has(sfid.dsn)) return sfid.dsn;
    return part?.idf || configuration.cftparm.default;
  }
}

/** The disk or the quota is full, whoever says so: the system, or the spool around it. */
function isFull(error: unknown): boolean {
  const cause = error instanceof CygnetError ? error.cause : error;
  return isSystemError(cause, "ENOSPC", "EDQUOT");
}
