/**
 * Opening a received envelope before its end of file is answered (RFC 5024 section 6): only small ones, so that nobody
 * waits, and only where the partner object wants it: some products send a file again and again that EFNA refuses.
 */
import type { Transfer } from "../catalog/catalog.ts";
import { answerText } from "../messages/codes.ts";
import { describe } from "../platform/errors.ts";
import { reasonsOf } from "./envelopes.ts";
import { isEnveloped } from "./security.ts";
import type { Session } from "./session.ts";

/** What the partner is told (EFNAREAS, EFNAREAST), and what our log says about it. */
interface NotGood {
  reason: number;
  text: string;
  detail: string;
}

/** The transfer as it is then, opened or still to be opened by its delivery; or why its envelope is not good. */
export async function openInSession(
  { site, configuration }: Session,
  transfer: Transfer,
): Promise<Transfer | NotGood> {
  const largest = configuration.cftpart.get(transfer.part)?.opensize ?? 0;
  if (!isEnveloped(transfer.security) || transfer.bytes > largest || !site.envelopes.free) return transfer;
  try {
    return await site.deliveries.open(transfer);
  } catch (error) {
    const reason = reasonsOf(error)?.efna;
    if (reason === undefined) return transfer; // it may pass, or is not the envelope's: the delivery goes on with it
    const text = reason === 99 ? "the file security is not as announced" : answerText(reason);
    return { reason, text, detail: describe(error) };
  }
}
