/**
 * One list of revoked certificates (RFC 5280 sections 5 and 6.3). A list may have hundreds of thousands of entries: it
 * stays the octets that it is, and a serial number is searched in them.
 */
import "reflect-metadata";
import { AsnConvert } from "@peculiar/asn1-schema";
import * as asn from "@peculiar/asn1-x509";
import { CygnetError } from "../../platform/errors.ts";
import {
  broken,
  contents,
  type Der,
  derIn,
  GENERALIZED_TIME,
  INTEGER,
  SEQUENCE,
  timeOf,
  UTC_TIME,
  whole,
} from "./der.ts";
import { type Facts, nameKey, signedParts } from "./facts.ts";
import { signatureProblem } from "./signature.ts";

export interface Revocation {
  /** ms since 1970 UTC. */
  at: number;
  /** `keyCompromise`, …; "" where the issuer does not say. */
  reason: string;
}

export interface Crl {
  /** The issuer's name in the form of `nameKey`. */
  readonly issuer: string;
  /** ms since 1970 UTC. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** Why this list cannot answer for a certificate, or undefined: signature, scope, kind. */
  problem(certificate: Facts, issuer: Facts): string | undefined;
  /** Whether a serial number is on it. */
  find(serial: Buffer): Revocation | undefined;
}

const read = new WeakMap<Buffer, readonly Crl[]>();
const PEM = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g;

/** The lists in a file: PEM with any number of them, or one in DER. Errors: CYG_PKI_CRL. */
export function parseCrls(content: Buffer): readonly Crl[] {
  let lists = read.get(content);
  if (lists === undefined) {
    const isPem = content.subarray(0, 4096).includes("-----BEGIN ");
    const blocks = isPem
      ? [...content.toString("latin1").matchAll(PEM)].map(([, body = ""]) => Buffer.from(body, "base64"))
      : [content];
    try {
      lists = blocks.map(parse);
    } catch (cause) {
      throw new CygnetError("CYG_PKI_CRL", "it is not a list of revoked certificates in PEM or DER", {
        cause,
      });
    }
    if (lists.length === 0) {
      throw new CygnetError("CYG_PKI_CRL", "it holds no list of revoked certificates (X509 CRL)");
    }
    read.set(content, lists);
  }
  return lists;
}

/** Extensions of a list that are understood; a critical one besides these makes it unusable (RFC 5280 section 5.2). */
const UNDERSTOOD = new Set<string>([
  asn.id_ce_authorityKeyIdentifier,
  asn.id_ce_issuerAltName,
  asn.id_ce_cRLNumber,
  asn.id_ce_issuingDistributionPoint,
]);

function parse(raw: Buffer): Crl {
  const { tbs, algorithm, signature } = signedParts(raw);
  const fields = [...derIn(raw, tbs)];
  if (fields[0]?.tag === INTEGER) fields.shift();
  const [inner, issuer, first, ...rest] = fields;
  if (!inner || !issuer || !first) throw broken();
  const next = rest[0] && [UTC_TIME, GENERALIZED_TIME].includes(rest[0].tag) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === SEQUENCE ? rest.shift() : undefined;
  const tagged = rest.find(({ tag }) => tag === 0xa0);
  const extensions = tagged ? [...AsnConvert.parse(contents(raw, tagged), asn.Extensions)] : [];
  const agree = whole(raw, inner).equals(whole(raw, algorithm));
  const verified = new WeakMap<Facts, string | undefined>();
  const isSigned = (by: Facts): string | undefined => {
    if (!verified.has(by)) {
      const problem = agree
        ? signatureProblem(whole(raw, tbs), whole(raw, algorithm), signature, by.key)
        : "bad";
      const why =
        problem &&
        `its signature is not good: ${problem === "bad" ? `it is not by ${by.label}` : "its algorithm is weak or unknown"}`;
      verified.set(by, why);
    }
    return verified.get(by);
  };
  const name = nameKey(AsnConvert.parse(whole(raw, issuer), asn.Name));
  const scope = scopeOf(extensions);
  return {
    issuer: name,
    thisUpdate: timeOf(raw, first),
    nextUpdate: next ? timeOf(raw, next) : null,
    problem(certificate, by) {
      if (name !== certificate.issuer) return "it is by another issuer";
      if (by.keyUsage !== null && (by.keyUsage & asn.KeyUsageFlags.cRLSign) === 0) {
        return `${by.label} may not sign such lists`;
      }
      return (typeof scope === "string" ? scope : scope(certificate)) ?? isSigned(by);
    },
    find: (serial) => find(raw, entries, serial),
  };
}

/** Why a list does not speak of a certificate, or of any. */
function scopeOf(
  extensions: readonly asn.Extension[],
): string | ((certificate: Facts) => string | undefined) {
  if (extensions.some(({ extnID }) => extnID === asn.id_ce_deltaCRLIndicator)) {
    return "it tells only what has changed (delta)";
  }
  const unknown = extensions.find(({ critical, extnID }) => critical && !UNDERSTOOD.has(extnID));
  if (unknown) return `it has a critical extension that is not understood here (${unknown.extnID})`;
  const point = extensions.find(({ extnID }) => extnID === asn.id_ce_issuingDistributionPoint);
  if (!point) return () => undefined;
  const idp = AsnConvert.parse(point.extnValue.buffer, asn.IssuingDistributionPoint);
  if (idp.indirectCRL || idp.onlyContainsAttributeCerts || idp.onlySomeReasons) {
    return "it is of a kind that is not used here (indirect, attribute certificates, or some reasons only)";
  }
  const own = idp.distributionPoint?.fullName?.flatMap((name) => name.uniformResourceIdentifier ?? []);
  return ({ authority, crlAddresses }) => {
    const isAuthority = authority?.ca === true;
    if (idp.onlyContainsUserCerts && isAuthority) return "it does not speak of authorities";
    if (idp.onlyContainsCACerts && !isAuthority) return "it speaks of authorities only";
    // a part of all certificates: which part, the certificate says itself
    if (idp.distributionPoint && !own?.some((address) => crlAddresses.includes(address))) {
      return "it speaks of other certificates of this issuer";
    }
    return undefined;
  };
}

function find(raw: Buffer, entries: Der | undefined, serial: Buffer): Revocation | undefined {
  if (entries === undefined) return undefined;
  // hardly any certificate is on the list: one quick look spares the walk through all entries
  const integer = Buffer.concat([Buffer.from([INTEGER, serial.length]), serial]);
  if (!contents(raw, entries).includes(integer)) return undefined;
  for (const entry of derIn(raw, entries)) {
    const [number, at, extensions] = [...derIn(raw, entry)];
    if (!number || !at) throw new CygnetError("CYG_PKI_CRL", "a list of revoked certificates is damaged");
    if (!contents(raw, number).equals(serial)) continue;
    return { at: timeOf(raw, at), reason: extensions ? reasonIn(whole(raw, extensions)) : "" };
  }
  return undefined;
}

function reasonIn(der: Buffer): string {
  const extensions = AsnConvert.parse(der, asn.Extensions);
  const found = extensions.find(({ extnID }) => extnID === asn.id_ce_cRLReasons);
  return found ? AsnConvert.parse(found.extnValue.buffer, asn.CRLReason).toJSON() : "";
}
