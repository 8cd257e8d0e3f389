import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { issued, type Material, nameLine } from "../pki/material.ts";
import type { TlsProfile } from "./tls.ts";

/** What a finished handshake proved. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The suite's IANA name. */
  readonly cipher: string;
  /** Who proved an identity: only the server, both sides, or nobody (a client that verifies nothing). */
  readonly auth: "SERVER" | "BOTH" | "NONE";
  /** The peer's certificate stands for nothing unless this is true. */
  readonly peerVerified: boolean;
  /** Subject on one line, "" without certificate. */
  readonly peerSubject: string;
  /** SHA-256, `AA:BB:…`, "" without certificate. */
  readonly peerFingerprint: string;
  /** DER. */
  readonly peerCertificate: Buffer | null;
  /** Id of the root that the peer's chain ends in, or the name of the last issuer known; "" when not verified. */
  readonly peerRoot: string;
  /** True when our own certificate was shown. */
  readonly presented: boolean;
}

/** Reads the facts off a socket whose handshake is done. */
export function tlsFacts(socket: TLSSocket, profile: TlsProfile, isServer: boolean): TlsFacts {
  // In this order: once Node 24 has given the X509Certificate it has no detail any more.
  const detail = socket.getPeerCertificate(true) ?? undefined;
  const peer = socket.getPeerX509Certificate();
  const peerVerified = profile.verify !== "none" && socket.authorized && peer !== undefined;
  // The peer's signature algorithms are known to a client only from a CertificateRequest (RFC 8446 4.3.2).
  const presented = isServer || (profile.material !== null && (socket.getSharedSigalgs()?.length ?? 0) > 0);
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.standardName ?? "",
    auth: peerVerified && presented ? "BOTH" : peerVerified || isServer ? "SERVER" : "NONE",
    peerVerified,
    peerSubject: peer ? nameLine(peer.subject) : "",
    peerFingerprint: peer?.fingerprint256 ?? "",
    peerCertificate: peer?.raw ?? null,
    peerRoot: peerVerified ? anchorOf([peer, ...issuersOf(detail)], profile.roots) : "",
    presented,
  };
}

const DEEPEST = 16;

/** The issuers of the peer's certificate as far as Node tells: as a server it may tell nothing of them. */
function issuersOf(detail: DetailedPeerCertificate | undefined): X509Certificate[] {
  const issuers: X509Certificate[] = [];
  for (let here = detail; here?.issuerCertificate?.raw && issuers.length < DEEPEST; ) {
    if (here.issuerCertificate === here) break;
    here = here.issuerCertificate;
    issuers.push(new X509Certificate(here.raw));
  }
  return issuers;
}

/** Which of the roots a chain leads to: a certificate of it is the root, or was issued by it; else the issuer's name. */
function anchorOf(chain: readonly X509Certificate[], roots: readonly Material[]): string {
  for (const certificate of chain) {
    const root = roots.find(({ all }) =>
      all.some((one) => one.fingerprint256 === certificate.fingerprint256 || issued(one, certificate)),
    );
    if (root) return root.id;
  }
  return nameLine(chain.at(-1)?.issuer);
}
