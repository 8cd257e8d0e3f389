/**
 * Whether a caller's TLS session and certificate are those of the partner whose SSID code it sends. Until then only the
 * profile of the port was asked; the partner's own profile and its registered certificates can only ask for more.
 */
import type { Part } from "../config/model.ts";
import { cipherList } from "../net/ciphers.ts";
import { question } from "../net/examine.ts";
import { checkPeer } from "../net/peer-check.ts";
import type { TlsProfile } from "../net/tls.ts";
import type { TlsFacts } from "../net/tls-facts.ts";
import { keyPin, type Pin } from "../pki/pins.ts";
import type { Trust } from "../pki/trust/trust.ts";
import type { Credentials } from "./credentials.ts";

export interface Call {
  part: Part;
  secure: TlsFacts;
  /** The caller's address. */
  host: string;
}

interface Judges {
  credentials: Credentials;
  trust: Trust;
}

/** Keys of a partner's `tls` certificates, within their validity or not; empty = it has none registered. */
export function registeredKeys(credentials: Credentials, part: Part): readonly Pin[] {
  return credentials.registered(part, "tls").map(({ certificate }) => keyPin(certificate));
}

/** Gives why the caller is not the partner, or undefined when it may be; null where nothing is asked. */
export function identityFault(
  { credentials, trust }: Judges,
  call: Call,
): Promise<string | undefined> | null {
  const { part, secure } = call;
  const guest = credentials.guest(part);
  const profile = guest === "missing" ? null : guest;
  const registered = registeredKeys(credentials, part);
  if (profile === null && registered.length === 0 && secure.peerChain.length === 0) return null;
  return judge({ credentials, trust }, call, profile);
}

async function judge(
  { credentials, trust }: Judges,
  { part, secure, host }: Call,
  profile: TlsProfile | null,
): Promise<string | undefined> {
  const registered = registeredKeys(credentials, part);
  const [leaf] = secure.peerChain;
  if (leaf && registered.length === 0) {
    const owners = credentials.owners(keyPin(leaf));
    if (owners.length > 0) return `its certificate is registered for ${owners.join(" and ")}`;
  }
  const line = profile && lineFault(profile, secure);
  if (line) return line;
  const where = { peer: "client", host } as const;
  const asked = profile && profile.verify !== "none" ? profile : null;
  if (asked && (leaf || asked.verify === "required")) {
    const verdict = await checkPeer(question(asked, secure.peerChain, where));
    if (!verdict.accepted && asked.verify === "required") return `${verdict.code}: ${verdict.text}`;
  }
  if (registered.length === 0) return undefined;
  // a registered key is trusted by itself: what is left to ask is whether its certificate is valid and made for this
  const own = {
    chain: secure.peerChain,
    peer: "client",
    host,
    roots: [],
    demands: {},
    registered,
    trust,
  } as const;
  const verdict = await checkPeer(own);
  return verdict.accepted ? undefined : `${verdict.code}: ${verdict.text}`;
}

/** Version and suite were agreed on before anybody knew who calls. */
function lineFault({ id, versions, ciphers }: TlsProfile, { version, suite }: TlsFacts): string | null {
  const spoken = versions.map((one) => `TLSv${one}`);
  if (spoken.length > 0 && !spoken.includes(version))
    return `${id} asks for ${spoken.join(" or ")}, not ${version}`;
  if (!cipherList(ciphers, versions).split(":").includes(suite))
    return `${id} does not allow the suite ${suite}`;
  return null;
}
