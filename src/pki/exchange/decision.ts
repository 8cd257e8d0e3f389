/** What a received certificate is to the ones that are known, and what follows. Pure. */
import type { X509Certificate } from "node:crypto";
import type { Usage } from "../usage.ts";
import { type Clid, clidOf, identifies, isInstance } from "./clid.ts";
import { foreignness, isSelfSigned, unfitness } from "./fitness.ts";
import { purposesOf } from "./purposes.ts";

/** A certificate of the partner that is in use. */
export interface Known {
  fingerprint: string;
  certificate: X509Certificate;
  usage: readonly Usage[];
  /** When it came, ms since 1970 UTC; 0 for one of the configuration. */
  at: number;
  /** Id of its [[pki]]; "" for one of the store. */
  pki: string;
}

export interface Circumstances {
  /** Identification codes of the partner. */
  codes: readonly string[];
  /** Fingerprints of this site's own certificates. */
  own: readonly string[];
  /** Every certificate of the partner that is known, in use or not. */
  all: readonly X509Certificate[];
  /** SFIDDESC; null where it is no CLID. */
  clid: Clid | null;
  /** ms since 1970 UTC. */
  now: number;
}

/**
 * Why a certificate is refused whatever the rules are, in words for the partner; undefined when it is not.
 * @throws what the reading of its extensions throws: such a certificate is refused too
 */
export function objection(certificate: X509Certificate, circumstances: Circumstances): string | undefined {
  const { codes, own, all, clid, now } = circumstances;
  if (own.includes(certificate.fingerprint256)) return "the certificate is one of this site, sent back";
  // extensions that cannot be read are found out here, not later
  clidOf(certificate);
  const unfit = unfitness(certificate, now) ?? foreignness(certificate, codes);
  if (unfit !== undefined) return `the certificate cannot be taken: ${unfit}`;
  const meant =
    clid === null || [certificate, ...all].some((one) => identifies(clid, one) || isInstance(clid, one));
  if (!meant) {
    return "the description (CLID) names neither the certificate in the file nor one that is known here";
  }
  return undefined;
}

/** What it is to serve for: what the one that it follows serves for, else all that it allows. */
export function usagesFor(certificate: X509Certificate, clid: Clid | null, known: readonly Known[]): Usage[] {
  const allowed = purposesOf(certificate);
  const meaning = clid ?? clidOf(certificate);
  const before = known
    .filter(({ fingerprint }) => fingerprint !== certificate.fingerprint256)
    .filter((one) => identifies(meaning, one.certificate) || isInstance(meaning, one.certificate));
  const usages = allowed.filter((usage) => before.some((one) => one.usage.includes(usage)));
  return usages.length > 0 ? usages : allowed;
}

/**
 * The one in use of the same subject whose key vouches for it: it was signed with that key, or is a self-signed
 * certificate of that very key.
 */
export function renewed(
  certificate: X509Certificate,
  known: readonly Known[],
  now: number,
): Known | undefined {
  const key = spki(certificate);
  return known.find(({ certificate: old }) => {
    if (old.validToDate.getTime() < now || old.subject !== certificate.subject) return false;
    return certificate.verify(old.publicKey) || (isSelfSigned(certificate) && spki(old) === key);
  });
}

function spki({ publicKey }: X509Certificate): string {
  return publicKey.export({ format: "der", type: "spki" }).toString("base64");
}

export interface Retirement {
  known: Known;
  /** What it still serves for; empty: nothing. */
  rest: readonly Usage[];
}

/** Which earlier ones a replacement puts out of use, for the purposes that they share. */
export function retirements(certificate: X509Certificate, known: readonly Known[]): Retirement[] {
  const fingerprint = certificate.fingerprint256;
  const self = known.find((one) => one.fingerprint === fingerprint);
  const usage = self?.usage ?? purposesOf(certificate);
  return known
    .filter((one) => one.fingerprint !== fingerprint && (self === undefined || isEarlier(one, self)))
    .filter((one) => one.usage.some((each) => usage.includes(each)))
    .map((one) => ({ known: one, rest: one.usage.filter((each) => !usage.includes(each)) }));
}

/** By the time of arrival; those of the configuration, whose arrival nobody noted, by their validity. */
function isEarlier(one: Known, other: Known): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.certificate.validFromDate.getTime() <= other.certificate.validFromDate.getTime();
}
