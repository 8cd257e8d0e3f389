/** An authority's answer to our request: it is checked against our key and put in its place, whole. */
import type { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { concernsOf } from "../../pki/facts.ts";
import { shortFingerprint } from "../../pki/fingerprint.ts";
import { certificatesIn } from "../../pki/formats/certificates.ts";
import { forbids } from "../../pki/key-usage.ts";
import { loadKey, material, nameLine } from "../../pki/material.ts";
import { writeNew, writeWhole } from "../../pki/whole-file.ts";
import { describe } from "../../platform/errors.ts";
import { type CommonOptions, Failed, print, printJson } from "../context.ts";
import { secretOf } from "./init.ts";
import { type PkiScope, tellGateway } from "./scope.ts";
import { renderProposal, writeProposal } from "./table.ts";

export interface AnswerOptions extends CommonOptions {
  usage?: readonly string[];
  /** Reference to the key's passphrase, where no [[pki]] says it. */
  password?: string;
  directory?: string;
  write?: boolean;
  inactive?: boolean;
}

/** Where our key lies and where its certificate belongs. */
interface Place {
  file: string;
  key: string;
  /** Reference; "" = the key has no passphrase. */
  keypassw: string;
  configured: boolean;
}

export async function answer(
  scope: PkiScope,
  id: string,
  certificates: readonly X509Certificate[],
  options: AnswerOptions,
): Promise<void> {
  const place = placeOf(scope, id, options);
  const password = place.keypassw === "" ? {} : { password: await secretOf(scope, place.keypassw) };
  const key = await loadKey({ id, key: place.key, ...password });
  const certificate = certificates.find((one) => one.checkPrivateKey(key));
  if (certificate === undefined) {
    const names = certificates.map(({ subject }) => nameLine(subject)).join("; ");
    throw new Failed(
      `none of its certificates (${names}) belongs to the key ${place.key}; nothing was changed`,
    );
  }
  for (const text of concernsOf(certificate, Date.now())) console.error(`warning: ${text}`);
  for (const usage of ["tls", "sign", "decrypt"] as const) {
    const why = forbids(certificate, usage);
    if (why !== undefined) console.error(`warning: it cannot be used for "${usage}": ${why}`);
  }
  const { pem, chain, fingerprint: sha256 } = material(id, certificate, certificates, key);
  const previous = await put(place, certificate, pem);
  const { usage = [], inactive = false } = options;
  const proposal = { id, ...place, usage, inactive };
  const written = options.write && !place.configured ? await writeProposal(scope, proposal) : null;
  if (place.configured) await tellGateway(scope, "/reload");
  const table = place.configured ? null : renderProposal(scope, proposal);
  if (options.json)
    return printJson({ id, file: place.file, sha256, chain: chain.length, previous, table, written });
  print(
    [
      `certificate  ${place.file}, until ${certificate.validToDate.toISOString().slice(0, 10)}`,
      `issuers      ${
        chain
          .slice(1)
          .map(({ subject }) => nameLine(subject))
          .join("; ") || "none in the file"
      }`,
      `SHA-256      ${sha256}`,
      ...(previous === null ? [] : [`before       ${previous} keeps the certificate that stood there`]),
      ...(written === null ? [] : ["", `written to ${written}`]),
      ...(table === null || written !== null
        ? []
        : ["", `${table}\nPaste it into the configuration, or use --write.`]),
    ].join("\n"),
  );
}

function placeOf({ pki, rundir }: PkiScope, id: string, options: AnswerOptions): Place {
  const folder = resolve(options.directory ?? join(rundir, "pki"));
  const entry = pki.find((one) => one.id === id);
  if (entry !== undefined) {
    const { file, key, keypassw } = entry;
    if (key !== "") return { file, key, keypassw: options.password ?? keypassw, configured: true };
    throw new Failed(
      `[[pki]] "${id}" has no key in a file of its own; export key and certificate to two files first`,
    );
  }
  const key = join(folder, `${id}.key`);
  const file = join(folder, `${id}.pem`);
  if (existsSync(key)) return { file, key, keypassw: options.password ?? "", configured: false };
  const known = pki.map((one) => one.id).join(", ") || "none";
  throw new Failed(
    `there is no [[pki]] "${id}" (known: ${known}) and no key ${key}; "cygnet pki init ${id} --csr" makes one`,
  );
}

/** Replaces the certificate file; the path of a copy of what stood there, null when there was nothing else. */
async function put(place: Place, certificate: X509Certificate, pem: string): Promise<string | null> {
  if (!existsSync(place.file)) {
    await writeWhole(place.file, pem, 0o644);
    return null;
  }
  const path = await realpath(place.file);
  const before = await readFile(path);
  // whatever else the certificate file holds, a key in it must not be lost
  if (path === (await realpath(place.key)) || before.includes("PRIVATE KEY")) {
    throw new Failed(`${path} holds the key as well; put certificate and key into two files first`);
  }
  let previous: string | null = null;
  const old = former(before, path);
  if (old?.fingerprint256 !== certificate.fingerprint256) {
    const mark = old === null ? "before" : shortFingerprint(old);
    previous = `${path.replace(/\.[a-z0-9]+$/i, "")}-${mark}.pem`;
    if (!(await writeNew(previous, before, 0o644)) && !before.equals(await readFile(previous))) {
      throw new Failed(`${previous} is in the way of keeping what stands in ${path}; nothing was changed`);
    }
  }
  await writeWhole(path, pem, 0o644);
  return previous;
}

function former(octets: Buffer, path: string): X509Certificate | null {
  try {
    return certificatesIn(octets, path)[0] ?? null;
  } catch (error) {
    console.error(`note: what stood there is kept: ${describe(error)}`);
    return null;
  }
}
