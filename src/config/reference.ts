/** References to secrets: `file:path`, `env:NAME`, `cred:NAME` (a systemd credential). */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, isSystemError } from "../platform/errors.ts";

/** A secret that cannot be had; the message does not show it. */
export class Unavailable extends Error {}

/**
 * What a reference points at, without a line end behind it, and the file that it stood in. Text that is no reference
 * gives nothing. Paths are relative to `directory`.
 * @throws Unavailable
 */
export async function follow(
  reference: string,
  directory: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ text?: string; path?: string }> {
  const [, kind, name = ""] = /^(file|env|cred):(.*)$/s.exec(reference) ?? [];
  if (kind === "file") return read(resolve(directory, name));
  if (kind === "env") {
    const text = environment[name];
    if (text === undefined) throw new Unavailable(`the environment has no variable ${name}`);
    return { text };
  }
  if (kind === undefined) return {};
  const folder = environment.CREDENTIALS_DIRECTORY;
  if (folder === undefined) {
    throw new Unavailable(
      "there are no systemd credentials ($CREDENTIALS_DIRECTORY is not set); add LoadCredential= to the unit",
    );
  }
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.startsWith(".")) {
    throw new Unavailable(`"${name}" is no name of a credential; allowed: letters, digits, ".", "-" and "_"`);
  }
  return read(join(folder, name));
}

async function read(path: string): Promise<{ text: string; path: string }> {
  try {
    return { text: (await readFile(path, "utf8")).replace(/\r?\n$/, ""), path };
  } catch (error) {
    const reason = isSystemError(error, "ENOENT") ? "there is no such file" : describe(error);
    throw new Unavailable(`cannot read ${path}: ${reason}`);
  }
}
