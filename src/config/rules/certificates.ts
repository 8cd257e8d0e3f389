import { createHash, type X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { openStore, storeDirectory } from "../../pki/folder-store.ts";
import { forbids } from "../../pki/key-usage.ts";
import { loadMaterial } from "../../pki/material.ts";
import type { CertificateStore } from "../../pki/store.ts";
import { CygnetError, describe, isSystemError } from "../../platform/errors.ts";
import type { Cftssl, Pki } from "../generated.ts";
import type { SecretsByEntry } from "../secrets.ts";
import { type Entry, top } from "../sources.ts";
import type { Item, Loose, PkiFacts, Scene } from "./scene.ts";

/** Which key of [[pki]] a fault of its files is told at. */
const KEY_OF_FAULT: Record<string, string> = {
  CYG_PKI_CERTIFICATE: "file",
  CYG_PKI_KEY: "key",
  CYG_PKI_PASSWORD: "keypassw",
  CYG_PKI_MISMATCH: "key",
};

/** A certificate that ends sooner is worth a word whenever somebody looks at the configuration. */
const SOON = 30 * 24 * 3600 * 1000;

/**
 * Certificates and keys exist, can be read, belong together, and are of use to what names them. Leaves in the scene
 * what the files hold, and the certificate store.
 */
export async function checkCertificates(scene: Scene, secrets: SecretsByEntry, now: number): Promise<void> {
  for (const item of scene.list("pki")) {
    const facts = await checkFiles(scene, item, secrets, now);
    if (item.value.id !== undefined && facts !== undefined) scene.pkiFacts.set(item.value.id, facts);
  }
  await checkStore(scene, now);
  for (const item of scene.list("cftssl")) checkProfile(scene, item);
}

function checkProfile(scene: Scene, { entry, value }: Item<Cftssl>): void {
  const { findings } = scene;
  const own = value.usercid ? scene.find("pki", value.usercid)?.value : undefined;
  if (own && scene.pkiFacts.get(own.id ?? "")?.hasKey === false) {
    const message = `pki "${own.id}" has no private key, so it cannot prove who we are; add key = "pki/${own.id}.key" there`;
    findings.problem(entry, { key: "usercid" }, "CYG_CONFIG_CERTIFICATE", message);
  } else if (own?.state === "inact") {
    const message = `pki "${own.id}" is out of use (state = "inact"); name another one, or set state = "act" there`;
    findings.problem(entry, { key: "usercid" }, "CYG_CONFIG_CERTIFICATE", message);
  } else if (own?.usage && !own.usage.includes("tls")) {
    const message = `usage of pki "${own.id}" does not name "tls"`;
    findings.warning(entry, { key: "usercid" }, "CYG_CONFIG_ADVICE", message);
  }
}

async function checkStore(scene: Scene, now: number): Promise<void> {
  const { findings, sources } = scene;
  const place = scene.single("cftparm") ?? top(sources.main);
  let store: CertificateStore;
  try {
    store = await openStore(storeDirectory(scene.rundir));
  } catch (error) {
    findings.problem(place, { key: "rundir" }, "CYG_CONFIG_CERTIFICATE", describe(error));
    return;
  }
  scene.stored = store.list();
  for (const { text } of store.problems)
    findings.warning(place, { key: "rundir" }, "CYG_CONFIG_CERTIFICATE", text);
  for (const { part, certificate } of scene.stored.filter(({ state }) => state === "active")) {
    const text = endOf(certificate, now);
    const entry = scene.find("cftpart", part)?.entry;
    if (text && entry) {
      findings.warning(
        entry,
        { key: "id" },
        "CYG_CONFIG_CERTIFICATE",
        `in the certificate store: ${text}; "cygnet pki list --part ${part}" shows all`,
      );
    }
  }
}

/** What a person should know about the validity of a certificate; undefined = nothing. */
function endOf(certificate: X509Certificate, now: number): string | undefined {
  const { validFromDate: from, validToDate: to } = certificate;
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const which = `the certificate (SHA-256 ${certificate.fingerprint256})`;
  if (to.getTime() < now) return `${which} expired on ${day(to)}`;
  if (from.getTime() > now) return `${which} is valid from ${day(from)} only`;
  const days = Math.floor((to.getTime() - now) / 86_400_000);
  return to.getTime() - now < SOON
    ? `${which} expires on ${day(to)}, in ${days} ${days === 1 ? "day" : "days"}`
    : undefined;
}

async function checkFiles(
  scene: Scene,
  { entry, value }: Item<Pki>,
  secrets: SecretsByEntry,
  now: number,
): Promise<PkiFacts | undefined> {
  const { id = "", file, key } = value;
  if (file === undefined || key === undefined) return undefined;
  const names = { file: scene.path(file), ...(key && { key: scene.path(key) }) };
  if (!(await areThere(scene, entry, names))) return undefined;
  try {
    const password = secrets.get(entry)?.get("keypassw")?.reveal();
    const material = await loadMaterial({ id, ...names, ...(password !== undefined && { password }) });
    const text = value.state === "inact" ? undefined : endOf(material.certificate, now);
    if (text) scene.findings.warning(entry, { key: "file" }, "CYG_CONFIG_CERTIFICATE", text);
    checkKeyUsage(scene, entry, value, material.certificate);
    const hash = createHash("sha256");
    for (const path of Object.values(names)) hash.update(await readFile(path));
    // a new list of revoked certificates is a reason to judge anew; whether it can be read is told elsewhere
    for (const path of value.crlfile ?? []) hash.update(await readFile(scene.path(path)).catch(() => ""));
    return { digest: hash.digest("hex"), hasKey: material.key !== null };
  } catch (error) {
    let at = error instanceof CygnetError ? (KEY_OF_FAULT[error.code] ?? "file") : "file";
    if (at === "keypassw" && !entry.written.has(at)) at = key ? "key" : "file";
    if (at === "key" && !entry.written.has(at)) at = "file";
    const text = describe(error).replace(`${id}: `, "");
    const unread = error instanceof CygnetError && error.code === "CYG_PKI_FILE";
    const code = unread ? "CYG_CONFIG_FILE" : "CYG_CONFIG_CERTIFICATE";
    scene.findings.problem(entry, { key: at }, code, text);
    return undefined;
  }
}

/** A use that was written down and that the certificate itself forbids can only fail later. */
function checkKeyUsage(scene: Scene, entry: Entry, value: Loose<Pki>, certificate: X509Certificate): void {
  for (const [element, usage] of (value.usage ?? []).entries()) {
    const why = forbids(certificate, usage);
    if (why === undefined) continue;
    const message = `the certificate (SHA-256 ${certificate.fingerprint256}) must not be used for "${usage}": ${why}`;
    scene.findings.problem(entry, { key: "usage", element }, "CYG_CONFIG_CERTIFICATE", message);
  }
}

async function areThere(scene: Scene, entry: Entry, names: { file: string; key?: string }): Promise<boolean> {
  let there = true;
  for (const [which, path] of Object.entries(names)) {
    try {
      const { mode } = await stat(path);
      if ((which === "key" || /\.(p12|pfx)$/i.test(path)) && (mode & 0o007) !== 0) {
        scene.findings.warning(
          entry,
          { key: which },
          "CYG_CONFIG_ADVICE",
          `everybody may open ${path}; run chmod o= ${path}`,
        );
      }
    } catch (error) {
      there = false;
      const missing = isSystemError(error, "ENOENT");
      const code = missing ? "CYG_CONFIG_FILE_MISSING" : "CYG_CONFIG_FILE";
      const reason = missing ? "there is no such file" : describe(error);
      scene.findings.problem(
        entry,
        { key: which },
        code,
        `${path}: ${reason}; paths are relative to the main file`,
      );
    }
  }
  return there;
}
