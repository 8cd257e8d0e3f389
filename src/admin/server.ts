/**
 * The control socket: HTTP over a Unix socket that only the gateway's user and group can open. Everything that
 * the command line does with a running gateway goes through here.
 */
import { chmod, unlink } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { Gateway } from "../engine/gateway.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { buildApp } from "./app.ts";
import { markOrigin } from "./caller.ts";

export interface AdminServer {
  close(): Promise<void>;
}

/** Opens the control socket. `shut` is called once somebody asks the gateway to stop. */
export async function openAdmin(
  gateway: Gateway,
  path: string,
  shut: (fast: boolean) => void,
): Promise<AdminServer> {
  await removeStale(path);
  const app = await buildApp({ gateway, shut });
  const server = createServer((request, response) => {
    markOrigin(request, "socket");
    app.routing(request, response);
  });
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
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await app.close();
    },
  };
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
