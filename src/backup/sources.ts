/** Which files belong to a gateway, by its configuration as it is written: also one that is not good at present. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { SECRET_KEYS } from "../config/secrets.ts";
import { type Entry, readSources } from "../config/sources.ts";
import { isSystemError } from "../platform/errors.ts";
import type { Kind } from "./layout.ts";

/** Larger ones that a configuration happens to name are not its own, octets. */
const LARGEST = 16 * 1024 * 1024;

export interface SourceFile {
  path: string;
  kind: Kind;
  secret: boolean;
}

export interface GatewayFiles {
  directory: string;
  main: string;
  rundirWritten: string;
  site: string;
  files: SourceFile[];
  /** Folders that are watched for files to send, absolute. */
  scandirs: string[];
  left: string[];
  /** Passwords stand in the configuration itself, at these keys. */
  literals: string[];
}

/** Everything but the catalog and the payload. `rundir` is absolute. */
export async function gatewayFiles(mainFile: string, rundir: string): Promise<GatewayFiles> {
  const sources = await readSources(mainFile);
  const { directory, entries } = sources;
  const files = new Map<string, SourceFile>();
  const left: string[] = [];
  const add = async (path: string, kind: Kind, secret: boolean) => {
    const size = await sizeOf(path);
    if (size === null || files.get(path)?.secret) return;
    if (size > LARGEST) left.push(`${path}: larger than ${LARGEST / 1024 / 1024} MiB`);
    else files.set(path, { path, kind, secret: secret || (await holdsKey(path)) });
  };
  for (const file of sources.files) await add(file, "config", false);
  for (const entry of entries) {
    for (const { text, secret } of namesIn(entry)) {
      const path = resolve(directory, text);
      const within = isWithin(path, directory) && !isWithin(path, rundir);
      // what is outside belongs to others, unless it is a certificate or a password
      if (within || entry.table === "pki" || secret)
        await add(path, isWithin(path, rundir) ? "pki" : "config", secret);
    }
  }
  for (const name of credentialsIn(entries)) {
    const path = join(directory, "credentials", name.replace(/^secret_/, ""));
    if ((await sizeOf(path)) === null)
      left.push(`cred:${name}: systemd has it, and it is not in ${join(directory, "credentials")}`);
    else await add(path, "config", true);
  }
  for (const path of await filesBelow(join(rundir, "pki"))) {
    if (!isWithin(path, join(rundir, "pki", "revocation"))) await add(path, "pki", false);
  }
  const value = (table: string, key: string) => entries.find((entry) => entry.table === table)?.value[key];
  return {
    directory,
    main: relative(directory, sources.files[0] ?? mainFile),
    rundirWritten: String(value("cftparm", "rundir") ?? "var"),
    site: String(value("cftparm", "part") ?? ""),
    files: [...files.values()],
    scandirs: entries
      .filter(({ table }) => table === "cftfolder")
      .map(({ value: { scandir = "outbox" } }) => resolve(rundir, String(scandir))),
    left,
    literals: literalsIn(entries),
  };
}

export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !way.startsWith("/"));
}

/** Every file below a folder, absolute; none where there is no folder. Links are not followed. */
export async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Every text of an entry that may name a file. */
function* namesIn({ table, value }: Entry): Generator<{ text: string; secret: boolean }> {
  for (const [key, written] of Object.entries(value)) {
    for (const text of [written].flat()) {
      if (typeof text !== "string" || text === "" || text.includes("\n")) continue;
      if (text.startsWith("file:")) yield { text: text.slice(5), secret: true };
      else
        yield {
          text,
          secret: table === "pki" && (key === "key" || (value.key === undefined && "keypassw" in value)),
        };
    }
  }
}

function credentialsIn(entries: readonly Entry[]): Set<string> {
  const all = entries.flatMap(({ value }) => Object.values(value).flat());
  return new Set(
    all
      .flatMap((text) => (typeof text === "string" ? [/^cred:([A-Za-z0-9_.-]+)$/.exec(text)?.[1] ?? ""] : []))
      .filter(Boolean),
  );
}

function literalsIn(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ table, value }) =>
    SECRET_KEYS.filter((secret) => secret.table === table)
      .map(({ key, open }) => ({ key, open, text: value[key] }))
      .filter(
        ({ text, open }) =>
          typeof text === "string" && text !== "" && !/^(file|env|cred):/.test(text) && !open?.test(text),
      )
      .map(({ key }) => `${table} ${String(value.id ?? "")} ${key}`.replace("  ", " ")),
  );
}

/** null = there is no such file. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG", "EACCES", "ERR_INVALID_ARG_VALUE"))
      return null;
    throw error;
  }
}

async function holdsKey(path: string): Promise<boolean> {
  return /\.(p12|pfx|key)$/i.test(path) || (await readFile(path)).includes("PRIVATE KEY-----");
}
