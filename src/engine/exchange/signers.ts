/** Which of several keys of this site a partner can verify with, as far as it has told. Pure. */
import type { Handover } from "../../pki/handovers.ts";

/**
 * Our certificates, newest first, in the order in which they sign for a partner: one that was handed over to it and that
 * it has not taken comes after all others.
 * @param handovers those of the partner, newest first
 */
export function signersFor<T extends { certificate: { fingerprint256: string } }>(
  candidates: readonly T[],
  handovers: readonly Handover[],
): T[] {
  const open = (candidate: T) => {
    const last = handovers.find(({ fingerprint }) => fingerprint === candidate.certificate.fingerprint256);
    return last !== undefined && last.answer !== "accepted";
  };
  return [...candidates.filter((each) => !open(each)), ...candidates.filter(open)];
}
