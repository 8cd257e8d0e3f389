/** `cygnet reload`, `status`, `shut`: talk to the running gateway. */
import type { Status } from "../admin/status.ts";
import { renderPlan } from "../config/diff.ts";
import type { ReloadResult } from "../engine/gateway.ts";
import { ask, NotRunning } from "./client.ts";
import { type CommonOptions, Failed, localTime, octets, print, printJson } from "./context.ts";
import { renderTable, tableTarget } from "./table.ts";
import { targetOf } from "./target.ts";

export async function reload(options: CommonOptions): Promise<void> {
  const target = await targetOf(options);
  const result = await ask<ReloadResult>(target, "POST", "/reload");
  if (options.json) printJson(result);
  if (!result.accepted) {
    throw new Failed(
      options.json ? "" : `not accepted, nothing has changed:\n${result.reasons.join("\n")}`,
      2,
    );
  }
  if (options.json) return;
  const { generation, plan } = result;
  if (plan.length === 0) print(`nothing has changed; generation ${generation} is in force`);
  else print([`generation ${generation} is in force`, ...renderPlan(plan)].join("\n"));
}

export async function status(options: CommonOptions): Promise<void> {
  const target = await targetOf(options);
  const now = await ask<Status>(target, "GET", "/status");
  if (options.json) return printJson(now);
  const { generation, transfers } = now;
  const counts = (states: Record<string, number>) =>
    Object.entries(states)
      .map(([state, count]) => `${state} ${count}`)
      .join(", ") || "none";
  print(`site       ${now.part}, ${now.state} since ${localTime(now.started)}, process ${now.pid}`);
  print(`generation ${generation.number} since ${localTime(generation.at)}`);
  for (const reason of generation.rejected) print(`           last reload REJECTED: ${reason}`);
  for (const { prot, address, port, secure } of now.listeners) {
    print(`listener   ${prot} ${address}:${port}${secure ? " TLS" : ""}`);
  }
  for (const { net, kind, id, refusals, until } of now.lockouts) {
    print(`locked out ${kind} ${id} on ${net} until ${localTime(until)}: ${refusals} refusals`);
  }
  for (const { id, scandir, state } of now.folders) print(`folder     ${id} ${state} ${scandir}`);
  print(`sends      ${counts(transfers.send)}`);
  print(`receives   ${counts(transfers.recv)}; responses waiting: ${transfers.responses}`);
  const { running, waiting } = now.scripts;
  if (running + waiting > 0) print(`scripts    ${running} running, ${waiting} waiting`);
  for (const job of now.jobs) {
    const next = job.next === null ? "not active" : `next ${localTime(job.next)}`;
    print(`job        ${job.id} ${next}${job.running ? ", running" : ""}`);
  }
  if (now.partners.some(({ failures, next }) => failures > 0 || next !== null)) {
    for (const { id, failures, next, reason } of now.partners) {
      if (next !== null)
        print(`partner    ${id}: ${failures} failed calls, next ${localTime(next)}: ${reason}`);
    }
  }
  for (const { level, text } of now.disks)
    if (level !== "ok") print(`disk       ${level.toUpperCase()}: ${text}`);
  for (const line of certificateLines(now.certificates)) print(`certificate ${line}`);
  if (now.sessions.length === 0) return;
  const columns = [
    { title: "SESSION", value: (row: Row) => row.ids },
    { title: "PART", value: (row: Row) => row.part },
    { title: "PROT", value: (row: Row) => row.prot },
    { title: "ROLE", value: (row: Row) => row.role },
    { title: "HOST", value: (row: Row) => row.host },
    { title: "STATE", value: (row: Row) => row.state },
    { title: "IDTU", value: (row: Row) => row.idtu },
    { title: "BYTES", value: (row: Row) => octets(row.bytes), align: "right" as const },
  ];
  print(renderTable(columns, now.sessions, tableTarget(process.stdout)));
}

type Row = Status["sessions"][number];

function certificateLines({ next, expired, pending, problems }: Status["certificates"]): string[] {
  const name = ({ id, fingerprint }: { id: string; fingerprint: string }) =>
    `${id} (SHA-256 ${fingerprint.slice(0, 11)}…)`;
  return [
    ...expired.map((one) => `${name(one)} EXPIRED on ${one.until.slice(0, 10)}`),
    ...(next
      ? [
          `${name(next)} is the next to expire: ${next.until.slice(0, 10)}, ${next.days} ${next.days === 1 ? "day" : "days"} left`,
        ]
      : []),
    ...(pending > 0 ? [`${pending} of partners wait for a word: cygnet pki list --state pending`] : []),
    ...problems,
  ];
}

export async function shut(options: CommonOptions & { fast?: boolean }): Promise<void> {
  const target = await targetOf(options);
  await ask(target, "POST", "/shut", { fast: options.fast ?? false });
  // it is down when its control socket no longer answers
  for (;;) {
    try {
      await ask(target, "GET", "/status");
    } catch (error) {
      if (error instanceof NotRunning) break;
      // a connection that is cut half-way is the sign that it goes down: look again
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (options.json) printJson({ stopped: true });
  else print("the gateway has stopped");
}
