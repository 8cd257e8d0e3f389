/** The certificates around an exchange: the partner's, this site's, and whom the partner's are trusted by. */
import type { X509Certificate } from "node:crypto";
import type { Configuration, Part, Pki } from "../../config/model.ts";
import type { Known } from "../../pki/exchange/decision.ts";
import type { Material } from "../../pki/material.ts";
import type { StoredCertificate } from "../../pki/store.ts";
import type { Usage } from "../../pki/usage.ts";
import type { Site } from "../site.ts";

/** Those of a partner that are in use: of the store, and of [[pki]] unless the store has put them out of use. */
export function knownOf({ configuration, credentials, store }: Site, part: string): Known[] {
  const stored = store.list({ part });
  const active = stored
    .filter(({ state }) => state === "active")
    .map(
      ({ fingerprint, certificate, usage, at }): Known => ({ fingerprint, certificate, usage, at, pki: "" }),
    );
  const configured = [...configuration.pki.values()]
    .filter((pki) => pki.part === part && pki.state === "act")
    .map(({ id, usage }): Known => {
      const { certificate, fingerprint } = credentials.material(id);
      return { fingerprint, certificate, usage, at: 0, pki: id };
    })
    .filter(
      ({ fingerprint }) => !stored.some((entry) => entry.fingerprint === fingerprint && settled(entry)),
    );
  return [...active, ...configured];
}

/** For one in use or out of use the store speaks; a [[pki]] stands above a certificate that waits or was refused. */
const settled = ({ state }: StoredCertificate) => state === "active" || state === "retired";

/** Every certificate of a partner that this site has ever seen and kept. */
export function seenOf({ configuration, credentials, store }: Site, part: string): X509Certificate[] {
  const configured = [...configuration.pki.values()].filter((pki) => pki.part === part);
  return [
    ...store.list({ part }).map(({ certificate }) => certificate),
    ...configured.map(({ id }) => credentials.material(id).certificate),
  ];
}

/** Whom a certificate of the partner may have been issued by: its `rootcid`, else the roots of its TLS profiles. */
export function authoritiesOf({ configuration, credentials }: Site, part: Part): X509Certificate[] {
  if (part.rootcid.length > 0) return credentials.anchors(part.rootcid);
  const { cftssl, cftprot } = configuration;
  const profiles = [part.ssl, ...part.prot.map((id) => cftprot.get(id)?.ssl ?? "")];
  const ids = profiles.flatMap((id) =>
    ["client", "server"].flatMap((direct) => cftssl.get(`${id}/${direct}`)?.rootcid ?? []),
  );
  return credentials.anchors([...new Set(ids)]);
}

export interface OwnCertificate {
  pki: Pki;
  material: Material;
}

/** This site's certificates with keys. */
export function ownOf({ configuration, credentials }: Site): OwnCertificate[] {
  return [...configuration.pki.values()]
    .filter(({ part }) => part === "")
    .map((pki) => ({ pki, material: credentials.material(pki.id) }))
    .filter(({ material }) => material.key !== null);
}

const USES: readonly Usage[] = ["sign", "decrypt", "auth", "receipt", "tls"];

/** This site's certificates in use: the newest for each use, each once. */
export function inUse(site: Site): OwnCertificate[] {
  const newest = USES.flatMap((usage) => site.credentials.own(usage)[0]?.certificate.fingerprint256 ?? []);
  const found = ownOf(site).filter(({ material }) => newest.includes(material.fingerprint));
  return found.filter(
    ({ material }, index) =>
      index === found.findIndex((other) => other.material.fingerprint === material.fingerprint),
  );
}

/** The codes that a partner is known by. */
export function codesOf(part: Part): string[] {
  return [...new Set([part.nrpart, part.sfiddest])];
}

/** Whether any protocol used with a partner can be of level 5, to which certificates are bound. */
export function speaksLevel5({ cftprot }: Configuration, part: Part): boolean {
  const levels = part.prot.flatMap((id) => cftprot.get(id)?.level ?? []);
  return levels.includes(5) && (part.level === null || part.level.includes(5));
}
