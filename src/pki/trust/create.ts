/** Puts the answer to the one question together: a path, what must be right on it, and whether it was taken back. */
import type { Clock } from "../../platform/clock.ts";
import { CygnetError, describe } from "../../platform/errors.ts";
import { pathFailure } from "./checks.ts";
import { Downloads } from "./downloads.ts";
import type { Facts } from "./facts.ts";
import { type Failure, failure } from "./failure.ts";
import { type Fetch, systemFetch } from "./fetch.ts";
import { DEEPEST, findPaths, issuerOf } from "./paths.ts";
import { Revocations } from "./revocation.ts";
import type { Trust, TrustQuestion, TrustVerdict } from "./trust.ts";

export interface TrustParts {
  /** Where fetched lists are kept, absolute; made when it is needed. Several trusts may share it. */
  cacheDirectory: string;
  clock: Clock;
  /** Another network than the real one. */
  fetch?: Fetch;
}

export function createTrust({ cacheDirectory, clock, fetch = systemFetch(clock) }: TrustParts): Trust {
  const revocations = new Revocations(new Downloads(cacheDirectory, clock), clock, fetch);
  return {
    async judge(question) {
      try {
        return await judge(question, revocations, clock.now());
      } catch (error) {
        const unreadable = error instanceof CygnetError && error.code === "CYG_PKI_CERTIFICATE";
        // whatever goes wrong in here, nobody is trusted by it
        return refused(failure(unreadable ? "PKI_ERR_CERT_BAD" : "PKI_ERR_OTHERS", describe(error)));
      }
    },
  };
}

async function judge(question: TrustQuestion, revocations: Revocations, now: number): Promise<TrustVerdict> {
  const { certificate, intermediates, anchors, depth = DEEPEST } = question;
  const found = findPaths(certificate, intermediates, anchors, depth);
  let why: Failure | undefined;
  for (const path of found.paths) {
    const wrong = pathFailure(path, question, now);
    if (wrong) {
      why ??= wrong;
      continue;
    }
    const standing = await pathStanding(path, question, revocations);
    if (!("code" in standing)) {
      return { trusted: true, path: path.map((facts) => facts.certificate), notes: standing.notes };
    }
    // another way round does not make a leaf good that its issuer took back, or of which it does not tell
    if (standing.leaf) return refused(standing);
    why = standing;
  }
  return refused(why ?? found.failure);
}

type Standing = { notes: string[] } | (Failure & { leaf: boolean });

/** All of the path but its anchor; of an anchor alone, whose issuer may stand beside it, that one. */
async function pathStanding(
  path: readonly Facts[],
  { intermediates, anchors, crl, ocsp, crlfiles = [] }: TrustQuestion,
  revocations: Revocations,
): Promise<Standing> {
  const notes: string[] = [];
  if (crl === "off" && ocsp === "off") return { notes };
  const policies = { crl, ocsp, crlfiles };
  if (path.length === 1) {
    const [leaf] = path as [Facts];
    if (leaf.subject === leaf.issuer) return { notes }; // its own authority: it can only be taken out
    const issuer = issuerOf(leaf, [...intermediates, ...anchors]);
    if (issuer) {
      const said = await revocations.ask({ certificate: leaf, issuer, isAuthority: false, ...policies });
      return "code" in said ? { ...said, leaf: true } : said;
    }
    const text = `nobody can tell whether ${leaf.label} has been revoked: the authority that issued it is not known; register its certificate in [[pki]] with usage "ca"`;
    if (crl !== "require" && ocsp !== "require") return { notes: [text] };
    return { ...failure("PKI_ERR_CERT_UNKNOWN", text), leaf: true };
  }
  const asked = path.slice(0, -1).map((certificate, index) =>
    revocations.ask({
      certificate,
      issuer: path[index + 1] as Facts,
      isAuthority: index > 0,
      ...policies,
    }),
  );
  for (const [index, said] of (await Promise.all(asked)).entries()) {
    if ("code" in said) return { ...said, leaf: index === 0 };
    notes.push(...said.notes);
  }
  return { notes };
}

function refused({ code, text }: Failure): TrustVerdict {
  return { trusted: false, code, text };
}
