import { isIP, type Socket } from "node:net";
import * as tls from "node:tls";
import type { Journal } from "../messages/journal.ts";
import type { Pin } from "../pki/pins.ts";
import { type Connection, connectionId } from "./connection.ts";
import { examine, judgedByTls } from "./examine.ts";
import { NetError, netError } from "./failure.ts";
import type { KeptSession } from "./resumption.ts";
import { secured } from "./secured.ts";
import type { ClientTls } from "./tls.ts";
import { presentedChain } from "./tls-facts.ts";
import { refusedCertificate, type TlsFailure, tlsFailure } from "./tls-failure.ts";
import { TlsJournal } from "./tls-journal.ts";

export interface Call extends Pick<Connection, "remote" | "local" | "recognised"> {
  /** Name or address that was called. */
  host: string;
  part: string;
  /** `host:port`, for messages. */
  peer: string;
  registered?: readonly Pin[];
  journal: Journal;
}

/**
 * Does the TLS handshake on a line that is up, judges the server's certificate, and gives the connection.
 * @throws NetError as `dial` does; the line is closed then
 */
export function dialTls(
  raw: Socket,
  client: ClientTls,
  call: Call,
  signal: AbortSignal,
): Promise<Connection> {
  const { profile } = client;
  const { host, part, peer } = call;
  const id = connectionId();
  const story = new TlsJournal(call.journal, { ctx: id, profile, who: { part }, host });
  story.begun();
  const key = `${part} ${peer}`;
  const kept = profile.cache ? client.sessions.take(key) : undefined;
  return new Promise((resolve, reject) => {
    const stream = tls.connect({
      socket: raw,
      secureContext: client.context,
      servername: profile.sni === false || isIP(host) ? "" : host,
      rejectUnauthorized: judgedByTls(profile),
      checkServerIdentity: () => undefined,
      ...(kept && { session: kept.session }),
    });
    const { keylog } = client;
    if (keylog) stream.on("keylog", (line) => keylog.write(line, (text) => story.remark(text)));
    const resumption = profile.cache ? new Resumption(stream) : null;
    let over = false;
    const fail = (failure: TlsFailure) => {
      if (over) return;
      over = true;
      signal.removeEventListener("abort", giveUp);
      client.sessions.forget(key);
      stream.destroy();
      story.failed(failure);
      reject(failure.error);
    };
    const broken = (error: unknown) => fail(tlsFailure(error, peer, stream.authorizationError ?? undefined));
    const gone = () => broken(HUNG_UP);
    const giveUp = () => {
      const { reason } = signal;
      stream.destroy(reason instanceof NetError ? reason : netError(reason, peer));
    };
    signal.addEventListener("abort", giveUp, { once: true });
    stream.on("error", broken).on("close", gone);
    stream.once("secureConnect", () => {
      // Node gives a resumed client no certificate: what was shown when the session began stands for it.
      const resumed = stream.isSessionReused() ? kept : undefined;
      const chain = resumed?.chain ?? presentedChain(stream.getPeerX509Certificate());
      const presented = resumed?.presented ?? asked(stream, client);
      const where = {
        peer: "server",
        host,
        ...(call.registered && { registered: call.registered }),
      } as const;
      examine({ socket: stream, chain, presented }, profile, where).then((examined) => {
        if (over) return story.late("the certificate was judged when the line was gone");
        if ("refusal" in examined) return fail(refusedCertificate(examined.refusal, peer));
        over = true;
        signal.removeEventListener("abort", giveUp);
        stream.off("error", broken).off("close", gone);
        const { version } = examined.facts;
        resumption?.keep((session) => client.sessions.keep(key, { session, chain, presented, version }));
        const { remote, local, recognised } = call;
        const ends = { id, remote, local, secure: examined.facts, inbound: false, recognised };
        resolve(secured(stream, ends, story, profile, peer));
      });
    });
    if (signal.aborted) giveUp();
  });
}

const HUNG_UP = Object.assign(new Error("the partner hung up"), { code: "ECONNRESET" });

/** The server's signature algorithms are known to a client only from a CertificateRequest (RFC 8446 4.3.2). */
function asked(stream: tls.TLSSocket, { profile }: ClientTls): boolean {
  return profile.material !== null && (stream.getSharedSigalgs()?.length ?? 0) > 0;
}

/** Tickets come when they please: those from before the verdict wait for it. */
class Resumption {
  readonly #early: Buffer[] = [];
  #keep: ((session: KeptSession["session"]) => void) | null = null;

  constructor(stream: tls.TLSSocket) {
    stream.on("session", (session) => {
      if (this.#keep) this.#keep(session);
      else this.#early.push(session);
    });
  }

  keep(keep: (session: Buffer) => void): void {
    this.#keep = keep;
    for (const session of this.#early) keep(session);
  }
}
