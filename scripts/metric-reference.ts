// Writes docs/metrics.md from the tables of src/engine/metrics. With "--check" it only says whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Definition, METRICS, PROCESS_METRICS } from "../src/engine/metrics/definitions.ts";
import { projectRoot } from "../src/platform/root.ts";

const INTRODUCTION = `# Metrics

Generated from \`src/engine/metrics/definitions.ts\` by \`npm run docs\`: edit the table there, not this page.
[monitoring.md](monitoring.md) says how to get at them and what to look at.

Labels: \`partner\` is an id of the configuration ("" for anybody else), \`direction\` is \`send\` or \`recv\`
(\`sent\` or \`received\` for responses), \`state\` a state letter of the catalog, \`role\` who opened the session
(\`requester\`: this side), \`diagi\` and \`reason\` codes that \`cygnet explain\` knows, \`event\` a name as in \`[[notify]]\`.

## The gateway

| metric | kind | labels | is |
|---|---|---|---|
`;

const PROCESS = `
## The process

As prom-client gives them for any process of Node.js.

| metric | is |
|---|---|
`;

/** The text of the page. */
export function metricReference(): string {
  const own = Object.entries(METRICS as Record<string, Definition>).map(
    ([name, { kind, labels, help, buckets }]) => {
      const bounds = buckets ? ` Buckets: ${buckets.join(", ")}.` : "";
      return `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help}${bounds} |\n`;
    },
  );
  const process = Object.entries(PROCESS_METRICS).map(([name, help]) => `| \`${name}\` | ${help} |\n`);
  return INTRODUCTION + own.join("") + PROCESS + process.join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(projectRoot(), "docs", "metrics.md");
  if (!process.argv.includes("--check")) writeFileSync(path, metricReference());
  else if (readFileSync(path, "utf8") !== metricReference()) {
    console.error("docs/metrics.md is not current: run npm run docs");
    process.exitCode = 1;
  }
}
