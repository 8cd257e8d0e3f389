/**
 * Loading a configuration: read, validate, check across objects, resolve. Everything that is wrong is told at once;
 * either there is a configuration without a fault, or there is none.
 */

import { stat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import type { ErrorObject } from "ajv";
import { TSL_ID } from "../pki/trust/tsl-store.ts";
import { breather } from "../platform/breathe.ts";
import type { Cygnet } from "./generated.ts";
import type { Configuration } from "./model.ts";
import { type Problem, sortProblems } from "./problem.ts";
import { resolveConfiguration } from "./resolve.ts";
import { checkAdministration } from "./rules/administration.ts";
import { checkAuthorities } from "./rules/authorities.ts";
import { checkCertificates } from "./rules/certificates.ts";
import { checkFlows } from "./rules/flows.ts";
import { checkFolders } from "./rules/folders.ts";
import { checkJobs } from "./rules/jobs.ts";
import { checkNetwork } from "./rules/network.ts";
import { checkNotifications } from "./rules/notifications.ts";
import { checkPartners } from "./rules/partners.ts";
import { checkProfiles } from "./rules/profiles.ts";
import { checkReferences } from "./rules/references.ts";
import { Scene } from "./rules/scene.ts";
import { checkScripts } from "./rules/scripts.ts";
import { checkSpace } from "./rules/space.ts";
import { reportViolations, type Violation } from "./schema-problems.ts";
import { tables, validate } from "./schemas.ts";
import { readSecrets, type SecretsByEntry } from "./secrets.ts";
import { readSources, type Sources, top } from "./sources.ts";

/** A configuration, or the reasons why there is none, in reading order. Warnings come with both. */
export type Result =
  | { configuration: Configuration; warnings: Problem[] }
  | { problems: Problem[]; warnings: Problem[] };

const CHECKS = [
  checkReferences,
  checkNetwork,
  checkProfiles,
  checkPartners,
  checkFlows,
  checkFolders,
  checkSpace,
  checkScripts,
  checkJobs,
  checkNotifications,
  checkAdministration,
];

export interface LoadOptions {
  /** Where `env:` and `cred:` secrets come from. */
  environment?: NodeJS.ProcessEnv;
  /** Wall clock, for certificates that have expired. */
  now?: number;
}

/** Loads `mainFile` and what it includes. Faults of the configuration are in the result, never thrown. */
export async function load(mainFile: string, options: LoadOptions = {}): Promise<Result> {
  const sources = await readSources(mainFile);
  const { findings } = sources;
  const breathe = breather();
  // With a file unread, everything that it defines would look unknown: judge only what stands for itself.
  const complete = !findings.problems.some(
    ({ code }) => code === "CYG_CONFIG_READ" || code === "CYG_CONFIG_SYNTAX",
  );
  const tree = await checkSchema(sources, complete);
  await breathe();
  const scene = new Scene(sources, tree);
  let secrets: SecretsByEntry = new Map();
  if (complete) {
    secrets = await readSecrets(scene, options.environment ?? process.env);
    // first: what the files hold decides what others may count on
    const now = options.now ?? Date.now();
    await checkCertificates(scene, secrets, now);
    for (const check of CHECKS) {
      check(scene);
      await breathe();
    }
    const trustList = await checkAuthorities(scene, now);
    if (trustList !== undefined) scene.pkiFacts.set(TSL_ID, { digest: trustList, hasKey: false });
  }
  const warnings = sortProblems(findings.warnings, sources.files);
  const { cftparm } = tree;
  if (findings.problems.length > 0 || !cftparm) {
    return { problems: sortProblems(findings.problems, sources.files), warnings };
  }
  return {
    configuration: resolveConfiguration({ ...tree, cftparm }, sources, secrets, scene.pkiFacts),
    warnings,
  };
}

/** Merges the entries, fills in defaults, reports violations and takes the faulty keys out. */
async function checkSchema(sources: Sources, complete: boolean): Promise<Cygnet> {
  const { entries, findings } = sources;
  const merged: Record<string, unknown> = { include: sources.include };
  for (const [name, schema] of tables()) {
    const rows = entries.filter((entry) => entry.table === name).map((entry) => entry.value);
    if (!schema["x-single"]) merged[name] = rows;
    else if (rows[0]) merged[name] = rows[0];
  }
  const byTable = Map.groupBy(entries, ({ table }) => table);
  const violations = (await validateInPieces(merged)).map((error): Violation => {
    const [table = "", ...rest] = error.instancePath.split("/").slice(1);
    const schema = tables().get(table);
    if (!schema) return { entry: top(sources.main), path: [table, ...rest], error };
    const rows = byTable.get(table) ?? [];
    const entry = rows[schema["x-single"] ? 0 : Number(rest[0])] ?? top(sources.main);
    return { entry, path: schema["x-single"] ? rest : rest.slice(1), error };
  });
  reportViolations(violations, findings);
  if (complete && !merged.cftparm && !findings.problems.some(({ object }) => object === "cftparm")) {
    const message = 'the site is missing; example: [cftparm] part = "HUB"';
    findings.problem({ ...top(sources.main), table: "cftparm" }, {}, "CYG_CONFIG_REQUIRED", message);
  }
  return merged as unknown as Cygnet;
}

/** Rows of a list that are validated at a time. */
const ROWS = 250;

/** Like `validate`, but long lists piece by piece, so that sessions go on meanwhile; places count from the whole list. */
async function validateInPieces(merged: Record<string, unknown>): Promise<ErrorObject[]> {
  const breathe = breather();
  const isLong = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > ROWS;
  const long = Object.entries(merged).filter((pair): pair is [string, unknown[]] => isLong(pair[1]));
  // in its order, with defaults for what is not there
  const short = { ...merged, ...Object.fromEntries(long.map(([name]) => [name, []])) };
  const errors = validate(short);
  Object.assign(merged, short, Object.fromEntries(long));
  for (const [name, rows] of long) {
    for (let at = 0; at < rows.length; at += ROWS) {
      for (const error of validate({ [name]: rows.slice(at, at + ROWS) })) {
        const [, table, index = "0", ...rest] = error.instancePath.split("/");
        if (table !== name) continue;
        errors.push({ ...error, instancePath: ["", name, Number(index) + at, ...rest].join("/") });
      }
      await breathe();
    }
  }
  return errors;
}

/** Certificate and key of a `[[pki]]` that has both under `rundir`: the gateway may make them itself. Absolute paths. */
export interface KeyFiles {
  id: string;
  file: string;
  key: string;
}

/**
 * The `[[pki]]` entries with a key under `rundir` of which a file does not exist yet. For a first start, before
 * `load`, which tells a missing file as CYG_CONFIG_FILE_MISSING. Other faults of the configuration are passed over.
 */
export async function missingKeyFiles(mainFile: string): Promise<KeyFiles[]> {
  const sources = await readSources(mainFile);
  const scene = new Scene(sources, await checkSchema(sources, true));
  const missing: KeyFiles[] = [];
  for (const { value } of scene.list("pki")) {
    if (value.id === undefined || value.file === undefined || !value.key) continue;
    const [file, key] = [scene.path(value.file), scene.path(value.key)];
    const ours = [file, key].every((path) => isBelow(path, scene.rundir));
    const present = await Promise.all(
      [file, key].map((path) =>
        stat(path).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (ours && present.includes(false)) missing.push({ id: value.id, file, key });
  }
  return missing;
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(resolve(folder), path);
  return way !== "" && way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}
