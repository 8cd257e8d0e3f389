/** `cygnet log`: the log, filtered; `-f` goes on with what comes. `--audit`: who did what. */
import { existsSync } from "node:fs";
import { type AuditEntry, parseAudit } from "../admin/audit.ts";
import type { Severity } from "../messages/journal.ts";
import { follow, type LogEntry, type LogFilter, matches, parseLine, readLines } from "../messages/reader.ts";
import { ask, openEvents } from "./client.ts";
import { type CommonOptions, Failed, localTime, places, print } from "./context.ts";
import { readEvents } from "./events.ts";
import { type Remote, remoteTarget } from "./target.ts";

export interface LogOptions extends CommonOptions {
  follow?: boolean;
  /** Only protocol commands (CFTH75). */
  trace?: boolean;
  audit?: boolean;
  level?: Severity;
  part?: string;
  idtu?: string;
}

type Message = Pick<LogEntry, "severity" | "id" | "text" | "variables"> & { time: string };

export async function log(options: LogOptions): Promise<void> {
  const far = remoteTarget(options);
  if (options.audit) return audit(far, options);
  if (far) return logFrom(far, options);
  const { log: file } = await places(options);
  const filter = filterOf(options);
  const filtered = options.trace === true || Object.keys(filter).length > 0;
  const show = (line: string) => {
    const entry = parseLine(line);
    if (filtered && (entry === null || !matches(entry, filter))) return;
    if (options.trace && !entry?.id.startsWith(TRACE)) return;
    if (!options.json) return print(line);
    if (entry) {
      const { time, severity, id, text, variables } = entry;
      print(JSON.stringify({ time: new Date(time).toISOString(), severity, id, text, variables }));
    }
  };
  if (!options.follow && !existsSync(file)) throw new Failed(`there is no log at ${file} yet`);
  // one reader for what is there and what comes, so that no line falls between
  const lines = options.follow ? follow(file, { from: "start" }) : readLines(file);
  for await (const line of lines) show(line);
}

const TRACE = "CFTH75";

function filterOf({ level, part, idtu }: LogOptions): LogFilter {
  return { ...(level ? { level } : {}), ...(part ? { part } : {}), ...(idtu ? { idtu } : {}) };
}

/** Of a gateway elsewhere: what its log has, then the events that it tells. */
async function logFrom(far: Remote, options: LogOptions): Promise<void> {
  const show = (message: Message) => {
    if (options.json) return print(JSON.stringify(message));
    const { time, id, text } = message;
    print(`${localTime(time)} ${id} ${text}`);
  };
  const filter = filterOf(options) as Record<string, string>;
  if (options.trace && options.follow) {
    throw new Failed("the protocol trace of a gateway elsewhere cannot be followed; leave out --follow", 2);
  }
  const query = new URLSearchParams({ ...filter, ...(options.trace ? { id: TRACE } : {}), limit: "10000" });
  // opened first, so that no line falls between; a line in both is shown once
  const stream = options.follow
    ? await openEvents(far, `/events?${new URLSearchParams({ ...eventFilter(options), type: "message" })}`)
    : null;
  const before = await ask<Message[]>(far, "GET", `/log?${query}`);
  for (const message of before) show(message);
  if (stream === null) return;
  const shown = new Set(before.slice(-1000).map((message) => JSON.stringify(keyOf(message))));
  for await (const { event, data } of readEvents(stream)) {
    if (event !== "message") continue;
    const message = JSON.parse(data) as Message;
    if (!shown.delete(JSON.stringify(keyOf(message)))) show(message);
  }
  throw new Failed("the gateway has ended the stream of events");
}

function keyOf({ time, id, text, variables }: Message): unknown {
  return [time, id, text, variables.idtu ?? ""];
}

/** Events know no trace. */
function eventFilter(options: LogOptions): Record<string, string> {
  const { level, ...rest } = filterOf(options);
  return { ...rest, ...(level && level !== "T" ? { level } : {}) };
}

async function audit(far: Remote | null, options: LogOptions): Promise<void> {
  if (options.follow && far) throw new Failed("the audit log of a gateway elsewhere cannot be followed", 2);
  const show = (entry: AuditEntry) => {
    if (options.json) return print(JSON.stringify(entry));
    const { time, who, via, address, action, method, path, status, code, said } = entry;
    const from = via === "socket" ? "socket" : `${who || "nobody"} ${address}`;
    const what = action || `${method} ${path}`;
    print(`${localTime(time)} ${from}: ${what} ${JSON.stringify(said)}: ${status}${code && ` ${code}`}`);
  };
  if (far) {
    for (const entry of await ask<AuditEntry[]>(far, "GET", "/audit?limit=10000")) show(entry);
    return;
  }
  const { audit: file } = await places(options);
  if (!options.follow && !existsSync(file)) throw new Failed(`there is no audit log at ${file} yet`);
  const lines = options.follow ? follow(file, { from: "start" }) : readLines(file);
  for await (const line of lines) {
    const entry = parseAudit(line);
    if (entry !== null) show(entry);
  }
}
