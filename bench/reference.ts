/** What the machine itself can do: a file over a raw Node TCP connection to a file, synced. */
import { fork } from "node:child_process";
import { createReadStream, createWriteStream, fsyncSync, openSync } from "node:fs";
import { connect, createServer } from "node:net";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

const PIECE = 256 * 1024;

if (process.argv[2] === "receive") {
  const server = createServer(async (socket) => {
    const fd = openSync(process.argv[3] as string, "w");
    await pipeline(socket, createWriteStream("", { fd, autoClose: false, highWaterMark: PIECE }));
    fsyncSync(fd);
    process.send?.("done");
    server.close();
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
}

/** Seconds from the first octet read to the last octet synced at the other process. */
export async function rawTcp(source: string, target: string): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), ["receive", target]);
  const next = () => new Promise<number | string>((resolve) => child.once("message", resolve as () => void));
  const port = (await next()) as number;
  const done = next();
  const begun = performance.now();
  await pipeline(createReadStream(source, { highWaterMark: PIECE }), connect(port, "127.0.0.1"));
  await done;
  const seconds = (performance.now() - begun) / 1000;
  child.disconnect();
  return seconds;
}
