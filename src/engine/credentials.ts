/**
 * The certificates and keys of a configuration, loaded and made into TLS profiles: built whole, swapped in whole.
 * Certificates of partners also come from the store, which is asked each time: it changes while the gateway runs.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { RecipientKey } from "../cms/enveloped.ts";
import type { Configuration, Part, Prot, Ssl, Usage } from "../config/model.ts";
import { type ClientTls, clientTls, type ServerTls, serverTls } from "../net/tls.ts";
import { shortFingerprint } from "../pki/fingerprint.ts";
import { permits } from "../pki/key-usage.ts";
import { loadMaterial, type Material } from "../pki/material.ts";
import type { CertificateStore, StoredCertificate } from "../pki/store.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CygnetError } from "../platform/errors.ts";

export interface Credentials {
  /** For callers of a protocol. */
  server(ssl: string): ServerTls;
  /** For a call to a partner: its own profile, else the protocol's. */
  client(part: Part, prot: Prot): ClientTls;
  /** Our keys that may be used so now, the newest first: it signs, all of them open. */
  own(usage: Usage): RecipientKey[];
  /** A partner's certificates that may be used so now, the newest first: files are sealed for it, all of them verify. */
  theirs(part: Part, usage: Usage): X509Certificate[];
  /** Every certificate that something may rest on now, valid or not: [[pki]] with its chains and roots, and the store. */
  inUse(): CertificateInUse[];
  /** A partner's certificates for a usage, also those outside their validity, the newest first. */
  registered(part: Part, usage: Usage): Registered[];
  /** Every certificate under these `[[pki]]` ids that are in use. */
  anchors(ids: readonly string[]): X509Certificate[];
  /** Authorities that are known, trusted for somebody or not, and the lists of what they revoked (absolute). */
  readonly authorities: readonly X509Certificate[];
  readonly crlfiles: readonly string[];
}

export interface CertificateInUse {
  /** Of the `[[pki]]`; for one of the store `<PART>/<first eight hex digits of its fingerprint>`. */
  id: string;
  /** Owner; "" = this site, or nobody in particular. */
  part: string;
  certificate: X509Certificate;
}

export interface Registered {
  certificate: X509Certificate;
  /** What else stood in its file: its issuers, as a rule; for one of the store, the authorities in it. */
  companions: readonly X509Certificate[];
  /** ms since 1970 UTC. */
  notBefore: number;
  notAfter: number;
}

/**
 * Loads every certificate and makes every profile.
 * @throws CygnetError CYG_PKI_… or CYG_TLS_… for the first that cannot be used
 */
export async function loadCredentials(
  configuration: Configuration,
  store: CertificateStore,
  clock: Clock = systemClock,
): Promise<Credentials> {
  const materials = new Map<string, Material>();
  for (const { id, file, key, keypassw } of configuration.pki.values()) {
    const password = keypassw ? { password: keypassw.reveal() } : {};
    materials.set(id, await loadMaterial({ id, file, ...(key === "" ? {} : { key }), ...password }));
  }
  const material = (id: string): Material => {
    const found = materials.get(id);
    if (found === undefined) throw new CygnetError("CYG_PKI_UNKNOWN", `no [[pki]] has the id ${id}`);
    return found;
  };
  const of: Sources = { configuration, materials, store, clock };
  const isActive = (id: string) => configuration.pki.get(id)?.state !== "inact";
  const profile = (ssl: Ssl) => ({
    id: ssl.id,
    material: ssl.usercid === "" ? null : material(ssl.usercid),
    roots: ssl.rootcid.filter(isActive).map(material),
    verify: ssl.verify,
    versions: ssl.version,
    ciphers: ssl.ciphlist,
  });
  const servers = new Map<string, ServerTls>();
  const clients = new Map<string, ClientTls>();
  for (const ssl of configuration.cftssl.values()) {
    if (ssl.direct === "server") servers.set(ssl.id, serverTls(profile(ssl)));
    else clients.set(ssl.id, clientTls(profile(ssl)));
  }
  const get = <T>(profiles: Map<string, T>, id: string, direct: string): T => {
    const found = profiles.get(id);
    if (found === undefined)
      throw new CygnetError("CYG_TLS_PROFILE", `no ${direct} profile ${id} in [[cftssl]]`);
    return found;
  };
  return {
    server: (ssl) => get(servers, ssl, "server"),
    client: (part, prot) => get(clients, part.ssl || prot.ssl, "client"),
    own: (usage) =>
      usable(of, "", usage).flatMap(({ certificate, key }) => (key ? [{ certificate, key }] : [])),
    inUse: () => [
      ...configuredInUse(configuration, materials),
      ...store.list({ state: "active" }).map(storedInUse),
    ],
    theirs: (part, usage) => usable(of, part.id, usage).map(({ certificate }) => certificate),
    registered: (part, usage) =>
      owned(of, part.id, usage).map(({ certificate, companions }) => ({
        certificate,
        companions,
        notBefore: certificate.validFromDate.getTime(),
        notAfter: certificate.validToDate.getTime(),
      })),
    anchors: (ids) => ids.filter(isActive).flatMap((id) => material(id).all),
    authorities: [...configuration.pki.values()]
      .filter(({ usage, state }) => usage.includes("ca") && state === "act")
      .flatMap(({ id }) => material(id).all),
    crlfiles: [...configuration.pki.values()].flatMap(({ crlfile }) => crlfile),
  };
}

