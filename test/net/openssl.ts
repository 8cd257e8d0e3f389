import { spawn } from "node:child_process";
import { once } from "node:events";

/** An openssl program that talks TLS, as the other side. */
export interface Tool {
  /** Everything it wrote, both streams. */
  output(): string;
  /** Resolves when the output matches, rejects when the program ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  write(text: string): void;
  ended: Promise<number | null>;
  stop(): Promise<void>;
}

export function openssl(args: string[]): Tool {
  const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "pipe"] });
  let text = "";
  const take = (chunk: Buffer) => {
    text += chunk.toString("latin1");
    child.emit("said");
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.on("error", () => {}); // it may have ended already
  const ended = once(child, "close").then(([code]) => {
    child.emit("said");
    return code as number | null;
  });
  let over = false;
  ended.then(() => {
    over = true;
    child.emit("said");
  });
  return {
    output: () => text,
    async says(pattern) {
      for (;;) {
        const match = text.match(pattern);
        if (match) return match;
        if (over) throw new Error(`openssl ended without ${pattern}: ${text}`);
        await once(child, "said");
      }
    },
    write: (line) => child.stdin.write(line),
    ended,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** `openssl s_client` against a local port; give the rest of its options. */
export function client(port: number, ...args: string[]): Tool {
  return openssl(["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...args]);
}

/** `openssl s_server` on a free local port. */
export async function server(...args: string[]): Promise<Tool & { port: number }> {
  const tool = openssl(["s_server", "-accept", "127.0.0.1:0", ...args]);
  const match = await tool.says(/ACCEPT [^\n]*:(\d+)/);
  return { ...tool, port: Number(match[1]) };
}
