/**
 * What is in a backup: a tar, compressed, perhaps in a CMS envelope. The first entry is the manifest; every other one is a
 * file under `files/` and the absolute path that it had.
 */
import { resolve } from "node:path";
import { CygnetError } from "../platform/errors.ts";

/** Stands in rundir while a restore puts its files there: a gateway does not start beside it. */
export const RESTORE_MARK = ".restoring";
export const MANIFEST = "manifest.json";
export const PREFIX = "files";
const FORMAT = 1;

/** What a file is to the gateway: decides where, and whether, it is restored. */
export type Kind =
  /** The configuration, and what it names. */
  | "config"
  | "catalog"
  /** Certificates below rundir: the store, and what became of ours. */
  | "pki"
  /** Claimed and half-received files. */
  | "work"
  /** Files in an outbox that no record knows. */
  | "outbox";

export interface BackedFile {
  /** Absolute, as it was. */
  path: string;
  kind: Kind;
  /** A private key or a password. */
  secret: boolean;
  size: number;
  /** Lower-case hexadecimal. */
  sha256: string;
  mode: number;
  /** ms since 1970 UTC. */
  mtime: number;
}

export interface Manifest {
  format: number;
  /** Version of the program that made it, and of the catalog's schema. */
  version: string;
  schema: number;
  /** cftparm.part. */
  site: string;
  /** ISO 8601, UTC: when the catalog was as it is in here. */
  at: string;
  /** A gateway worked meanwhile: what it did afterwards is not in here. */
  running: boolean;
  secrets: boolean;
  /** Folder of the main configuration file, its name, and rundir, absolute; `rundirWritten` is as the configuration has it. */
  directory: string;
  main: string;
  rundir: string;
  rundirWritten: string;
  files: BackedFile[];
  /** What was left out, in words. */
  left: string[];
}

/** A manifest, empty but for its format. */
export function newManifest(facts: Omit<Manifest, "format">): Manifest {
  return { format: FORMAT, ...facts };
}

/**
 * A manifest as somebody else may have written it: what it says decides where files are written, by root.
 * @throws CygnetError CYG_BACKUP_FORMAT
 */
export function readManifest(text: string): Manifest {
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.format === FORMAT && isSound(manifest)) return manifest;
  } catch {
    // said below
  }
  throw new CygnetError("CYG_BACKUP_FORMAT", "this is no backup that this version of cygnet can read");
}

const KINDS: readonly string[] = ["config", "catalog", "pki", "work", "outbox"] satisfies Kind[];

function isSound({ schema, directory, main, rundir, rundirWritten, files, left }: Manifest): boolean {
  return (
    Number.isInteger(schema) &&
    [directory, rundir, `${directory}/${main}`].every(isPlainPath) &&
    typeof rundirWritten === "string" &&
    Array.isArray(left) &&
    Array.isArray(files) &&
    files.every(isSoundFile)
  );
}

function isSoundFile({ path, kind, size, sha256, mode, mtime }: BackedFile): boolean {
  return (
    isPlainPath(path) &&
    KINDS.includes(kind) &&
    Number.isSafeInteger(size) &&
    typeof sha256 === "string" &&
    // no file of a gateway runs as somebody else
    Number.isInteger(mode) &&
    mode >= 0 &&
    mode <= 0o777 &&
    Number.isSafeInteger(mtime)
  );
}

/** Absolute, and without the steps up that would lead out of the folder that it is put into. */
function isPlainPath(path: unknown): boolean {
  return typeof path === "string" && path.startsWith("/") && resolve(path) === path && !path.includes("\0");
}
