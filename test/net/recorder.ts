import { EventEmitter, once } from "node:events";
import { catalogue } from "../../src/messages/catalogue.ts";
import type { Journal, MessageVariables } from "../../src/messages/journal.ts";

/** A journal that remembers, and refuses what the message catalogue does not know. */
export class Recorder extends EventEmitter implements Journal {
  readonly entries: { id: string; variables: MessageVariables }[] = [];

  override emit(id: string, variables: MessageVariables = {}): boolean {
    const row = catalogue.get(id);
    if (!row) throw new Error(`message ${id} is not in the catalogue`);
    for (const { name, optional } of row.variables) {
      if (!optional && variables[name] === undefined) throw new Error(`${id} lacks ${name}`);
    }
    for (const name of Object.keys(variables)) {
      if (!row.variables.some((known) => known.name === name)) throw new Error(`${id} has no ${name}`);
    }
    this.entries.push({ id, variables });
    return super.emit("entry", id);
  }

  ids(ctx?: unknown): string[] {
    return this.entries
      .filter(({ variables }) => ctx === undefined || variables.ctx === ctx)
      .map(({ id }) => id);
  }

  find(id: string): MessageVariables | undefined {
    return this.entries.find((entry) => entry.id === id)?.variables;
  }

  /** The variables of the next (or an earlier) message with one of these ids. */
  async until(...ids: string[]): Promise<MessageVariables> {
    for (;;) {
      const found = this.entries.find(({ id }) => ids.includes(id));
      if (found) return found.variables;
      await once(this, "entry");
    }
  }
}
