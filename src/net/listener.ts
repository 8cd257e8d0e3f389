import { createServer, type Server, type Socket } from "node:net";
import type { Journal } from "../messages/journal.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { acceptTls } from "./accept-tls.ts";
import { binding, plainAddress } from "./addresses.ts";
import type { Admission, Seat } from "./admission.ts";
import { type Connection, connection, connectionId, type Endpoint, endpointText } from "./connection.ts";
import { NetError, netError } from "./failure.ts";
import { secured } from "./secured.ts";
import type { ServerTls } from "./tls.ts";
import { isCertificateRefusal } from "./tls-failure.ts";
import { TlsJournal } from "./tls-journal.ts";

export interface ListenOptions {
  /** An address of this machine, or INADDR_ANY, IN4ADDR_ANY, IN6ADDR_ANY. */
  host: string;
  /** 0 = any free port. */
  port: number;
  /** Asked anew for every call, so a profile can be replaced while listening. Absent = clear text. */
  tls?: () => ServerTls;
  admission: Admission;
  /** Idle time before TCP keep-alive probes, ms; 0 = off. */
  keepalive: number;
  /** Longest TLS handshake, ms. */
  handshakeTimeout: number;
  onConnection: (connection: Connection) => void;
  journal: Journal;
  /** CFTPROT id. */
  prot: string;
  clock?: Clock;
}

export interface Listener {
  readonly address: Endpoint;
  /** False once it was closed. */
  readonly open: boolean;
  /** Handshakes under way, not yet handed over. */
  readonly handshakes: number;
  /** Stops listening; the port is free when this returns. Connections and handshakes under way go on. */
  close(): void;
  /** Stops listening and cuts handshakes under way. Connections that were handed over belong to their owner. */
  drop(): void;
}

/**
 * Opens a port. Callers go through address rules and the connection limit, then TLS, and come out as connections.
 * Errors: CYG_NET_BIND (address and port taken, not ours, or reserved), which is journalled as CFTN05E too.
 */
export function listen(options: ListenOptions): Promise<Listener> {
  const door = new Door(options);
  return door.open();
}

