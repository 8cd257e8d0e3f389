/**
 * The directory exit (EXITA of CFTPROT): a program of the site that is asked whether a session may be. It can only refuse
 * what all other checks have let pass.
 */
import type { Part, Prot } from "../config/model.ts";
import { runProgram } from "../platform/process.ts";
import type { Refusal } from "./recognition.ts";
import { environmentOf } from "./scripts/variables.ts";
import type { Site } from "./site.ts";

/** Transfer CFT's RET2, here the exit status: DIAGI, ESID reason for a caller, words. */
const VERDICTS: Readonly<Record<number, readonly [diagi: number, esid: number, text: string]>> = {
  1: [409, 3, "the partner is unknown"],
  2: [403, 4, "the password is wrong"],
  3: [428, 4, "the address is not allowed"],
  4: [414, 8, "not at this time"],
  5: [410, 3, "the protocol is not allowed"],
  6: [418, 8, "there are too many sessions"],
  7: [416, 8, "there are too many transfers"],
  8: [415, 8, "there are too many partners"],
  9: [425, 4, "charging is not accepted"],
  10: [411, 3, "the network is not allowed"],
};
/** Any other status. */
const REFUSED = [426, 4, "refused"] as const;

export interface Question {
  prot: Prot;
  part: Part;
  /** "S": it calls us; "R": we are about to call it. */
  mode: "S" | "R";
  /** Its address, or the host that is to be called. */
  host: string;
  /** Subject of its TLS certificate; "" = none. */
  subject: string;
  signal: AbortSignal;
}

/** Asks the program of the protocol; undefined = accepted, or there is none. What it says last stands in the refusal. */
export async function askDirectory(site: Site, question: Question): Promise<Refusal | undefined> {
  const { prot, part, signal } = question;
  if (prot.exita === null) return undefined;
  let said = "";
  const end = await runProgram(prot.exita, {
    cwd: site.configuration.cftparm.rundir,
    env: environment(site, question),
    timeout: prot.exitatimeout,
    line: (text) => {
      said = text.trim() || said;
    },
    signal,
    clock: site.clock,
  });
  // nobody knows what a program that broke would have said: the partner may try again
  const broke = (diagi: number, text: string): Refusal => {
    return { esid: 5, diagi, message: "CFTT40E", text, told: "not possible at present", part };
  };
  if (end.error) return broke(423, `exita of ${prot.id} cannot be started: ${end.error.message}`);
  if (end.ended === "timeout") return broke(134, `exita of ${prot.id} took longer than exitatimeout`);
  if (end.code === null) return broke(134, `exita of ${prot.id} was ended by ${end.signal ?? "a signal"}`);
  if (end.code === 0) return undefined;
  const [diagi, esid, text] = VERDICTS[end.code] ?? REFUSED;
  const why = said === "" ? text : `${text}: ${said}`;
  return { esid, diagi, message: "CFTT39E", text: why, told: text, part };
}

function environment(site: Site, { prot, part, mode, host, subject }: Question): Record<string, string> {
  const { cftparm } = site.configuration;
  return environmentOf({
    CFTEVENT: "EXITA",
    CFTNAME: cftparm.part,
    RUNTIMEDIR: cftparm.rundir,
    PART: part.id,
    NSPART: part.nspart,
    NRPART: part.nrpart,
    PROT: prot.id,
    MODE: mode,
    HOST: host,
    SUBJECT: subject,
  });
}
