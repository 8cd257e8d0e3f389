/**
 * Receiving one file as Listener: is it wanted, from where on, the data to disk, and the answer at its end.
 *
 * Invariants
 * - EFPA is sent only when every octet and the catalog record (phase Y) are on disk.
 * - Credit is given only when what came before is with the operating system: memory stays bounded.
 * - A restart position is never beyond what was synced.
 */
import { isDeepStrictEqual } from "node:util";
import type { Changes, NewReceive, Transfer } from "../catalog/catalog.ts";
import type { Part } from "../config/model.ts";
import { type Format, FormatError } from "../oftp/files/format.ts";
import {
  BLOCK,
  type Position,
  type PositionSearch,
  positionOf,
  positionWithin,
  START,
} from "../oftp/files/restart.ts";
import { unpackerFor } from "../oftp/files/unpacking.ts";
import { WireError } from "../oftp/wire/codec.ts";
import type { Efid, Sfid } from "../oftp/wire/commands.ts";
import { exchangeFlow, exchangeKindOf } from "../pki/exchange/kinds.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { receiveFolder } from "../spool/incoming.ts";
import { type Refused, refuseFile, refuseForm } from "./admission.ts";
import { refuseCreation } from "./creation.ts";
import { type Forbidden, forbidden, receivedFlow } from "./flows.ts";
import { openInSession } from "./in-session.ts";
import { Inflow, type InflowOwner } from "./inflow.ts";
import { insist } from "./insist.ts";
import { SessionOver } from "./link.ts";
import { BY_OPERATOR } from "./operator.ts";
import { addressed, RELAYED } from "./routing.ts";
import { announced, lineForm } from "./security.ts";
import { tellReleased, tellSelected } from "./selected.ts";
import type { Session } from "./session.ts";
import { keys } from "./site.ts";
import { receiveFlow } from "./target.ts";

const STOPPING: Refused = {
  ...{ reason: 99, retry: true, text: "shutting down" },
  ...{ diagi: 416, message: "CFTT23E" },
};
/** How old what is known of the disk may be when a file is taken on, ms. */
const FRESH = 1_000;
const NO_ROOM: Refused = {
  ...{ reason: 12, retry: true, text: "there is not enough space at present" },
  ...{ diagi: 111, message: "CFTF23E" },
};
const RECEIVED_BEFORE: Refused = {
  ...{ reason: 13, retry: false, text: "the file was received before" },
  ...{ diagi: 432, message: "CFTT50E" },
};

interface Running {
  transfer: Transfer;
  inflow: Inflow;
  /** EFID has come: from here on `#close` decides what becomes of the file, not the end of the session. */
  closing: boolean;
}

export class Receiving {
  /** What an operator wants the transfer under way to become once it has been cut. */
  order: Changes | null = null;
  readonly #session: Session;
  #running: Running | null = null;
  #creditDue = false;
  #compressed = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The transfer under way, for status. */
  get current(): { transfer: Transfer; bytes: number } | null {
    return this.#running && { transfer: this.#running.transfer, bytes: this.#running.inflow.written };
  }

  startFile(sfid: Sfid): void {
    const starting = this.#start(sfid).catch((error: unknown) => {
      const { ids, site } = this.#session;
      const [id, diagi] = isFull(error) ? (["CFTF23E", 111] as const) : (["CFTF01E", 101] as const);
      site.journal.emit(id, { ...this.#names(sfid), ids, fname: sfid.dsn, diagi, text: describe(error) });
      // full or forbidden disks get better: the partner may try again
      this.#answer({ reason: 12, retry: true, text: "the file cannot be created at present" });
    });
    this.#session.track(starting);
  }

