/**
 * The audit log: who did what, when, and what came of it. One JSON object on each line.
 *
 * Invariants
 * - A request that changes something is answered only when its line is in the file, or the log says that it is not.
 * - What cannot be written goes to the log of the gateway whole: nothing is lost silently.
 * - No secret: bodies are noted by the keys that say what was meant, and certificates only by their length.
 */
import { existsSync } from "node:fs";
import type { Configuration } from "../config/model.ts";
import type { Journal } from "../messages/journal.ts";
import { LogFile, type LogFileSettings } from "../messages/log-file.ts";
import { readLines } from "../messages/reader.ts";
import { describe } from "../platform/errors.ts";
import type { Caller } from "./caller.ts";

export interface AuditEntry {
  /** ISO 8601, UTC. */
  time: string;
  /** Id of the [[apiuser]], "socket", or "" for somebody who was not let in. */
  who: string;
  via: Caller["via"] | "";
  /** "" over the control socket. */
  address: string;
  role: Caller["role"] | "";
  /** Name of the operation in the OpenAPI document; "" for a path that is none. */
  action: string;
  method: string;
  path: string;
  /** What the request said, secrets and long texts left out. */
  said: unknown;
  /** HTTP status and, of a refusal, its code. */
  status: number;
  code: string;
}

/** The entries of an audit log, the oldest first; lines that a crash has torn are left out. */
export async function* auditLines(path: string): AsyncGenerator<AuditEntry> {
  if (!existsSync(path)) return;
  for await (const line of readLines(path)) {
    const entry = parseAudit(line);
    if (entry !== null) yield entry;
  }
}

/** An entry of the audit log; null for a line that is none. */
export function parseAudit(line: string): AuditEntry | null {
  try {
    return JSON.parse(line);
  } catch {
    return null; // torn
  }
}

/** Longest text that is noted of a request. */
const LONGEST = 200;

export class AuditLog {
  readonly #journal: Journal;
  #file: LogFile;
  #last: Promise<unknown> = Promise.resolve();

  constructor(configuration: Configuration, journal: Journal) {
    this.#journal = journal;
    this.#file = new LogFile(settingsOf(configuration));
  }

  /** Resolves when the line is written, one after the other; never rejects. */
  write(entry: AuditEntry): Promise<void> {
    const line = JSON.stringify(entry);
    const written = this.#last.then(async () => {
      try {
        await this.#file.append([line]);
        await this.#file.sync();
      } catch (error) {
        const { fname } = this.#file.settings;
        this.#journal.emit("CFTR91E", { file: fname, text: `${describe(error)}: ${line}` });
      }
    });
    this.#last = written;
    return written;
  }

  /** Lines that come from now on go where the configuration says. */
  follow(configuration: Configuration): void {
    const settings = settingsOf(configuration);
    if (JSON.stringify(settings) === JSON.stringify(this.#file.settings)) return;
    this.#last = this.#last.then(async () => {
      await this.#close();
      this.#file = new LogFile(settings);
    });
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#close();
  }

  async #close(): Promise<void> {
    try {
      await this.#file.close();
    } catch (error) {
      this.#journal.emit("CFTR91E", { file: this.#file.settings.fname, text: describe(error) });
    }
  }
}

function settingsOf({ admin }: Configuration): LogFileSettings {
  return { fname: admin.audit, maxsize: admin.audit_maxsize, backups: admin.audit_backup_count };
}

/** A request's body as it may be kept: texts cut, octets counted. */
export function noted(body: unknown): unknown {
  if (typeof body === "string") {
    if (body.includes("-----BEGIN")) return `(${body.length} characters of PEM)`;
    return body.length > LONGEST ? `${body.slice(0, LONGEST)}… (${body.length} characters)` : body;
  }
  if (Array.isArray(body)) return body.slice(0, 20).map(noted);
  if (typeof body !== "object" || body === null) return body ?? null;
  if (Object.getPrototypeOf(body) !== Object.prototype) return "(octets)";
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      key,
      /passw|token|secret/i.test(key) ? "[secret]" : noted(value),
    ]),
  );
}
