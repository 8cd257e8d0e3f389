/** The configuration in force, and what codes mean. */
import type { Configuration } from "../../config/model.ts";
import { KINDS, kindOf, listOf, lookup } from "../../messages/lookup.ts";
import type { Topic } from "../api.ts";
import { Refusal } from "../refusal.ts";
import { about, integer, list, map, object, oneOf, text } from "../schema.ts";

const MEANING = object({ kind: text, code: text, name: text, means: text, action: text });

export const configurationTopic: Topic = (api, { gateway }) => {
  api.get(
    "/configuration",
    {
      ...{ id: "configuration", tag: "configuration", role: "read" },
      summary:
        "The configuration in force, defaults filled in: durations in ms, sizes in octets, absolute paths. Secrets are shown as [secret].",
      answer: object({
        generation: integer,
        files: list(text),
        tables: about(
          map({ type: ["object", "null"] }),
          "tables that may appear many times by id, others as they are",
        ),
      }),
    },
    () => {
      const { files, includes: _, directory: __, ...tables } = gateway.site.configuration;
      return { generation: gateway.generations.at(-1)?.number ?? 0, files, tables: shown(tables) };
    },
  );

  const tag = "codes";
  api.get<{ Params: { code: string } }>(
    "/codes/:code",
    {
      ...{
        id: "explain",
        tag,
        role: "read",
        params: object({ code: about(text, "CFTT75E, DIAGI 302, SFNA 13, …") }),
      },
      summary: "What a code means, and what to do",
      answer: object({ code: text, matches: list(MEANING), suggestions: list(text) }),
    },
    ({ params: { code } }) => ({ code, ...lookup(code) }),
  );

  api.get<{ Querystring: { kind: string } }>(
    "/codes",
    {
      ...{ id: "codes", tag, role: "read" },
      summary: "All codes of a kind",
      query: object({ kind: oneOf(...Object.keys(KINDS)) }),
      answer: list(MEANING),
    },
    ({ query: { kind } }) => {
      const known = kindOf(kind);
      if (known) return listOf(known);
      throw new Refusal(400, "CYG_ADMIN_REQUEST", `there is no kind ${kind}`);
    },
  );
};

/** Maps as objects. A Secret shows itself as "[secret]"; the path of a webhook often is one, so only its host is shown. */
function shown(tables: Omit<Configuration, "files" | "includes" | "directory">): unknown {
  return JSON.parse(
    JSON.stringify(tables, function (this: unknown, key: string, value: unknown) {
      if (value instanceof Map) return Object.fromEntries(value);
      const webhook = key === "url" && typeof value === "string" ? URL.parse(value) : null;
      return webhook ? `${webhook.origin}/…` : value;
    }),
  );
}
