/** What `cygnet status` shows: the gateway at a glance. */
import type { Part } from "../config/model.ts";
import type { Gateway, Generation } from "../engine/gateway.ts";
import type { Session } from "../engine/session.ts";

export type Status = Awaited<ReturnType<typeof statusOf>>;

export async function statusOf(gateway: Gateway) {
  const { site, generations, lastRejection, listeners, outboxes } = gateway;
  const { cftparm, cftpart } = site.configuration;
  const generation = generations.at(-1);
  return {
    part: cftparm.part,
    pid: process.pid,
    started: new Date(gateway.startedAt).toISOString(),
    state: site.stopping ? "stopping" : "running",
    rundir: cftparm.rundir,
    generation: {
      number: generation?.number ?? 0,
      at: new Date(generation?.at ?? gateway.startedAt).toISOString(),
      plan: generation?.plan ?? [],
      rejected: lastRejection,
    },
    listeners: listeners.ports,
    networks: listeners.networks,
    lockouts: listeners.lockouts.map(({ left, ...lock }) => ({
      ...lock,
      until: new Date(site.clock.now() + left).toISOString(),
    })),
    certificates: certificatesOf(gateway),
    // what the inside adds to these is no part of the API before somebody says so
    disks: site.diskSpace.disks.map(({ path, free, total, level, text }) => ({
      path,
      free,
      total,
      level,
      text,
    })),
    folders: outboxes.status,
    transfers: await site.catalog.totals(),
    scripts: { running: gateway.housekeeping.scripts.running, waiting: await site.catalog.scriptsWaiting() },
    jobs: jobsOf(gateway),
    cycles: await cyclesOf(gateway),
    sessions: sessionsOf(gateway),
    partners: await Promise.all([...cftpart.values()].map((part) => partnerOf(gateway, part))),
  };
}

export function generationOf({ number, at, plan }: Generation) {
  return { number, at: new Date(at).toISOString(), plan };
}

export function jobsOf({ housekeeping }: Gateway) {
  return housekeeping.jobs.status.map(({ next, ...job }) => ({
    ...job,
    next: next === null ? null : new Date(next).toISOString(),
  }));
}

/** Requests that are repeated. */
async function cyclesOf({ housekeeping }: Gateway) {
  return (await housekeeping.generics.cycles()).map(({ next, ...cycle }) => ({
    ...cycle,
    next: next === null ? null : new Date(next).toISOString(),
  }));
}

export function sessionsOf({ site }: Gateway) {
  return site.sessions.all.map(sessionOf);
}

export function sessionOf(session: Session) {
  return {
    ids: session.ids,
    part: session.part?.id ?? null,
    prot: session.prot.id,
    role: session.role,
    host: session.host,
    state: session.link.machine.state,
    level: session.agreement?.level ?? null,
    since: new Date(session.startedAt).toISOString(),
    idtu: session.sending.current?.transfer.idtu ?? session.receiving.current?.transfer.idtu ?? null,
    bytes: session.sending.current?.bytes ?? session.receiving.current?.bytes ?? null,
  };
}

export async function partnerOf({ site }: Gateway, part: Part) {
  const { id } = part;
  const clock = await site.catalog.clock(id);
  const failing = clock.tries > 0 || clock.nextCallAt > site.clock.now();
  const next = failing ? new Date(clock.nextCallAt).toISOString() : null;
  const state = site.activations.part(part);
  return { id, state, failures: clock.tries, next, reason: failing ? clock.reason : "" };
}

/** What of the certificates needs somebody's attention, and when the next one ends. */
function certificatesOf({ housekeeping, site }: Gateway) {
  const all = housekeeping.expiry.list();
  return {
    next: all.find(({ days }) => days >= 0) ?? null,
    expired: all.filter(({ days }) => days < 0),
    pending: site.store.list({ state: "pending" }).length,
    problems: site.store.problems.map(({ text }) => text),
  };
}
