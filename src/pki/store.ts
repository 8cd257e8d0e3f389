/**
 * Certificates of partners that came by themselves: received over the line or imported, each with a state.
 * The `[[pki]]` objects of the configuration stand beside them and need no state of their own.
 *
 * Invariant: a certificate is used only in state "active", and it gets there only by an operator's word or a rule.
 */
import type { X509Certificate } from "node:crypto";
import type { Usage } from "./usage.ts";

/** Waits for a word; in use; was in use and may still verify nothing new; refused. */
export type CertificateState = "pending" | "active" | "retired" | "refused";

export interface StoredCertificate {
  /** CFTPART id of the owner. */
  readonly part: string;
  /** SHA-256 of the DER, `AA:BB:…`. With `part` the key of the store. */
  readonly fingerprint: string;
  readonly certificate: X509Certificate;
  readonly usage: readonly Usage[];
  readonly state: CertificateState;
  /** How it came: ODETTE_CERTIFICATE_…, by `cygnet pki import`, or from a partner datasheet. */
  readonly origin: "request" | "deliver" | "replace" | "import" | "datasheet";
  /** When it came, and when its state changed last, ms since 1970 UTC. */
  readonly at: number;
  readonly changed: number;
  /** Transfer that brought it; "" = none. */
  readonly idtu: string;
  /** Why it is in this state, in words. */
  readonly note: string;
}

/** An entry that cannot be used, and why. */
export interface StoreProblem {
  /** Of the entry, without ending, or of what stands where an entry should. */
  readonly path: string;
  readonly text: string;
}

export interface CertificateStore {
  /** What the last `refresh` could not use; the other entries are not touched by it. */
  readonly problems: readonly StoreProblem[];
  /** What is known now, newest first. */
  list(filter?: { part?: string; state?: CertificateState }): readonly StoredCertificate[];
  /** Keeps a certificate, durable when this resolves. What is there already (part and fingerprint) is given back as it is. */
  add(entry: Omit<StoredCertificate, "fingerprint" | "changed">): Promise<StoredCertificate>;
  /** Changes the state, durable when this resolves. Errors: CYG_PKI_UNKNOWN. */
  change(
    key: { part: string; fingerprint: string },
    to: { state: CertificateState; note: string; usage?: readonly Usage[] },
  ): Promise<StoredCertificate>;
  /** Reads the folder again: another process may have changed it. */
  refresh(): Promise<void>;
}
