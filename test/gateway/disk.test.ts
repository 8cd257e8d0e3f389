/** Watermarks of free space: what a gateway declines below them, and that it goes on by itself. */
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import type { Configuration } from "../../src/config/model.ts";
import { parseSpace } from "../../src/config/units.ts";
import { DiskSpace } from "../../src/engine/disk-space.ts";
import type { Site } from "../../src/engine/site.ts";
import { ManualClock } from "../net/manual-clock.ts";
import { allEnded } from "./arrivals.ts";
import { site, waitFor } from "./harness.ts";

const MiB = 1024 * 1024;
/** More than any disk has. */
const NEVER_ENOUGH = "999999GiB";

test("below the watermark partners try later and outboxes wait; with space everything goes on", async (t) => {
  const { hub, acme } = await site(t, { retryw: "300ms", disctd: "200ms" });
  const plain = await fs.readFile(acme.config, "utf8");
  const limits = (low: string, alert: string) =>
    acme.write(
      "cygnet.toml",
      plain.replace("maxtrans = 64", `maxtrans = 64\ndisk_low = "${low}"\ndisk_alert = "${alert}"`),
    );
  await limits(NEVER_ENOUGH, "0");
  await Promise.all([hub.start(), acme.start()]);
  const { pid } = acme;

  const toAcme = new Map([["one.bin", await hub.drop("one.bin", { size: 3000, seed: 1 })]]);
  const toHub = new Map([["two.bin", await acme.drop("two.bin", { size: 3000, seed: 2 })]]);
  await waitFor("the refusal", async () =>
    /not enough space/.test((await hub.transfer("send", "one.bin"))?.diagc ?? ""),
  );
  t.match(await hub.transfer("send", "one.bin"), { state: "D", diagi: Number }, "it is tried again");
  t.ok(existsSync(acme.outbox("two.bin")), "a file in the outbox is left there");
  t.same(await acme.transfers({ direct: "send" }), [], "and has no record yet");
  t.match(await acme.cli("send", "-p", "HUB", acme.config), {
    status: 1,
    stderr: /at present: .* MiB are free/,
  });
  t.match(await acme.status(), { pid, disks: [{ level: "low", text: /less than 1023998976 MiB/ }] });
  t.match((await acme.cli("status")).stdout, /disk +LOW: /);
  t.equal(acme.messages("CFTS86W").length, 1, "it is told once");

  await limits(NEVER_ENOUGH, NEVER_ENOUGH);
  await waitFor("the alert", () => acme.messages("CFTS86E").length === 1);
  t.match((await acme.status()).disks[0], { level: "alert" });

  await limits("1%", "0");
  await allEnded(
    t,
    [
      { from: hub, to: acme, expected: toAcme },
      { from: acme, to: hub, expected: toHub },
    ],
    60_000,
  );
  t.equal(acme.messages("CFTS86I").length, 1, "that there is space again is told as well");
  t.match((await acme.status()).disks[0], { level: "ok" });

  await limits("1%", "2%");
  t.match(await acme.cli("check"), { status: 2, stderr: /disk_alert: "2%" is more than disk_low = "1%"/ });
});

test("levels: shares and octets, each file system for itself, and a margin before a level is left", async (t) => {
  const rows = [
    {
      low: "10%",
      alert: "5%",
      total: 1000,
      steps: [
        [100, "ok"],
        [99, "low"],
        [109, "low"],
        [111, "ok"],
        [49, "alert"],
        [54, "alert"],
        [56, "low"],
      ],
    },
    {
      low: "100MiB",
      alert: "50MiB",
      total: 1000,
      steps: [
        [101, "ok"],
        [99, "low"],
        [49, "alert"],
        [120, "ok"],
      ],
    },
    {
      low: "5% 20MiB",
      alert: "0",
      total: 1000,
      steps: [
        [21, "ok"],
        [19, "low"],
        [0, "low"],
      ],
    },
    {
      low: "5% 20MiB",
      alert: "1%",
      total: 100,
      steps: [
        [6, "ok"],
        [4, "low"],
        [0, "alert"],
      ],
    },
    // a limit that the disk can never keep by a margin is left at the limit itself
    {
      low: "95MiB",
      alert: "0",
      total: 100,
      steps: [
        [90, "low"],
        [96, "ok"],
      ],
    },
    { low: "0", alert: "0", total: 100, steps: [[0, "ok"]] },
  ] as const;
  for (const { low, alert, total, steps } of rows) {
    let free = 0;
    let again = 0;
    const said: string[] = [];
    const rundir = "/run/cygnet";
    const gone = Object.assign(new Error("gone"), { code: "ENOENT" });
    const configuration = {
      cftparm: { rundir, disk_low: parseSpace(low), disk_alert: parseSpace(alert) },
      cftcat: { fname: "/other/catalog.db" },
      cftlog: { fname: join(rundir, "log", "cygnet.log") },
      cftaccnt: null,
      cftfolder: new Map(),
    } as unknown as Configuration;
    const part = {
      configuration,
      clock: new ManualClock(),
      journal: { emit: (id: string) => said.push(id) > 0 },
      disk: {
        async space(path: string) {
          if (path.startsWith(`${rundir}/`)) throw gone;
          const other = path.startsWith("/other");
          return {
            free: other ? 10_000 * MiB : free * MiB,
            total: other ? 20_000 * MiB : total * MiB,
            device: other ? 2n : 1n,
          };
        },
      },
    } as unknown as Site;
    const space = new DiskSpace(
      () => part,
      () => again++,
    );
    const levels: string[] = [];
    for (const [octets] of steps) {
      free = octets;
      await space.look();
      levels.push(space.level);
      t.equal(space.shortage === null, space.level === "ok");
    }
    t.same(
      levels,
      steps.map(([, level]) => level),
      `${low} and ${alert} of ${total}`,
    );
    t.same(
      space.disks.map(({ path }) => path),
      [rundir, "/other"],
      "one for each file system",
    );
    const changes = levels.filter((level, index) => level !== (levels[index - 1] ?? "ok"));
    t.same(
      said,
      changes.map((level) => ({ ok: "CFTS86I", low: "CFTS86W", alert: "CFTS86E" })[level]),
    );
    t.equal(again, changes.filter((level) => level === "ok").length);
  }
});
