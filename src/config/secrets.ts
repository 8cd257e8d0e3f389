import { stat } from "node:fs/promises";
import { breather } from "../platform/breathe.ts";
import { follow, Unavailable } from "./reference.ts";
import type { Scene } from "./rules/scene.ts";
import { keySchema } from "./schemas.ts";
import { Secret } from "./secret.ts";
import type { Entry } from "./sources.ts";

/** Secrets by the object and the key that they belong to. */
export type SecretsByEntry = ReadonlyMap<Entry, ReadonlyMap<string, Secret>>;

/** What is wrong with a secret, without showing any of it; undefined = nothing. */
type Check = (text: string) => string | undefined;

/** Keys whose values are secrets, or references to them; what matches `open` is none. */
export const SECRET_KEYS: readonly { table: string; key: string; check: Check; open?: RegExp }[] = [
  { table: "cftpart", key: "nspassw", check: password },
  { table: "cftpart", key: "nrpassw", check: password },
  { table: "pki", key: "keypassw", check: () => undefined },
  { table: "smtp", key: "passw", check: () => undefined },
  { table: "notify", key: "secret", check: () => undefined },
  // a hash may stand in the configuration: it opens nothing
  { table: "apiuser", key: "token", check: token, open: /^sha256:[0-9a-f]{64}$/i },
];
/** SSIDPSWD is X(8); many partners use lower case, which the code set lacks. */
const PASSWORD = /^[0-9A-Za-z &()./-]*$/;

function password(text: string): string | undefined {
  if (text.length > 8) return `found ${text.length} characters; allowed: at most 8`;
  if (PASSWORD.test(text)) return undefined;
  return "found a character outside the OFTP code set; allowed: digits, letters, space and & ( ) - . /";
}

/** Shortest token that nobody guesses, and the characters that a header may carry (RFC 6750 section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]{24,}=*$/;

function token(text: string): string | undefined {
  if (text === "" || TOKEN.test(text)) return undefined;
  if (text.startsWith("sha256:")) {
    return /^sha256:[0-9a-f]{64}$/i.test(text) ? undefined : "a SHA-256 has 64 hexadecimal digits";
  }
  return `found ${text.length} characters; allowed: at least 24, letters, digits and - . _ ~ + /; make one with "openssl rand -hex 32"`;
}

/**
 * Reads the secrets that the configuration refers to. What is missing or unfit is told as a problem at its key,
 * without showing any of it.
 */
export async function readSecrets(scene: Scene, environment: NodeJS.ProcessEnv): Promise<SecretsByEntry> {
  const secrets = new Map<Entry, Map<string, Secret>>();
  const breathe = breather();
  for (const { table, key, check, open } of SECRET_KEYS) {
    for (const entry of scene.sources.entries) {
      if (entry.table !== table) continue;
      const reference = entry.value[key];
      if (typeof reference !== "string") continue;
      await breathe();
      const fault = (message: string) => scene.findings.problem(entry, { key }, "CYG_CONFIG_SECRET", message);
      try {
        const text = open?.test(reference)
          ? reference
          : await look(scene, entry, key, reference, environment);
        const wrong = check(text);
        if (wrong !== undefined) fault(wrong);
        else {
          secrets.set(entry, (secrets.get(entry) ?? new Map<string, Secret>()).set(key, new Secret(text)));
        }
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
