/** `cygnet log`: the log, filtered; `-f` goes on with what comes. */
import { existsSync } from "node:fs";
import type { Severity } from "../messages/journal.ts";
import { follow, type LogFilter, matches, parseLine, readLines } from "../messages/reader.ts";
import { type CommonOptions, Failed, places, print } from "./context.ts";

export interface LogOptions extends CommonOptions {
  follow?: boolean;
  /** Only protocol commands (CFTH75). */
  trace?: boolean;
  level?: Severity;
  part?: string;
  idtu?: string;
}

export async function log(options: LogOptions): Promise<void> {
  const { log: file } = await places(options);
  const { level, part, idtu } = options;
  const filter: LogFilter = {
    ...(level ? { level } : {}),
    ...(part ? { part } : {}),
    ...(idtu ? { idtu } : {}),
  };
  const filtered = options.trace === true || Object.keys(filter).length > 0;
  const show = (line: string) => {
    const entry = parseLine(line);
    if (filtered && (entry === null || !matches(entry, filter))) return;
    if (options.trace && !entry?.id.startsWith("CFTH75")) return;
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
