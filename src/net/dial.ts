import { connect, isIPv6, type Socket } from "node:net";
import type { Journal } from "../messages/journal.ts";
import type { Pin } from "../pki/pins.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { plainAddress } from "./addresses.ts";
import { type Connection, connection, connectionId, endpointText } from "./connection.ts";
import { dialTls } from "./dial-tls.ts";
import { netError, timedOut } from "./failure.ts";
import type { ClientTls } from "./tls.ts";

export interface DialOptions {
  /** Name or address. */
  host: string;
  port: number;
  /** Absent = clear text. */
  tls?: ClientTls;
  /** Keys of the certificates registered for the partner: over TLS the server must show one for such a key. */
  registered?: readonly Pin[];
  /** For the name, the connection and the TLS handshake together, ms; 0 = for ever. */
  timeout: number;
  /** Local address to call from. */
  source?: string;
  /** Idle time before TCP keep-alive probes, ms; 0 = off. */
  keepalive: number;
  journal: Journal;
  /** CFTPART id of whom we call. */
  part: string;
  clock?: Clock;
  /** Gives the call up; its reason is thrown. */
  signal?: AbortSignal;
}

/** How long one address of a host is tried before the next one is tried beside it, ms (RFC 8305). */
const NEXT_ADDRESS = 1000;

/**
 * Calls a partner: connects over IPv4 or IPv6, whichever answers, and does the TLS handshake.
 * Errors are NetErrors with DIAGI and DIAGP: CYG_NET_NAME (301), CYG_NET_SOURCE (303), CYG_NET_REFUSED, _UNREACHABLE,
 * _TIMEOUT, _CUT, _RESOLVER, _FAILED (302), CYG_TLS_REFUSED (260, we refused: CFTY13E), CYG_TLS_ALERT (260, the peer
 * refused: CFTY30E).
 * A TLS 1.3 server judges our certificate after our side of the handshake is done: its refusal then comes as the
 * stream's error and the connection's `failure`.
 */
export async function dial(options: DialOptions): Promise<Connection> {
  const clock = options.clock ?? systemClock;
  const peer = endpointText({ address: options.host, port: options.port });
  const limit = new AbortController();
  const timer =
    options.timeout > 0
      ? clock.timer(options.timeout, () => limit.abort(timedOut(peer, options.timeout, "call")))
      : null;
  const signal = options.signal ? AbortSignal.any([limit.signal, options.signal]) : limit.signal;
  try {
    const raw = await reach(options, peer, signal);
    if (!options.tls) return clear(raw, peer);
    const { host, part, journal, registered } = options;
    const call = { host, part, peer, journal, ...(registered && { registered }), ...ends(raw), recognised };
    return await dialTls(raw, options.tls, call, signal);
  } finally {
    timer?.cancel();
  }
}

function reach(options: DialOptions, peer: string, signal: AbortSignal): Promise<Socket> {
  const { host, port, source, keepalive } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host,
      port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS,
      noDelay: true,
      keepAlive: keepalive > 0,
      keepAliveInitialDelay: keepalive,
      ...(source !== undefined && { localAddress: source, family: isIPv6(source) ? 6 : 4 }),
    });
    const giveUp = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    // Stays for good: whatever happens to the socket later, an error event must find a listener.
    socket.on("error", (error) => {
      signal.removeEventListener("abort", giveUp);
      reject(netError(error, peer));
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", giveUp);
      resolve(socket);
    });
  });
}

/** Ends of the line, read while the socket still knows them. */
function ends(raw: Socket): Pick<Connection, "remote" | "local"> {
  return {
    remote: { address: plainAddress(raw.remoteAddress ?? ""), port: raw.remotePort ?? 0 },
    local: { address: plainAddress(raw.localAddress ?? ""), port: raw.localPort ?? 0 },
  };
}

/** A partner that we called is known from the start. */
function recognised(): void {}

function clear(raw: Socket, peer: string): Connection {
  const facts = { id: connectionId(), ...ends(raw), secure: null, inbound: false, recognised };
  return connection(raw, facts, (error) => netError(error, peer));
}
