/** Who may do what with the gateway's files: modes and owners below rundir, of keys, of the configuration. */
import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, isSystemError } from "../../platform/errors.ts";
import { systemFileSystem } from "../../platform/filesystem.ts";
import { type Check, type Finding, finding } from "./finding.ts";

/** Entries that are looked at: beyond that a sample must do. */
const MOST = 50_000;
/** How many of a kind are named. */
const NAMED = 3;
/** Files in these folders may be anybody's: that is what they are for. */
const SHARED = ["inbox", "outbox"];

export const checkPermissions: Check = async ({ file, places, configuration }) => {
  const findings: Finding[] = [];
  const { rundir } = places;
  const base = await lstat(rundir).catch(() => null);
  if (base === null) {
    const action = "Start the gateway: it makes it; or correct rundir in [cftparm].";
    return [finding("permissions", "warn", `${rundir} is not there yet`, action)];
  }
  const trouble = await walkTrouble(rundir, base.uid);
  const many = (paths: readonly string[]) =>
    paths.slice(0, NAMED).join(", ") + (paths.length > NAMED ? ` and ${paths.length - NAMED} more` : "");
  const tell = (paths: readonly string[], level: "warn" | "fail", what: string, action: string) => {
    if (paths.length > 0) findings.push(finding("permissions", level, `${what}: ${many(paths)}`, action));
  };
  tell(trouble.open, "fail", "everybody may write", "chmod -R o-w what is named; look who has done that.");
  const owner = `chown -R ${base.uid}:${base.gid} what is named: the gateway cannot work on what is another's.`;
  tell(trouble.foreign, "fail", "not the gateway's own", owner);
  tell(trouble.unread, "warn", "cannot be looked at", "Run the doctor as root or as the gateway's user.");
  if (configuration) {
    const keys = [...configuration.pki.values()].flatMap(({ key }) => (key === "" ? [] : [key]));
    const exposed = await having(keys, (stat) => (stat.mode & 0o037) !== 0);
    tell(
      exposed,
      "fail",
      "more than the owner and its group may read a key, or change it",
      "chmod 0640 or 0600 the key.",
    );
    const secrets = configuration.cftparm.allow_plain_secrets ? configuration.files : [];
    const readable = await having(secrets, (stat) => (stat.mode & 0o004) !== 0);
    tell(readable, "warn", "passwords stand in files that everybody may read", "chmod o= the files.");
    const changed = await having(configuration.files, (stat) => (stat.mode & 0o002) !== 0);
    tell(changed, "fail", "everybody may change the configuration", "chmod o-w the files.");
    tell(
      await unwritable(file, keys),
      "warn",
      "cannot be read by this user",
      "Run the doctor as root or as the gateway's user.",
    );
  }
  if (findings.length > 0) return findings;
  return [
    finding("permissions", "ok", `${rundir}: ${trouble.seen} entries, keys and configuration are in order`),
  ];
};

/** Those that are there and for which `wrong` holds. */
async function having(paths: readonly string[], wrong: (stat: Stats) => boolean): Promise<string[]> {
  const stats = await Promise.all(paths.map((path) => lstat(path).catch(() => null)));
  return paths.filter((_, index) => {
    const stat = stats[index];
    return stat ? !stat.isSymbolicLink() && wrong(stat) : false;
  });
}

async function unwritable(file: string, keys: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const path of [file, ...keys]) {
    await systemFileSystem
      .open(path, "read")
      .then((handle) => handle.close())
      .catch((error: unknown) => {
        if (isSystemError(error, "EACCES", "EPERM")) paths.push(path);
        else if (!isSystemError(error, "ENOENT", "ELOOP")) paths.push(`${path} (${describe(error)})`);
      });
  }
  return paths;
}

/** What is wrong with modes and owners below a folder. */
async function walkTrouble(rundir: string, uid: number) {
  const found = { seen: 0, open: [] as string[], foreign: [] as string[], unread: [] as string[] };
  const shared = new Set(SHARED.map((name) => join(rundir, name)));
  const queue = [rundir];
  for (let folder = queue.pop(); folder !== undefined && found.seen < MOST; folder = queue.pop()) {
    const names = await readdir(folder).catch(() => null);
    if (names === null) {
      found.unread.push(folder);
      continue;
    }
    for (const name of names) {
      const path = join(folder, name);
      const stat = await lstat(path).catch(() => null);
      // gone meanwhile: the gateway works
      if (stat === null || stat.isSymbolicLink()) continue;
      found.seen += 1;
      if ((stat.mode & 0o002) !== 0) found.open.push(path);
      const ours = !isShared(path, shared) || stat.isDirectory();
      if (ours && stat.uid !== uid && dirname(path) !== join(rundir, "outbox")) found.foreign.push(path);
      if (stat.isDirectory()) queue.push(path);
    }
  }
  return found;
}

function isShared(path: string, shared: ReadonlySet<string>): boolean {
  for (let at = path; dirname(at) !== at; at = dirname(at)) if (shared.has(at)) return true;
  return false;
}
