/**
 * A backup of a gateway, running or stopped: catalog, certificates, configuration and the files that it has in hand.
 *
 * Invariants
 * - What is in the backup is what a crash at one moment would have left: the records, and the file of each of them.
 * - A file that was received by then is delivered by the gateway or by the restored one, not by both: what the gateway has
 *   ended meanwhile is taken over as ended.
 * - Nothing of the gateway's is changed, and its commits wait only while file names are looked up.
 */
import { createHash, type X509Certificate } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, lstat, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CatalogCopy, CatalogSnapshot } from "../catalog/snapshot.ts";
import { CygnetError, isSystemError } from "../platform/errors.ts";
import { version } from "../platform/version.ts";
import { pack } from "./archive.ts";
import { type BackedFile, type Kind, MANIFEST, type Manifest, newManifest } from "./layout.ts";
import { Payload } from "./payload.ts";
import { type GatewayFiles, gatewayFiles } from "./sources.ts";

export interface BackupOrder {
  /** Main configuration file, rundir and catalog, absolute. */
  config: string;
  rundir: string;
  catalog: string;
  /** A gateway works with them. */
  running: boolean;
  /** File to write, absolute. */
  target: string;
  /** Keys and passwords too. */
  secrets: boolean;
  /** Who alone can open it; empty = it is not encrypted. */
  recipients: readonly X509Certificate[];
}

/** How long deliveries that are under way are waited for, ms. */
const DELIVERIES = 5_000;
const LOOK_AGAIN = 50;

/** @throws CygnetError CYG_BACKUP_PLAIN, CYG_BACKUP_CATALOG, CYG_CATALOG_…, or what the disk says */
export async function backup(order: BackupOrder): Promise<{ manifest: Manifest; size: number }> {
  const { config, rundir, catalog, secrets } = order;
  if (!existsSync(catalog)) {
    throw new CygnetError("CYG_BACKUP_CATALOG", `there is no catalog ${catalog}: the gateway has never run`);
  }
  const known = await gatewayFiles(config, rundir);
  if (!secrets && known.literals.length > 0) {
    const message = `passwords stand in the configuration itself (${known.literals.join(", ")}): back it up with --with-secrets or for a --recipient`;
    throw new CygnetError("CYG_BACKUP_PLAIN", message);
  }
  await mkdir(join(rundir, "work"), { recursive: true, mode: 0o770 });
  await clearLeft(join(rundir, "work"));
  const staging = await mkdtemp(join(rundir, "work", `.backup-${process.pid}-`));
  try {
    const manifest = await gather(order, known, staging);
    await writeFile(join(staging, MANIFEST), JSON.stringify(manifest, null, 1), { mode: 0o600 });
    return { manifest, size: await pack(staging, order.target, order.recipients) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function gather(order: BackupOrder, known: GatewayFiles, staging: string): Promise<Manifest> {
  const { catalog, rundir, secrets, running } = order;
  const payload = new Payload(staging, rundir);
  const kinds = new Map<string, { kind: Kind; secret: boolean }>();
  const left = [...known.left];
  for (const { path, kind, secret } of known.files) {
    if (secret && !secrets) {
      left.push(`${path}: a key or password`);
      continue;
    }
    await mkdir(dirname(payload.place(path)), { recursive: true, mode: 0o700 });
    await copyFile(path, payload.place(path));
    kinds.set(path, { kind, secret });
  }
  const { at, schema } = await freeze(catalog, payload);
  for (const path of payload.paths) kinds.set(path, { kind: "work", secret: false });
  for (const path of await payload.takeOutbox(known.scandirs))
    kinds.set(path, { kind: "outbox", secret: false });
  kinds.set(catalog, { kind: "catalog", secret: false });
  const files: BackedFile[] = [];
  for (const [path, { kind, secret }] of kinds)
    files.push({ path, kind, secret, ...(await factsOf(path, payload.place(path))) });
  const { directory, main, rundirWritten, site } = known;
  const where = { directory, main, rundir, rundirWritten };
  return newManifest({ version: version(), schema, site, at, running, secrets, ...where, files, left });
}

/** Catalog and payload as they are at one moment. */
async function freeze(path: string, payload: Payload): Promise<{ at: string; schema: number }> {
  const target = payload.place(path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const early = CatalogSnapshot.hold(path);
  try {
    early.release();
    await payload.prepare(early.pending());
  } finally {
    early.close();
  }
  const snapshot = CatalogSnapshot.hold(path);
  const at = new Date().toISOString();
  try {
    await payload.take(snapshot);
    snapshot.release();
    await snapshot.copyTo(target);
  } finally {
    snapshot.close();
  }
  const copy = new CatalogCopy(target);
  try {
    for (const amendment of payload.amendments) copy.amend(...amendment);
    const idtus = copy.pending().map(({ idtu }) => idtu);
    const deadline = performance.now() + DELIVERIES;
    while (copy.follow(path, idtus).length > 0 && performance.now() < deadline) await wait(LOOK_AGAIN);
    await payload.fit(copy);
    return { at, schema: copy.version };
  } finally {
    copy.close();
  }
}

/** `path` is where it stood, `staged` where it stands in the backup. */
async function factsOf(path: string, staged: string) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(staged)) hash.update(chunk);
  const [{ size }, { mode, mtimeMs }] = await Promise.all([
    lstat(staged),
    lstat(path).catch(() => lstat(staged)),
  ]);
  return { size, sha256: hash.digest("hex"), mode: mode & 0o777, mtime: Math.trunc(mtimeMs) };
}

/** Staging folders of backups that were killed. */
async function clearLeft(work: string): Promise<void> {
  for (const name of await readdir(work)) {
    const pid = /^\.backup-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(work, name), { recursive: true, force: true });
  }
}

/** Somebody else's process lives too. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !isSystemError(error, "ESRCH");
  }
}
