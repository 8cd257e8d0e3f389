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
export function ask<T>(socket: string, method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { "content-type": "application/json" };
    const call = request({ socketPath: socket, method, path: `/v1${path}`, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString() || "null") as T;
        if (response.statusCode === 200) return resolve(answer);
        const { code, message } = answer as { code?: string; message?: string };
        reject(
          new CygnetError(code ?? "CYG_ADMIN", message ?? `the gateway answered ${response.statusCode}`),
        );
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
