/** From the configuration to a datasheet: of a partner as it is configured here, or of this site as the partner needs it. */
import type { Configuration, Part, Prot } from "../config/model.ts";
import { type Material, nameLine } from "../pki/material.ts";
import type { Usage } from "../pki/usage.ts";
import { CygnetError } from "../platform/errors.ts";
import type {
  Datasheet,
  FileSettings,
  InboundConnection,
  SheetCertificate,
  Support,
  Wish,
} from "./datasheet.ts";

/** What goes into every datasheet. `materials` are those of the configuration, by [[pki]] id. */
export interface Occasion {
  materials: ReadonlyMap<string, Material>;
  docid: string;
  /** ms since 1970 UTC. */
  now: number;
}

/**
 * What this site knows of a partner.
 * @throws CygnetError CYG_DATASHEET for a partner that there is not
 */
export function datasheetOfPartner(configuration: Configuration, id: string, occasion: Occasion): Datasheet {
  const part = partner(configuration, id);
  const password = part.nrpassw.reveal();
  const certificates = Certificates.of(configuration, part.id, occasion);
  const { security, require } = part;
  const levels = levelsOf(configuration, part);
  const hosts = configuration.cfttcp.get(id)?.host ?? [];
  return {
    ...frame(occasion, id, part.nrpart),
    inbound: ways(configuration, part).flatMap(({ prot, port }) =>
      hosts.map((host) => way(configuration, prot, host, port)),
    ),
    ciphers: [security.cipher],
    session: {
      ssid: part.nrpart,
      minimum: Math.min(...levels),
      maximum: Math.max(...levels),
      password: password === "" ? null : password,
      authentication: {
        usage: require.includes("auth") ? "required" : "optional",
        certificates: certificates.named("auth"),
      },
    },
    inboundFiles: received(security, certificates),
    outboundFiles: sent(
      require.includes("sign") ? "required" : "optional",
      require.includes("encrypt") ? "required" : "optional",
      certificates,
    ),
    substations: substation(part.sfiddest, part.nrpart, id),
    certificates: certificates.all,
  };
}

/**
 * What a partner needs to know of this site.
 * @param hosts names under which this site can be called; none: those that its listeners are bound to
 * @throws CygnetError CYG_DATASHEET
 */
export function datasheetOfSite(
  configuration: Configuration,
  id: string,
  hosts: readonly string[],
  occasion: Occasion,
): Datasheet {
  const part = partner(configuration, id);
  const password = part.nspassw.reveal();
  const certificates = Certificates.of(configuration, "", occasion);
  const levels = levelsOf(configuration, part);
  const listening = ways(configuration, part).flatMap(({ prot }) => {
    const bound = configuration.cftnet.get(prot.net)?.host ?? [];
    const named = hosts.length > 0 ? hosts : bound.filter((host) => !/^(?:0\.0\.0\.0|::)$/.test(host));
    return named.flatMap((host) => (prot.sap === null ? [] : [way(configuration, prot, host, prot.sap)]));
  });
  return {
    ...frame(occasion, configuration.cftparm.part, part.nspart),
    inbound: listening,
    ciphers: [part.security.cipher],
    session: {
      ssid: part.nspart,
      minimum: Math.min(...levels),
      maximum: Math.max(...levels),
      password: password === "" ? null : password,
      authentication: {
        usage: part.require.includes("auth") ? "required" : "optional",
        certificates: certificates.named("auth"),
      },
    },
    inboundFiles: {
      signature: { usage: part.require.includes("sign") ? "required" : "optional", certificates: [] },
      encryption: {
        usage: part.require.includes("encrypt") ? "required" : "optional",
        certificates: certificates.named("decrypt"),
      },
      compression: { usage: "optional", certificates: [] },
      receipt: { usage: "optional", certificates: certificates.named("receipt") },
    },
    outboundFiles: {
      signature: { usage: wish(part.security.sign), certificates: certificates.named("sign") },
      encryption: { usage: wish(part.security.encrypt), certificates: [] },
      compression: { usage: wish(part.security.compress), certificates: [] },
      receipt: { usage: wish(part.security.signed_eerp), certificates: [] },
    },
    substations: substation(part.sfidorig, part.nspart, configuration.cftparm.part),
    certificates: certificates.all,
  };
}

