/** The engine's inner rooms without a gateway around them: a real catalog and spool, a clock that is moved by hand. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import type { Test } from "tap";
import type { Transfer } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/sqlite.ts";
import { load } from "../../src/config/load.ts";
import { Activations } from "../../src/engine/activations.ts";
import { loadCredentials } from "../../src/engine/credentials.ts";
import { Deliveries } from "../../src/engine/deliveries.ts";
import { DiskSpace } from "../../src/engine/disk-space.ts";
import { Envelopes } from "../../src/engine/envelopes.ts";
import { Exchange } from "../../src/engine/exchange/exchange.ts";
import { Judgement } from "../../src/engine/judgement.ts";
import { Listeners } from "../../src/engine/listeners.ts";
import { Scheduler } from "../../src/engine/scheduler.ts";
import { Sessions } from "../../src/engine/sessions.ts";
import type { Site } from "../../src/engine/site.ts";
import { describeSend } from "../../src/engine/submission.ts";
import { openStore, storeDirectory } from "../../src/pki/folder-store.ts";
import { Handovers, handoverDirectory } from "../../src/pki/handovers.ts";
import { createTrust } from "../../src/pki/trust/create.ts";
import { systemFileSystem } from "../../src/platform/filesystem.ts";
import { createSpool } from "../../src/spool/create.ts";
import { ManualClock } from "../net/manual-clock.ts";

export interface Bench {
  site: Site;
  scheduler: Scheduler;
  /** Messages so far: id, and the rest as `NAME=value`. */
  said: string[];
  clock: ManualClock;
  /** Records and claims a file for a partner. */
  submit(part: string): Promise<Transfer>;
  /** Waits in real time, moving the clock by `step` ms at each look. */
  until(what: string, condition: () => unknown, step?: number): Promise<void>;
}

const NOON = new Date(2026, 10, 20, 12).getTime();

/** A site by its configuration file. Chance always says the middle: no jitter. */
export async function bench(t: Test, toml: string): Promise<Bench> {
  const directory = mkdtempSync("/tmp/cyg-engine-");
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "cygnet.toml");
  writeFileSync(file, toml);
  const result = await load(file);
  if ("problems" in result) throw new Error(inspect(result.problems));
  const { configuration } = result;
  const { rundir } = configuration.cftparm;
  await systemFileSystem.makeDirectory(rundir);
  const clock = new ManualClock();
  clock.advance(NOON);
  const said: string[] = [];
  const journal = {
    emit(id: string, variables: object = {}): boolean {
      const rest = Object.entries(variables).map(([name, value]) => `${name.toUpperCase()}=${value}`);
      said.push([id, ...rest].join(" "));
      return true;
    },
  };
  const catalog = openCatalog(configuration.cftcat.fname, clock);
  const trust = createTrust({ cacheDirectory: join(rundir, "pki"), clock });
  const store = await openStore(storeDirectory(rundir));
  const handovers = await Handovers.open(handoverDirectory(rundir));
  const credentials = await loadCredentials(configuration, { store, trust, clock });
  const judgement = new Judgement({ trust, credentials: () => credentials, journal, clock });
  const envelopes = new Envelopes(() => site, clock);
  const listeners = new Listeners(
    journal,
    clock,
    () => credentials,
    () => {},
  );
  const site: Site = {
    ...{ configuration, credentials, catalog, journal, clock, trust, judgement, envelopes, store, handovers },
    exchange: new Exchange(() => site),
    spool: createSpool({ catalog, disk: systemFileSystem, rundir, clock }),
    random: { fraction: () => 0.5, bytes: (count) => Buffer.alloc(count) },
    disk: systemFileSystem,
    diskSpace: new DiskSpace(
      () => site,
      () => {},
    ),
    sessions: new Sessions(),
    deliveries: new Deliveries(() => site),
    activations: new Activations(catalog),
    owner: "bench",
    stopping: false,
    routed: (part) => scheduler.routed(part),
    seats: (net) => listeners.seat(configuration.cftnet.get(net)),
    cutScript: async () => false,
    unlock: (id, user) => listeners.unlock(id, user),
    kick: () => scheduler.kick(),
  };
  const scheduler = new Scheduler(site);
  t.teardown(async () => {
    site.stopping = true;
    for (const session of site.sessions.all) session.link.destroy();
    await scheduler.stop();
    await site.sessions.finished();
    await envelopes.close();
    await catalog.close();
  });
  let count = 0;
  return {
    ...{ site, scheduler, said, clock },
    async submit(id) {
      const part = configuration.cftpart.get(id);
      if (part === undefined) throw new Error(`no partner ${id}`);
      const path = join(directory, `file-${++count}.txt`);
      writeFileSync(path, "content");
      const { size, mtimeMs, ino } = await systemFileSystem.status(path);
      const { request } = await describeSend(site, part, "", path, mtimeMs);
      const target = { workdir: join(rundir, "work"), archive: "" };
      return site.spool.claim({ path, size, mtimeMs, ino }, request, target);
    },
    async until(what, condition, step = 0) {
      const deadline = performance.now() + 60_000;
      while (!(await condition())) {
        if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
        if (step > 0) clock.advance(step);
        await sleep(2);
      }
    },
  };
}
