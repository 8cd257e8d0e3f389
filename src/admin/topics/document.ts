/** The API's description of itself. */
import type { Topic } from "../api.ts";
import { ROLES } from "../roles.ts";
import { about, object, oneOf, text } from "../schema.ts";

export const documentTopic: Topic = (api, { document }) => {
  const tag = "api";
  api.get(
    "/openapi.json",
    {
      ...{ id: "openapi", tag, role: "read" },
      summary: "This description, OpenAPI 3.1",
      answer: { type: "object", required: ["openapi", "paths"] },
    },
    () => document(),
  );

  api.get(
    "/self",
    {
      ...{ id: "self", tag, role: "read" },
      summary: "Who the caller is, as the gateway sees it",
      answer: object({
        name: about(text, "id of the [[apiuser]]; socket for the control socket"),
        role: oneOf(...ROLES),
        via: oneOf("socket", "token", "certificate"),
        address: text,
      }),
    },
    ({ caller }) => ({ name: caller?.name, role: caller?.role, via: caller?.via, address: caller?.address }),
  );
};
