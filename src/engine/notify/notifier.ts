/**
 * Notifications: hears every message of the log and tells those whom [[notify]] names, by mail and webhook.
 *
 * Invariants
 * - Nothing waits for a notification: hearing is quick, delivering goes on beside everything else.
 * - Memory and disk are bounded: so many notices for each place, and a summary instead of a storm.
 * - What waits outlives the process (`kept.ts`).
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Configuration, Notify, Smtp } from "../../config/model.ts";
import { catalogue } from "../../messages/catalogue.ts";
import { sentence } from "../../messages/layout.ts";
import type { OpenJournal, Told } from "../../messages/logger.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { describe, isSystemError } from "../../platform/errors.ts";
import type { FileSystem } from "../../platform/filesystem.ts";
import type { Random } from "../../platform/random.ts";
import { folderOf, KeptNotices, noticeFolder } from "./kept.ts";
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
  disk: FileSystem;
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
    const { rundir, part } = cftparm;
    const old = this.#lines;
    const staying = [...notify.values()].map((settings) =>
      old.find((line) => isDeepStrictEqual(line.settings, settings) && isDeepStrictEqual(line.smtp, smtp)),
    );
    const leaving = new Map<string, Promise<void>>();
    for (const line of old) {
      if (staying.includes(line)) continue;
      const { id } = line.settings;
      // what its successor can tell is left to it
      leaving.set(id, line.close(0, notify.has(id) ? "handed over" : "aside"));
    }
    this.#lines = [...notify.values()].map((settings, index) => {
      const after = leaving.get(settings.id) ?? Promise.resolve();
      return staying[index] ?? new Line(this.#around, { rundir, part }, settings, smtp, after);
    });
    void Promise.all(leaving.values()).then(() => this.#sweep(rundir));
  }

  /** Notices for those who are not told any more go. */
  async #sweep(rundir: string): Promise<void> {
    const { disk, journal } = this.#around;
    const used = this.#lines.flatMap((line) => line.folders);
    const folder = noticeFolder(rundir);
    try {
      const names = (await disk.list(folder)).map(({ name }) => join(folder, name));
      for (const path of names) if (!used.includes(path)) await disk.removeDirectory(path);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return;
      journal.emit("CFTS83W", { id: "", text: `${folder}: ${describe(error)}` });
    }
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
  readonly #site: { rundir: string; part: string };
  readonly #storm: Storm;
  readonly #unreachable: Unreachable;
  readonly #queues: NoticeQueue[] = [];
  /** Folders in which its notices wait, absolute. */
  readonly folders: string[] = [];
  #summary: Timer | null = null;

  /** `after`: until then what waits is its predecessor's. */
  constructor(
    around: Surroundings,
    site: { rundir: string; part: string },
    settings: Notify,
    smtp: Smtp | null,
    after: Promise<void>,
  ) {
    this.#around = around;
    this.#site = site;
    this.settings = settings;
    this.smtp = smtp;
    this.#storm = new Storm(settings.limit, settings.interval);
    this.#unreachable = new Unreachable(around.clock, settings.unreachable, (part, why) =>
      this.#lost(part, why),
    );
    if (settings.url.reveal() !== "")
      this.#outlet("webhook", after, (notice, signal) => post(settings, notice, signal));
    if (settings.mail.length > 0 && smtp)
      this.#outlet("mail", after, (notice) => mail(smtp, settings, notice));
  }

  hear(told: Told): void {
    this.#unreachable.hear(told);
    if (selects(this.settings, told)) this.#tell(told);
  }

  /** After a reload: "aside" goes on delivering beside everything else, "handed over" leaves what waits to another. */
  async close(patience: number, how: "now" | "aside" | "handed over" = "now"): Promise<void> {
    this.#unreachable.close();
    this.#summary?.cancel();
    if (this.#storm.dueAt !== null) this.#summarise();
    const { timeout } = this.settings;
    const limit = { now: patience, aside: timeout * 10, "handed over": timeout * 2 }[how];
    await Promise.all(this.#queues.map((queue) => queue.close(limit, how === "handed over")));
  }

  #outlet(
    kind: "webhook" | "mail",
    after: Promise<void>,
    deliver: (notice: Notice, signal: AbortSignal) => Promise<void>,
  ): void {
    const { journal, clock, random, disk } = this.#around;
    const { id } = this.settings;
    const outlet = {
      deliver,
      troubled: (text: string) => journal.emit("CFTS83W", { id, text }),
      recovered: () => journal.emit("CFTS83I", { id }),
    };
    const folder = folderOf(this.#site.rundir, id, kind);
    this.folders.push(folder);
    this.#queues.push(new NoticeQueue(outlet, clock, random, new KeptNotices(disk, folder), after));
  }

  #tell(told: Told): void {
    const { clock } = this.#around;
    if (!this.#storm.admit(clock.monotonic(), told.id)) return this.#awaitSummary();
    this.#send(noticeOf(randomUUID(), this.settings, this.#site.part, told));
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
    this.#send(summaryOf(randomUUID(), this.settings, this.#site.part, clock.now(), held));
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
