/** `cygnet pki import`: certificates of a partner into the store, or an authority's answer beside our key. */
import type { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { concernsOf } from "../../pki/facts.ts";
import { contentsOf } from "../../pki/formats/certificates.ts";
import { forbids, permits } from "../../pki/key-usage.ts";
import { issued, nameLine, readKeyFile } from "../../pki/material.ts";
import type { StoredCertificate } from "../../pki/store.ts";
import type { Usage } from "../../pki/usage.ts";
import { Failed, print, printJson } from "../context.ts";
import { type AnswerOptions, answer } from "./answer.ts";
import { secretOf } from "./init.ts";
import { checkPartner, openScope, type PkiScope, tellGateway } from "./scope.ts";

export interface ImportOptions extends AnswerOptions {
  part?: string;
  id?: string;
  usage?: readonly Usage[];
  accept?: boolean;
  note?: string;
}

/** What a partner's certificate is for when nothing is said, as far as its KeyUsage permits. */
const USUAL: readonly Usage[] = ["encrypt", "sign", "auth", "receipt"];

export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { part, id } = options;
  if ((part === undefined) === (id === undefined)) {
    throw new Failed(
      "name the owner: --part PARTNER for its certificate, or --id ID for one of our own keys",
      2,
    );
  }
  const scope = await openScope(options);
  const password = options.password === undefined ? undefined : await secretOf(scope, options.password);
  const path = resolve(file);
  const octets = await readKeyFile(path, "pki import");
  const { certificates, keys } = await contentsOf(octets, path, password);
  if (id !== undefined) return answer(scope, id, certificates, options);
  if (keys.length > 0) console.error("warning: the private key in it is left where it is");
  await take(scope, part as string, certificates, options);
}

async function take(
  scope: PkiScope,
  part: string,
  all: readonly X509Certificate[],
  options: ImportOptions,
): Promise<void> {
  checkPartner(scope, part);
  const certificates = [...new Map(all.map((one) => [one.fingerprint256, one])).values()];
  const chosen = options.usage?.includes("ca")
    ? certificates
    : certificates.filter((one) => !isIssuer(one, certificates));
  const rest = certificates.length - chosen.length;
  if (rest > 0) {
    console.error(`note: ${rest} certificates of authorities in it were left out; --usage ca takes them in`);
  }
  const wanted = chosen.map((certificate) => ({ certificate, usage: usageFor(certificate, options.usage) }));
  const kept: StoredCertificate[] = [];
  for (const { certificate, usage } of wanted) {
    for (const text of concernsOf(certificate, Date.now())) {
      console.error(`warning: ${nameLine(certificate.subject)}: ${text}`);
    }
    kept.push(await keep(scope, part, certificate, usage, options));
  }
  await tellGateway(scope, "/pki/refresh");
  if (options.json) {
    printJson(kept.map(({ fingerprint, state, usage }) => ({ part, sha256: fingerprint, state, usage })));
    return;
  }
  for (const one of kept) print(describeKept(one));
}

async function keep(
  { store }: PkiScope,
  part: string,
  certificate: X509Certificate,
  usage: readonly Usage[],
  { accept, note }: ImportOptions,
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
    if (why !== undefined) throw new Failed(`${which} must not be used for "${usage}": ${why}`);
  }
  const usage = wanted ?? USUAL.filter((one) => permits(certificate, one));
  if (usage.length > 0) return usage;
  throw new Failed(`${which} permits none of ${USUAL.join(", ")}; say --usage if it is for something else`);
}

/** True for one that issued another of the file. */
function isIssuer(certificate: X509Certificate, all: readonly X509Certificate[]): boolean {
  return all.some((other) => other !== certificate && issued(certificate, other));
}

function describeKept({ part, fingerprint, certificate, state, usage }: StoredCertificate): string {
  const until = certificate.validToDate.toISOString().slice(0, 10);
  const next: Record<string, string> = {
    pending: `waits. Compare the fingerprint with the partner by another way, then:\n  cygnet pki accept ${fingerprint.replaceAll(":", "").slice(0, 16).toLowerCase()} --part ${part}`,
    active: "is in use now",
    retired: 'was there already and is out of use; "cygnet pki accept" puts it back',
    refused: 'was there already and is refused; "cygnet pki accept" takes it after all',
  };
  return [
    `partner  ${part}`,
    `subject  ${nameLine(certificate.subject)}, until ${until}`,
    `used for ${usage.join(", ")}`,
    `SHA-256  ${fingerprint}`,
    `It ${next[state]}`,
  ].join("\n");
}
