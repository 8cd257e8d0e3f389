/** The challenge of secure authentication (RFC 5024 sections 4.2.4, 5.3.15, 5.3.16): 20 octets in an envelope. */
import type { X509Certificate } from "node:crypto";
import { CygnetError } from "../platform/errors.ts";
import type { Random } from "../platform/random.ts";
import { envelop, open, type RecipientKey } from "./enveloped.ts";
import type { Suite } from "./suites.ts";

/** Octets of a challenge (AURPRSP). */
const CHALLENGE = 20;

/**
 * A new challenge for the owner of a certificate: `chal` goes into AUCHCHAL, `expected` has to come back in AURPRSP.
 * Whether the certificate may be used (validity, trust, key usage) is for the caller to know.
 * @throws CygnetError CYG_CMS_CERTIFICATE
 */
export function newChallenge(
  recipient: X509Certificate,
  suite: Suite,
  random: Random,
): { chal: Buffer; expected: Buffer } {
  const expected = random.bytes(CHALLENGE);
  return { chal: envelop(expected, recipient, suite), expected };
}

/**
 * The 20 octets of a challenge for one of our keys. Content of any other length is refused like one that cannot be
 * decrypted, so that the exchange cannot be used to have other envelopes opened.
 * @throws CygnetError CYG_CMS_… as `open`
 */
export function answerChallenge(chal: Buffer, keys: readonly RecipientKey[]): Buffer {
  const content = open(chal, keys);
  if (content.length !== CHALLENGE) {
    throw new CygnetError("CYG_CMS_DECRYPT", "the envelope cannot be decrypted");
  }
  return content;
}