class Door {
  readonly #options: ListenOptions;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #cuts = new Set<(reason: NetError) => void>();
  #lastAcceptError = Number.NEGATIVE_INFINITY;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#server = createServer({
      noDelay: true,
      keepAlive: options.keepalive > 0,
      keepAliveInitialDelay: options.keepalive,
    });
  }

  async open(): Promise<Listener> {
    const { admission, journal, prot, host, port } = this.#options;
    try {
      await this.#bind();
    } catch (cause) {
      const error = bindError(cause, host, port);
      journal.emit("CFTN05E", { net: admission.net, prot, host, text: error.message });
      throw error;
    }
    const bound = this.#server.address() as { address: string; port: number };
    const address = { address: bound.address, port: bound.port };
    this.#server.on("connection", (raw) => this.#arrived(raw));
    this.#server.on("error", (error) => this.#cannotAccept(error));
    admission.listening();
    journal.emit("CFTN02I", { net: admission.net, prot, host: address.address, sap: address.port });
    const cuts = this.#cuts;
    const server = this.#server;
    const close = () => {
      if (!this.#server.listening) return;
      admission.silenced();
      this.#server.close();
      const { address: host, port } = address;
      journal.emit("CFTN05I", { net: admission.net, prot, host, text: `port ${port} is closed` });
    };
    return {
      address,
      get open() {
        return server.listening;
      },
      get handshakes() {
        return cuts.size;
      },
      close,
      drop: () => {
        close();
        const reason = new NetError("CYG_NET_CLOSING", CUT, "the port is being closed");
        for (const cut of [...cuts]) cut(reason);
      },
    };
  }

  async #bind(): Promise<void> {
    const { host, ipv6Only } = binding(this.#options.host);
    try {
      await listening(this.#server, { host, ipv6Only, port: this.#options.port });
    } catch (error) {
      // A machine without IPv6 still has "every address".
      const everywhere = host === "::" && !ipv6Only;
      if (!everywhere || !isSystemError(error, "EAFNOSUPPORT", "EADDRNOTAVAIL")) throw error;
      await listening(this.#server, { host: "0.0.0.0", port: this.#options.port });
    }
  }

  #arrived(raw: Socket): void {
    raw.on("error", noCrash);
    const remote = { address: plainAddress(raw.remoteAddress ?? ""), port: raw.remotePort ?? 0 };
    const local = { address: plainAddress(raw.localAddress ?? ""), port: raw.localPort ?? 0 };
    if (remote.address === "") {
      raw.destroy(); // gone before it was looked at
      return;
    }
    const { admission, prot } = this.#options;
    let cut: (reason: NetError) => void = () => raw.destroy();
    const seat = admission.enter(remote.address, remote.port, prot, () =>
      cut(
        new NetError("CYG_NET_DISPLACED", CUT, `${remote.address} said nothing and gave way to a new caller`),
      ),
    );
    if (!seat) {
      raw.destroy();
      return;
    }
    raw.once("close", () => seat.leave());
    cut = this.#options.tls ? this.#secure(raw, remote, local, seat) : this.#clear(raw, remote, local, seat);
  }

  #clear(raw: Socket, remote: Endpoint, local: Endpoint, seat: Seat): (reason: NetError) => void {
    const facts = {
      id: connectionId(),
      remote,
      local,
      secure: null,
      inbound: true,
      ...standingOf(seat),
    };
    this.#options.onConnection(connection(raw, facts, (error) => netError(error, endpointText(remote))));
    return (reason) => raw.destroy(reason);
  }

  #secure(raw: Socket, remote: Endpoint, local: Endpoint, seat: Seat): (reason: NetError) => void {
    const { journal, prot, handshakeTimeout, onConnection } = this.#options;
    const tls = (this.#options.tls as () => ServerTls)();
    const id = connectionId();
    const peer = endpointText(remote);
    const story = new TlsJournal(journal, {
      ctx: id,
      profile: tls.profile,
      who: { prot },
      host: remote.address,
    });
    story.begun();
    const caller = { peer, address: remote.address, milliseconds: handshakeTimeout, clock: this.#clock };
    let cut: (reason: NetError) => void = () => raw.destroy();
    const current = (reason: NetError) => cut(reason);
    this.#cuts.add(current);
    const handshake = acceptTls(raw, tls, caller, {
      done: (stream, secure) => {
        this.#cuts.delete(current);
        cut = (reason) => stream.destroy(reason);
        const facts = { id, remote, local, secure, inbound: true, ...standingOf(seat) };
        const made = secured(stream, facts, story, tls.profile, peer);
        // A TLS 1.3 socket that is ended in the very turn of its handshake closes without close_notify.
        setImmediate(() => {
          if (!stream.destroyed) onConnection(made);
        });
      },
      failed: (failure) => {
        this.#cuts.delete(current);
        story.failed(failure);
        if (isCertificateRefusal(failure)) seat.standing?.refused(null);
      },
      late: (text) => story.late(text),
      remark: (text) => story.remark(text),
    });
    cut = handshake.cut;
    return current;
  }

  /**
   * A call that the system could not give us. The port stays open, so it is said once a second, not once a call.
   * (Without free file descriptors the runtime closes calls by itself and says nothing.)
   */
  #cannotAccept(error: Error): void {
    const now = this.#clock.monotonic();
    if (now - this.#lastAcceptError < 1000) return;
    this.#lastAcceptError = now;
    const { admission, journal, prot } = this.#options;
    const ncr = (error as NodeJS.ErrnoException).code ?? "";
    journal.emit("CFTH19E", { ncr, net: admission.net, prot, text: describe(error) });
  }
}

function standingOf({ recognised, standing }: Seat): Pick<Connection, "recognised" | "standing"> {
  return { recognised, ...(standing && { standing }) };
}

/** Line cut by us: DIAGI and DIAGP of what the catalog then shows. */
const CUT = { diagi: 302, diagp: "L 00 2F0" };

/** A socket error ends in "close", which is what the gateway acts on. */
function noCrash(): void {}

function listening(server: Server, where: { host: string; port: number; ipv6Only?: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...where, backlog: 511 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken; stop the other program or choose another sap",
  EADDRNOTAVAIL: "this machine has no such address; correct host of the CFTNET object",
  EACCES: "ports below 1024 are reserved; choose a higher sap or grant CAP_NET_BIND_SERVICE",
  ENOTFOUND: "this host name is not known; write an address of this machine",
  EAFNOSUPPORT: "this machine does not speak that family of addresses; correct host of the CFTNET object",
};

function bindError(cause: unknown, host: string, port: number): CygnetError {
  const advice = ADVICE[(cause as { code?: string }).code ?? ""] ?? describe(cause);
  const where = endpointText({ address: host, port });
  return new CygnetError("CYG_NET_BIND", `cannot listen on ${where}: ${advice}`, { cause });
}
