/** `cygnet pki accept`, `refuse`, `retire`: an operator's word on a certificate of the store. */
import { type Decision, decide as decideStored, type Verb } from "../../engine/certificates/decide.ts";
import { ask } from "../client.ts";
import { type CommonOptions, print, printJson } from "../context.ts";
import { decided } from "./scope.ts";

export interface DecideOptions extends CommonOptions {
  part?: string;
  note?: string;
}

const DONE: Record<Verb, string> = {
  accept: "is in use now",
  refuse: "is refused and never used",
  retire: "is out of use now",
};

export async function decide(verb: Verb, wanted: string, options: DecideOptions): Promise<void> {
  const { part, note } = options;
  const body = { ...(part === undefined ? {} : { part }), ...(note === undefined ? {} : { note }) };
  const { certificate, warnings } = await decided<Decision>(
    options,
    (target) => ask(target, "POST", `/certificates/${encodeURIComponent(wanted)}/${verb}`, body),
    (scope) => decideStored(scope, verb, wanted, { part, note }),
  );
  for (const text of warnings) console.error(`warning: ${text}`);
  if (options.json) printJson(certificate);
  else print(`certificate ${certificate.sha256} of ${certificate.part} ${DONE[verb]}`);
}
