/** A service manager's ear: a real Unix datagram socket, held by perl, since Node has none. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Test } from "tap";

const LISTEN = `
use strict; use warnings; use Socket;
$| = 1;
my $path = $ARGV[0];
$path =~ s/^@/\\0/;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack_sockaddr_un($path)) or die "$path: $!";
print "listening\\n";
while (defined recv($socket, my $text, 65536, 0)) { print unpack('H*', $text), "\\n"; }
`;

export interface NotifyListener {
  /** Every datagram so far, each a list of lines. */
  readonly heard: string[][];
  /** Waits for the next datagram that `matches`, from the `from`-th on; gives its place. */
  next(matches: (lines: string[]) => boolean, from?: number): Promise<number>;
  /** Nothing comes after this one has ended: who waits is told so. */
  hearsFrom(child: ChildProcess): void;
  close(): void;
}

/** Listens on `path` ("@name": abstract) until the test ends. */
export async function listenForNotifications(t: Test, path: string): Promise<NotifyListener> {
  const perl = spawn("perl", ["-e", LISTEN, path], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => perl.kill("SIGKILL"));
  const heard: string[][] = [];
  const waiting = new Set<() => void>();
  let ended: string | null = null;
  await new Promise<void>((resolve, reject) => {
    perl.once("error", reject);
    perl.once("exit", (code) => reject(new Error(`perl ended with ${code}`)));
    createInterface(perl.stdout).on("line", (line) => {
      if (line === "listening") return resolve();
      heard.push(Buffer.from(line, "hex").toString().split("\n"));
      for (const look of [...waiting]) look();
    });
  });
  return {
    heard,
    close: () => perl.kill("SIGKILL"),
    hearsFrom: (child) =>
      child.once("exit", (code, signal) => {
        // what it said last may still be on its way
        setTimeout(() => {
          ended = `the process ended (${code ?? signal}) after ${JSON.stringify(heard)}`;
          for (const look of [...waiting]) look();
        }, 1000);
      }),
    next: (matches, from = 0) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const at = heard.findIndex((lines, index) => index >= from && matches(lines));
          if (at < 0 && ended === null) return;
          waiting.delete(look);
          if (at < 0) reject(new Error(ended ?? ""));
          else resolve(at);
        };
        waiting.add(look);
        look();
      }),
  };
}
