/** The paths that a request means at this moment: its symbolic variables get the values of now. */
import { resolve } from "node:path";
import type { Recipe, Transfer } from "../../catalog/catalog.ts";
import { substitute } from "../../config/symbols.ts";
import { requestVariables } from "../../config/variables.ts";
import { networkFlow } from "../flows.ts";
import type { Site } from "../site.ts";
import { isSeveral, pathOf } from "./files.ts";

/** File (with its sign, where it has one) and list of names, absolute. */
export function recipePaths(
  { configuration, clock }: Site,
  { part: id, idf }: Pick<Transfer, "part" | "idf">,
  { file, selfname, literal }: Recipe,
): { file: string; selfname: string } {
  const { cftparm, cftpart } = configuration;
  const known = cftpart.get(id);
  const variables = requestVariables({
    site: cftparm.part,
    part: known ?? { id, nspart: cftparm.npart, nrpart: "" },
    idf,
    nidf: known ? networkFlow(configuration, known, idf) : idf,
    now: new Date(clock.now()),
  });
  const place = (text: string) => resolve(cftparm.rundir, literal ? text : substitute(text, variables));
  const sign = isSeveral(file) ? file.charAt(0) : "";
  return { file: sign + place(pathOf(file)), selfname: selfname && place(selfname) };
}
