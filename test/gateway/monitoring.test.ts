/** What monitoring sees of gateways at work: /metrics, /healthz, /readyz and `cygnet metrics`. */
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { request as requestHttps } from "node:https";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "tap";
import { samplesOf } from "../../src/cli/metrics.ts";
import type { Verdict } from "../../src/engine/health.ts";
import { METRICS, PROCESS_METRICS } from "../../src/engine/metrics/definitions.ts";
import { CD, callerToml, edit, Raw, session, sfid, ssid } from "./extra.ts";
import { freePorts, type Gateway, site, waitFor } from "./harness.ts";

interface Answer {
  status: number;
  type: string;
  text: string;
}

function get(gateway: Gateway, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: gateway.socket, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", text });
      });
    });
    call.on("error", reject).end();
  });
}

function far(port: number, path: string, token?: string): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const call = requestHttps(
      { host: "127.0.0.1", port, path, headers, rejectUnauthorized: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.on("error", reject).end();
  });
}

/** The metrics of a gateway as `name{label="value"}` with sorted labels. */
async function scrape(gateway: Gateway): Promise<Map<string, number>> {
  const { text } = await get(gateway, "/metrics");
  return new Map(
    samplesOf(text).map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
      return [`${name}{${pairs.map(([key, one]) => `${key}=${one}`).join(",")}}`, value];
    }),
  );
}

async function look(gateway: Gateway, path: string): Promise<{ status: number } & Verdict> {
  const { status, text } = await get(gateway, path);
  return { status, ...(JSON.parse(text) as Verdict) };
}

