import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, connect as tcp } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import { catalogue } from "../../src/messages/catalogue.ts";
import { render } from "../../src/messages/layout.ts";
import type { Message } from "../../src/messages/message.ts";
import { dial } from "../../src/net/dial.ts";
import { clientTls, serverTls, type TlsProfile } from "../../src/net/tls.ts";
import { newKey, selfSigned } from "../../src/pki/generate.ts";
import { nameRule } from "../../src/pki/name-rule.ts";
import type { Trust } from "../../src/pki/trust/trust.ts";
import { issue, trust } from "./authority.ts";
import { open } from "./gate.ts";
import { ManualClock } from "./manual-clock.ts";
import { client, server } from "./openssl.ts";
import { Recorder } from "./recorder.ts";

/** A trust whose verdicts come when they are let go. */
function held(): { trust: Trust; asked: Promise<void>; release: () => void } {
  let release = () => {};
  let ask = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const judge: Trust["judge"] = async (question) => {
    ask();
    await gate;
    return trust.judge(question);
  };
  return { trust: { judge }, asked, release };
}

async function pair(folder: string) {
  const ca = await issue(folder, "ca", { ca: true });
  const below = await issue(folder, "below", { ca: true, issuer: ca });
  const us = await issue(folder, "us", { issuer: ca });
  const they = await issue(folder, "they", { issuer: below });
  const profile: TlsProfile = {
    id: "TLS",
    material: us.material,
    roots: [ca.material],
    verify: "required",
    versions: [],
    ciphers: "",
    trust,
  };
  const show = ["-cert", they.certificate, "-key", they.key, "-cert_chain", below.certificate];
  return { ca, below, us, they, profile, show };
}

const caller = { host: "127.0.0.1", timeout: 20_000, keepalive: 0, part: "ACME" };

test("the line goes while a certificate is judged: the handshake has failed, and the verdict comes too late", async (t) => {
  const { profile, show } = await pair(t.testdir());
  await t.test("as server", async (t) => {
    const { trust, asked, release } = held();
    const gate = await open(() => serverTls({ ...profile, trust }));
    t.teardown(() => gate.listener.drop());
    const tool = client(gate.port, ...show);
    await asked;
    t.strictSame(gate.journal.ids(), ["CFTN01I", "CFTN02I", "CFTY20I", "CFTY25I"]);
    gate.listener.drop();
    const { ctx } = await gate.journal.until("CFTY13E");
    release();
    await gate.journal.until("CFTY10E");
    t.strictSame(gate.journal.ids(ctx), ["CFTY20I", "CFTY25I", "CFTY13E", "CFTY10E"]);
    t.equal(gate.connections.length, 0);
    await tool.stop();
  });
  await t.test("as client", async (t) => {
    const { trust, asked, release } = held();
    const tool = await server(...show);
    t.teardown(() => tool.stop());
    const journal = new Recorder();
    const stop = new AbortController();
    const call = dial({
      ...caller,
      port: tool.port,
      journal,
      tls: clientTls({ ...profile, trust }),
      signal: stop.signal,
    });
    await asked;
    stop.abort(new Error("enough"));
    const error = await call.then(
      () => null,
      (reason: unknown) => reason,
    );
    t.match(error, { diagi: 302 });
    release();
    await journal.until("CFTY10E");
    t.strictSame(journal.ids(), ["CFTY19I", "CFTY13E", "CFTY10E"]);
  });
  await t.test("the time limit of the handshake holds for the verdict", async (t) => {
    const { trust, asked } = held();
    const clock = new ManualClock();
    const gate = await open(() => serverTls({ ...profile, trust }), undefined, { clock });
    t.teardown(() => gate.listener.drop());
    const tool = client(gate.port, ...show);
    await asked;
    clock.advance(20_001);
    const { ctx } = await gate.journal.until("CFTY13E");
    t.strictSame(gate.journal.ids(ctx), ["CFTY20I", "CFTY25I", "CFTY13E"]);
    await tool.ended;
  });
});

test("a seat that is given to another caller ends a handshake as a lack of room (CFTY07E)", async (t) => {
  const { profile, show } = await pair(t.testdir());
  const clock = new ManualClock();
  const gate = await open(() => serverTls(profile), undefined, { clock, maxcnx: 1 });
  t.teardown(() => gate.listener.drop());
  const silent = tcp({ host: "127.0.0.1", port: gate.port });
  silent.on("error", () => {});
  const { ctx } = await gate.journal.until("CFTY25I");
  clock.advance(2000);
  const tool = client(gate.port, ...show);
  await gate.journal.until("CFTY13E");
  t.strictSame(gate.journal.ids(ctx), ["CFTY20I", "CFTY25I", "CFTY07E", "CFTY13E"]);
  t.match(gate.journal.find("CFTY07E"), { cause: "CTXALLOC", cr: -9 });
  await tool.ended;
  t.match(tool.output(), /READY/);
});

