/** `cygnet backup` and `cygnet restore`. */
import { readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Status } from "../admin/status.ts";
import { type BackupOrder, backup as makeBackup } from "../backup/backup.ts";
import { restore as restoreBackup } from "../backup/restore.ts";
import { readSources } from "../config/sources.ts";
import { loadMaterial } from "../pki/material.ts";
import { ask, NotRunning } from "./client.ts";
import { type CommonOptions, configFile, Failed, octets, places, print, printJson } from "./context.ts";

export interface BackupOptions extends CommonOptions {
  withSecrets?: boolean;
  recipient?: string[];
  keep?: number;
}

export interface RestoreOptions extends CommonOptions {
  recipient?: string;
  key?: string;
  force?: boolean;
  withOutbox?: boolean;
}

export async function backup(where: string, options: BackupOptions): Promise<void> {
  const { rundir, catalog, socket } = await places(options);
  const recipients = await Promise.all(
    (options.recipient ?? []).map(
      async (file) => (await loadMaterial({ id: "recipient", file: resolve(file) })).certificate,
    ),
  );
  const secrets = options.withSecrets || recipients.length > 0;
  const config = configFile(options);
  const folder = await stat(where).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const ending = recipients.length > 0 ? ".tar.gz.cms" : ".tar.gz";
  const site = await siteOf(config);
  const target = folder ? join(resolve(where), `cygnet-${site}-${stampNow()}${ending}`) : resolve(where);
  const order: BackupOrder = {
    config,
    rundir,
    catalog,
    running: await answers(socket),
    target,
    secrets,
    recipients,
  };
  const { manifest, size } = await makeBackup(order);
  const removed = folder && options.keep ? await thin(resolve(where), site, options.keep) : [];
  const { files, left, at } = manifest;
  const count = (kind: string) => files.filter((one) => one.kind === kind).length;
  if (options.json) return printJson({ file: target, size, at, secrets, files: files.length, left, removed });
  print(`${target}: ${octets(size)} octets, the gateway as of ${at}`);
  print(
    `  ${count("config")} configuration files, ${count("pki")} of certificates, ${count("work")} under way, ${count("outbox")} in outboxes`,
  );
  for (const text of left) print(`  left out: ${text}`);
  for (const file of removed) print(`  removed: ${file}`);
}

export async function restore(file: string, options: RestoreOptions): Promise<void> {
  const named = options.config ?? process.env.CYGNET_CONFIG;
  const config = named ? resolve(named) : null;
  const { recipient, key } = options;
  if ((recipient === undefined) !== (key === undefined)) {
    throw new Failed(
      "--recipient and --key belong together: the certificate that the backup was made for, and its key",
      2,
    );
  }
  let opener = null;
  if (recipient !== undefined && key !== undefined) {
    const material = await loadMaterial({ id: "recipient", file: resolve(recipient), key: resolve(key) });
    if (material.key !== null) opener = { certificate: material.certificate, key: material.key };
  }
  if (config !== null) {
    const { socket } = await places({ ...options, config });
    if (await answers(socket)) throw new Failed(`a gateway runs on ${socket}: stop it first (cygnet shut)`);
  }
  const order = {
    source: resolve(file),
    key: opener,
    config,
    force: options.force ?? false,
    outbox: options.withOutbox ?? false,
  };
  const restored = await restoreBackup(order);
  const { manifest, aside, apart, outside, rundir } = restored;
  if (options.json) {
    const { site, at, version, left } = manifest;
    return printJson({ site, at, version, config: restored.config, rundir, aside, apart, outside, left });
  }
  print(`${manifest.site} as of ${manifest.at} is restored: ${restored.config}, ${rundir}`);
  if (aside) print(`  what was there is in ${aside}`);
  for (const text of manifest.left) print(`  not in the backup: ${text}`);
  for (const path of outside) print(`  not restored, as it lay outside the gateway's folders: ${path}`);
  if (apart.length > 0) {
    print(
      `  ${apart.length} files of outboxes are in ${join(rundir, "restored")}: the old gateway may have sent them after the backup.`,
    );
    print("  Look into the partners' receipts, then move those that were not sent into the outbox.");
  }
  print('  Next: "cygnet doctor", then start the gateway.');
}

/** Whether a gateway works there; one that may not be asked does. */
function answers(socket: string): Promise<boolean> {
  return ask<Status>(socket, "GET", "/status").then(
    () => true,
    (error: unknown) => !(error instanceof NotRunning),
  );
}

async function siteOf(config: string): Promise<string> {
  const { entries } = await readSources(config);
  const part = entries.find(({ table }) => table === "cftparm")?.value.part;
  return typeof part === "string" && /^[\w.-]+$/.test(part) ? part : "site";
}

function stampNow(): string {
  return new Date().toISOString().replace(/[-:]|\..*/g, "");
}

/** Removes all but the newest `keep` backups of a site from a folder; names tell their age. */
async function thin(folder: string, site: string, keep: number): Promise<string[]> {
  const escaped = site.replaceAll(".", "\\.");
  const mine = new RegExp(`^cygnet-${escaped}-\\d{8}T\\d{6}\\.tar\\.gz(\\.cms)?$`);
  const old = (await readdir(folder))
    .filter((name) => mine.test(name))
    .sort()
    .reverse()
    .slice(keep);
  for (const name of old) await rm(join(folder, name));
  return old.map((name) => join(folder, name));
}
