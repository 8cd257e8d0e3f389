/** Talks to a running gateway over its control socket. */
import { request } from "node:http";
import { CygnetError } from "../platform/errors.ts";

/** Nobody listens on the control socket. */
export class NotRunning extends CygnetError {
  constructor(socket: string) {
    super(
      "CYG_NOT_RUNNING",
      `no gateway is running (nobody listens on ${socket}); start it with "cygnet run"`,
    );
  }
}

/**
 * One request and its JSON answer. `path` is below /v1.
 * @throws NotRunning, or CygnetError with the gateway's own code and words
 */
export async function ask<T>(
  socket: string,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<T> {
  const { status, text } = await exchange(socket, method, `/v1${path}`, body);
  const answer = JSON.parse(text || "null") as T;
  if (status === 200) return answer;
  throw refusal(status, answer);
}

/** One request whose answer is text. Errors as `ask`. */
export async function askText(socket: string, path: string): Promise<string> {
  const { status, text } = await exchange(socket, "GET", path, undefined);
  if (status === 200) return text;
  throw refusal(status, JSON.parse(text || "null"));
}

function refusal(status: number, answer: unknown): CygnetError {
  const { code, message } = (answer ?? {}) as { code?: string; message?: string };
  return new CygnetError(code ?? "CYG_ADMIN", message ?? `the gateway answered ${status}`);
}

function exchange(
  socket: string,
  method: "GET" | "POST",
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { "content-type": "application/json" };
    const call = request({ socketPath: socket, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
      response.on("error", reject);
    });
    call.on("error", (error: NodeJS.ErrnoException) => {
      const absent = ["ENOENT", "ECONNREFUSED"].includes(error.code ?? "");
      const denied = error.code === "EACCES";
      if (absent) reject(new NotRunning(socket));
      else if (denied)
        reject(new CygnetError("CYG_DENIED", `you may not open ${socket}; join the gateway's group`));
      else reject(error);
    });
    call.end(text);
  });
}
