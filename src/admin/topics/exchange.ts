/** Certificates of this site to partners over OFTP, and the store that another process has changed. */
import type { Offer } from "../../engine/exchange/outgoing.ts";
import { EXCHANGE_KINDS } from "../../pki/exchange/kinds.ts";
import type { Topic } from "../api.ts";
import { recordOf } from "../record.ts";
import { integer, list, named, object, oneOf, text } from "../schema.ts";

export const exchangeTopic: Topic = (api, { gateway }) => {
  const tag = "certificates";

  api.post<{ Body: Offer }>(
    "/pki/exchange",
    {
      ...{ id: "exchangeCertificates", tag, role: "admin" },
      summary: "Sends certificates of this site to a partner over OFTP",
      body: object({ part: text, kind: oneOf(...EXCHANGE_KINDS), "id?": text, "replaces?": text }),
      answer: list(named("Transfer")),
      also: { 404: "there is no such partner", 409: "it cannot be done with this partner or certificate" },
    },
    async ({ body }) => (await gateway.site.exchange.offer(body)).map(recordOf),
  );

  api.post(
    "/pki/refresh",
    {
      ...{ id: "refreshStore", tag, role: "admin" },
      summary: "Takes over what another process changed in the certificate store",
      answer: object({ changes: integer, problems: list(text) }),
    },
    () => gateway.refreshStore(),
  );
};
