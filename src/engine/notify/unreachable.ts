/**
 * Partners whose calls have failed for long: from the first failure on, until a session opens. Known only to this
 * process; a restart begins anew.
 */
import type { Told } from "../../messages/logger.ts";
import type { Clock, Timer } from "../../platform/clock.ts";

/** Calls that failed, and the session that opened. */
const FAILED = new Set(["CFTH10E", "CFTH11E"]);
const OPENED = "CFTH56I";

export class Unreachable {
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #tell: (part: string, why: string) => void;
  readonly #partners = new Map<string, { timer: Timer; why: string }>();

  /** `patience`: ms from the first failure; `tell` is called once for each outage. */
  constructor(clock: Clock, patience: number, tell: (part: string, why: string) => void) {
    this.#clock = clock;
    this.#patience = patience;
    this.#tell = tell;
  }

  hear(told: Told): void {
    const { id, variables } = told;
    const part = String(variables.part ?? "");
    if (part === "") return;
    const known = this.#partners.get(part);
    if (id === OPENED) {
      known?.timer.cancel();
      this.#partners.delete(part);
    } else if (FAILED.has(id)) {
      if (known) known.why = told.text;
      else this.#begin(part, told.text);
    }
  }

  close(): void {
    for (const { timer } of this.#partners.values()) timer.cancel();
  }

  #begin(part: string, why: string): void {
    const timer = this.#clock.timer(this.#patience, () => {
      this.#tell(part, this.#partners.get(part)?.why ?? why);
    });
    this.#partners.set(part, { timer, why });
  }
}
