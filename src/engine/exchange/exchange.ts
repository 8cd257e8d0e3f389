/**
 * The exchange of certificates over OFTP (Odette OP08 2.5) as the engine does it: what comes in is judged, kept and
 * answered; what goes out is noted with the partner's answer.
 *
 * Invariants
 * - A received certificate is in use only after an operator's word or a rule of the partner; EERP goes out only then.
 * - What becomes of a waiting transfer follows from the store alone: whoever changes the store, `settle` does the rest,
 *   as often as it likes.
 * - The work on one partner's certificates is done one after the other.
 */
import type { Changes, Transfer } from "../../catalog/catalog.ts";
import type { Part } from "../../config/model.ts";
import { parseClid } from "../../pki/exchange/clid.ts";
import { objection, renewed, retirements, usagesFor } from "../../pki/exchange/decision.ts";
import { type Enclosed, enclosedCertificate } from "../../pki/exchange/enclosed.ts";
import { ownersOf } from "../../pki/exchange/fitness.ts";
import { type ExchangeKind, exchangeKindOf, LARGEST_CERTIFICATE_FILE } from "../../pki/exchange/kinds.ts";
import { purposesOf } from "../../pki/exchange/purposes.ts";
import type { StoredCertificate } from "../../pki/store.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { keys, type Site } from "../site.ts";
import { authoritiesOf, codesOf, inUse, knownOf, ownOf, seenOf } from "./known.ts";
import { handOver, type Offer, offer } from "./outgoing.ts";

/** Certificates of one partner that may wait at the same time. */
const MOST_WAITING = 20;
/** NERPREAS of a certificate that is not taken: file processing failed. */
const NOT_TAKEN = 34;
/** Transfers that are looked at in one go. */
const MANY = 10_000;

type Verdict = { is: "accepted" | "waits" | "refused"; text: string };

export class Exchange {
  readonly #site: () => Site;
  /** The work under way by partner. */
  readonly #work = new Map<string, Promise<void>>();

  constructor(site: () => Site) {
    this.#site = site;
  }

  /** Judges a completely received certificate file, and answers it unless it waits. */
  received(transfer: Transfer): Promise<void> {
    return this.#alone(transfer.part, () => this.#judge(transfer));
  }

  /** Looks again at everything that waits, and at answers that were not noted: after the store has changed, and at start. */
  async settle(): Promise<void> {
    const { catalog, handovers, journal } = this.#site();
    const waiting = await catalog.list({ direct: "recv", state: "Z", limit: MANY });
    // oldest first: a replacement acts on what came before it
    for (const transfer of waiting.reverse()) {
      if (!exchangeKindOf(transfer.dsn)) continue;
      await this.received(transfer).catch((error: unknown) => {
        journal.emit("CFTC70E", { ...keys(transfer), text: describe(error) });
      });
    }
    for (const { idtu, answer } of handovers.list()) {
      const transfer = answer === "" ? await catalog.get(idtu) : undefined;
      if (transfer === undefined || transfer.ack === "") continue;
      await this.answered(transfer, transfer.ack === "A" ? "accepted" : "refused", transfer.diagc);
    }
  }

  /**
   * Sends certificates of this site to a partner, each in a transfer of its own.
   * @throws CygnetError CYG_EXCHANGE_PART, CYG_EXCHANGE_LEVEL, CYG_EXCHANGE_CERTIFICATE, or what the spool says
   */
  offer(wish: Offer): Promise<Transfer[]> {
    return offer(this.#site(), wish);
  }

  /** Notes what a partner says about one of our certificates; any other transfer is none of this. */
  async answered(transfer: Transfer, answer: "accepted" | "refused", text: string): Promise<void> {
    if (!exchangeKindOf(transfer.dsn)) return;
    const { handovers, clock, journal } = this.#site();
    const about = await handovers.answer(transfer, answer, text, clock.now());
    const words = answer === "accepted" ? "" : text;
    const { fingerprint = "", id = "" } = about ?? {};
    journal.emit(answer === "accepted" ? "CFTH94I" : "CFTH94W", {
      ...keys(transfer),
      id,
      fingerprint,
      text: words,
    });
  }

  async #judge({ idtu }: Transfer): Promise<void> {
    const site = this.#site();
    // whoever had the partner before us may have answered it
    const transfer = await site.catalog.get(idtu);
    if (transfer === undefined || (transfer.phase !== "Y" && transfer.phase !== "Z")) return;
    const kind = exchangeKindOf(transfer.dsn) as ExchangeKind;
    const content = await contentOf(site, transfer);
    const part = site.configuration.cftpart.get(transfer.part);
    if (part === undefined) {
      throw new CygnetError("CYG_DELIVERY_PART", `there is no partner ${transfer.part}`);
    }
    let enclosed: Enclosed;
    try {
      enclosed = enclosedCertificate(content);
    } catch (error) {
      return this.#answer(transfer, { is: "refused", text: describe(error) }, "");
    }
    const { fingerprint256: fingerprint } = enclosed.certificate;
    const verdict = await this.#verdict(transfer, part, kind, enclosed);
    if (verdict.is === "accepted") {
      if (kind === "replace") await this.#retireEarlier(transfer, enclosed);
      if (kind === "request") await this.#reply(part);
    }
    await this.#answer(transfer, verdict, fingerprint);
  }

