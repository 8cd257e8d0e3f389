/**
 * Notifications: hears every message of the log and tells those whom [[notify]] names, by mail and webhook.
 *
 * Invariants
 * - Nothing waits for a notification: hearing is quick, delivering goes on beside everything else.
 * - Memory is bounded: so many notices for each place, and a summary instead of a storm.
 */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Configuration, Notify, Smtp } from "../../config/model.ts";
import { catalogue } from "../../messages/catalogue.ts";
import { sentence } from "../../messages/layout.ts";
import type { OpenJournal, Told } from "../../messages/logger.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import { mail } from "./mail.ts";
import { NoticeQueue } from "./queue.ts";
import { type Notice, noticeOf, selects, summaryOf } from "./selection.ts";
import { Storm } from "./storm.ts";
import { Unreachable } from "./unreachable.ts";
import { post } from "./webhook.ts";

/** What a notification needs around it. */
export interface Surroundings {
  journal: OpenJournal;
  clock: Clock;
  random: Random;
}

export class Notifier {
  readonly #around: Surroundings;
  #lines: Line[] = [];

  constructor(around: Surroundings) {
    this.#around = around;
    around.journal.listen((told) => {
      for (const line of this.#lines) line.hear(told);
    });
  }

  /** Follows a configuration; what did not change keeps its memory, what went away delivers what it has. */
  apply({ cftparm, notify, smtp }: Configuration): void {
    const old = this.#lines;
    this.#lines = [...notify.values()].map((settings) => {
      const same = old.find(
        (line) => isDeepStrictEqual(line.settings, settings) && isDeepStrictEqual(line.smtp, smtp),
      );
      return same ?? new Line(this.#around, cftparm.part, settings, smtp);
    });
    for (const line of old) if (!this.#lines.includes(line)) void line.close(0, true);
  }

  /** Delivers what waits, at most `patience` ms, and hears no more. */
  async stop(patience: number): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    await Promise.all(lines.map((line) => line.close(patience)));
  }
}

/** One [[notify]]. */
class Line {
  readonly settings: Notify;
  readonly smtp: Smtp | null;
  readonly #around: Surroundings;
  readonly #site: string;
  readonly #storm: Storm;
  readonly #unreachable: Unreachable;
  readonly #queues: NoticeQueue[] = [];
  #summary: Timer | null = null;

  constructor(around: Surroundings, site: string, settings: Notify, smtp: Smtp | null) {
    this.#around = around;
    this.#site = site;
    this.settings = settings;
    this.smtp = smtp;
    this.#storm = new Storm(settings.limit, settings.interval);
    this.#unreachable = new Unreachable(around.clock, settings.unreachable, (part, why) =>
      this.#lost(part, why),
    );
    if (settings.url.reveal() !== "") this.#outlet((notice, signal) => post(settings, notice, signal));
    if (settings.mail.length > 0 && smtp) this.#outlet((notice) => mail(smtp, settings, notice));
  }

  hear(told: Told): void {
    this.#unreachable.hear(told);
    if (selects(this.settings, told)) this.#tell(told);
  }

  /** `aside`: goes on delivering after a reload, as long as it takes. */
  async close(patience: number, aside = false): Promise<void> {
    this.#unreachable.close();
    this.#summary?.cancel();
    if (this.#storm.dueAt !== null) this.#summarise();
    const limit = aside ? this.settings.timeout * 10 : patience;
    await Promise.all(this.#queues.map((queue) => queue.close(limit)));
  }

  #outlet(deliver: (notice: Notice, signal: AbortSignal) => Promise<void>): void {
    const { journal, clock, random } = this.#around;
    const { id } = this.settings;
    const outlet = {
      deliver,
      troubled: (text: string) => journal.emit("CFTS83W", { id, text }),
      recovered: () => journal.emit("CFTS83I", { id }),
    };
    this.#queues.push(new NoticeQueue(outlet, clock, random));
  }

  #tell(told: Told): void {
    const { clock } = this.#around;
    if (!this.#storm.admit(clock.monotonic(), told.id)) return this.#awaitSummary();
    this.#send(noticeOf(randomUUID(), this.settings, this.#site, told));
  }

  #awaitSummary(): void {
    const due = this.#storm.dueAt;
    if (this.#summary !== null || due === null) return;
    const { clock } = this.#around;
    this.#summary = clock.timer(due - clock.monotonic(), () => {
      this.#summary = null;
      this.#summarise();
    });
  }

  #summarise(): void {
    const { clock } = this.#around;
    const held = this.#storm.release(clock.monotonic());
    this.#send(summaryOf(randomUUID(), this.settings, this.#site, clock.now(), held));
  }

  #send(notice: Notice): void {
    for (const queue of this.#queues) queue.push(notice);
  }

  /** Made here and not in the log: each notification has its own idea of "for long". */
  #lost(part: string, why: string): void {
    const id = "CFTS84W";
    const variables = { part, text: `for ${this.settings.unreachable / 60_000} minutes; last: ${why}` };
    const text = sentence(catalogue.get(id)?.text ?? "", variables, (value) => value);
    const told: Told = { id, severity: "W", time: this.#around.clock.now(), text, variables };
    if (selects(this.settings, told)) this.#tell(told);
  }
}
