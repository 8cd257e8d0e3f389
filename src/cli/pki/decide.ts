/** `cygnet pki accept`, `refuse`, `retire`: a person's word about a partner's certificate. */
import { concernsOf } from "../../pki/facts.ts";
import type { CertificateState } from "../../pki/store.ts";
import { type CommonOptions, Failed, print, printJson } from "../context.ts";
import { knownCertificates, pick, pickStored, recordOf } from "./known.ts";
import { openScope, tellGateway } from "./scope.ts";

export interface DecideOptions extends CommonOptions {
  part?: string;
  note?: string;
}

type Verb = "accept" | "refuse" | "retire";

/** From which states a word leads where, and what to do instead from the others. */
const VERBS: Record<
  Verb,
  { to: CertificateState; from: readonly CertificateState[]; done: string; instead: string }
> = {
  accept: { to: "active", from: ["pending", "retired", "refused"], done: "is in use now", instead: "" },
  refuse: {
    to: "refused",
    from: ["pending"],
    done: "is refused and never used",
    instead: '"cygnet pki retire" takes a certificate out of use',
  },
  retire: {
    to: "retired",
    from: ["active"],
    done: "is out of use now",
    instead: '"cygnet pki refuse" refuses one that was never in use',
  },
};

export async function decide(verb: Verb, wanted: string, options: DecideOptions): Promise<void> {
  const { to, from, done, instead } = VERBS[verb];
  const scope = await openScope(options);
  const known = await knownCertificates(scope);
  const found = pickStored(known, wanted, options.part);
  const { part, fingerprint, certificate } = found;
  if (found.state !== to && !from.includes(found.state)) {
    throw new Failed(`the certificate ${fingerprint} of ${part} is ${found.state}; ${instead}`);
  }
  if (verb === "accept") {
    for (const text of concernsOf(certificate, Date.now())) console.error(`warning: ${text}`);
  }
  const note = options.note ?? `by hand: cygnet pki ${verb}`;
  if (found.state !== to) {
    await scope.store.change({ part, fingerprint }, { state: to, note });
    await tellGateway(scope, "/pki/refresh");
  }
  if (verb !== "accept") warnOfConfigured(known, part, fingerprint, verb);
  const stored = (await knownCertificates(scope)).filter(({ source }) => source === "store");
  if (options.json) printJson(recordOf(pick(stored, fingerprint, part)));
  else print(`certificate ${fingerprint} of ${part} ${done}`);
}

/** The configuration may name the same certificate: in use although refused here, out of use once retired. */
function warnOfConfigured(
  known: Awaited<ReturnType<typeof knownCertificates>>,
  part: string,
  fingerprint: string,
  verb: Verb,
): void {
  for (const { id, source, state, certificate, part: owner } of known) {
    const same = source === "pki" && owner === part && certificate.fingerprint256 === fingerprint;
    if (!same || state !== "act") continue;
    const effect =
      verb === "retire" ? "is out of use with it; remove it" : 'keeps it in use; set state = "inact"';
    console.error(`warning: [[pki]] ${id} names it too and ${effect} there`);
  }
}