test("a CertificateRequest that makes no sense is told as such (CFTY06E)", async (t) => {
  const { profile } = await pair(t.testdir());
  const wish = { commonName: "them", hosts: [], days: 9 };
  const { raw } = new X509Certificate(await selfSigned(await newKey(), wish));
  // Suite 156 has no ServerKeyExchange, so all up to the request is in clear and needs no key.
  const hello = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 156, 0]),
    Buffer.from([0, 5, 0xff, 1, 0, 1, 0]),
  ]);
  const length = (size: number) => Buffer.from([size >> 16, (size >> 8) & 255, size & 255]);
  const chain = Buffer.concat([length(raw.length + 3), length(raw.length), raw]);
  // certificate types, signature algorithms, and a list with one name that has an octet too many
  const request = Buffer.from([1, 64, 0, 2, 4, 3, 0, 5, 0, 3, 0x30, 0, 0]);
  const message = (type: number, body: Buffer) =>
    Buffer.concat([Buffer.from([type]), length(body.length), body]);
  const flight = Buffer.concat([
    message(2, hello),
    message(11, chain),
    message(13, request),
    message(14, Buffer.alloc(0)),
  ]);
  const record = Buffer.concat([Buffer.from([22, 3, 3, flight.length >> 8, flight.length & 255]), flight]);
  const peer = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(record));
  });
  peer.listen(0, "127.0.0.1");
  await once(peer, "listening");
  t.teardown(() => peer.close());
  const journal = new Recorder();
  const { port } = peer.address() as { port: number };
  const tls = clientTls({ ...profile, versions: ["1.2"], ciphers: "156 ECDHE-RSA-AES128-SHA256" });
  await t.rejects(dial({ ...caller, port, tls, journal }), { code: "CYG_TLS_REFUSED", diagi: 260 });
  t.strictSame(journal.ids(), ["CFTY19I", "CFTY06E", "CFTY13E"]);
});

test("chains of accepted partners are kept, once each, and a session goes on when they cannot be (CFTY28W)", async (t) => {
  const folder = t.testdir();
  const { profile, show, they, below, us } = await pair(folder);
  const cerfname = join(folder, "peers", "acme");
  const gate = await open(() => serverTls({ ...profile, cerfname }));
  t.teardown(() => gate.listener.drop());
  const files = () => readdirSync(join(folder, "peers"));
  for (const _ of ["first", "second"]) {
    const tool = client(gate.port, ...show);
    await tool.ended;
    t.match(tool.output(), /READY/);
  }
  await until(() => files().some((name) => name.endsWith(".pem")));
  const start = they.material.fingerprint.replaceAll(":", "").slice(0, 16).toLowerCase();
  t.strictSame(files(), [`acme-${start}.pem`]);
  const kept = readFileSync(join(folder, "peers", `acme-${start}.pem`), "latin1");
  const found = kept.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  t.strictSame(
    found.map((pem) => new X509Certificate(pem).fingerprint256),
    [they.material.fingerprint, below.material.fingerprint],
  );

  writeFileSync(join(folder, "taken"), "");
  const tool = await server("-cert", us.certificate, "-key", us.key);
  t.teardown(() => tool.stop());
  const journal = new Recorder();
  const tls = clientTls({ ...profile, cerfname: join(folder, "taken", "acme") });
  const { stream } = await dial({ ...caller, port: tool.port, tls, journal });
  const warned = await journal.until("CFTY28W");
  t.match(warned, { file: /taken\/acme-[0-9a-f]{16}\.pem$/ });
  stream.write("HELLO\n");
  await tool.says(/HELLO/);
  stream.destroy();
});

test("session secrets go to the key log of a profile, for its owner's eyes, and nowhere without one", async (t) => {
  const folder = t.testdir();
  const { profile, show } = await pair(folder);
  const [ours, theirs] = [join(folder, "server.keys"), join(folder, "client.keys")];
  writeFileSync(ours, "", { mode: 0o644 });
  const gate = await open(() => serverTls({ ...profile, keylog: ours }));
  t.teardown(() => gate.listener.drop());
  const read = (path: string) => readFileSync(path, "latin1");
  await client(gate.port, "-tls1_2", ...show).ended;
  await until(() => /^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}$/m.test(read(ours)));
  const tool = await server(...show, "-tls1_3");
  t.teardown(() => tool.stop());
  const tls = clientTls({ ...profile, keylog: theirs });
  const { stream } = await dial({ ...caller, port: tool.port, tls, journal: new Recorder() });
  await until(() => /^SERVER_TRAFFIC_SECRET_0 /m.test(read(theirs)));
  stream.destroy();
  for (const path of [ours, theirs]) t.equal(statSync(path).mode & 0o777, 0o600, path);
});

