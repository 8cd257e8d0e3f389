/** What monitoring asks, under its customary paths: /metrics for Prometheus, /healthz and /readyz for who starts and routes. */
import type { Verdict } from "../../engine/health.ts";
import type { Topic } from "../api.ts";
import { flag, list, object, oneOf, text } from "../schema.ts";

const VERDICT = object({
  ok: flag,
  checks: list(
    object({
      check: oneOf("process", "catalog", "listeners", "configuration", "disk"),
      ok: flag,
      text,
    }),
  ),
});

export const watchingTopic: Topic = (api, { gateway }) => {
  const tag = "monitoring";
  const { metrics, health } = gateway;
  api.route(
    "GET",
    "/metrics",
    {
      ...{ id: "metrics", tag, role: "read" },
      summary: "Every metric, in Prometheus' text format",
      answer: text,
      gives: "text/plain",
    },
    async (_request, reply) => {
      const all = await metrics.text();
      return reply.type(metrics.contentType).send(all);
    },
  );

  /** Strangers hear whether, not why: the reasons name folders and ports. */
  const answers = (path: string, id: string, summary: string, look: () => Promise<Verdict>): void => {
    const also = { 503: "it is not so; the answer says why" };
    const instead = { 503: VERDICT };
    const endpoint = { id, tag, role: "anyone", summary, answer: VERDICT, also, instead } as const;
    api.route("GET", path, endpoint, async ({ caller }, reply) => {
      const { ok, checks } = await look();
      const shown = caller === null ? checks.map((each) => ({ ...each, text: "" })) : checks;
      return reply.status(ok ? 200 : 503).send({ ok, checks: shown });
    });
  };
  answers("/healthz", "alive", "Whether the loop turns and the catalog can be written", () => health.alive());
  answers("/readyz", "ready", "Whether new work can be taken", () => health.ready());
};
