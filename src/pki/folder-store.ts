/**
 * The certificate store as a folder: `<directory>/<PART>/<SHA-256 in hex>.pem` and `.json`.
 *
 * Invariants
 * - What `add` and `change` have resolved for is on disk, whatever happens next.
 * - A broken entry costs itself and no other: it is in `problems`, the rest is in use.
 * - Two processes may work on one folder: a change starts from what the disk says, never from memory.
 */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CygnetError, describe, isSystemError } from "../platform/errors.ts";
import {
  createEntry,
  describeEntry,
  ENTRY,
  type EntryKey,
  isPartName,
  readEntry,
  stemOf,
} from "./entry-files.ts";
import type { CertificateStore, StoredCertificate, StoreProblem } from "./store.ts";
import { ASIDE } from "./whole-file.ts";

/** Where a gateway keeps the certificates of its partners. */
export function storeDirectory(rundir: string): string {
  return join(rundir, "pki", "partners");
}

/**
 * Opens the store in a folder, which need not exist yet. Entries that cannot be used are in `problems`.
 * Errors: CYG_PKI_FILE when the folder itself cannot be read.
 */
export async function openStore(directory: string, clock: Clock = systemClock): Promise<CertificateStore> {
  const store = new FolderStore(directory, clock);
  await store.refresh();
  return store;
}

class FolderStore implements CertificateStore {
  problems: readonly StoreProblem[] = [];
  readonly #directory: string;
  readonly #clock: Clock;
  /** By path without ending. */
  #entries = new Map<string, StoredCertificate>();
  /** Reads and writes of this process, one at a time. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  list(filter: { part?: string; state?: StoredCertificate["state"] } = {}): readonly StoredCertificate[] {
    return [...this.#entries.values()]
      .filter(({ part }) => filter.part === undefined || part === filter.part)
      .filter(({ state }) => filter.state === undefined || state === filter.state)
      .sort((a, b) => b.at - a.at || (a.fingerprint < b.fingerprint ? -1 : 1));
  }

  add(entry: Omit<StoredCertificate, "fingerprint" | "changed">): Promise<StoredCertificate> {
    return this.#alone(async () => {
      const fingerprint = entry.certificate.fingerprint256;
      const stem = stemOf(this.#directory, { part: entry.part, fingerprint });
      const added = { ...entry, fingerprint, changed: entry.at };
      // after a crash half-way the certificate is there without its description: then this completes it
      const made = await createEntry(stem, added);
      const kept = made ? added : await this.#known(stem, entry.part);
      this.#entries.set(stem, kept);
      return kept;
    });
  }

  change(
    key: EntryKey,
    to: Pick<StoredCertificate, "state" | "note"> & Partial<Pick<StoredCertificate, "usage">>,
  ): Promise<StoredCertificate> {
    return this.#alone(async () => {
      const stem = stemOf(this.#directory, key);
      const before = await this.#known(stem, key.part);
      const { state, note, usage = before.usage } = to;
      const after = { ...before, state, note, usage, changed: this.#clock.now() };
      await describeEntry(stem, after);
      this.#entries.set(stem, after);
      return after;
    });
  }

  refresh(): Promise<void> {
    return this.#alone(async () => {
      const entries = new Map<string, StoredCertificate>();
      const problems: StoreProblem[] = [];
      for (const part of await list(this.#directory)) {
        const path = join(this.#directory, part.name);
        if (!part.isDirectory() || !isPartName(part.name)) {
          problems.push({ path, text: `${path}: not the folder of a partner; it is ignored` });
          continue;
        }
        const tolerant = async <T>(at: string, work: () => Promise<T>): Promise<T | null> =>
          work().catch((error: unknown) => {
            problems.push({ path: at, text: describe(error) });
            return null;
          });
        const files = (await tolerant(path, () => list(path))) ?? [];
        for (const stem of stems(path, files, problems)) {
          const entry = await tolerant(stem, () => readEntry(stem));
          if (entry !== null) entries.set(stem, entry);
        }
      }
      this.#entries = entries;
      this.problems = problems;
    });
  }

  async #known(stem: string, part: string): Promise<StoredCertificate> {
    const found = await readEntry(stem);
    if (found !== null) return found;
    throw new CygnetError("CYG_PKI_UNKNOWN", `the store has no such certificate of ${part}: ${stem}`);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => {}); // whoever asked for it hears of the failure
    return result;
  }
}

/** The entries of a partner's folder, each once. */
function stems(path: string, found: readonly Dirent[], problems: StoreProblem[]): Set<string> {
  const result = new Set<string>();
  for (const { name } of found) {
    if (ENTRY.test(name)) result.add(join(path, name.replace(/\.\w+$/, "")));
    else if (!name.endsWith(ASIDE)) {
      const text = `${join(path, name)}: not an entry of the store, ignored; "cygnet pki import" takes certificates in`;
      problems.push({ path: join(path, name), text });
    }
  }
  return result;
}

async function list(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    if (isSystemError(cause, "ENOENT")) return [];
    throw new CygnetError("CYG_PKI_FILE", `${path} cannot be read: ${describe(cause)}`, { cause });
  }
}
