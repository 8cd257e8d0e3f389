/** The thread that does the work of a pool: one job at a time, in the order of its messages. */
import { parentPort } from "node:worker_threads";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Answer, Job } from "./job.ts";
import { work } from "./work.ts";

if (!parentPort) throw new CygnetError("CYG_CMS_WORKER", "this file is for a worker thread");
const port = parentPort;

port.on("message", (job: Job) => {
  work(job).then(
    (done) => port.postMessage({ done } satisfies Answer),
    (error: unknown) => port.postMessage({ failed: inWords(error) } satisfies Answer),
  );
});

function inWords(error: unknown): { code: string; message: string; system?: string } {
  if (error instanceof CygnetError) return { code: error.code, message: error.message };
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) {
    return { code: "CYG_CMS_FILE", message: describe(error), system: code };
  }
  return { code: "CYG_CMS_WORKER", message: `sealing or opening a file failed: ${describe(error)}` };
}
