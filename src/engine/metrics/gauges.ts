/** What is measured when somebody asks: nothing here costs anything while nobody does. */
import type { Backlog } from "../../catalog/backlog.ts";
import { version } from "../../platform/version.ts";
import type { Gateway } from "../gateway.ts";
import type { MetricName } from "./definitions.ts";

/** Puts a value into a gauge. */
export type Put = (metric: MetricName, labels: Record<string, string>, value: number) => void;

/** Every gauge of a gateway but the delay of its loop. */
export async function measure(gateway: Gateway, put: Put): Promise<void> {
  const { site, housekeeping } = gateway;
  put("cygnet_info", { version: version(), site: site.configuration.cftparm.part }, 1);
  measureConfiguration(gateway, put);
  measureSessions(gateway, put);
  measureLockouts(gateway, put);
  for (const { id, part, fingerprint, days } of housekeeping.expiry.list()) {
    // eight octets tell the certificates of one id apart
    put("cygnet_certificate_days_left", { id, partner: part, fingerprint: fingerprint.slice(0, 23) }, days);
  }
  put("cygnet_scripts", { state: "running" }, housekeeping.scripts.running);
  measureDisks(gateway, put);
  await measureCatalog(gateway, put);
  put("cygnet_ready", {}, (await gateway.health.ready()).ok ? 1 : 0);
}

function measureConfiguration(
  { generations, lastRejection, lastReload, startedAt }: Gateway,
  put: Put,
): void {
  put("cygnet_configuration_generation", {}, generations.at(-1)?.number ?? 0);
  put("cygnet_configuration_last_reload_timestamp_seconds", {}, (lastReload ?? startedAt) / 1000);
  put("cygnet_configuration_last_reload_successful", {}, lastRejection.length === 0 ? 1 : 0);
}

function measureSessions({ site, listeners }: Gateway, put: Put): void {
  const open = new Map<string, { partner: string; role: string; sessions: number }>();
  const moved = { send: 0, recv: 0 };
  for (const session of site.sessions.all) {
    const partner = session.part?.id ?? "";
    const role = session.initiator ? "requester" : "server";
    const row = open.get(`${role} ${partner}`) ?? { partner, role, sessions: 0 };
    row.sessions += 1;
    open.set(`${role} ${partner}`, row);
    moved.send += session.sending.current?.bytes ?? 0;
    moved.recv += session.receiving.current?.bytes ?? 0;
  }
  for (const { partner, role, sessions } of open.values())
    put("cygnet_sessions", { partner, role }, sessions);
  for (const direction of ["send", "recv"] as const) {
    put("cygnet_transfers_running_bytes", { direction }, moved[direction]);
  }
  for (const { net, open: all, silent, accepted, denied, refused, displaced, locked } of listeners.networks) {
    put("cygnet_connections", { net, state: "recognised" }, all - silent);
    put("cygnet_connections", { net, state: "unrecognised" }, silent);
    put("cygnet_connections_accepted_total", { net }, accepted);
    for (const [reason, count] of Object.entries({ denied, full: refused, displaced, locked })) {
      put("cygnet_connections_refused_total", { net, reason }, count);
    }
  }
}

function measureLockouts({ listeners }: Gateway, put: Put): void {
  const { lockouts } = listeners;
  for (const { net, locks } of listeners.locks) {
    put("cygnet_lockouts_total", { net }, locks);
    for (const kind of ["address", "code"]) {
      const locked = lockouts.filter((lock) => lock.net === net && lock.kind === kind);
      put("cygnet_lockouts", { net, kind }, locked.length);
    }
  }
}

/** As they were at the last look, at most five seconds ago. */
function measureDisks({ site }: Gateway, put: Put): void {
  for (const { path: folder, free, total } of site.diskSpace.disks) {
    put("cygnet_disk_free_bytes", { folder }, free);
    put("cygnet_disk_size_bytes", { folder }, total);
  }
}

async function measureCatalog({ site }: Gateway, put: Put): Promise<void> {
  const { catalog, configuration, clock } = site;
  const totals = await catalog.totals();
  for (const direction of ["send", "recv"] as const) {
    for (const state of "ADCHKYZX") {
      put("cygnet_transfers", { direction, state }, totals[direction][state] ?? 0);
    }
  }
  put("cygnet_scripts", { state: "waiting" }, await catalog.scriptsWaiting());
  const backlog = new Map((await catalog.backlog()).map((each) => [each.part, each]));
  // partners that went away with something left are partners still
  for (const partner of new Set([...configuration.cftpart.keys(), ...backlog.keys()])) {
    measurePartner(partner, backlog.get(partner), clock.now(), put);
    put("cygnet_partner_failed_calls", { partner }, (await catalog.clock(partner)).tries);
  }
}

function measurePartner(partner: string, backlog: Backlog | undefined, now: number, put: Put): void {
  /** Seconds; a clock that was set back makes nothing younger than now. */
  const age = (since: number | null | undefined) => Math.max(0, since ? (now - since) / 1000 : 0);
  const { transfers = [], unsent = 0, waitingSince, awaitedSince, unsentSince } = backlog ?? {};
  for (const { direct, state, records } of transfers) {
    put("cygnet_partner_transfers", { partner, direction: direct, state }, records);
  }
  const awaited = transfers.find(({ direct, state }) => direct === "send" && state === "Z")?.records ?? 0;
  put("cygnet_partner_oldest_waiting_seconds", { partner }, age(waitingSince));
  put("cygnet_responses_awaited", { partner }, awaited);
  put("cygnet_responses_awaited_oldest_seconds", { partner }, age(awaitedSince));
  put("cygnet_responses_unsent", { partner }, unsent);
  put("cygnet_responses_unsent_oldest_seconds", { partner }, age(unsentSince));
}
