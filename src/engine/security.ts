/**
 * Which file security of OFTP 2.0 a file gets, and what a received one must have.
 *
 * Invariant: what is asked for is applied or the file stays here; there is no way around.
 */
import type { FileSecurity, Transfer } from "../catalog/catalog.ts";
import { cipherSuite } from "../cms/suites.ts";
import type { Configuration, Part, SecurityChoice, Send } from "../config/model.ts";
import type { Format } from "../oftp/files/format.ts";
import { BLOCK } from "../oftp/files/restart.ts";
import type { Sfid } from "../oftp/wire/commands.ts";
import type { Credentials } from "./credentials.ts";
import type { Judgement, PartnerUsage } from "./judgement.ts";

/** What a flow and its partner want for a file; null = nothing. */
export function wantedSecurity(part: Part, flow: Pick<Send, "security">): FileSecurity | null {
  const { sign, encrypt, compress, signed_eerp, cipher }: SecurityChoice = {
    ...part.security,
    ...flow.security,
  };
  if (!sign && !encrypt && !compress && !signed_eerp) return null;
  return { sign, encrypt, compress, signedEerp: signed_eerp, cipher: Number(cipher) };
}

/** What is missing in [[pki]] for it, or there and not to be used, in words; empty when nothing is. */
export async function lackingFor(
  credentials: Credentials,
  judgement: Judgement,
  part: Part,
  wanted: FileSecurity,
): Promise<string[]> {
  const lacking = wanted.sign && credentials.own("sign").length === 0 ? ["a key of this site for sign"] : [];
  const usages: PartnerUsage[] = [
    ...(wanted.encrypt ? (["encrypt"] as const) : []),
    ...(wanted.signedEerp ? (["receipt"] as const) : []),
  ];
  for (const usage of usages) {
    const { good, refused } = await judgement.of(part, usage);
    if (good.length > 0) continue;
    const why = refused.length > 0 ? ` (${refused.join("; ")})` : "";
    lacking.push(`a certificate of ${part.id} for ${usage}${why}`);
  }
  return lacking;
}

/** True when the file travels inside a CMS envelope. */
export function isEnveloped(security: FileSecurity | null): boolean {
  return security !== null && (security.sign || security.encrypt || security.compress);
}

/** How the file is cut on the line: whatever its format, an envelope is a stream of octets. */
export function lineForm(transfer: Pick<Transfer, "format" | "lrecl" | "security">): {
  format: Format;
  lrecl: number;
} {
  const { format, lrecl, security } = transfer;
  return isEnveloped(security) ? { format: "U", lrecl: 0 } : { format, lrecl };
}

/** The security fields of an SFID. */
export function sfidSecurity(
  security: FileSecurity | null,
): Pick<Sfid, "sec" | "ciph" | "comp" | "env" | "sign"> {
  if (security === null) return { sec: 0, ciph: 0, comp: 0, env: 0, sign: false };
  const { sign, encrypt, compress, signedEerp, cipher } = security;
  return {
    sec: (encrypt ? 1 : 0) + (sign ? 2 : 0),
    // the suite also serves the response; compression alone has none
    ciph: sign || encrypt || signedEerp ? cipher : 0,
    comp: compress ? 1 : 0,
    env: isEnveloped(security) ? 1 : 0,
    sign: signedEerp,
  };
}

/** What an SFID announces; null = nothing. */
export function announced(sfid: Sfid): FileSecurity | null {
  const { sec, ciph, comp, sign: signedEerp } = sfid;
  if (sec === 0 && comp === 0 && !signedEerp) return null;
  const encrypt = sec === 1 || sec === 3;
  const original = Number(sfid.osiz) * BLOCK;
  return { sign: sec >= 2, encrypt, compress: comp === 1, signedEerp, cipher: ciph, original };
}

/** SFNA reason for what an SFID announces, or lacks (RFC 5024 section 5.3.5), and why; undefined = welcome. */
export function refuseSecurity(
  { cftparm }: Configuration,
  credentials: Credentials,
  part: Part,
  sfid: Sfid,
): { reason: number; retry: boolean; text: string } | undefined {
  const no = (reason: number, text: string) => ({ reason, retry: false, text });
  if (sfid.sec > 3 || sfid.comp > 1 || sfid.env > 1)
    return no(99, "SFIDSEC, SFIDCOMP or SFIDENV does not exist");
  const security = announced(sfid);
  if (part.require.includes("encrypt") && !security?.encrypt)
    return no(17, "files of this partner must be encrypted");
  if (part.require.includes("sign") && !security?.sign) return no(20, "files of this partner must be signed");
  if (isEnveloped(security) !== (sfid.env === 1))
    return no(99, "SFIDENV does not go with SFIDSEC and SFIDCOMP");
  if (security === null) return undefined;
  const { sign, encrypt, signedEerp, cipher } = security;
  const known = cipherSuite(cipher, cftparm.experimental_ciphers) !== undefined;
  if ((sign || encrypt || signedEerp) && !known) return no(15, `cipher suite ${cipher} is not supported`);
  if (encrypt && credentials.own("decrypt").length === 0)
    return no(16, "there is no key here to decrypt files with");
  if (sign && credentials.theirs(part, "sign").length === 0) {
    return no(19, "there is no certificate here to verify signatures with");
  }
  if (signedEerp && credentials.own("receipt").length === 0) {
    return no(15, "there is no key here to sign the end-to-end response with");
  }
  return undefined;
}
