/** Files for another partner of which a script has yet to say whether they are forwarded (COMMUT = SERVER). */
import type { Transfer } from "../catalog/catalog.ts";
import { CygnetError } from "../platform/errors.ts";
import type { Verdict } from "./deliveries.ts";
import { RELAYED } from "./routing.ts";
import { keys, type Site } from "./site.ts";

export function isUndecided({ direct, idf, script }: Pick<Transfer, "direct" | "idf" | "script">): boolean {
  return direct === "recv" && idf === RELAYED && script !== "";
}

/**
 * An operator decides: the file is forwarded now, or turned back.
 * @throws CygnetError CYG_REQUEST_STATE while its script runs
 */
export async function endUndecided(
  site: Site,
  transfer: Transfer,
  verdict: Verdict,
  user: string,
): Promise<Transfer> {
  const { deliveries, catalog, journal } = site;
  const { idtu, phasestep } = transfer;
  if (phasestep === "C")
    throw new CygnetError("CYG_REQUEST_STATE", `the script of ${idtu} runs; cygnet halt stops it`);
  const done = await (verdict.reason === 0
    ? deliveries.goOn(transfer)
    : deliveries.turnBack(transfer, verdict));
  if (!done) throw new CygnetError("CYG_REQUEST_STATE", `${idtu} changes at the moment; try again`);
  journal.emit("CFTR12I", { ...keys(transfer), cmd: "END", user, text: idtu });
  return (await catalog.get(idtu)) ?? transfer;
}
