/** Partners: are their hosts' names known, does somebody listen there, and with --deep does TLS come about. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Configuration, Part } from "../../config/model.ts";
import { type Path, paths } from "../../engine/caller.ts";
import { type Credentials, loadCredentials } from "../../engine/credentials.ts";
import { registeredKeys } from "../../engine/identity.ts";
import { dial } from "../../net/dial.ts";
import { openStore, storeDirectory } from "../../pki/folder-store.ts";
import { createTrust } from "../../pki/trust/create.ts";
import { systemClock } from "../../platform/clock.ts";
import { describe, isSystemError } from "../../platform/errors.ts";
import { type Check, type Finding, finding } from "./finding.ts";

const PATIENCE = 5_000;
const SILENT = { emit() {} };

export const checkPartners: Check = async ({ configuration, places, deep }) => {
  if (configuration === null) return [];
  const called = [...configuration.cftpart.values()].filter(
    ({ state }) => state === "activeboth" || state === "activereq",
  );
  const credentials = deep ? await credentialsOf(configuration, places.rundir) : null;
  const each = await Promise.all(
    called.map(async (part) => {
      const tcp = configuration.cfttcp.get(part.id);
      const ways = tcp ? paths(configuration, part, tcp) : [];
      return (await Promise.all(ways.map((path) => attempt(part, path, credentials)))).flat();
    }),
  );
  return each.flat();
};

async function credentialsOf(configuration: Configuration, rundir: string): Promise<Credentials | null> {
  const trust = createTrust({ cacheDirectory: join(rundir, "pki", "revocation"), clock: systemClock });
  const store = await openStore(storeDirectory(rundir));
  // what is wrong with them is told by the check of certificates
  return loadCredentials(configuration, { store, trust }).catch(() => null);
}

async function attempt(
  part: Part,
  { prot, host, port }: Path,
  credentials: Credentials | null,
): Promise<Finding[]> {
  const where = `${part.id} at ${host}:${port} (${prot.id})`;
  if (isIP(host) === 0) {
    try {
      await lookup(host);
    } catch (error) {
      const unknown = isSystemError(error, "ENOTFOUND");
      const text = `${where}: ${unknown ? `the name ${host} is not known` : describe(error)}`;
      const action = unknown
        ? "Correct host in [[cfttcp]]."
        : "Check the name servers: resolvectl query, /etc/resolv.conf.";
      return [finding("dns", unknown ? "fail" : "warn", text, action)];
    }
  }
  const tls = prot.ssl !== "" && credentials ? credentials.client(part, prot) : null;
  try {
    const registered = credentials && tls ? registeredKeys(credentials, part) : [];
    const connection = await dial({
      host,
      port,
      ...(tls && { tls }),
      ...(registered.length > 0 && { registered }),
      timeout: PATIENCE,
      keepalive: 0,
      journal: SILENT,
      part: part.id,
    });
    connection.stream.on("error", () => {
      // it is closed either way
    });
    connection.stream.destroy();
    const { secure } = connection;
    const how = secure ? `${secure.version} ${secure.cipher}` : "TCP";
    return [finding("reach", "ok", `${where} answers: ${how}`)];
  } catch (error) {
    const text = `${where}: ${describe(error)}`;
    return tls && /TLS|certificate/i.test(describe(error))
      ? [finding("reach", "fail", text, `cygnet test-partner ${part.id} tells more; docs/tls.md.`)]
      : [
          finding(
            "reach",
            "warn",
            text,
            `Ask the partner whether it is up; look at firewalls on both sides. cygnet test-partner ${part.id} tells more.`,
          ),
        ];
  }
}
