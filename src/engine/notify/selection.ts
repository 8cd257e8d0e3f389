/** Which messages a notification is about, and what it says of them. Pure. */
import type { Notify } from "../../config/model.ts";
import { catalogue } from "../../messages/catalogue.ts";
import { type EventName, eventOf } from "../../messages/events.ts";
import type { Told } from "../../messages/logger.ts";
import { wildmat } from "../../platform/wildmat.ts";

/** What somebody is told. This is the body of a webhook, as it is. */
export interface Notice {
  /** Of this notice, once in the world; the same when it is tried again. */
  id: string;
  /** Id of the [[notify]]. */
  notify: string;
  site: string;
  /** ISO 8601, UTC. */
  at: string;
  event: EventName | "summary" | "";
  severity: string;
  /** Id of the message, or "" in a summary. */
  message: string;
  text: string;
  /** What to do about it. */
  action: string;
  variables: Record<string, string | number>;
}

const ORDER = ["I", "W", "E", "F"];
/** About notifications themselves: told of, each would make the next. */
const OWN = /^CFTS83/;

/** Whether this notification is to tell of a message. */
export function selects(
  notify: Notify,
  { id, severity, variables }: Pick<Told, "id" | "severity" | "variables">,
): boolean {
  if (notify.state !== "active" || OWN.test(id)) return false;
  const part = String(variables.part ?? "");
  if (notify.part.length > 0 && !notify.part.some((mask) => part !== "" && wildmat(mask, part))) return false;
  const event = eventOf(id);
  return (
    (event !== undefined && notify.events.includes(event)) ||
    notify.messages.some((mask) => wildmat(mask, id)) ||
    (notify.severity !== "none" && ORDER.indexOf(severity) >= ORDER.indexOf(notify.severity))
  );
}

/** The notice of a message. */
export function noticeOf(id: string, notify: Notify, site: string, told: Told): Notice {
  const variables = Object.entries(told.variables).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, typeof value === "bigint" ? String(value) : value] as const],
  );
  return {
    id,
    notify: notify.id,
    site,
    at: new Date(told.time).toISOString(),
    event: eventOf(told.id) ?? "",
    severity: told.severity,
    message: told.id,
    text: told.text,
    action: catalogue.get(told.id)?.action ?? "",
    variables: Object.fromEntries(variables),
  };
}

/** The notice of those that a storm has kept back: how many of each message. */
export function summaryOf(
  id: string,
  notify: Notify,
  site: string,
  time: number,
  counts: ReadonlyMap<string, number>,
): Notice {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const most = [...counts].sort(([, a], [, b]) => b - a);
  const list = most.map(([message, count]) => `${message} ${count}`).join(", ");
  return {
    id,
    notify: notify.id,
    site,
    at: new Date(time).toISOString(),
    event: "summary",
    severity: "W",
    message: "",
    text: `${all} more in ${notify.interval / 1000} s, not told one by one: ${list}`,
    action: "`cygnet log -l W` shows them.",
    variables: Object.fromEntries(counts),
  };
}
