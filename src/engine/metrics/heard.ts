/** What the messages of the log count: one row for each, so that counting happens where telling does. */
import { eventOf, events } from "../../messages/events.ts";
import type { MessageVariables } from "../../messages/journal.ts";
import type { Told } from "../../messages/logger.ts";
import type { MetricName } from "./definitions.ts";

/** One count: adds `value` (1) to a counter, or gives it to a histogram. */
export interface Count {
  metric: MetricName;
  labels?: Record<string, string>;
  value?: number;
}

type Row = (variables: MessageVariables) => readonly Count[];

const text = (value: MessageVariables[string]): string => String(value ?? "");
const diagi = ({ diagi }: MessageVariables) => ({ diagi: text(diagi ?? 0) });

/** A counter whose only labels are the partner and one more. */
const perPartner =
  (metric: MetricName, more: (variables: MessageVariables) => Record<string, string> = () => ({})): Row =>
  (variables) => [{ metric, labels: { partner: text(variables.part), ...more(variables) } }];

const once =
  (metric: MetricName, labels: Record<string, string> = {}): Row =>
  () => [{ metric, labels }];

const response = (direction: "sent" | "received", kind: "EERP" | "NERP"): Row =>
  perPartner("cygnet_responses_total", () => ({ direction, kind }));

const callFailed = perPartner("cygnet_calls_failed_total", diagi);
const interrupted = perPartner("cygnet_transfer_interruptions_total", diagi);
const failed = perPartner("cygnet_transfer_failures_total", diagi);

const completed: Row = ({ part, direct, nbc, duration }) => {
  const direction = text(direct);
  const labels = { partner: text(part), direction };
  return [
    { metric: "cygnet_transfers_completed_total", labels },
    { metric: "cygnet_transfer_bytes_total", labels, value: Number(nbc) },
    { metric: "cygnet_transfer_duration_seconds", labels: { direction }, value: Number(duration) },
  ];
};

/** "SSL server" is a server with TLS. */
const opened: Row = ({ part, role }) => {
  const words = text(role).split(" ");
  const labels = { partner: text(part), role: words.at(-1) ?? "", tls: words.length > 1 ? "yes" : "no" };
  return [{ metric: "cygnet_sessions_opened_total", labels }];
};

const again: Row = (variables) =>
  variables.text === "selected" ? perPartner("cygnet_transfer_retries_total")(variables) : [];

const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ...events["transfer-failed"].map((id) => [id, failed] as const),
  ...events["transfer-interrupted"].map((id) => [id, interrupted] as const),
  ["CFTT88I", completed],
  ["CFTT53I", again],
  [
    "CFTR71W",
    perPartner("cygnet_files_refused_total", (said) => ({ reason: text(said.reason), ...diagi(said) })),
  ],
  ["CFTH60I", response("sent", "EERP")],
  ["CFTH73I", response("sent", "NERP")],
  ["CFTT59I", response("received", "EERP")],
  ["CFTH72W", response("received", "NERP")],
  ["CFTH79E", perPartner("cygnet_responses_unproved_total")],
  ["CFTT51I", opened],
  ["CFTH22E", (said) => [{ metric: "cygnet_sessions_refused_total", labels: diagi(said) }]],
  ["CFTH76W", perPartner("cygnet_sessions_failed_total", ({ reason }) => ({ reason: text(reason) }))],
  ["CFTH78W", perPartner("cygnet_sessions_failed_total", () => ({ reason: "timeout" }))],
  ["CFTH09E", callFailed],
  ["CFTH10E", callFailed],
  ["CFTH11E", callFailed],
  ["CFTY13E", once("cygnet_tls_failures_total", { origin: "own" })],
  ["CFTY30E", once("cygnet_tls_failures_total", { origin: "partner" })],
  ["CFTS43I", once("cygnet_reloads_total", { result: "accepted" })],
  ["CFTS85W", once("cygnet_reloads_total", { result: "rejected" })],
  [
    "CFTS87W",
    ({ direction }) => [{ metric: "cygnet_clock_steps_total", labels: { direction: text(direction) } }],
  ],
  ["CFTS82E", once("cygnet_accounting_failures_total")],
  ["CFTS83W", ({ id }) => [{ metric: "cygnet_notification_failures_total", labels: { id: text(id) } }]],
  ["CFTH99W", once("cygnet_log_failures_total")],
  ["CFTH98W", ({ n }) => [{ metric: "cygnet_log_lines_dropped_total", value: Number(n) }]],
]);

/** What a message counts. */
export function countsOf({ id, severity, variables }: Pick<Told, "id" | "severity" | "variables">): Count[] {
  const counts: Count[] = [{ metric: "cygnet_log_messages_total", labels: { severity } }];
  const event = eventOf(id);
  if (event !== undefined) counts.push({ metric: "cygnet_events_total", labels: { event } });
  counts.push(...(ROWS.get(id)?.(variables) ?? []));
  return counts;
}

/** Messages that count more than their severity; for tests. */
export const countedMessages: readonly string[] = [...ROWS.keys()];
