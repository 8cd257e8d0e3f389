/** `cygnet halt`, `keep`, `start`, `resume`, `submit`, `delete`: commands on one transfer or on all that are meant. */
import type { CommandOutcome } from "../admin/topics/transfers.ts";
import type { TransferFilter } from "../catalog/catalog.ts";
import type { Action } from "../catalog/transitions.ts";
import { ask } from "./client.ts";
import { type CommonOptions, Failed, print, printJson, split } from "./context.ts";
import { renderTable, tableTarget } from "./table.ts";
import { targetOf } from "./target.ts";
import { COLUMNS, defined } from "./transfers.ts";

export interface CommandOptions extends CommonOptions, Omit<TransferFilter, "idtu" | "sort" | "limit"> {
  text?: string;
  force?: boolean;
}

/** Commands on the transfers named, or on those that the options select. */
export async function command(
  action: Action,
  idtus: readonly string[],
  options: CommandOptions,
): Promise<void> {
  const [common, { text, force, ...choice }] = split(options);
  const { json } = common;
  const target = await targetOf(common);
  const outcome: CommandOutcome = { done: [], refused: [] };
  for (const select of idtus.length === 0 ? [choice] : idtus.map((idtu) => ({ ...choice, idtu }))) {
    const order = defined({ action, text, force, select });
    const { done, refused } = await ask<CommandOutcome>(target, "POST", "/transfers/commands", order);
    outcome.done.push(...done);
    outcome.refused.push(...refused);
    if (select !== choice && done.length + refused.length === 0) {
      throw new Failed(`there is no transfer ${(select as TransferFilter).idtu} among those that are meant`);
    }
  }
  if (json) printJson(outcome);
  else report(action, outcome);
  const [first] = outcome.refused;
  if (first === undefined) return;
  if (json) throw new Failed("");
  for (const { reason } of outcome.refused) console.error(`cygnet: ${reason}`);
  throw new Failed("");
}

function report(action: Action, { done, refused }: CommandOutcome): void {
  if (done.length + refused.length === 0) return print("no transfer is meant");
  if (done.length === 0) return;
  const [only] = done;
  if (done.length === 1 && only && refused.length === 0) {
    const now = action === "delete" ? "deleted" : `state ${only.state}`;
    return print(`${only.idtu} ${only.direct === "send" ? "to" : "from"} ${only.part} (${only.idf}): ${now}`);
  }
  print(renderTable(COLUMNS, done, tableTarget(process.stdout)));
}
