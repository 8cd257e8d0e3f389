/** The ports that the configuration names: open by this gateway, or free for it; and the control socket. */
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { isSystemError } from "../../platform/errors.ts";
import { type Check, type Finding, finding } from "./finding.ts";

export const checkPorts: Check = async ({ configuration, status, places }) => {
  const findings: Finding[] = [];
  for (const { id, sap, net } of configuration?.cftprot.values() ?? []) {
    if (sap === null) continue;
    for (const address of configuration?.cftnet.get(net)?.host ?? []) {
      const where = `${id} ${address}:${sap}`;
      const ours = status?.listeners.some(({ prot, port }) => prot === id && port === sap) ?? false;
      if (ours) findings.push(finding("ports", "ok", `${where} is open`));
      else if (status) {
        const action = "cygnet reload, and look at what it says.";
        findings.push(
          finding("ports", "fail", `${where} is configured, but the gateway has not opened it`, action),
        );
      } else findings.push(await attempt(where, address, sap));
    }
  }
  if (status === null && existsSync(places.socket)) {
    const text = `nobody listens on the control socket ${places.socket}: a gateway was killed`;
    findings.push(finding("ports", "warn", text, "Nothing: the next start takes it away."));
  }
  return findings;
};

/** Opens a port for a moment. */
function attempt(where: string, address: string, port: number): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      const [why, action] = isSystemError(error, "EADDRINUSE")
        ? ["another program has it", `ss -ltnp 'sport = :${port}' shows which one.`]
        : isSystemError(error, "EACCES")
          ? ["this user may not open it", "Ports below 1024 need the drop-in low-ports.conf."]
          : isSystemError(error, "EADDRNOTAVAIL")
            ? ["this machine does not have the address", "Correct host in [[cftnet]], or the network."]
            : [error.message, "Correct [[cftnet]] or sap in [[cftprot]]."];
      resolve(finding("ports", "fail", `${where} cannot be opened: ${why}`, action));
    });
    server.listen({ port, host: address, exclusive: true }, () =>
      server.close(() => resolve(finding("ports", "ok", `${where} is free`))),
    );
  });
}
