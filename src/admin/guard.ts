/** Before a route: who asks, and may it. After it: what was done stands in the audit log before it is answered. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { plainAddress } from "../net/addresses.ts";
import { describe } from "../platform/errors.ts";
import { nameYourself } from "./access.ts";
import type { Context } from "./api.ts";
import { type AuditEntry, noted } from "./audit.ts";
import { originOf } from "./caller.ts";
import { Refusal } from "./refusal.ts";
import { may } from "./roles.ts";
import { Strangers } from "./strangers.ts";

export function guard(app: FastifyInstance, { access, audit, gateway }: Context): void {
  const { journal, clock } = gateway.site;
  const strangers = new Strangers(clock);

  app.addHook("onRequest", async (request) => {
    request.caller = access.identify(request.raw);
    // a path that is none is told only to those who may look at something
    const need = request.routeOptions.config.need ?? "read";
    if (may(request.caller?.role ?? null, need)) return;
    if (request.caller === null) throw nameYourself();
    const { name, role } = request.caller;
    journal.emit("CFTX01W", { action: `${request.method} ${pathOf(request)}`, object: need, user: name });
    throw new Refusal(403, "CYG_API_ROLE", `this needs the role ${need}; ${name} has the role ${role}`);
  });

  app.addHook("onSend", async (request, reply, payload) => {
    reply.header("cache-control", "no-store");
    reply.header("x-content-type-options", "nosniff");
    if (isAudited(request)) {
      const entry = entryOf(request, reply.statusCode, clock.now());
      const leftOut = request.caller === null ? strangers.next() : 0;
      if (leftOut !== null) await audit.write(leftOut === 0 ? entry : { ...entry, said: { leftOut } });
    }
    const { trouble } = request;
    if (trouble) {
      const cmd = `${request.method} ${pathOf(request)}`;
      journal.emit("CFTR93E", { cmd, text: `${cmd}: ${describe(trouble)}` });
    }
    return payload;
  });
}

/** What changes something, and whoever was not let in or may not. During a lock-out only its beginning is told. */
function isAudited(request: FastifyRequest): boolean {
  const strange = request.refused.startsWith("CYG_API_") && request.refused !== "CYG_API_LOCKED";
  return (request.routeOptions.config.audited ?? "") !== "" || strange;
}

function entryOf(request: FastifyRequest, status: number, now: number): AuditEntry {
  const { caller, method, refused, params, query, body } = request;
  const said = { ...(params as object), ...(query as object), ...asObject(noted(body)) };
  const remote = originOf(request.raw) === "socket" ? "" : plainAddress(request.ip);
  return {
    time: new Date(now).toISOString(),
    who: caller?.name ?? "",
    via: caller?.via ?? "",
    address: caller?.address ?? remote,
    role: caller?.role ?? "",
    action: request.routeOptions.config.audited ?? "",
    method,
    path: pathOf(request),
    said: noted(said),
    status,
    code: refused,
  };
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : value === null ? {} : { body: value };
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?")[0] ?? url;
}
