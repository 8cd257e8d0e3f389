/** `cygnet test-partner`: is the partner there, and what was agreed. */
import type { PathReport } from "../engine/probe.ts";
import { ask } from "./client.ts";
import { type CommonOptions, Failed, print, printJson } from "./context.ts";
import { targetOf } from "./target.ts";

export async function testPartner(part: string, options: CommonOptions): Promise<void> {
  const target = await targetOf(options);
  const reports = await ask<PathReport[]>(target, "POST", `/partners/${encodeURIComponent(part)}/test`);
  if (options.json) printJson(reports);
  else for (const report of reports) print(show(report));
  if (reports.some(({ ok }) => ok)) return;
  throw new Failed(options.json ? "" : `${part} cannot be reached on any path`);
}

function show({ prot, host, port, ok, reason, diagi, tls, agreed }: PathReport): string {
  const lines = [`${prot} ${host}:${port}  ${ok ? "good" : `failed: ${reason} (DIAGI ${diagi})`}`];
  if (tls) {
    lines.push(`  TLS      ${tls.version} ${tls.cipher}`);
    lines.push(
      `  shows    ${tls.subject}${tls.verified ? "" : " (NOT verified)"}`,
      `  SHA-256  ${tls.fingerprint}`,
    );
  }
  if (agreed) {
    const { level, srusize, scredit, compression, restart, authentication } = agreed;
    const options = { compression, restart, authentication };
    const on = Object.entries(options).flatMap(([name, value]) => (value ? [name] : []));
    const names: Record<number, string> = { 1: "1.2", 2: "1.3", 4: "1.4", 5: "2.0" };
    lines.push(`  session  OFTP ${names[level]}, buffers of ${srusize} octets, credit ${scredit}`);
    lines.push(`  with     ${on.join(", ") || "no options"}`);
  }
  return lines.join("\n");
}
