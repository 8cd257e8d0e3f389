/** What the machine itself can do: a file over a raw Node connection, in clear or over TLS, to a file, synced. */
import { fork } from "node:child_process";
import { createReadStream, createWriteStream, fsyncSync, openSync, readFileSync } from "node:fs";
import { createServer, connect as dial, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { createServer as createTlsServer, connect as dialTls } from "node:tls";
import { fileURLToPath } from "node:url";

const PIECE = 256 * 1024;

/** A certificate for 127.0.0.1 and its key: files. */
export interface Identity {
  certificate: string;
  key: string;
}

const [, , role, target, certificate, key] = process.argv;
if (role === "receive" && target !== undefined) {
  const take = async (socket: Socket): Promise<void> => {
    const fd = openSync(target, "w");
    await pipeline(socket, createWriteStream("", { fd, autoClose: false, highWaterMark: PIECE }));
    fsyncSync(fd);
    process.send?.("done");
    server.close();
  };
  const server =
    certificate && key
      ? createTlsServer(
          { cert: readFileSync(certificate), key: readFileSync(key), minVersion: "TLSv1.3" },
          take,
        )
      : createServer(take);
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
}

/** Seconds from the first octet read to the last octet synced at the other process; in clear without an identity. */
export async function raw(source: string, to: string, identity?: Identity): Promise<number> {
  const more = identity ? [identity.certificate, identity.key] : [];
  const child = fork(fileURLToPath(import.meta.url), ["receive", to, ...more]);
  const next = () => new Promise<number | string>((resolve) => child.once("message", resolve as () => void));
  const port = (await next()) as number;
  const socket = await connected(port, identity);
  const done = next();
  const begun = performance.now();
  await pipeline(createReadStream(source, { highWaterMark: PIECE }), socket);
  await done;
  const seconds = (performance.now() - begun) / 1000;
  child.disconnect();
  return seconds;
}

function connected(port: number, identity?: Identity): Promise<Socket> {
  const host = "127.0.0.1";
  return new Promise((resolve, reject) => {
    const socket = identity
      ? dialTls({ host, port, ca: readFileSync(identity.certificate) }, () => resolve(socket))
      : dial({ host, port, noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}
