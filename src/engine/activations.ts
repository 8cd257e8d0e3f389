/**
 * What operators opened and closed while the gateway runs (ACT, INACT). An order outlives restarts, and ends when the
 * configuration changes its own word on the matter.
 */
import type { Activation, Catalog } from "../catalog/catalog.ts";
import type { Configuration, Cron, Folder, Part } from "../config/model.ts";

export type Mode = "both" | "requester" | "server";

/** State of a partner after ACT and INACT: the mode is absolute, the last order wins. */
export const PART_STATES: Record<"act" | "inact", Record<Mode, Part["state"]>> = {
  act: { both: "activeboth", requester: "activereq", server: "activeserv" },
  inact: { both: "noactive", requester: "activeserv", server: "activereq" },
};

/** What can be opened and closed, by kind. */
export function switchable({
  cftpart,
  cftfolder,
  cftcron,
}: Configuration): Record<Activation["kind"], ReadonlyMap<string, { state: string }>> {
  return { part: cftpart, folder: cftfolder, cron: cftcron };
}

export class Activations {
  readonly #catalog: Catalog;
  readonly #orders = new Map<string, Activation>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Reads the orders that stand, and drops those on which the configuration has changed its mind. */
  async refresh(configuration: Configuration): Promise<void> {
    const tables = switchable(configuration);
    this.#orders.clear();
    for (const order of await this.#catalog.activations()) {
      if (tables[order.kind].get(order.id)?.state === order.configured) this.#orders.set(keyOf(order), order);
      else await this.#catalog.setActivation(order);
    }
  }

  part({ id, state }: Pick<Part, "id" | "state">): Part["state"] {
    return (this.#orders.get(keyOf({ kind: "part", id }))?.state ?? state) as Part["state"];
  }

  /** True when sessions that we open (`calling`), or that the partner opens, may serve it now. */
  allows(part: Pick<Part, "id" | "state">, calling: boolean): boolean {
    const state = this.part(part);
    return state === "activeboth" || state === (calling ? "activereq" : "activeserv");
  }

  folder({ id, state }: Pick<Folder, "id" | "state">): Folder["state"] {
    return (this.#orders.get(keyOf({ kind: "folder", id }))?.state ?? state) as Folder["state"];
  }

  job({ id, state }: Pick<Cron, "id" | "state">): Cron["state"] {
    return (this.#orders.get(keyOf({ kind: "cron", id }))?.state ?? state) as Cron["state"];
  }

  /** Gives an order; durable when it resolves. One that says what the configuration says is none. */
  async order(order: Activation): Promise<void> {
    const needed = order.state !== order.configured;
    await this.#catalog.setActivation(order, needed ? order : undefined);
    if (needed) this.#orders.set(keyOf(order), order);
    else this.#orders.delete(keyOf(order));
  }
}

function keyOf({ kind, id }: Pick<Activation, "kind" | "id">): string {
  return `${kind} ${id}`;
}
