/** Asking an address that a certificate names: HTTP only, with bounds on everything that the other side decides. */
import { request as http, type IncomingMessage } from "node:http";
import { request as https } from "node:https";
import type { Clock } from "../../platform/clock.ts";
import { CygnetError, describe } from "../../platform/errors.ts";

export interface Question {
  url: string;
  /** Octets to send; a GET without. */
  body?: { type: string; content: Buffer };
  /** Octets that the answer may have. */
  largest: number;
}

/** Gives the body of a 200 answer. Errors: CYG_PKI_FETCH. */
export type Fetch = (question: Question) => Promise<Buffer>;

/** For the whole exchange, redirections included, ms. */
const PATIENCE = 10_000;
const MOST_REDIRECTIONS = 3;
const REDIRECTIONS = new Set([301, 302, 303, 307, 308]);

/** True for an address that may be asked; others (ldap, file) are noted and passed over. */
export function isUsable(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

/** The network. `patience`: ms for the whole exchange. */
export function systemFetch(clock: Clock, patience = PATIENCE): Fetch {
  return async (question) => {
    const stop = new AbortController();
    const timer = clock.timer(patience, () =>
      stop.abort(new Error(`there was no answer within ${patience / 1000} s`)),
    );
    try {
      return await follow(question, stop.signal);
    } catch (cause) {
      const why = stop.signal.aborted ? stop.signal.reason : cause;
      throw new CygnetError("CYG_PKI_FETCH", `${question.url}: ${describe(why)}`, { cause });
    } finally {
      timer.cancel();
    }
  };
}

async function follow(question: Question, signal: AbortSignal): Promise<Buffer> {
  let { url } = question;
  for (let hops = 0; hops <= MOST_REDIRECTIONS; hops++) {
    if (!isUsable(url)) throw new Error(`${url} is not an http address`);
    const answer = await ask({ ...question, url }, signal);
    const { statusCode = 0, headers } = answer;
    if (statusCode === 200) return body(answer, question.largest);
    answer.destroy();
    if (!REDIRECTIONS.has(statusCode) || headers.location === undefined) {
      throw new Error(`the answer is HTTP ${statusCode}`);
    }
    url = new URL(headers.location, url).href;
  }
  throw new Error(`more than ${MOST_REDIRECTIONS} redirections`);
}

function ask({ url, body }: Question, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = /^https:/i.test(url) ? https : http;
    const headers = body ? { "content-type": body.type, "content-length": body.content.length } : {};
    // a connection of its own: nothing is kept open to a host that a certificate names
    const options = { method: body ? "POST" : "GET", headers, signal, agent: false as const };
    send(url, options, resolve).on("error", reject).end(body?.content);
  });
}

async function body(answer: IncomingMessage, largest: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    // leaving the loop destroys the connection
    if (size > largest) throw new Error(`the answer has more than ${largest} octets`);
    pieces.push(piece);
  }
  if (!answer.complete) throw new Error("the answer was cut off");
  return Buffer.concat(pieces, size);
}
