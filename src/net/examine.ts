import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Pin } from "../pki/pins.ts";
import { checkPeer, type PeerQuestion, type PeerVerdict, type Refusal, unreadable } from "./peer-check.ts";
import type { TlsProfile } from "./tls.ts";
import { type Proof, type TlsFacts, tlsFacts } from "./tls-facts.ts";
import { verificationRefusal } from "./tls-failure.ts";

/** What a socket brings along when its handshake is done. */
export interface Shown {
  socket: TLSSocket;
  /** What the peer showed, its own certificate first; of a resumed session: what it showed when it began. */
  chain: readonly X509Certificate[];
  /** Our certificate was shown. */
  presented: boolean;
}

export interface Circumstances {
  peer: "client" | "server";
  /** The host that is called, or the caller's address. */
  host: string;
  /** Keys of the certificates registered for the partner; absent = none are, or the partner is not known yet. */
  registered?: readonly Pin[];
}

/**
 * Judges the other side by a profile, before a first octet is exchanged; never rejects. A certificate that is not accepted refuses the
 * session; under `verify = "optional"` it only counts as none.
 */
export async function examine(
  shown: Shown,
  profile: TlsProfile,
  where: Circumstances,
): Promise<{ facts: TlsFacts } | { refusal: Refusal }> {
  try {
    return await judge(shown, profile, where);
  } catch (error) {
    return { refusal: unreadable(error) };
  }
}

async function judge(
  { socket, chain, presented }: Shown,
  profile: TlsProfile,
  where: Circumstances,
): Promise<{ facts: TlsFacts } | { refusal: Refusal }> {
  const { verify, roots } = profile;
  const proof: Proof = { chain, path: [], notes: [], tolerated: "", presented };
  const isServer = where.peer === "client";
  const facts = (more: Partial<Proof>) => ({
    facts: tlsFacts(socket, roots, isServer, { ...proof, ...more }),
  });
  if (verify === "none" && !where.registered) return facts({});
  if (verify === "optional" && isServer && chain.length === 0) return facts({});
  const verdict = tlsVerdict(socket, profile) ?? (await checkPeer(question(profile, chain, where)));
  if (verdict.accepted) return facts({ path: verdict.path, notes: verdict.notes });
  if (verify !== "optional" || !isServer) return { refusal: verdict };
  return facts({ tolerated: `${verdict.code}: ${verdict.text}` });
}

/** The profile's question about a chain. */
export function question(
  { roots, demands = {}, trust }: TlsProfile,
  chain: readonly X509Certificate[],
  { peer, host, registered }: Circumstances,
): PeerQuestion {
  return { chain, peer, host, roots, demands, trust, ...(registered && { registered }) };
}

/** True where the TLS library can judge certificates by itself: it knows roots, and looks at extensions always. */
export function judgedByTls({ verify, roots, demands }: TlsProfile): boolean {
  return verify !== "none" && roots.length > 0 && demands?.keyext !== false;
}

/** The library's refusal, which no other check overrules. */
function tlsVerdict(socket: TLSSocket, profile: TlsProfile): PeerVerdict | undefined {
  const { authorizationError } = socket;
  if (!judgedByTls(profile) || socket.authorized || !authorizationError) return undefined;
  return { accepted: false, ...verificationRefusal(String(authorizationError)) };
}
