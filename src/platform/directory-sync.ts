/**
 * Syncs of directories, shared: who asks while one is under way gets the next one, together with all others who have
 * asked by then. What a caller did to the directory before it asked is on the disk when its promise resolves.
 */
import { closeSync, constants, fsync, openSync } from "node:fs";

interface Running {
  current: Promise<void>;
  /** The sync after this one, asked for by somebody. */
  next: Promise<void> | null;
}

const running = new Map<string, Running>();

/** Makes renames and links in the directory `path` durable. Throws the system's error. */
export function syncDirectory(path: string): Promise<void> {
  const state = running.get(path);
  if (state === undefined) return begin(path);
  state.next ??= state.current.then(
    () => begin(path),
    () => begin(path),
  );
  return state.next;
}

function begin(path: string): Promise<void> {
  const current = syncOnce(path);
  const state: Running = { current, next: null };
  running.set(path, state);
  const over = () => {
    if (running.get(path) === state && state.next === null) running.delete(path);
  };
  current.then(over, over);
  return current;
}

async function syncOnce(path: string): Promise<void> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(descriptor, (error) => (error ? reject(error) : resolve()));
    });
  } finally {
    closeSync(descriptor);
  }
}