  async #verdict(transfer: Transfer, part: Part, kind: ExchangeKind, enclosed: Enclosed): Promise<Verdict> {
    const site = this.#site();
    const { certificate } = enclosed;
    const { fingerprint256: fingerprint } = certificate;
    const entry = site.store.list({ part: part.id }).find((each) => each.fingerprint === fingerprint);
    const known = knownOf(site, part.id);
    const clid = parseClid(transfer.description);
    // what waits was fit when it arrived: then an operator's word counts
    const fresh = transfer.phase === "Y" || entry === undefined;
    const refusal = fresh ? this.#objection(part, enclosed, clid) : undefined;
    if (refusal !== undefined) return { is: "refused", text: refusal };
    if (known.some((one) => one.fingerprint === fingerprint)) {
      return { is: "accepted", text: entry?.note || "it is in use here" };
    }
    if (entry) return standing(entry);
    const rule = await this.#rule(part, enclosed, known);
    const waiting = site.store.list({ part: part.id, state: "pending" }).length;
    if (rule === undefined && waiting >= MOST_WAITING) {
      return { is: "refused", text: `${waiting} certificates of this partner wait already` };
    }
    const note = rule ?? "waits for an operator: compare its fingerprint with the partner first";
    await site.store.add({
      part: part.id,
      certificate,
      usage: usagesFor(certificate, clid, known),
      state: rule === undefined ? "pending" : "active",
      origin: kind,
      at: site.clock.now(),
      idtu: transfer.idtu,
      note,
    });
    return { is: rule === undefined ? "waits" : "accepted", text: note };
  }

  /** Hostile certificates have extensions that cannot be read: that is an objection too. */
  #objection(part: Part, { certificate }: Enclosed, clid: ReturnType<typeof parseClid>): string | undefined {
    const site = this.#site();
    try {
      return objection(certificate, {
        codes: codesOf(part),
        own: ownOf(site).map(({ material }) => material.fingerprint),
        all: seenOf(site, part.id),
        clid,
        now: site.clock.now(),
      });
    } catch (error) {
      return `the certificate cannot be read: ${describe(error)}`;
    }
  }

  /** Which rule of the partner takes the certificate, in words; undefined when none does. */
  async #rule(
    part: Part,
    enclosed: Enclosed,
    known: ReturnType<typeof knownOf>,
  ): Promise<string | undefined> {
    const site = this.#site();
    const { certificate, others } = enclosed;
    if (part.certificates.includes("renewal")) {
      const before = renewed(certificate, known, site.clock.now());
      if (before) return `taken by the rule "renewal": the key of ${before.fingerprint} vouches for it`;
    }
    if (!part.certificates.includes("ca")) return undefined;
    // an authority issues for many: only what it says is this partner's
    const named = ownersOf(certificate).some((code) => codesOf(part).includes(code));
    if (!named && !known.some((one) => one.certificate.subject === certificate.subject)) return undefined;
    const { authorities, crlfiles } = site.credentials;
    const verdict = await site.trust.judge({
      certificate,
      intermediates: [...others, ...authorities],
      anchors: authoritiesOf(site, part),
      purpose: purposesOf(certificate).includes("encrypt") ? "encrypt" : "sign",
      crl: part.crl,
      ocsp: part.ocsp,
      crlfiles,
    });
    if (!verdict.trusted || verdict.path.length < 2) return undefined;
    const anchor = verdict.path.at(-1)?.subject.replaceAll("\n", ", ");
    return `taken by the rule "ca": issued under ${anchor}`;
  }

  async #retireEarlier(transfer: Transfer, { certificate }: Enclosed): Promise<void> {
    const site = this.#site();
    const { store, journal, clock } = site;
    const { part } = transfer;
    const note = `replaced by ${certificate.fingerprint256}`;
    for (const { known, rest } of retirements(certificate, knownOf(site, part))) {
      const { fingerprint, pki } = known;
      const about = { ...keys(transfer), id: pki, fingerprint };
      if (rest.length > 0 && pki !== "") {
        const text = `narrow its usage to ${rest.join(", ")}: the partner has replaced it for everything else`;
        journal.emit("CFTH95W", { ...about, text });
        continue;
      }
      const retired = { state: "retired", usage: known.usage, note } as const;
      if (pki !== "") {
        // the configuration is not ours to change: an entry in the store puts the certificate out of use
        const { certificate: old, usage } = known;
        const entry = { part, certificate: old, usage, state: "retired", origin: "replace" } as const;
        await store.add({ ...entry, at: clock.now(), idtu: transfer.idtu, note });
      } else if (rest.length > 0) {
        await store.change({ part, fingerprint }, { state: "active", usage: rest, note });
      } else await store.change({ part, fingerprint }, retired);
      journal.emit("CFTH95I", { ...about, text: note });
    }
  }

  /** One DELIVER for each of our certificates in use; one that is on its way already is not sent again. */
  async #reply(part: Part): Promise<void> {
    const site = this.#site();
    const underWay = site.handovers.list({ part: part.id }).filter(({ answer }) => answer === "");
    for (const own of inUse(site)) {
      if (underWay.some(({ fingerprint }) => fingerprint === own.material.fingerprint)) continue;
      await handOver(site, part, "deliver", own);
    }
  }

  async #answer(transfer: Transfer, { is, text }: Verdict, fingerprint: string): Promise<void> {
    const { catalog, clock, deliveries, journal, spool } = this.#site();
    const about = { ...keys(transfer), fingerprint, text };
    if (is === "waits") {
      if (transfer.phase === "Z") return;
      const diagc = `certificate ${fingerprint} waits for "cygnet pki accept" or "cygnet pki refuse"`;
      // the file stays: what it brings is read again once the word is given
      const waits: Changes = { phase: "Z", phasestep: "H", edate: clock.now(), diagi: 0, diagp: "", diagc };
      await catalog.release(transfer.idtu, waits);
      return journal.emit("CFTH91W", about);
    }
    const taken = is === "accepted";
    const ended: Changes = {
      edate: clock.now(),
      diagi: taken ? 0 : 142,
      diagp: taken ? "" : `NERP ${NOT_TAKEN}`,
      diagc: taken ? "" : text,
    };
    journal.emit(taken ? "CFTH92I" : "CFTH93W", about);
    await deliveries.respond(transfer, ended, {
      kind: taken ? "EERP" : "NERP",
      reason: taken ? 0 : NOT_TAKEN,
      text: taken ? "" : text,
    });
    await spool.forget(transfer);
  }

  #alone(part: string, work: () => Promise<void>): Promise<void> {
    const before = this.#work.get(part) ?? Promise.resolve();
    const result = before.then(work);
    // whoever asked for it hears of the failure
    const settled = result.catch(() => {});
    this.#work.set(part, settled);
    void settled.then(() => {
      if (this.#work.get(part) === settled) this.#work.delete(part);
    });
    return result;
  }
}

function standing({ state, note }: StoredCertificate): Verdict {
  if (state === "active") return { is: "accepted", text: note };
  if (state === "pending") return { is: "waits", text: note };
  // what the command line notes by itself tells the partner nothing
  const why = note.startsWith("by hand") || note === "" ? "" : `: ${note}`;
  const what = state === "retired" ? "was put out of use here" : "was refused by an operator";
  return { is: "refused", text: `the certificate ${what}${why}` };
}

/** The received octets, as far as anybody would look at them. */
async function contentOf({ disk }: Site, { workfile }: Transfer): Promise<Buffer> {
  const content = Buffer.alloc(LARGEST_CERTIFICATE_FILE + 1);
  const file = await disk.open(workfile, "read");
  try {
    let length = 0;
    for (let count = 1; count > 0 && length < content.length; length += count) {
      count = await file.read(content.subarray(length), length);
    }
    return content.subarray(0, length);
  } finally {
    await file.close();
  }
}
