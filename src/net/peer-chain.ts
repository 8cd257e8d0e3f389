import type { X509Certificate } from "node:crypto";
import { mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../platform/errors.ts";

/** Where the chain of a certificate is kept: the root name of CERFNAME and the certificate's fingerprint. */
export function chainFile(root: string, leaf: X509Certificate): string {
  return `${root}-${leaf.fingerprint256.replaceAll(":", "").slice(0, 16).toLowerCase()}.pem`;
}

/**
 * Stores what a partner showed, PEM, its own certificate first (Transfer CFT's CERFNAME). One file for each certificate:
 * a partner that calls a thousand times leaves one. The file appears whole.
 * Errors: those of the file system.
 */
export async function keepChain(file: string, chain: readonly X509Certificate[]): Promise<void> {
  if (await isThere(file)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o750 });
  const aside = `${file}.${process.pid}.${Math.trunc(performance.now() * 1000).toString(36)}.tmp`;
  try {
    const handle = await open(aside, "wx", 0o640);
    try {
      await handle.writeFile(chain.map((one) => one.toString()).join(""));
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    await unlink(aside).catch(() => {}); // it may never have come into being; the first error is the one that counts
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
