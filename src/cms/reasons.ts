/** What a partner is told when its file, or its envelope, cannot be opened (RFC 5024 sections 5.3.9, 5.3.14). */

/** Reasons of EFNA, in session, and of NERP, later. Mind that decryption and decompression cross. */
export interface Reasons {
  efna: number;
  nerp: number;
}

const SIGNATURE: Reasons = { efna: 21, nerp: 31 };
const DECRYPTION: Reasons = { efna: 22, nerp: 33 };
const DECOMPRESSION: Reasons = { efna: 23, nerp: 32 };
const PROCESSING: Reasons = { efna: 99, nerp: 34 };

/** Every code that opening a file throws, and the failures of our own side. */
export const CMS_REASONS: Readonly<Record<string, Reasons>> = {
  CYG_CMS_SIGNATURE: SIGNATURE,
  CYG_CMS_RECIPIENT: DECRYPTION,
  CYG_CMS_ALGORITHM: DECRYPTION,
  CYG_CMS_DECRYPT: DECRYPTION,
  CYG_CMS_DECOMPRESS: DECOMPRESSION,
  CYG_CMS_FORMAT: PROCESSING,
  CYG_CMS_STRUCTURE: PROCESSING,
  CYG_CMS_SIZE: PROCESSING,
  CYG_CMS_CERTIFICATE: PROCESSING,
  CYG_CMS_FILE: PROCESSING,
  CYG_CMS_WORKER: PROCESSING,
};

/** The reasons for a code; processing failed (34) and unspecified (99) for one that is not of this room. */
export function reasonsFor(code: string): Reasons {
  return CMS_REASONS[code] ?? PROCESSING;
}
