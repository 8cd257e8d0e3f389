/**
 * Ids of this gateway for Transfer CFT's: letters, digits, ".", "-" and "_" stay, what else may stand in an
 * identifier there becomes "_". The same id always gets the same name, and two ids never the same one.
 */
import { folded, type TextValue } from "./value.ts";

const LONGEST_ID = 32;
const CLEAN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;

export class Names {
  readonly #given = new Map<string, string>();
  /** Names in use, in capitals: files are named after them, and some disks do not tell letters apart. */
  readonly #used = new Set<string>();

  /** Names for all ids, in order; those that may stay as they are get theirs first. */
  reserve(ids: readonly string[]): void {
    for (const id of ids) if (CLEAN.test(id)) this.of(id);
    for (const id of ids) if (id !== "") this.of(id);
  }

  /** The id for a value, which must not be empty. */
  id(value: TextValue): string {
    return this.of(folded(value));
  }

  of(text: string): string {
    const known = this.#given.get(text);
    if (known !== undefined) return known;
    const clean = text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .replace(/[^A-Za-z0-9_.-]/g, "_")
      .replace(/^[^A-Za-z0-9]/, "X$&");
    let name = clean.slice(0, LONGEST_ID) || "X";
    for (let counter = 2; this.#used.has(name.toUpperCase()); counter += 1) {
      const tail = `_${counter}`;
      name = clean.slice(0, LONGEST_ID - tail.length) + tail;
    }
    this.#used.add(name.toUpperCase());
    this.#given.set(text, name);
    return name;
  }
}
