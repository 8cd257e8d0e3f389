/** `cygnet pki import`: certificates of a partner into the store, or an authority's answer beside our key. */
import type { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { type TakenRecord, takeCertificates, takenRecord } from "../../engine/certificates/take.ts";
import { contentsOf } from "../../pki/formats/certificates.ts";
import { readKeyFile } from "../../pki/material.ts";
import type { Usage } from "../../pki/usage.ts";
import { ask } from "../client.ts";
import { Failed, print, printJson } from "../context.ts";
import { remoteTarget } from "../target.ts";
import { type AnswerOptions, answer } from "./answer.ts";
import { secretOf } from "./init.ts";
import { decided, openScope } from "./scope.ts";

export interface ImportOptions extends AnswerOptions {
  part?: string;
  id?: string;
  usage?: readonly Usage[];
  accept?: boolean;
  note?: string;
}

export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { part, id } = options;
  if ((part === undefined) === (id === undefined)) {
    throw new Failed(
      "name the owner: --part PARTNER for its certificate, or --id ID for one of our own keys",
      2,
    );
  }
  if (id !== undefined && remoteTarget(options)) {
    throw new Failed("private keys do not travel: run this where the gateway of --id runs, without --url", 2);
  }
  const password =
    options.password === undefined ? undefined : await secretOf(await openScope(options), options.password);
  const path = resolve(file);
  const octets = await readKeyFile(path, "pki import");
  const { certificates, keys } = await contentsOf(octets, path, password);
  if (id !== undefined) return answer(await openScope(options), id, certificates, options);
  if (keys.length > 0) console.error("warning: the private key in it is left where it is");
  await take(part as string, certificates, options);
}

async function take(part: string, all: readonly X509Certificate[], options: ImportOptions): Promise<void> {
  const { usage, accept, note } = options;
  const body = {
    ...{ part, certificates: all.map(String).join("") },
    ...(usage ? { usage } : {}),
    ...(accept ? { accept } : {}),
    ...(note === undefined ? {} : { note }),
  };
  const { kept, warnings } = await decided<TakenRecord>(
    options,
    (target) => ask(target, "POST", "/certificates", body),
    async (scope) => takenRecord(await takeCertificates(scope, part, all, options)),
  );
  for (const text of warnings) console.error(`warning: ${text}`);
  if (options.json) printJson(kept.map(({ part, sha256, state, usage }) => ({ part, sha256, state, usage })));
  else for (const one of kept) print(describeKept(one));
}

function describeKept({ part, sha256, subject, until, state, usage }: TakenRecord["kept"][number]): string {
  const next: Record<string, string> = {
    pending: `waits. Compare the fingerprint with the partner by another way, then:\n  cygnet pki accept ${sha256.replaceAll(":", "").slice(0, 16).toLowerCase()} --part ${part}`,
    active: "is in use now",
    retired: 'was there already and is out of use; "cygnet pki accept" puts it back',
    refused: 'was there already and is refused; "cygnet pki accept" takes it after all',
  };
  return [
    `partner  ${part}`,
    `subject  ${subject}, until ${until.slice(0, 10)}`,
    `used for ${usage.join(", ")}`,
    `SHA-256  ${sha256}`,
    `It ${next[state]}`,
  ].join("\n");
}
