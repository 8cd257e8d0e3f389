import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { type Material, nameLine } from "../pki/material.ts";

/** What a finished handshake proved. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** The suite's IANA name. */
  readonly cipher: string;
  /** The suite's name in OpenSSL. */
  readonly suite: string;
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
  /** What the peer showed, its own certificate first; empty when it showed none. */
  readonly peerChain: readonly X509Certificate[];
  /** Id of the root that the peer's chain ends in, or the name of the certificate that ends it; "" when not verified. */
  readonly peerRoot: string;
  /** True when our own certificate was shown. */
  readonly presented: boolean;
  /** The session was taken up again, not negotiated anew. */
  readonly resumed: boolean;
  /** Why the peer's certificate was let pass without being accepted (`verify = "optional"`); "" = it was not. */
  readonly tolerated: string;
  /** What a person should know although the certificate is accepted. */
  readonly notes: readonly string[];
}

/** What the check of the peer's certificate led to; path = empty when it is not accepted. */
export interface Proof {
  readonly chain: readonly X509Certificate[];
  readonly path: readonly X509Certificate[];
  readonly notes: readonly string[];
  readonly tolerated: string;
  readonly presented: boolean;
}

/** The facts of a socket whose handshake is done and whose peer has been judged. */
export function tlsFacts(
  socket: TLSSocket,
  roots: readonly Material[],
  isServer: boolean,
  proof: Proof,
): TlsFacts {
  const { chain, path, notes, tolerated, presented } = proof;
  const [peer] = chain;
  const peerVerified = path.length > 0;
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.standardName ?? "",
    suite: socket.getCipher()?.name ?? "",
    auth: peerVerified && presented ? "BOTH" : peerVerified || isServer ? "SERVER" : "NONE",
    peerVerified,
    peerSubject: peer ? nameLine(peer.subject) : "",
    peerFingerprint: peer?.fingerprint256 ?? "",
    peerCertificate: peer?.raw ?? null,
    peerChain: chain,
    peerRoot: rootOf(path.at(-1), roots),
    presented,
    resumed: socket.isSessionReused(),
    tolerated,
    notes,
  };
}

function rootOf(end: X509Certificate | undefined, roots: readonly Material[]): string {
  if (end === undefined) return "";
  const root = roots.find(({ all }) => all.some((one) => one.fingerprint256 === end.fingerprint256));
  return root?.id ?? nameLine(end.subject);
}

const DEEPEST = 16;

/** A certificate and the issuers that came with it. Node gives them once: the next asking finds the certificate alone. */
export function presentedChain(certificate: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let here = certificate; here && chain.length < DEEPEST; here = here.issuerCertificate)
    chain.push(here);
  return chain;
}
