import type { X509Certificate } from "node:crypto";
import { issued, nameLine } from "../pki/material.ts";
import { type PeerVerdict, refuse } from "./peer-check.ts";

/**
 * The way from a certificate to one that is trusted, by names, signatures, validity and basicConstraints alone: for a
 * profile without a Trust, whose certificates the TLS library has looked at before.
 */
export function plainPath(
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  depth: number,
): PeerVerdict {
  const path = chain.slice(0, 1);
  const now = Date.now();
  for (let here = path[0]; here !== undefined; ) {
    const child = here;
    if (now > Date.parse(child.validTo)) {
      return refuse("PKI_ERR_CERT_EXPIRED", `${nameLine(child.subject)} expired on ${child.validTo}`);
    }
    if (now < Date.parse(child.validFrom)) {
      return refuse("PKI_ERR_CERT_NOT_VALID", `${nameLine(child.subject)} is valid from ${child.validFrom}`);
    }
    if (anchors.some(({ fingerprint256 }) => fingerprint256 === child.fingerprint256)) {
      return { accepted: true, path, notes: [] };
    }
    if (path.length > depth) {
      return refuse("PKI_ERR_CERT_BAD_CA", `more than ${depth} authorities stand above the certificate`);
    }
    here = [...anchors, ...chain].find((one) => one.ca && !path.includes(one) && issued(one, child));
    if (here) path.push(here);
  }
  return refuse(
    "PKI_ERR_CA_NOT_FOUND",
    `${nameLine(path.at(-1)?.issuer)} is not among those who are trusted`,
  );
}
