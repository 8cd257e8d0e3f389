/**
 * Which certificates of a partner may be used now: those that are registered for the purpose and that the trust room
 * finds good under the partner's `rootcid`, `crl` and `ocsp`.
 *
 * Invariant: no certificate of a partner seals, proves or challenges anything without having passed here.
 */
import type { X509Certificate } from "node:crypto";
import type { Part } from "../config/model.ts";
import type { Journal } from "../messages/journal.ts";
import type { Trust, TrustVerdict } from "../pki/trust/trust.ts";
import type { Clock } from "../platform/clock.ts";
import type { Credentials, Registered } from "./credentials.ts";

/** What a partner's certificate is wanted for. */
export type PartnerUsage = "sign" | "encrypt" | "auth" | "receipt";

export interface Judged {
  /** Those that may be used, the newest first. */
  good: readonly X509Certificate[];
  /** Why others may not, each `PKI_ERR_…: sentence`. */
  refused: readonly string[];
  /** Whether a refusal may pass by itself: somebody could not be asked. */
  passing: boolean;
}

/** How long a verdict serves, ms; one for want of an answer only shortly. */
const SERVES = 5 * 60_000;
const SERVES_UNKNOWN = 30_000;
const UNANSWERED = "PKI_ERR_CERT_UNKNOWN";
const MOST_KEPT = 10_000;

export interface JudgementParts {
  trust: Trust;
  credentials: () => Credentials;
  journal: Journal;
  clock: Clock;
}

interface Kept {
  /** Monotonic; the end of a judgement under way is not known yet. */
  until: number;
  verdict: Promise<TrustVerdict>;
}

export class Judgement {
  readonly #parts: JudgementParts;
  /** By the credentials that it was made with: a reload begins anew. */
  #kept = new WeakMap<Credentials, Map<string, Kept>>();

  constructor(parts: JudgementParts) {
    this.#parts = parts;
  }

  /** Looks at the partner's certificates for a purpose; what is not good is logged (CFTY18E) when it is found out. */
  async of(part: Part, usage: PartnerUsage): Promise<Judged> {
    const credentials = this.#parts.credentials();
    const now = this.#parts.clock.now();
    const registered = credentials.registered(part, usage);
    const valid = registered.filter(({ notBefore, notAfter }) => notBefore <= now && now <= notAfter);
    // those that are out of date are of interest only where there is nothing else to tell of
    const candidates = valid.length > 0 ? valid : registered.slice(0, 1);
    const verdicts = await Promise.all(
      candidates.map((candidate) => this.#verdict(credentials, part, usage, candidate)),
    );
    const refusals = verdicts.flatMap((verdict) => (verdict.trusted ? [] : [verdict]));
    return {
      good: candidates.flatMap(({ certificate }, index) => (verdicts[index]?.trusted ? [certificate] : [])),
      refused: refusals.map(({ code, text }) => `${code}: ${text}`),
      passing: refusals.some(({ code }) => code === UNANSWERED),
    };
  }

  #verdict(
    credentials: Credentials,
    part: Part,
    usage: PartnerUsage,
    candidate: Registered,
  ): Promise<TrustVerdict> {
    const { clock } = this.#parts;
    const kept = this.#kept.get(credentials) ?? new Map<string, Kept>();
    this.#kept.set(credentials, kept);
    const { rootcid, crl, ocsp } = part;
    const key = JSON.stringify([part.id, usage, candidate.certificate.fingerprint256, rootcid, crl, ocsp]);
    const found = kept.get(key);
    if (found && clock.monotonic() < found.until) return found.verdict;
    if (kept.size >= MOST_KEPT) kept.clear();
    const entry: Kept = {
      until: Number.POSITIVE_INFINITY,
      verdict: this.#judge(credentials, part, usage, candidate).then((verdict) => {
        const serves = !verdict.trusted && verdict.code === UNANSWERED ? SERVES_UNKNOWN : SERVES;
        entry.until = clock.monotonic() + serves;
        return verdict;
      }),
    };
    entry.verdict.catch(() => kept.delete(key)); // whoever asked hears of it; the next one asks again
    kept.set(key, entry);
    return entry.verdict;
  }

  async #judge(
    credentials: Credentials,
    part: Part,
    usage: PartnerUsage,
    { certificate, companions }: Registered,
  ): Promise<TrustVerdict> {
    const { trust, journal } = this.#parts;
    const verdict = await trust.judge({
      certificate,
      intermediates: [...companions, ...credentials.authorities],
      anchors: part.rootcid.length > 0 ? credentials.anchors(part.rootcid) : [certificate],
      purpose: usage,
      crl: part.crl,
      ocsp: part.ocsp,
      crlfiles: credentials.crlfiles,
    });
    if (!verdict.trusted) {
      const text = `${verdict.code}: ${verdict.text} (${usage} of ${part.id})`;
      journal.emit("CFTY18E", { part: part.id, cr: verdict.code, text });
    } else {
      for (const note of verdict.notes) {
        journal.emit("CFTY75W", { part: part.id, text: `${note} (${usage} of ${part.id})` });
      }
    }
    return verdict;
  }
}
