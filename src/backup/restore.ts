/**
 * A backup becomes a gateway again: into an empty place, or in place of what is there.
 *
 * Invariants
 * - Nothing is touched before every file of the backup has come and its checksum is right.
 * - All or nothing: what fails half-way is undone; what is killed half-way leaves a mark beside which no gateway starts.
 * - What was there is moved aside, never deleted.
 */
import { createHash } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { lockCatalog } from "../catalog/lock.ts";
import { MIGRATIONS } from "../catalog/schema.ts";
import { CatalogCopy } from "../catalog/snapshot.ts";
import type { RecipientKey } from "../cms/transport.ts";
import { CygnetError } from "../platform/errors.ts";
import { systemFileSystem } from "../platform/filesystem.ts";
import { unpack } from "./archive.ts";
import { type BackedFile, MANIFEST, type Manifest, PREFIX, RESTORE_MARK, readManifest } from "./layout.ts";
import { isWithin } from "./sources.ts";

export interface RestoreOrder {
  /** The backup, absolute. */
  source: string;
  /** Opens its envelope. */
  key: RecipientKey | null;
  /** Main configuration file to be, absolute; null = where it was. */
  config: string | null;
  /** What is there is moved aside. */
  force: boolean;
  /** Files that nobody had claimed go back into the outbox, also of a gateway that went on working. */
  outbox: boolean;
}

export interface Restored {
  manifest: Manifest;
  config: string;
  rundir: string;
  /** Where what was there is now; "" = nothing was there. */
  aside: string;
  /** Outbox files that wait for somebody's decision, absolute. */
  apart: string[];
  /** Files that lay outside the gateway's own folders and were not restored. */
  outside: string[];
}

/** IDTUs that are left free: the old gateway may have given them out after the backup. */
const GAP = 10_000;

interface Places {
  directory: string;
  config: string;
  rundir: string;
}

/** A backup that may be restored. */
interface Admitted {
  manifest: Manifest;
  /** Its files by their paths. */
  listed: ReadonlyMap<string, BackedFile>;
  places: Places;
  staging: string;
}

/**
 * @throws CygnetError CYG_RESTORE_EXISTS, CYG_RESTORE_NEWER, CYG_BACKUP_FORMAT, CYG_BACKUP_KEY, CYG_CATALOG_IN_USE,
 * CYG_CMS_…, or what the disk says
 */
export async function restore(order: RestoreOrder): Promise<Restored> {
  const stamp = new Date().toISOString().replace(/[-:]|\..*/g, "");
  const found: Admitted[] = [];
  try {
    const arrived = new Set<string>();
    await unpack(order.source, order.key, async ({ name, content, size }) => {
      const [head] = found;
      if (head === undefined) {
        if (name !== MANIFEST || size > 256 * 1024 * 1024) throw damaged(`it begins with ${name}`);
        const chunks: Buffer[] = [];
        for await (const chunk of content) chunks.push(chunk);
        found.push(await admit(order, readManifest(Buffer.concat(chunks).toString())));
        return;
      }
      const path = name.startsWith(`${PREFIX}/`) ? name.slice(PREFIX.length) : "";
      const file = head.listed.get(path);
      if (file === undefined || arrived.has(path)) throw damaged(`${name} is not in its list`);
      if (size !== file.size) throw damaged(`${name} has ${size} octets, its list says ${file.size}`);
      await receive(file, content, join(head.staging, PREFIX, path));
      arrived.add(path);
    });
    const [head] = found;
    if (head === undefined) throw damaged("it is empty");
    const missing = head.manifest.files.find(({ path }) => !arrived.has(path));
    if (missing) throw damaged(`${missing.path} is missing`);
    return await put(order, head, stamp);
  } finally {
    for (const { staging } of found) await fs.rm(staging, { recursive: true, force: true });
  }
}

/** Whether it may be restored at all, and where; makes the staging folder. */
async function admit(order: RestoreOrder, manifest: Manifest): Promise<Admitted> {
  if (manifest.schema > MIGRATIONS.length) {
    const message = `the backup's catalog has schema version ${manifest.schema}, this program knows ${MIGRATIONS.length}: install cygnet ${manifest.version} or later`;
    throw new CygnetError("CYG_RESTORE_NEWER", message);
  }
  const config = order.config ?? join(manifest.directory, manifest.main);
  const directory = dirname(config);
  const rundir = resolve(directory, manifest.rundirWritten);
  const places = { directory, config, rundir };
  await systemFileSystem.makeDirectory(rundir);
  const there = await occupants(rundir);
  const files = manifest.files
    .filter(({ kind }) => kind === "config")
    .map(({ path }) => moved(path, manifest, places));
  const overwritten = files.filter((path) => path !== null && existsSync(path));
  if (!order.force && there.length + overwritten.length > 0) {
    const what = [
      ...(there.length > 0 ? [`${rundir} is not empty`] : []),
      ...overwritten.map((path) => `${path} is there`),
    ];
    const message = `${what.slice(0, 3).join(", ")}: nothing was restored; --force moves aside what is there`;
    throw new CygnetError("CYG_RESTORE_EXISTS", message);
  }
  if (there.length > 0 && !there.some((name) => name === "work" || name.endsWith(".db"))) {
    // a backup from strangers may name any folder
    const message = `${rundir} is not empty and no gateway has worked there: nothing was restored; empty it, or name another rundir`;
    throw new CygnetError("CYG_RESTORE_EXISTS", message);
  }
  const staging = await fs.mkdtemp(join(rundir, ".restore-"));
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  return { manifest, listed, places, staging };
}

