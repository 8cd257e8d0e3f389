/** What a request is answered with that is not done: status, stable code, a sentence for people. */
import type { FastifyError, FastifyInstance } from "fastify";
import { CygnetError, describe } from "../platform/errors.ts";

/** Not done, with the status and the headers that say so. */
export class Refusal extends CygnetError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}

/** The first row that a code begins with decides. Whatever else the gateway says is its own trouble. */
const STATUS: readonly (readonly [prefix: string, status: number])[] = [
  ["CYG_REQUEST_STATE", 409],
  ["CYG_REQUEST_PART", 404],
  ["CYG_REQUEST_OBJECT", 404],
  ["CYG_REQUEST_", 400],
  ["CYG_EXCHANGE_PART", 404],
  ["CYG_EXCHANGE_", 409],
  ["CYG_CERTIFICATE_UNKNOWN", 404],
  ["CYG_CERTIFICATE_STATE", 409],
  ["CYG_PKI_PART", 404],
  ["CYG_PKI_", 400],
  ["CYG_SYMBOL", 400],
  ["CYG_FORMAT_", 400],
  ["CYG_OFTP_", 400],
  ["CYG_DELIVERY_", 409],
  ["CYG_JOB_", 409],
  ["CYG_SECURITY_", 409],
  ["CYG_SESSION_", 409],
  ["CYG_SPOOL_FULL", 507],
  ["CYG_CATALOG_FULL", 507],
  ["CYG_CATALOG_", 503],
  ["CYG_SPOOL_", 409],
];

export function statusOf(error: unknown): number {
  if (error instanceof Refusal) return error.status;
  if (error instanceof CygnetError) {
    return STATUS.find(([prefix]) => error.code.startsWith(prefix))?.[1] ?? 500;
  }
  const { statusCode } = error as FastifyError;
  return typeof statusCode === "number" && statusCode >= 400 ? statusCode : 500;
}

export function codeOf(error: unknown): string {
  if (error instanceof CygnetError) return error.code;
  return statusOf(error) < 500 ? "CYG_ADMIN_REQUEST" : "CYG_INTERNAL";
}

/** Every refusal has one shape: `{code, message}`. */
export function answerRefusals(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    const code = codeOf(error);
    request.refused = code;
    if (error instanceof Refusal) reply.headers(error.headers);
    // what was not foreseen may tell of the inside: it belongs into the log, not to a stranger
    const known = error instanceof CygnetError || status < 500;
    if (!known) request.trouble = error instanceof Error ? error : new Error(describe(error));
    const message = known ? describe(error) : "the gateway could not do it; its log says why";
    return reply.status(status).send({ code, message });
  });
  app.setNotFoundHandler((request, reply) => {
    request.refused = "CYG_ADMIN_PATH";
    const message = `there is no ${request.method} ${request.url.split("?")[0]}; GET /v1/openapi.json shows what there is`;
    return reply.status(404).send({ code: "CYG_ADMIN_PATH", message });
  });
}
