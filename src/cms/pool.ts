/**
 * Threads that seal and open files beside the protocol loop, so that a large file delays no session.
 *
 * Invariants
 * - No more threads than processors and one; they are started when there is work and end when there has been none for a
 *   while.
 * - Large files never have all threads: a small one waits for small ones only.
 * - A thread that dies fails the job that it had, and no other.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type Clock, systemClock, type Timer } from "../platform/clock.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Answer, Job, SealDone, SealJob, UnsealDone, UnsealJob } from "./job.ts";

export interface PoolOptions {
  /** Threads at most, of which large files have all but one where there are two. */
  threads?: number;
  /** Milliseconds without work after which a thread ends. */
  idle?: number;
  clock?: Clock;
  /** The file that a thread runs. */
  worker?: URL;
}

interface Task {
  job: Job;
  resolve(done: SealDone | UnsealDone): void;
  reject(error: CygnetError): void;
}

interface Thread {
  worker: Worker;
  task: Task | undefined;
  idle: Timer | undefined;
}

const IDLE = 30_000;
/** A thread needs a fifth of this. The less it may have, the sooner buffers that have been written are given back. */
const HEAP = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };
/** Octets of a file whose work takes longer than anybody would like to wait for. */
const LARGE = 16 * 1024 * 1024;

export class SealingPool {
  readonly #most: number;
  readonly #idle: number;
  readonly #clock: Clock;
  readonly #file: URL;
  readonly #threads = new Set<Thread>();
  readonly #waiting: Task[] = [];
  #closed = false;

  constructor({ threads, idle, clock, worker }: PoolOptions = {}) {
    this.#most = threads ?? availableParallelism() + 1;
    this.#idle = idle ?? IDLE;
    this.#clock = clock ?? systemClock;
    this.#file = worker ?? new URL("./worker.js", import.meta.url);
  }

  /** How many threads there are now. */
  get threads(): number {
    return this.#threads.size;
  }

  /** True when a small job would begin at once. */
  get free(): boolean {
    return this.#waiting.length === 0 && [...this.#threads].filter(({ task }) => task).length < this.#most;
  }

  /**
   * Does the job as soon as a thread is free, in the order of calls but for large files, which small ones overtake. The target is on disk when it resolves.
   * @throws CygnetError those of `seal` and `unseal`; CYG_CMS_FILE for a file that cannot be read or written, with the
   * system's error (`code`) as cause; CYG_CMS_WORKER when the thread died or the pool was closed
   */
  run(job: SealJob): Promise<SealDone>;
  run(job: UnsealJob): Promise<UnsealDone>;
  run(job: Job): Promise<SealDone | UnsealDone> {
    if (this.#closed) return Promise.reject(gone("the gateway is ending"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#assign();
    });
  }

  /** Fails all jobs, those at work included, and ends the threads. Half-written targets are left to their owner. */
  async close(): Promise<void> {
    this.#closed = true;
    const threads = [...this.#threads];
    for (const task of this.#waiting.splice(0)) task.reject(gone("the gateway is ending"));
    await Promise.all(threads.map((thread) => this.#end(thread, "the gateway is ending")));
  }

  #assign(): void {
    for (;;) {
      const next = this.#waiting.findIndex(({ job }) => !isLarge(job) || this.#roomForLarge());
      if (next < 0) return;
      const free = [...this.#threads].find(({ task }) => !task);
      const thread = free ?? (this.#threads.size < this.#most ? this.#start() : undefined);
      if (!thread) return;
      const [task] = this.#waiting.splice(next, 1) as [Task];
      thread.idle?.cancel();
      thread.task = task;
      thread.worker.ref();
      try {
        thread.worker.postMessage(task.job);
      } catch (cause) {
        this.#answered(thread, { failed: { code: "CYG_CMS_WORKER", message: describe(cause) } });
      }
    }
  }

  #roomForLarge(): boolean {
    const large = [...this.#threads].filter(({ task }) => task && isLarge(task.job));
    return large.length < Math.max(1, this.#most - 1);
  }

  #start(): Thread {
    const worker = new Worker(this.#file, { name: "cygnet-cms", resourceLimits: HEAP });
    const thread: Thread = { worker, task: undefined, idle: undefined };
    this.#threads.add(thread);
    let cause: unknown;
    worker
      .on("message", (answer: Answer) => {
        this.#answered(thread, answer);
        this.#assign();
      })
      .on("error", (error) => {
        cause = error; // and it ends: "exit" follows
      })
      .on("exit", () => {
        this.#threads.delete(thread);
        thread.idle?.cancel();
        thread.task?.reject(gone("its thread died", cause));
        if (!this.#closed) this.#assign();
      });
    return thread;
  }

  #answered(thread: Thread, answer: Answer): void {
    const { task } = thread;
    thread.task = undefined;
    thread.worker.unref();
    thread.idle = this.#clock.timer(this.#idle, () => {
      void this.#end(thread, "its thread was idle");
    });
    if ("done" in answer) task?.resolve(received(answer.done));
    else task?.reject(rebuilt(answer.failed));
  }

  async #end(thread: Thread, why: string): Promise<void> {
    this.#threads.delete(thread);
    thread.idle?.cancel();
    thread.task?.reject(gone(why));
    thread.task = undefined;
    await thread.worker.terminate();
  }
}

function isLarge({ size = 0 }: Job): boolean {
  return size > LARGE;
}

/** Buffers arrive from another thread as plain arrays of octets. */
function received(done: SealDone | UnsealDone): SealDone | UnsealDone {
  done.plain.sha256 = Buffer.from(done.plain.sha256);
  done.transmitted.hash = Buffer.from(done.transmitted.hash);
  done.facts.sha256 = done.plain.sha256;
  return done;
}

function rebuilt({ code, message, system }: { code: string; message: string; system?: string }): CygnetError {
  if (system === undefined) return new CygnetError(code, message);
  const cause = Object.assign(new Error(message), { code: system });
  return new CygnetError(code, `a file could not be sealed or opened: ${message}`, { cause });
}

function gone(why: string, cause?: unknown): CygnetError {
  const options = cause === undefined ? undefined : { cause };
  return new CygnetError("CYG_CMS_WORKER", `a file was not sealed or opened: ${why}`, options);
}
