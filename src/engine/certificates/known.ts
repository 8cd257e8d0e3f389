/** Every certificate that this site knows, of [[pki]] and of the store, and how a person names one. */
import type { X509Certificate } from "node:crypto";
import type { Pki } from "../../config/model.ts";
import { factsOf } from "../../pki/facts.ts";
import { fingerprintPrefix, hexFingerprint, shortFingerprint } from "../../pki/fingerprint.ts";
import type { Handovers } from "../../pki/handovers.ts";
import { loadMaterial } from "../../pki/material.ts";
import type { CertificateStore, StoredCertificate } from "../../pki/store.ts";
import { CygnetError, describe } from "../../platform/errors.ts";

/** Where certificates are looked for. */
export interface CertificateScope {
  /** Of the configuration; null while that has errors. */
  configuration: { pki: ReadonlyMap<string, Pki> } | null;
  store: CertificateStore;
  /** Ids of the partners. */
  partners: readonly string[];
}

export interface Known {
  /** Of the [[pki]], or the first eight digits of the fingerprint. */
  id: string;
  /** Owner; "" = this site, or nobody in particular. */
  part: string;
  source: "pki" | "store";
  /** `act` and `inact` of a [[pki]]; pending, active, retired, refused of the store. */
  state: string;
  usage: readonly string[];
  /** We have its private key. */
  own: boolean;
  certificate: X509Certificate;
  /** It and the certificates of its file that issued it. */
  chain: readonly X509Certificate[];
  /** File of the [[pki]]; "" for one of the store. */
  file: string;
  stored: StoredCertificate | null;
}

/** [[pki]] in the order of the configuration, each authority of a bundle by itself; then the store, newest first. `warn`: what cannot be read. */
export async function knownCertificates(
  { configuration, store }: Pick<CertificateScope, "configuration" | "store">,
  warn: (text: string) => void,
): Promise<Known[]> {
  const known: Known[] = [];
  for (const { id, part, state, usage, file, key, keypassw } of configuration?.pki.values() ?? []) {
    const password = keypassw ? { password: keypassw.reveal() } : {};
    try {
      const material = await loadMaterial({ id, file, ...(key === "" ? {} : { key }), ...password });
      const { all, chain, certificate } = material;
      const base = { id, part, source: "pki", state, usage, file, stored: null } as const;
      known.push({ ...base, own: material.key !== null, certificate, chain });
      const others = usage.includes("ca") ? all.filter((one) => one !== certificate) : [];
      known.push(...others.map((one) => ({ ...base, own: false, certificate: one, chain: [one] })));
    } catch (error) {
      warn(describe(error));
    }
  }
  for (const stored of store.list()) {
    const { part, state, usage, certificate } = stored;
    const base = { id: shortFingerprint(certificate), part, source: "store", state, usage } as const;
    known.push({ ...base, own: false, certificate, chain: [certificate], file: "", stored });
  }
  return known;
}

/**
 * The certificate that a person means: the id of a [[pki]], or a fingerprint (SHA-256) or its first eight digits or more.
 * @throws CygnetError CYG_CERTIFICATE_UNKNOWN when there is none, or more than one
 */
export function pick(known: readonly Known[], wanted: string, part?: string): Known {
  const candidates = known.filter((one) => part === undefined || one.part === part);
  const byId = candidates.find(({ id, source }) => source === "pki" && id === wanted);
  if (byId) return byId;
  const prefix = fingerprintPrefix(wanted);
  const found = candidates.filter(
    ({ certificate }) => prefix !== undefined && hexFingerprint(certificate).startsWith(prefix),
  );
  const [first, ...others] = found;
  const whose = part === undefined ? "" : ` of ${part}`;
  if (first === undefined) {
    throw new CygnetError(
      "CYG_CERTIFICATE_UNKNOWN",
      `there is no certificate "${wanted}"${whose}; name a [[pki]] or at least eight digits of a SHA-256 fingerprint ("cygnet pki list" shows all)`,
    );
  }
  const same = ({ part: owner, certificate }: Known) =>
    owner === first.part && certificate.fingerprint256 === first.certificate.fingerprint256;
  if (others.every(same)) return first;
  const list = found.map(
    (one) => `${one.id} ${one.part || "of this site"} ${one.certificate.fingerprint256}`,
  );
  throw new CygnetError(
    "CYG_CERTIFICATE_UNKNOWN",
    `"${wanted}" stands for ${found.length} certificates; add digits, or --part:\n${list.join("\n")}`,
  );
}

/** One of the store, for commands that change its state. */
export function pickStored(known: readonly Known[], wanted: string, part?: string): StoredCertificate {
  const stored = known.filter(({ source }) => source === "store");
  const isConfigured = known.some(({ id, source }) => source === "pki" && id === wanted);
  if (isConfigured) {
    throw new CygnetError(
      "CYG_CERTIFICATE_STATE",
      `"${wanted}" is a [[pki]]; its state stands in the configuration: state = "act" or "inact"`,
    );
  }
  return pick(stored, wanted, part).stored as StoredCertificate;
}

/** As `--json` shows it. */
export function recordOf({ id, part, source, state, usage, own, certificate, chain, file, stored }: Known) {
  const { origin = "", at, changed, idtu = "", note = "" } = stored ?? {};
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return {
    id,
    part,
    source,
    state,
    usage,
    own,
    ...factsOf(certificate, Date.now()),
    chain: chain.slice(1).map((one) => factsOf(one, Date.now()).subject),
    file,
    origin,
    at: iso(at),
    changed: iso(changed),
    idtu,
    note,
  };
}

export type CertificateRecord = ReturnType<typeof recordOf>;

/** What partners said to a certificate of ours that they were given over OFTP: the last word of each. */
export function handoversOf(all: Handovers, { own, certificate }: Known) {
  const ours = own ? all.list({ fingerprint: certificate.fingerprint256 }) : [];
  return ours
    .filter(({ part }, index) => index === ours.findIndex((other) => other.part === part))
    .map(({ part, kind, idtu, at, answer, text }) => {
      return { part, kind, idtu, at: new Date(at).toISOString(), answer, text };
    });
}

export type CertificateDetail = CertificateRecord & { handovers: ReturnType<typeof handoversOf> };
