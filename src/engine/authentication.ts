/** Secure authentication (RFC 5024 section 4.2): each side proves that it has the key of its certificate. */

import { answerChallenge, newChallenge } from "../cms/challenge.ts";
import type { Part } from "../config/model.ts";
import type { SessionEvent } from "../oftp/session/events.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import type { Session } from "./session.ts";

/** Challenges the partner of a session with one of its certificates. */
export async function challengePartner(session: Session): Promise<void> {
  const { judgement, random } = session.site;
  const { good, refused } = await judgement.of(session.part as Part, "auth");
  const [theirs] = good;
  prove(session, "F_CHALLENGE_RS", "there is no certificate to challenge the partner with", () => {
    if (theirs === undefined) {
      const why = ["no certificate of the partner for auth", ...refused].join("; ");
      throw new CygnetError("CYG_AUTH_CERTIFICATE", why);
    }
    return newChallenge(theirs, "aes256", random);
  });
}

/** Answers the challenge of the partner. */
export function answerPartner(session: Session, chal: Buffer): void {
  const own = session.site.credentials.own("auth");
  prove(session, "F_RESPOND_RS", "the challenge cannot be answered", () => ({
    rsp: answerChallenge(chal, own),
  }));
}

/** One step of it. Why it failed is for our log; the partner hears only that it did. */
function prove(
  { part, site, link }: Session,
  type: "F_CHALLENGE_RS" | "F_RESPOND_RS",
  text: string,
  step: () => object,
): void {
  let answer: object;
  try {
    answer = step();
  } catch (error) {
    const event = `secure authentication: ${describe(error)}`;
    site.journal.emit("CFTH23E", { part: part?.id ?? "", event });
    answer = { text };
  }
  link.request({ type, answer } as SessionEvent);
}
