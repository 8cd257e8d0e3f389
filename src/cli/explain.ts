import { type CodeKind, type Meaning, messageOf } from "../messages/codes.ts";
import { showControls } from "../messages/escape.ts";
import { KINDS, kindOf, listOf, lookup, written } from "../messages/lookup.ts";
import { type Column, renderTable, type TableTarget } from "./table.ts";

/** What `cygnet explain CODE` prints: text for people, json for programs. */
export interface Explanation {
  found: boolean;
  /** Several lines, without the last line end. */
  text: string;
  json: { code: string; matches: Meaning[]; suggestions: string[] };
}

/** What `cygnet explain --list` prints. */
export interface CodeList {
  found: boolean;
  text: string;
  /** The codes of the kind; without one, the kinds. */
  json: Meaning[] | { kind: CodeKind; about: string; codes: number }[];
}

function paragraph(meaning: Meaning): string {
  const { code, name } = meaning;
  const title = written(meaning);
  const lines = [
    name === code ? title : `${title}  ${name}`,
    `  means    ${meaning.means}`,
    `  do       ${meaning.action}`,
  ];
  const variables = messageOf(code)?.variables ?? [];
  if (meaning.kind === "MESSAGE" && variables.length > 0) {
    const names = variables.map(({ name, optional }) =>
      optional ? `[${name.toUpperCase()}]` : name.toUpperCase(),
    );
    lines.push(`  carries  ${names.join(" ")}`);
  }
  return lines.join("\n");
}

/** Explains a message id, a DIAGI, a DIAGP, an ESID, SFNA, EFNA or NERP reason, a TLS alert, or an error of this program. */
export function explain(code: string): Explanation {
  const { matches, suggestions } = lookup(code);
  const json = { code, matches, suggestions };
  if (matches.length > 0) return { found: true, text: matches.map(paragraph).join("\n\n"), json };
  const hint =
    suggestions.length > 0
      ? `Did you mean ${suggestions.join(", ")}?`
      : "Try a message id (CFTT75E), DIAGI 302, ESID 03, SFNA 02, EFNA 11, NERP 34, TLS 48 or CYG_NET_REFUSED; --list shows the kinds.";
  return { found: false, text: `The code ${showControls(code)} is not known. ${hint}`, json };
}

const CODES: readonly Column<Meaning>[] = [
  { title: "CODE", value: ({ code }) => code },
  { title: "MEANS", value: ({ name, code, means }) => (name === code ? means : name), shrink: true },
];
const KIND: readonly Column<{ kind: CodeKind; about: string; codes: number }>[] = [
  { title: "KIND", value: ({ kind }) => kind },
  { title: "CODES", value: ({ codes }) => codes, align: "right" },
  { title: "ABOUT", value: ({ about }) => about, shrink: true },
];

/** All codes of a kind (`message`, `esid`, `NERP`, `errors`, …) as a table; of "" the kinds themselves. */
export function list(kind: string, target: TableTarget): CodeList {
  const rows = Object.entries(KINDS).map(([each, about]) => {
    const name = each as CodeKind;
    return { kind: name, about, codes: listOf(name).length };
  });
  if (kind.trim() === "") return { found: true, text: renderTable(KIND, rows, target), json: rows };
  const asked = kindOf(kind);
  if (asked === undefined) {
    const known = rows.map((row) => row.kind).join(", ");
    return { found: false, text: `There is no kind ${showControls(kind)}; known are ${known}.`, json: [] };
  }
  const codes = listOf(asked);
  return { found: true, text: renderTable(CODES, codes, target), json: codes };
}
