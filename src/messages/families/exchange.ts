import { TRANSFER as K, type Message, message, NOTHING } from "../message.ts";

const ABOUT = `${K} id? fingerprint text?`;
const COMPARE = "Compare the fingerprint with the partner by another way";

/** CFTH90 to 96: certificates and datasheets that travel over OFTP. `fingerprint` is SHA-256, `id` that of a [[pki]]. */
export const exchangeMessages: readonly Message[] = [
  message(
    "CFTH90I",
    ABOUT,
    "Certificate handed over as {text}",
    "A certificate of this site is on its way to the partner, which answers with an end-to-end response.",
    NOTHING,
  ),
  message(
    "CFTH91W",
    ABOUT,
    "Certificate waits: {text}",
    "The partner sent a certificate. It is not in use, and the partner has no answer, before somebody decides.",
    `${COMPARE}, then \`cygnet pki accept\` or \`cygnet pki refuse\` it.`,
  ),
  message(
    "CFTH92I",
    ABOUT,
    "Certificate taken: {text}",
    "A certificate that the partner sent is in use from now on.",
    NOTHING,
  ),
  message(
    "CFTH93W",
    `${K} fingerprint? text`,
    "Certificate refused: {text}",
    "A certificate that the partner sent is not taken; the partner is told so.",
    "Tell the partner what is wrong with it where it cannot tell by itself.",
  ),
  message(
    "CFTH94I",
    `${K} id? fingerprint? text?`,
    "Certificate taken by the partner",
    "The partner has taken the certificate of this site; it may be used with it.",
    NOTHING,
  ),
  message(
    "CFTH94W",
    `${K} id? fingerprint? text`,
    "Certificate refused by the partner: {text}",
    "The partner does not take the certificate of this site.",
    "Go on with the certificate that it has, and find out with the partner what it wants.",
  ),
  message(
    "CFTH95I",
    ABOUT,
    "Certificate out of use: {text}",
    "The partner has replaced this certificate of its own; nothing is sealed for it or verified with it any more.",
    "Remove its [[pki]], if it has one, at the next occasion.",
  ),
  message(
    "CFTH95W",
    ABOUT,
    "Certificate partly out of use: {text}",
    "The partner has replaced a certificate that [[pki]] names for more than the new one may do.",
    "Change usage of the [[pki]].",
  ),
  message(
    "CFTH96I",
    `${K} fname`,
    "Datasheet of the partner received",
    "The partner sent its datasheet (PDX). Nothing of it is in force.",
    "`cygnet partner import` turns it into a TOML file for review.",
  ),
];
