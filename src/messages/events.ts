/** Named events that people want to hear of, and the messages of the log that tell of them. */
export const events = {
  /** A transfer that does not go on by itself. */
  "transfer-failed": [
    ...["CFTT03E", "CFTT08E", "CFTT11E", "CFTT18E", "CFTT34E", "CFTT50E", "CFTT71E", "CFTT75E", "CFTT78E"],
    ...["CFTF02E", "CFTF04E"],
  ],
  "transfer-held": ["CFTT17I"],
  /** Cut; it goes on by itself. */
  "transfer-interrupted": ["CFTT74E", "CFTT82E"],
  "nerp-received": ["CFTH72W"],
  "nerp-sent": ["CFTH73I"],
  /** A received file that could not be put into its place, or work that needs an operator. */
  "delivery-failed": ["CFTF25E", "CFTF32E", "CFTC70E"],
  "script-failed": ["CFTS02E", "CFTS11E", "CFTS68E", "CFTS80E"],
  "job-failed": ["CFTS39E"],
  "session-refused": ["CFTH22E", "CFTH23E"],
  "caller-locked-out": ["CFTN70W"],
  /** Made by the notification itself, after the time that it gives. */
  "partner-unreachable": ["CFTS84W"],
  "certificate-expiring": ["CFTS79W", "CFTS79E"],
  "reload-rejected": ["CFTS85W"],
  "disk-low": ["CFTC01W", "CFTC01E", "CFTF23E", "CFTH99W", "CFTS82E", "CFTS86W", "CFTS86E"],
  "gateway-started": ["CFTI14I"],
  "gateway-stopped": ["CFTE09I"],
  "internal-error": ["CFTH77E", "CFTH97E", "CFTS77E"],
} as const satisfies Record<string, readonly string[]>;

export type EventName = keyof typeof events;

/** The name of the event that a message tells of, if it has one. */
export function eventOf(id: string): EventName | undefined {
  return NAMES.get(id);
}

const NAMES: ReadonlyMap<string, EventName> = new Map(
  Object.entries(events).flatMap(([name, ids]) => ids.map((id) => [id, name as EventName] as const)),
);
