/** Calling a partner: every protocol and host in the order of its objects until one answers. */
import type { Configuration, Part, Prot, Tcp } from "../config/model.ts";
import type { Connection } from "../net/connection.ts";
import { dial } from "../net/dial.ts";
import { NetError } from "../net/failure.ts";
import { describe } from "../platform/errors.ts";
import { askDirectory } from "./directory.ts";
import { registeredKeys } from "./identity.ts";
import type { Site } from "./site.ts";

/** One way to reach a partner. */
export interface Path {
  prot: Prot;
  port: number;
  host: string;
}

/** Why no path led to the partner: the last failure. */
export interface CallFailure {
  diagi: number;
  diagp: string;
  text: string;
}

/** All hosts on the first protocol, then all on the second. Pure. */
export function paths(configuration: Configuration, part: Part, tcp: Tcp): Path[] {
  return part.prot.flatMap((id, index) => {
    const prot = configuration.cftprot.get(id);
    const port = part.sap[index];
    return prot && port !== undefined ? tcp.host.map((host) => ({ prot, port, host })) : [];
  });
}

/** DIAGI of a network resource that has as many connections as it may have. */
const NO_ROOM = 416;

/**
 * Dials one path, when its network resource has room for one connection more.
 * @throws NetError with DIAGI and DIAGP
 */
export async function dialPath(
  { configuration, credentials, journal, clock, seats }: Site,
  part: Part,
  { prot, port, host }: Path,
  signal: AbortSignal,
): Promise<Connection> {
  const seat = seats(prot.net);
  if (seat === null) {
    const diagnosis = { diagi: NO_ROOM, diagp: "MAXCNX" };
    throw new NetError("CYG_NET_FULL", diagnosis, `${prot.net} has as many connections as maxcnx allows`);
  }
  const registered = registeredKeys(credentials, part);
  try {
    const connection = await dial({
      host,
      port,
      ...(prot.ssl === "" ? {} : { tls: credentials.client(part, prot) }),
      ...(registered.length > 0 && { registered }),
      timeout: prot.disctc === 0 ? 60_000 : prot.disctc,
      keepalive: configuration.cftnet.get(prot.net)?.keepalive ?? 0,
      journal,
      part: part.id,
      clock,
      signal,
    });
    connection.stream.once("close", () => seat.leave());
    return connection;
  } catch (error) {
    seat.leave();
    throw error;
  }
}

/** DIAGP of a partner that no path leads to. */
const NO_WAY = "CALL OUT";

/** Dials until a connection stands, TLS included. */
export async function call(
  site: Site,
  part: Part,
  signal: AbortSignal,
): Promise<{ connection: Connection; prot: Prot } | CallFailure> {
  const { configuration, journal } = site;
  const tcp = configuration.cfttcp.get(part.id);
  const mode = "R" as const;
  let failure: CallFailure = { diagi: 406, diagp: NO_WAY, text: "no host and port to call" };
  let secureOnly = part.require.includes("tls");
  for (const { prot, port, host } of tcp ? paths(configuration, part, tcp) : []) {
    if (secureOnly && prot.ssl === "") continue;
    const refusal = await askDirectory(site, { prot, part, mode, host, subject: "", signal });
    if (refusal) {
      const { diagi, message, text } = refusal;
      journal.emit(message, { part: part.id, npart: part.nrpart, prot: prot.id, host, diagi, text });
      // a directory that broke may be there again for the next try
      failure =
        message === "CFTT39E" ? { diagi: 426, diagp: "EXARJT", text } : { diagi: 421, diagp: "EXAERR", text };
      continue;
    }
    journal.emit("CFTT13I", { part: part.id, idtu: "", idf: "", prot: prot.id, sap: port, host });
    try {
      const connection = await dialPath(site, part, { prot, port, host }, signal);
      return { connection, prot };
    } catch (error) {
      const known = error instanceof NetError;
      failure = { diagi: known ? error.diagi : 302, diagp: known ? error.diagp : "", text: describe(error) };
      // somebody who breaks the handshake must not win a session in clear
      if (known && error.diagi === 260) secureOnly = true;
      const { diagi, diagp, text } = failure;
      const id = diagi === NO_ROOM ? "CFTH09E" : "CFTH10E";
      journal.emit(id, { part: part.id, net: prot.net, host, diagi, diagp, text });
    }
  }
  if (failure.diagp === NO_WAY) journal.emit("CFTT11E", { part: part.id, text: failure.text });
  return failure;
}
