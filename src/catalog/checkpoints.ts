import { Worker } from "node:worker_threads";

/** Commits after which the log is copied into the catalog, and the shortest time between two copies, ms. */
const COMMITS = 250;
const SHORTEST = 500;

/** Has the write-ahead log of the catalog at `path` copied into it in a thread, which begins with the first need. */
export class Checkpoints {
  readonly #path: string;
  #worker: Worker | null = null;
  #commits = 0;
  #busy = false;
  #before = 0;
  #broken = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Something was committed. */
  committed(): void {
    this.#commits += 1;
    if (this.#commits < COMMITS || this.#busy || this.#broken) return;
    const now = performance.now();
    if (now - this.#before < SHORTEST) return;
    this.#commits = 0;
    this.#before = now;
    this.#busy = true;
    this.#start().postMessage("checkpoint");
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#broken = true;
    if (worker === null) return;
    const gone = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage("close");
    await gone;
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL("./checkpoint-worker.js", import.meta.url), {
      workerData: this.#path,
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    worker.unref();
    worker.on("message", () => {
      this.#busy = false;
    });
    // SQLite copies by itself when the log is long (wal_autocheckpoint): slower, and just as safe
    worker.on("error", () => {
      this.#broken = true;
    });
    this.#worker = worker;
    return worker;
  }
}
