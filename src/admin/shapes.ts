/** Shapes that several answers share. */

import type { FastifyInstance } from "fastify";
import {
  extended,
  flag,
  instant,
  integer,
  list,
  map,
  named,
  nullable,
  object,
  oneOf,
  type Schema,
  text,
} from "./schema.ts";
import { AUDIT_ENTRY } from "./topics/logs.ts";

const TRANSFER = object({
  idtu: text,
  part: text,
  idf: text,
  direct: oneOf("send", "recv"),
  type: text,
  mode: oneOf("requester", "server"),
  state: oneOf("A", "Y", "Z", "X", "D", "H", "C", "K"),
  phase: oneOf("A", "T", "Y", "Z", "X"),
  phasestep: oneOf("D", "H", "C", "K", "X"),
  ack: oneOf("", "A", "N"),
  diagi: integer,
  diagp: text,
  diagc: text,
  fname: text,
  nfname: text,
  filesize: integer,
  bytes: integer,
  sha256: text,
  prot: text,
  kdate: nullable(instant),
  bdate: nullable(instant),
  edate: nullable(instant),
});

const CHANGE = object({
  object: text,
  id: text,
  change: oneOf("added", "removed", "changed"),
  keys: list(object({ key: text, from: text, to: text })),
  effect: oneOf("now", "new", "listen", "restart"),
});

const PARTNER = object({
  id: text,
  state: oneOf("activeboth", "activereq", "activeserv", "noactive"),
  failures: integer,
  next: nullable(instant),
  reason: text,
});

const SHAPES: Readonly<Record<string, Schema>> = {
  Refusal: object({ code: text, message: text }),
  Transfer: TRANSFER,
  TransferDetail: extended(TRANSFER, {
    dsn: text,
    date: text,
    time: text,
    orig: text,
    dest: text,
    description: text,
    frecfm: text,
    flrecl: integer,
    pidtu: text,
    via: text,
    pri: integer,
    ackstate: oneOf("require", "ignore"),
    script: text,
    tries: integer,
    retry: nullable(instant),
    workfile: text,
  }),
  RefusedTransfer: extended(TRANSFER, { code: text, reason: text }),
  Change: CHANGE,
  Generation: object({ number: integer, at: instant, plan: list(named("Change")) }),
  Folder: object({ id: text, state: oneOf("active", "noactive"), scandir: text }),
  Job: object({ id: text, active: flag, running: flag, next: nullable(instant) }),
  Partner: PARTNER,
  Session: object({
    ids: text,
    part: nullable(text),
    prot: text,
    role: text,
    host: text,
    state: text,
    level: nullable(integer),
    since: instant,
    idtu: nullable(text),
    bytes: nullable(integer),
  }),
  Expiry: object({ id: text, part: text, fingerprint: text, until: instant, days: integer }),
  AuditEntry: AUDIT_ENTRY,
  Totals: object({
    send: map(integer),
    recv: map(integer),
    responses: integer,
  }),
};

export function addShapes(app: FastifyInstance): void {
  for (const [name, schema] of Object.entries(SHAPES)) app.addSchema({ $id: name, ...schema });
}
