// Writes docs/configuration.md from the schemas. With "--check" it only says whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allowed, show } from "../src/config/schema-problems.ts";
import { complete, type KeySchema, keySchema, tables } from "../src/config/schemas.ts";
import {
  JOB_VARIABLES,
  RECEIVE_VARIABLES,
  SCRIPT_VARIABLES,
  SEND_VARIABLES,
} from "../src/config/variables.ts";
import { projectRoot } from "../src/platform/root.ts";

const INTRODUCTION = `# Configuration

Generated from \`schemas/\` by \`npm run docs\`: edit the schemas, not this page.

The main file is \`etc/cygnet.toml\`. \`include = ["partners.d"]\` adds every \`*.toml\` file of the directories that it
names, in name order. Tables in double brackets may appear many times, in any file; those in single brackets once.
Editors complete and check keys when a file begins with \`#:schema ../schemas/cygnet.schema.json\`.

Durations are numbers in the unit of the key, or texts such as \`"500ms"\`, \`"90s"\`, \`"5m"\`, \`"2h"\`, \`"30d"\`.
Sizes are octets, or texts such as \`"10MB"\` (10 million) and \`"10MiB"\`. Passwords are references: \`"file:PATH"\`,
\`"env:NAME"\` or \`"cred:NAME"\` (a systemd credential).

What a change needs, when the gateway takes over an edited file: **now**, nothing; **new**, the next session or
transfer; **listen**, the listener is opened anew and live sessions stay; **restart**, a restart of the gateway.
A key marked \\* must be given.
`;

const variables = (names: readonly string[]) => names.map((name) => `\`&${name}\``).join(" ");

const VARIABLES = `## Symbolic variables

In \`cftsend.nfname\`: ${variables(SEND_VARIABLES)}

In \`cftrecv.fname\`: ${variables(RECEIVE_VARIABLES)}

In scripts of transfers (arguments, and the environment as \`CYGNET_NAME\`): ${variables(SCRIPT_VARIABLES)}

In jobs: ${variables(JOB_VARIABLES)}

\`&NAME\` is the value without blanks at its right. Between \`&\` and the name may stand, in this order: \`<\` or \`>\`
(justification where a length is given), \`+\` or \`-\` (upper, lower case), \`:\` (no padding), any of \`(-prefix)\`
\`(+suffix)\` (only where there is a value) and \`(=alternate)\` (where there is none), a slice (\`&8NAME\` the first 8
characters, \`&3.NAME\` from the third on, \`&3.2NAME\` two from the third on), a field (\`&%_2NAME\` the second of
the fields that \`_\` separates, \`&%_.2NAME\` the first two, \`&%_3.NAME\` from the third on). \`&.NAME\` is the text
\`&NAME\`.
`;

/** The text of the page. */
export function configurationReference(): string {
  const include = keySchema("", "include");
  const sections = [...tables()].map(([name, schema]) => {
    const title = schema["x-single"] ? `[${name}]` : `[[${name}]]`;
    const rows = Object.entries(schema.properties).map(([key, own]) => {
      return line(schema.required.includes(key) ? `\`${key}\` \\*` : `\`${key}\``, complete(own));
    });
    return [`## ${title}`, "", schema.description, "", ...HEADER, ...rows, ""].join("\n");
  });
  const outside = ["## Outside tables", "", ...HEADER, line("`include`", include ?? {}), ""].join("\n");
  return [INTRODUCTION, outside, ...sections, VARIABLES].join("\n");
}

const HEADER = ["| key | takes | default | meaning | change |", "|---|---|---|---|---|"];

function line(key: string, schema: KeySchema): string {
  const fallback = schema["x-default"] ?? (schema.default === undefined ? "" : `\`${show(schema.default)}\``);
  const meaning = (schema.description ?? "").replace(/ A change [^.]*\.$/, "");
  const example = schema.examples?.[0] === undefined ? "" : ` Example: \`${show(schema.examples[0])}\``;
  const cells = [key, allowed(schema), fallback, meaning + example, schema["x-reload"] ?? ""];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = join(projectRoot(), "docs", "configuration.md");
  if (!process.argv.includes("--check")) writeFileSync(page, configurationReference());
  else if (readFileSync(page, "utf8") !== configurationReference()) {
    console.error('docs/configuration.md is not current; run "npm run docs"');
    process.exitCode = 1;
  }
}
