/**
 * Ways from a certificate to somebody whom we trust (RFC 5280 section 6, RFC 4158). Names and signatures only: what else
 * must be right on a way is for `checks.ts`.
 *
 * Invariants
 * - Every step of a path that is given was verified with the key of the next certificate.
 * - The work is bounded, whatever certificates come along.
 */
import type { X509Certificate } from "node:crypto";
import { CygnetError } from "../../platform/errors.ts";
import { type Facts, factsOf } from "./facts.ts";
import { type Failure, failure } from "./failure.ts";
import { signatureProblem } from "./signature.ts";

/** Most authorities on a path, signatures looked at, and paths found for one certificate. */
export const DEEPEST = 10;
const MOST_SIGNATURES = 100;
const MOST_PATHS = 8;

/** Paths from the leaf to an anchor, both included, the likeliest first; `failure` says why there is none. */
export interface Found {
  paths: readonly (readonly Facts[])[];
  failure: Failure;
}

/** Errors: CYG_PKI_CERTIFICATE when the leaf cannot be read; others that cannot be read are passed over. */
export function findPaths(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  depth: number,
): Found {
  return new Search(factsOf(certificate), readable(intermediates), readable(anchors), depth).run();
}

/** The certificate of whoever signed this one, among candidates; undefined when it is not there. */
export function issuerOf(leaf: Facts, candidates: readonly X509Certificate[]): Facts | undefined {
  return readable(candidates).find(
    (candidate) =>
      candidate.subject === leaf.issuer &&
      candidate.certificate !== leaf.certificate &&
      leaf.algorithm !== null &&
      signatureProblem(leaf.signed, leaf.algorithm, leaf.signature, candidate.key) === undefined,
  );
}

function readable(certificates: readonly X509Certificate[]): Facts[] {
  return certificates.flatMap((certificate) => {
    try {
      return [factsOf(certificate)];
    } catch (error) {
      if (error instanceof CygnetError) return []; // it can be neither a step nor an end
      throw error;
    }
  });
}

class Search {
  readonly #leaf: Facts;
  readonly #anchors: ReadonlySet<string>;
  /** All certificates that may issue, anchors first, each once. */
  readonly #candidates: readonly Facts[];
  readonly #depth: number;
  readonly #paths: Facts[][] = [];
  #signatures = 0;
  #failure: Failure | undefined;
  /** How far the failure that is told was away from the leaf: the farthest says most. */
  #reached = -1;

  constructor(leaf: Facts, intermediates: readonly Facts[], anchors: readonly Facts[], depth: number) {
    this.#leaf = leaf;
    this.#anchors = new Set(anchors.map(fingerprint));
    const all = new Map([...anchors, ...intermediates].map((one) => [fingerprint(one), one]));
    this.#candidates = [...all.values()];
    this.#depth = Math.min(depth, DEEPEST);
  }

  run(): Found {
    if (this.#anchors.size === 0) {
      const text = `nobody is trusted to vouch for ${this.#leaf.label}: name authorities with rootcid, or register the certificate itself in [[pki]]`;
      return { paths: [], failure: failure("PKI_ERR_CA_NOT_FOUND", text) };
    }
    this.#extend([this.#leaf]);
    return { paths: this.#paths, failure: this.#failure ?? this.#missing([this.#leaf]) };
  }

  #extend(path: Facts[]): void {
    const last = path.at(-1) as Facts;
    if (this.#anchors.has(fingerprint(last))) {
      this.#paths.push(path);
      return;
    }
    if (path.length > this.#depth) {
      const text = `more than ${this.#depth} authorities stand between ${this.#leaf.label} and those that are trusted`;
      return this.#fail(path, failure("PKI_ERR_CERT_BAD_CA", text));
    }
    let issuers = 0;
    for (const issuer of this.#issuersOf(last)) {
      // the same name and key again is a loop, also under another certificate of a cross-signed authority
      if (path.some((one) => sameAuthority(one, issuer))) continue;
      if (this.#paths.length >= MOST_PATHS || this.#signatures >= MOST_SIGNATURES) return;
      issuers += 1;
      const problem = this.#verify(last, issuer);
      if (problem) this.#fail(path, problem);
      else this.#extend([...path, issuer]);
    }
    if (issuers === 0) this.#fail(path, this.#missing(path));
  }

  /** Candidates by name; those whose key identifier fits, or is not said, before those whose does not. */
  #issuersOf(child: Facts): Facts[] {
    const fits = ({ subjectKeyId }: Facts) =>
      child.authorityKeyId === null || subjectKeyId === null || child.authorityKeyId === subjectKeyId;
    const named = this.#candidates.filter(({ subject }) => subject === child.issuer);
    return [...named.filter(fits), ...named.filter((one) => !fits(one))];
  }

  #verify(child: Facts, issuer: Facts): Failure | undefined {
    this.#signatures += 1;
    const { algorithm, label } = child;
    if (algorithm === null) {
      return failure("PKI_ERR_CERT_BAD", `certificate ${label} names two different signature algorithms`);
    }
    const problem = signatureProblem(child.signed, algorithm, child.signature, issuer.key);
    if (problem === undefined) return undefined;
    if (problem === "bad") {
      const text = `the signature on ${label} is not by ${issuer.label}: one of them is not the genuine certificate; compare their fingerprints`;
      return failure("PKI_ERR_CERT_BAD_SIGN", text);
    }
    const why = problem === "weak" ? "is signed with MD5 or SHA-1" : "is signed with an unknown algorithm";
    const text = `certificate ${label} ${why}; ask for one that is signed with SHA-256 or better`;
    return failure("PKI_ERR_CERT_ALGO_UNSUPPORTED", text);
  }

  #missing(path: readonly Facts[]): Failure {
    const last = path.at(-1) as Facts;
    if (last.subject === last.issuer) {
      const text = `certificate ${last.label} is self-signed and not among those that are trusted; register it in [[pki]] and name it with rootcid if it is genuine`;
      return failure("PKI_ERR_CA_NOT_FOUND", text);
    }
    const text = `the authority that issued ${last.label} is not among those that are trusted; register its certificate in [[pki]] with usage "ca" and name it with rootcid`;
    return failure("PKI_ERR_CA_NOT_FOUND", text);
  }

  #fail(path: readonly Facts[], why: Failure): void {
    if (path.length <= this.#reached) return;
    this.#failure = why;
    this.#reached = path.length;
  }
}

function sameAuthority(one: Facts, other: Facts): boolean {
  return one.subject === other.subject && one.publicKey.equals(other.publicKey);
}

function fingerprint({ certificate }: Facts): string {
  return certificate.fingerprint256;
}
