/**
 * What happens, as it happens: the last of it is kept, so that a reader who was cut off goes on where it was.
 *
 * Invariants
 * - Ids rise within a run of the gateway and name it: an id of another run, or of what is kept no more, is known as such.
 * - Memory is bounded by the number of events that are kept, whoever reads.
 */
import { randomBytes } from "node:crypto";
import type { Gateway } from "../engine/gateway.ts";
import type { Session } from "../engine/session.ts";
import type { SessionNews } from "../engine/sessions.ts";
import type { Severity } from "../messages/journal.ts";
import type { Told } from "../messages/logger.ts";
import { recordOf } from "./record.ts";
import { generationOf, sessionOf } from "./status.ts";

export const EVENT_TYPES = ["transfer", "session", "message", "configuration"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface HubEvent {
  id: string;
  type: EventType;
  /** What filters look at; undefined = it concerns none. */
  part: string | undefined;
  idtu: string | undefined;
  severity: Severity;
  data: object;
}

/** Events that are kept for readers who come back. */
const KEPT = 2000;

export class Events {
  readonly #gateway: Gateway;
  readonly #run = randomBytes(4).toString("hex");
  #count = 0;
  #kept: HubEvent[] = [];
  readonly #readers = new Set<(event: HubEvent) => void>();
  #follows = false;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    gateway.journal.listen((told) => this.#message(told));
    gateway.site.sessions.listen((session, what) => this.#session(session, what));
  }

  /** Calls `read` for every event from now on; the answer ends it. */
  follow(read: (event: HubEvent) => void): () => void {
    if (!this.#follows) {
      this.#follows = true;
      this.#gateway.site.catalog.follow((idtus) => void this.#transfers(idtus));
    }
    this.#readers.add(read);
    return () => void this.#readers.delete(read);
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** What came after this event; null when that is not known any more. */
  after(id: string): readonly HubEvent[] | null {
    const [, run, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    const first = this.#count - this.#kept.length;
    const count = Number(digits);
    if (run !== this.#run || count < first || count > this.#count) return null;
    return this.#kept.slice(count - first);
  }

  /** Id of the event that came last, for readers who begin now. */
  get last(): string {
    return `${this.#run}-${this.#count}`;
  }

  #publish(event: Omit<HubEvent, "id">): void {
    this.#count += 1;
    const whole = { id: this.last, ...event };
    this.#kept.push(whole);
    // cut in pieces, so that not every event moves all others
    if (this.#kept.length > 2 * KEPT) this.#kept = this.#kept.slice(-KEPT);
    for (const read of this.#readers) read(whole);
  }

  #message({ id, severity, time, text, variables }: Told): void {
    const data = { time: new Date(time).toISOString(), severity, id, text, variables: texts(variables) };
    const { part, idtu } = data.variables;
    this.#publish({ type: "message", part: part || undefined, idtu: idtu || undefined, severity, data });
    if (id === "CFTS43I") this.#generation();
    if (id === "CFTS85W") {
      const { lastRejection: reasons } = this.#gateway;
      this.#configuration("W", { accepted: false, reasons });
    }
  }

  #generation(): void {
    const current = this.#gateway.generations.at(-1);
    if (current) this.#configuration("I", { accepted: true, generation: generationOf(current) });
  }

  #configuration(severity: Severity, data: object): void {
    this.#publish({ type: "configuration", part: undefined, idtu: undefined, severity, data });
  }

  #session(session: Session, what: SessionNews): void {
    const part = session.part?.id;
    this.#publish({
      type: "session",
      part,
      idtu: undefined,
      severity: "I",
      data: { what, ...sessionOf(session) },
    });
  }

  async #transfers(idtus: readonly string[]): Promise<void> {
    const { catalog } = this.#gateway.site;
    for (const idtu of idtus) {
      // a catalog that cannot be read says so wherever it matters; here a reader misses a line
      const transfer = await catalog.get(idtu).catch(() => undefined);
      if (transfer === undefined) continue;
      const severity = transfer.diagi === 0 ? "I" : "E";
      this.#publish({ type: "transfer", part: transfer.part, idtu, severity, data: recordOf(transfer) });
    }
  }
}

function texts(variables: Told["variables"]): Record<string, string> {
  const known = Object.entries(variables).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
}
