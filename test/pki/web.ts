/** An HTTP server on loopback that a test tells what to answer. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Test } from "tap";

export type Answer =
  | Buffer
  | ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void | Promise<void>);

export interface Web {
  /** `http://127.0.0.1:port/name` */
  url(name: string): string;
  /** What stands under a name; nothing: 404. */
  pages: Map<string, Answer>;
  /** Names asked for, in order. */
  asked: string[];
}

export async function web(t: Test): Promise<Web> {
  const pages = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    asked.push(name);
    const page = pages.get(name);
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", async () => {
      if (page === undefined) response.writeHead(404).end();
      else if (Buffer.isBuffer(page)) response.end(page);
      else await page(request, response, Buffer.concat(pieces));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: (name) => `http://127.0.0.1:${port}/${name}`, pages, asked };
}

/** A clock at the real time plus what a test adds to it. */
export class ShiftedClock {
  shift = 0;
  now = (): number => Date.now() + this.shift;
  monotonic = (): number => performance.now() + this.shift;
  timer = (milliseconds: number, fire: () => void) => {
    const handle = setTimeout(fire, milliseconds);
    return { cancel: () => clearTimeout(handle) };
  };
}