function partner(configuration: Configuration, id: string): Part {
  const part = configuration.cftpart.get(id);
  if (part !== undefined) return part;
  const known = [...configuration.cftpart.keys()].join(", ") || "none";
  throw new CygnetError("CYG_DATASHEET", `there is no partner ${id}; known are ${known}`);
}

/** Dates in UTC with a numeric offset: there are readers that do not know "Z". */
function frame({ docid, now }: Occasion, name: string, issuer: string) {
  const date = `${new Date(now).toISOString().slice(0, 19)}+00:00`;
  const station = { name, duns: "", company: name, address: [], issuer, url: "", contacts: [] };
  const nothing = { outbound: [], outboundNames: [], inboundNames: [] };
  return { version: "1.2", docid, docdate: date, validfrom: date, station, ...nothing };
}

function ways({ cftprot }: Configuration, part: Part): { prot: Prot; port: number }[] {
  return part.prot.flatMap((id, index) => {
    const prot = cftprot.get(id);
    return prot ? [{ prot, port: part.sap[index] ?? (prot.ssl === "" ? 3305 : 6619) }] : [];
  });
}

function way({ cftssl }: Configuration, prot: Prot, host: string, port: number): InboundConnection {
  const versions = prot.ssl === "" ? [] : (cftssl.get(`${prot.ssl}/server`)?.version ?? []);
  return {
    type: prot.ssl === "" ? "TCP" : "TLS",
    versions: versions.map((version) => `TLSv${version}`),
    host,
    port,
    certificate: "",
    clientAuth: null,
  };
}

function levelsOf({ cftprot }: Configuration, part: Part): number[] {
  const levels = part.prot.flatMap((id) => cftprot.get(id)?.level ?? []);
  const used = levels.filter((level) => part.level === null || part.level.includes(level));
  return used.length > 0 ? used : [5];
}

/** What our defaults are is what the partner likes; whether it insists, we do not know. */
const wish = (applied: boolean): Wish => (applied ? "preferred" : "optional");

function received(security: Part["security"], certificates: Certificates): FileSettings {
  const support = (applied: boolean, usage?: Usage): Support => ({
    usage: wish(applied),
    certificates: usage ? certificates.named(usage) : [],
  });
  return {
    signature: support(security.sign),
    encryption: support(security.encrypt, "encrypt"),
    compression: support(security.compress),
    receipt: support(security.signed_eerp, "receipt"),
  };
}

function sent(signature: Wish, encryption: Wish, certificates: Certificates): FileSettings {
  const plain = (usage: Wish): Support => ({ usage, certificates: [] });
  return {
    signature: { usage: signature, certificates: certificates.named("sign") },
    encryption: plain(encryption),
    compression: plain("optional"),
    receipt: plain("optional"),
  };
}

function substation(sfid: string, ssid: string, name: string) {
  if (sfid === ssid) return [];
  return [{ name, sfid, ciphers: [], outboundFiles: null, inboundFiles: null }];
}

/** The certificates of one owner, without keys, named by their [[pki]] ids. */
class Certificates {
  readonly all: readonly SheetCertificate[];
  readonly #usages: ReadonlyMap<string, readonly Usage[]>;

  private constructor(all: readonly SheetCertificate[], usages: ReadonlyMap<string, readonly Usage[]>) {
    this.all = all;
    this.#usages = usages;
  }

  static of({ pki }: Configuration, owner: string, { materials }: Occasion): Certificates {
    const usages = new Map<string, readonly Usage[]>();
    const all: SheetCertificate[] = [];
    for (const { id, part, usage } of pki.values()) {
      const material = materials.get(id);
      if (part !== owner || material === undefined || (owner === "" && material.key === null)) continue;
      usages.set(id, usage);
      all.push({
        name: id,
        subject: nameLine(material.certificate.subject),
        der: material.certificate.raw,
        authorities: material.chain.slice(1).map((authority) => authority.raw),
      });
    }
    return new Certificates(all, usages);
  }

  /** Names of those with a usage. */
  named(usage: Usage): string[] {
    return this.all.map(({ name }) => name).filter((name) => this.#usages.get(name)?.includes(usage));
  }
}
