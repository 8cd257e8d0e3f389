/** What monitoring asks: /metrics for Prometheus, /healthz and /readyz for whoever starts and routes. */
import type { FastifyInstance } from "fastify";
import type { Gateway } from "../engine/gateway.ts";
import type { Verdict } from "../engine/health.ts";

/** /healthz and /readyz say nothing that would have to be kept from strangers: they answer without authentication. */
export function watchingRoutes(app: FastifyInstance, gateway: Gateway): void {
  app.get("/metrics", async (_request, reply) => {
    const text = await gateway.metrics.text();
    return reply.type(gateway.metrics.contentType).send(text);
  });
  const answers = (path: string, look: () => Promise<Verdict>): void => {
    app.get(path, async (_request, reply) => {
      const verdict = await look();
      return reply
        .status(verdict.ok ? 200 : 503)
        .header("cache-control", "no-store")
        .send(verdict);
    });
  };
  answers("/healthz", () => gateway.health.alive());
  answers("/readyz", () => gateway.health.ready());
}
