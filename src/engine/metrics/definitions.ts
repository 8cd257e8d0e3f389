/**
 * Every metric that a gateway has of its own. Names say what is counted in Prometheus' base units (seconds, octets);
 * labels come from the configuration or from tables of this program, never from what a stranger sends.
 */

export interface Definition {
  kind: "counter" | "gauge" | "histogram";
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram. */
  buckets?: readonly number[];
}

const counter = (help: string, ...labels: string[]): Definition => ({ kind: "counter", help, labels });
const gauge = (help: string, ...labels: string[]): Definition => ({ kind: "gauge", help, labels });

/** From a tenth of a second to a day: what a partner at the other end of a slow line takes. */
const DURATIONS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

export const METRICS = {
  cygnet_info: gauge("Always 1; the labels say what runs.", "version", "site"),
  cygnet_ready: gauge("1 while new work can be taken, as /readyz says; 0 otherwise."),

  cygnet_transfers: gauge(
    "Records in the catalog by state: A pre-processing, D waiting, C running, H held, K stopped, Y post-processing, " +
      "Z waiting for the response, X ended.",
    "direction",
    "state",
  ),
  cygnet_partner_transfers: gauge(
    "Transfers that have not ended, by partner and state.",
    "partner",
    "direction",
    "state",
  ),
  cygnet_partner_oldest_waiting_seconds: gauge(
    "Age of the oldest send that waits for its session; 0 = none waits.",
    "partner",
  ),
  cygnet_transfers_completed_total: counter(
    "Files that crossed the line whole, received and recorded.",
    "partner",
    "direction",
  ),
  cygnet_transfer_bytes_total: counter("Octets of those files.", "partner", "direction"),
  cygnet_transfer_duration_seconds: {
    kind: "histogram",
    help: "From the first attempt at a file to its end on the line.",
    labels: ["direction"],
    buckets: DURATIONS,
  },
  cygnet_transfers_running_bytes: gauge(
    "Octets that the transfers under way have moved so far, all together.",
    "direction",
  ),
  cygnet_transfer_interruptions_total: counter(
    "Transfers that were cut in the middle; most go on by themselves.",
    "partner",
    "diagi",
  ),
  cygnet_transfer_failures_total: counter("Transfers that do not go on by themselves.", "partner", "diagi"),
  cygnet_transfer_retries_total: counter(
    "Transfers that were taken up again after an earlier attempt.",
    "partner",
  ),
  cygnet_files_refused_total: counter(
    "Files of partners that this side refused, by reason for the partner (SFNA) and DIAGI.",
    "partner",
    "reason",
    "diagi",
  ),

  cygnet_responses_total: counter(
    "End-to-end responses: EERP (yes) and NERP (no), sent and received.",
    "partner",
    "direction",
    "kind",
  ),
  cygnet_responses_unproved_total: counter(
    "Responses that had to be signed and were not, or not rightly; they do not count.",
    "partner",
  ),
  cygnet_responses_awaited: gauge(
    "Sent files in phase Z: the end-to-end response has not come, or its script is still to run.",
    "partner",
  ),
  cygnet_responses_awaited_oldest_seconds: gauge(
    "How long the earliest requested of them has waited since it was sent; 0 = none waits.",
    "partner",
  ),
  cygnet_responses_unsent: gauge("Responses of ours that wait for a session.", "partner"),
  cygnet_responses_unsent_oldest_seconds: gauge(
    "How long the oldest of them waits since its file was delivered; 0 = none waits.",
    "partner",
  ),

  cygnet_sessions: gauge(
    "OFTP sessions that are open now; without a partner: not recognised yet.",
    "partner",
    "role",
  ),
  cygnet_sessions_opened_total: counter("Sessions that both sides agreed on.", "partner", "role", "tls"),
  cygnet_sessions_refused_total: counter("Callers that were refused, by DIAGI.", "diagi"),
  cygnet_sessions_failed_total: counter(
    'Sessions that did not end as they should, by ESID reason; "timeout" where a timer ended them.',
    "partner",
    "reason",
  ),
  cygnet_calls_failed_total: counter(
    "Calls to partners that led to no session, by DIAGI.",
    "partner",
    "diagi",
  ),
  cygnet_partner_failed_calls: gauge(
    "Calls to a partner that failed in a row; 0 = the last one succeeded.",
    "partner",
  ),
  cygnet_tls_failures_total: counter(
    "TLS handshakes and connections that failed; origin says which side gave up.",
    "origin",
  ),
  cygnet_connections: gauge("Connections of a network resource, recognised or not yet.", "net", "state"),
  cygnet_connections_accepted_total: counter("Connections that were let in.", "net"),
  cygnet_connections_refused_total: counter(
    "Connections that were turned away before a word was said: denied (address), full (maxcnx, maxcnx_host), " +
      "displaced (silent, gave way), locked (refused too often).",
    "net",
    "reason",
  ),

  cygnet_lockouts: gauge(
    "Addresses and codes that have to wait now, because they were refused too often.",
    "net",
    "kind",
  ),
  cygnet_lockouts_total: counter("How often one of them had to.", "net"),

  cygnet_certificate_days_left: gauge(
    "Whole days until a certificate in use ends; negative when it has expired.",
    "id",
    "partner",
    "fingerprint",
  ),

  cygnet_configuration_generation: gauge("Number of the configuration in force."),
  cygnet_configuration_last_reload_timestamp_seconds: gauge(
    "When a configuration was last read, accepted or not: seconds since 1970.",
  ),
  cygnet_configuration_last_reload_successful: gauge(
    "1 when the last reload was accepted, 0 when it was rejected.",
  ),
  cygnet_reloads_total: counter(
    "Reloads that changed something (accepted) or were refused (rejected).",
    "result",
  ),

  cygnet_disk_free_bytes: gauge(
    "Octets that are free for the gateway on each file system that it writes to, by the first of its folders there.",
    "folder",
  ),
  cygnet_disk_size_bytes: gauge("Size of that file system.", "folder"),

  cygnet_scripts: gauge("Scripts of transfers that run or wait.", "state"),
  cygnet_events_total: counter("Events that notifications know by name.", "event"),
  cygnet_log_messages_total: counter(
    "Messages by severity (I, W, E, F), also those below the level of the log.",
    "severity",
  ),
  cygnet_log_failures_total: counter("Times that the log could not be written any more."),
  cygnet_log_lines_dropped_total: counter("Lines of information that were left out because too many waited."),
  cygnet_accounting_failures_total: counter("Times that accounting could not be written any more."),
  cygnet_notification_failures_total: counter(
    "Times that a notification could not be delivered any more.",
    "id",
  ),

  cygnet_clock_steps_total: counter(
    "How often the clock of the machine was set by more than a minute.",
    "direction",
  ),

  cygnet_event_loop_delay_seconds: gauge(
    "How late the main loop came to its work, since the last time that this was asked for; quantile 1 is the worst.",
    "quantile",
  ),
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof METRICS;

/** Beside its own, what Node.js tells of any process; the names are those of prom-client. */
export const PROCESS_METRICS: Readonly<Record<string, string>> = {
  process_cpu_user_seconds_total: "CPU time of the process in its own code.",
  process_cpu_system_seconds_total: "CPU time of the process in the kernel.",
  process_cpu_seconds_total: "Both together.",
  process_start_time_seconds: "When the process began: seconds since 1970.",
  process_resident_memory_bytes: "Memory that the process holds.",
  process_virtual_memory_bytes: "Address space of the process.",
  process_heap_bytes: "Data segment of the process.",
  process_open_fds: "Open files and connections.",
  process_max_fds: "How many of them the system allows.",
  nodejs_active_resources: "What keeps the main loop going, by type.",
  nodejs_active_resources_total: "All of it.",
  nodejs_active_handles: "Open handles, by type.",
  nodejs_active_handles_total: "All of them.",
  nodejs_active_requests: "Requests to the system under way, by type.",
  nodejs_active_requests_total: "All of them.",
  nodejs_heap_size_total_bytes: "Memory of the JavaScript heap.",
  nodejs_heap_size_used_bytes: "What of it is used.",
  nodejs_external_memory_bytes: "Buffers outside the heap.",
  nodejs_heap_space_size_total_bytes: "The heap by space.",
  nodejs_heap_space_size_used_bytes: "What of it is used, by space.",
  nodejs_heap_space_size_available_bytes: "What of it is free, by space.",
  nodejs_version_info: "Always 1; the labels say which Node.js runs.",
  nodejs_gc_duration_seconds: "Garbage collections, by kind (histogram).",
};
