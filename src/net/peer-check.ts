/**
 * Whether the other side's certificate satisfies a profile: its path, its revocation, its names, its pins. Asked for
 * every session, resumed ones too: what was true when a session was first proved may have ended since.
 */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type Material, nameLine } from "../pki/material.ts";
import { type NameRule, slashName } from "../pki/name-rule.ts";
import { isPinned, keyPin, type Pin } from "../pki/pins.ts";
import type { PkiCode, RevocationPolicy, Trust } from "../pki/trust/trust.ts";
import { describe } from "../platform/errors.ts";
import { PKI_ALERTS } from "./alerts.ts";

/** What a profile asks of the other side's certificate besides a trusted authority. Absent = not asked. */
export interface Demands {
  /** Most authorities above the certificate, the trusted one included: 0 = it must be trusted itself. */
  depth?: number;
  /** False: key usage and extended key usage are not looked at. */
  keyext?: boolean;
  subject?: NameRule;
  issuer?: NameRule;
  /** One of them must stand in the subjectAltName (RFC 9525); "&HOST" = the host that is called. */
  hostnames?: readonly string[];
  /** The certificate or an authority of its path must be among them; without roots they are all the trust there is. */
  pins?: readonly Pin[];
  crl?: RevocationPolicy;
  ocsp?: RevocationPolicy;
  /** Files with CRLs, absolute. */
  crlfiles?: readonly string[];
}

export interface PeerQuestion {
  /** What the other side showed, its own certificate first. */
  chain: readonly X509Certificate[];
  /** The other side's part: who calls, or who is called. */
  peer: "client" | "server";
  /** The host that is called, or the caller's address. */
  host: string;
  roots: readonly Material[];
  demands: Demands;
  /** Keys of the certificates registered for the partner: a renewed certificate for one of them is as good. */
  registered?: readonly Pin[];
  trust: Trust;
}

export type PeerVerdict =
  | { accepted: true; path: readonly X509Certificate[]; notes: readonly string[] }
  | ({ accepted: false } & Refusal);

/** Why a certificate is refused: Transfer CFT's name for it, the TLS alert that fits, and a sentence. */
export interface Refusal {
  code: PkiCode;
  alert: number;
  text: string;
}

const DEEPEST = 10;
const ACCESS_DENIED = 49;

/** Never rejects: a certificate that cannot be read is refused. */
export async function checkPeer(question: PeerQuestion): Promise<PeerVerdict> {
  try {
    return await judge(question);
  } catch (error) {
    return { accepted: false, ...unreadable(error) };
  }
}

/** A certificate that came through TLS and whose insides make no sense here. */
export function unreadable(error: unknown): Refusal {
  const text = `the certificate cannot be read: ${describe(error)}`;
  return { code: "PKI_ERR_CERT_BAD", alert: PKI_ALERTS.PKI_ERR_CERT_BAD, text };
}

async function judge(question: PeerQuestion): Promise<PeerVerdict> {
  const { chain, roots, demands, registered } = question;
  const [leaf] = chain;
  if (leaf === undefined) return refuse("PKI_ERR_CERT_NOT_FOUND", "no certificate was shown");
  if (registered && !registered.includes(keyPin(leaf))) {
    return refuse(
      "PKI_ERR_CERT_UNKNOWN",
      `${label(leaf)} is none of the certificates registered for the partner, nor is its key`,
    );
  }
  const pins = demands.pins ?? [];
  const anchors = roots.length > 0 ? roots.flatMap(({ all }) => all) : pinnedOf(chain, pins, registered);
  if (anchors.length === 0) {
    return refuse("PKI_ERR_CERT_UNKNOWN", `neither ${label(leaf)} nor its key is among the pins`);
  }
  const judged = await ask(question, anchors);
  if (!judged.accepted) return judged;
  if (pins.length > 0 && !judged.path.some((one) => isPinned(one, pins))) {
    return refuse(
      "PKI_ERR_CERT_UNKNOWN",
      `neither ${label(leaf)} nor an authority above it is among the pins`,
    );
  }
  return nameFault(leaf, question) ?? judged;
}

/** Without roots the pins are the trust: what was shown and is pinned ends the path. */
function pinnedOf(
  chain: readonly X509Certificate[],
  pins: readonly Pin[],
  registered: readonly Pin[] | undefined,
): readonly X509Certificate[] {
  // a registered key has been compared already
  return pins.length === 0 && registered ? chain.slice(0, 1) : chain.filter((one) => isPinned(one, pins));
}

async function ask(
  { chain, peer, demands, trust }: PeerQuestion,
  anchors: readonly X509Certificate[],
): Promise<PeerVerdict> {
  const [leaf, ...intermediates] = chain as [X509Certificate, ...X509Certificate[]];
  const verdict = await trust.judge({
    certificate: leaf,
    intermediates,
    anchors,
    purpose: peer === "client" ? "tls-client" : "tls-server",
    depth: demands.depth ?? DEEPEST,
    crl: demands.crl ?? "off",
    ocsp: demands.ocsp ?? "off",
    ...(demands.crlfiles && { crlfiles: demands.crlfiles }),
    ...(demands.keyext === false && { keyext: "none" as const }),
  });
  return verdict.trusted
    ? { accepted: true, path: verdict.path, notes: verdict.notes }
    : refuse(verdict.code, verdict.text);
}

function nameFault(leaf: X509Certificate, { demands, host }: PeerQuestion): PeerVerdict | undefined {
  const subject = slashName(leaf.subject);
  const issuer = slashName(leaf.issuer);
  if (demands.subject && !demands.subject(subject)) {
    return refuse(
      "PKI_ERR_CERT_NOT_VALID",
      `the subject ${subject} is not what dnuser asks for`,
      ACCESS_DENIED,
    );
  }
  if (demands.issuer && !demands.issuer(issuer)) {
    return refuse(
      "PKI_ERR_CERT_NOT_VALID",
      `the issuer ${issuer} is not what dnissuer asks for`,
      ACCESS_DENIED,
    );
  }
  const names = (demands.hostnames ?? []).map((name) => (name === "&HOST" ? host : name));
  if (names.length === 0 || names.some((name) => bears(leaf, name))) return undefined;
  const has = leaf.subjectAltName ?? "none";
  return refuse("PKI_ERR_CERT_NOT_VALID", `it is not for ${names.join(" or ")}; its subjectAltName: ${has}`);
}

/** RFC 9525: only the subjectAltName counts, and a wildcard stands for one whole label. */
function bears(leaf: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return leaf.checkIP(name) !== undefined;
  const rules = {
    subject: "never",
    wildcards: true,
    partialWildcards: false,
    multiLabelWildcards: false,
  } as const;
  return leaf.checkHost(name, rules) !== undefined;
}

function label(certificate: X509Certificate): string {
  return `the certificate ${nameLine(certificate.subject) || "without a name"} (${certificate.fingerprint256})`;
}

function refuse(code: PkiCode, text: string, alert: number = PKI_ALERTS[code]): PeerVerdict {
  return { accepted: false, code, alert, text };
}
