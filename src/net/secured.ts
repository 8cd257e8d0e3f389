import type { TLSSocket } from "node:tls";
import { describe } from "../platform/errors.ts";
import { type Connection, connection } from "./connection.ts";
import { chainFile, keepChain } from "./peer-chain.ts";
import type { TlsProfile } from "./tls.ts";
import type { TlsFacts } from "./tls-facts.ts";
import { isTlsError, tlsFailure } from "./tls-failure.ts";
import type { TlsJournal } from "./tls-journal.ts";

type Ends = Pick<Connection, "id" | "remote" | "local" | "inbound" | "recognised" | "standing"> & {
  secure: TlsFacts;
};

/** The connection of a socket whose handshake is done and whose peer is accepted; its life is journalled from here on. */
export function secured(
  stream: TLSSocket,
  ends: Ends,
  story: TlsJournal,
  profile: TlsProfile,
  peer: string,
): Connection {
  const { secure } = ends;
  story.established(secure);
  stream.once("close", () => story.closed());
  const [leaf] = secure.peerChain;
  if (profile.cerfname && leaf && secure.peerVerified && !secure.resumed) {
    const file = chainFile(profile.cerfname, leaf);
    keepChain(file, secure.peerChain).catch((error: unknown) => story.notKept(file, describe(error)));
  }
  return connection(stream, ends, (error) => {
    const failure = tlsFailure(error, peer);
    if (isTlsError(error)) story.failed(failure);
    return failure.error;
  });
}
