/** The log and the audit log, filtered, newest last. */
import { stat } from "node:fs/promises";
import type { Severity } from "../../messages/journal.ts";
import { type LogFilter, matches, parseLine, readLines } from "../../messages/reader.ts";
import { isSystemError } from "../../platform/errors.ts";
import type { Topic } from "../api.ts";
import { auditLines } from "../audit.ts";
import { ROLES } from "../roles.ts";
import { about, instant, integer, list, map, named, number, object, oneOf, text } from "../schema.ts";

const LIMIT = { type: "integer", minimum: 1, maximum: 10_000, description: "the last so many; default 100" };

export const logTopic: Topic = (api, { gateway }) => {
  const tag = "logs";
  const { site } = gateway;

  api.get<{
    Querystring: {
      level?: Severity;
      part?: string;
      idtu?: string;
      id?: string;
      since?: number;
      limit?: number;
    };
  }>(
    "/log",
    {
      ...{ id: "log", tag, role: "read" },
      summary:
        "Messages of the current file of the log (its last 16 MiB), the oldest first; GET /v1/events goes on with what comes",
      query: object({
        "level?": about(oneOf("T", "I", "W", "E", "F"), "lowest severity"),
        "part?": text,
        "idtu?": text,
        "id?": about(text, "beginning of the message id, for example CFTT"),
        "since?": about(number, "ms since 1970 UTC"),
        "limit?": LIMIT,
      }),
      answer: list(
        object({
          time: instant,
          severity: oneOf("T", "I", "W", "E", "F"),
          id: text,
          text,
          variables: map(text),
        }),
      ),
    },
    async ({ query: { level, part, idtu, id = "", since = 0, limit = 100 } }) => {
      const filter: LogFilter = {
        ...(level ? { level } : {}),
        ...(part ? { part } : {}),
        ...(idtu ? { idtu } : {}),
      };
      const found = [];
      const { fname } = site.configuration.cftlog;
      const start = await endOf(fname);
      for await (const line of start === null ? [] : readLines(fname, start)) {
        const entry = parseLine(line);
        if (entry === null || !entry.id.startsWith(id) || entry.time < since || !matches(entry, filter))
          continue;
        found.push(entry);
        if (found.length > 2 * limit) found.splice(0, limit);
      }
      return found.slice(-limit).map(({ time, severity, id, text, variables }) => {
        return { time: new Date(time).toISOString(), severity, id, text, variables };
      });
    },
  );

  api.get<{ Querystring: { limit?: number } }>(
    "/audit",
    {
      ...{ id: "audit", tag, role: "admin" },
      summary: "The current file of the audit log, the oldest first",
      query: object({ "limit?": LIMIT }),
      answer: list(named("AuditEntry")),
    },
    async ({ query: { limit = 100 } }) => {
      const found = [];
      for await (const entry of auditLines(site.configuration.admin.audit)) {
        found.push(entry);
        if (found.length > 2 * limit) found.splice(0, limit);
      }
      return found.slice(-limit);
    },
  );
};

/** Octets of a log that one request may have read. */
const LONGEST = 16 * 1024 * 1024;

/** Where the end of a file begins that is read; null where there is no file. */
async function endOf(path: string): Promise<number | null> {
  try {
    return Math.max(0, (await stat(path)).size - LONGEST);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  }
}

export const AUDIT_ENTRY = object({
  time: instant,
  who: text,
  via: oneOf("socket", "token", "certificate", ""),
  address: text,
  role: oneOf(...ROLES, ""),
  action: text,
  method: text,
  path: text,
  said: {},
  status: integer,
  code: text,
});
