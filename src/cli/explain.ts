import { lookup, type Meaning, messageOf } from "../messages/codes.ts";
import { showControls } from "../messages/escape.ts";

/** What `cygnet explain CODE` prints: text for people, json for programs. */
export interface Explanation {
  found: boolean;
  /** Several lines, without the last line end. */
  text: string;
  json: { code: string; matches: Meaning[]; suggestions: string[] };
}

function paragraph(meaning: Meaning): string {
  const lines = [
    meaning.kind === "MESSAGE"
      ? `${meaning.code}  ${meaning.name}`
      : `${meaning.kind} ${meaning.code}  ${meaning.name}`,
    `  means    ${meaning.means}`,
    `  do       ${meaning.action}`,
  ];
  const variables = messageOf(meaning.code)?.variables ?? [];
  if (meaning.kind === "MESSAGE" && variables.length > 0) {
    const names = variables.map(({ name, optional }) =>
      optional ? `[${name.toUpperCase()}]` : name.toUpperCase(),
    );
    lines.push(`  carries  ${names.join(" ")}`);
  }
  return lines.join("\n");
}

/** Explains a message id, a DIAGI, a DIAGP, an ESID, SFNA, EFNA or NERP reason, or a TLS alert. */
export function explain(code: string): Explanation {
  const { matches, suggestions } = lookup(code);
  const json = { code, matches, suggestions };
  if (matches.length > 0) return { found: true, text: matches.map(paragraph).join("\n\n"), json };
  const hint =
    suggestions.length > 0
      ? `Did you mean ${suggestions.join(", ")}?`
      : "Try a message id (CFTT75E), DIAGI 302, ESID 03, SFNA 02, EFNA 11, NERP 34 or TLS 48.";
  return { found: false, text: `The code ${showControls(code)} is not known. ${hint}`, json };
}
