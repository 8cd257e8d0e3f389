/** A notice by HTTP: POST of its JSON, signed where there is a secret. */
import { createHmac } from "node:crypto";
import type { Notify } from "../../config/model.ts";
import { CygnetError } from "../../platform/errors.ts";
import { version } from "../../platform/version.ts";
import { REFUSED } from "./queue.ts";
import type { Notice } from "./selection.ts";

/** Answers that say "later", though they look like a refusal. */
const LATER = new Set([408, 425, 429]);

/** HMAC-SHA256 over the octets of the body, as X-Cygnet-Signature carries it. */
export function signatureOf(secret: string, body: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/**
 * @throws CygnetError CYG_NOTIFY_REFUSED for an answer that says no, CYG_NOTIFY_WEBHOOK for what may be better later
 */
export async function post(notify: Notify, notice: Notice, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify(notice);
  const secret = notify.secret.reveal();
  const url = notify.url.reveal();
  let status: number;
  try {
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": `Cygnet/${version()}`,
        "x-cygnet-delivery": notice.id,
        ...(secret === "" ? {} : { "x-cygnet-signature": signatureOf(secret, body) }),
      },
      // somewhere else nobody was meant to read it
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(notify.timeout)]),
    });
    ({ status } = answer);
    await answer.body?.cancel();
  } catch (cause) {
    throw new CygnetError("CYG_NOTIFY_WEBHOOK", `${placeOf(url)}: ${reasonOf(cause)}`, { cause });
  }
  if (status >= 200 && status < 300) return;
  const code = status >= 400 && status < 500 && !LATER.has(status) ? REFUSED : "CYG_NOTIFY_WEBHOOK";
  throw new CygnetError(code, `${placeOf(url)} answered ${status}`);
}

/** The path of a webhook is often its password. */
function placeOf(url: string): string {
  return new URL(url).origin;
}

/** fetch says "fetch failed" and keeps the reason as its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
