// Writes docs/messages.md from the tables of src/messages. With "--check" it only says whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messages } from "../src/messages/catalogue.ts";
import type { CodeKind, Meaning } from "../src/messages/codes.ts";
import { absentMessages } from "../src/messages/families/absent.ts";
import { KINDS, listOf } from "../src/messages/lookup.ts";
import type { Message } from "../src/messages/message.ts";
import { projectRoot } from "../src/platform/root.ts";

const INTRODUCTION = `# Messages and codes

Generated from \`src/messages/\` by \`npm run docs\`: edit the tables there, not this page. \`cygnet explain CODE\` says the
same for one code, \`cygnet explain --list KIND\` for all of a kind.

A message is \`CFT\`, a letter for its subject, two digits and its severity: T trace, I information, W warning, E error,
F fatal. Ids and variables are Transfer CFT's, in its order; numbers that it does not use hold what it has no words for.
\`cftlog.format\` decides how a line looks, here CFTT57I:

\`\`\`
V24   2026-11-20 09:14:05.120 CFTT57I Transfer started as requester <IDTU=00000042 PART=PARIS IDF=INVOICE IDS=7>
V23   2026-11-20 09:14:05.120 CFTT57I PART=PARIS IDF=INVOICE IDS=7 Transfer started as requester
json  {"time":"2026-11-20T08:14:05.120Z","level":"I","id":"CFTT57I","text":"…","variables":{"idtu":"00000042",…}}
\`\`\`

V23 shows 8 characters of identifiers and no IDTU. Variables in square brackets may be absent; those in braces stand in the
sentence, the others beside it.
`;

/** What the letter behind CFT speaks of, in the order of the page. */
const FAMILIES: readonly [letter: string, title: string][] = [
  ["I", "start"],
  ["E", "stop"],
  ["S", "system, configuration, scripts, jobs"],
  ["N", "network"],
  ["Y", "TLS"],
  ["H", "protocol sessions"],
  ["T", "transfers"],
  ["F", "files"],
  ["C", "catalog"],
  ["R", "requests and folders"],
  ["X", "authorisation"],
];

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => "---")).replaceAll(" ", ""), ...rows.map(row), ""].join("\n");
}

function carried({ variables, text }: Message): string {
  return variables
    .filter(({ name }) => !text.includes(`{${name}}`))
    .map(({ name, optional }) => (optional ? `[${name.toUpperCase()}]` : name.toUpperCase()))
    .join(" ");
}

function family([letter, title]: readonly [string, string]): string {
  const own = messages.filter(({ id }) => id[3] === letter);
  const sorted = [...own].sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = sorted.map((each) => [`\`${each.id}\``, each.text, carried(each), each.means, each.action]);
  return `### CFT${letter}: ${title}\n\n${table(["id", "text", "carries", "means", "do"], rows)}`;
}

function codeTable(kind: CodeKind): string {
  const rows = listOf(kind).map(({ code, name, means, action }: Meaning) =>
    name === code ? [`\`${code}\``, means, action] : [`\`${code}\` ${name}`, means, action],
  );
  return `## ${kind}: ${KINDS[kind]}\n\n${table(["code", "means", "do"], rows)}`;
}

/** The text of the page. */
export function messageReference(): string {
  const absent = absentMessages.map(([ids, name, why, action]) => [ids, name, why, action]);
  const kinds = (Object.keys(KINDS) as CodeKind[]).filter((kind) => kind !== "MESSAGE");
  return [
    INTRODUCTION,
    "## Messages\n",
    ...FAMILIES.map(family),
    "## Messages of Transfer CFT that are not written\n",
    table(["ids", "says there", "why not here", "instead"], absent),
    ...kinds.map(codeTable),
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = join(projectRoot(), "docs", "messages.md");
  if (!process.argv.includes("--check")) writeFileSync(page, messageReference());
  else if (readFileSync(page, "utf8") !== messageReference()) {
    console.error('docs/messages.md is not current; run "npm run docs"');
    process.exitCode = 1;
  }
}
