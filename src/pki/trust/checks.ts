/** What must be right on a path besides its signatures (RFC 5280 section 6.1.3 to 6.1.5), and the leaf for its purpose. */
import {
  anyExtendedKeyUsage,
  id_kp_clientAuth,
  id_kp_emailProtection,
  id_kp_serverAuth,
  KeyUsageFlags,
} from "@peculiar/asn1-x509";
import { outside } from "./constraints.ts";
import type { Facts } from "./facts.ts";
import { type Failure, failure } from "./failure.ts";
import { keyProblem } from "./signature.ts";
import type { Purpose, TrustQuestion } from "./trust.ts";

/**
 * The first fault of a path, from the leaf upwards, or undefined.
 * @param path from the leaf to the anchor; signatures are verified
 * @param now ms since 1970 UTC
 */
export function pathFailure(
  path: readonly Facts[],
  { purpose, keyext }: Pick<TrustQuestion, "purpose" | "keyext">,
  now: number,
): Failure | undefined {
  const [leaf] = path as [Facts];
  for (const facts of path) {
    const found = certificateFailure(facts, now);
    if (found) return found;
  }
  const purposeful = keyext === "none" ? undefined : purposeFailure(leaf, purpose);
  if (purposeful) return purposeful;
  for (const [index, facts] of path.entries()) {
    if (index === 0) continue;
    const found = authorityFailure(facts, path.slice(0, index));
    if (found) return found;
  }
  return undefined;
}

function certificateFailure(facts: Facts, now: number): Failure | undefined {
  const { label, notBefore, notAfter, unknownCritical } = facts;
  if (now < notBefore) {
    const text = `certificate ${label} is valid from ${day(notBefore)} only; check the clock, or wait`;
    return failure("PKI_ERR_CERT_NOT_VALID", text);
  }
  if (now > notAfter) {
    const text = `certificate ${label} expired on ${day(notAfter)}; get its successor`;
    return failure("PKI_ERR_CERT_EXPIRED", text);
  }
  const weak = keyProblem(facts.key);
  if (weak) return failure("PKI_ERR_BAD_KEY", `certificate ${label} cannot be relied on: ${weak}`);
  if (unknownCritical.length > 0) {
    const text = `certificate ${label} has critical extensions that are not understood here (${unknownCritical.join(", ")}); ask its authority for one without`;
    return failure("PKI_ERR_CERT_UNSUPPORTED", text);
  }
  return undefined;
}

const {
  digitalSignature,
  nonRepudiation,
  keyEncipherment,
  dataEncipherment,
  keyAgreement,
  keyCertSign,
  cRLSign,
} = KeyUsageFlags;

/**
 * What the leaf may say. Odette's profile has serverAuth and clientAuth also in certificates that sign and decrypt
 * files, so for these any extended usage by which somebody proves or protects something is taken.
 */
const TLS = digitalSignature | keyEncipherment | keyAgreement;
const ANY_EXTENDED = [id_kp_serverAuth, id_kp_clientAuth, id_kp_emailProtection];
const SIGNING = { usage: digitalSignature | nonRepudiation, extended: ANY_EXTENDED };
const DECRYPTING = { usage: keyEncipherment | dataEncipherment | keyAgreement, extended: ANY_EXTENDED };
const ALLOWED: Readonly<Record<Purpose, { usage: number; extended: readonly string[] | null }>> = {
  "tls-server": { usage: TLS, extended: [id_kp_serverAuth] },
  "tls-client": { usage: TLS, extended: [id_kp_clientAuth] },
  sign: SIGNING,
  receipt: SIGNING,
  encrypt: DECRYPTING,
  auth: DECRYPTING,
  ca: { usage: keyCertSign | cRLSign, extended: null },
};

function purposeFailure(leaf: Facts, purpose: Purpose): Failure | undefined {
  const { label, keyUsage, extendedKeyUsage, authority } = leaf;
  const { usage, extended } = ALLOWED[purpose];
  if (purpose === "ca" && authority?.ca !== true) {
    return failure("PKI_ERR_CERT_BAD_CA", `certificate ${label} is not that of an authority`);
  }
  if (keyUsage !== null && (keyUsage & usage) === 0) {
    const text = `certificate ${label} must not be used for ${purpose}: its KeyUsage does not allow it; ask for one that does`;
    return failure("PKI_ERR_CERT_UNSUPPORTED", text);
  }
  if (extended === null || extendedKeyUsage === null) return undefined;
  if (extendedKeyUsage.some((id) => id === anyExtendedKeyUsage || extended.includes(id))) return undefined;
  const text = `certificate ${label} must not be used for ${purpose}: its ExtendedKeyUsage does not allow it; ask for one that does`;
  return failure("PKI_ERR_CERT_UNSUPPORTED", text);
}

/** `below`: the path from the leaf up to the one that this authority issued. */
function authorityFailure(facts: Facts, below: readonly Facts[]): Failure | undefined {
  const { label, authority, keyUsage, version } = facts;
  const child = below.at(-1) as Facts;
  const bad = (why: string) =>
    failure("PKI_ERR_CERT_BAD_CA", `${label} may not vouch for ${child.label}: ${why}`);
  // roots from before 1999 have no extensions; their owners' word in the configuration stands for them
  const ancient = version < 3 && facts.subject === facts.issuer;
  if (!ancient && authority?.ca !== true) return bad("it is not the certificate of an authority");
  if (keyUsage !== null && (keyUsage & keyCertSign) === 0) {
    return bad("its KeyUsage does not allow to sign certificates");
  }
  const between = below.slice(1).filter(({ subject, issuer }) => subject !== issuer).length;
  const most = authority?.pathLength ?? null;
  if (most !== null && between > most) {
    return bad(`it allows ${most} authorities below itself, and there are ${between}`);
  }
  for (const [index, certificate] of below.entries()) {
    if (index > 0 && certificate.subject === certificate.issuer) continue;
    const why = outside(facts, certificate);
    if (why) return bad(why);
  }
  return undefined;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
