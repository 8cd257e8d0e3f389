/** Taking a partner's certificates into the store. */
import type { X509Certificate } from "node:crypto";
import { didYouMean } from "../../config/suggestion.ts";
import { concernsOf } from "../../pki/facts.ts";
import { forbids, permits } from "../../pki/key-usage.ts";
import { issued, nameLine } from "../../pki/material.ts";
import type { StoredCertificate } from "../../pki/store.ts";
import type { Usage } from "../../pki/usage.ts";
import { CygnetError } from "../../platform/errors.ts";
import type { CertificateScope } from "./known.ts";

export interface TakeOptions {
  usage?: readonly Usage[] | undefined;
  /** In use at once. */
  accept?: boolean | undefined;
  note?: string | undefined;
}

export interface Taken {
  kept: StoredCertificate[];
  /** What the operator should know. */
  warnings: string[];
}

/** What a partner's certificate is for when nothing is said, as far as its KeyUsage permits. */
const USUAL: readonly Usage[] = ["encrypt", "sign", "auth", "receipt"];

/**
 * Keeps the certificates of a partner, without those of authorities unless they are meant; durable when it resolves.
 * @throws CygnetError CYG_REQUEST_PART, CYG_PKI_USAGE
 */
export async function takeCertificates(
  scope: CertificateScope,
  part: string,
  all: readonly X509Certificate[],
  options: TakeOptions,
): Promise<Taken> {
  checkPartner(scope, part);
  const warnings: string[] = [];
  const certificates = [...new Map(all.map((one) => [one.fingerprint256, one])).values()];
  const chosen = options.usage?.includes("ca")
    ? certificates
    : certificates.filter((one) => !isIssuer(one, certificates));
  const rest = certificates.length - chosen.length;
  if (rest > 0) {
    warnings.push(`${rest} certificates of authorities in it were left out; --usage ca takes them in`);
  }
  const wanted = chosen.map((certificate) => ({ certificate, usage: usageFor(certificate, options.usage) }));
  const kept: StoredCertificate[] = [];
  for (const { certificate, usage } of wanted) {
    for (const text of concernsOf(certificate, Date.now())) {
      warnings.push(`${nameLine(certificate.subject)}: ${text}`);
    }
    kept.push(await keep(scope, part, certificate, usage, options));
  }
  return { kept, warnings };
}

/** A certificate of nobody is used by nobody. */
function checkPartner({ partners }: CertificateScope, part: string): void {
  if (partners.includes(part)) return;
  const known = partners.length > 0 ? `known are ${partners.join(", ")}` : "there is no [[cftpart]] yet";
  throw new CygnetError(
    "CYG_REQUEST_PART",
    `there is no partner "${part}"${didYouMean(part, partners)}; ${known}`,
  );
}

async function keep(
  { store }: CertificateScope,
  part: string,
  certificate: X509Certificate,
  usage: readonly Usage[],
  { accept, note }: TakeOptions,
): Promise<StoredCertificate> {
  const said = note ?? `by hand: cygnet pki import${accept ? " --accept" : ""}`;
  const state = accept ? "active" : "pending";
  const entry = {
    part,
    certificate,
    usage,
    state,
    origin: "import",
    at: Date.now(),
    idtu: "",
    note: said,
  } as const;
  const kept = await store.add(entry);
  const same = kept.usage.length === usage.length && usage.every((one) => kept.usage.includes(one));
  // what is there already keeps its state, unless this is a person's word about it
  const next = accept ? "active" : kept.state;
  if (kept.state === next && same) return kept;
  return store.change({ part, fingerprint: kept.fingerprint }, { state: next, note: said, usage });
}

/** What was asked for, which the certificate must permit; else what is usual and permitted. */
function usageFor(certificate: X509Certificate, wanted: readonly Usage[] | undefined): readonly Usage[] {
  const which = `${nameLine(certificate.subject)} (SHA-256 ${certificate.fingerprint256})`;
  for (const usage of wanted ?? []) {
    const why = forbids(certificate, usage);
    if (why !== undefined)
      throw new CygnetError("CYG_PKI_USAGE", `${which} must not be used for "${usage}": ${why}`);
  }
  const usage = wanted ?? USUAL.filter((one) => permits(certificate, one));
  if (usage.length > 0) return usage;
  throw new CygnetError(
    "CYG_PKI_USAGE",
    `${which} permits none of ${USUAL.join(", ")}; say --usage if it is for something else`,
  );
}

/** True for one that issued another of the file. */
function isIssuer(certificate: X509Certificate, all: readonly X509Certificate[]): boolean {
  return all.some((other) => other !== certificate && issued(certificate, other));
}

/** As the API and `--json` show it. */
export function takenRecord({ kept, warnings }: Taken) {
  return {
    kept: kept.map(({ part, fingerprint, state, usage, certificate }) => ({
      ...{ part, sha256: fingerprint, state, usage },
      subject: nameLine(certificate.subject),
      until: certificate.validToDate.toISOString(),
    })),
    warnings,
  };
}

export type TakenRecord = ReturnType<typeof takenRecord>;
