/** The commands ACT and INACT: partners and folders are opened and closed while the gateway runs. */
import { CygnetError } from "../platform/errors.ts";
import { perform } from "./actions.ts";
import { type Mode, PART_STATES } from "./activations.ts";
import type { Gateway } from "./gateway.ts";
import type { Site } from "./site.ts";

export interface ActivationOrder {
  command: "act" | "inact";
  id: string;
  /** What the id names; found out where it is not given. */
  kind?: "part" | "folder";
  /** Partners: who may open sessions. */
  mode?: Mode;
  /** INACT of a partner: what runs is cut and held. */
  force?: boolean;
}

/**
 * Carries the command out; durable when it resolves.
 * @throws CygnetError CYG_REQUEST_OBJECT when there is no such partner or folder, or both
 */
export async function activate(
  gateway: Gateway,
  order: ActivationOrder,
): Promise<{ kind: string; id: string; state: string }> {
  const { site } = gateway;
  const { command, id, mode = "both", force = false } = order;
  const kind = order.kind ?? kindOf(site, id);
  const known = kind === "part" ? site.configuration.cftpart.get(id) : site.configuration.cftfolder.get(id);
  if (known === undefined) throw unknown(site, id);
  const state =
    kind === "part" ? PART_STATES[command][mode] : command === "act" ? "active" : ("noactive" as const);
  await site.activations.order({ kind, id, state, configured: known.state });
  site.journal.emit("CFTR12I", {
    cmd: command.toUpperCase(),
    part: kind === "part" ? id : "",
    user: "operator",
    text: `${kind} ${id}: ${state}`,
  });
  if (kind === "folder") await gateway.outboxes.apply(site.configuration);
  const closed = kind === "part" && (state === "noactive" || state === "activeserv");
  if (closed && force) {
    await perform(site, { action: "halt", text: "the partner was closed" }, { part: id, state: "C" });
  }
  site.kick();
  return { kind, id, state };
}

function kindOf({ configuration }: Site, id: string): "part" | "folder" {
  const isPart = configuration.cftpart.has(id);
  if (isPart && configuration.cftfolder.has(id)) {
    throw new CygnetError("CYG_REQUEST_OBJECT", `${id} is a partner and a folder: say which, with --type`);
  }
  return isPart ? "part" : "folder";
}

function unknown({ configuration }: Site, id: string): CygnetError {
  const known = (ids: Iterable<string>) => [...ids].join(", ") || "none";
  const text = `there is no ${id}; partners are ${known(configuration.cftpart.keys())}, folders ${known(configuration.cftfolder.keys())}`;
  return new CygnetError("CYG_REQUEST_OBJECT", text);
}
