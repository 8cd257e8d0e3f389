/** The certificates and keys of a configuration, loaded and made into TLS profiles: built whole, swapped in whole. */
import type { X509Certificate } from "node:crypto";
import type { RecipientKey } from "../cms/enveloped.ts";
import type { Configuration, Part, Prot, Ssl, Usage } from "../config/model.ts";
import { type ClientTls, clientTls, type ServerTls, serverTls } from "../net/tls.ts";
import { loadMaterial, type Material } from "../pki/material.ts";
import { CygnetError } from "../platform/errors.ts";

export interface Credentials {
  /** For callers of a protocol. */
  server(ssl: string): ServerTls;
  /** For a call to a partner: its own profile, else the protocol's. */
  client(part: Part, prot: Prot): ClientTls;
  /** Our keys that may be used so now, the one that is valid longest first. */
  own(usage: Usage): RecipientKey[];
  /** A partner's certificates that may be used so now, the one that is valid longest first. */
  theirs(part: Part, usage: Usage): X509Certificate[];
  /** A partner's certificates for a usage, also those outside their validity, the one that is valid longest first. */
  registered(part: Part, usage: Usage): Registered[];
  /** Every certificate under these `[[pki]]` ids. */
  anchors(ids: readonly string[]): X509Certificate[];
  /** Authorities that are known, trusted for somebody or not, and the lists of what they revoked (absolute). */
  readonly authorities: readonly X509Certificate[];
  readonly crlfiles: readonly string[];
}

export interface Registered {
  certificate: X509Certificate;
  /** What else stood in its file: its issuers, as a rule. */
  companions: readonly X509Certificate[];
  /** ms since 1970 UTC. */
  notBefore: number;
  notAfter: number;
}

/**
 * Loads every certificate and makes every profile.
 * @throws CygnetError CYG_PKI_… or CYG_TLS_… for the first that cannot be used
 */
export async function loadCredentials(configuration: Configuration): Promise<Credentials> {
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
  const profile = (ssl: Ssl) => ({
    id: ssl.id,
    material: ssl.usercid === "" ? null : material(ssl.usercid),
    roots: ssl.rootcid.map(material),
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
      usable(configuration, materials, "", usage).flatMap(({ certificate, key }) =>
        key ? [{ certificate, key }] : [],
      ),
    theirs: (part, usage) =>
      usable(configuration, materials, part.id, usage).map(({ certificate }) => certificate),
    registered: (part, usage) =>
      owned(configuration, materials, part.id, usage).map(({ certificate, all, notBefore, notAfter }) => ({
        certificate,
        companions: all.filter((one) => one !== certificate),
        notBefore: notBefore.getTime(),
        notAfter: notAfter.getTime(),
      })),
    anchors: (ids) => ids.flatMap((id) => material(id).all),
    authorities: [...configuration.pki.values()]
      .filter(({ usage }) => usage.includes("ca"))
      .flatMap(({ id }) => material(id).all),
    crlfiles: [...configuration.pki.values()].flatMap(({ crlfile }) => crlfile),
  };
}

function usable(
  configuration: Configuration,
  materials: ReadonlyMap<string, Material>,
  owner: string,
  wanted: Usage,
): Material[] {
  const now = Date.now();
  return owned(configuration, materials, owner, wanted).filter(
    ({ notBefore, notAfter }) => notBefore.getTime() <= now && now <= notAfter.getTime(),
  );
}

function owned(
  { pki }: Configuration,
  materials: ReadonlyMap<string, Material>,
  owner: string,
  wanted: Usage,
): Material[] {
  return [...pki.values()]
    .filter(({ part, usage }) => part === owner && usage.includes(wanted))
    .map(({ id }) => materials.get(id) as Material)
    .sort((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
}
