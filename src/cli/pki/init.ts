/** `cygnet pki init`: a key with a self-signed certificate, or with a request for an authority to sign. */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { follow, Unavailable } from "../../config/reference.ts";
import { certificateRequest, type KeySize, newKey, type Subject, selfSigned } from "../../pki/generate.ts";
import { writeNew } from "../../pki/whole-file.ts";
import { type CommonOptions, Failed, print, printJson } from "../context.ts";
import { openScope, type PkiScope } from "./scope.ts";
import { proposalFile, renderProposal, writeProposal } from "./table.ts";

export interface InitOptions extends CommonOptions {
  cn?: string;
  host?: readonly string[];
  odetteId?: string;
  org?: string;
  country?: string;
  days: number;
  keySize: KeySize;
  usage?: readonly string[];
  csr?: boolean;
  password?: string;
  directory?: string;
  write?: boolean;
  inactive?: boolean;
}

export async function init(id: string, options: InitOptions): Promise<void> {
  const scope = await openScope(options);
  const files = await checkNew(scope, id, options);
  const passphrase = options.password === undefined ? undefined : await secretOf(scope, options.password);
  const hosts = options.host ?? [hostname()];
  const subject: Subject = {
    commonName: options.cn ?? hosts[0] ?? id,
    hosts,
    ...(options.odetteId && { odetteId: options.odetteId }),
    ...(options.org && { organisation: options.org }),
    ...(options.country && { country: options.country }),
  };
  const key = await newKey(options.keySize);
  const locked = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  const pem = key.export({ format: "pem", type: "pkcs8", ...locked }) as string;
  // the key first: a certificate whose key is lost is worth nothing
  await writeFresh(files.key, pem, 0o600);
  const { usage = [], password = "", inactive = false } = options;
  const proposal = { id, file: files.certificate, key: files.key, keypassw: password, usage, inactive };
  if (options.csr) {
    await writeFresh(files.request, await certificateRequest(key, subject), 0o644);
    if (options.json) return printJson({ id, key: files.key, request: files.request });
    return print(
      [
        `key      ${files.key}`,
        `request  ${files.request}`,
        "",
        "Send the request to your certificate authority. When its answer is here:",
        `  cygnet pki import ANSWER --id ${id}`,
      ].join("\n"),
    );
  }
  const certificate = await selfSigned(key, { ...subject, days: options.days, root: false });
  await writeFresh(files.certificate, certificate, 0o644);
  const { fingerprint256: sha256, validToDate } = new X509Certificate(certificate);
  const written = options.write ? await writeProposal(scope, proposal) : null;
  const table = renderProposal(scope, proposal);
  if (options.json) {
    printJson({ id, key: files.key, certificate: files.certificate, sha256, table, written });
    return;
  }
  print(
    [
      `key          ${files.key}`,
      `certificate  ${files.certificate}, until ${validToDate.toISOString().slice(0, 10)}`,
      `SHA-256      ${sha256}`,
      "",
      written === null
        ? `${table}\nPaste it into the configuration, or use --write.`
        : `written to ${written}`,
    ].join("\n"),
  );
}

/** Nothing is ever overwritten: everything that would stand in the way is told before anything is made. */
async function checkNew(scope: PkiScope, id: string, options: InitOptions) {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(id)) {
    throw new Failed(
      `"${id}" is no id; allowed: 1 to 32 letters, digits, ".", "-" or "_", a letter or digit first`,
      2,
    );
  }
  if (scope.pki.some((one) => one.id === id)) {
    throw new Failed(
      `there is already a [[pki]] "${id}"; choose another id, both may be valid during a changeover`,
    );
  }
  if (options.csr && options.write) {
    throw new Failed(`the certificate is yet to come: "cygnet pki import ANSWER --id ${id} --write" then`, 2);
  }
  const folder = resolve(options.directory ?? join(scope.rundir, "pki"));
  const files = {
    key: join(folder, `${id}.key`),
    certificate: join(folder, `${id}.pem`),
    request: join(folder, `${id}.csr`),
  };
  const paths = [...Object.values(files), ...(options.write ? [proposalFile(scope, id)] : [])];
  const taken = paths.filter((path) => existsSync(path));
  if (taken.length === 0) return files;
  throw new Failed(`${taken.join(" and ")} would be overwritten; nothing was made, choose another id`);
}

async function writeFresh(path: string, content: string, mode: number): Promise<void> {
  if (await writeNew(path, content, mode)) return;
  throw new Failed(`${path} has come into being meanwhile; it was not overwritten`);
}

/** The passphrase behind a reference as the configuration takes it. @throws Failed */
export async function secretOf({ directory }: PkiScope, reference: string): Promise<string> {
  try {
    const { text } = await follow(reference, directory, process.env);
    if (text !== undefined && text !== "") return text;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    throw new Failed(`--password: ${error.message}`);
  }
  throw new Failed('--password takes a reference to the passphrase: "file:path" or "env:NAME", not empty', 2);
}