  async #start(sfid: Sfid): Promise<void> {
    const session = this.#session;
    const { site, configuration, part, agreement } = session;
    if (part === null || agreement === null) return;
    await site.diskSpace.look(FRESH);
    const { free, shortage } = site.diskSpace;
    const whose = addressed(configuration, part, sfid);
    if (!("part" in whose)) return this.#refuse(sfid, whose);
    const refused = refuseFile(configuration, site.credentials, whose, sfid, free, agreement.level);
    if (refused) return this.#refuse(sfid, refused);
    const flow = whose.relay ? { idf: RELAYED } : this.#flow(whose.part, sfid);
    if (!("idf" in flow)) return this.#forbid(sfid, flow.forbidden);
    const unlisted = whose.relay !== null || exchangeKindOf(sfid.dsn) !== undefined;
    const denied = unlisted ? undefined : forbidden(configuration, whose.part, flow.idf, "recv");
    if (denied) return this.#forbid(sfid, denied);
    if (site.stopping) return this.#refuse(sfid, STOPPING);
    if (shortage !== null) return this.#refuse(sfid, { ...NO_ROOM, detail: shortage });
    const file: NewReceive = {
      part: whose.part.id,
      via: whose.part.id === part.id ? "" : part.id,
      idf: flow.idf,
      mode: session.initiator ? "requester" : "server",
      nfname: sfid.dsn,
      description: sfid.desc,
      dsn: sfid.dsn,
      date: sfid.date,
      time: sfid.time,
      orig: sfid.orig,
      dest: sfid.dest,
      filesize: Number(sfid.fsiz) * BLOCK,
      format: sfid.fmt as Format,
      lrecl: sfid.lrecl,
      prot: session.prot.id,
      security: announced(sfid),
      workfolder: receiveFolder(configuration.cftparm.rundir),
    };
    const { transfer: offered, isNew } = await site.catalog.addReceive(file, site.owner);
    const transfer = isNew ? offered : await this.#resumed(sfid, offered);
    if (transfer === undefined) return;
    const unwanted =
      unlisted || (!isNew && transfer.bytes > 0) ? undefined : await this.#unwanted(sfid, file);
    if (unwanted) return await this.#dismiss(sfid, transfer, unwanted);
    const position = isNew || !agreement.restart ? START : await this.#resumeAt(sfid, transfer);
    const now: Transfer = {
      ...transfer,
      format: sfid.fmt as Format,
      lrecl: sfid.lrecl,
      security: announced(sfid),
    };
    const size = Number(sfid.fsiz) * BLOCK;
    await this.#open(now, position, size, isNew);
    const { role, ids } = session;
    const { over } = session.link;
    // the partner need not wait for the log
    if (!over) session.link.request({ type: "F_START_FILE_RS", answer: { accept: position.count } });
    tellSelected(session, transfer, { fname: sfid.dsn, size, text: isNew ? "created" : "selected" });
    if (position.offset > 0) {
      site.journal.emit("CFTT96I", { ...keys(transfer), role, ids, pos: position.offset });
    }
    if (over) return this.#abandon();
    site.journal.emit("CFTT57I", { ...keys(transfer), ids, role });
  }

  /** What the flow demands of a file and of its name. */
  async #unwanted(sfid: Sfid, file: NewReceive): Promise<Refused | undefined> {
    const { site } = this.#session;
    return refuseForm(receiveFlow(site.configuration, file), sfid) ?? (await refuseCreation(site, file));
  }

  /** Refuses a file that was recorded to hold its name; whether the record stays is for the flow to say (RKERROR). */
  async #dismiss(sfid: Sfid, transfer: Transfer, refused: Refused): Promise<void> {
    const { diagi, text, detail = text } = refused;
    await this.#giveBack(transfer, { phase: "T", phasestep: "K", diagi, diagp: "", diagc: detail, bytes: 0 });
    this.#refuse(sfid, refused);
  }

  /** Gives the claim on a file up of which nothing was received. */
  async #giveBack(transfer: Transfer, changes: Changes): Promise<void> {
    const { site, configuration } = this.#session;
    const left = { ...changes, workfile: "" };
    await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, left));
    // an earlier attempt may have left one without octets; what stays has no record, and goes with the next start
    await site.spool.forget(transfer).catch(() => {});
    const kept = transfer.idf !== RELAYED && receiveFlow(configuration, transfer).rkerror === "keep";
    if (!kept) await site.catalog.remove(transfer.idtu);
  }

  /** The record of a file that was offered before and may go on; undefined when it has been refused. */
  async #resumed(sfid: Sfid, transfer: Transfer): Promise<Transfer | undefined> {
    const { site } = this.#session;
    if (transfer.phase !== "T") {
      // the partner lets go of the file when it hears this, and another session may be recording it at this moment
      await site.catalog.settled();
      this.#refuse(sfid, RECEIVED_BEFORE);
      return undefined;
    }
    // what was only refused may be tried again; what an operator has stopped may not
    if (transfer.phasestep === "K" && transfer.diagi !== BY_OPERATOR && transfer.bytes === 0) {
      await site.catalog.transition(transfer.idtu, transfer, { phasestep: "H" });
    }
    if (await site.catalog.claimReceive(transfer.idtu, site.owner)) {
      // the session that had it may have recorded more since
      return (await site.catalog.get(transfer.idtu)) ?? transfer;
    } else {
      const stopped = (await site.catalog.get(transfer.idtu))?.phasestep === "K";
      const text = stopped
        ? "the file was stopped by an operator"
        : "the file is being received in another session";
      this.#refuse(sfid, { reason: 99, retry: true, text, diagi: stopped ? 121 : 418, message: "" });
    }
    return undefined;
  }

  /** How far a file that was offered before may go on: not beyond the offer, not beyond what is synced. */
  async #resumeAt(sfid: Sfid, transfer: Transfer): Promise<Position> {
    const { filesize, bytes, workfile, security } = transfer;
    // half-received data serve only a file that still looks the same
    const same =
      sfid.fmt === transfer.format &&
      sfid.lrecl === transfer.lrecl &&
      Number(sfid.fsiz) * BLOCK === filesize &&
      isDeepStrictEqual(announced(sfid), security);
    const { format, lrecl } = lineForm(transfer);
    if (!same || workfile === "" || bytes === 0) return START;
    try {
      const held = await this.#locate(positionWithin(format, lrecl, bytes), transfer);
      if (sfid.rest >= held.count) return held;
      return await this.#locate(positionOf(format, lrecl, sfid.rest), transfer);
    } catch {
      // what cannot be read cannot be gone on from
      return START;
    }
  }

  async #locate(search: PositionSearch, transfer: Transfer): Promise<Position> {
    const { spool } = this.#session.site;
    if (search.needsData) await spool.scanIncoming(transfer, transfer.bytes, (chunk) => search.push(chunk));
    return search.position;
  }

  /** Opens the work file; of a file that was not offered before the record says all already. */
  async #open(transfer: Transfer, position: Position, filesize: number, isNew: boolean): Promise<void> {
    const { site } = this.#session;
    const { format, lrecl } = lineForm(transfer);
    try {
      // first: a power failure must not leave a record that vouches for octets which others have taken the place of
      if (position.offset < transfer.bytes) {
        await site.catalog.update(transfer.idtu, { bytes: position.offset });
      }
      const file = await site.spool.openIncoming(transfer, position.offset);
      const unpacker = unpackerFor(format, lrecl, position);
      const inflow = new Inflow(file, unpacker, position, filesize, this.#owner(transfer));
      this.#running = { transfer, inflow, closing: false };
      this.#creditDue = false;
      this.#compressed = false;
      if (isNew) return;
      const begun: Changes = {
        workfile: file.path,
        bytes: position.offset,
        filesize,
        format: transfer.format,
        lrecl: transfer.lrecl,
        security: transfer.security,
        bdate: site.clock.now(),
        prot: this.#session.prot.id,
        diagi: 0,
        diagp: "",
        diagc: "",
      };
      await site.catalog.update(transfer.idtu, begun, "applied");
    } catch (error) {
      const opened = this.#running?.inflow.file;
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
      if (transfer.bytes === 0) await this.#giveBack(transfer, { ...changes, phasestep: "K", diagp: "" });
      else await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, changes));
      throw error;
    }
  }

  /** What the inflow of a transfer needs of this session. */
  #owner(transfer: Transfer): InflowOwner {
    const { site, link } = this.#session;
    return {
      pause: () => link.pause(),
      resume: () => link.resume(),
      caughtUp: () => this.#giveCredit(),
      synced: (bytes) => site.catalog.update(transfer.idtu, { bytes }),
      broke: (error) => {
        const fname = this.#running?.inflow.file.path ?? "";
        site.journal.emit("CFTF09E", { ...keys(transfer), fname, text: describe(error) });
      },
    };
  }

  data(subrecords: Buffer, credit: boolean): void {
    const inflow = this.#running?.inflow;
    if (inflow === undefined) return;
    inflow.take(subrecords);
    if (inflow.unpacker.compressed && !this.#compressed) {
      this.#compressed = true;
      if (!this.#session.agreement?.compression && !this.#session.lets("compression-not-negotiated")) {
        throw new WireError(6, "compression was not negotiated");
      }
    }
    if (!credit) return;
    this.#creditDue = true;
    this.#giveCredit();
  }

  closeFile(efid: Efid): void {
    const { link } = this.#session;
    const closing = this.#close(efid);
    this.#session.track(closing);
    closing.catch((error: unknown) => link.end(99, `internal error: ${describe(error)}`));
  }

  async #close(efid: Efid): Promise<void> {
    const { site, link } = this.#session;
    const running = this.#running;
    if (running === null) return;
    running.closing = true;
    const { transfer, inflow } = running;
    const { file } = inflow;
    try {
      await inflow.finish();
      if (inflow.failure !== null) throw inflow.failure;
      const wrong = this.#judge(running, efid);
      if (wrong) return await this.#worthless(running, wrong);
      await file.sync();
      const done = {
        phase: "Y",
        phasestep: "C",
        bytes: file.length,
        filesize: file.length,
        sha256: file.digest(),
        workfile: file.path,
      } as const;
      await site.catalog.update(transfer.idtu, done);
      const opened = await openInSession(this.#session, { ...transfer, ...done });
      if ("reason" in opened) return await this.#worthless(running, opened, opened.detail);
      this.#running = null;
      // synced and recorded: a close that fails takes nothing away
      await file.close().catch(() => {});
      this.#received(opened);
    } catch (error) {
      if (error instanceof FormatError) {
        return await this.#worthless(running, { reason: error.efna, text: error.message });
      }
      await this.#failed(running, error);
      if (!link.over) {
        const text = "the file could not be written";
        link.request({ type: "F_CLOSE_FILE_RS", answer: { reason: 12, text } });
      }
    }
  }

  /** EFNA reason when what arrived is not what EFID says (RFC 5024 section 6.9), or a tolerance is refused. */
  #judge({ inflow, transfer }: Running, efid: Efid): { reason: number; text: string } | undefined {
    const { octets, records, tolerated } = inflow.unpacker;
    if (efid.ucnt !== BigInt(octets)) {
      return { reason: 11, text: `the partner counted ${efid.ucnt} octets, ${octets} arrived` };
    }
    const { format } = lineForm(transfer);
    const counted = format === "F" || format === "V";
    if (counted && efid.rcnt !== BigInt(records)) {
      return { reason: 10, text: `the partner counted ${efid.rcnt} records, ${records} arrived` };
    }
    const refused = [...tolerated].find((name) => !this.#session.lets(name));
    return refused && { reason: 99, text: `${refused} is not tolerated` };
  }

  /** On disk and in the catalog: the partner hears it, and the delivery begins. */
  #received(transfer: Transfer): void {
    const { site, link, role, ids } = this.#session;
    const now = site.clock.now();
    // it ends its turn only after this: its session waits for the delivery then
    site.deliveries.begin(transfer, ids);
    if (!link.over) link.request({ type: "F_CLOSE_FILE_RS", answer: { speaker: false } });
    site.journal.emit("CFTT58I", { ...keys(transfer), ids, role });
    tellReleased(this.#session, transfer);
    const duration = ((now - (transfer.bdate ?? now)) / 1000).toFixed(3);
    site.journal.emit("CFTT88I", {
      ...keys(transfer),
      direct: transfer.direct,
      fname: transfer.nfname,
      nbc: transfer.bytes,
      duration,
    });
  }

  /** What arrived is not the file that was announced: it is dropped, the file begins anew. */
  async #worthless(
    { transfer, inflow }: Running,
    answer: { reason: number; text: string },
    diagc = answer.text,
  ): Promise<void> {
    const { site, link, ids } = this.#session;
    this.#running = null;
    // what cannot be removed now is written over when the file begins anew
    await inflow.file.close().catch(() => {});
    await site.spool.discard(transfer).catch((error: unknown) => {
      site.journal.emit("CFTF09E", { ...keys(transfer), fname: inflow.file.path, text: describe(error) });
    });
    const diagp = String(100 + answer.reason);
    const why = { diagi: 120, diagp, diagc };
    const worthless: Changes = { phase: "T", phasestep: "H", bytes: 0, ...why };
    await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, worthless));
    site.journal.emit("CFTT82E", { ...keys(transfer), ids, ...why });
    const { reason, text } = answer;
    if (!link.over) link.request({ type: "F_CLOSE_FILE_RS", answer: { reason, text } });
  }

  /** The session is gone: what arrived is synced and kept for a restart. */
  ended(over: SessionOver): void {
    const running = this.#running;
    if (running === null || running.closing) return;
    this.#session.track(running.inflow.drain().then(() => this.#failed(running, over)));
  }

  /** Keeps the half-received file, up to what is synced. */
  async #failed(running: Running, error: unknown): Promise<void> {
    const { site, ids } = this.#session;
    if (this.#running !== running) return;
    this.#running = null;
    const { transfer, inflow } = running;
    const { file } = inflow;
    await inflow.drain();
    let bytes = inflow.syncedAt;
    try {
      bytes = await file.sync();
    } catch (unsynced) {
      site.journal.emit("CFTF09E", { ...keys(transfer), fname: file.path, text: describe(unsynced) });
    }
    await file.close().catch(() => {});
    const lost = error instanceof SessionOver;
    const diagi = isFull(error) ? 114 : lost ? 302 : 109;
    const diagc = describe(error);
    const { order } = this;
    this.order = null;
    try {
      const broken: Changes = { phase: "T", phasestep: "H", bytes, diagi, diagp: "", diagc };
      const changes = order === null ? broken : { ...order, bytes };
      await insist(site, keys(transfer), () => site.catalog.release(transfer.idtu, changes));
      if (order !== null) {
        const { diagi = 0, diagp, diagc } = order;
        site.journal.emit("CFTT62E", { ...keys(transfer), ids, diagi, diagp, diagc });
      } else site.journal.emit("CFTT82E", { ...keys(transfer), ids, diagi, diagp: "", diagc });
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

  /** CDT, when it is due and the disk keeps up. */
  #giveCredit(): void {
    const ready = this.#running?.inflow.keepsUp ?? false;
    if (!this.#creditDue || !ready || this.#session.link.over) return;
    this.#creditDue = false;
    this.#session.link.request({ type: "F_DATA_RS" });
  }

  /** The session went away while the file was being opened. */
  async #abandon(): Promise<void> {
    if (this.#running)
      await this.#failed(this.#running, new Error("the session ended before the file began"));
  }

  /** Says no to a file: Transfer CFT's word for it, and CFTR71W with what the partner hears. */
  #refuse(sfid: Sfid, { reason, retry, text, diagi, message, detail = text }: Refused): void {
    const { site, ids, host } = this.#session;
    const file = { ...this.#names(sfid), ids, fname: sfid.dsn, diagi };
    const npart = reason === 3 ? sfid.orig : sfid.dest;
    if (message !== "") site.journal.emit(message, { ...file, npart, host, text: detail });
    const said = `${text} (SFNA ${String(reason).padStart(2, "0")})`;
    site.journal.emit("CFTR71W", { ...file, reason, text: said });
    this.#answer({ reason, retry, text });
  }

  #answer(answer: { reason: number; retry: boolean; text: string }): void {
    if (!this.#session.link.over) this.#session.link.request({ type: "F_START_FILE_RS", answer });
  }

  /** A flow that this partner may not use: SFNA 99, because OFTP has no reason of its own for it. */
  #forbid(sfid: Sfid, { diagi, message, text: detail }: Forbidden): void {
    const text = "the file is not accepted from this partner";
    this.#refuse(sfid, { reason: 99, retry: false, text, diagi, message, detail });
  }

  #names(sfid: Sfid) {
    const { part } = this.#session;
    const flow = part && this.#flow(part, sfid);
    return { part: part?.id, idf: flow && "idf" in flow ? flow.idf : sfid.dsn };
  }

  /** Which flow an incoming file belongs to; certificates have their own. */
  #flow(part: Part, sfid: Sfid): ReturnType<typeof receivedFlow> {
    const { configuration, prot } = this.#session;
    const kind = exchangeKindOf(sfid.dsn);
    return kind ? { idf: exchangeFlow(kind) } : receivedFlow(configuration, part, prot, sfid.dsn);
  }
}

/** The disk or the quota is full, whoever says so: the system, or the spool around it. */
function isFull(error: unknown): boolean {
  const cause = error instanceof CygnetError ? error.cause : error;
  return isSystemError(cause, "ENOSPC", "EDQUOT");
}
