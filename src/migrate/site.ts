/** What the rules know of the whole extract, and where they leave what they find. */
import type { KeySchema, TableSchema } from "../config/schemas.ts";
import { wildmat } from "../platform/wildmat.ts";
import { Draft } from "./draft.ts";
import { Names } from "./names.ts";
import { type Source, shown, word, words } from "./objects.ts";
import type { Fate, Item } from "./report.ts";
import type { Result } from "./rule.ts";

/** The keys that this gateway has. */
export interface Keys {
  tables: ReadonlyMap<string, TableSchema>;
  key(table: string, key: string): KeySchema | undefined;
}

/** Flow of files that only pass through, there and here. */
export const RELAYED = "COMMUT";

export class Site {
  readonly keys: Keys;
  readonly names = new Names();
  readonly objects: readonly Source[];
  readonly items: Item[];
  readonly drafts: Draft[] = [];
  readonly todo: string[] = [];
  /** Files with passwords: path relative to the main file, text. */
  readonly secrets = new Map<string, string>();
  /** Why objects are left out as a whole. */
  readonly left = new Map<Source, string>();
  /** Ids of the cftxlate made for pairs of charsets, `local\0network`. */
  readonly charsets = new Map<string, string>();
  #namedFlows: Set<string> | undefined;
  readonly #draftOf = new Map<Source, Draft>();
  readonly #sourceOf = new Map<Draft, Source>();
  readonly #byCommand = new Map<string, Source[]>();
  readonly #byId = new Map<string, Source[]>();
  readonly #told = new Map<Source, Map<string, Item>>();

  constructor(keys: Keys, objects: readonly Source[], items: Item[]) {
    this.keys = keys;
    this.objects = objects;
    this.items = items;
    for (const object of objects) {
      push(this.#byCommand, object.kind.command, object);
      push(this.#byId, `${object.kind.command}/${word(object, "ID")}`, object);
    }
    this.names.reserve(objects.map((object) => word(object, "ID")));
  }

  /** Objects of a kind that are not left out. */
  of(command: string): Source[] {
    return (this.#byCommand.get(command) ?? []).filter((object) => !this.left.has(object));
  }

  /** Objects of a kind with this id (folded) that are not left out. */
  all(command: string, id: string): Source[] {
    return this.every(command, id).filter((object) => !this.left.has(object));
  }

  /** Objects of a kind with this id, left out or not. */
  every(command: string, id: string): readonly Source[] {
    return this.#byId.get(`${command}/${id}`) ?? [];
  }

  any(command: string, id: string): Source | undefined {
    return this.every(command, id)[0];
  }

  find(command: string, id: string): Source | undefined {
    return this.all(command, id)[0];
  }

  /** Leaves an object out: each of its parameters is told with the same reason. */
  leave(object: Source, why: string): void {
    this.left.set(object, why);
  }

  /** True when Transfer CFT accepts files that it is to forward. */
  forwards(): boolean {
    return this.every("CFTRECV", RELAYED).length > 0;
  }

  /** A new object of the new configuration; `object` is what it comes from. */
  draft(table: string, origin: string, object?: Source): Draft {
    const draft = new Draft(table, origin);
    this.drafts.push(draft);
    if (object) this.#draftOf.set(object, draft);
    if (object) this.#sourceOf.set(draft, object);
    return draft;
  }

  draftOf(object: Source): Draft | undefined {
    return this.#draftOf.get(object);
  }

  sourceOf(draft: Draft): Source | undefined {
    return this.#sourceOf.get(draft);
  }

  /**
   * Tells what became of a parameter; a second word on the same parameter takes the place of the first. `otherwise`
   * stands for the value of a parameter that is not given.
   */
  tell(fate: Fate, object: Source, parameter: string, to: string, why: string, otherwise = ""): void {
    const given = object.given.get(parameter);
    const from = given === undefined ? otherwise : shown(given);
    const before = this.#told.get(object)?.get(parameter);
    if (before) {
      Object.assign(before, { fate, to, why });
      return;
    }
    const line = given?.line ?? object.line;
    const item = { fate, file: object.file, line, object: object.title, parameter, from, to, why };
    this.items.push(item);
    const items = this.#told.get(object) ?? new Map<string, Item>();
    this.#told.set(object, items.set(parameter, item));
  }

  /**
   * Puts a password into a file of its own and gives the reference to it. A file that Transfer CFT names stays the
   * place of the password; a text that can be none is not written, so that the check asks for the file.
   */
  secret(text: string, name: string, longest: number): Result {
    const value = text.trim();
    const path = `secrets/${name}`;
    if (/^[#@]./.test(value)) {
      return {
        value: `file:${value.slice(1)}`,
        why: "the password stays in the file that Transfer CFT named",
      };
    }
    if (/^\*+$/.test(value) || value.length > longest || value === "_AUTH_") {
      this.todo.push(
        `put the password into ${path}: the extract does not have it in a form that can be used`,
      );
      return { value: `file:${path}`, why: "the extract does not have the password itself" };
    }
    this.secrets.set(path, value);
    return { value: `file:${path}` };
  }

  /** Flows (folded ids) to which a CFTIDF gives a network name that they are sent under. */
  namedFlows(): ReadonlySet<string> {
    const sent = (object: Source) => word(object, "TYPE").startsWith("S");
    this.#namedFlows ??= new Set(
      this.of("CFTIDF")
        .filter(sent)
        .map((object) => word(object, "ID")),
    );
    return this.#namedFlows;
  }

  /** Protocols of this gateway that a partner's PROT names, masks filled in, each with the place in the list. */
  protocols(part: Source): { id: string; place: number }[] {
    const known = this.of("CFTPROT").map((object) => word(object, "ID"));
    const found = words(part, "PROT").flatMap((name, place) => {
      if (!/[*?]/.test(name)) return known.includes(name) ? [{ id: name, place }] : [];
      return known.filter((id) => wildmat(name, id)).map((id) => ({ id, place }));
    });
    return found.filter(({ id }, index) => found.findIndex((other) => other.id === id) === index).slice(0, 4);
  }
}

function push(map: Map<string, Source[]>, key: string, object: Source): void {
  const list = map.get(key);
  if (list) list.push(object);
  else map.set(key, [object]);
}
