/**
 * The HTTP API on the network: HTTPS only, with few connections for each address and little patience.
 *
 * Invariants
 * - There is no port without TLS, on no address: a token in clear would be anybody's.
 * - A change is prepared whole (port open, certificate loaded) before anything of it is in force.
 * - The old port takes no more callers, and closes when what it is answering has been answered.
 */

import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { Configuration } from "../config/model.ts";
import type { Credentials } from "../engine/credentials.ts";
import type { Partaker, Prepared } from "../engine/partakers.ts";
import type { Journal } from "../messages/journal.ts";
import { type AddressSet, addressSet, plainAddress } from "../net/addresses.ts";
import { type ServerTls, serverTls } from "../net/tls.ts";
import type { Trust } from "../pki/trust/trust.ts";
import { CygnetError, describe } from "../platform/errors.ts";

/** From the connection to the end of the TLS handshake, ms. */
const HANDSHAKE = 10_000;
/**
 * For the head of a request, and without an octet in either direction, ms: an upload may be long, and an answer may take
 * as long as a partner does that is tested on every path.
 */
const HEADERS = 10_000;
const SILENCE = 5 * 60_000;
/** Between two requests on a connection, ms. */
const IDLE = 15_000;
const LARGEST_HEAD = 16 * 1024;

interface Open {
  server: Server;
  /** Address and port. */
  key: string;
  /** Whether callers are asked for certificates: another answer needs another server. */
  asks: boolean;
  tls: ServerTls;
  listen: { host: string; port: number };
}

export class NetworkListener implements Partaker {
  readonly #handle: RequestListener;
  readonly #journal: Journal;
  readonly #trust: Trust;
  #open: Open | null = null;
  #rules = rulesOf(null);
  readonly #connections = new Map<string, Set<Socket>>();
  readonly #closing = new Set<Promise<void>>();

  constructor(handle: RequestListener, journal: Journal, trust: Trust) {
    this.#handle = handle;
    this.#journal = journal;
    this.#trust = trust;
  }

  /** Where it listens; null = nowhere. */
  get address(): { address: string; port: number } | null {
    const address = this.#open?.server.address();
    return typeof address === "object" && address ? { address: address.address, port: address.port } : null;
  }

  /** @throws CygnetError CYG_NET_BIND, CYG_TLS_…; then nothing has changed */
  async prepare(configuration: Configuration, credentials: Credentials): Promise<Prepared> {
    const { admin } = configuration;
    const { listen } = admin;
    const rules = rulesOf(admin);
    const before = this.#open;
    if (listen === null) {
      const commit = () => {
        this.#rules = rules;
        this.#open = null;
        if (before === null) return;
        this.#retire(before);
        this.#journal.emit("CFTR92I", { text: `no longer listens on ${before.key}` });
      };
      return { commit, rollback: async () => {} };
    }
    const tls = tlsOf(configuration, credentials, this.#trust);
    const wanted = { key: `${listen.host}:${listen.port}`, asks: tls.profile.verify !== "none", tls, listen };
    if (before?.key === wanted.key && before.asks === wanted.asks) {
      const commit = () => {
        this.#rules = rules;
        before.tls = tls;
        before.server.setSecureContext(tls.options);
      };
      return { commit, rollback: async () => {} };
    }
    const samePort = before !== null && before.listen.port === listen.port;
    // connections that are there stay; the port must be free for the server that follows
    if (samePort) this.#retire(before);
    const back = async () => {
      if (samePort) this.#open = { ...before, server: await this.#listen(before) };
    };
    let opened: Open;
    try {
      opened = { ...wanted, server: await this.#listen(wanted) };
    } catch (error) {
      await back();
      throw error;
    }
    return {
      commit: () => {
        this.#rules = rules;
        this.#open = opened;
        if (before && !samePort) this.#retire(before);
        this.#journal.emit("CFTR92I", { text: `listens on ${opened.key}` });
      },
      rollback: async () => {
        opened.server.close();
        await back();
      },
    };
  }

  /** Answers what it is answering, then closes; after `patience` ms at once. */
  async close(patience: number): Promise<void> {
    if (this.#open) this.#retire(this.#open);
    this.#open = null;
    const cut = setTimeout(() => {
      for (const sockets of this.#connections.values()) for (const socket of sockets) socket.destroy();
    }, patience);
    await Promise.all(this.#closing);
    clearTimeout(cut);
  }

  #retire({ server }: Open): void {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#closing.add(closed);
    void closed.then(() => this.#closing.delete(closed));
    server.closeIdleConnections();
  }

  #listen({ tls: { options }, listen: { host, port } }: Pick<Open, "tls" | "listen">): Promise<Server> {
    const server = createServer(
      {
        ...options,
        handshakeTimeout: HANDSHAKE,
        headersTimeout: HEADERS,
        requestTimeout: 0,
        keepAliveTimeout: IDLE,
        maxHeaderSize: LARGEST_HEAD,
        connectionsCheckingInterval: 2000,
        ALPNProtocols: ["http/1.1"],
      },
      this.#handle,
    );
    server.setTimeout(SILENCE);
    server.maxRequestsPerSocket = 1000;
    server.on("connection", (socket: Socket) => this.#arrived(socket));
    // a caller that breaks off, or speaks no TLS, is no event of the gateway
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => {
        const text = `[admin] listen: ${host}:${port} cannot be opened: ${describe(error)}`;
        reject(new CygnetError("CYG_NET_BIND", text, { cause: error }));
      };
      server.once("error", failed);
      server.listen({ host, port }, () => {
        server.off("error", failed);
        server.on("error", (error) => {
          this.#journal.emit("CFTR93E", { text: `HTTP API: ${describe(error)}` });
        });
        resolve(server);
      });
    });
  }

  #arrived(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? "");
    const { allow, deny, maxcnx, maxcnxHost } = this.#rules;
    const taken = [...this.#connections.values()].reduce((sum, { size }) => sum + size, 0);
    const same = this.#connections.get(address) ?? new Set<Socket>();
    const welcome = !deny.has(address) && (allow.empty || allow.has(address));
    if (!welcome || taken >= maxcnx || same.size >= maxcnxHost) {
      socket.destroy();
      return;
    }
    same.add(socket);
    this.#connections.set(address, same);
    socket.once("close", () => {
      same.delete(socket);
      if (same.size === 0 && this.#connections.get(address) === same) this.#connections.delete(address);
    });
  }
}

interface Rules {
  allow: AddressSet;
  deny: AddressSet;
  maxcnx: number;
  maxcnxHost: number;
}

function rulesOf(admin: Configuration["admin"] | null): Rules {
  return {
    allow: addressSet(admin?.allow ?? []),
    deny: addressSet(admin?.deny ?? []),
    maxcnx: admin?.maxcnx ?? 0,
    maxcnxHost: admin?.maxcnx_host ?? 0,
  };
}

/** @throws CygnetError CYG_TLS_…, CYG_PKI_UNKNOWN */
function tlsOf({ admin, pki }: Configuration, credentials: Credentials, trust: Trust): ServerTls {
  const roots = admin.rootcid.filter((id) => pki.get(id)?.state !== "inact");
  return serverTls({
    id: "[admin]",
    material: credentials.material(admin.usercid),
    roots: roots.map((id) => credentials.material(id)),
    // a caller without a certificate may have a token
    verify: roots.length > 0 ? "optional" : "none",
    versions: ["1.2", "1.3"],
    ciphers: "",
    trust,
  });
}
