/** `cygnet run`: the gateway in the foreground. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join, relative } from "node:path";
import { openAdmin } from "../admin/server.ts";
import { missingKeyFiles } from "../config/load.ts";
import { placesOf } from "../config/places.ts";
import { ConfigurationRejected, Gateway } from "../engine/gateway.ts";
import { ensureSelfSigned } from "../pki/generate.ts";
import { describe } from "../platform/errors.ts";
import { systemFileSystem } from "../platform/filesystem.ts";
import { projectRoot } from "../platform/root.ts";
import { serviceManager } from "../platform/service-manager.ts";
import { type CommonOptions, configFile, Failed, print } from "./context.ts";
import { Service } from "./service.ts";

export async function run(options: CommonOptions): Promise<void> {
  process.umask(0o027);
  const file = configFile(options);
  let service: Service | undefined;
  const manager = serviceManager(process.env, (text) => {
    if (service) service.lost(text);
    else console.error(`cygnet: the service manager is not reached: ${text}`);
  });
  // the socket is this process's own: programs that it starts do not have it
  delete process.env.CYGNET_NOTIFY_FD;
  manager.status("starting");
  await makeKeys(file);
  let gateway: Gateway;
  try {
    gateway = await Gateway.start(file, { console: true });
  } catch (error) {
    if (error instanceof ConfigurationRejected) throw new Failed(error.message, 2);
    throw new Failed(describe(error));
  }
  service = new Service(gateway, manager);
  let stop: (fast: boolean) => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = (fast) => {
      service.stopping();
      void gateway.stop(fast).then(resolve);
    };
  });
  const admin = await openAdmin(gateway, gateway.site.configuration.admin.socket, (fast) => stop(fast)).catch(
    async (error: unknown) => {
      await gateway.stop(true);
      throw new Failed(describe(error));
    },
  );
  process.once("uncaughtException", (error) => {
    gateway.journal.emit("CFTS77E", { text: error.stack ?? describe(error) });
    // nothing is known of what is in memory: what is on disk is taken up by the next start
    void gateway.journal.close().finally(() => process.exit(70));
  });
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (asked) void gateway.stop(true);
      else stop(false);
      if (asked) process.exit(1);
      asked = true;
    });
  }
  process.on("SIGHUP", () => void service.reload());
  if (!manager.present) showPlaces(gateway, file);
  service.ready();
  await stopped;
  await admin.close();
}

/** At a first start the gateway makes the keys and certificates that its configuration expects under rundir. */
async function makeKeys(file: string): Promise<void> {
  const missing = await missingKeyFiles(file);
  // with the mode of data, not that of the keys below it
  if (missing.length > 0) await systemFileSystem.makeDirectory((await placesOf(file)).rundir);
  for (const { id, file: certificate, key } of missing) {
    const wish = {
      commonName: `Cygnet ${id}`,
      hosts: ["localhost", "127.0.0.1", "::1", hostname()],
      days: 825,
    };
    if (await ensureSelfSigned({ certificate, key }, wish)) {
      print(
        `made a key and a self-signed certificate for [[pki]] ${id}: ${relative(process.cwd(), certificate)}`,
      );
    }
  }
}

function showPlaces(gateway: Gateway, file: string): void {
  const { configuration } = gateway.site;
  const { rundir, part } = configuration.cftparm;
  const here = (path: string) => relative(process.cwd(), path) || ".";
  const partners = [...configuration.cftpart.keys()];
  const partner = partners.includes("LOOP") ? "LOOP" : (partners[0] ?? "<PARTNER>");
  const command = existsSync(join(projectRoot(), "scripts")) ? "npm run -s cygnet --" : "cygnet";
  const ports = gateway.listeners.ports.map(({ prot, address, port }) => `${prot} ${address}:${port}`);
  print(
    [
      "",
      `Cygnet serves site ${part} with ${here(file)}; listening on ${ports.join(", ") || "no port"}`,
      `  outbox   ${here(join(rundir, "outbox"))}/<PARTNER>/      files dropped here are sent (${partners.join(", ")})`,
      `  inbox    ${here(join(rundir, "inbox"))}/<PARTNER>/       files that arrived`,
      `  try      cp README.md ${here(join(rundir, "outbox", partner))}/  and then  ${command} listcat`,
      `  edit     ${basename(file)} while this runs: it is checked and taken over at once; Ctrl-C stops`,
      "",
    ].join("\n"),
  );
}
