/** Talks to a running gateway: over its control socket, or over HTTPS to one elsewhere. */
import {
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from "node:http";
import { request as secureRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Target } from "./target.ts";

/** Nobody listens there. */
export class NotRunning extends CygnetError {
  constructor(target: Target) {
    super(
      "CYG_NOT_RUNNING",
      typeof target === "string"
        ? `no gateway is running (nobody listens on ${target}); start it with "cygnet run"`
        : `no gateway answers at ${target.url.href}`,
    );
  }
}

export type Method = "GET" | "POST" | "PUT";

/** What a request carries: a value as JSON, or octets as they are. */
export type Content = { json: unknown } | { octets: Readable };

export interface Answer<T> {
  value: T;
  /** Path of the next page of a list, below /v1; null = this is the last. */
  next: string | null;
}

/**
 * One request and its JSON answer. `path` is below /v1.
 * @throws NotRunning, or CygnetError with the gateway's own code and words
 */
export async function ask<T>(
  target: Target,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<T> {
  const content = body === undefined ? undefined : { json: body };
  return (await askWhole<T>(target, method, path, content)).value;
}

/** One GET whose answer is text; `path` is the whole of it, as for `/metrics`. Errors as `ask`. */
export async function askText(target: Target, path: string): Promise<string> {
  const response = await answerOf(target, open(target, "GET", path, {}));
  if (response.statusCode !== 200) await readJson(target, response);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** As `ask`, with what the answer says beside its value. */
export async function askWhole<T>(
  target: Target,
  method: Method,
  path: string,
  content?: Content,
): Promise<Answer<T>> {
  const response = await send(target, method, path, content);
  const value = (await readJson(target, response)) as T;
  const [, next = null] = /<\/v1([^>]*)>; *rel="next"/.exec(String(response.headers.link ?? "")) ?? [];
  return { value, next };
}

/**
 * Opens a stream of server-sent events.
 * @throws as `ask`
 */
export async function openEvents(target: Target, path: string, lastId?: string): Promise<IncomingMessage> {
  const headers = { accept: "text/event-stream", ...(lastId ? { "last-event-id": lastId } : {}) };
  const response = await send(target, "GET", path, undefined, headers);
  if (response.statusCode !== 200) await readJson(target, response);
  return response;
}

async function readJson(target: Target, response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  let answer: unknown;
  try {
    answer = JSON.parse(text || "null");
  } catch (error) {
    const where = typeof target === "string" ? target : target.url.href;
    throw new CygnetError("CYG_ADMIN", `${where} does not answer as a gateway does`, { cause: error });
  }
  if (response.statusCode === 200) return answer;
  const { code, message } = (answer ?? {}) as { code?: string; message?: string };
  throw new CygnetError(code ?? "CYG_ADMIN", message ?? `the gateway answered ${response.statusCode}`);
}

async function send(
  target: Target,
  method: Method,
  path: string,
  content?: Content,
  more: Record<string, string> = {},
): Promise<IncomingMessage> {
  const type =
    content === undefined ? undefined : "json" in content ? "application/json" : "application/octet-stream";
  const headers = { ...more, ...(type === undefined ? {} : { "content-type": type }) };
  const call = open(target, method, `/v1${path}`, headers);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", (error: NodeJS.ErrnoException) => reject(explained(target, error)));
  });
  if (content !== undefined && "octets" in content) {
    // a gateway that refuses answers before it has everything: then the answer counts, not the broken pipe
    const sent = pipeline(content.octets, call).then(() => answered);
    return Promise.any([answered, sent]).catch((error: AggregateError) => {
      throw error.errors[0];
    });
  }
  call.end(content === undefined ? undefined : JSON.stringify(content.json));
  return answered;
}

/** Ends a request without a body, and waits for its answer. */
function answerOf(target: Target, call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", (error: NodeJS.ErrnoException) => reject(explained(target, error)));
    call.end();
  });
}

function open(target: Target, method: Method, path: string, headers: Record<string, string>): ClientRequest {
  if (typeof target === "string") return plainRequest({ socketPath: target, method, path, headers });
  const { url, token, ca, cert, key } = target;
  const options: RequestOptions & { ca?: string; cert?: string; key?: string; minVersion: "TLSv1.2" } = {
    ...{ method, minVersion: "TLSv1.2" },
    headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return secureRequest(new URL(url.pathname.replace(/\/$/, "") + path, url), options);
}

function explained(target: Target, error: NodeJS.ErrnoException): Error {
  const { code = "" } = error;
  if (["ENOENT", "ECONNREFUSED"].includes(code)) return new NotRunning(target);
  if (typeof target !== "string") {
    const advice = /CERT|SELF_SIGNED|VERIFY/.test(code)
      ? "; --ca FILE names the authority of its certificate"
      : "";
    const text = `${target.url.href} cannot be reached: ${describe(error)}${advice}`;
    return new CygnetError("CYG_NET_FAILED", text, { cause: error });
  }
  if (code !== "EACCES") return error;
  return new CygnetError("CYG_DENIED", `you may not open ${target}; join the gateway's group`);
}
