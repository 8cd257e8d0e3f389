import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parseCrls } from "../../pki/trust/crl.ts";
import { importedList, overdue, TSL_ID, trustListFile } from "../../pki/trust/tsl-store.ts";
import { describe, isSystemError } from "../../platform/errors.ts";
import type { Entry } from "../sources.ts";
import { usageOf } from "./certificate-usage.ts";
import type { Scene } from "./scene.ts";

/**
 * What `rootcid` names are authorities, the trust list is there where it is named, and lists of revoked certificates can
 * be read. Gives a digest of the trust list, where one is named.
 */
export async function checkAuthorities(scene: Scene, now: number): Promise<string | undefined> {
  let named: { entry: Entry; element: number } | undefined;
  for (const { entry, value } of [...scene.list("cftssl"), ...scene.list("cftpart")]) {
    const ids = value.rootcid ?? [];
    if (ids.length > 0 && ids.every((id) => scene.find("pki", id)?.value.state === "inact")) {
      const message = 'all of them are out of use (state = "inact"), so nobody could be trusted';
      scene.findings.problem(entry, { key: "rootcid" }, "CYG_CONFIG_CERTIFICATE", message);
    }
    for (const [element, id] of ids.entries()) {
      if (id === TSL_ID) named ??= { entry, element };
      const root = scene.find("pki", id)?.value;
      if (!root || usageOf(scene, root).includes("ca")) continue;
      const message = `usage of pki "${id}" does not name "ca"`;
      scene.findings.warning(entry, { key: "rootcid", element }, "CYG_CONFIG_ADVICE", message);
    }
  }
  await checkLists(scene);
  return named && checkTrustList(scene, named, now);
}

async function checkTrustList(
  scene: Scene,
  { entry, element }: { entry: Entry; element: number },
  now: number,
): Promise<string | undefined> {
  const at = { key: "rootcid", element };
  try {
    const list = await importedList(scene.rundir);
    if (list === null) {
      const message = `"${TSL_ID}" means the imported trust list, and none was imported; run: cygnet pki tsl import FILE --signer CERTIFICATE`;
      scene.findings.problem(entry, at, "CYG_CONFIG_REFERENCE", message);
      return undefined;
    }
    const late = overdue(list, now);
    if (late) scene.findings.warning(entry, at, "CYG_CONFIG_CERTIFICATE", late);
    const file = await readFile(trustListFile(scene.rundir));
    return createHash("sha256").update(file).digest("hex");
  } catch (error) {
    scene.findings.problem(entry, at, "CYG_CONFIG_CERTIFICATE", describe(error));
    return undefined;
  }
}

async function checkLists(scene: Scene): Promise<void> {
  for (const { entry, value } of scene.list("pki")) {
    const files = value.crlfile ?? [];
    if (files.length > 0 && !usageOf(scene, value).includes("ca")) {
      const message = `lists of revoked certificates belong to an authority, and usage of pki "${value.id}" does not name "ca"`;
      scene.findings.problem(entry, { key: "crlfile" }, "CYG_CONFIG_VALUE", message);
    }
    for (const [element, name] of files.entries()) {
      const path = scene.path(name);
      try {
        parseCrls(await readFile(path));
      } catch (error) {
        const missing = isSystemError(error, "ENOENT");
        const code = missing ? "CYG_CONFIG_FILE_MISSING" : "CYG_CONFIG_CERTIFICATE";
        const reason = missing
          ? "there is no such file; paths are relative to the main file"
          : describe(error);
        scene.findings.problem(entry, { key: "crlfile", element }, code, `${path}: ${reason}`);
      }
    }
  }
}
