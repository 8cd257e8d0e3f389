/**
 * Has an authority taken a certificate back? By lists (CRL) and by asking (OCSP), each under its own policy.
 *
 * Invariants
 * - "revoked" from anybody who may say it is revoked, whatever the policy, and however old the list is.
 * - Under "require" a certificate of which nobody can tell is not good.
 * - Only addresses in a certificate whose path was verified before are asked.
 */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { Clock } from "../../platform/clock.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { type Crl, parseCrls } from "./crl.ts";
import type { Downloads } from "./downloads.ts";
import type { Facts } from "./facts.ts";
import { type Failure, failure } from "./failure.ts";
import { type Fetch, isUsable } from "./fetch.ts";
import { type OcspAnswer, ocspQuestion, readAnswer } from "./ocsp.ts";
import type { RevocationPolicy } from "./trust.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Odette's recommendation: a list is looked for daily, and serves for up to 15 days after its end when there is no newer. */
const REFRESH = DAY;
const STALE = 15 * DAY;
/** A list that does not say when the next one comes serves for a day, an answer without for an hour, ms. */
const CRL_LIFE = DAY;
const ANSWER_LIFE = HOUR;
/** By how much the clocks of two parties may differ, ms. */
const SKEW = 5 * 60_000;
const LARGEST_CRL = 32 * 1024 * 1024;
const LARGEST_ANSWER = 256 * 1024;
/** Addresses in one certificate that are tried. */
const MOST_ADDRESSES = 4;

/** What somebody says of a certificate. `text`: in words, for "revoked" by whom and when, for "unknown" why. */
export interface Standing {
  status: "good" | "revoked" | "unknown";
  text: string;
  notes: readonly string[];
}

export interface RevocationQuestion {
  certificate: Facts;
  issuer: Facts;
  /** Further up than the leaf: then one good answer is enough, for authorities seldom offer both ways. */
  isAuthority: boolean;
  crl: RevocationPolicy;
  ocsp: RevocationPolicy;
  crlfiles: readonly string[];
}

export class Revocations {
  readonly #downloads: Downloads;
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  readonly #files = new Map<string, { stamp: string; content: Buffer }>();

  constructor(downloads: Downloads, clock: Clock, fetch: Fetch) {
    this.#downloads = downloads;
    this.#clock = clock;
    this.#fetch = fetch;
  }

  /** Why a certificate is not good, or what a person should know although it is. */
  async ask(question: RevocationQuestion): Promise<Failure | { notes: string[] }> {
    const { certificate, isAuthority, crl, ocsp } = question;
    const ways = (
      await Promise.all([
        crl === "off"
          ? null
          : this.#byLists(question).then((standing) => ({ policy: crl, way: "CRL", standing })),
        ocsp === "off"
          ? null
          : this.#byOcsp(question).then((standing) => ({ policy: ocsp, way: "OCSP", standing })),
      ])
    ).filter((way) => way !== null);
    const revoked = ways.find(({ standing }) => standing.status === "revoked");
    if (revoked) {
      const text = `certificate ${certificate.label} was revoked ${revoked.standing.text}; get its successor from its owner`;
      return failure("PKI_ERR_CERT_REVOKED", text);
    }
    const proved = isAuthority && ways.some(({ standing }) => standing.status === "good");
    const missing = ways.find(({ policy, standing }) => policy === "require" && standing.status !== "good");
    if (missing && !proved) {
      const key = missing.way.toLowerCase();
      const text = `nobody can tell whether ${certificate.label} has been revoked (${missing.way}: ${missing.standing.text}), and ${key} = "require" demands it`;
      return failure("PKI_ERR_CERT_UNKNOWN", text);
    }
    const notes = ways.flatMap(({ way, standing }) => [
      ...(standing.status === "unknown" && !proved
        ? [`nobody can tell whether ${certificate.label} has been revoked (${way}: ${standing.text})`]
        : []),
      ...standing.notes,
    ]);
    return { notes };
  }

  async #byLists(question: RevocationQuestion): Promise<Standing> {
    const { certificate, crlfiles } = question;
    const troubles: string[] = [];
    const local: Crl[] = [];
    for (const path of crlfiles) {
      try {
        local.push(...(await this.#file(path)).filter(({ issuer }) => issuer === certificate.issuer));
      } catch (error) {
        troubles.push(`${path}: ${describe(error)}`);
      }
    }
    const first = this.#judge(local, question, troubles);
    // a list at hand that is up to date needs no network
    if (first.status === "revoked" || (first.status === "good" && first.notes.length === 0)) return first;
    const fetched = await this.#fetchLists(certificate, troubles);
    if (crlfiles.length === 0 && certificate.crlAddresses.length === 0) {
      troubles.push("it names no address of a list, and [[pki]] of its authority names no crlfile");
    }
    return this.#judge([...local, ...fetched], question, troubles);
  }

  /** The verdict of all lists together: the newest decides, and on any of them it is revoked. */
  #judge(lists: readonly Crl[], question: RevocationQuestion, troubles: readonly string[]): Standing {
    const { certificate, issuer, crl: policy } = question;
    const now = this.#clock.now();
    const why = [...troubles];
    let newest: { end: number } | undefined;
    for (const list of lists) {
      const problem =
        list.problem(certificate, issuer) ??
        (list.thisUpdate > now + SKEW ? "it is dated in the future" : undefined);
      if (problem) {
        why.push(`a list by ${nameOf(certificate)} cannot be used: ${problem}`);
        continue;
      }
      const found = list.find(certificate.serial);
      if (found) {
        const reason = found.reason === "" ? "" : ` (${found.reason})`;
        return { status: "revoked", text: `on ${day(found.at)} by its issuer${reason}`, notes: [] };
      }
      const end = list.nextUpdate ?? list.thisUpdate + CRL_LIFE;
      if (newest === undefined || end > newest.end) newest = { end };
    }
    if (newest && now <= newest.end) return { status: "good", text: "", notes: [] };
    if (newest) {
      const old = `the newest list by ${nameOf(certificate)} should have been replaced on ${day(newest.end)}`;
      if (policy === "prefer" && now <= newest.end + STALE) {
        return { status: "good", text: "", notes: [[old, ...why].join("; ")] };
      }
      why.unshift(old);
    }
    return { status: "unknown", text: why.join("; ") || "there is no list", notes: [] };
  }