test("a gateway at work", { timeout: 180_000 }, async (t) => {
  const [apiPort = 0] = await freePorts(1);
  const token = randomBytes(24).toString("hex");
  const { hub, acme } = await site(t, {
    prot: ["OFTPS"],
    hub: {
      more: `
[admin]
listen = "127.0.0.1:${apiPort}"
usercid = "own"

[[apiuser]]
id = "PROMETHEUS"
role = "read"
token = "sha256:${createHash("sha256").update(token).digest("hex")}"
`,
    },
  });
  await hub.write("partners.d/raw.toml", callerToml("RAW"));
  await hub.write(
    "partners.d/far.toml",
    `${callerToml("FAR")}sap = [9, 9]\n\n[[cfttcp]]\nid = "FAR"\nhost = ["127.0.0.1"]\nretryw = "1h"\n`,
  );
  await Promise.all([hub.start(), acme.start()]);

  await t.test("every metric is there, in the form of Prometheus", async (t) => {
    const { status, type, text } = await get(hub, "/metrics");
    t.match({ status, type }, { status: 200, type: "text/plain; version=0.0.4" });
    for (const [name, { kind, labels }] of Object.entries(METRICS)) {
      t.match(text, `# TYPE ${name} ${kind}\n`);
      if (labels.length === 0)
        t.match(text, new RegExp(`^${name} \\S+$`, "m"), `${name} has a value from the start`);
    }
    for (const name of Object.keys(PROCESS_METRICS)) t.match(text, `# TYPE ${name} `);
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
    t.same(
      types.filter((name) => !(name in METRICS || name in PROCESS_METRICS)),
      [],
      "and no other",
    );
    const names = new Set(samplesOf(text).map(({ name }) => name.replace(/_(bucket|sum|count)$/, "")));
    t.ok(names.has("cygnet_transfers") && names.size > 40);
    const { json, stdout } = await hub.cli("metrics", "--json");
    t.match(json, [{ name: "cygnet_info", labels: { site: "HUB" }, value: 1 }], stdout.slice(0, 200));
    t.match((await hub.cli("metrics")).stdout, /^# HELP cygnet_info /);
  });

  await t.test("over the network: metrics for who may read, health for anybody", async (t) => {
    const rows: [path: string, token: string | undefined, status: number][] = [
      ["/metrics", token, 200],
      ["/metrics", undefined, 401],
      ["/healthz", undefined, 200],
      ["/readyz", undefined, 200],
      ["/v1/status", undefined, 401],
    ];
    for (const [path, said, status] of rows) {
      t.match(
        await far(apiPort, path, said),
        { status, text: /\S/ },
        `${path} ${said ? "with" : "without"} a token`,
      );
    }
    t.match((await far(apiPort, "/metrics", token)).text, /^# HELP cygnet_info /);
    const texts = async (said?: string) =>
      JSON.parse((await far(apiPort, "/readyz", said)).text).checks.map(
        (each: { text: string }) => each.text,
      );
    t.same(new Set(await texts()), new Set([""]), "strangers hear whether, not why");
    t.ok((await texts(token)).some((text: string) => text.includes(hub.rundir)));
  });

  await t.test("files, responses, sessions", async (t) => {
    for (const name of ["one", "two"]) await hub.drop(name, Buffer.alloc(5_000, name));
    await waitFor("both responses", async () => {
      const all = await hub.transfers({ direct: "send", state: "X" });
      return all.length === 2 && all.every(({ ack }) => ack === "A");
    });
    const [ours, theirs] = [await scrape(hub), await scrape(acme)];
    const rows: [from: Map<string, number>, name: string, value: number][] = [
      [ours, "cygnet_transfers_completed_total{direction=send,partner=ACME}", 2],
      [ours, "cygnet_transfer_bytes_total{direction=send,partner=ACME}", 10_000],
      [ours, "cygnet_transfer_duration_seconds_count{direction=send}", 2],
      [ours, "cygnet_transfers{direction=send,state=X}", 2],
      [ours, "cygnet_transfers{direction=recv,state=X}", 0],
      [ours, "cygnet_responses_total{direction=received,kind=EERP,partner=ACME}", 2],
      [ours, "cygnet_partner_oldest_waiting_seconds{partner=ACME}", 0],
      [ours, "cygnet_responses_awaited{partner=ACME}", 0],
      [ours, "cygnet_partner_failed_calls{partner=ACME}", 0],
      [theirs, "cygnet_transfers_completed_total{direction=recv,partner=HUB}", 2],
      [theirs, "cygnet_transfer_bytes_total{direction=recv,partner=HUB}", 10_000],
      [theirs, "cygnet_responses_total{direction=sent,kind=EERP,partner=HUB}", 2],
      [theirs, "cygnet_responses_unsent{partner=HUB}", 0],
      [theirs, "cygnet_configuration_generation{}", 1],
      [theirs, "cygnet_configuration_last_reload_successful{}", 1],
      [theirs, "cygnet_ready{}", 1],
    ];
    for (const [from, name, value] of rows) t.equal(from.get(name), value, name);
    const opened = ours.get("cygnet_sessions_opened_total{partner=ACME,role=requester,tls=yes}") ?? 0;
    t.ok(opened >= 1, "we called over TLS");
    t.equal(theirs.get("cygnet_sessions_opened_total{partner=HUB,role=server,tls=yes}"), opened);
    t.equal(theirs.get("cygnet_connections_accepted_total{net=LOCAL}"), opened);
    const days = [...ours]
      .filter(([name]) => name.startsWith("cygnet_certificate_days_left{"))
      .map(([, left]) => left);
    t.ok(days.length > 0 && days.every((left) => left > 390 && left <= 400), "certificates end in 400 days");
    t.ok((ours.get(`cygnet_disk_free_bytes{folder=${hub.rundir}}`) ?? 0) > 0);
    t.ok((ours.get("cygnet_event_loop_delay_seconds{quantile=1}") ?? -1) >= 0);
  });

  await t.test(
    "what does not go well: refused callers, lost calls, waiting files, cut transfers",
    async (t) => {
      await Raw.connect(hub.ports.OFTP).then(async (raw) => {
        await raw.expect("SSRM");
        t.equal(await raw.send(ssid({ code: "O0999NOBODY" })).outcome(), "ESID 03");
      });
      await Raw.connect(hub.ports.OFTP).then(async (raw) => {
        await raw.expect("SSRM");
        t.equal(await raw.send(ssid({ pswd: "GUESS" })).outcome(), "ESID 04");
      });
      const raw = await session(hub.ports.OFTP);
      raw.send(sfid({ dest: "O0999NOBODY" }));
      await raw.expect("SFNA");
      raw.send(sfid());
      await raw.expect("SFPA");
      const during = await scrape(hub);
      t.equal(during.get("cygnet_sessions{partner=RAW,role=server}"), 1);
      t.equal(during.get("cygnet_partner_transfers{direction=recv,partner=RAW,state=C}"), 1);
      raw.close();
      await hub.write("to-far", "far away");
      t.match(await hub.cli("send", "--part", "FAR", join(hub.directory, "to-far")), { status: 0 });
      await waitFor("the failed call", async () => {
        const seen = await scrape(hub);
        return seen.get("cygnet_partner_failed_calls{partner=FAR}") === 1;
      });
      const cut = "cygnet_transfer_interruptions_total{diagi=302,partner=RAW}";
      await waitFor("the cut transfer", async () => (await scrape(hub)).get(cut) === 1);
      const after = await scrape(hub);
      t.equal(after.get("cygnet_sessions_refused_total{diagi=409}"), 1);
      t.equal(after.get("cygnet_sessions_refused_total{diagi=403}"), 1);
      t.equal(after.get("cygnet_events_total{event=session-refused}"), 2);
      t.equal(after.get("cygnet_files_refused_total{diagi=409,partner=RAW,reason=2}"), 1);
      t.ok((after.get("cygnet_calls_failed_total{diagi=302,partner=FAR}") ?? 0) >= 1);
      t.ok((after.get("cygnet_partner_oldest_waiting_seconds{partner=FAR}") ?? 0) > 0);
      t.equal(after.get("cygnet_partner_transfers{direction=send,partner=FAR,state=D}"), 1);
      t.equal(after.get("cygnet_sessions{partner=RAW,role=server}"), undefined, "gone with its session");
      t.same(
        [...after.keys()].filter((name) => name.includes("NOBODY")),
        [],
        "no stranger is a label",
      );
    },
  );

  await t.test("a response that we owe", async (t) => {
    const raw = await session(hub.ports.OFTP);
    raw.send(sfid());
    await raw.expect("SFPA");
    raw.buffer(Buffer.concat([Buffer.from("D"), Buffer.of(0x85), Buffer.from("hello")]));
    raw.send({ type: "EFID", rcnt: 0n, ucnt: 5n });
    await raw.expect("EFPA");
    raw.close();
    const owed = "cygnet_responses_unsent{partner=RAW}";
    await waitFor("the delivery", async () => (await scrape(hub)).get(owed) === 1);
    t.ok((await scrape(hub)).has("cygnet_responses_unsent_oldest_seconds{partner=RAW}"));
    const again = await session(hub.ports.OFTP);
    again.send(CD);
    await again.expect("EERP");
    again.send({ type: "RTR" });
    await waitFor("the release", async () => (await scrape(hub)).get(owed) === 0);
    again.close();
  });

  await t.test("a reload that is rejected, and one that is accepted", async (t) => {
    const before = await edit(hub, "cygnet.toml", (text) => text.replace("maxcnx = 100", "maxcnx = -1"));
    const last = "cygnet_configuration_last_reload_successful{}";
    await waitFor("the rejection", async () => (await scrape(hub)).get(last) === 0);
    t.equal((await look(hub, "/readyz")).status, 200, "what is in force serves on");
    await hub.write("cygnet.toml", before.replace("maxcnx = 100", "maxcnx = 99"));
    await waitFor(
      "the reload",
      async () => (await scrape(hub)).get("cygnet_configuration_generation{}") === 2,
    );
    const now = await scrape(hub);
    t.equal(now.get(last), 1);
    t.ok((now.get("cygnet_reloads_total{result=rejected}") ?? 0) >= 1);
    t.equal(now.get("cygnet_reloads_total{result=accepted}"), 1);
    const at = now.get("cygnet_configuration_last_reload_timestamp_seconds{}") ?? 0;
    t.ok(Math.abs(Date.now() / 1000 - at) < 120, "seconds since 1970");
  });

  await t.test("alive and ready, and not", async (t) => {
    const alive = await look(hub, "/healthz");
    t.match(alive, { status: 200, ok: true });
    t.same(
      alive.checks.map(({ check, ok }) => [check, ok]),
      [
        ["process", true],
        ["catalog", true],
      ],
    );
    const ready = await look(hub, "/readyz");
    t.match(ready, { status: 200, ok: true });
    t.same(
      ready.checks.map(({ check, ok }) => [check, ok]),
      ["process", "listeners", "catalog", "configuration", "disk"].map((check) => [check, true]),
    );
    const other = new DatabaseSync(join(hub.rundir, "catalog.db"));
    other.exec("BEGIN IMMEDIATE");
    await waitFor("the verdict", async () => (await look(hub, "/healthz")).status === 503, { every: 500 });
    t.match((await look(hub, "/healthz")).checks[1], { check: "catalog", ok: false, text: /locked/ });
    other.exec("ROLLBACK");
    other.close();
    await waitFor("the recovery", async () => (await look(hub, "/healthz")).status === 200, { every: 500 });
    const raw = await session(hub.ports.OFTP);
    raw.send(sfid());
    await raw.expect("SFPA");
    const shut = hub.cli("shut");
    await waitFor("not ready", async () => (await look(hub, "/readyz")).status === 503);
    const stopping = await look(hub, "/readyz");
    t.match(stopping.checks, [{ check: "process", ok: false, text: /stopping/ }]);
    t.equal((await look(hub, "/healthz")).status, 200, "alive to the end");
    raw.close();
    t.match(await shut, { status: 0 });
  });
});
