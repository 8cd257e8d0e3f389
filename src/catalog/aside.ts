import { Worker } from "node:worker_threads";
import { CygnetError } from "../platform/errors.ts";
import type { Transfer, TransferFilter } from "./catalog.ts";

/** Syncs of the log after which it is copied into the catalog, and the shortest time between two copies, ms. */
const SYNCS = 250;
const SHORTEST = 500;

export type Request =
  | { kind: "checkpoint"; number: number }
  | { kind: "list"; number: number; filter: TransferFilter }
  | { kind: "close" };

export type Answer =
  | { number: number; transfers: Transfer[] }
  | { number: number; failure: { code: string; message: string } };

interface Asked {
  resolve: (transfers: Transfer[]) => void;
  reject: (error: Error) => void;
}

/** What a thread does for the catalog at `path`, so that the loop goes on. The thread begins with the first need. */
export class Aside {
  readonly #path: string;
  #worker: Worker | null = null;
  readonly #asked = new Map<number, Asked>();
  #number = 0;
  #syncs = 0;
  #checkpointing = false;
  #before = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** The write-ahead log was synced: has it copied into the catalog from time to time. */
  synced(): void {
    this.#syncs += 1;
    const now = performance.now();
    if (this.#syncs < SYNCS || this.#checkpointing || this.#closed || now - this.#before < SHORTEST) return;
    this.#syncs = 0;
    this.#before = now;
    this.#checkpointing = true;
    const over = () => {
      this.#checkpointing = false;
    };
    // SQLite copies by itself when the log is long (wal_autocheckpoint): slower, and just as safe
    this.#ask({ kind: "checkpoint" }).then(over, over);
  }

  /** A list. Throws what `listTransfers` throws. */
  list(filter: TransferFilter): Promise<Transfer[]> {
    return this.#ask({ kind: "list", filter });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === null) return;
    const gone = new Promise((resolve) => worker.once("exit", resolve));
    worker.ref();
    worker.postMessage({ kind: "close" } satisfies Request);
    await gone;
  }

  #ask(question: { kind: "checkpoint" } | { kind: "list"; filter: TransferFilter }): Promise<Transfer[]> {
    if (this.#closed) {
      const text = `The catalog ${this.#path} is closed.`;
      return Promise.reject(new CygnetError("CYG_CATALOG_CLOSED", text));
    }
    const worker = this.#start();
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#asked.set(number, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...question, number } satisfies Request);
    });
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL("./aside-worker.js", import.meta.url), {
      name: "cygnet-catalog",
      workerData: this.#path,
    });
    worker.on("message", (answer: Answer) => {
      const asked = this.#asked.get(answer.number);
      this.#asked.delete(answer.number);
      if (this.#asked.size === 0) worker.unref();
      if ("transfers" in answer) asked?.resolve(answer.transfers);
      else asked?.reject(new CygnetError(answer.failure.code, answer.failure.message));
    });
    const ended = (cause?: unknown) => {
      if (this.#worker === worker) this.#worker = null;
      for (const { reject } of this.#asked.values()) {
        const text = `The thread of the catalog ${this.#path} has ended.`;
        reject(new CygnetError("CYG_CATALOG_THREAD", text, { cause }));
      }
      this.#asked.clear();
    };
    worker.on("error", ended);
    worker.on("exit", () => ended());
    this.#worker = worker;
    return worker;
  }
}
