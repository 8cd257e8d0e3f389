import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { loadMaterial } from "../../pki/material.ts";
import { CygnetError, describe, isSystemError } from "../../platform/errors.ts";
import type { Pki } from "../generated.ts";
import type { SecretsByEntry } from "../secrets.ts";
import type { Item, Scene } from "./scene.ts";

/** Which key of [[pki]] a fault of its files is told at. */
const KEY_OF_FAULT: Record<string, string> = {
  CYG_PKI_CERTIFICATE: "file",
  CYG_PKI_KEY: "key",
  CYG_PKI_PASSWORD: "keypassw",
  CYG_PKI_MISMATCH: "key",
};

/**
 * Certificates and keys exist, can be read, belong together, and are of use to the profiles that name them.
 * Gives a digest of the files' contents for each id, by which a reload sees a renewed certificate.
 */
export async function checkCertificates(
  scene: Scene,
  secrets: SecretsByEntry,
  now: number,
): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const item of scene.list("pki")) {
    const digest = await checkFiles(scene, item, secrets, now);
    if (item.value.id !== undefined && digest !== undefined) digests.set(item.value.id, digest);
  }
  for (const { entry, value } of scene.list("cftssl")) {
    const own = value.usercid ? scene.find("pki", value.usercid) : undefined;
    if (own?.value.key === "") {
      const message = `pki "${value.usercid}" has no private key, so it cannot prove who we are; add key = "pki/${value.usercid}.key" there`;
      scene.findings.problem(entry, { key: "usercid" }, "CYG_CONFIG_CERTIFICATE", message);
    } else if (own?.value.usage && !own.value.usage.includes("tls")) {
      const message = `usage of pki "${value.usercid}" does not name "tls"`;
      scene.findings.warning(entry, { key: "usercid" }, "CYG_CONFIG_ADVICE", message);
    }
  }
  return digests;
}

/** What a certificate is for when nothing is said. */
export function defaultUsage({
  key,
  part,
}: {
  key?: string | undefined;
  part?: string | undefined;
}): NonNullable<Pki["usage"]> {
  if (key) return ["tls", "sign", "decrypt", "auth", "receipt"];
  return part ? ["encrypt", "sign", "auth", "receipt"] : ["ca"];
}

async function checkFiles(
  scene: Scene,
  { entry, value }: Item<Pki>,
  secrets: SecretsByEntry,
  now: number,
): Promise<string | undefined> {
  const { id = "", file, key } = value;
  if (file === undefined || key === undefined) return undefined;
  const names = { file: scene.path(file), ...(key && { key: scene.path(key) }) };
  let there = true;
  for (const [which, path] of Object.entries(names)) {
    try {
      const { mode } = await stat(path);
      if (which === "key" && (mode & 0o007) !== 0) {
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
      const code = missing ? "CYG_CONFIG_FILE_MISSING" : "CYG_CONFIG_CERTIFICATE";
      const reason = missing ? "there is no such file" : describe(error);
      scene.findings.problem(
        entry,
        { key: which },
        code,
        `${path}: ${reason}; paths are relative to the main file`,
      );
    }
  }
  if (!there) return undefined;
  try {
    const password = secrets.get(entry)?.get("keypassw")?.reveal();
    const material = await loadMaterial({ id, ...names, ...(password !== undefined && { password }) });
    const day = (date: Date) => date.toISOString().slice(0, 10);
    const warn = (text: string) =>
      scene.findings.warning(entry, { key: "file" }, "CYG_CONFIG_CERTIFICATE", text);
    if (material.notAfter.getTime() < now) warn(`the certificate expired on ${day(material.notAfter)}`);
    if (material.notBefore.getTime() > now)
      warn(`the certificate is valid from ${day(material.notBefore)} only`);
    const hash = createHash("sha256");
    for (const path of Object.values(names)) hash.update(await readFile(path));
    // a new list of revoked certificates is a reason to judge anew; whether it can be read is told elsewhere
    for (const path of value.crlfile ?? []) hash.update(await readFile(scene.path(path)).catch(() => ""));
    return hash.digest("hex");
  } catch (error) {
    let at = error instanceof CygnetError ? (KEY_OF_FAULT[error.code] ?? "file") : "file";
    if (at === "keypassw" && !entry.written.has(at)) at = "key";
    const text = describe(error).replace(`${id}: `, "");
    scene.findings.problem(entry, { key: at }, "CYG_CONFIG_CERTIFICATE", text);
    return undefined;
  }
}
