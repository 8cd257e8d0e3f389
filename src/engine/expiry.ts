/** Certificates that run out: told in the log in time, once for each threshold and start, and at a glance in `status`. */
import type { X509Certificate } from "node:crypto";
import type { Journal } from "../messages/journal.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { CertificateInUse, Credentials } from "./credentials.ts";

const DAY = 24 * 3600 * 1000;
/** Days that are left when the log warns. */
const THRESHOLDS = [1, 7, 30, 60];
const EXPIRED = 0;

export interface Expiry {
  id: string;
  part: string;
  /** SHA-256, `AA:BB:…`. */
  fingerprint: string;
  /** ISO 8601, UTC. */
  until: string;
  /** Whole days left; negative when it has expired. */
  days: number;
}

export class ExpiryWatch {
  readonly #credentials: () => Credentials;
  readonly #journal: Journal;
  readonly #clock: Clock;
  /** Threshold that was told last, by certificate. */
  readonly #told = new Map<string, number>();
  #timer: Timer | null = null;

  constructor(credentials: () => Credentials, journal: Journal, clock: Clock) {
    this.#credentials = credentials;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** Looks now and once a day from now on. */
  start(): void {
    this.check();
    this.#timer = this.#clock.timer(DAY, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Tells of what has come nearer to its end than when it was told last. */
  check(): void {
    for (const one of this.#credentials().inUse()) {
      const left = one.certificate.validToDate.getTime() - this.#clock.now();
      const threshold = left < 0 ? EXPIRED : THRESHOLDS.find((days) => left <= days * DAY);
      const key = `${one.id} ${one.certificate.fingerprint256}`;
      if (threshold === undefined || threshold >= (this.#told.get(key) ?? Number.POSITIVE_INFINITY)) continue;
      this.#told.set(key, threshold);
      const { fingerprint, until, days } = expiryOf(one, this.#clock.now());
      this.#journal.emit(threshold === EXPIRED ? "CFTS79E" : "CFTS79W", {
        id: one.id,
        type: typeOf(one.certificate),
        date: until.slice(0, 10),
        part: one.part || undefined,
        days,
        fingerprint,
      });
    }
  }

  /** Everything that is in use, what ends first at the front. */
  list(): Expiry[] {
    const now = this.#clock.now();
    return this.#credentials()
      .inUse()
      .sort((a, b) => a.certificate.validToDate.getTime() - b.certificate.validToDate.getTime())
      .map((one) => expiryOf(one, now));
  }
}

function expiryOf({ id, part, certificate }: CertificateInUse, now: number): Expiry {
  const end = certificate.validToDate;
  const days = Math.floor((end.getTime() - now) / DAY);
  return { id, part, fingerprint: certificate.fingerprint256, until: end.toISOString(), days };
}

/** Transfer CFT's types of certificate. */
function typeOf(certificate: X509Certificate): "ROOT" | "INTER" | "USER" {
  if (!certificate.ca) return "USER";
  return certificate.subject === certificate.issuer ? "ROOT" : "INTER";
}
