/** From the SSID of a caller to the answer to it: who it is, whether that is proved, whether there is room, or a refusal. */
import type { Part } from "../config/model.ts";
import { tolerates } from "../oftp/tolerances.ts";
import type { Ssid } from "../oftp/wire/commands.ts";
import { askDirectory } from "./directory.ts";
import { identityFault } from "./identity.ts";
import { authenticates, capabilities, type Refusal, recognise } from "./recognition.ts";
import type { Session } from "./session.ts";

/** Answers the SSID of a caller, at once or when others have been asked about it. */
export function welcome(session: Session, ssid: Ssid): void {
  const { link, site, host } = session;
  const { secure, standing } = link.connection;
  const locked = standing?.locked(ssid.code) ?? 0;
  // before anything is looked at: whoever guesses learns nothing meanwhile
  if (locked > 0) return refuse(session, ssid, lockedOut(locked));
  const part = recognised(session, ssid);
  if (part === null || site.stopping || secure === null) return admit(session, ssid, part);
  if (site.credentials.guest(part) === "missing") {
    site.journal.emit("CFTT47W", { part: part.id, ssl: part.ssl, text: "it has no server profile" });
  }
  const check = identityFault(site, { part, secure, host });
  if (check === null) return admit(session, ssid, part);
  session.background(
    check.then((fault) => {
      if (link.over) return;
      if (fault === undefined) return admit(session, ssid, recognised(session, ssid));
      const told = "the identification code is not that of the certificate";
      refuse(session, ssid, { esid: 3, diagi: 278, message: "CFTT48E", text: fault, told, part });
    }),
  );
}

/** The partner that calls by this SSID; null when it is refused, which it has been told then. */
function recognised(session: Session, ssid: Ssid): Part | null {
  const { site, prot, link } = session;
  const result = recognise(site.configuration, {
    ssid,
    prot,
    secure: link.connection.secure !== null,
    now: site.clock.now(),
    active: (part) => site.activations.allows(part, false),
    full: (part) => site.sessions.full(site.configuration, part, false),
  });
  if ("part" in result) return result.part;
  refuse(session, ssid, result.refusal);
  return null;
}

function refuse(
  { site: { journal }, host, prot, ids, link }: Session,
  ssid: Ssid,
  { esid, diagi, message, text, told = text, part }: Refusal,
): void {
  const who = { part: part?.id ?? "", npart: ssid.code, host, prot: prot.id };
  const why = message === "CFTT48E" ? { reason: text } : { text };
  if (message !== "") journal.emit(message, { ...who, ...why, diagi });
  journal.emit("CFTH22E", { npart: ssid.code, diagi, host, ids, text });
  if (isPretender(esid, diagi)) link.connection.standing?.refused(part === null ? null : ssid.code);
  link.end(esid, told);
}

function admit(session: Session, ssid: Ssid, part: Part | null): void {
  if (part === null) return;
  const { site, prot } = session;
  if (site.stopping) return refuse(session, ssid, shuttingDown(part));
  // counted from now on, however long the directory takes
  session.part = part;
  site.sessions.recognised(session, part.id);
  if (prot.exita === null) accept(session, ssid, part);
  else session.background(consult(session, ssid, part));
}

/** Lets the site's own program decide. */
async function consult(session: Session, ssid: Ssid, part: Part): Promise<void> {
  const asked = new AbortController();
  void session.closed.then(() => asked.abort());
  const { prot, host, link, site } = session;
  const subject = link.connection.secure?.peerSubject ?? "";
  const question = { prot, part, mode: "S", host, subject, signal: asked.signal } as const;
  const refusal = await askDirectory(site, question);
  if (link.over) return;
  if (refusal) refuse(session, ssid, refusal);
  else if (site.stopping) refuse(session, ssid, shuttingDown(part));
  else accept(session, ssid, part);
}

function accept({ site, link, prot, host, ids }: Session, ssid: Ssid, part: Part): void {
  link.connection.recognised();
  link.machine.tolerates = tolerates(part.quirks);
  const { credentials, journal } = site;
  const possible = credentials.own("auth").length > 0 && credentials.theirs(part, "auth").length > 0;
  link.request({
    type: "F_CONNECT_RS",
    capabilities: capabilities(prot, part, false, authenticates(prot, part, ssid, possible)),
    code: part.nspart,
    password: part.nspassw.reveal(),
  });
  if (link.machine.agreement) return;
  const where = { part: part.id, npart: ssid.code, host, ids };
  journal.emit("CFTH23E", { ...where, event: "negotiation failed" });
  journal.emit("CFTH22E", { ...where, diagi: 451, text: "negotiation failed" });
}

/** True for a refusal that says that the caller is not who it says it is: code, password, certificate. */
function isPretender(esid: number, diagi: number): boolean {
  return diagi === 403 || (esid === 3 && (diagi === 409 || diagi === 278));
}

function lockedOut(left: number): Refusal {
  const text = `locked out after too many refusals, for another ${Math.ceil(left / 1000)} s`;
  return { esid: 8, diagi: 425, message: "", text, told: "try again later", part: null };
}

function shuttingDown(part: Part): Refusal {
  return { esid: 5, diagi: 416, message: "CFTT23E", text: "the gateway is shutting down", part };
}
