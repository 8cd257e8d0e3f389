// Writes docs/openapi.json from the routes of src/admin. With "--check" it only says whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeApi } from "../src/admin/description.ts";
import { projectRoot } from "../src/platform/root.ts";

/** The text of the file. */
export async function apiReference(): Promise<string> {
  return `${JSON.stringify(await describeApi(), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(projectRoot(), "docs", "openapi.json");
  if (!process.argv.includes("--check")) writeFileSync(file, await apiReference());
  else if (readFileSync(file, "utf8") !== (await apiReference())) {
    console.error('docs/openapi.json is not current; run "npm run docs"');
    process.exitCode = 1;
  }
}
