/** Parts of the administration by themselves: lock-out, audit log, event stream, and the document that describes it all. */
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "tap";
import { apiReference } from "../../scripts/api-reference.ts";
import { Access } from "../../src/admin/access.ts";
import { buildApp } from "../../src/admin/app.ts";
import { type AuditEntry, AuditLog, auditLines, noted } from "../../src/admin/audit.ts";
import { markOrigin } from "../../src/admin/caller.ts";
import { Events } from "../../src/admin/events.ts";
import { Lockout } from "../../src/admin/lockout.ts";
import { Strangers } from "../../src/admin/strangers.ts";
import { openCatalog } from "../../src/catalog/sqlite.ts";
import { readEvents } from "../../src/cli/events.ts";
import type { Configuration } from "../../src/config/model.ts";
import { Sessions } from "../../src/engine/sessions.ts";
import { openJournal } from "../../src/messages/logger.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { projectRoot } from "../../src/platform/root.ts";

test("docs/openapi.json is current, and every operation has what a generator needs", async (t) => {
  const text = await apiReference();
  const file = await fs.readFile(join(projectRoot(), "docs", "openapi.json"), "utf8");
  t.equal(file, text, 'docs/openapi.json is current: "npm run docs" makes it so');
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Record<string, unknown>>> };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const ids = operations.map(({ operationId }) => operationId);
  t.equal(new Set(ids).size, ids.length, "names are unique");
  for (const operation of operations) {
    t.match(operation, {
      operationId: /^[a-z][A-Za-z]+$/,
      summary: /\w/,
      "x-role": /^(anyone|read|operate|admin)$/,
    });
  }
});

test("lock-out: four wrong tokens are free, then the wait doubles, up to five minutes, and is forgotten", async (t) => {
  let now = 0;
  const lockout = new Lockout({ monotonic: () => now });
  const waits = Array.from({ length: 16 }, () => lockout.failed("192.0.2.1") / 1000);
  t.same(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  t.equal(lockout.wait("192.0.2.1"), 300_000);
  t.equal(lockout.wait("192.0.2.2"), 0, "others are not concerned");
  now += 299_999;
  t.equal(lockout.wait("192.0.2.1"), 1);
  now += 1;
  t.equal(lockout.wait("192.0.2.1"), 0);
  now += 3600_000;
  t.equal(lockout.failed("192.0.2.1"), 0, "after an hour it begins anew");
  for (let host = 1; host <= 5; host += 1) lockout.failed(`2001:db8:1:2::${host}`);
  t.ok(lockout.wait("2001:db8:1:2:ffff:1:2:3") > 0, "of IPv6 a whole /64 is one caller");
  t.equal(lockout.wait("2001:db8:1:3::1"), 0);
  for (let host = 0; host < 12_000; host += 1) lockout.failed(`10.0.${host >> 8}.${host & 255}`);
  t.equal(lockout.wait("2001:db8:1:2::1"), 0, "what is quiet longest is forgotten first: memory is bounded");
});

test("strangers: sixty lines a minute, and the number of those that were left out", async (t) => {
  let now = 0;
  const strangers = new Strangers({ monotonic: () => now });
  const noted = () => Array.from({ length: 100 }, () => strangers.next()).filter((one) => one !== null);
  t.same(noted(), Array(60).fill(0));
  now += 59_999;
  t.same(noted(), []);
  now += 1;
  t.same(noted(), [140, ...Array(59).fill(0)]);
});

const ENTRY: AuditEntry = {
  ...{ time: "2026-11-20T08:00:00.000Z", who: "erp", via: "token", address: "192.0.2.1", role: "operate" },
  ...{ action: "send", method: "POST", path: "/v1/transfers", said: { part: "ACME" }, status: 200, code: "" },
};

test("the audit log rotates, follows the configuration, and loses nothing silently", async (t) => {
  const folder = t.testdir({ file: "no folder" });
  const told: string[] = [];
  const journal = {
    emit: (id: string, variables = {}) => void told.push(`${id} ${JSON.stringify(variables)}`),
  };
  const settings = (name: string, audit_maxsize = 2000) =>
    ({
      admin: { audit: join(folder, name), audit_maxsize, audit_backup_count: 3 },
    }) as unknown as Configuration;
  const audit = new AuditLog(settings("audit.log"), journal);
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => audit.write({ ...ENTRY, path: `/v1/${index}` })),
  );
  const files = (await fs.readdir(folder)).filter((name) => name.startsWith("audit.log")).sort();
  t.same(files, ["audit.log", "audit.log.1", "audit.log.2", "audit.log.3"]);
  const paths: string[] = [];
  for (const name of files.reverse())
    for await (const { path } of auditLines(join(folder, name))) paths.push(path);
  t.same(
    paths,
    Array.from({ length: paths.length }, (_, index) => `/v1/${index + 60 - paths.length}`),
    "in order, to the last",
  );
  audit.follow(settings("other.log"));
  await audit.write(ENTRY);
  t.equal((await fs.readFile(join(folder, "other.log"), "utf8")).trim(), JSON.stringify(ENTRY));
  t.equal((await fs.stat(join(folder, "other.log"))).mode & 0o777 & ~0o640, 0, "not for everybody");
  audit.follow(settings("file/audit.log"));
  await audit.write({ ...ENTRY, who: "unwritten" });
  t.match(told, [/^CFTR91E .*unwritten/], "what cannot be written stands in the log, whole");
  await audit.close();
  const said = {
    token: "t",
    passw: "p",
    pem: "-----BEGIN CERTIFICATE-----…",
    list: ["x".repeat(500)],
    nspassw: "n",
    deep: { secret: 1 },
  };
  t.same(noted(said), {
    ...{ token: "[secret]", passw: "[secret]", nspassw: "[secret]", deep: { secret: "[secret]" } },
    ...{ pem: "(28 characters of PEM)", list: [`${"x".repeat(200)}… (500 characters)`] },
  });
});

