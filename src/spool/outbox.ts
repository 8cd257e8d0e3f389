import { join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import { isSystemError } from "../platform/errors.ts";
import type { FileStatus, FileSystem } from "../platform/filesystem.ts";
import { wildmat } from "../platform/wildmat.ts";
import { statusOf } from "./directories.ts";
import { spoolError } from "./faults.ts";
import type { Candidate } from "./spool.ts";

/** A folder as it is scanned; keys and units of `[[cftfolder]]`. */
export interface OutboxRules {
  /** Absolute. */
  scandir: string;
  /** A partner or flow id, or "(0)" / "(1)": the first / second directory level below `scandir` names it. */
  part: string;
  idf: string;
  /** Milliseconds for which size and mtime must have been still. */
  fileidledelay: number;
  /** Files per scan; 0 = no limit. */
  filecount: number;
  /** Octets; 0 = no limit. */
  filesizemin: number;
  filesizemax: number;
  /** Wildmat patterns for the file's name; "" = none. */
  includefilter: string;
  excludefilter: string;
}

export interface ReadyFile {
  candidate: Candidate;
  part: string;
  /** "" where no directory names the flow: the partner's default. */
  idf: string;
}

export interface ScanResult {
  /** Oldest first. */
  ready: ReadyFile[];
  /** Milliseconds after which another look is due: a file is not yet still. Null when nothing waits. */
  waiting: number | null;
  /** Files below directories that name no partner, absolute. */
  unknown: string[];
  /** Files and directories that could not be looked at, with the reason. */
  unreadable: { path: string; error: unknown }[];
}

interface Sighting {
  size: number;
  mtimeMs: number;
  ino: bigint;
  /** Monotonic time since which the file has been as it is. */
  since: number;
}

/** What scans of one folder remember: files that were not still yet, and files to be left alone for a while. */
export class Sightings {
  readonly seen = new Map<string, Sighting>();
  readonly postponed = new Map<string, number>();

  /** Keeps a file that could not be claimed out of scans until monotonic time `until`. */
  postpone(path: string, until: number): void {
    this.postponed.set(path, until);
  }
}

const IGNORED_ENDINGS = [".tmp", ".part", ".filepart"];
const DEEPEST = 32;

/**
 * Looks once through an outbox. A file is ready when size and mtime have been the same for the idle delay:
 * measured between scans by the monotonic clock, so that a step of the wall clock neither hastens nor blocks
 * it. It is ready at first sight when it was renamed in: its ctime is later than its mtime, and its mtime older
 * than the delay. Throws when `scandir` itself cannot be read (CYG_SPOOL_GONE, CYG_SPOOL_DENIED, …).
 */
export async function scanOutbox(
  disk: FileSystem,
  clock: Clock,
  rules: OutboxRules,
  isPart: (name: string) => boolean,
  sightings: Sightings,
): Promise<ScanResult> {
  const result: ScanResult = { ready: [], waiting: null, unknown: [], unreadable: [] };
  const present = new Set<string>();
  const monotonic = clock.monotonic();

  const wait = (milliseconds: number): void => {
    result.waiting = Math.min(result.waiting ?? Number.POSITIVE_INFINITY, Math.max(milliseconds, 1));
  };

  async function look(path: string, levels: readonly string[]): Promise<void> {
    const part = mapped(rules.part, levels);
    if (part === undefined || !isPart(part)) {
      result.unknown.push(path);
      return;
    }
    const status = await statusOf(disk, path);
    if (status?.kind !== "file" || !fits(rules, status.size)) return;
    present.add(path);
    const until = sightings.postponed.get(path) ?? 0;
    const still = stillFor(sightings, path, status, clock, rules.fileidledelay);
    if (until > monotonic) wait(until - monotonic);
    else if (still < rules.fileidledelay) wait(rules.fileidledelay - still);
    else {
      const { size, mtimeMs, ino } = status;
      result.ready.push({
        candidate: { path, size, mtimeMs, ino },
        part,
        idf: mapped(rules.idf, levels) ?? "",
      });
    }
  }

  async function walk(folder: string, levels: readonly string[]): Promise<void> {
    for (const { name, kind } of await disk.list(folder)) {
      if (name.startsWith(".")) continue;
      const path = join(folder, name);
      try {
        if (kind === "directory" && levels.length < DEEPEST) await walk(path, [...levels, name]);
        else if (kind === "file" && isWanted(rules, name)) await look(path, levels);
      } catch (error) {
        // Gone between listing and looking: its owner took it away again.
        if (!isSystemError(error, "ENOENT")) result.unreadable.push({ path, error });
      }
    }
  }

  try {
    await walk(rules.scandir, []);
  } catch (error) {
    throw spoolError(error, `Scanning ${rules.scandir}`);
  }
  for (const memory of [sightings.seen, sightings.postponed]) {
    for (const path of memory.keys()) if (!present.has(path)) memory.delete(path);
  }
  result.ready.sort((a, b) => a.candidate.mtimeMs - b.candidate.mtimeMs || compare(a.candidate, b.candidate));
  if (rules.filecount > 0 && result.ready.length > rules.filecount) {
    result.ready.length = rules.filecount;
    wait(1);
  }
  return result;
}

/** How long a file has been as it is, in milliseconds; at least the delay when it was renamed in. */
function stillFor(
  sightings: Sightings,
  path: string,
  status: FileStatus,
  clock: Clock,
  delay: number,
): number {
  const { size, mtimeMs, ino, ctimeNs } = status;
  const before = sightings.seen.get(path);
  if (before !== undefined && before.size === size && before.mtimeMs === mtimeMs && before.ino === ino) {
    return clock.monotonic() - before.since;
  }
  const isNew = before?.ino !== ino;
  const renamedIn = ctimeNs / 1_000_000n > BigInt(mtimeMs) && clock.now() - mtimeMs >= delay;
  const since = clock.monotonic() - (isNew && renamedIn ? delay : 0);
  sightings.seen.set(path, { size, mtimeMs, ino, since });
  return clock.monotonic() - since;
}

function isWanted(rules: OutboxRules, name: string): boolean {
  const lower = name.toLowerCase();
  return (
    !IGNORED_ENDINGS.some((ending) => lower.endsWith(ending)) &&
    (rules.includefilter === "" || wildmat(rules.includefilter, name)) &&
    (rules.excludefilter === "" || !wildmat(rules.excludefilter, name))
  );
}

function fits(rules: OutboxRules, size: number): boolean {
  return size >= rules.filesizemin && (rules.filesizemax === 0 || size <= rules.filesizemax);
}

/** The id that a key gives, from the directory that it names where it is "(0)" or "(1)". */
function mapped(key: string, levels: readonly string[]): string | undefined {
  const level = /^\((\d)\)$/.exec(key)?.[1];
  return level === undefined ? key : levels[Number(level)];
}

function compare(a: Candidate, b: Candidate): number {
  return a.path < b.path ? -1 : 1;
}
