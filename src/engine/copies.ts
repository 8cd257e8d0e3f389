/** A copy of a file that somebody wants to be sent: the file itself stays where it is. */
import { randomUUID } from "node:crypto";
import { basename, dirname, join, normalize } from "node:path";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import { type FileStatus, syncParent } from "../platform/filesystem.ts";
import { spoolDiagnostic } from "../spool/faults.ts";
import { wayOut } from "../spool/jail.ts";
import { isUnchanged } from "../spool/outgoing.ts";
import type { Site } from "./site.ts";

const PIECE = 1024 * 1024;
/** How old what is known of the disk may be, ms. */
const FRESH = 1_000;

/** A file that cannot be sent: what its record says, where it gets one. */
export class Unsendable extends CygnetError {
  readonly step: "H" | "K";
  readonly diagi: number;

  constructor(
    code: string,
    { step, diagi }: { step: "H" | "K"; diagi: number },
    text: string,
    cause?: unknown,
  ) {
    super(code, text, { cause });
    this.step = step;
    this.diagi = diagi;
  }
}

export interface Copy {
  path: string;
  /** What the file was when the copy was begun; null where it is none of this machine. */
  original: FileStatus | null;
  /** Last change of the file, ms since 1970 UTC. */
  mtimeMs: number;
  /** Removes what the copy needed beside itself, and itself where nobody has taken it. */
  forget(): Promise<void>;
}

/**
 * Makes a copy, complete and synced, in the work folder. `steady`: the file must not change meanwhile.
 * @throws Unsendable CYG_REQUEST_FILE (110, 104, 115), CYG_REQUEST_CHANGED (153); CygnetError CYG_DISK_LOW
 */
export async function makeCopy(site: Site, file: string, steady: boolean): Promise<Copy> {
  const { disk } = site;
  const original = await disk.status(file).catch((cause: unknown) => {
    const gone = isSystemError(cause, "ENOENT", "ENOTDIR");
    const why = { step: "H", diagi: gone ? 110 : spoolDiagnostic(cause) } as const;
    const text = gone ? "it is not there" : describe(cause);
    throw new Unsendable("CYG_REQUEST_FILE", why, `${file} cannot be read: ${text}`, cause);
  });
  if (original.kind !== "file") {
    throw new Unsendable("CYG_REQUEST_FILE", { step: "H", diagi: 104 }, `${file} is not a file`);
  }
  const { path, forget } = await placeFor(site, basename(file));
  try {
    await copyFile(site, file, path);
    const now = steady ? await disk.status(file).catch(() => null) : original;
    if (now === null || !isUnchanged(original, now)) {
      const text = `${file} was written to while it was copied`;
      throw new Unsendable("CYG_REQUEST_CHANGED", { step: "H", diagi: 153 }, text);
    }
    return { path, original, mtimeMs: original.mtimeMs, forget };
  } catch (error) {
    await forget();
    if (!isSystemError(error, "ENOENT", "EACCES") || (error as NodeJS.ErrnoException).path !== file)
      throw error;
    const why = { step: "H", diagi: spoolDiagnostic(error) } as const;
    throw new Unsendable("CYG_REQUEST_FILE", why, `${file} cannot be read: ${describe(error)}`, error);
  }
}

/**
 * Writes what comes from elsewhere, complete and synced, into the work folder.
 * @throws what the content throws
 */
export async function writeCopy(site: Site, name: string, content: AsyncIterable<Buffer>): Promise<Copy> {
  const { path, forget } = await placeFor(site, name);
  try {
    const target = await site.disk.open(path, "create");
    try {
      let at = 0;
      for await (const piece of content) {
        await target.write([piece], at);
        at += piece.length;
      }
      await target.sync();
    } finally {
      await target.close();
    }
    await syncParent(site.disk, path);
    return { path, original: null, mtimeMs: site.clock.now(), forget };
  } catch (error) {
    await forget();
    throw error;
  }
}

/**
 * A folder for one copy.
 * @throws CygnetError CYG_DISK_LOW
 */
async function placeFor(site: Site, name: string): Promise<Pick<Copy, "path" | "forget">> {
  const { disk, diskSpace } = site;
  await diskSpace.look(FRESH);
  if (diskSpace.shortage !== null) {
    throw new CygnetError("CYG_DISK_LOW", `nothing is taken on at present: ${diskSpace.shortage}`);
  }
  const folder = join(site.configuration.cftparm.rundir, "work", "submit", randomUUID());
  await disk.makeDirectory(folder);
  return { path: join(folder, name), forget: () => disk.removeDirectory(folder) };
}

async function copyFile(site: Site, from: string, to: string): Promise<void> {
  const { disk } = site;
  const source = await disk.open(from, "read");
  try {
    const target = await disk.open(to, "create");
    try {
      const piece = Buffer.allocUnsafeSlow(PIECE);
      for (let at = 0; ; ) {
        if (site.stopping) throw new CygnetError("CYG_REQUEST_STOPPING", "the gateway is shutting down");
        const count = await source.read(piece, at);
        if (count === 0) break;
        await target.write([piece.subarray(0, count)], at);
        at += count;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  await syncParent(disk, to);
  await disk.syncDirectory(dirname(dirname(to)));
}

/** @throws Unsendable CYG_REQUEST_OUTSIDE (145) for a file outside the working directory of its flow; "" = anywhere */
export async function inWorkingDirectory(
  { disk }: Site,
  { flow, workingdir, file }: { flow: string; workingdir: string; file: string },
): Promise<void> {
  if (workingdir === "") return;
  const out = await wayOut(disk, workingdir, normalize(file));
  if (out === undefined) return;
  const text = `${file} is not below ${workingdir}, workingdir of flow ${flow}: ${out}`;
  throw new Unsendable("CYG_REQUEST_OUTSIDE", { step: "K", diagi: 145 }, `${text} (DIAGI 145)`);
}
