/** What another process did to the certificate store. */
import { shortFingerprint } from "../pki/fingerprint.ts";
import { nameLine } from "../pki/material.ts";
import type { CertificateStore, StoredCertificate } from "../pki/store.ts";

export interface StoreChange {
  part: string;
  /** First digits of the fingerprint. */
  id: string;
  /** `active (was pending): called Mrs Lee`. */
  text: string;
}

/** Does something to the store, reads it again and tells what is not as it was. Errors: CYG_PKI_FILE. */
export async function storeChanges(
  store: CertificateStore,
  work: () => Promise<unknown> = async () => {},
): Promise<StoreChange[]> {
  const before = new Map(store.list().map((entry) => [keyOf(entry), entry]));
  await work();
  await store.refresh();
  const after = store.list();
  const told = after.flatMap((entry) => {
    const was = before.get(keyOf(entry));
    if (was?.state === entry.state && was.changed === entry.changed) return [];
    const from = was === undefined ? "new" : `was ${was.state}`;
    return [changeOf(entry, `${entry.state} (${from})${entry.note === "" ? "" : `: ${entry.note}`}`)];
  });
  const kept = new Set(after.map(keyOf));
  const gone = [...before.values()].filter((entry) => !kept.has(keyOf(entry)));
  return [...told, ...gone.map((entry) => changeOf(entry, `gone (was ${entry.state})`))];
}

function keyOf({ part, fingerprint }: StoredCertificate): string {
  return `${part} ${fingerprint}`;
}

function changeOf({ part, certificate }: StoredCertificate, text: string): StoreChange {
  return { part, id: shortFingerprint(certificate), text: `${nameLine(certificate.subject)}: ${text}` };
}
