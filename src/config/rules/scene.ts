import { resolve } from "node:path";
import type { StoredCertificate } from "../../pki/store.ts";
import type { Findings } from "../findings.ts";
import type { Cygnet } from "../generated.ts";
import type { Entry, Sources } from "../sources.ts";

/** A table as the rules see it: keys that broke the schema are taken out, so any may be missing. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** Names of the tables that are lists, and what their entries are. */
export type ListTable = {
  [K in keyof Cygnet]-?: NonNullable<Cygnet[K]> extends { id: string }[] ? K : never;
}[keyof Cygnet];
export type Row<K extends ListTable> = Cygnet[K][number];

export interface Item<T> {
  entry: Entry;
  value: Loose<T>;
}

/** What was found in the files of a `[[pki]]`. */
export interface PkiFacts {
  /** Of the files' contents: a reload sees a renewed certificate by it. */
  digest: string;
  /** There is a private key: in a file of its own, or in the PKCS#12 file. */
  hasKey: boolean;
}

/** All that the cross-object rules look at. Defaults are filled in. */
export class Scene {
  readonly findings: Findings;
  readonly sources: Sources;
  readonly tree: Loose<Cygnet>;
  /** Absolute. */
  readonly rundir: string;
  /** By id; without those whose files cannot be used. Filled by the first rule. */
  readonly pkiFacts = new Map<string, PkiFacts>();
  /** The certificate store as it is now. Filled by the first rule. */
  stored: readonly StoredCertificate[] = [];

  /** Items by table, and by id within it: thousands of partners are looked up thousands of times. */
  readonly #lists = new Map<ListTable, readonly Item<Row<ListTable>>[]>();
  readonly #byId = new Map<ListTable, ReadonlyMap<string, Item<Row<ListTable>>>>();

  constructor(sources: Sources, tree: Loose<Cygnet>) {
    this.findings = sources.findings;
    this.sources = sources;
    this.tree = tree;
    this.rundir = resolve(sources.directory, tree.cftparm?.rundir ?? "var");
  }

  list<K extends ListTable>(table: K): readonly Item<Row<K>>[] {
    let list = this.#lists.get(table);
    if (list === undefined) {
      list = this.sources.entries
        .filter((entry) => entry.table === table)
        .map((entry) => ({ entry, value: entry.value as Loose<Row<K>> }));
      this.#lists.set(table, list);
    }
    return list as readonly Item<Row<K>>[];
  }

  /** The entry of a table that may appear once; undefined where it was not written. */
  single(table: "cftparm" | "cftcat" | "cftlog" | "admin"): Entry | undefined {
    return this.sources.entries.find((entry) => entry.table === table);
  }

  /** The first entry of a table with this id. */
  find<K extends ListTable>(table: K, id: string): Item<Row<K>> | undefined {
    let byId = this.#byId.get(table);
    if (byId === undefined) {
      const pairs = this.list(table).flatMap((item) =>
        item.value.id === undefined ? [] : [[item.value.id, item] as const],
      );
      byId = new Map(pairs.reverse());
      this.#byId.set(table, byId);
    }
    return byId.get(id) as Item<Row<K>> | undefined;
  }

  ids(table: ListTable): string[] {
    return this.list(table).flatMap((item) => (item.value.id === undefined ? [] : [item.value.id]));
  }

  /** Absolute path of a configuration file, relative names starting at the main file. */
  path(name: string): string {
    return resolve(this.sources.directory, name);
  }

  /** Absolute path of run-time data, relative names starting at `rundir`. */
  runtimePath(name: string): string {
    return resolve(this.rundir, name);
  }
}
