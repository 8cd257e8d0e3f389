/**
 * One certificate of the store as two files: `<fingerprint>.pem` and `<fingerprint>.json` with what is known about it.
 * The description is written last: an entry exists when both are there and agree with their names.
 */
import { X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import type { CertificateState, StoredCertificate } from "./store.ts";
import { USAGES, type Usage } from "./usage.ts";
import { writeNew, writeWhole } from "./whole-file.ts";

const LARGEST = 256 * 1024;
const STATES: readonly CertificateState[] = ["pending", "active", "retired", "refused"];
const ORIGINS: readonly StoredCertificate["origin"][] = [
  "request",
  "deliver",
  "replace",
  "import",
  "datasheet",
];
/** A partner's id as the configuration allows it: one safe path component that is not hidden. */
const PART = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
export const ENTRY = /^[0-9a-f]{64}\.(pem|json)$/;

export function isPartName(name: string): boolean {
  return PART.test(name);
}

/** Path of an entry without its ending. Errors: CYG_PKI_PART for an id that is no safe folder name. */
export function stemOf(directory: string, { part, fingerprint }: EntryKey): string {
  if (!isPartName(part)) {
    throw new CygnetError(
      "CYG_PKI_PART",
      `"${part}" is no id of a partner; allowed: 1 to 32 letters, digits, ".", "-" or "_", a letter or digit first`,
    );
  }
  return join(directory, part, fingerprint.replaceAll(":", "").toLowerCase());
}

export interface EntryKey {
  part: string;
  fingerprint: string;
}

/** Reads one entry, null when there is none. Errors: CYG_PKI_FILE, CYG_PKI_CERTIFICATE, CYG_PKI_ENTRY. */
export async function readEntry(stem: string): Promise<StoredCertificate | null> {
  const [pem, json] = [await read(`${stem}.pem`), await read(`${stem}.json`)];
  if (pem === null && json === null) return null;
  const broken = (why: string, cause?: unknown) =>
    new CygnetError(
      "CYG_PKI_ENTRY",
      `${stem}: ${why}; remove the entry's two files and import the certificate again`,
      { cause },
    );
  if (pem === null) throw broken("the certificate (.pem) is missing");
  if (json === null) throw broken("the description (.json) is missing");
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw broken("the .pem file holds no certificate", cause);
  }
  const hex = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  if (hex !== basename(stem)) throw broken(`the .pem file holds another certificate (SHA-256 ${hex})`);
  let said: Record<string, unknown>;
  try {
    said = Object(JSON.parse(json.toString("utf8"))) as Record<string, unknown>;
  } catch (cause) {
    throw broken("the .json file is not JSON", cause);
  }
  const { usage, state, origin, at, changed, idtu, note } = said;
  const wrong = [
    ...(said.part === basename(dirname(stem)) ? [] : ["part"]),
    ...(said.fingerprint === certificate.fingerprint256 ? [] : ["fingerprint"]),
    ...(isUsage(usage) ? [] : ["usage"]),
    ...(STATES.includes(state as CertificateState) ? [] : ["state"]),
    ...(ORIGINS.includes(origin as StoredCertificate["origin"]) ? [] : ["origin"]),
    ...Object.entries({ at, changed }).flatMap(([key, value]) => (Number.isSafeInteger(value) ? [] : [key])),
    ...Object.entries({ idtu, note }).flatMap(([key, value]) => (typeof value === "string" ? [] : [key])),
  ];
  if (wrong.length > 0) throw broken(`the .json file says nothing usable about ${wrong.join(", ")}`);
  return {
    part: said.part as string,
    fingerprint: certificate.fingerprint256,
    certificate,
    usage: usage as Usage[],
    state: state as CertificateState,
    origin: origin as StoredCertificate["origin"],
    at: at as number,
    changed: changed as number,
    idtu: idtu as string,
    note: note as string,
  };
}

/** Keeps a new entry; false when there is a description of that name already. Errors: CYG_PKI_FILE. */
export async function createEntry(stem: string, entry: StoredCertificate): Promise<boolean> {
  await writeWhole(`${stem}.pem`, entry.certificate.toString(), 0o600);
  return writeNew(`${stem}.json`, description(entry), 0o600);
}

/** Writes what is known about an entry that exists. Errors: CYG_PKI_FILE. */
export async function describeEntry(stem: string, entry: StoredCertificate): Promise<void> {
  await writeWhole(`${stem}.json`, description(entry), 0o600);
}

function description({ certificate: _, ...rest }: StoredCertificate): string {
  return `${JSON.stringify(rest, null, 2)}\n`;
}

function isUsage(value: unknown): value is Usage[] {
  return Array.isArray(value) && value.every((one) => USAGES.includes(one));
}

/** Links are not followed: nobody but this program writes here. */
async function read(path: string): Promise<Buffer | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw new Error("it is not a file");
      if (status.size > LARGEST) throw new Error("it is larger than any entry of the store (256 KiB)");
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (isSystemError(cause, "ENOENT")) return null;
    throw new CygnetError("CYG_PKI_FILE", `${path} cannot be read: ${describe(cause)}`, { cause });
  }
}
