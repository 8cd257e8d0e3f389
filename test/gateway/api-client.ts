/** A caller of the HTTP API that shares no code with the command line: requests, events, and the [admin] of a gateway. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** As it came. */
  text: string;
  /** Parsed, where it is JSON. */
  json: unknown;
}

export interface Wish {
  token?: string;
  cert?: string;
  key?: string;
  /** Sent as JSON; a Buffer as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  agent?: Agent;
  /** The source address, for callers that must not share one. */
  from?: string;
  maxVersion?: "TLSv1.2" | "TLSv1.3";
}

/** Tokens of the users that `adminToml` makes. */
export type Tokens = Record<"reader" | "operator" | "boss", string>;

export const newToken = (): string => randomBytes(24).toString("hex");

export class ApiClient {
  readonly port: number;
  readonly #ca: string;

  /** @param ca path of the certificate that the gateway shows */
  constructor(port: number, ca: string) {
    this.port = port;
    this.#ca = readFileSync(ca, "utf8");
  }

  async call(method: string, path: string, wish: Wish = {}): Promise<Answer> {
    const response = await this.open(method, path, wish);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const isJson = /^application\/json/.test(response.headers["content-type"] ?? "");
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** A request whose body the test writes itself. */
  async begin(method: string, path: string, token: string, length: number): Promise<ClientRequest> {
    const headers = {
      ...{
        authorization: `Bearer ${token}`,
        "content-type": "application/octet-stream",
        "content-length": length,
      },
    };
    const call = request({
      host: "127.0.0.1",
      port: this.port,
      method,
      path,
      ca: this.#ca,
      servername: "localhost",
      headers,
      agent: false,
    });
    call.on("error", () => {}); // the test breaks it off
    call.flushHeaders();
    return call;
  }

  open(method: string, path: string, wish: Wish = {}): Promise<IncomingMessage> {
    const { token, body, from, agent, headers = {}, ...tls } = wish;
    const octets = Buffer.isBuffer(body) ? body : body === undefined ? undefined : JSON.stringify(body);
    const type = Buffer.isBuffer(body) ? "application/octet-stream" : "application/json";
    return new Promise((resolve, reject) => {
      const call = request({
        ...{ host: "127.0.0.1", port: this.port, method, path, ca: this.#ca, servername: "localhost" },
        ...tls,
        agent: agent ?? false,
        ...(from === undefined ? {} : { localAddress: from }),
        headers: {
          ...(octets === undefined ? {} : { "content-type": type }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      });
      call.once("response", resolve);
      call.once("error", reject);
      call.end(octets);
    });
  }
}

/** `[admin]` with a port, and three users, one for each role; their tokens stand in files of the environment's kind. */
export function adminToml(port: number, tokens: Tokens, more = ""): string {
  return `
[admin]
listen  = "127.0.0.1:${port}"
usercid = "own"
${more}

[[apiuser]]
id = "reader"
role = "read"
token = "file:secrets/reader"

[[apiuser]]
id = "operator"
role = "operate"
token = "file:secrets/operator"

[[apiuser]]
id = "boss"
role = "admin"
token = "${tokens.boss}"
`;
}
