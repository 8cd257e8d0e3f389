/**
 * The control socket: HTTP over a Unix socket that only the gateway's user and group can open. Everything that
 * the command line does with a running gateway goes through here.
 */
import { chmod, unlink } from "node:fs/promises";
import { connect } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { type ActivationOrder, activate } from "../engine/activate.ts";
import type { Offer } from "../engine/exchange/outgoing.ts";
import type { Gateway } from "../engine/gateway.ts";
import { EXCHANGE_KINDS } from "../pki/exchange/kinds.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { recordOf } from "./record.ts";
import { statusOf } from "./status.ts";
import { transferRoutes } from "./transfers.ts";
import { watchingRoutes } from "./watching.ts";

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
  const app = routes(gateway, shut);
  // the umask closes the window between making the socket and giving it its mode
  const umask = process.umask(0o117);
  try {
    await app.listen({ path });
  } catch (error) {
    throw new CygnetError(
      "CYG_ADMIN_SOCKET",
      `The control socket ${path} cannot be opened: ${describe(error)}`,
    );
  } finally {
    process.umask(umask);
  }
  await chmod(path, 0o660);
  return { close: () => app.close() };
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

const ACTIVATION = {
  type: "object",
  required: ["command", "id"],
  additionalProperties: false,
  properties: {
    command: { enum: ["act", "inact"] },
    id: { type: "string" },
    kind: { enum: ["part", "folder", "cron", "address"] },
    mode: { enum: ["both", "requester", "server"] },
    force: { type: "boolean" },
  },
} as const;

function routes(gateway: Gateway, shut: (fast: boolean) => void): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });

  app.setErrorHandler((error, _request, reply) => {
    const known = error instanceof CygnetError;
    const invalid = (error as { validation?: unknown }).validation !== undefined;
    const code = known ? error.code : invalid ? "CYG_ADMIN_REQUEST" : "CYG_INTERNAL";
    reply.status(known || invalid ? 400 : 500).send({ code, message: describe(error) });
  });

  app.get("/status", () => statusOf(gateway));

  transferRoutes(app, gateway);
  watchingRoutes(app, gateway);

  app.post<{ Params: { id: string } }>("/partners/:id/test", (request) => gateway.probe(request.params.id));

  app.post<{ Params: { id: string } }>("/partners/:id/call", async (request, reply) => {
    const why = gateway.scheduler.poll(request.params.id);
    if (why === undefined) return { called: request.params.id };
    return reply
      .status(409)
      .send({ code: "CYG_NOT_CALLED", message: `${request.params.id} is not called: ${why}` });
  });

  app.post<{ Body: ActivationOrder }>("/activations", { schema: { body: ACTIVATION } }, ({ body }) =>
    activate(gateway, body),
  );

  app.post<{ Body: Offer }>(
    "/pki/exchange",
    {
      schema: {
        body: {
          type: "object",
          required: ["part", "kind"],
          properties: {
            part: { type: "string" },
            kind: { enum: [...EXCHANGE_KINDS] },
            id: { type: "string" },
            replaces: { type: "string" },
          },
        },
      },
    },
    async (request) => (await gateway.site.exchange.offer(request.body)).map(recordOf),
  );

  app.post("/reload", () => gateway.reload("asked for by an operator"));
  app.post("/pki/refresh", () => gateway.refreshStore());
  app.post("/plan", () => gateway.preview());

  app.post<{ Body: { fast?: boolean } | null }>("/shut", async (request) => {
    const fast = request.body?.fast ?? false;
    setImmediate(() => shut(fast));
    return { stopping: true, fast };
  });
  return app;
}
