import type { Journal } from "../messages/journal.ts";
import { issued, nameLine } from "../pki/material.ts";
import type { TlsProfile } from "./tls.ts";
import type { TlsFacts } from "./tls-facts.ts";
import type { TlsFailure } from "./tls-failure.ts";

/**
 * Tells the life of one TLS session in Transfer CFT's messages, all with the same CTX.
 * Server: 20I 25I, 24I 22I 15I, 12I. Client: 19I, 21I 23I 14I, 11I. Failures 13E (ours) and 30E (the peer's alert).
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
    const accepted = { ctx: this.#ctx, id: facts.peerSubject, rootid: facts.peerRoot };
    if (this.#isServer) {
      this.#presented("CFTY24I");
      if (facts.peerVerified) this.#journal.emit("CFTY22I", accepted);
      // Where no certificate is asked for its absence is no news.
      else if (this.#profile.verify !== "none")
        this.#journal.emit("CFTY26I", { ctx: this.#ctx, role: "server" });
    } else {
      if (facts.peerVerified) this.#journal.emit("CFTY21I", accepted);
      else this.#journal.emit("CFTY26I", { ctx: this.#ctx, role: "client" });
      if (facts.presented) this.#presented("CFTY23I");
    }
    const { version, cipher, auth } = facts;
    this.#journal.emit(this.#isServer ? "CFTY15I" : "CFTY14I", {
      ctx: this.#ctx,
      ...this.#who,
      ssl: this.#profile.id,
      version,
      cipher,
      auth,
      host: this.#host,
    });
  }

  failed(failure: TlsFailure): void {
    this.#journal.emit(failure.origin === "peer" ? "CFTY30E" : "CFTY13E", {
      ctx: this.#ctx,
      alert: failure.name,
      cr: failure.alert,
      ...this.#who,
      host: this.#host,
      text: failure.error.message,
    });
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
