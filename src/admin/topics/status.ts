/** The gateway at a glance: status, sessions, generations. */
import type { Topic } from "../api.ts";
import { flag, instant, integer, list, named, nullable, object, oneOf, text } from "../schema.ts";
import { generationOf, sessionsOf, statusOf } from "../status.ts";

const STATUS = object({
  part: text,
  pid: integer,
  started: instant,
  state: oneOf("running", "stopping"),
  rundir: text,
  generation: object({ number: integer, at: instant, plan: list(named("Change")), rejected: list(text) }),
  listeners: list(object({ prot: text, address: text, port: integer, secure: flag })),
  networks: list(
    object({
      net: text,
      open: integer,
      silent: integer,
      accepted: integer,
      denied: integer,
      refused: integer,
      displaced: integer,
      locked: integer,
    }),
  ),
  lockouts: list(
    object({ net: text, kind: oneOf("address", "code"), id: text, refusals: integer, until: instant }),
  ),
  certificates: object({
    next: nullable(named("Expiry")),
    expired: list(named("Expiry")),
    pending: integer,
    problems: list(text),
  }),
  disks: list(
    object({
      path: text,
      free: integer,
      total: integer,
      level: oneOf("ok", "low", "alert"),
      text,
    }),
  ),
  folders: list(named("Folder")),
  transfers: named("Totals"),
  scripts: object({ running: integer, waiting: integer }),
  jobs: list(named("Job")),
  sessions: list(named("Session")),
  partners: list(named("Partner")),
});

export const statusTopic: Topic = (api, { gateway }) => {
  const tag = "gateway";
  api.get(
    "/status",
    { id: "status", tag, role: "read", summary: "The gateway at a glance", answer: STATUS },
    () => statusOf(gateway),
  );

  api.get(
    "/sessions",
    { id: "sessions", tag, role: "read", summary: "Open sessions", answer: list(named("Session")) },
    () => sessionsOf(gateway),
  );

  api.get(
    "/generations",
    {
      ...{ id: "generations", tag, role: "read" },
      summary: "Configurations that were in force since the start, the last hundred, oldest first",
      answer: list(named("Generation")),
    },
    () => gateway.generations.map(generationOf),
  );
};
