import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";
import type { Clock } from "../platform/clock.ts";
import { examine } from "./examine.ts";
import { type NetError, timedOut } from "./failure.ts";
import type { ServerTls } from "./tls.ts";
import { presentedChain, type TlsFacts } from "./tls-facts.ts";
import { refusedCertificate, type TlsFailure, tlsFailure } from "./tls-failure.ts";

/** A server handshake under way. */
export interface Handshake {
  /** Ends it for a reason of ours; `failed` is told. */
  cut(reason: NetError): void;
}

export interface HandshakeOutcome {
  done(socket: TLSSocket, facts: TlsFacts): void;
  failed(failure: TlsFailure): void;
  /** Something that came after `failed`, and changes nothing. */
  late(text: string): void;
  /** Something about the security of the session that is no failure. */
  remark(text: string): void;
}

/**
 * Does the TLS handshake on an accepted socket and judges the caller's certificate: exactly one of `done` and `failed`
 * is called.
 * Every connection gets an engine of its own, a TLS server that never listens: so every call takes the profile in
 * force, client verification included, and each outcome belongs to its socket (0.2 ms and 50 KB against some
 * milliseconds of key work). The limit counts from the first moment, whatever trickles in, and to the verdict.
 */
export function acceptTls(
  raw: Socket,
  tls: ServerTls,
  caller: { peer: string; address: string; milliseconds: number; clock: Clock },
  outcome: HandshakeOutcome,
): Handshake {
  const { peer, milliseconds, clock } = caller;
  let reason: NetError | null = null;
  let over = false;
  const cut = (why: NetError) => {
    reason ??= why;
    raw.destroy();
  };
  const timer = clock.timer(milliseconds, () => cut(timedOut(peer, milliseconds, "TLS handshake")));
  const fail = (failure: TlsFailure) => {
    if (over) return;
    over = true;
    timer.cancel();
    raw.destroy();
    outcome.failed(failure);
  };
  const { engine, chain } = engineFor(tls, outcome);
  engine.on("secureConnection", (socket) => {
    const broken = (error: unknown) => fail(tlsFailure(reason ?? error, peer));
    const gone = () => broken(HUNG_UP);
    socket.on("error", broken).on("close", gone);
    const shown = {
      socket,
      chain: socket.isSessionReused() ? recalled(tls, socket) : chain(),
      presented: true,
    };
    examine(shown, tls.profile, { peer: "client", host: caller.address }).then((examined) => {
      if (over) return outcome.late("the caller's certificate was judged when the line was gone");
      if ("refusal" in examined) return fail(refusedCertificate(examined.refusal, peer));
      over = true;
      timer.cancel();
      socket.off("error", broken).off("close", gone);
      if (examined.facts.peerVerified && !examined.facts.resumed)
        tls.sessions.remember(examined.facts.peerChain);
      outcome.done(socket, examined.facts);
    });
  });
  engine.on("tlsClientError", (error, socket) =>
    fail(tlsFailure(reason ?? error, peer, socket.authorizationError ?? undefined)),
  );
  engine.emit("connection", raw);
  return { cut };
}

const HUNG_UP = Object.assign(new Error("the caller hung up"), { code: "ECONNRESET" });

function engineFor(
  tls: ServerTls,
  { remark }: HandshakeOutcome,
): { engine: Server; chain: () => readonly X509Certificate[] } {
  // The engine has its own, inactivity-based limit, which is put out of the way.
  const engine = createServer({ ...tls.options, handshakeTimeout: 2 ** 31 - 1 });
  // The engine's own context leaves allowPartialTrustChain out, as Node 24's tls.Server does not pass it on: without
  // this line everything works but a root that is not self-signed, which is then refused. It also has other ticket keys.
  (engine as unknown as { _sharedCreds: SecureContext })._sharedCreds = tls.context;
  if (tls.profile.cache) {
    engine.on("newSession", (id: Buffer, session: Buffer, done: () => void) => {
      tls.sessions.save(id, session);
      done();
    });
    engine.on("resumeSession", (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) =>
      done(null, tls.sessions.load(id)),
    );
  }
  let chain: readonly X509Certificate[] = [];
  if (tls.profile.verify === "none" && !tls.keylog) return { engine, chain: () => chain };
  let secret = false;
  engine.on("keylog", (line, socket) => {
    tls.keylog?.write(line, remark);
    if (secret) return;
    secret = true;
    // Node 24.21 looks at the caller's certificate itself, and the issuers that came along can be asked for only once
    // (nodejs/node#65579). This event is the one place where a server socket is seen before that.
    socket.prependOnceListener("secure", () => {
      chain = presentedChain(socket.getPeerX509Certificate());
    });
  });
  return { engine, chain: () => chain };
}

/** A resumed session brings the caller's own certificate only. */
function recalled(tls: ServerTls, socket: TLSSocket): readonly X509Certificate[] {
  const leaf = socket.getPeerX509Certificate();
  return leaf ? tls.sessions.recall(leaf) : [];
}
