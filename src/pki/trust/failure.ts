import type { PkiCode } from "./trust.ts";

/** Why a certificate is not good: Transfer CFT's name for it, and a sentence that names it and says what to do. */
export interface Failure {
  code: PkiCode;
  text: string;
}

export function failure(code: PkiCode, text: string): Failure {
  return { code, text };
}
