import { stat } from "node:fs/promises";
import { follow, Unavailable } from "./reference.ts";
import type { Scene } from "./rules/scene.ts";
import { keySchema } from "./schemas.ts";
import { Secret } from "./secret.ts";
import type { Entry } from "./sources.ts";

/** Secrets by the object and the key that they belong to. */
export type SecretsByEntry = ReadonlyMap<Entry, ReadonlyMap<string, Secret>>;

/** Keys whose values are secrets, or references to them. */
export const SECRET_KEYS: readonly { table: string; key: string; password: boolean }[] = [
  { table: "cftpart", key: "nspassw", password: true },
  { table: "cftpart", key: "nrpassw", password: true },
  { table: "pki", key: "keypassw", password: false },
  { table: "smtp", key: "passw", password: false },
  { table: "notify", key: "secret", password: false },
];
/** SSIDPSWD is X(8); many partners use lower case, which the code set lacks. */
const PASSWORD = /^[0-9A-Za-z &()./-]*$/;

/**
 * Reads the secrets that the configuration refers to. What is missing or unfit is told as a problem at its key,
 * without showing any of it.
 */
export async function readSecrets(scene: Scene, environment: NodeJS.ProcessEnv): Promise<SecretsByEntry> {
  const secrets = new Map<Entry, Map<string, Secret>>();
  for (const { table, key, password } of SECRET_KEYS) {
    for (const entry of scene.sources.entries) {
      if (entry.table !== table) continue;
      const reference = entry.value[key];
      if (typeof reference !== "string") continue;
      const fault = (message: string) => scene.findings.problem(entry, { key }, "CYG_CONFIG_SECRET", message);
      try {
        const text = await look(scene, entry, key, reference, environment);
        if (password && text.length > 8) fault(`found ${text.length} characters; allowed: at most 8`);
        else if (password && !PASSWORD.test(text)) {
          fault(
            "found a character outside the OFTP code set; allowed: digits, letters, space and & ( ) - . /",
          );
        } else
          secrets.set(entry, (secrets.get(entry) ?? new Map<string, Secret>()).set(key, new Secret(text)));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        fault(error.message);
      }
    }
  }
  return secrets;
}

async function look(
  scene: Scene,
  entry: Entry,
  key: string,
  reference: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const { text, path } = await follow(reference, scene.sources.directory, environment);
  if (path !== undefined && ((await stat(path)).mode & 0o007) !== 0) {
    const message = `everybody may open ${path}; run chmod o= ${path}`;
    scene.findings.warning(entry, { key }, "CYG_CONFIG_SECRET", message);
  }
  if (text !== undefined) return text;
  if (reference !== "" && !scene.tree.cftparm?.allow_plain_secrets) {
    throw new Unavailable(
      `a password written here is refused; allowed: ${keySchema(entry.table, key)?.["x-allowed"]}; or allow_plain_secrets = true in [cftparm]`,
    );
  }
  return reference;
}
