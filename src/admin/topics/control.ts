/** The gateway itself: reload, what a reload would do, stop. */
import type { Topic } from "../api.ts";
import { userOf } from "../caller.ts";
import { flag, integer, list, named, nullable, object, text } from "../schema.ts";

const PROBLEM = object({
  code: text,
  file: text,
  line: integer,
  column: integer,
  object: text,
  key: text,
  message: text,
});

export const controlTopic: Topic = (api, { gateway, shut }) => {
  const tag = "gateway";

  api.post(
    "/reload",
    {
      ...{ id: "reload", tag, role: "admin" },
      summary: "Puts the configuration on disk into force: all of it, or nothing with the reasons",
      answer: {
        oneOf: [
          object({
            accepted: { const: true },
            generation: integer,
            plan: list(named("Change")),
            warnings: list(PROBLEM),
          }),
          object({ accepted: { const: false }, reasons: list(text) }),
        ],
      },
    },
    ({ caller }) =>
      gateway.reload(
        caller?.via === "socket" ? "asked for by an operator" : `asked for by ${userOf(caller)}`,
      ),
  );

  api.post(
    "/plan",
    {
      ...{ id: "plan", tag, role: "read", looks: true },
      summary: "What a reload would do, without doing it",
      answer: object({ problems: list(text), plan: list(named("Change")) }),
    },
    () => gateway.preview(),
  );

  api.post<{ Body: { fast?: boolean } | null }>(
    "/shut",
    {
      ...{ id: "shut", tag, role: "admin" },
      summary: "Stops the gateway when running transfers have finished, or at once (fast)",
      body: nullable(object({ "fast?": flag })),
      answer: object({ stopping: { const: true }, fast: flag }),
    },
    ({ body }, reply) => {
      const fast = body?.fast ?? false;
      // the answer is on its way first
      reply.raw.once("close", () => setImmediate(() => shut(fast)));
      return { stopping: true, fast };
    },
  );
};
