/** The commands ACT and INACT: partners, folders and jobs are opened and closed while the gateway runs. */
import { isIP } from "node:net";
import type { Activation } from "../catalog/catalog.ts";
import { CygnetError } from "../platform/errors.ts";
import { perform } from "./actions.ts";
import { type Mode, PART_STATES, switchable } from "./activations.ts";
import type { Gateway } from "./gateway.ts";
import type { Site } from "./site.ts";

export interface ActivationOrder {
  command: "act" | "inact";
  id: string;
  /** What the id names; found out where it is not given. */
  kind?: Activation["kind"] | "address";
  /** Partners: who may open sessions. */
  mode?: Mode;
  /** INACT of a partner: what runs is cut and held. */
  force?: boolean;
}

/**
 * Carries the command out; durable when it resolves.
 * @throws CygnetError CYG_REQUEST_OBJECT when there is no such partner, folder or job, or several
 */
export async function activate(
  gateway: Gateway,
  order: ActivationOrder,
  user = "operator",
): Promise<{ kind: string; id: string; state: string }> {
  const { site } = gateway;
  const { command, id, mode = "both", force = false } = order;
  const asked = order.kind;
  if (asked === "address" || (asked === undefined && isIP(id.replace(/\/64$/, "")) !== 0)) {
    return unlock(site, command, id, user);
  }
  const kind = asked ?? kindOf(site, id);
  const known = switchable(site.configuration)[kind].get(id);
  if (known === undefined) throw unknown(site, id);
  const state =
    kind === "part" ? PART_STATES[command][mode] : command === "act" ? "active" : ("noactive" as const);
  await site.activations.order({ kind, id, state, configured: known.state });
  site.journal.emit("CFTR12I", {
    cmd: command.toUpperCase(),
    part: kind === "part" ? id : "",
    user,
    text: `${kind} ${id}: ${state}`,
  });
  // whoever is opened is heard at once
  const code = kind === "part" && command === "act" ? site.configuration.cftpart.get(id)?.nrpart : undefined;
  if (code) site.unlock(code, user);
  if (kind === "folder") await gateway.outboxes.apply(site.configuration);
  if (kind === "cron") gateway.housekeeping.jobs.apply(site.configuration);
  const closed = kind === "part" && (state === "noactive" || state === "activeserv");
  if (closed && force) {
    await perform(site, { action: "halt", text: "the partner was closed", user }, { part: id, state: "C" });
  }
  if (kind === "part" && (await site.catalog.list({ part: id, phase: "T", limit: 1 })).length === 0) {
    const text = "no transfer of this partner waits or runs";
    site.journal.emit("CFTR14W", { cmd: command.toUpperCase(), part: id, text });
  }
  site.kick();
  return { kind, id, state };
}

/** ACT of an address that was refused too often: it is heard again. */
function unlock(
  site: Site,
  command: ActivationOrder["command"],
  id: string,
  user: string,
): { kind: string; id: string; state: string } {
  if (command === "inact") {
    throw new CygnetError("CYG_REQUEST_OBJECT", `${id} is an address: to close it, put it into cftnet.deny`);
  }
  if (site.unlock(id, user)) return { kind: "address", id, state: "heard" };
  throw new CygnetError("CYG_REQUEST_OBJECT", `the address ${id} is not locked out`);
}

const NAMES = { part: "partner", folder: "folder", cron: "job" } as const;

function kindOf(site: Site, id: string): Activation["kind"] {
  const kinds = (Object.keys(NAMES) as Activation["kind"][]).filter((kind) =>
    switchable(site.configuration)[kind].has(id),
  );
  if (kinds.length > 1) {
    const all = kinds.map((kind) => `a ${NAMES[kind]}`).join(" and ");
    throw new CygnetError("CYG_REQUEST_OBJECT", `${id} is ${all}: say which, with --type`);
  }
  if (kinds[0] === undefined) throw unknown(site, id);
  return kinds[0];
}

function unknown(site: Site, id: string): CygnetError {
  const known = Object.entries(switchable(site.configuration)).map(([kind, table]) => {
    return `${NAMES[kind as Activation["kind"]]}s are ${[...table.keys()].join(", ") || "none"}`;
  });
  return new CygnetError("CYG_REQUEST_OBJECT", `there is no ${id}; ${known.join(", ")}`);
}
