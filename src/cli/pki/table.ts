/** The `[[pki]]` that a command proposes: to paste, or put beside the other configuration files. */
import { isAbsolute, join, relative } from "node:path";
import { writeNew } from "../../pki/whole-file.ts";
import { Failed } from "../context.ts";
import type { PkiScope } from "./scope.ts";

export interface Proposal {
  id: string;
  /** Absolute paths. */
  file: string;
  key: string;
  /** Reference to the key's passphrase; "" = none. */
  keypassw: string;
  usage: readonly string[];
  /** Kept out of use until partners have it. */
  inactive: boolean;
}

/** TOML with paths as the configuration has them: relative to the main file where that is no detour. */
export function renderProposal({ directory }: PkiScope, proposal: Proposal): string {
  const { id, keypassw, usage } = proposal;
  const path = (absolute: string): string => {
    const way = relative(directory, absolute);
    return isAbsolute(way) || way.startsWith("../../") ? absolute : way;
  };
  const pairs: [string, unknown][] = [
    ["id", id],
    ["file", path(proposal.file)],
    ["key", path(proposal.key)],
    ...(keypassw === "" ? [] : ([["keypassw", keypassw]] as [string, unknown][])),
    ...(usage.length === 0 ? [] : ([["usage", usage]] as [string, unknown][])),
    ...(proposal.inactive ? ([["state", "inact"]] as [string, unknown][]) : []),
  ];
  const width = Math.max(...pairs.map(([key]) => key.length));
  // a JSON string is a TOML string, and a JSON array of strings a TOML array
  return [
    "[[pki]]",
    ...pairs.map(([key, value]) => `${key.padEnd(width)} = ${JSON.stringify(value)}`),
    "",
  ].join("\n");
}

/** Where `--write` puts it. @throws Failed when the configuration has no include directory, or the file is there */
export function proposalFile({ includes, file }: PkiScope, id: string): string {
  const [folder] = includes;
  if (folder === undefined) {
    throw new Failed(
      `${file} names no include directory (include = ["partners.d"]); paste the table instead`,
    );
  }
  return join(folder, `pki-${id}.toml`);
}

export async function writeProposal(scope: PkiScope, proposal: Proposal): Promise<string> {
  const path = proposalFile(scope, proposal.id);
  if (await writeNew(path, renderProposal(scope, proposal), 0o644)) return path;
  throw new Failed(`${path} is there already; nothing was written to it`);
}
