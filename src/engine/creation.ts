/** Whether a received file can be made under its name: looked at before any data, so that the partner hears it at once. */
import type { Recv } from "../config/model.ts";
import { CygnetError, isSystemError } from "../platform/errors.ts";
import type { Refused } from "./admission.ts";
import type { Site } from "./site.ts";
import { confine, type Named, receiveFlow, targetOf } from "./target.ts";

/** Stands for an IDTU that is not given yet: no two files get the same. */
const NOT_YET = "00000000";

/** What refuses a name that is taken: FDISP before FACTION. */
const REFUSALS: readonly (readonly [applies: (flow: Recv) => boolean, diagi: number, said: string])[] = [
  [({ fdisp }) => fdisp === "new", 113, 'fdisp = "new"'],
  [({ faction }) => faction === "verify", 127, 'faction = "verify"'],
];

/** Why the file cannot be made, or undefined (WORKINGDIR, FDISP of CFTRECV). */
export async function refuseCreation(
  { disk, configuration, clock }: Site,
  file: Omit<Named, "idtu" | "kdate">,
): Promise<Refused | undefined> {
  const flow = receiveFlow(configuration, file);
  const kdate = clock.now();
  const target = targetOf(configuration, { ...file, idtu: NOT_YET, kdate }, new Date(kdate));
  // not 13: that would say that this very file has been received
  const no = { reason: 12, retry: false };
  try {
    await confine(disk, configuration, flow, target);
  } catch (error) {
    if (!(error instanceof CygnetError)) throw error;
    const text = "the file may not be created under this name";
    return { ...no, text, diagi: 148, message: "CFTF46E", detail: error.message };
  }
  const rule = REFUSALS.find(([applies]) => applies(flow));
  if (rule === undefined || !(await stands(disk, target))) return undefined;
  const [, diagi, said] = rule;
  const text = "a file of this name stands here already";
  return { ...no, text, diagi, message: "CFTF22E", detail: `${target} exists, and ${said}` };
}

async function stands(disk: Site["disk"], path: string): Promise<boolean> {
  try {
    await disk.status(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}
