/** An operator's word on a certificate of the store: accept, refuse, retire. */
import { concernsOf } from "../../pki/facts.ts";
import type { CertificateState } from "../../pki/store.ts";
import { CygnetError } from "../../platform/errors.ts";
import {
  type CertificateRecord,
  type CertificateScope,
  type Known,
  knownCertificates,
  pick,
  pickStored,
  recordOf,
} from "./known.ts";

export const VERBS = ["accept", "refuse", "retire"] as const;
export type Verb = (typeof VERBS)[number];

/** From which states a word leads where, and what to do instead from the others. */
const RULES: Record<Verb, { to: CertificateState; from: readonly CertificateState[]; instead: string }> = {
  accept: { to: "active", from: ["pending", "retired", "refused"], instead: "" },
  refuse: {
    to: "refused",
    from: ["pending"],
    instead: '"cygnet pki retire" takes a certificate out of use',
  },
  retire: {
    to: "retired",
    from: ["active"],
    instead: '"cygnet pki refuse" refuses one that was never in use',
  },
};

export interface Decision {
  /** False when it was so already. */
  changed: boolean;
  certificate: CertificateRecord;
  /** What the operator should know. */
  warnings: string[];
}

/**
 * Changes the state of a stored certificate; durable when it resolves.
 * @throws CygnetError CYG_CERTIFICATE_UNKNOWN, CYG_CERTIFICATE_STATE
 */
export async function decide(
  scope: CertificateScope,
  verb: Verb,
  wanted: string,
  options: { part?: string | undefined; note?: string | undefined },
): Promise<Decision> {
  const { to, from, instead } = RULES[verb];
  const warnings: string[] = [];
  const known = await knownCertificates(scope, (text) => warnings.push(text));
  const found = pickStored(known, wanted, options.part);
  const { part, fingerprint, certificate } = found;
  if (found.state !== to && !from.includes(found.state)) {
    const text = `the certificate ${fingerprint} of ${part} is ${found.state}; ${instead}`;
    throw new CygnetError("CYG_CERTIFICATE_STATE", text);
  }
  if (verb === "accept") warnings.push(...concernsOf(certificate, Date.now()));
  const note = options.note ?? `by hand: cygnet pki ${verb}`;
  const changed = found.state !== to;
  if (changed) await scope.store.change({ part, fingerprint }, { state: to, note });
  if (verb !== "accept") warnings.push(...configuredToo(known, part, fingerprint, verb));
  const stored = (await knownCertificates(scope, () => {})).filter(({ source }) => source === "store");
  return { changed, certificate: recordOf(pick(stored, fingerprint, part)), warnings };
}

/** The configuration may name the same certificate: in use although refused here, out of use once retired. */
function configuredToo(known: readonly Known[], part: string, fingerprint: string, verb: Verb): string[] {
  return known.flatMap(({ id, source, state, certificate, part: owner }) => {
    const same = source === "pki" && owner === part && certificate.fingerprint256 === fingerprint;
    if (!same || state !== "act") return [];
    const effect =
      verb === "retire" ? "is out of use with it; remove it" : 'keeps it in use; set state = "inact"';
    return [`[[pki]] ${id} names it too and ${effect} there`];
  });
}