  async #file(path: string): Promise<readonly Crl[]> {
    const { mtimeMs, size, ino } = await stat(path);
    if (size > LARGEST_CRL) throw new CygnetError("CYG_PKI_CRL", "it is larger than 32 MiB");
    const stamp = `${mtimeMs} ${size} ${ino}`;
    const held = this.#files.get(path);
    if (held?.stamp === stamp) return parseCrls(held.content);
    const content = await readFile(path);
    this.#files.set(path, { stamp, content });
    return parseCrls(content);
  }

  async #fetchLists(certificate: Facts, troubles: string[]): Promise<Crl[]> {
    const lists: Crl[] = [];
    for (const url of certificate.crlAddresses.slice(0, MOST_ADDRESSES)) {
      if (!isUsable(url)) {
        troubles.push(`${url} is not an address that is asked here (http only)`);
        continue;
      }
      const { held, trouble } = await this.#downloads.get(
        `crl ${url}`,
        ({ content, at }) => this.#isDue(content, at),
        async () => {
          const content = await this.#fetch({ url, largest: LARGEST_CRL });
          parseCrls(content); // what is no list at all does not replace one that is kept
          return content;
        },
        true,
      );
      if (trouble !== "") troubles.push(trouble);
      if (held === null) continue;
      try {
        const usable = parseCrls(held.content);
        lists.push(...usable);
        if (usable.some(({ nextUpdate }) => (nextUpdate ?? 0) >= this.#clock.now())) return lists;
      } catch (error) {
        troubles.push(`${url}: ${describe(error)}`);
      }
    }
    return lists;
  }

  /** Daily, and when it has come to its end; then not more often than every few minutes. */
  #isDue(content: Buffer, at: number): boolean {
    const now = this.#clock.now();
    if (now - at > REFRESH) return true;
    try {
      const over = parseCrls(content).every(({ nextUpdate }) => nextUpdate !== null && nextUpdate < now);
      return over && now - at > SKEW;
    } catch {
      return true; // damaged on disk
    }
  }

  async #byOcsp({ certificate, issuer }: RevocationQuestion): Promise<Standing> {
    const why: string[] = [];
    const usable = certificate.ocspAddresses.filter((url) => isUsable(url));
    if (usable.length === 0) why.push("it names no OCSP responder");
    for (const url of usable.slice(0, MOST_ADDRESSES)) {
      const key = `ocsp ${url} ${digest(issuer.publicKey)} ${certificate.serial.toString("hex")}`;
      const { held, trouble } = await this.#downloads.get(
        key,
        ({ content }) => this.#isOver(content, certificate, issuer),
        async () => {
          const { content, nonce } = ocspQuestion(certificate, issuer);
          const body = { type: "application/ocsp-request", content };
          const answer = await this.#fetch({ url, body, largest: LARGEST_ANSWER });
          try {
            readAnswer(answer, certificate, issuer, this.#clock.now(), nonce);
          } catch (cause) {
            throw new CygnetError("CYG_PKI_OCSP", `${url}: ${describe(cause)}`, { cause });
          }
          return answer;
        },
        false,
      );
      if (trouble !== "") why.push(trouble);
      if (held === null) continue;
      const answer = this.#read(held.content, certificate, issuer);
      if (answer?.status === "revoked") {
        const reason = answer.reason === "" ? "" : ` (${answer.reason})`;
        const text = `on ${day(answer.revokedAt)}, says ${url}${reason}`;
        return { status: "revoked", text, notes: [] };
      }
      if (answer === undefined || !this.#isFresh(answer)) why.push(`${url}: the answer is out of date`);
      else if (answer.status === "good") return { status: "good", text: "", notes: [] };
      else why.push(`${url} does not know it`);
    }
    return { status: "unknown", text: why.join("; "), notes: [] };
  }

  #read(content: Buffer, certificate: Facts, issuer: Facts): OcspAnswer | undefined {
    try {
      return readAnswer(content, certificate, issuer, this.#clock.now(), null);
    } catch (error) {
      if (error instanceof CygnetError) return undefined; // its responder's certificate has expired meanwhile
      throw error;
    }
  }

  #isOver(content: Buffer, certificate: Facts, issuer: Facts): boolean {
    const answer = this.#read(content, certificate, issuer);
    return answer === undefined || !this.#isFresh(answer);
  }

  #isFresh({ thisUpdate, nextUpdate }: OcspAnswer): boolean {
    const now = this.#clock.now();
    return thisUpdate <= now + SKEW && now <= (nextUpdate ?? thisUpdate + ANSWER_LIFE) + SKEW;
  }
}

function nameOf({ certificate }: Facts): string {
  return `"${certificate.issuer.replaceAll("\n", ", ")}"`;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function digest(octets: Buffer): string {
  return createHash("sha256").update(octets).digest("hex");
}
