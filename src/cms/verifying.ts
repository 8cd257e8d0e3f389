/** Reads SignedData: content streams through, the verdict on its signatures comes last (RFC 5652 section 5). */
import { createHash, type Hash as HashMachine, type X509Certificate } from "node:crypto";
import { CygnetError } from "../platform/errors.ts";
import { malformed } from "./ber.ts";
import { algorithmIn, encapsulated, openContentInfo } from "./content-info.ts";
import type { Emit } from "./frame.ts";
import { type Hash, hashOf } from "./hashes.ts";
import { type BerReader, CONTEXT_0, CONTEXT_1, type Reading, SET, type Value } from "./reader.ts";
import type { RsaScheme } from "./rsa-schemes.ts";
import { type Allowed, type Judgement, judge } from "./signer-info.ts";

/** What is known of a signature that is good. */
export interface SignedFacts {
  /** The certificate of the first good signature. */
  signer: X509Certificate;
  hash: Hash;
  rsa: RsaScheme;
  /** Whether it was made over signed attributes rather than over the content alone. */
  attributes: boolean;
  contentType: string;
  /** SHA-256 of the content where it was announced. */
  sha256: Buffer | undefined;
  /** Signatures that did not count, in words that are safe to log. */
  others: readonly string[];
}

const MOST_SIGNERS = 16;
const MOST_HASHES = 16;
/** Octets of one SignerInfo; time stamps in unsigned attributes make the longest ones. */
const LARGEST_SIGNER = 64 * 1024;

/**
 * The description of SignedData for a `BerStream`. One good signature by one of the signers is enough (RFC 5652
 * section 5.6 leaves that to us; a changeover of certificates needs it). Certificates inside are passed over.
 * @param begun called with the hashes that the content is going to have, before the first of it
 * @throws CygnetError CYG_CMS_SIGNATURE, CYG_CMS_STRUCTURE, CYG_CMS_FORMAT
 */
export function* signedData(
  reader: BerReader,
  allowed: Allowed,
  bare: () => boolean,
  { begun = () => {}, emit }: { begun?: (hashes: ReadonlySet<Hash>) => void; emit: Emit },
): Reading<SignedFacts> {
  const { body, enclosing } = yield* openContentInfo(reader, "signedData", bare);
  const machines = yield* hashesIn(reader, yield* reader.expect(body, SET));
  let contentType = "";
  yield* encapsulated(
    reader,
    body,
    (type) => {
      contentType = type;
      begun(new Set(machines.keys()));
    },
    (octets) => {
      for (const machine of machines.values()) machine.update(octets);
      emit(octets);
    },
  );
  const digests = new Map([...machines].map(([hash, machine]) => [hash, machine.digest()]));
  const infos = yield* signerInfosIn(reader, body);
  yield* reader.leave(...enclosing);
  const judgements = infos.map((info) => judge(info, digests, contentType, allowed));
  return { ...verdict(judgements), contentType, sha256: digests.get("sha256") };
}

function* hashesIn(reader: BerReader, set: Value): Reading<Map<Hash, HashMachine>> {
  const machines = new Map<Hash, HashMachine>();
  for (let count = 0; ; count++) {
    const algorithm = yield* algorithmIn(reader, set);
    if (!algorithm) return machines;
    if (count === MOST_HASHES) throw malformed("announces too many hash algorithms");
    const hash = hashOf(algorithm.algorithm);
    if (hash) machines.set(hash, createHash(hash));
  }
}

function* signerInfosIn(reader: BerReader, body: Value): Reading<Buffer[]> {
  let part = yield* reader.next(body);
  for (const optional of [CONTEXT_0, CONTEXT_1]) {
    if (part?.tag !== optional) continue;
    yield* reader.skip(part);
    part = yield* reader.next(body);
  }
  if (part?.tag !== SET) throw malformed("has no place for signatures");
  const infos: Buffer[] = [];
  for (;;) {
    const info = yield* reader.whole(part, LARGEST_SIGNER);
    if (!info) return infos;
    if (infos.length === MOST_SIGNERS) throw malformed(`has more than ${MOST_SIGNERS} signatures`);
    infos.push(info);
  }
}

function verdict(judgements: readonly Judgement[]): Omit<SignedFacts, "contentType" | "sha256"> {
  const others = judgements.filter((each) => !each.good).map(({ who, why }) => `signature by ${who}: ${why}`);
  const good = judgements.find((each) => each.good);
  if (!good) {
    const what = others.length > 0 ? others.join("; ") : "there is no signature";
    throw new CygnetError("CYG_CMS_SIGNATURE", `no signature is good: ${what}`);
  }
  const { certificate: signer, hash, rsa, attributes } = good;
  return { signer, hash, rsa, attributes, others };
}
