/** Octets from memory over a raw Node connection to a second process that reads and forgets them. */
import { type ChildProcess, fork } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";

/** Octets of one write, and how many writes are under way at a time: as the gateway has it. */
const WRITE = 7 * 65_539;
const DEPTH = 3;

if (process.argv[2] === "receive") {
  const server = createServer({ noDelay: true }, (socket) =>
    socket.on("data", () => {}).on("end", () => socket.end()),
  );
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as { port: number }).port));
}

/** Starts the second process, which is to be killed in the end. */
export async function startRawReceiver(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url), ["receive"]);
  const port = await new Promise<number>((resolve) => child.once("message", resolve as () => void));
  return { child, port };
}

/** Seconds for `size` octets from a buffer, over and over, until the other process has read them all. */
export async function sendRaw(port: number, size: number): Promise<number> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const dialled = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(dialled));
    dialled.once("error", reject);
  });
  const ended = new Promise((resolve) => socket.once("end", resolve).resume());
  const piece = Buffer.alloc(WRITE, 0x5a);
  const begun = performance.now();
  const under: Promise<void>[] = [];
  for (let written = 0; written < size; written += WRITE) {
    if (under.length === DEPTH) await under.shift();
    const octets = piece.subarray(0, Math.min(WRITE, size - written));
    under.push(new Promise((resolve) => void socket.write(octets, () => resolve())));
  }
  socket.end();
  await ended;
  return (performance.now() - begun) / 1000;
}
