// Fills in the tables of docs/coming-from-transfer-cft.md from the rules of migrate, the schemas and the message
// catalogue: what stands between "<!-- generated: NAME -->" and "<!-- end -->". With "--check" it only says whether
// the page is current.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { show } from "../src/config/schema-problems.ts";
import { keySchema, tables } from "../src/config/schemas.ts";
import { messages } from "../src/messages/catalogue.ts";
import { COMMON, type Kind, type Row } from "../src/migrate/rule.ts";
import { KINDS } from "../src/migrate/rules/kinds.ts";
import { UCONF } from "../src/migrate/rules/uconf.ts";
import { projectRoot } from "../src/platform/root.ts";

const PAGE = join(projectRoot(), "docs", "coming-from-transfer-cft.md");

/** The page with its tables made anew. */
export function migrationReference(page: string): string {
  const sections: Record<string, () => string> = { objects, keys, uconf, messages: messageTable };
  return page.replace(/(<!-- generated: (\w+) -->)\n[\s\S]*?(<!-- end -->)/g, (_, begin, name, end) => {
    const make = sections[name as string];
    if (!make) throw new Error(`there is no table "${name}"`);
    return `${begin}\n\n${make()}\n\n${end}`;
  });
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), `|${"---|".repeat(titles.length)}`, ...rows.map(line)].join("\n");
}

/** True where this version has a table for the objects of a kind. */
function carried({ table: name }: Kind): boolean {
  return name !== "" && tables().has(name);
}

function header(name: string): string {
  return tables().get(name)?.["x-single"] ? `\`[${name}]\`` : `\`[[${name}]]\``;
}

function objects(): string {
  const rows = KINDS.map((kind) => {
    const here = carried(kind) ? header(kind.table) : "–";
    return [`\`${kind.command}\``, kind.what, here, carried(kind) ? "" : kind.why];
  });
  return table(["Transfer CFT", "what", "here", "why not, what instead"], rows);
}

function keys(): string {
  return KINDS.filter(carried)
    .map((kind) => {
      const own = kind.rows.filter((row) => !COMMON.includes(row));
      const rows = group(own.map((row) => cells(kind, row)));
      return `### ${kind.command}: ${header(kind.table)}\n\n${table(["parameter", "key", "remarks"], rows)}`;
    })
    .join("\n\n");
}

function cells({ table: home }: Kind, row: Row): [string, string, string] {
  const { parameter, key, why, missing, heeded } = row;
  const schema = key === "" ? undefined : keySchema(home, key);
  if (!schema) return [`\`${parameter}\``, heeded ? "obeyed" : "–", why];
  const ours = schema.default === undefined ? "" : ` (\`${show(schema.default)}\` here)`;
  const other = missing ? `not given means \`${missing.value}\` there${ours}: ${missing.why}` : "";
  const name = key === parameter.toLowerCase() && other === "" ? "same name" : `\`${key}\``;
  return [`\`${parameter}\``, name, other];
}

/** Neighbours with the same fate in one line. */
function group(rows: readonly [string, string, string][]): string[][] {
  const lines: string[][] = [];
  for (const [parameter, key, why] of rows) {
    const last = lines.at(-1);
    if (last && !key.startsWith("`") && last[1] === key && last[2] === why) last[0] += `, ${parameter}`;
    else lines.push([parameter, key, why]);
  }
  return lines;
}

function uconf(): string {
  const rows = UCONF.map(({ name, table: into, key, why }) => {
    const shown = name === "" ? "any other" : name.endsWith(".") ? `\`${name}*\`` : `\`${name}\``;
    return [shown, into === "" ? "–" : `\`${into}.${key}\``, why];
  });
  return table(["UCONF", "key", "remarks"], rows);
}

/** What each letter behind CFT speaks of, and which Transfer CFT messages of it do not exist here. */
const FAMILIES: readonly (readonly [letter: string, about: string, missing: string])[] = [
  ["I", "start", "tasks and the licence: there are none"],
  [
    "P",
    "loading of parameters",
    "one sentence for each fault instead, with file, line and column (`cygnet check`)",
  ],
  ["E", "stop", ""],
  ["S", "system, configuration, scripts", "file tasks, exits, Secure Relay, several nodes"],
  ["N", "network", ""],
  ["H", "protocol sessions", "malformed units of PeSIT"],
  ["T", "transfers", "messages and replies, exits, the licence, lists of files"],
  ["F", "files", "temporary names, SFTP"],
  ["C", "catalog", "a full catalog file: the catalog grows with the disk"],
  ["R", "requests", "syntax of CFTUTIL: the command line says it at once"],
  ["X", "authorisation", "access management"],
  ["Y", "TLS", "tasks, SSH"],
  ["B", "another protocol", "ETEBAC"],
  ["W", "warnings", "FORCE of templates"],
];

/** Numbers that Transfer CFT does not use hold what it has no words for. */
function own(id: string): boolean {
  const number = Number(id.slice(4, 6));
  const from: Record<string, number> = { H: 67, I: 44, R: 23, C: 31, F: 53, Y: 54 };
  const first = from[id[3] ?? ""];
  return first !== undefined
    ? number >= first
    : id[3] === "S" && (number === 70 || (number >= 75 && number !== 79));
}

function messageTable(): string {
  const rows = FAMILIES.map(([letter, about, missing]) => {
    const ids = messages.map(({ id }) => id).filter((id) => id[3] === letter);
    const list = (keep: (id: string) => boolean) =>
      ids
        .filter(keep)
        .map((id) => id.slice(4))
        .join(" ");
    return [`\`CFT${letter}\``, about, list((id) => !own(id)), list(own), missing];
  });
  return table(["family", "about", "the same here", "of our own", "left out"], rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync(PAGE, "utf8");
  const current = migrationReference(page);
  if (!process.argv.includes("--check")) writeFileSync(PAGE, current);
  else if (page !== current) {
    console.error('docs/coming-from-transfer-cft.md is not current; run "npm run docs"');
    process.exitCode = 1;
  }
}
