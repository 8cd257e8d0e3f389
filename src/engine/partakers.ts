/** What else takes part in a reload: it is prepared with everything else, and comes into force with it or not at all. */
import type { Configuration } from "../config/model.ts";
import type { Credentials } from "./credentials.ts";

export interface Prepared {
  /** Must not fail. */
  commit(): void;
  rollback(): Promise<void>;
}

export interface Partaker {
  /** Builds what the configuration wants, without touching what is in force. Throws why it cannot be. */
  prepare(configuration: Configuration, credentials: Credentials): Promise<Prepared>;
}

/**
 * Prepares all of them; what was prepared is undone when one fails.
 * @throws what the first one throws that fails
 */
export async function prepareAll(
  partakers: readonly Partaker[],
  configuration: Configuration,
  credentials: Credentials,
): Promise<Prepared> {
  const ready: Prepared[] = [];
  const rollback = async () => {
    for (const one of ready.toReversed()) await one.rollback();
  };
  try {
    for (const one of partakers) ready.push(await one.prepare(configuration, credentials));
  } catch (error) {
    await rollback();
    throw error;
  }
  return { rollback, commit: () => ready.forEach((one) => void one.commit()) };
}
