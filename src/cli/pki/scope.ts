/** What the commands about certificates work on: the configuration, the certificate store, and a gateway that may run. */
import { resolve } from "node:path";
import { load } from "../../config/load.ts";
import type { Configuration } from "../../config/model.ts";
import { placesOf } from "../../config/places.ts";
import { readSources } from "../../config/sources.ts";
import { openStore, storeDirectory } from "../../pki/folder-store.ts";
import type { CertificateStore } from "../../pki/store.ts";
import { describe } from "../../platform/errors.ts";
import { ask, NotRunning } from "../client.ts";
import { type CommonOptions, configFile, Failed } from "../context.ts";
import { remoteTarget, type Target } from "../target.ts";

export interface PkiScope {
  /** Main configuration file, its folder and the include directories, absolute. */
  file: string;
  directory: string;
  includes: readonly string[];
  rundir: string;
  /** Control socket. */
  socket: string;
  /** Ids of the partners, as far as they can be read. */
  partners: readonly string[];
  /** The [[pki]] as they are written, absolute paths: also of a configuration that is not good yet. "" = not said. */
  pki: readonly { id: string; file: string; key: string; keypassw: string }[];
  /** null while the configuration has errors: what is wrong may be the very certificate that is to come. */
  configuration: Configuration | null;
  store: CertificateStore;
}

/** Opens it; what cannot be used is told on stderr. Errors: CYG_PKI_FILE. */
export async function openScope(options: CommonOptions): Promise<PkiScope> {
  const file = configFile(options);
  const [result, places, sources] = await Promise.all([load(file), placesOf(file), readSources(file)]);
  if (places.problem) console.error(`cygnet: ${places.problem}; the [[pki]] of it are left out here`);
  const { rundir, socket } = places;
  const store = await openStore(storeDirectory(rundir));
  for (const { text } of store.problems) console.error(`warning: ${text}`);
  const rows = (table: string) =>
    sources.entries.filter((entry) => entry.table === table).map(({ value }) => value);
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const path = (value: unknown) => text(value) && resolve(sources.directory, text(value));
  return {
    file,
    directory: sources.directory,
    includes: sources.includes,
    rundir,
    socket,
    partners: rows("cftpart").map(({ id }) => text(id)),
    pki: rows("pki").map(({ id, file: certificate, key, keypassw }) => ({
      id: text(id),
      file: path(certificate),
      key: path(key),
      keypassw: text(keypassw),
    })),
    configuration: "configuration" in result ? result.configuration : null,
    store,
  };
}

/**
 * A running gateway takes changed files of a [[pki]] over; where none runs, the next start does.
 */
export async function tellGateway({ socket }: PkiScope, path: "/reload"): Promise<void> {
  try {
    const answer = await ask<{ accepted?: boolean; reasons?: string[] }>(socket, "POST", path);
    if (answer.accepted === false) throw new Error(answer.reasons?.join("; "));
  } catch (error) {
    if (error instanceof NotRunning) return;
    throw new Failed(
      `the change is made, but the running gateway has not taken it over (${describe(error)}); cygnet reload does`,
    );
  }
}

/** Done by the gateway elsewhere, by the one that runs here, or without one in the store itself: `local`. */
export async function decided<T>(
  options: CommonOptions,
  call: (target: Target) => Promise<T>,
  local: (scope: PkiScope) => Promise<T>,
): Promise<T> {
  const remote = remoteTarget(options);
  if (remote) return call(remote);
  const scope = await openScope(options);
  try {
    return await call(scope.socket);
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error;
    return local(scope);
  }
}
