/**
 * What is remembered so that a TLS session can be taken up again. Identity is proved anew each time from the
 * certificates kept here: Node gives a resumed client none at all, and a resumed server the caller's own only.
 */
import type { X509Certificate } from "node:crypto";

/** A map that forgets its oldest entries beyond a size. */
class Recent<V> {
  readonly #entries = new Map<string, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** Enough for every partner of a large site; a hostile crowd pushes out, it does not grow. */
const MOST = 1000;

/** How long a session may be taken up again, seconds. */
export const SESSION_LIFE = 2 * 3600;

/** A session of ours as client, with what its server showed. */
export interface KeptSession {
  /** As Node's "session" event gives it. */
  readonly session: Buffer;
  readonly chain: readonly X509Certificate[];
  /** We showed our certificate when it began. */
  readonly presented: boolean;
  readonly version: string;
}

/** A server gives a few tickets at a time. */
const MOST_TICKETS = 4;

/** Sessions of one client profile, by whom was called where; the newest last. */
export class ClientSessions {
  readonly #kept = new Recent<KeptSession[]>(MOST);

  /** The session to offer. A TLS 1.3 ticket is offered once: a second use could be told as the first's (RFC 8446 C.4). */
  take(key: string): KeptSession | undefined {
    const found = this.#kept.get(key);
    return found?.at(-1)?.version === "TLSv1.3" ? found.pop() : found?.at(-1);
  }

  keep(key: string, session: KeptSession): void {
    this.#kept.set(key, [...(this.#kept.get(key) ?? []), session].slice(-MOST_TICKETS));
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }
}

/** TLS 1.2 sessions by id, for callers without tickets, and the authorities that verified callers showed. */
export class ServerSessions {
  readonly #sessions = new Recent<Buffer>(MOST);
  readonly #chains = new Recent<readonly X509Certificate[]>(MOST);

  save(id: Buffer, session: Buffer): void {
    if (!isTls13(session)) this.#sessions.set(id.toString("hex"), session);
  }

  load(id: Buffer): Buffer | null {
    return this.#sessions.get(id.toString("hex")) ?? null;
  }

  remember(chain: readonly X509Certificate[]): void {
    if (chain[0] && chain.length > 1) this.#chains.set(chain[0].fingerprint256, chain);
  }

  /** What a caller showed when its session began. */
  recall(leaf: X509Certificate): readonly X509Certificate[] {
    return this.#chains.get(leaf.fingerprint256) ?? [leaf];
  }
}

/** TLS 1.3 resumes by tickets alone here. The version stands behind OpenSSL's own number: INTEGER 1, INTEGER 0x0304. */
function isTls13(session: Buffer): boolean {
  return session.subarray(0, 16).includes(Buffer.from([2, 1, 1, 2, 2, 3, 4]));
}
