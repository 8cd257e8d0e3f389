/**
 * The administration of a running gateway: one HTTP application behind two doors, the control socket for whoever the
 * file system lets in, and HTTPS for users with a token or a certificate.
 */

import { chmod, unlink } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Gateway } from "../engine/gateway.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { Access } from "./access.ts";
import { buildApp } from "./app.ts";
import { AuditLog } from "./audit.ts";
import { markOrigin } from "./caller.ts";
import { Events } from "./events.ts";
import { NetworkListener } from "./tcp.ts";
import { endStreams } from "./topics/events.ts";

/** How long answers that are under way have when the gateway stops, ms. */
const PATIENCE = 2000;

export interface AdminServer {
  close(): Promise<void>;
}

/**
 * Opens the control socket and, where the configuration says so, the port. `shut` is called once somebody asks the
 * gateway to stop.
 * @throws CygnetError CYG_ADMIN_RUNNING, CYG_ADMIN_SOCKET, CYG_NET_BIND, CYG_TLS_…
 */
export async function openAdmin(
  gateway: Gateway,
  path: string,
  shut: (fast: boolean) => void,
): Promise<AdminServer> {
  await removeStale(path);
  const { site, journal } = gateway;
  const access = new Access(() => site.configuration.apiuser, journal, site.clock);
  const audit = new AuditLog(site.configuration, journal);
  const events = new Events(gateway);
  const streams = new Set<ServerResponse>();
  const app = await buildApp({ gateway, access, audit, events, streams, shut });
  const socket = createServer((request, response) => {
    markOrigin(request, "socket");
    app.routing(request, response);
  });
  await openSocket(socket, path);
  const network = new NetworkListener(
    (request, response) => {
      markOrigin(request, "network");
      app.routing(request, response);
    },
    journal,
    site.trust,
  );
  const close = async () => {
    endStreams(streams);
    const closed = new Promise<void>((resolve) => socket.close(() => resolve()));
    socket.closeAllConnections();
    await Promise.all([closed, network.close(PATIENCE)]);
    await app.close();
    await audit.close();
  };
  try {
    await gateway.join(network);
    await gateway.join({
      prepare: async (configuration) => ({
        commit: () => audit.follow(configuration),
        rollback: async () => {},
      }),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

/** Only the gateway's user and group may open it. */
async function openSocket(server: Server, path: string): Promise<void> {
  // the umask closes the window between making the socket and giving it its mode
  const umask = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path }, resolve);
    });
  } catch (error) {
    throw new CygnetError(
      "CYG_ADMIN_SOCKET",
      `The control socket ${path} cannot be opened: ${describe(error)}`,
    );
  } finally {
    process.umask(umask);
  }
  await chmod(path, 0o660);
}

/** A socket file that nobody listens on was left behind by a crash. */
async function removeStale(path: string): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => resolve(true));
    probe.once("error", () => resolve(false));
    probe.once("close", () => resolve(false));
    probe.setTimeout(1000, () => resolve(true));
    probe.once("connect", () => probe.destroy());
  });
  if (alive) {
    throw new CygnetError("CYG_ADMIN_RUNNING", `A gateway already listens on ${path}: stop it first.`);
  }
  await unlink(path).catch((error: unknown) => {
    if (!isSystemError(error, "ENOENT")) throw error;
  });
}
