/** `test-partner`: calls a partner on every path, says hello and good-bye, and tells what was agreed. No file moves. */
import { NetError } from "../net/failure.ts";
import { CygnetError, describe } from "../platform/errors.ts";
import { dialPath, paths } from "./caller.ts";
import { Session } from "./session.ts";
import type { Site } from "./site.ts";

/** What one path led to. */
export interface PathReport {
  prot: string;
  host: string;
  port: number;
  ok: boolean;
  /** Why not; "" when ok. DIAGI 0 when ok. */
  reason: string;
  diagi: number;
  tls: { version: string; cipher: string; subject: string; fingerprint: string; verified: boolean } | null;
  agreed: {
    level: number;
    srusize: number;
    scredit: number;
    send: boolean;
    receive: boolean;
    compression: boolean;
    restart: boolean;
    authentication: boolean;
  } | null;
}

/** @throws CygnetError CYG_REQUEST_PART for a partner that is unknown or has no address */
export async function probePartner(site: Site, id: string): Promise<PathReport[]> {
  const { configuration } = site;
  const part = configuration.cftpart.get(id);
  if (part === undefined) throw new CygnetError("CYG_REQUEST_PART", `there is no partner ${id}`);
  const tcp = configuration.cfttcp.get(id);
  if (tcp === undefined)
    throw new CygnetError("CYG_REQUEST_PART", `${id} has no cfttcp: it can only call us`);
  const reports: PathReport[] = [];
  for (const path of paths(configuration, part, tcp)) {
    const report: PathReport = {
      prot: path.prot.id,
      host: path.host,
      port: path.port,
      ok: false,
      reason: "",
      diagi: 0,
      tls: null,
      agreed: null,
    };
    reports.push(report);
    try {
      const connection = await dialPath(site, part, path, AbortSignal.timeout(120_000));
      if (connection.secure) {
        const { version, cipher, peerSubject, peerFingerprint, peerVerified } = connection.secure;
        const certificate = { subject: peerSubject ?? "", fingerprint: peerFingerprint ?? "" };
        report.tls = { version, cipher, ...certificate, verified: peerVerified };
      }
      await greet(new Session({ site, connection, prot: path.prot, part, probe: true }), report);
    } catch (error) {
      report.reason = describe(error);
      report.diagi = error instanceof NetError ? error.diagi : 302;
    }
  }
  return reports;
}

async function greet(session: Session, report: PathReport): Promise<void> {
  session.start();
  const opened = await session.opened;
  const { agreement } = session;
  const end = await session.closed;
  if (agreement) {
    report.agreed = {
      level: agreement.level,
      srusize: agreement.sdeb,
      scredit: agreement.cred,
      send: session.prot.srout !== "receiver" && agreement.maySend,
      receive: session.prot.srout !== "sender",
      compression: agreement.compression,
      restart: agreement.restart,
      authentication: agreement.authentication,
    };
  }
  report.ok = opened && end.normal;
  if (report.ok) return;
  report.diagi = 451;
  report.reason = `ESID ${String(end.reason).padStart(2, "0")} ${end.origin}: ${end.text || "the session was refused"}`;
}
