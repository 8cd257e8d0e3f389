/** The control socket's view of transfers: lists, details, requests and commands. */
import type { FastifyInstance } from "fastify";
import type { TransferFilter } from "../catalog/catalog.ts";
import { SORT_KEYS } from "../catalog/list.ts";
import { ACTIONS, type Action } from "../catalog/transitions.ts";
import { type Order, type Outcome, perform } from "../engine/actions.ts";
import type { Gateway } from "../engine/gateway.ts";
import { endTransfer, type Submission, submitFile } from "../engine/requests.ts";
import { detailOf, recordOf } from "./record.ts";

const FILTER = {
  idtu: { type: "string" },
  part: { type: "string" },
  idf: { type: "string" },
  direct: { enum: ["send", "recv"] },
  state: { enum: ["A", "Y", "Z", "X", "D", "H", "C", "K"] },
  phase: { enum: ["A", "T", "Y", "Z", "X"] },
  phasestep: { enum: ["D", "H", "C", "K", "X"] },
  diagi: { anyOf: [{ const: "error" }, { type: "integer" }] },
  pidtu: { type: "string" },
  ack: { enum: ["A", "N"] },
  mode: { enum: ["requester", "server"] },
  since: { type: "number" },
  until: { type: "number" },
  sort: { enum: SORT_KEYS.flatMap((key) => [key, `-${key}`]) },
  limit: { type: "integer", minimum: 1, maximum: 1_000_000 },
} as const;

const SUBMISSION = {
  type: "object",
  required: ["part"],
  additionalProperties: false,
  properties: {
    part: { type: "string" },
    idf: { type: "string" },
    nfname: { type: "string" },
    file: { type: "string" },
    state: { enum: ["disp", "hold", "keep"] },
    mindate: { type: "string" },
    mintime: { type: "string" },
    maxdate: { type: "string" },
    maxtime: { type: "string" },
  },
} as const;

const COMMAND = {
  type: "object",
  required: ["action", "select"],
  additionalProperties: false,
  properties: {
    action: { enum: ACTIONS },
    text: { type: "string", maxLength: 254 },
    force: { type: "boolean" },
    // a command without a choice would mean every transfer there is
    select: { type: "object", minProperties: 1, additionalProperties: false, properties: FILTER },
  },
} as const;

const VERDICT = {
  type: ["object", "null"],
  properties: { reason: { type: "integer", minimum: 0, maximum: 99 }, text: { type: "string" } },
} as const;

export function transferRoutes(app: FastifyInstance, { site }: Gateway): void {
  const querystring = { type: "object", additionalProperties: false, properties: FILTER };
  app.get<{ Querystring: TransferFilter }>("/transfers", { schema: { querystring } }, async ({ query }) =>
    (await site.catalog.list(query)).map(recordOf),
  );

  app.get<{ Params: { idtu: string } }>("/transfers/:idtu", async ({ params: { idtu } }, reply) => {
    const transfer = await site.catalog.get(idtu);
    if (transfer) return detailOf(transfer);
    return reply.status(404).send({ code: "CYG_UNKNOWN_TRANSFER", message: `no transfer ${idtu}` });
  });

  app.post<{ Body: Submission }>("/transfers", { schema: { body: SUBMISSION } }, async ({ body }) =>
    recordOf(await submitFile(site, body)),
  );

  app.post<{ Body: Order & { action: Action; select: TransferFilter } }>(
    "/transfers/commands",
    { schema: { body: COMMAND } },
    async ({ body: { select, ...order } }) => outcomeOf(await perform(site, order, select)),
  );

  app.post<{ Params: { idtu: string }; Body: { reason?: number; text?: string } | null }>(
    "/transfers/:idtu/end",
    { schema: { body: VERDICT } },
    async ({ params, body }) =>
      recordOf(await endTransfer(site, params.idtu, { reason: body?.reason ?? 0, text: body?.text ?? "" })),
  );
}

/** What became of a command, for the caller. */
export type CommandOutcome = ReturnType<typeof outcomeOf>;

function outcomeOf({ done, refused }: Outcome) {
  return {
    done: done.map(recordOf),
    refused: refused.map(({ transfer, code, reason }) => ({ ...recordOf(transfer), code, reason })),
  };
}