/** What stands in rundir, but for what restores and the file system itself leave there. */
async function occupants(rundir: string): Promise<string[]> {
  const names = await fs.readdir(rundir);
  return names.filter((name) => name !== "lost+found" && !/^(\.restore-|before-restore-)/.test(name));
}

async function receive(file: BackedFile, content: AsyncIterable<Buffer>, target: string): Promise<void> {
  await fs.mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  let size = 0;
  const counted = async function* () {
    for await (const chunk of content) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  await pipeline(counted, createWriteStream(target, { flags: "wx", mode: 0o600, flush: true }));
  if (size !== file.size || hash.digest("hex") !== file.sha256)
    throw damaged(`${file.path} has another checksum`);
}

/** Where a file goes; null = it lay outside the gateway's folders. */
function moved(path: string, { rundir, directory }: Manifest, to: Places): string | null {
  if (isWithin(path, rundir)) return join(to.rundir, relative(rundir, path));
  if (isWithin(path, directory)) return join(to.directory, relative(directory, path));
  return null;
}

/** Puts everything in its place, or everything back. */
async function put(
  order: RestoreOrder,
  { manifest, places, staging }: Admitted,
  stamp: string,
): Promise<Restored> {
  const { rundir } = places;
  const old = join(rundir, `before-restore-${stamp}`);
  const main = join(manifest.directory, manifest.main);
  const apart: string[] = [];
  const outside: string[] = [];
  const goals: { from: string; to: string; mode: number; mtime: number; data: boolean }[] = [];
  for (const { path, kind, mode, mtime } of manifest.files) {
    const goal = path === main ? places.config : moved(path, manifest, places);
    if (goal === null) {
      outside.push(path);
      continue;
    }
    const aside = kind === "outbox" && manifest.running && !order.outbox;
    const to = aside ? join(rundir, "restored", relative(rundir, goal)) : goal;
    if (aside) apart.push(to);
    goals.push({ from: join(staging, PREFIX, path), to, mode, mtime, data: kind !== "config" });
  }
  const catalog = catalogOf(manifest);
  const copy = new CatalogCopy(join(staging, PREFIX, catalog));
  try {
    copy.move((path) => moved(path, manifest, places) ?? path);
    copy.skip(GAP);
  } finally {
    copy.close();
  }
  const target = moved(catalog, manifest, places);
  if (target === null) throw damaged("its catalog lay outside rundir: restore it by hand");
  await fs.mkdir(dirname(target), { recursive: true, mode: 0o770 });
  const lock = lockCatalog(target);
  const undo: (() => Promise<unknown>)[] = [];
  const mark = join(rundir, RESTORE_MARK);
  try {
    await fs.writeFile(mark, `${order.source}\n`);
    await systemFileSystem.syncDirectory(rundir);
    const there = (await occupants(rundir)).filter(
      (name) => join(rundir, name) !== mark && !isLock(join(rundir, name), target),
    );
    if (there.length > 0) await fs.mkdir(old, { mode: 0o750 });
    for (const name of there) await shift(join(rundir, name), join(old, name), undo);
    for (const { from, to, mode, mtime, data } of goals) {
      await fs.mkdir(dirname(to), { recursive: true, mode: data ? 0o770 : 0o750 });
      if (existsSync(to)) await shift(to, `${to}.before-restore-${stamp}`, undo);
      await moveIn(from, to, undo);
      await fs.chmod(to, mode);
      await fs.utimes(to, mtime / 1000, mtime / 1000);
      await systemFileSystem.syncDirectory(dirname(to));
    }
    await owned(places, [...goals.map(({ to }) => to), ...(there.length > 0 ? [old] : [])]);
    await fs.rm(mark);
    await systemFileSystem.syncDirectory(rundir);
  } catch (error) {
    for (const back of undo.reverse()) await back();
    if (existsSync(old)) await fs.rmdir(old);
    await fs.rm(mark, { force: true });
    throw error;
  } finally {
    lock.release();
  }
  return { manifest, config: places.config, rundir, aside: existsSync(old) ? old : "", apart, outside };
}

function catalogOf({ files }: Manifest): string {
  const found = files.find(({ kind }) => kind === "catalog");
  if (found === undefined) throw damaged("there is no catalog in it");
  return found.path;
}

function isLock(path: string, catalog: string): boolean {
  return path.startsWith(`${catalog}.lock`);
}

async function shift(from: string, to: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  await fs.rename(from, to);
  undo.push(() => fs.rename(to, from));
}

/** From the staging folder; the configuration may stand on another file system. */
async function moveIn(from: string, to: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  undo.push(() => fs.rm(to, { force: true }));
  try {
    await fs.rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await fs.copyFile(from, to);
    const file = await fs.open(to, "r+");
    await file.sync().finally(() => file.close());
  }
}

/** Root restores for the gateway's user: what comes belongs to whom its folder belongs to. */
async function owned({ rundir, directory }: Places, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const base of [rundir, directory]) {
    const { uid, gid } = await fs.stat(base);
    const all = new Set(
      paths.filter((path) => isWithin(path, base) && (base === rundir || !isWithin(path, rundir))),
    );
    for (const path of [...all])
      for (let at = dirname(path); at !== base && isWithin(at, base); at = dirname(at)) all.add(at);
    for (const path of all) await fs.lchown(path, uid, gid);
  }
}

function damaged(why: string): CygnetError {
  return new CygnetError("CYG_BACKUP_FORMAT", `the backup is damaged or none: ${why}`);
}
