/** What became of an extract: every parameter once, every fault of its text, every thing left to do. */

/** Carried over as it is; carried over with another value; without counterpart; not understood. */
export type Fate = "translated" | "changed" | "without" | "problem";

export interface Item {
  fate: Fate;
  /** As given on the command line. */
  file: string;
  /** From 1; 0 where Transfer CFT's own default is meant. */
  line: number;
  /** For example `CFTPART PARIS`; "" for a fault of the text. */
  object: string;
  /** Transfer CFT's name; "" for the object as a whole. */
  parameter: string;
  /** The value as it was written; secrets are never shown. */
  from: string;
  /** The key with its new value, for example `cftpart.sap = [3305]`; "" where there is none. */
  to: string;
  /** Why it changed or has no counterpart, and what to do instead; "" where nothing is to be said. */
  why: string;
}

export interface Report {
  items: readonly Item[];
  /** Sentences: what a person has to do before the configuration can serve. */
  todo: readonly string[];
}

/** How many items of each fate. */
export function countItems(items: readonly Item[]): Record<Fate, number> {
  const counts: Record<Fate, number> = { translated: 0, changed: 0, without: 0, problem: 0 };
  for (const { fate } of items) counts[fate] += 1;
  return counts;
}

/**
 * The items for people: of an object that is told about as a whole, one line instead of one for each parameter.
 * In the order of the extract.
 */
export function condense(items: readonly Item[]): Item[] {
  const whole = new Set<string>();
  const name = ({ file, object, fate, why }: Item) => [file, object, fate, why].join("\0");
  for (const item of items) if (item.parameter === "" && item.object !== "") whole.add(name(item));
  return items.filter((item) => item.parameter === "" || !whole.has(name(item)));
}
