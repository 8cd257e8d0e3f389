/** What the catalog has to note for this configuration. Pure. */
import type { AftermathKind } from "../catalog/catalog.ts";
import type { Configuration } from "../config/model.ts";
import { anyScriptFor } from "./scripts/choose.ts";

export function wantedAftermath(configuration: Configuration): AftermathKind[] {
  const scripts = (["exece", "ackexec"] as const).filter((kind) => anyScriptFor(configuration, kind));
  // what an operator has asked for is done whatever the configuration says meanwhile
  return [...scripts, "exec", ...(configuration.cftaccnt ? (["accnt"] as const) : [])];
}
