/** The event stream: server-sent events (WHATWG HTML, section 9.2). */
import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Severity } from "../../messages/journal.ts";
import type { Topic } from "../api.ts";
import { EVENT_TYPES, type EventType, type HubEvent } from "../events.ts";
import { Refusal } from "../refusal.ts";
import { about, object, oneOf, text } from "../schema.ts";

/** Octets that may wait for a reader before it is cut; it can come back with the id of the last event it had. */
const BACKLOG = 1024 * 1024;
/** A line without meaning keeps proxies and time-outs away, ms. */
const HEARTBEAT = 15_000;
const READERS = 50;
const SEVERITIES = "TIWEF";

interface Query {
  type?: string;
  part?: string;
  idtu?: string;
  level?: Severity;
}

export const eventTopic: Topic = (api, { access, events, streams }) => {
  api.get<{ Querystring: Query }>(
    "/events",
    {
      ...{ id: "events", tag: "events", role: "read", gives: "text/event-stream" },
      summary:
        "What happens, as server-sent events: transfers whose state changed, sessions, messages of the log, configurations",
      query: object({
        "type?": about(text, `only these, with commas between: ${EVENT_TYPES.join(", ")}`),
        "part?": about(text, "only what concerns this partner"),
        "idtu?": about(text, "only what concerns this transfer"),
        "level?": about(oneOf("I", "W", "E", "F"), "lowest severity; a transfer with a DIAGI has E"),
      }),
      answer: text,
    },
    (request, reply) => {
      const wanted = filterOf(request.query);
      if (events.readers >= READERS) {
        throw new Refusal(
          503,
          "CYG_API_READERS",
          `${READERS} readers of events are there already; try again later`,
        );
      }
      reply.hijack();
      const out = reply.raw;
      out.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      // whoever breaks off is no event of the gateway
      out.on("error", () => out.destroy());
      out.write(`retry: 2000\n\n`);
      // a slow reader must not hold what everybody else has read long ago
      const write = (chunk: string) => {
        if (out.writableEnded || out.destroyed) return;
        if (out.writableLength > BACKLOG) out.destroy();
        else out.write(chunk);
      };
      for (const event of missed(request))
        if (event === null || wanted(event)) write(lines(event, events.last));
      const stop = events.follow((event) => {
        if (event.type === "configuration" && request.caller && !access.stands(request.caller)) out.end();
        else if (wanted(event)) write(lines(event, ""));
      });
      const beat = setInterval(() => write(": \n\n"), HEARTBEAT);
      streams.add(out);
      out.once("close", () => {
        clearInterval(beat);
        stop();
        streams.delete(out);
      });
    },
  );

  /** Begins with null where something was missed that is not kept any more. */
  function missed({ headers }: FastifyRequest<{ Querystring: Query }>): readonly (HubEvent | null)[] {
    const last = headers["last-event-id"];
    if (typeof last !== "string" || last === "") return [];
    return events.after(last) ?? [null];
  }
};

/** Ends every stream: the gateway stops. */
export function endStreams(streams: ReadonlySet<ServerResponse>): void {
  for (const stream of streams) stream.end();
}

function lines(event: HubEvent | null, last: string): string {
  if (event === null) return `id: ${last}\nevent: gap\ndata: {}\n\n`;
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

/** @throws Refusal for a type that is none */
function filterOf({ type, part, idtu, level }: Query): (event: HubEvent) => boolean {
  const types = type === undefined ? EVENT_TYPES : type.split(",");
  const strange = types.find((name) => !EVENT_TYPES.includes(name as EventType));
  if (strange !== undefined) {
    const message = `there are no events of type "${strange}"; known are ${EVENT_TYPES.join(", ")}`;
    throw new Refusal(400, "CYG_ADMIN_REQUEST", message);
  }
  const lowest = level === undefined ? 0 : SEVERITIES.indexOf(level);
  return (event) =>
    types.includes(event.type) &&
    (part === undefined || event.part === part) &&
    (idtu === undefined || event.idtu === idtu) &&
    SEVERITIES.indexOf(event.severity) >= lowest;
}
