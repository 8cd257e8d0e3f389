import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./root.ts";

let known: string | undefined;

/** The version of this program. */
export function version(): string {
  known ??= JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")).version as string;
  return known;
}
