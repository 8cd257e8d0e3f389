/**
 * The certificates and keys of a configuration, loaded and made into TLS profiles: built whole, swapped in whole.
 * Certificates of partners also come from the store, which is asked each time: it changes while the gateway runs.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { RecipientKey } from "../cms/enveloped.ts";
import type { Configuration, Part, Prot, Ssl, Usage } from "../config/model.ts";
import { type ClientTls, clientTls, type ServerTls, serverTls, type TlsProfile } from "../net/tls.ts";
import { shortFingerprint } from "../pki/fingerprint.ts";
import { permits } from "../pki/key-usage.ts";
import { loadMaterial, type Material } from "../pki/material.ts";
import { nameRule } from "../pki/name-rule.ts";
import { keyPin, type Pin, parsePin } from "../pki/pins.ts";
import type { CertificateStore, StoredCertificate } from "../pki/store.ts";
import type { Trust } from "../pki/trust/trust.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CygnetError } from "../platform/errors.ts";

export interface Credentials {
  /** For callers of a protocol. */
  server(ssl: string): ServerTls;
  /** For a call to a partner: its own profile, else the protocol's. */
  client(part: Part, prot: Prot): ClientTls;
  /**
   * What the files of a [[pki]] hold.
   * @throws CygnetError CYG_PKI_UNKNOWN
   */
  material(id: string): Material;
  /**
   * What is asked of a partner's own TLS calls besides what its port asks: the server profile that its CFTPART names;
   * "missing" when there is no such server profile, null when it names none.
   */
  guest(part: Part): TlsProfile | "missing" | null;
  /** Partners for whom a certificate with this key is registered as `tls`. */
  owners(key: Pin): readonly string[];
  /** Our keys that may be used so now, the newest first: it signs. */
  own(usage: Usage): RecipientKey[];
  /**
   * Our keys that open what partners sealed for us, the newest first: also those whose certificate has ended, because
   * a file may have been sealed before, or by a partner who is late with its successor.
   */
  openers(): RecipientKey[];
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
  { store, trust, clock = systemClock }: { store: CertificateStore; trust: Trust; clock?: Clock },
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
  const crlfiles = [...configuration.pki.values()].flatMap(({ crlfile }) => crlfile);
  const profile = (ssl: Ssl): TlsProfile => ({
    id: ssl.id,
    material: ssl.usercid === "" ? null : material(ssl.usercid),
    roots: ssl.rootcid.filter(isActive).map(material),
    verify: ssl.verify,
    versions: ssl.version,
    ciphers: ssl.ciphlist,
    groups: ssl.groups,
    demands: {
      depth: ssl.depth,
      keyext: ssl.keyext === "verify",
      subject: nameRule(ssl.dnuser),
      issuer: nameRule(ssl.dnissuer),
      hostnames: ssl.hostnames,
      pins: ssl.pins.map(parsePin),
      crl: ssl.crl,
      ocsp: ssl.ocsp,
      crlfiles,
    },
    cache: ssl.cache,
    sni: ssl.sni,
    keylog: ssl.keylog,
    cerfname: ssl.cerfname,
    trust,
  });
  const owners = tlsOwners(configuration, materials);
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
    material,
    server: (ssl) => get(servers, ssl, "server"),
    client: (part, prot) => get(clients, part.ssl || prot.ssl, "client"),
    guest: (part) => (part.ssl === "" ? null : (servers.get(part.ssl)?.profile ?? "missing")),
    owners: (key) => [...(owners.get(key) ?? []), ...storedOwners(store, key)],
    own: (usage) => usable(of, "", usage).flatMap(withKey),
    openers: () =>
      owned(of, "", "decrypt")
        .filter(({ certificate }) => permits(certificate, "decrypt"))
        .flatMap(withKey),
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
    crlfiles,
  };
}

/** Partners by the keys of their configured `tls` certificates. */
function tlsOwners({ pki }: Configuration, materials: ReadonlyMap<string, Material>): Map<Pin, string[]> {
  const owners = new Map<Pin, string[]>();
  for (const { id, part, usage, state } of pki.values()) {
    if (part === "" || state !== "act" || !usage.includes("tls")) continue;
    const key = keyPin((materials.get(id) as Material).certificate);
    owners.set(key, [...(owners.get(key) ?? []), part]);
  }
  return owners;
}

/** Partners by whose stored `tls` certificates a key is known: asked each time, because the store changes. */
function storedOwners(store: CertificateStore, key: Pin): string[] {
  return store
    .list({ state: "active" })
    .filter(({ usage, certificate }) => usage.includes("tls") && keyPin(certificate) === key)
    .map(({ part }) => part);
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

const withKey = ({ certificate, key }: Candidate): RecipientKey[] => (key ? [{ certificate, key }] : []);

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

function configured({ configuration, materials, store }: Sources, owner: string, wanted: Usage): Candidate[] {
  // the store may say of a certificate of [[pki]] that it is out of use: the partner has replaced it
  const out = owner === "" ? [] : store.list({ part: owner, state: "retired" });
  return [...configuration.pki.values()]
    .filter(({ part, usage, state }) => part === owner && state === "act" && usage.includes(wanted))
    .map(({ id }) => materials.get(id) as Material)
    .filter(({ fingerprint }) => !out.some((entry) => entry.fingerprint === fingerprint))
    .map(({ certificate, all, key }) => {
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
