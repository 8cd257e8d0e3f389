import type { AST } from "toml-eslint-parser";
import { parseTOML } from "toml-eslint-parser";

/** A place in a file, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/** Where a key and its value stand. For a table both are its header; for a list entry both are the entry. */
interface Place {
  key: Position;
  value: Position;
}

/**
 * Where every key of a TOML document stands; used for messages only. Keys are paths such as
 * `cftpart/0/sap/1`. The last place wins where a path occurs twice, the first header of a list counts for it.
 */
export class Positions {
  readonly #places = new Map<string, Place>();

  constructor(source: string) {
    const [document] = parseTOML(source).body;
    for (const node of document.body) {
      if (node.type === "TOMLTable") this.#table(node);
      else this.#pair(node, []);
    }
  }

  /** The place of a path, or of the nearest thing that holds it. */
  at(path: readonly (string | number)[], part: "key" | "value"): Position {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(path.slice(0, length).join("/"));
      if (place) return place[length === path.length ? part : "key"];
    }
    return { line: 1, column: 1 };
  }

  #table(node: AST.TOMLTable): void {
    const header = { key: start(node.key), value: start(node.key) };
    this.#places.set(node.resolvedKey.join("/"), header);
    const list = node.resolvedKey.slice(0, -1).join("/");
    if (node.kind === "array" && !this.#places.has(list)) this.#places.set(list, header);
    for (const pair of node.body) this.#pair(pair, node.resolvedKey);
  }

  #pair(pair: AST.TOMLKeyValue, parent: readonly (string | number)[]): void {
    let path = parent;
    for (const name of pair.key.keys) {
      path = [...path, name.type === "TOMLBare" ? name.name : name.value];
      const key = path.join("/");
      if (!this.#places.has(key)) this.#places.set(key, { key: start(name), value: start(name) });
    }
    this.#places.set(path.join("/"), { key: start(pair.key), value: start(pair.value) });
    this.#value(pair.value, path);
  }

  #value(node: AST.TOMLContentNode, path: readonly (string | number)[]): void {
    if (node.type === "TOMLInlineTable") for (const pair of node.body) this.#pair(pair, path);
    if (node.type !== "TOMLArray") return;
    node.elements.forEach((element, index) => {
      const place = { key: start(element), value: start(element) };
      this.#places.set([...path, index].join("/"), place);
      this.#value(element, [...path, index]);
    });
  }
}

function start(node: AST.HasLocs): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}
