/** What operators opened and closed: partners, folders, jobs. */
import { type ActivationOrder, activate } from "../../engine/activate.ts";
import type { Topic } from "../api.ts";
import { userOf } from "../caller.ts";
import { flag, list, named, object, oneOf, text } from "../schema.ts";
import { jobsOf } from "../status.ts";

export const activationTopic: Topic = (api, { gateway }) => {
  const tag = "objects";

  api.get(
    "/folders",
    { id: "folders", tag, role: "read", summary: "Watched folders", answer: list(named("Folder")) },
    () => gateway.outboxes.status,
  );

  api.get(
    "/jobs",
    { id: "jobs", tag, role: "read", summary: "Jobs and when they run next", answer: list(named("Job")) },
    () => jobsOf(gateway),
  );

  api.post<{ Body: ActivationOrder }>(
    "/activations",
    {
      ...{ id: "activate", tag, role: "operate" },
      summary: "Opens or closes a partner, a folder or a job, also over restarts; hears an address again",
      body: object({
        command: oneOf("act", "inact"),
        id: text,
        "kind?": oneOf("part", "folder", "cron", "address"),
        "mode?": oneOf("both", "requester", "server"),
        "force?": flag,
      }),
      answer: object({ kind: oneOf("part", "folder", "cron", "address"), id: text, state: text }),
      also: { 404: "there is no such object, or several" },
    },
    ({ body, caller }) => activate(gateway, body, userOf(caller)),
  );
};
