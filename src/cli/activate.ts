/** `cygnet act`, `inact`: open or close a partner, a folder or a job while the gateway runs. */
import type { ActivationOrder } from "../engine/activate.ts";
import { ask } from "./client.ts";
import { type CommonOptions, print, printJson } from "./context.ts";
import { targetOf } from "./target.ts";
import { defined } from "./transfers.ts";

export async function activate(
  command: ActivationOrder["command"],
  id: string,
  options: CommonOptions & {
    type?: ActivationOrder["kind"];
    mode?: ActivationOrder["mode"];
    force?: boolean;
  },
): Promise<void> {
  const target = await targetOf(options);
  const order = defined({ command, id, kind: options.type, mode: options.mode, force: options.force });
  const now = await ask<{ kind: string; id: string; state: string }>(target, "POST", "/activations", order);
  if (options.json) printJson(now);
  else print(`${now.kind} ${now.id}: ${now.state}`);
}
