/**
 * What the field needs to be tolerated, by name (deviations of products from RFC 5024 that do no harm). All are on
 * unless a partner's `quirks` say otherwise; each use is told.
 */
export const TOLERANCES = {
  "cr-missing": "SSRM, SSID or ESID without its carriage return",
  "esid-form": "a short ESID at OFTP 2.0, or a long one below",
  "trailing-fields-missing": "variable fields at the end of a command left out instead of empty",
  "cdt-short": "CDT without its two reserved octets",
  "numeric-flag": "1 and 0 instead of Y and N",
  "padding-after-command": "spaces behind SSRM, SSID or ESID",
  "cdt-early": "credit before the window is used up",
  "cdt-late": "credit after the file has ended",
  "cd-answered-by-cd": "the turn handed straight back",
  "esid-without-cd": "a normal end without passing the turn first",
  "closed-without-esid": "an idle line closed without ESID",
  "compression-not-negotiated": "compressed subrecords that were not agreed on",
  "response-codes-not-swapped": "EERP or NERP with originator and destination as in the file",
  "end-of-record-inside": "end-of-record bits inside an unstructured or text file",
  "end-of-record-missing": "no end-of-record bit at the end of a file",
  "empty-file-as-record": "an empty F file sent as one empty record",
} as const;

export type Tolerance = keyof typeof TOLERANCES;

/** Decides by name. */
export type Tolerates = (name: string) => boolean;

/**
 * The partner's choice: `strict` turns everything off, a name turns one on, `no-<name>` turns one off; later words
 * win over earlier ones.
 */
export function tolerates(quirks: readonly string[]): Tolerates {
  const off = new Set<string>();
  for (const quirk of quirks) {
    if (quirk === "strict") for (const name of Object.keys(TOLERANCES)) off.add(name);
    else if (quirk.startsWith("no-")) off.add(quirk.slice(3));
    else off.delete(quirk);
  }
  return (name) => !off.has(name);
}
