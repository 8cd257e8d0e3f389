/**
 * Watching the configuration's files. Directories are watched, not files: an editor that saves by renaming, and a
 * new file in an include directory, are seen like any other change. One call per burst of changes.
 */
import { basename, dirname, resolve } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { type Clock, systemClock, type Timer } from "../platform/clock.ts";

export interface ConfigurationWatch {
  /** Follows other include directories, absolute paths; resolves when changes in them are seen. */
  follow(includes: readonly string[]): Promise<void>;
  /** Resolves when changes are seen from now on. */
  ready: Promise<void>;
  /** No call follows. */
  close(): Promise<void>;
}

export interface WatchTarget {
  /** The main file. */
  file: string;
  /** Include directories, absolute. They need not exist yet. */
  includes: readonly string[];
}

/** How long files must have been quiet before a burst counts as over, ms. */
const QUIET = 300;

/**
 * Calls `changed` after the main file or a `*.toml` of an include directory was written, made, removed or replaced,
 * once all was quiet for 300 ms. `failed` hears what the operating system refuses, for example for want of watches.
 */
export function watchConfiguration(
  target: WatchTarget,
  changed: () => void,
  failed: (error: unknown) => void,
  clock: Clock = systemClock,
): ConfigurationWatch {
  const file = resolve(target.file);
  const home = dirname(file);
  let includes = new Set(target.includes);
  let timer: Timer | undefined;
  let closed = false;
  let current: FSWatcher | undefined;
  const all = new Set<FSWatcher>();

  const isToml = (name: string) => name.endsWith(".toml") && !name.startsWith(".");
  const counts = (path: string) => path === file || (includes.has(dirname(path)) && isToml(basename(path)));

  function seen(event: string, path: string): void {
    if (closed || !(counts(path) || includes.has(path))) return;
    // A directory that was made anew is another directory. Watch afresh, and count the change once that is done:
    // what was put there meanwhile is then seen by whoever is called.
    if (event === "addDir") renew().then(wait, failed);
    else wait();
  }

  function wait(): void {
    timer?.cancel();
    if (!closed) timer = clock.timer(QUIET, changed);
  }

  /** Replaces the watcher; the old one goes when the new one sees, so that nothing is missed in between. */
  async function renew(): Promise<void> {
    const old = current;
    const fresh = watch([home, ...includes], {
      ignoreInitial: true,
      depth: 1,
      ignored: (path) => path !== home && !includes.has(path) && !counts(path),
      // Our own pause is enough, and a deleted file must count as much as a changed one.
      atomic: false,
    });
    current = fresh;
    all.add(fresh);
    fresh.on("all", seen).on("error", failed);
    await new Promise<void>((done) => fresh.once("ready", () => done()));
    if (old) {
      all.delete(old);
      await old.close();
    }
  }

  return {
    ready: renew(),
    follow(next) {
      const same = next.length === includes.size && next.every((folder) => includes.has(folder));
      includes = new Set(next);
      return same ? Promise.resolve() : renew();
    },
    async close() {
      closed = true;
      timer?.cancel();
      await Promise.all([...all].map((watcher) => watcher.close()));
    },
  };
}
