import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import * as tls from "node:tls";
import { test } from "tap";
import { addressSet, plainAddress } from "../../src/net/addresses.ts";
import { Admission, type AdmissionRules } from "../../src/net/admission.ts";
import type { Connection } from "../../src/net/connection.ts";
import { dial } from "../../src/net/dial.ts";
import { type Listener, type ListenOptions, listen } from "../../src/net/listener.ts";
import { clientTls, serverTls, type TlsProfile } from "../../src/net/tls.ts";
import { ensureSelfSigned } from "../../src/pki/generate.ts";
import { loadMaterial } from "../../src/pki/material.ts";
import { issue, trust } from "./authority.ts";
import { ManualClock } from "./manual-clock.ts";
import { Recorder } from "./recorder.ts";

const EVERYBODY: AdmissionRules = { maxcnx: 50, allow: [], deny: [] };

function resource(rules: Partial<AdmissionRules> = {}) {
  const journal = new Recorder();
  const clock = new ManualClock();
  const admission = new Admission("N1", { ...EVERYBODY, ...rules }, journal, clock);
  const connections: Connection[] = [];
  const common = {
    host: "127.0.0.1",
    port: 0,
    admission,
    keepalive: 0,
    handshakeTimeout: 10_000,
    journal,
    clock,
    onConnection(connection: Connection) {
      connections.push(connection);
      connection.stream.resume();
      connection.stream.write("READY\n");
    },
  };
  const open = (prot: string, options: Partial<ListenOptions> = {}) =>
    listen({ ...common, prot, ...options });
  return { journal, clock, admission, connections, open, counters: admission.counters };
}

/** Connects, and resolves with what it was told before the line was closed, or with "READY". */
async function call(port: number, host = "127.0.0.1"): Promise<{ socket: Socket; heard: string }> {
  const socket = connect({ port, host });
  socket.on("error", () => {});
  let heard = "";
  socket.on("data", (data) => {
    heard += data;
    socket.emit("heard");
  });
  const closed = closing(socket);
  await Promise.race([once(socket, "heard"), closed]).catch(() => closed);
  return { socket, heard: heard.trim() };
}

