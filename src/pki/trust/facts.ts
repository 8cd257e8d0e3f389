/** What a certificate says, read once, in the form in which paths and revocation are judged. */
import "reflect-metadata";
import type { KeyObject, X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import * as asn from "@peculiar/asn1-x509";
import { CygnetError } from "../../platform/errors.ts";
import { nameLine } from "../material.ts";
import { bits, broken, contents, type Der, derAt, derIn, SEQUENCE, whole } from "./der.ts";

export interface Facts {
  readonly certificate: X509Certificate;
  /** `"CN=hub, O=Example" (serial 0A1B)`: for messages. */
  readonly label: string;
  readonly key: KeyObject;
  /** Names in a form that can be compared, see `nameKey`, and as they stand in the certificate. */
  readonly subject: string;
  readonly issuer: string;
  readonly subjectName: asn.Name;
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  /** Contents of the INTEGER. */
  readonly serial: Buffer;
  /** Contents of the public key's BIT STRING. */
  readonly publicKey: Buffer;
  /** 1 to 3. */
  readonly version: number;
  /** ms since 1970 UTC. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Hexadecimal; null where the certificate does not say. */
  readonly subjectKeyId: string | null;
  readonly authorityKeyId: string | null;
  /** basicConstraints; null without the extension. `pathLength` null = no limit. */
  readonly authority: { ca: boolean; pathLength: number | null } | null;
  /** Flags of asn1-x509's KeyUsageFlags; null without the extension. */
  readonly keyUsage: number | null;
  readonly extendedKeyUsage: readonly string[] | null;
  readonly constraints: asn.NameConstraints | null;
  readonly alternativeNames: readonly asn.GeneralName[];
  /** Critical extensions that this gateway does not understand. */
  readonly unknownCritical: readonly string[];
  /** Addresses of complete lists of revoked certificates by the issuer, any scheme. */
  readonly crlAddresses: readonly string[];
  readonly ocspAddresses: readonly string[];
  readonly signed: Buffer;
  /** DER of the AlgorithmIdentifier; null where the certificate names two different ones. */
  readonly algorithm: Buffer | null;
  readonly signature: Buffer;
}

/** Policies are let stand as they are: no set of policies is asked for, so their presence restricts nothing. */
const UNDERSTOOD = new Set<string>([
  asn.id_ce_basicConstraints,
  asn.id_ce_keyUsage,
  asn.id_ce_extKeyUsage,
  asn.id_ce_subjectAltName,
  asn.id_ce_issuerAltName,
  asn.id_ce_nameConstraints,
  asn.id_ce_certificatePolicies,
  asn.id_ce_cRLDistributionPoints,
  asn.id_ce_authorityKeyIdentifier,
  asn.id_ce_subjectKeyIdentifier,
  asn.id_pe_authorityInfoAccess,
]);

const known = new WeakMap<X509Certificate, Facts>();

/** Errors: CYG_PKI_CERTIFICATE for a certificate whose insides cannot be read. */
export function factsOf(certificate: X509Certificate): Facts {
  let facts = known.get(certificate);
  if (facts === undefined) {
    try {
      facts = read(certificate);
    } catch (cause) {
      throw new CygnetError("CYG_PKI_CERTIFICATE", `certificate ${labelOf(certificate)} cannot be read`, {
        cause,
      });
    }
    known.set(certificate, facts);
  }
  return facts;
}

export function labelOf(certificate: X509Certificate): string {
  return `"${nameLine(certificate.subject)}" (serial ${certificate.serialNumber})`;
}

function read(certificate: X509Certificate): Facts {
  const { raw } = certificate;
  const { tbs, algorithm, signature } = signedParts(raw);
  const fields = [...derIn(raw, tbs)];
  const versioned = fields[0]?.tag === 0xa0;
  const version = versioned ? (raw[(fields[0] as Der).end - 1] ?? 0) + 1 : 1;
  const [serial, inner, issuer, , subject, spki] = versioned ? fields.slice(1) : fields;
  if (!serial || !inner || !issuer || !subject || !spki) throw broken();
  const publicKey = [...derIn(raw, spki)][1];
  if (!publicKey) throw broken();
  const extensions = new Map<string, asn.Extension>();
  const tagged = fields.find(({ tag }) => tag === 0xa3);
  for (const extension of tagged ? AsnConvert.parse(contents(raw, tagged), asn.Extensions) : []) {
    // each may stand once (RFC 5280 section 4.2): else a second one could hide the first
    if (extensions.has(extension.extnID)) throw broken();
    extensions.set(extension.extnID, extension);
  }
  const get = <T>(id: string, type: new () => T): T | null => {
    const found = extensions.get(id);
    return found ? AsnConvert.parse(found.extnValue.buffer, type) : null;
  };
  const basic = get(asn.id_ce_basicConstraints, asn.BasicConstraints);
  const subjectName = AsnConvert.parse(whole(raw, subject), asn.Name);
  return {
    certificate,
    label: labelOf(certificate),
    key: certificate.publicKey,
    subject: nameKey(subjectName),
    issuer: nameKey(AsnConvert.parse(whole(raw, issuer), asn.Name)),
    subjectName,
    subjectDer: whole(raw, subject),
    issuerDer: whole(raw, issuer),
    serial: contents(raw, serial),
    publicKey: bits(raw, publicKey),
    version,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    subjectKeyId: hex(get(asn.id_ce_subjectKeyIdentifier, asn.SubjectKeyIdentifier)?.buffer),
    authorityKeyId: hex(
      get(asn.id_ce_authorityKeyIdentifier, asn.AuthorityKeyIdentifier)?.keyIdentifier?.buffer,
    ),
    authority: basic && { ca: basic.cA, pathLength: basic.pathLenConstraint ?? null },
    keyUsage: get(asn.id_ce_keyUsage, asn.KeyUsage)?.toNumber() ?? null,
    extendedKeyUsage: list(get(asn.id_ce_extKeyUsage, asn.ExtendedKeyUsage)),
    constraints: get(asn.id_ce_nameConstraints, asn.NameConstraints),
    alternativeNames: list(get(asn.id_ce_subjectAltName, asn.SubjectAlternativeName)) ?? [],
    unknownCritical: [...extensions.values()]
      .filter(({ critical, extnID }) => critical && !UNDERSTOOD.has(extnID))
      .map(({ extnID }) => extnID),
    crlAddresses: addressesIn(get(asn.id_ce_cRLDistributionPoints, asn.CRLDistributionPoints) ?? []),
    ocspAddresses: (get(asn.id_pe_authorityInfoAccess, asn.AuthorityInfoAccessSyntax) ?? [])
      .filter(({ accessMethod }) => accessMethod === asn.id_ad_ocsp)
      .flatMap(({ accessLocation }) => accessLocation.uniformResourceIdentifier ?? []),
    signed: whole(raw, tbs),
    algorithm: whole(raw, inner).equals(whole(raw, algorithm)) ? whole(raw, algorithm) : null,
    signature,
  };
}

/** What is signed, by which algorithm, and the signature: the frame of certificates and of lists of revoked ones. */
export function signedParts(raw: Buffer): { tbs: Der; algorithm: Der; signature: Buffer } {
  const outer = derAt(raw, 0);
  const [tbs, algorithm, signature] = [...derIn(raw, outer)];
  if (outer.tag !== SEQUENCE || tbs?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE || !signature) {
    throw broken();
  }
  return { tbs, algorithm, signature: bits(raw, signature) };
}

/** A list by another authority (`cRLIssuer`) or for some reasons only does not answer our question. */
function addressesIn(points: readonly asn.DistributionPoint[]): string[] {
  return points
    .filter(({ cRLIssuer, reasons }) => cRLIssuer === undefined && reasons === undefined)
    .flatMap(({ distributionPoint }) => distributionPoint?.fullName ?? [])
    .flatMap(({ uniformResourceIdentifier }) => uniformResourceIdentifier ?? []);
}

/**
 * A name for comparison: products encode the same one with other string types, so what counts is the text, without
 * regard to case and spacing (RFC 5280 section 7.1).
 */
export function nameKey(name: asn.Name): string {
  return JSON.stringify(name.map(attributesOf));
}

/** One relative distinguished name for comparison. */
export function attributesOf(rdn: asn.RelativeDistinguishedName): string[] {
  return rdn
    .map(({ type, value }) => `${type}=${value.toString().trim().replace(/\s+/g, " ").toLowerCase()}`)
    .sort();
}

function hex(octets: ArrayBuffer | undefined): string | null {
  return octets === undefined ? null : Buffer.from(octets).toString("hex");
}

function list<T>(items: Iterable<T> | null): T[] | null {
  return items && [...items];
}