function configuredInUse(
  { pki }: Configuration,
  materials: ReadonlyMap<string, Material>,
): CertificateInUse[] {
  return [...pki.values()]
    .filter(({ state }) => state === "act")
    .flatMap(({ id, part, usage }) => {
      const { all, chain } = materials.get(id) as Material;
      return (usage.includes("ca") ? all : chain).map((certificate) => ({ id, part, certificate }));
    });
}

function storedInUse({ part, certificate }: StoredCertificate): CertificateInUse {
  return { id: `${part}/${shortFingerprint(certificate)}`, part, certificate };
}

/** Where certificates come from, and what time it is. */
interface Sources {
  configuration: Configuration;
  materials: ReadonlyMap<string, Material>;
  store: CertificateStore;
  clock: Clock;
}

/** A certificate that may serve, wherever it came from. */
interface Candidate {
  certificate: X509Certificate;
  companions: readonly X509Certificate[];
  key: KeyObject | null;
}

/** Of an owner ("" = this site), for a use, now: state, KeyUsage and validity allow it. Newest first, each once. */
function usable(sources: Sources, owner: string, wanted: Usage): Candidate[] {
  const now = sources.clock.now();
  return owned(sources, owner, wanted).filter(({ certificate }) => {
    const valid = certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
    return valid && permits(certificate, wanted);
  });
}

/** Whatever its validity; one whose KeyUsage forbids it only where there is no other, so that it can be told why not. */
function owned(sources: Sources, owner: string, wanted: Usage): Candidate[] {
  const candidates = new Map<string, Candidate>();
  for (const one of [...stored(sources, owner, wanted), ...configured(sources, owner, wanted)])
    candidates.set(one.certificate.fingerprint256, one);
  const all = [...candidates.values()].sort((a, b) => newness(b.certificate, a.certificate));
  const permitted = all.filter(({ certificate }) => permits(certificate, wanted));
  return permitted.length > 0 ? permitted : all;
}

function configured({ configuration, materials }: Sources, owner: string, wanted: Usage): Candidate[] {
  return [...configuration.pki.values()]
    .filter(({ part, usage, state }) => part === owner && state === "act" && usage.includes(wanted))
    .map(({ id }) => {
      const { certificate, all, key } = materials.get(id) as Material;
      return { certificate, companions: all.filter((one) => one !== certificate), key };
    });
}

function stored({ store }: Sources, owner: string, wanted: Usage): Candidate[] {
  if (owner === "") return []; // the store is for partners
  const active = store.list({ part: owner, state: "active" });
  const companions = active.filter(({ usage }) => usage.includes("ca")).map(({ certificate }) => certificate);
  return active
    .filter(({ usage }) => usage.includes(wanted))
    .map(({ certificate }) => ({ certificate, companions, key: null }));
}

/** Compares by the beginning of validity, then by its end. */
function newness(a: X509Certificate, b: X509Certificate): number {
  return (
    a.validFromDate.getTime() - b.validFromDate.getTime() || a.validToDate.getTime() - b.validToDate.getTime()
  );
}
