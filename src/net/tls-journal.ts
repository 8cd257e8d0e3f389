import type { Journal } from "../messages/journal.ts";
import { issued, nameLine } from "../pki/material.ts";
import type { TlsProfile } from "./tls.ts";
import type { TlsFacts } from "./tls-facts.ts";
import type { Cause, TlsFailure } from "./tls-failure.ts";

/**
 * Tells the life of one TLS session in Transfer CFT's messages, all with the same CTX.
 * Server: 20I 25I, 24I 22I 15I, 12I. Client: 19I, 21I 23I 14I, 11I. Each handshake ends in exactly one of 14I, 15I, 13E
 * (ours) and 30E (the peer's alert); 06E, 07E and 18E stand before 13E and say why, 16I and 17I before 21I, 22I and 26I.
 */
export class TlsJournal {
  readonly #journal: Journal;
  readonly #ctx: string;
  readonly #profile: TlsProfile;
  readonly #isServer: boolean;
  readonly #who: { prot: string } | { part: string };
  readonly #host: string;

  constructor(
    journal: Journal,
    session: { ctx: string; profile: TlsProfile; who: { prot: string } | { part: string }; host: string },
  ) {
    this.#journal = journal;
    this.#ctx = session.ctx;
    this.#profile = session.profile;
    this.#who = session.who;
    this.#isServer = "prot" in session.who;
    this.#host = session.host;
  }

  begun(): void {
    const { ctx, ssl, pid } = { ctx: this.#ctx, ssl: this.#profile.id, pid: process.pid };
    if (this.#isServer) {
      this.#journal.emit("CFTY20I", { ...this.#who, ssl, ctx, pid });
      this.#journal.emit("CFTY25I", { ctx, host: this.#host });
    } else {
      this.#journal.emit("CFTY19I", { ...this.#who, ssl, ctx, pid, host: this.#host });
    }
  }

  established(facts: TlsFacts): void {
    if (this.#isServer) this.#presented("CFTY24I");
    this.#peer(facts);
    if (!this.#isServer && facts.presented) this.#presented("CFTY23I");
    const { version, cipher, auth, resumed } = facts;
    this.#journal.emit(this.#isServer ? "CFTY15I" : "CFTY14I", {
      ctx: this.#ctx,
      ...this.#who,
      ssl: this.#profile.id,
      version,
      cipher,
      auth,
      host: this.#host,
      ...(resumed && { resumed: "yes" }),
    });
  }

  #peer({ peerVerified, peerSubject, peerRoot, notes, tolerated }: TlsFacts): void {
    const ctx = this.#ctx;
    for (const text of notes) this.#journal.emit("CFTY16I", { ctx, text });
    if (tolerated !== "")
      this.#journal.emit("CFTY17I", { ctx, text: `not accepted, but let in: ${tolerated}` });
    const accepted = { ctx, id: peerSubject, rootid: peerRoot };
    if (peerVerified) this.#journal.emit(this.#isServer ? "CFTY22I" : "CFTY21I", accepted);
    // Where a server asks for no certificate its absence is no news.
    else if (!this.#isServer) this.#journal.emit("CFTY26I", { ctx, role: "client" });
    else if (this.#profile.verify !== "none") this.#journal.emit("CFTY26I", { ctx, role: "server" });
  }

  failed(failure: TlsFailure): void {
    if (failure.cause) this.#because(failure.cause);
    this.#journal.emit(failure.origin === "peer" ? "CFTY30E" : "CFTY13E", {
      ctx: this.#ctx,
      alert: failure.name,
      cr: failure.alert,
      ...this.#who,
      host: this.#host,
      text: failure.error.message,
    });
  }

  #because(cause: Cause): void {
    const ctx = this.#ctx;
    switch (cause.kind) {
      case "certificate":
        this.#journal.emit("CFTY18E", { ctx, cr: cause.code, text: cause.text });
        return;
      case "request":
        // a caller's list of authorities is no CertificateRequest
        if (!this.#isServer) this.#journal.emit("CFTY06E", { ctx, text: cause.text });
        return;
      case "resource": {
        const { what, cr, text } = cause;
        this.#journal.emit("CFTY07E", { ctx, cause: what, cr, text });
        return;
      }
    }
  }

  /** Something about this session came when it was over. */
  late(text: string): void {
    this.#journal.emit("CFTY10E", { pid: process.pid, ctx: this.#ctx, text });
  }

  /** The partner's certificates could not be stored. */
  notKept(file: string, text: string): void {
    this.#journal.emit("CFTY28W", { ctx: this.#ctx, file, text });
  }

  /** Something about the security of this session that is no refusal. */
  remark(text: string): void {
    this.#journal.emit("CFTY17I", { ctx: this.#ctx, text });
  }

  closed(): void {
    const ssl = this.#profile.id;
    this.#journal.emit(this.#isServer ? "CFTY12I" : "CFTY11I", { ctx: this.#ctx, ...this.#who, ssl });
  }

  #presented(id: string): void {
    const { material, roots } = this.#profile;
    if (!material) return;
    const last = material.chain.at(-1) ?? material.certificate;
    const root = roots.find((one) => one.all.some((candidate) => issued(candidate, last)));
    this.#journal.emit(id, { ctx: this.#ctx, id: material.id, rootid: root?.id ?? nameLine(last.issuer) });
  }
}
