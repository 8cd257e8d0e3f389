/**
 * What may not stand raw in a line of log or on a terminal: control characters (C0, DEL, C1), the Unicode line ends,
 * marks that turn the direction of writing, and halves of surrogate pairs.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const LONG: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", '"': '"' };

function code(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The text on one line and harmless on a terminal: `\n`, `\r`, `\t`, `\uXXXX`, and `\\` for a backslash. */
export function escapeControls(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(UNSAFE, (character) => SHORT[character] ?? code(character));
}

/** As escapeControls, but backslashes stay as they are: for text that nobody reads back. */
export function showControls(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? code(character));
}

/** JSON whose strings are harmless on a terminal too; still the same JSON value. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, code);
}

/** Undoes escapeControls. */
export function unescapeControls(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-f]{4})|([nrt\\"]))/g,
    (_, hex: string | undefined, letter: string | undefined) =>
      hex === undefined ? (LONG[letter ?? ""] ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
