/**
 * How a route is declared: path, role, words for the manual, and the JSON Schemas of what comes in and goes out.
 *
 *   api.get("/folders", { id: "folders", tag: "folders", role: "read", summary: "…", answer: list(FOLDER) }, () => …);
 *
 * Invariant: there is no route without a role, and none that the OpenAPI document does not show.
 */
import type { ServerResponse } from "node:http";
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  RouteGenericInterface,
} from "fastify";
import type { Gateway } from "../engine/gateway.ts";
import type { Access } from "./access.ts";
import type { AuditLog } from "./audit.ts";
import type { Caller } from "./caller.ts";
import type { Events } from "./events.ts";
import type { Need } from "./roles.ts";
import { named, type Schema } from "./schema.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may use the route. */
    need?: Need;
    /** Name of what is done, for the audit log; "" = a look at something, which is not noted. */
    audited?: string;
  }
  interface FastifyRequest {
    /** Who asks; null where nobody needs to say. */
    caller: Caller | null;
    /** Code of the answer, when it is a refusal. */
    refused: string;
    /** What went wrong inside, for the log. */
    trouble: Error | null;
  }
}

export interface Endpoint {
  /** Name of the operation, unique; programs that are generated from the document call it so. */
  id: string;
  tag: string;
  role: Need;
  summary: string;
  params?: Schema;
  query?: Schema;
  body?: Schema;
  /** Of status 200. */
  answer: Schema;
  /** Media types other than JSON. */
  takes?: string;
  gives?: string;
  /** Statuses besides those that every route has, and when they come. */
  also?: Readonly<Record<number, string>>;
  /** What stands for the usual refusal in the answers with these statuses. */
  instead?: Readonly<Record<number, Schema>>;
  /** For requests other than GET that change nothing. */
  looks?: boolean;
}

/** What every topic of the API works with. */
export interface Context {
  gateway: Gateway;
  access: Access;
  audit: AuditLog;
  events: Events;
  /** Open event streams. */
  streams: Set<ServerResponse>;
  /** The OpenAPI document. */
  document: () => object;
  /** Stops the gateway. */
  shut: (fast: boolean) => void;
}

/** The routes of one topic. */
export type Topic<C extends Context = Context> = (api: Api, context: C) => void;

export type Request<T extends RouteGenericInterface> = FastifyRequest<T>;

type Handler<T extends RouteGenericInterface> = (request: FastifyRequest<T>, reply: FastifyReply) => unknown;

/** Beginning of every path of the API. */
export const PREFIX = "/v1";

const COMMON: Readonly<Record<number, string>> = {
  400: "the request is not understood, or asks for what cannot be",
  401: "the caller has not said who it is, or is not known",
  403: "the caller's role does not allow it",
  413: "the body is longer than 1 MiB",
  415: "the body is of another type",
  429: "too many wrong tokens from this address; Retry-After says how long to wait",
  500: "the gateway could not do it; its log says why",
  503: "the catalog cannot be used at the moment, or the gateway is stopping",
};

export class Api {
  readonly #app: FastifyInstance;

  constructor(app: FastifyInstance) {
    this.#app = app;
  }

  get<T extends RouteGenericInterface>(path: string, endpoint: Endpoint, handler: Handler<T>): void {
    this.route("GET", PREFIX + path, endpoint, handler);
  }

  post<T extends RouteGenericInterface>(path: string, endpoint: Endpoint, handler: Handler<T>): void {
    this.route("POST", PREFIX + path, endpoint, handler);
  }

  /** A route under any path, for what has its place elsewhere by custom (`/metrics`, `/healthz`). */
  route<T extends RouteGenericInterface>(
    method: HTTPMethods,
    url: string,
    endpoint: Endpoint,
    handler: Handler<T>,
  ): void {
    const { id, tag, role, summary, params, query, body, answer, takes, gives, also, looks } = endpoint;
    const refusals = Object.entries({ ...COMMON, ...also }).map(([status, description]) => {
      return [status, { description, ...(endpoint.instead?.[Number(status)] ?? named("Refusal")) }] as const;
    });
    const given =
      gives === undefined ? answer : { description: summary, content: { [gives]: { schema: answer } } };
    const schema = {
      operationId: id,
      tags: [tag],
      summary,
      description: role === "anyone" ? "No role is needed." : `Needs the role ${role}.`,
      "x-role": role,
      security: role === "anyone" ? [] : [{ token: [] }, { certificate: [] }],
      ...(params ? { params } : {}),
      ...(query ? { querystring: query } : {}),
      ...(body ? { body } : {}),
      ...(takes ? { consumes: [takes] } : {}),
      response: { 200: { description: "done", ...given }, ...Object.fromEntries(refusals) },
    };
    const audited = method === "GET" || looks === true ? "" : id;
    this.#app.route<T>({
      method,
      url,
      schema,
      config: { need: role, audited },
      exposeHeadRoute: false,
      handler: handler as never,
    });
  }
}
