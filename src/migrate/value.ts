/** A value of a CFTUTIL parameter as it was written. */
export type Value = TextValue | ListValue;

export interface TextValue {
  kind: "text";
  text: string;
  /** Quotes around it: double ones keep letters as they are, without them most parameters fold to capitals. */
  quote: "" | "'" | '"';
  /** From 1. */
  line: number;
}

export interface ListValue {
  kind: "list";
  items: readonly Value[];
  line: number;
}

/** The texts of a value, nested lists flattened: one for a simple value, none for an empty one. */
export function texts(value: Value): TextValue[] {
  if (value.kind === "list") return value.items.flatMap(texts);
  return value.text.trim() === "" ? [] : [value];
}

/** The text of a simple value or of a list of one; undefined for a longer list; "" for nothing. */
export function single(value: Value): TextValue | undefined {
  const all = texts(value);
  if (all.length > 1) return undefined;
  return all[0] ?? { kind: "text", text: "", quote: "", line: value.line };
}

/** Letters as Transfer CFT compares identifiers: capitals, unless double quotes kept them. */
export function folded(value: TextValue): string {
  const text = value.text.trim();
  return value.quote === '"' ? text : text.toUpperCase();
}

/** A list of texts whose letters stay as they are. */
export function listOf(items: readonly string[], line: number): ListValue {
  return { kind: "list", line, items: items.map((text) => ({ kind: "text", text, quote: '"', line })) };
}

/** The value as a CFTUTIL script would have it, for reports. */
export function showValue(value: Value): string {
  if (value.kind === "list") return `(${value.items.map(showValue).join(", ")})`;
  return value.quote + value.text + value.quote;
}
