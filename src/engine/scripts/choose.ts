/** Which script runs when: Transfer CFT's order, the flow's own key over the default of [cftparm]. Pure. */
import type { PhaseScript, Transfer } from "../../catalog/catalog.ts";
import type { Configuration } from "../../config/model.ts";
import { DATASHEET_NAMES } from "../../datasheet/datasheet.ts";
import { exchangeKindOf } from "../../pki/exchange/kinds.ts";
import { receivedFlow } from "../flows.ts";
import { isDecidedByScript, RELAYED } from "../routing.ts";

export type Moment = PhaseScript | "exece";

type Scriptable = Pick<Transfer, "direct" | "idf" | "dsn" | "part" | "via" | "prot">;

export interface Script {
  /** Program and arguments, variables not yet put in. */
  argv: readonly string[];
  /** The key that asked for it, in capitals: &CFTEVENT. */
  event: string;
}

/** Keys of [cftparm] that serve where the flow says nothing. Before sending there is none. */
const DEFAULTS = {
  send: { exec: "execsf", ackexec: "execsfa", exece: "execse" },
  recv: { exec: "execrf", exece: "execre" },
} as const;

/** The script of this transfer for this moment, or null. */
export function scriptFor(configuration: Configuration, transfer: Scriptable, moment: Moment): Script | null {
  const { direct, dsn } = transfer;
  // what passes through, certificates and datasheets are between gateways: no flow of an application
  if (exchangeKindOf(dsn) || DATASHEET_NAMES.includes(dsn.toUpperCase())) return null;
  const idf = transfer.idf === RELAYED ? relayFlow(configuration, transfer, moment) : transfer.idf;
  if (idf === null) return null;
  const { cftparm, cftsend, cftrecv } = configuration;
  const flow =
    direct === "send"
      ? (cftsend.get(idf) ?? cftsend.get(cftparm.default))
      : (cftrecv.get(idf) ?? cftrecv.get(cftparm.default));
  const own = flow?.[moment as keyof typeof flow] as readonly string[] | null | undefined;
  if (own) return own.length === 0 ? null : { argv: own, event: moment.toUpperCase() };
  const fallback = (DEFAULTS[direct] as Partial<Record<Moment, keyof typeof cftparm>>)[moment];
  const argv = fallback === undefined ? null : (cftparm[fallback] as readonly string[] | null);
  return argv && argv.length > 0 ? { argv, event: String(fallback).toUpperCase() } : null;
}

/** The flow whose script decides about forwarding: the one of the name that the file has on the line. */
function relayFlow(configuration: Configuration, transfer: Scriptable, moment: Moment): string | null {
  const { part, prot, dsn } = transfer;
  const from = configuration.cftpart.get(part);
  if (moment !== "exec" || !from || !isDecidedByScript(configuration, transfer)) return null;
  const flow = receivedFlow(configuration, from, configuration.cftprot.get(prot) ?? { idf: "" }, dsn);
  return "idf" in flow ? flow.idf : configuration.cftparm.default;
}

/** Whether any flow or default has a script for this moment. */
export function anyScriptFor({ cftparm, cftsend, cftrecv }: Configuration, moment: Moment): boolean {
  const defaults = [DEFAULTS.send, DEFAULTS.recv].flatMap((keys) => {
    const key = (keys as Partial<Record<Moment, keyof typeof cftparm>>)[moment];
    return key === undefined ? [] : [cftparm[key]];
  });
  const flows = [...cftsend.values(), ...cftrecv.values()].map((flow) => flow[moment as keyof typeof flow]);
  return [...defaults, ...flows].some((argv) => Array.isArray(argv) && argv.length > 0);
}
