/** What the doctor says, and what its checks look at. */

import type { Status } from "../../admin/status.ts";
import type { Inspection } from "../../catalog/inspect.ts";
import type { Configuration } from "../../config/model.ts";
import type { Places } from "../../config/places.ts";

export type Verdict = "ok" | "warn" | "fail";

export interface Finding {
  /** What was looked at: clock, disk, … */
  check: string;
  level: Verdict;
  text: string;
  /** What to do; "" when all is well. */
  action: string;
}

/** One line of the report. */
export function finding(check: string, level: Verdict, text: string, action = ""): Finding {
  return { check, level, text, action };
}

export interface Scene {
  file: string;
  places: Places;
  /** null while the configuration has errors. */
  configuration: Configuration | null;
  /** Of the running gateway; null when none runs. */
  status: Status | null;
  /** null when there is none yet, or none that can be read. */
  catalog: Inspection | null;
  /** TLS is tried as well. */
  deep: boolean;
}

/** A check finds something to say, or nothing. It changes nothing. */
export type Check = (scene: Scene) => Promise<Finding[]>;