test("another profile serves the next caller, and the one before keeps what it has", async (t) => {
  const { profile, show, they } = await pair(t.testdir());
  let current = serverTls(profile);
  const gate = await open(
    () => current,
    ({ stream }) => {
      stream.write("READY\n");
      stream.on("data", (data) => stream.write(`echo ${data}`));
    },
  );
  t.teardown(() => gate.listener.drop());
  const running = client(gate.port, ...show);
  await running.says(/READY/);
  const rows: [string, Partial<TlsProfile>, string[], RegExp | null][] = [
    ["versions", { versions: ["1.2"] }, ["-tls1_3"], /protocol_version/],
    [
      "suites",
      { ciphers: "TLS_AES_256_GCM_SHA384" },
      ["-ciphersuites", "TLS_AES_128_GCM_SHA256", "-tls1_3"],
      /handshake_failure/,
    ],
    ["groups", { groups: ["P-521"] }, ["-groups", "X25519"], /handshake_failure/],
    ["roots", { roots: [they.material] }, [], null],
    ["depth", { demands: { depth: 1 } }, [], /unknown_ca/],
    ["dnuser", { demands: { subject: nameRule('"/CN=others/"') } }, [], /access_denied/],
    ["dnissuer", { demands: { issuer: nameRule('"/CN=others/"') } }, [], /access_denied/],
    ["hostnames", { demands: { hostnames: ["acme.example"] } }, [], /bad_certificate/],
    ["pins", { demands: { pins: ["00".repeat(32)] } }, [], /certificate_unknown/],
    ["crl", { demands: { crl: "require" } }, [], /certificate_unknown/],
    ["ocsp", { demands: { ocsp: "require" } }, [], /certificate_unknown/],
    ["keyext and all as before", { demands: { keyext: false } }, [], null],
  ];
  for (const [name, change, args, alert] of rows) {
    current = serverTls({ ...profile, ...change });
    gate.journal.entries.length = 0;
    const next = client(gate.port, ...args, ...show);
    const told = await gate.journal.until("CFTY13E", "CFTY15I");
    t.match(told.alert ?? "", alert ?? /^$/, name);
    await next.stop();
  }
  running.write("still here\n");
  await running.says(/echo still here/);
  await running.stop();
});

test("CFTY messages carry Transfer CFT's variables in its order, in both layouts", async (t) => {
  const orders: Record<string, string> = {
    CFTY03E: "pid cause cr cs",
    CFTY04E: "pid pkifname cause cr cs",
    CFTY05E: "pid pkifname text",
    CFTY06E: "ctx text",
    CFTY07E: "ctx cause cr cs prot sslpid host",
    CFTY08I: "pid",
    CFTY09I: "pid",
    CFTY10E: "pid ctx text",
    CFTY11I: "ctx part ssl",
    CFTY12I: "ctx prot ssl",
    CFTY13E: "ctx alert cr",
    CFTY14I: "ctx part ssl version cipher auth",
    CFTY15I: "ctx prot ssl version cipher auth",
    CFTY16I: "ctx text",
    CFTY17I: "ctx text",
    CFTY18E: "ctx cr",
    CFTY19I: "part ssl ctx pid",
    CFTY20I: "prot ssl ctx pid",
    CFTY21I: "ctx id rootid",
    CFTY22I: "ctx id rootid",
    CFTY23I: "ctx id rootid",
    CFTY24I: "ctx id rootid",
    CFTY25I: "ctx host",
    CFTY26I: "ctx role",
    CFTY28W: "ctx file",
    CFTY30E: "ctx alert cr",
  };
  for (const [id, order] of Object.entries(orders)) {
    const names = order.split(" ");
    const row = catalogue.get(id) as Message;
    t.strictSame(
      row.variables.map(({ name }) => name).filter((name) => names.includes(name)),
      names,
      id,
    );
  }
  const variables = {
    ctx: "0011AABBCCDD",
    part: "A-LONG-PARTNER",
    ssl: "TLS",
    version: "TLSv1.3",
    cipher: "X",
    auth: "BOTH",
  };
  const event = { time: 0, message: catalogue.get("CFTY14I") as Message, variables };
  const keys = (name: string) => `CTX=0011AABBCCDD PART=${name} SSL=TLS VERSION=TLSv1.3 CIPHER=X AUTH=BOTH`;
  t.ok(render(event, "V23").endsWith(` CFTY14I ${keys("A-LONG-P")} Client TLS handshake done`));
  t.ok(render(event, "V24").endsWith(` CFTY14I Client TLS handshake done <${keys("A-LONG-PARTNER")}>`));
});

/** Waits for a file to be as it should: there is no event for that. */
async function until(there: () => boolean): Promise<void> {
  for (;;) {
    try {
      if (there()) return;
    } catch {
      // not there yet
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
