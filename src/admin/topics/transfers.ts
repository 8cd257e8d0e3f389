/** Transfers: lists, details, requests and commands. */
import { Readable } from "node:stream";
import type { TransferFilter } from "../../catalog/catalog.ts";
import { cursorOf, SORT_KEYS } from "../../catalog/order.ts";
import { ACTIONS, type Action } from "../../catalog/transitions.ts";
import { type Order, type Outcome, perform } from "../../engine/actions.ts";
import {
  endTransfer,
  type Submission,
  submitFile,
  submitUpload,
  type Upload,
} from "../../engine/requests.ts";
import type { Topic } from "../api.ts";
import { userOf } from "../caller.ts";
import { detailOf, recordOf } from "../record.ts";
import { Refusal } from "../refusal.ts";
import {
  about,
  flag,
  integer,
  list,
  named,
  nullable,
  number,
  object,
  oneOf,
  type Schema,
  text,
} from "../schema.ts";

const FILTER: Record<string, Schema> = {
  "idtu?": text,
  "part?": about(text, "an id, or a mask with * and ?"),
  "idf?": about(text, "an id, or a mask with * and ?"),
  "direct?": oneOf("send", "recv"),
  "state?": oneOf("A", "Y", "Z", "X", "D", "H", "C", "K"),
  "phase?": oneOf("A", "T", "Y", "Z", "X"),
  "phasestep?": oneOf("D", "H", "C", "K", "X"),
  "diagi?": { anyOf: [{ const: "error" }, { type: "integer" }], description: '"error": any but 0' },
  "pidtu?": text,
  "ack?": oneOf("A", "N"),
  "mode?": oneOf("requester", "server"),
  "since?": about(number, "requested at or after, ms since 1970 UTC"),
  "until?": about(number, "requested before, ms since 1970 UTC"),
  "sort?": oneOf(...SORT_KEYS.flatMap((key) => [key, `-${key}`])),
  "limit?": { type: "integer", minimum: 1, maximum: 1_000_000, description: "default 100" },
};

const REQUEST: Record<string, Schema> = {
  part: text,
  "idf?": text,
  "nfname?": text,
  "state?": oneOf("disp", "hold", "keep"),
};

const BY_IDTU = object({ idtu: text });
const UNKNOWN = { 404: "there is no such transfer" };

type ByIdtu = { Params: { idtu: string } };
type Verdict = { reason?: number; text?: string } | null;

export const transferTopic: Topic = (api, { gateway }) => {
  const { site } = gateway;
  const tag = "transfers";
  const found = async (idtu: string) => {
    const transfer = await site.catalog.get(idtu);
    if (transfer) return transfer;
    throw new Refusal(404, "CYG_UNKNOWN_TRANSFER", `no transfer ${idtu}`);
  };

  api.get<{ Querystring: TransferFilter }>(
    "/transfers",
    {
      ...{ id: "transfers", tag, role: "read" },
      summary:
        'Transfers, newest first. A header Link: <…>; rel="next" names the next page, where there is one.',
      query: object({ ...FILTER, "after?": about(text, "cursor, as the Link header has it") }),
      answer: list(named("Transfer")),
    },
    async ({ query }, reply) => {
      const limit = query.limit ?? 100;
      const transfers = await site.catalog.list({ ...query, limit: limit + 1 });
      const last = transfers[limit - 1];
      if (transfers.length > limit && last) {
        const next = new URLSearchParams({ ...(query as Record<string, string>), limit: String(limit) });
        next.set("after", cursorOf(last, query.sort));
        reply.header("link", `</v1/transfers?${next}>; rel="next"`);
      }
      return transfers.slice(0, limit).map(recordOf);
    },
  );

  api.get<ByIdtu>(
    "/transfers/:idtu",
    {
      ...{ id: "transfer", tag, role: "read", params: BY_IDTU, also: UNKNOWN },
      summary: "Everything about one transfer",
      answer: named("TransferDetail"),
    },
    async ({ params: { idtu } }) => detailOf(await found(idtu)),
  );

  api.post<{ Body: Submission }>(
    "/transfers",
    {
      ...{ id: "send", tag, role: "operate", also: { 404: "there is no such partner", 409: "not now" } },
      summary:
        "Sends a copy of a file of the gateway's machine. Over the network the role admin is needed: whoever may do it can read every file that the gateway can.",
      body: object({ ...REQUEST, file: about(text, "absolute path on the gateway's machine") }),
      answer: named("Transfer"),
    },
    async ({ body, caller }) => {
      if (caller?.via !== "socket" && caller?.role !== "admin") {
        const message =
          "files of the gateway's machine are for the role admin; upload it: PUT /v1/uploads/NAME";
        throw new Refusal(403, "CYG_API_ROLE", message);
      }
      return recordOf(await submitFile(site, body, userOf(caller)));
    },
  );

  api.route<{ Params: { name: string }; Querystring: Omit<Upload, "name" | "content">; Body: unknown }>(
    "PUT",
    "/v1/uploads/:name",
    {
      ...{ id: "upload", tag, role: "operate", takes: "application/octet-stream" },
      summary: "Sends what the body holds, under this name",
      params: object({ name: text }),
      query: object(REQUEST),
      body: { type: "string", format: "binary" },
      answer: named("Transfer"),
      also: {
        404: "there is no such partner",
        409: "not now",
        507: "the disk is full",
      },
    },
    async ({ params: { name }, query, body, caller }) => {
      if (!(body instanceof Readable)) {
        const message = "the file is the body, as application/octet-stream";
        throw new Refusal(415, "CYG_ADMIN_REQUEST", message);
      }
      const upload = { ...query, name, content: body };
      return recordOf(await submitUpload(site, upload, userOf(caller)));
    },
  );

  api.post<{ Body: Order & { action: Action; select: TransferFilter } }>(
    "/transfers/commands",
    {
      ...{ id: "commandTransfers", tag, role: "operate" },
      summary: "Moves the state of the transfers that are selected, by Transfer CFT's rules",
      body: object({
        action: oneOf(...ACTIONS),
        "text?": { type: "string", maxLength: 254 },
        "force?": flag,
        // a command without a choice would mean every transfer there is
        select: { ...object(FILTER), minProperties: 1 },
      }),
      answer: object({ done: list(named("Transfer")), refused: list(named("RefusedTransfer")) }),
    },
    async ({ body: { select, ...order }, caller }) =>
      outcomeOf(await perform(site, { ...order, user: userOf(caller) }, select)),
  );

  api.post<ByIdtu & { Body: Verdict }>(
    "/transfers/:idtu/end",
    {
      ...{ id: "endTransfer", tag, role: "operate", params: BY_IDTU },
      summary: "Gives the end-to-end response for a received file, or ends the script of a phase",
      body: nullable(object({ "reason?": { ...integer, minimum: 0, maximum: 99 }, "text?": text })),
      answer: named("Transfer"),
      also: { ...UNKNOWN, 409: "its state does not allow it" },
    },
    async ({ params, body, caller }) => {
      const { idtu } = await found(params.idtu);
      const verdict = { reason: body?.reason ?? 0, text: body?.text ?? "" };
      return recordOf(await endTransfer(site, idtu, verdict, userOf(caller)));
    },
  );
};

/** What became of a command, for the caller. */
export type CommandOutcome = ReturnType<typeof outcomeOf>;

function outcomeOf({ done, refused }: Outcome) {
  return {
    done: done.map(recordOf),
    refused: refused.map(({ transfer, code, reason }) => ({ ...recordOf(transfer), code, reason })),
  };
}