/** Resolves when a socket has closed, broken or not. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function tlsProfiles(folder: string) {
  const hub = await issue(folder, "hub");
  const base = { id: "TLS", versions: [], ciphers: "", trust };
  return {
    server: serverTls({ ...base, material: hub.material, roots: [], verify: "none" }),
    client: clientTls({ ...base, material: null, roots: [hub.material], verify: "required" }),
  };
}

test("address rules: CIDR, IPv4 mapped into IPv6, deny over allow, changed while listening", async (t) => {
  t.equal(plainAddress("::ffff:192.0.2.7"), "192.0.2.7");
  t.equal(plainAddress("fe80::1%eth0"), "fe80::1");
  const rows: [string[], string, boolean][] = [
    [["192.0.2.0/24"], "192.0.2.200", true],
    [["192.0.2.0/24"], "192.0.3.1", false],
    [["192.0.2.0/24"], "::ffff:192.0.2.9", true],
    [["192.0.2.7"], "192.0.2.7", true],
    [["192.0.2.7"], "192.0.2.8", false],
    [["::ffff:192.0.2.0/120"], "192.0.2.9", true],
    [["::ffff:192.0.2.0/120"], "192.0.3.9", false],
    [["2001:db8::/32"], "2001:db8:1::5", true],
    [["2001:db8::/32"], "2001:db9::5", false],
    [["::1"], "::1", true],
    [["0.0.0.0/0"], "203.0.113.1", true],
    [["0.0.0.0/0"], "2001:db8::1", false],
  ];
  for (const [blocks, address, inside] of rows)
    t.equal(addressSet(blocks).has(address), inside, `${blocks} ${address}`);
  for (const wrong of ["192.0.2.0/33", "hub", "10.0.0.0/", "::/129", "1.2.3/8", "10.0.0.0/8/8", ""]) {
    t.throws(() => addressSet([wrong]), { code: "CYG_NET_CIDR" }, `"${wrong}"`);
  }

  const { admission, open, counters, journal } = resource({ deny: ["127.0.0.0/8"], allow: ["127.0.0.1"] });
  const listener = await open("OFTP");
  t.teardown(() => listener.drop());
  t.equal((await call(listener.address.port)).heard, "", "denied");
  t.match(journal.find("CFTN05W"), { host: "127.0.0.1", prot: "OFTP", net: "N1" });
  admission.update({ ...EVERYBODY, allow: ["10.0.0.0/8"] });
  t.equal((await call(listener.address.port)).heard, "", "not among the allowed");
  t.throws(() => admission.update({ ...EVERYBODY, deny: ["nonsense"] }), { code: "CYG_NET_CIDR" });
  t.equal((await call(listener.address.port)).heard, "", "a wrong update changes nothing");
  admission.update({ ...EVERYBODY, allow: ["127.0.0.0/8"] });
  const welcome = await call(listener.address.port);
  t.equal(welcome.heard, "READY");
  t.match(counters, { denied: 3, accepted: 1, open: 1 });
  welcome.socket.destroy();
  const both = await open("OFTP", { host: "INADDR_ANY" });
  t.teardown(() => both.drop());
  const mapped = await call(both.address.port);
  t.equal(mapped.heard, "READY", "an IPv4 caller on an IPv6 port");
  mapped.socket.destroy();
});

test("the limit is shared by the listeners of a resource, recognised partners stay, the oldest silent one gives way", async (t) => {
  const { admission, clock, open, counters, journal, connections } = resource({ maxcnx: 2 });
  const [a, b] = await Promise.all([open("OFTP"), open("OTHER")]);
  t.teardown(() => {
    a.drop();
    b.drop();
  });
  t.strictSame(journal.ids(), ["CFTN01I", "CFTN02I", "CFTN02I"], "the resource is opened once");
  const partner = await call(a.address.port);
  connections[0]?.recognised();
  const silent = await call(b.address.port);
  t.strictSame([partner.heard, silent.heard], ["READY", "READY"]);
  t.equal((await call(a.address.port)).heard, "", "full, and nobody is a second old");
  t.match(journal.find("CFTN36W"), { limit: 2, host: "127.0.0.1", prot: "OFTP" });
  clock.advance(999);
  t.equal((await call(a.address.port)).heard, "", "not yet");
  clock.advance(1);
  const gone = once(silent.socket, "close");
  const newcomer = await call(a.address.port);
  await gone;
  t.equal(newcomer.heard, "READY");
  t.match(connections[1]?.failure, { code: "CYG_NET_DISPLACED", diagi: 302 });
  connections[2]?.recognised();
  clock.advance(60_000);
  const summary = { count: 2, error: "MAXCNX", info1: 2, info2: "N1", prot: "OFTP" };
  t.match(journal.find("CFTH66E"), summary, "a minute's refusals in one line");
  t.equal((await call(b.address.port)).heard, "", "two recognised partners stay");
  admission.update({ ...EVERYBODY, maxcnx: 1 });
  t.equal(partner.socket.destroyed, false, "a lower limit disturbs nobody");
  admission.update({ ...EVERYBODY, maxcnx: 3 });
  const third = await call(b.address.port);
  t.equal(third.heard, "READY");
  t.match(counters, { open: 3, silent: 1, accepted: 4, refused: 3, displaced: 1 });
  const closing = connections.slice(2).map(({ stream }) => once(stream, "close"));
  for (const { socket } of [newcomer, third]) socket.destroy();
  await Promise.all(closing);
  t.match(counters, { open: 1, silent: 0 }, "seats are given back");
  partner.socket.destroy();
});

test("1,000 silent connections, clear and TLS, from two addresses, do not keep a partner out", async (t) => {
  const { clock, open, counters, journal, connections } = resource({ maxcnx: 100 });
  const profiles = await tlsProfiles(t.testdir());
  const clear = await open("OFTP");
  const secure = await open("OFTPS", { tls: () => profiles.server });
  const silent: Socket[] = [];
  let turned = 0;
  await new Promise<void>((resolve) => {
    const check = () => {
      if (counters.accepted + counters.refused === 1000 && turned >= 900) resolve();
    };
    for (let n = 0; n < 1000; n++) {
      const { port } = (n % 2 ? clear : secure).address;
      const socket = connect({
        port,
        host: "127.0.0.1",
        localAddress: n % 4 < 2 ? "127.0.0.1" : "127.0.0.2",
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        turned++;
        check();
      });
      socket.resume();
      silent.push(socket);
    }
  });
  t.match(counters, { open: 100, accepted: 100, refused: 900 });
  t.equal(journal.ids().filter((id) => id === "CFTN36W").length, 1, "the flood does not fill the log");
  clock.advance(1000);
  const answers = [
    ["OFTPS", { port: secure.address.port, tls: profiles.client }],
    ["OFTP", { port: clear.address.port }],
  ] as const;
  for (const [prot, where] of answers) {
    const partner = await dial({
      host: "127.0.0.1",
      timeout: 10_000,
      keepalive: 0,
      journal: new Recorder(),
      part: "HUB",
      ...where,
    });
    const [data] = (await once(partner.stream, "data")) as [Buffer];
    t.equal(String(data), "READY\n", prot);
    connections.at(-1)?.recognised();
    partner.stream.destroy();
  }
  t.equal(counters.displaced, 2);
  clock.advance(10_000);
  // Silent TLS callers are cut when the handshake's time is over: this would wait for ever if they were not.
  while (secure.handshakes > 0) await new Promise(setImmediate);
  const closed = silent.map((socket) => socket.closed || closing(socket));
  secure.drop();
  clear.drop();
  for (const socket of silent) socket.destroy();
  await Promise.all(closed);
  while (counters.open > 0) await new Promise(setImmediate);
  const begun = journal.ids().filter((id) => id === "CFTY20I").length;
  const ended = journal.ids().filter((id) => ["CFTY13E", "CFTY12I"].includes(id)).length;
  t.equal(ended, begun, "every TLS session that began has an end in the log");
});

test("whatever arrives, the listener keeps serving and each TLS attempt has one end", async (t) => {
  const { clock, open, counters, journal } = resource();
  const profiles = await tlsProfiles(t.testdir());
  const listener = await open("OFTPS", { tls: () => profiles.server });
  const { port } = listener.address;
  t.teardown(() => listener.drop());
  const hello = await clientHello();
  const send = (bytes: Buffer, end: (socket: Socket) => void) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes, () => end(socket)));
      socket.on("error", () => {});
      socket.resume();
      socket.on("close", () => resolve());
    });
  const wait = () => {};
  const rows: [string, Buffer, (socket: Socket) => void][] = [
    ["OFTP in clear", Buffer.from("\x10\x00\x00\x17IODETTE FTP READY \r", "latin1"), wait],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), wait],
    ["a record that is too long", Buffer.from([0x16, 3, 1, 0xff, 0xff, 1, 2, 3]), wait],
    ["SSLv2", Buffer.from([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10]), (socket) => void socket.end()],
    ["a close at once", Buffer.alloc(0), (socket) => void socket.end()],
    ["a reset at once", Buffer.alloc(0), (socket) => void socket.resetAndDestroy()],
    ["half a ClientHello, then a close", hello.subarray(0, 50), (socket) => void socket.end()],
    ["half a ClientHello, then a reset", hello.subarray(0, 50), (socket) => void socket.resetAndDestroy()],
    ["a ClientHello, then a reset", hello, (socket) => void socket.resetAndDestroy()],
    ["a ClientHello, then nonsense", Buffer.concat([hello, randomBytes(400)]), wait],
  ];
  for (let n = 0; n < 40; n++) {
    rows.push(["random bytes", randomBytes(1 + ((n * 37) % 600)), (socket) => void socket.end()]);
    const bent = Buffer.from(hello);
    bent[(n * 13) % bent.length] = n;
    rows.push(["a bent ClientHello", bent, (socket) => void socket.end()]);
  }
  for (const [, bytes, end] of rows) await send(bytes, end);
  const slow = connect(port, "127.0.0.1");
  slow.on("error", () => {});
  slow.write(hello.subarray(0, 10));
  const cut = closing(slow);
  slow.resume();
  while (listener.handshakes === 0) await new Promise(setImmediate);
  clock.advance(10_000);
  await cut;

  const ids = journal.ids();
  const begun = journal.entries.filter(({ id }) => id === "CFTY20I").map(({ variables }) => variables.ctx);
  t.ok(begun.length > rows.length / 2, `${begun.length} handshakes began`);
  t.equal(new Set(begun).size, begun.length, "each with a CTX of its own");
  while (counters.open > 0 || listener.handshakes > 0) await new Promise(setImmediate);
  for (const ctx of begun) {
    const ends = journal.ids(ctx).filter((id) => ["CFTY13E", "CFTY30E", "CFTY12I"].includes(id));
    if (ends.length !== 1) t.fail(`${ctx}: ${journal.ids(ctx)}`);
  }
  t.ok(ids.includes("CFTY13E"));
  const partner = await dial({
    host: "127.0.0.1",
    port,
    tls: profiles.client,
    timeout: 10_000,
    keepalive: 0,
    journal: new Recorder(),
    part: "HUB",
  });
  const [data] = (await once(partner.stream, "data")) as [Buffer];
  t.equal(String(data), "READY\n");

  partner.stream.destroy();
});

/** The first flight of a TLS client. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = tls.connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  const [raw] = (await once(server, "connection")) as [Socket];
  raw.on("error", () => {});
  const [bytes] = (await once(raw, "data")) as [Buffer];
  socket.destroy();
  raw.destroy();
  server.close();
  return bytes;
}

test("a bent record inside a session breaks that session only (CFTY13E, failure 260)", async (t) => {
  const { open, connections, journal } = resource();
  const profiles = await tlsProfiles(t.testdir());
  const listener = await open("OFTPS", { tls: () => profiles.server });
  t.teardown(() => listener.drop());
  // A go-between that passes the handshake on and then adds a record that is no record of this session.
  let inject: (bytes: Buffer) => void = () => {};
  const between = createServer((near) => {
    const far = connect(listener.address.port, "127.0.0.1");
    inject = (bytes) => void far.write(bytes);
    near.on("error", () => {}).pipe(far);
    far.on("error", () => {}).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(between, "listening");
  const { port } = between.address() as { port: number };
  const partner = await dial({
    host: "127.0.0.1",
    port,
    tls: profiles.client,
    timeout: 10_000,
    keepalive: 0,
    journal: new Recorder(),
    part: "HUB",
  });
  await once(partner.stream, "data");
  const ours = connections[0] as Connection;
  const broken = closing(ours.stream);
  const theirs = closing(partner.stream);
  inject(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 40]), randomBytes(40)]));
  await Promise.all([broken, theirs]);
  between.close();
  t.match(ours.failure, { code: "CYG_TLS_REFUSED", diagi: 260, diagp: "PKI 20" });
  t.match(partner.failure, { code: "CYG_TLS_ALERT", diagi: 260, diagp: "PKI 20" });
  t.strictSame(journal.ids(ours.id).slice(-2), ["CFTY13E", "CFTY12I"]);
});

test("ports: taken, foreign and reserved ones say so (CFTN05E); close frees the port and leaves connections alone", async (t) => {
  const { open, journal, connections } = resource();
  const first = await open("OFTP");
  const { port } = first.address;
  await t.rejects(open("OFTP2", { port }), { code: "CYG_NET_BIND", message: /the port is taken/ });
  await t.rejects(open("OFTP2", { host: "203.0.113.1" }), {
    code: "CYG_NET_BIND",
    message: /no such address/,
  });
  const lines = journal.entries.filter(({ id }) => id === "CFTN05E");
  t.equal(lines.length, 2);
  t.match(lines[0]?.variables.text, new RegExp(`127\\.0\\.0\\.1:${port}.*taken`));
  const { socket } = await call(port);
  first.close();
  first.close();
  t.match(journal.find("CFTN05I"), { prot: "OFTP", host: "127.0.0.1", text: `port ${port} is closed` });
  const second: Listener = await open("OFTP2", { port });
  t.equal(second.address.port, port, "free at once");
  socket.write("still here");
  const [heard] = (await once(connections[0]?.stream as Socket, "data")) as [Buffer];
  t.equal(String(heard), "still here");
  const gone = once(connections[0]?.stream as Socket, "close");
  socket.end();
  await gone;
  t.equal(connections[0]?.failure, null, "a proper close is no failure");
  second.drop();
});

test("the made RSA certificate serves as server, client and root at once, as the loop to oneself needs it", async (t) => {
  const folder = t.testdir();
  const files = { certificate: join(folder, "hub.pem"), key: join(folder, "hub.key") };
  await ensureSelfSigned(files, { commonName: "hub", hosts: ["localhost", "127.0.0.1"], days: 30 });
  const material = await loadMaterial({ id: "hub", file: files.certificate, key: files.key });
  for (const version of ["1.2", "1.3"] as const) {
    const { open, connections } = resource();
    const profile: TlsProfile = {
      id: "TLS",
      material,
      roots: [material],
      verify: "required",
      versions: [version],
      ciphers: "",
      trust,
    };
    const listener = await open("OFTPS", { tls: () => serverTls(profile) });
    const journal = new Recorder();
    const { port } = listener.address;
    const call = { host: "localhost", port, timeout: 10_000, keepalive: 1000, journal, part: "LOOP" };
    const near = await dial({ ...call, tls: clientTls(profile) });
    await once(near.stream, "data");
    const facts = {
      version: `TLSv${version}`,
      auth: "BOTH",
      peerFingerprint: material.fingerprint,
      peerRoot: "hub",
    };
    t.match(near.secure, facts, version);
    t.match(connections[0]?.secure, facts, version);
    t.match(near.secure?.cipher, /AES_256_GCM/);
    t.strictSame(journal.ids(), ["CFTY19I", "CFTY21I", "CFTY23I", "CFTY14I"]);
    const gone = closing(near.stream);
    near.stream.destroy();
    await gone;
    listener.drop();
  }
});

test("a listener out of file descriptors lives on and serves again when there are some", async (t) => {
  const program = new URL("./descriptors.js", import.meta.url).pathname;
  const script = `ulimit -n 40; exec "${process.execPath}" "${program}"`;
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  while (!/CFTN02I \d+/.test(text)) await once(child.stdout, "data");
  const port = Number(/CFTN02I (\d+)/.exec(text)?.[1]);
  const calls = await Promise.all(Array.from({ length: 60 }, () => call(port)));
  const served = calls.filter(({ heard }) => heard === "READY");
  t.ok(served.length > 0 && served.length < 60, `${served.length} of 60 were served`);
  const closed = served.map(({ socket }) => closing(socket));
  for (const { socket } of calls) socket.destroy();
  await Promise.all(closed);
  let again = await call(port);
  while (again.heard === "") again = await call(port); // it may not have noticed yet that the others are gone
  t.equal(again.heard, "READY");
  again.socket.destroy();
  t.equal(child.exitCode, null);
});