test("a reader of events that does not read is cut, and nobody else notices", async (t) => {
  const folder = t.testdir({});
  const journal = openJournal({
    ...{ fname: join(folder, "log"), format: "V24", level: "F", maxsize: 0, backups: 1, clock: systemClock },
  });
  const catalog = openCatalog(join(folder, "catalog.db"), systemClock);
  const site = { journal, catalog, sessions: new Sessions(), clock: systemClock, configuration: {} };
  const gateway = { site, journal, generations: [] } as never;
  const events = new Events(gateway);
  const access = new Access(() => new Map(), journal, systemClock);
  const app = await buildApp({
    gateway,
    access,
    events,
    streams: new Set(),
    shut: () => {},
    audit: {} as never,
  });
  const server = createServer((request, response) => {
    markOrigin(request, "socket");
    app.routing(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(async () => {
    server.close();
    server.closeAllConnections();
    await app.close();
    await catalog.close();
    await journal.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async () =>
    (
      (await once(get({ port, host: "127.0.0.1", path: "/v1/events?type=message" }), "response")) as [
        IncomingMessage,
      ]
    )[0];
  const [slow, quick] = [await open(), await open()];
  slow.pause();
  let heard = 0;
  const reading = (async () => {
    for await (const { data } of readEvents(quick)) {
      heard += 1;
      if (data.includes("the last")) return;
    }
  })();
  t.equal(events.readers, 2);
  let emitted = 0;
  const filler = "x".repeat(20_000);
  for (; emitted < 5000 && events.readers === 2; emitted += 1) {
    journal.emit("CFTR92I", { text: filler });
    // a reader that reads keeps up
    while (heard < emitted - 20) await turn();
  }
  t.ok(emitted < 5000, `cut after ${emitted} events of 20 kB`);
  journal.emit("CFTR92I", { text: "the last" });
  await reading;
  t.equal(heard, emitted + 1, "the other one has heard all");
  t.equal(events.readers, 1);
  const kept = events.after(`${events.last.split("-")[0]}-0`);
  t.ok(kept === null || kept.length <= 4000, "what is kept is bounded");
});
