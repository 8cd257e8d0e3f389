/** Partners: how calls to them go, calling and testing them. */

import type { Topic } from "../api.ts";
import { Refusal } from "../refusal.ts";
import { flag, integer, list, named, nullable, object, type Schema, text } from "../schema.ts";
import { partnerOf } from "../status.ts";

type ById = { Params: { id: string } };

const ID = object({ id: text });

const REPORT: Schema = object({
  prot: text,
  host: text,
  port: integer,
  ok: flag,
  reason: text,
  diagi: integer,
  tls: nullable(object({ version: text, cipher: text, subject: text, fingerprint: text, verified: flag })),
  agreed: nullable(
    object({
      level: integer,
      srusize: integer,
      scredit: integer,
      send: flag,
      receive: flag,
      compression: flag,
      restart: flag,
      authentication: flag,
    }),
  ),
});

export const partnerTopic: Topic = (api, { gateway }) => {
  const tag = "partners";
  const { site } = gateway;

  api.get(
    "/partners",
    {
      ...{ id: "partners", tag, role: "read" },
      summary: "Partners: who may open sessions, and how calls to them go",
      answer: list(named("Partner")),
    },
    () => Promise.all([...site.configuration.cftpart.values()].map((part) => partnerOf(gateway, part))),
  );

  api.get<ById>(
    "/partners/:id",
    {
      ...{ id: "partner", tag, role: "read", params: ID },
      summary: "One partner",
      answer: named("Partner"),
      also: { 404: "there is no such partner" },
    },
    ({ params: { id } }) => {
      const part = site.configuration.cftpart.get(id);
      if (part === undefined) throw unknown(id);
      return partnerOf(gateway, part);
    },
  );

  api.post<ById>(
    "/partners/:id/test",
    {
      ...{ id: "testPartner", tag, role: "operate", params: ID },
      summary: "Calls a partner on every path, says hello and good-bye; no file moves",
      answer: list(REPORT),
      also: { 404: "there is no such partner, or it has no address" },
    },
    ({ params: { id } }) => gateway.probe(id),
  );

  api.post<ById>(
    "/partners/:id/call",
    {
      ...{ id: "callPartner", tag, role: "operate", params: ID },
      summary: "Calls a partner and takes what it holds for this site",
      answer: object({ called: text }),
      also: { 404: "there is no such partner", 409: "it cannot be called now" },
    },
    ({ params: { id } }) => {
      if (!site.configuration.cftpart.has(id)) throw unknown(id);
      const why = gateway.scheduler.poll(id);
      if (why === undefined) return { called: id };
      throw new Refusal(409, "CYG_NOT_CALLED", `${id} is not called: ${why}`);
    },
  );

  function unknown(id: string): Refusal {
    const known = [...site.configuration.cftpart.keys()].join(", ") || "none";
    return new Refusal(404, "CYG_REQUEST_PART", `there is no partner ${id}; known are ${known}`);
  }
};
