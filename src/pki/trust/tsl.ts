/**
 * Trust lists in the form of ETSI TS 102 231 version 2, as Odette publishes one: who is trusted as an authority, said by
 * one signer.
 *
 * Invariants
 * - Only what the pinned signer signed counts.
 * - Only services that issue certificates and are "in accord" now become anchors; of each the authority that issues, not
 *   the chain above it, which the list names for verification only.
 */
import { X509Certificate } from "node:crypto";
import type { Element } from "@xmldom/xmldom";
import { CygnetError } from "../../platform/errors.ts";
import { issued } from "../material.ts";
import { verifyEnveloped } from "./xml-signature.ts";

const NAMESPACE = "http://uri.etsi.org/02231/v2#";
const ISSUES = /\/Svctype\/CA\/(PKC|QC)$/i;
const IN_ACCORD = /\/Svcstatus\/inaccord$/i;
const MOST_SERVICES = 2_000;

export interface TrustList {
  sequence: number;
  /** Who publishes it. */
  operator: string;
  /** ms since 1970 UTC. */
  issued: number;
  /** When the next one is due; null where the list says that there will be none. */
  nextUpdate: number | null;
  signer: X509Certificate;
  services: readonly TrustService[];
}

export interface TrustService {
  provider: string;
  name: string;
  /** The last words of the URI: `inaccord`, `revoked`, … */
  status: string;
  /** Whether certificates by it are trusted. */
  trusted: boolean;
  /** The authority itself, without the chain above it. */
  certificates: readonly X509Certificate[];
}

/**
 * Reads and verifies a list.
 * @param signers pinned: certificates inside the document are not looked at
 * @throws CygnetError CYG_TSL_FORMAT, CYG_XML_SYNTAX, CYG_XML_SIGNATURE
 */
export function parseTrustList(text: string, signers: readonly X509Certificate[]): TrustList {
  const { root, signer } = verifyEnveloped(text, signers);
  if (root.localName !== "TrustServiceStatusList" || root.namespaceURI !== NAMESPACE) {
    throw malformed("it is not a TrustServiceStatusList of version 2");
  }
  const scheme = child(root, "SchemeInformation");
  if (!scheme) throw malformed("SchemeInformation is missing");
  const sequence = Number(textOf(child(scheme, "TSLSequenceNumber")) || Number.NaN);
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw malformed("TSLSequenceNumber is missing");
  const next = child(scheme, "NextUpdate");
  const due = next && textOf(child(next, "dateTime"));
  const services = [...deep(root, "TSPService")];
  if (services.length > MOST_SERVICES) throw malformed(`it has more than ${MOST_SERVICES} services`);
  return {
    sequence,
    operator: nameIn(child(scheme, "SchemeOperatorName")),
    issued: dateOf(textOf(child(scheme, "ListIssueDateTime")), "ListIssueDateTime"),
    nextUpdate: due ? dateOf(due, "NextUpdate") : null,
    signer,
    services: services.map(serviceOf),
  };
}

/** The certificates that end a chain, each once. */
export function anchorsOf(list: Pick<TrustList, "services">): X509Certificate[] {
  const anchors = new Map<string, X509Certificate>();
  for (const { trusted, certificates } of list.services) {
    if (trusted) for (const one of certificates) anchors.set(one.fingerprint256, one);
  }
  return [...anchors.values()];
}

/** What the service is now; ServiceHistory tells what it was. */
function serviceOf(service: Element): TrustService {
  const information = child(service, "ServiceInformation");
  if (!information) throw malformed("a service has no ServiceInformation");
  const provider = ancestor(service, "TrustServiceProvider");
  const about = provider && child(provider, "TSPInformation");
  const status = textOf(child(information, "ServiceStatus"));
  const type = textOf(child(information, "ServiceTypeIdentifier"));
  const identity = child(information, "ServiceDigitalIdentity");
  return {
    provider: nameIn(about && child(about, "TSPName")),
    name: nameIn(child(information, "ServiceName")),
    status: status.split("/").at(-1) ?? "",
    trusted: ISSUES.test(type) && IN_ACCORD.test(status),
    certificates: identity ? issuing(certificatesIn(identity)) : [],
  };
}

function certificatesIn(identity: Element): X509Certificate[] {
  return [...deep(identity, "X509Certificate")].map((element) => {
    try {
      return new X509Certificate(Buffer.from(textOf(element), "base64"));
    } catch (cause) {
      throw new CygnetError("CYG_TSL_FORMAT", "a certificate in the trust list cannot be read", { cause });
    }
  });
}

/** Without those that are there only because they issued another one of the same service. */
function issuing(chain: readonly X509Certificate[]): X509Certificate[] {
  return chain.filter((one) => !chain.some((other) => other !== one && issued(one, other)));
}

function child(parent: Element, name: string): Element | undefined {
  for (let node = parent.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === 1 && node.localName === name && node.namespaceURI === NAMESPACE)
      return node as Element;
  }
  return undefined;
}

function deep(parent: Element, name: string): Iterable<Element> {
  return parent.getElementsByTagNameNS(NAMESPACE, name);
}

function ancestor(from: Element, name: string): Element | undefined {
  for (let node = from.parentNode; node; node = node.parentNode) {
    if (node.localName === name && node.namespaceURI === NAMESPACE) return node as Element;
  }
  return undefined;
}

/** The English name, else the first; one line, however it is written in the list. */
function nameIn(names: Element | undefined): string {
  if (!names) return "";
  const all = [...deep(names, "Name")];
  const english = all.find((name) => name.getAttribute("xml:lang")?.toLowerCase().startsWith("en"));
  // it is printed and stands in comments of a file
  return (
    textOf(english ?? all[0])
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get out
      .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ")
      .slice(0, 200)
  );
}

function textOf(element: Element | undefined): string {
  return element?.textContent?.trim() ?? "";
}

function dateOf(text: string, what: string): number {
  const at = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(at)) throw malformed(`${what} is not a date and time`);
  return at;
}

function malformed(why: string): CygnetError {
  return new CygnetError("CYG_TSL_FORMAT", `the trust list cannot be used: ${why}`);
}
