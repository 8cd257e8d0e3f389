/**
 * What systemd hears from us: the notification protocol of sd_notify(3), as lines in one datagram.
 *
 * Node has no Unix datagram sockets. The unit starts us through systemd/notify-socket, which connects one to
 * $NOTIFY_SOCKET and leaves its number in $CYGNET_NOTIFY_FD: from there on a datagram is one write. Without that
 * variable nothing is sent and nothing is opened. docs/decisions/0030 says why.
 */
import { fstatSync, writeSync } from "node:fs";
import { CygnetError, describe, isSystemError } from "./errors.ts";

export interface ServiceManager {
  /** Somebody listens. */
  readonly present: boolean;
  /** Longest silence that is allowed, ms; null = nobody waits for signs of life. */
  readonly watchdog: number | null;
  /** Every port is open; also ends `reloading`. `status` is one line for people. */
  ready(status: string): void;
  reloading(): void;
  stopping(status: string): void;
  status(text: string): void;
  /** A sign of life. */
  alive(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The service manager that the environment names. `lost` hears once, in words, why it is not reached.
 * @throws CygnetError CYG_NOTIFY_SOCKET when $CYGNET_NOTIFY_FD is no open socket
 */
export function serviceManager(environment: Environment, lost: (text: string) => void): ServiceManager {
  const descriptor = descriptorOf(environment);
  const send = descriptor === null ? () => {} : sender(descriptor, lost);
  return {
    present: descriptor !== null,
    watchdog: descriptor === null ? null : watchdogOf(environment),
    ready: (status) => send(["READY=1", `STATUS=${oneLine(status)}`]),
    // the time is how systemd tells the answer to its own reload from an older one
    reloading: () => send(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    stopping: (status) => send(["STOPPING=1", `STATUS=${oneLine(status)}`]),
    status: (text) => send([`STATUS=${oneLine(text)}`]),
    alive: () => send(["WATCHDOG=1"]),
  };
}

function descriptorOf({ CYGNET_NOTIFY_FD: text }: Environment): number | null {
  if (text === undefined || text === "") return null;
  try {
    if (/^\d{1,6}$/.test(text) && fstatSync(Number(text)).isSocket()) return Number(text);
  } catch (error) {
    if (!isSystemError(error, "EBADF")) throw error;
  }
  throw new CygnetError(
    "CYG_NOTIFY_SOCKET",
    `CYGNET_NOTIFY_FD=${text} is no open socket: only systemd/notify-socket sets it; take it out of the environment`,
  );
}

/** $WATCHDOG_USEC counts only for the process that $WATCHDOG_PID names, as sd_watchdog_enabled(3) has it. */
function watchdogOf({ WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid }: Environment): number | null {
  if (pid !== undefined && pid !== String(process.pid)) return null;
  const milliseconds = Number(microseconds) / 1000;
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds : null;
}

function sender(descriptor: number, lost: (text: string) => void): (lines: readonly string[]) => void {
  let told = false;
  return (lines) => {
    try {
      writeSync(descriptor, lines.join("\n"));
      told = false;
    } catch (error) {
      // a manager that is slow to read misses one message of many: the next one makes it good
      if (isSystemError(error, "EAGAIN", "ENOBUFS")) return;
      if (!told) lost(describe(error));
      told = true;
    }
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
