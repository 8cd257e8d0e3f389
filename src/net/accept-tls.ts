import type { Socket } from "node:net";
import { createServer, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "../platform/clock.ts";
import { type NetError, timedOut } from "./failure.ts";
import type { ServerTls } from "./tls.ts";
import { type TlsFacts, tlsFacts } from "./tls-facts.ts";
import { type TlsFailure, tlsFailure, unreadable } from "./tls-failure.ts";

/** A server handshake under way. */
export interface Handshake {
  /** Ends it for a reason of ours; `failed` is told. */
  cut(reason: NetError): void;
}

export interface HandshakeOutcome {
  done(socket: TLSSocket, facts: TlsFacts): void;
  failed(failure: TlsFailure): void;
}

/**
 * Does the TLS handshake on an accepted socket: exactly one of `done` and `failed` is called.
 * Every connection gets an engine of its own, a TLS server that never listens: so every call takes the profile in
 * force, client verification included, and each outcome belongs to its socket (0.2 ms and 50 KB against some
 * milliseconds of key work). The limit counts from the first moment, whatever trickles in.
 */
export function acceptTls(
  raw: Socket,
  tls: ServerTls,
  limit: { peer: string; milliseconds: number; clock: Clock },
  outcome: HandshakeOutcome,
): Handshake {
  let reason: NetError | null = null;
  const cut = (why: NetError) => {
    reason ??= why;
    raw.destroy();
  };
  const timer = limit.clock.timer(limit.milliseconds, () =>
    cut(timedOut(limit.peer, limit.milliseconds, "TLS handshake")),
  );
  // The engine has its own, inactivity-based limit, which is put out of the way.
  const engine = createServer({ ...tls.options, handshakeTimeout: 2 ** 31 - 1 });
  // The engine's own context leaves allowPartialTrustChain out, as Node 24's tls.Server does not pass it on: without
  // this line everything works but a root that is not self-signed, which is then refused.
  (engine as unknown as { _sharedCreds: SecureContext })._sharedCreds = tls.context;
  engine.on("secureConnection", (socket) => {
    timer.cancel();
    let facts: TlsFacts;
    try {
      facts = tlsFacts(socket, tls.profile, true);
    } catch (cause) {
      socket.on("error", () => {}).destroy();
      outcome.failed(unreadable(cause, limit.peer));
      return;
    }
    outcome.done(socket, facts);
  });
  engine.on("tlsClientError", (error, socket) => {
    timer.cancel();
    raw.destroy();
    outcome.failed(tlsFailure(reason ?? error, limit.peer, socket.authorizationError ?? undefined));
  });
  engine.emit("connection", raw);
  return { cut };
}
