import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import * as tls from "node:tls";
import { test } from "tap";
import { dial } from "../../src/net/dial.ts";
import { NetError, netError } from "../../src/net/failure.ts";
import { clientTls, serverTls, type TlsProfile } from "../../src/net/tls.ts";
import { nameRule } from "../../src/pki/name-rule.ts";
import { keyPin } from "../../src/pki/pins.ts";
import { issue, revocationList, trust } from "./authority.ts";
import { ManualClock } from "./manual-clock.ts";
import { server } from "./openssl.ts";
import { Recorder } from "./recorder.ts";

test("TLS client against openssl s_server: trust, versions, our certificate, and their messages", async (t) => {
  const folder = t.testdir();
  const ca = await issue(folder, "ca", { ca: true });
  const other = await issue(folder, "other", { ca: true });
  const hub = await issue(folder, "hub", { issuer: ca });
  const below = await issue(folder, "below", { ca: true, issuer: ca });
  const far = await issue(folder, "far", { issuer: below });
  const expired = await issue(folder, "expired", { issuer: ca, days: -1 });
  const clientOnly = await issue(folder, "clientonly", { issuer: ca, usage: ["1.3.6.1.5.5.7.3.2"] as never });
  const us = await issue(folder, "us", { issuer: ca });
  const named = await issue(folder, "named", { issuer: ca, names: ["*.example.net", "127.0.0.1"] });
  const gone = await issue(folder, "gone", { issuer: ca });
  const crlfiles = [await revocationList(folder, ca, [gone])];
  const pin = ({ material }: typeof hub) => keyPin(material.certificate);
  const with_ = (one: typeof hub) => ["-cert", one.certificate, "-key", one.key];
  const asks = ["-Verify", "3", "-verify_return_error", "-CAfile", ca.certificate];
  const base: TlsProfile = {
    id: "TLS",
    material: null,
    roots: [ca.material],
    verify: "required",
    versions: [],
    ciphers: "",
    trust,
  };
  const good = { "13": "TLSv1.3", "12": "TLSv1.2" };
  /** `pki`: Transfer CFT's name in the CFTY18E in front. */
  type Bad = { id: string; cr: number; code: string; pki?: string };
  const refused = (cr: number, pki: string): Bad => ({ id: "CFTY13E", cr, code: "CYG_TLS_REFUSED", pki });
  const rows: {
    name: string;
    profile?: Partial<TlsProfile>;
    args: string[];
    middle?: string[];
    auth?: string;
    version?: string;
    cipher?: string;
    /** Id of the root that is told; the first of the profile's when it is left out. */
    root?: string;
    registered?: string[];
    bad?: Bad;
    /** The refusal arrives after our side of the handshake. */
    late?: boolean;
  }[] = [
    { name: "TLS 1.3", args: with_(hub), middle: ["CFTY21I"], auth: "SERVER", version: good[13] },
    {
      name: "a chain through an intermediate",
      args: [...with_(far), "-cert_chain", below.certificate],
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "TLS 1.2",
      args: [...with_(hub), "-tls1_2"],
      middle: ["CFTY21I"],
      auth: "SERVER",
      version: good[12],
    },
    {
      name: "mutual, TLS 1.3",
      profile: { material: us.material },
      args: [...with_(hub), ...asks],
      middle: ["CFTY21I", "CFTY23I"],
      auth: "BOTH",
    },
    {
      name: "mutual, TLS 1.2",
      profile: { material: us.material },
      args: [...with_(hub), ...asks, "-tls1_2"],
      middle: ["CFTY21I", "CFTY23I"],
      auth: "BOTH",
      version: good[12],
    },
    {
      name: "our certificate is not shown where nobody asks, TLS 1.3",
      profile: { material: us.material },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "our certificate is not shown where nobody asks, TLS 1.2",
      profile: { material: us.material },
      args: [...with_(hub), "-tls1_2"],
      middle: ["CFTY21I"],
      auth: "SERVER",
      version: good[12],
    },
    {
      name: "verify none takes anybody, as anonymous",
      profile: { verify: "none", roots: [] },
      args: with_(expired),
      middle: ["CFTY26I"],
      auth: "NONE",
    },
    {
      name: "the server's own certificate as root",
      profile: { roots: [hub.material] },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "wrong root",
      profile: { roots: [other.material] },
      args: with_(hub),
      bad: refused(48, "PKI_ERR_CA_NOT_FOUND"),
    },
    { name: "expired", args: with_(expired), bad: refused(45, "PKI_ERR_CERT_EXPIRED") },
    {
      name: "certificate not for servers",
      args: with_(clientOnly),
      bad: refused(43, "PKI_ERR_CERT_UNSUPPORTED"),
    },
    {
      name: "a group of ours that the server has",
      profile: { groups: ["P-384"] },
      args: [...with_(hub), "-groups", "P-384:X25519"],
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "no group in common",
      profile: { groups: ["P-384"] },
      args: [...with_(hub), "-groups", "X25519"],
      bad: { id: "CFTY30E", cr: 40, code: "CYG_TLS_ALERT" },
    },
    {
      name: "a suite of TLS 1.3 by name",
      profile: { ciphers: "TLS_CHACHA20_POLY1305_SHA256", versions: ["1.3"] },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
      cipher: "TLS_CHACHA20_POLY1305_SHA256",
    },
    {
      name: "the host that is called stands in the certificate",
      profile: { demands: { hostnames: ["&HOST"] } },
      args: with_(named),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "one of several names stands there, by wildcard",
      profile: { demands: { hostnames: ["other.example", "oftp.example.net"] } },
      args: with_(named),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "a wildcard stands for one label",
      profile: { demands: { hostnames: ["a.b.example.net"] } },
      args: with_(named),
      bad: refused(42, "PKI_ERR_CERT_NOT_VALID"),
    },
    {
      name: "a common name is no host name",
      profile: { demands: { hostnames: ["hub"] } },
      args: with_(hub),
      bad: refused(42, "PKI_ERR_CERT_NOT_VALID"),
    },
    {
      name: "the subject is as asked",
      profile: { demands: { subject: nameRule('("/CN=hub/" AND ! "/O=")'), issuer: nameRule('"/CN=ca/"') } },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "the subject is another",
      profile: { demands: { subject: nameRule('"/CN=hu/"') } },
      args: with_(hub),
      bad: refused(49, "PKI_ERR_CERT_NOT_VALID"),
    },
    {
      name: "the issuer is another",
      profile: { demands: { issuer: nameRule('"/CN=other/"') } },
      args: with_(hub),
      bad: refused(49, "PKI_ERR_CERT_NOT_VALID"),
    },
    {
      name: "depth 1 is below its root",
      profile: { demands: { depth: 1 } },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "depth 1 is not below an intermediate",
      profile: { demands: { depth: 1 } },
      args: [...with_(far), "-cert_chain", below.certificate],
      bad: refused(48, "PKI_ERR_CERT_BAD_CA"),
    },
    {
      name: "an authority of the path is pinned",
      profile: { demands: { pins: [pin(below)] } },
      args: [...with_(far), "-cert_chain", below.certificate],
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "pinned is another",
      profile: { demands: { pins: [pin(us)] } },
      args: with_(hub),
      bad: refused(46, "PKI_ERR_CERT_UNKNOWN"),
    },
    {
      name: "a pinned key needs no root",
      profile: { roots: [], demands: { pins: [pin(hub)] } },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
      root: "CN=hub",
    },
    {
      name: "a pinned key is not trusted beyond its certificate's days",
      profile: { roots: [], demands: { pins: [pin(expired)] } },
      args: with_(expired),
      bad: refused(45, "PKI_ERR_CERT_EXPIRED"),
    },
    {
      name: "a pinned authority that is only shown, and signed nothing here",
      profile: { roots: [], demands: { pins: [pin(below)] } },
      args: [...with_(hub), "-cert_chain", below.certificate],
      bad: refused(48, "PKI_ERR_CA_NOT_FOUND"),
    },
    {
      name: "without roots the pins decide",
      profile: { roots: [], demands: { pins: [pin(us)] } },
      args: with_(hub),
      bad: refused(46, "PKI_ERR_CERT_UNKNOWN"),
    },
    {
      name: "not revoked",
      profile: { demands: { crl: "require", crlfiles } },
      args: with_(hub),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "revoked",
      profile: { demands: { crl: "require", crlfiles } },
      args: with_(gone),
      bad: refused(44, "PKI_ERR_CERT_REVOKED"),
    },
    {
      name: "no list, which is required",
      profile: { demands: { crl: "require" } },
      args: with_(hub),
      bad: refused(46, "PKI_ERR_CERT_UNKNOWN"),
    },
    {
      name: "no list, which is preferred: said, and passed over",
      profile: { demands: { crl: "prefer" } },
      args: with_(hub),
      middle: ["CFTY16I", "CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "keyext none takes a certificate for clients",
      profile: { demands: { keyext: false } },
      args: with_(clientOnly),
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "keyext none looks at everything else",
      profile: { roots: [other.material], demands: { keyext: false } },
      args: with_(clientOnly),
      bad: refused(48, "PKI_ERR_CA_NOT_FOUND"),
    },
    {
      name: "registered for the partner",
      args: with_(hub),
      registered: [pin(us), pin(hub)],
      middle: ["CFTY21I"],
      auth: "SERVER",
    },
    {
      name: "registered is another",
      args: with_(hub),
      registered: [pin(us)],
      bad: refused(46, "PKI_ERR_CERT_UNKNOWN"),
    },
    {
      name: "registered is enough where nothing else is verified",
      profile: { verify: "none", roots: [] },
      args: with_(hub),
      registered: [pin(hub)],
      middle: ["CFTY21I"],
      auth: "SERVER",
      root: "CN=hub",
    },
    {
      name: "TLS 1.1 server: the peer's alert",
      args: [...with_(hub), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
      bad: { id: "CFTY30E", cr: 70, code: "CYG_TLS_ALERT" },
    },
    {
      name: "no shared cipher: the peer's alert",
      profile: { versions: ["1.2"] },
      args: [...with_(hub), "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
      bad: { id: "CFTY30E", cr: 40, code: "CYG_TLS_ALERT" },
    },
    {
      name: "server requires a certificate, we have none, TLS 1.2",
      args: [...with_(hub), ...asks, "-tls1_2"],
      bad: { id: "CFTY30E", cr: 40, code: "CYG_TLS_ALERT" },
    },
    {
      name: "server requires a certificate, we have none, TLS 1.3: after our handshake",
      args: [...with_(hub), ...asks],
      middle: ["CFTY21I"],
      auth: "SERVER",
      late: true,
      bad: { id: "CFTY30E", cr: 116, code: "CYG_TLS_ALERT" },
    },
  ];
  for (const row of rows) {
    await t.test(row.name, async (t) => {
      const journal = new Recorder();
      const tool = await server(...row.args);
      t.teardown(() => tool.stop());
      const call = dial({
        host: "127.0.0.1",
        port: tool.port,
        tls: clientTls({ ...base, ...row.profile }),
        timeout: 20_000,
        keepalive: 60_000,
        journal,
        part: "ACME",
        ...(row.registered && { registered: row.registered }),
      });
      if (row.bad && !row.late) {
        const error = (await call.then(
          () => null,
          (reason: unknown) => reason,
        )) as NetError;
        t.match(error, { code: row.bad.code, diagi: 260, diagp: `PKI ${row.bad.cr}` });
        const why = row.bad.pki ? ["CFTY18E"] : [];
        t.strictSame(journal.ids(), ["CFTY19I", ...why, row.bad.id]);
        t.equal(journal.find("CFTY18E")?.cr, row.bad.pki);
        t.equal(journal.find(row.bad.id)?.cr, row.bad.cr);
        return;
      }
      const connection = await call;
      const { stream, secure } = connection;
      t.match(secure, { auth: row.auth, version: row.version ?? good[13] });
      if (row.cipher) t.equal(secure?.cipher, row.cipher);
      const closed = once(stream, "close").catch(() => once(stream, "close"));
      stream.resume();
      if (row.late) {
        await closed;
        t.match(connection.failure, { code: row.bad?.code, diagi: 260, diagp: `PKI ${row.bad?.cr}` });
        t.strictSame(journal.ids(), ["CFTY19I", ...(row.middle ?? []), "CFTY14I", "CFTY30E", "CFTY11I"]);
        return;
      }
      stream.write("HELLO\n");
      await tool.says(/HELLO/);
      stream.end();
      stream.destroy();
      await closed;
      const ctx = journal.find("CFTY14I")?.ctx;
      t.equal(ctx, connection.id);
      t.strictSame(journal.ids(ctx), ["CFTY19I", ...(row.middle ?? []), "CFTY14I", "CFTY11I"]);
      t.match(journal.find("CFTY14I"), { part: "ACME", ssl: "TLS", auth: row.auth });
      if (row.auth !== "NONE")
        t.match(journal.find("CFTY21I"), { rootid: row.root ?? row.profile?.roots?.[0]?.id ?? "ca" });
      if (row.middle?.includes("CFTY23I")) t.match(journal.find("CFTY23I"), { id: "us", rootid: "ca" });
    });
  }
});

test("SNI carries the host name when it is a name and sni allows it", async (t) => {
  const hub = await issue(t.testdir(), "hub");
  const names: unknown[] = [];
  const options = serverTls({
    id: "S",
    material: hub.material,
    roots: [],
    verify: "none",
    versions: [],
    ciphers: "",
    trust,
  }).options;
  const listener = tls.createServer(options, (socket) => {
    names.push(socket.servername || "");
    socket.end();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(() => listener.close());
  const { port } = listener.address() as { port: number };
  const profile: TlsProfile = {
    id: "C",
    material: null,
    roots: [hub.material],
    verify: "required",
    versions: [],
    ciphers: "",
    trust,
  };
  for (const [host, sni] of [
    ["localhost", true],
    ["127.0.0.1", true],
    ["localhost", false],
  ] as const) {
    const journal = new Recorder();
    const call = {
      host,
      port,
      tls: clientTls({ ...profile, sni }),
      timeout: 5000,
      keepalive: 0,
      journal,
      part: "P",
    };
    const { stream } = await dial(call);
    stream.resume();
    await once(stream, "close");
  }
  t.strictSame(names, ["localhost", "", ""]);
});

test("calls that fail before TLS tell refused, silent, unknown and cut apart (DIAGI 301, 302, 303)", async (t) => {
  const hub = await issue(t.testdir(), "hub");
  const secure = clientTls({
    id: "C",
    material: null,
    roots: [hub.material],
    verify: "required",
    versions: [],
    ciphers: "",
    trust,
  });
  const sockets: Socket[] = [];
  const behave: Record<string, (socket: Socket) => void> = {
    silent: () => {},
    plain: (socket) => void socket.write(Buffer.from("\x10\x00\x00\x17IODETTE FTP READY \r", "latin1")),
    cut: (socket) => void socket.resetAndDestroy(),
    end: (socket) => void socket.end(),
  };
  let behaviour = "silent";
  const peer = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    behave[behaviour]?.(socket);
  });
  peer.listen(0, "127.0.0.1");
  await once(peer, "listening");
  const { port } = peer.address() as { port: number };
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    peer.close();
  });
  const journal = new Recorder();
  const common = { host: "127.0.0.1", port, timeout: 5000, keepalive: 0, journal, part: "P" };
  const fails = (options: Partial<Parameters<typeof dial>[0]>) =>
    dial({ ...common, ...options }).then(
      () => t.fail("connected"),
      (reason: unknown) => reason,
    );

  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const closed = (free.address() as { port: number }).port;
  free.close();
  await once(free, "close");
  t.match(await fails({ port: closed }), { code: "CYG_NET_REFUSED", diagi: 302, diagp: "R 00 468" });
  t.match(await fails({ port: closed, host: "localhost" }), { code: "CYG_NET_REFUSED", diagi: 302 });
  t.match(await fails({ source: "203.0.113.9" }), { code: "CYG_NET_SOURCE", diagi: 303 });
  const name = (await fails({ host: "no-such-host.invalid" })) as NetError;
  t.match(name.code, /^CYG_NET_(NAME|RESOLVER)$/, "unknown, or nobody there to ask");

  const clock = new ManualClock();
  const silent = fails({ tls: secure, clock, timeout: 3000 });
  await journal.until("CFTY19I");
  clock.advance(3000);
  t.match(await silent, { code: "CYG_NET_TIMEOUT", diagi: 302, diagp: "L 01 280" });
  const given = new AbortController();
  const abandoned = fails({ tls: secure, signal: given.signal });
  await once(peer, "connection");
  given.abort(new NetError("CYG_TEST", { diagi: 302, diagp: "" }, "given up"));
  t.match(await abandoned, { code: "CYG_TEST" });
  t.match(await fails({ signal: given.signal }), { code: "CYG_TEST" }, "given up before it began");
  behaviour = "plain";
  const plain = (await fails({ tls: secure })) as NetError;
  t.match(plain, { code: "CYG_TLS_REFUSED", diagi: 260 });
  t.match(plain.message, /does not speak TLS on this port/);
  for (behaviour of ["cut", "end"]) {
    t.match(await fails({ tls: secure }), { code: "CYG_NET_CUT", diagi: 302 }, behaviour);
  }
  const told = (id: string) => journal.ids().filter((one) => one === id).length;
  t.ok(told("CFTY19I") >= 3);
  t.equal(told("CFTY13E"), told("CFTY19I"), "each handshake that began and failed is told once");

  behaviour = "silent";
  const heard = once(peer, "connection");
  const up = await dial({ ...common, host: "localhost" });
  t.equal(up.secure, null);
  t.strictSame(up.remote, { address: "127.0.0.1", port });
  const [theirs] = (await heard) as [Socket];
  up.stream.resume();
  theirs.resetAndDestroy();
  await new Promise((resolve) => up.stream.once("close", resolve));
  t.match(
    up.failure,
    { code: "CYG_NET_CUT", diagi: 302 },
    "a broken line is remembered, and breaks nothing else",
  );

  for (const [code, expected] of [
    ["ENOTFOUND", 301],
    ["EAI_AGAIN", 302],
    ["EHOSTUNREACH", 302],
    ["ETIMEDOUT", 302],
    ["EADDRNOTAVAIL", 303],
    ["ESOMETHING", 302],
  ] as const) {
    t.equal(netError(Object.assign(new Error("x"), { code }), "p").diagi, expected, code);
  }
});

test("profiles that cannot work are refused when they are built", async (t) => {
  const folder = t.testdir();
  const hub = await issue(folder, "hub");
  const keyless = { ...hub.material, key: null };
  const base: TlsProfile = {
    id: "T",
    material: hub.material,
    roots: [],
    verify: "none",
    versions: [],
    ciphers: "",
    trust,
  };
  const rows: [string, Partial<TlsProfile>, string][] = [
    ["no certificate", { material: null }, "CYG_TLS_MATERIAL"],
    ["no key", { material: keyless }, "CYG_TLS_MATERIAL"],
    ["nobody to trust", { verify: "required" }, "CYG_TLS_ROOTS"],
    ["unknown suite", { ciphers: "NO-SUCH-SUITE", versions: ["1.2"] }, "CYG_TLS_CIPHERS"],
    ["unknown suite among known ones", { ciphers: "ECDHE-RSA-AES128-SHA:NO-SUCH" }, "CYG_TLS_CIPHERS"],
    ["unknown suite of TLS 1.3", { ciphers: "TLS_AES_512_GCM_SHA3" }, "CYG_TLS_CIPHERS"],
    ["unknown group", { groups: ["P-256", "P-999"] }, "CYG_TLS_GROUPS"],
    ["key log that cannot be", { keylog: join(folder, "none", "keys") }, "CYG_TLS_KEYLOG"],
  ];
  for (const [name, change, code] of rows) t.throws(() => serverTls({ ...base, ...change }), { code }, name);
  t.throws(() => clientTls({ ...base, material: null, verify: "required" }), { code: "CYG_TLS_ROOTS" });
  t.ok(serverTls({ ...base, ciphers: "49199 49200" }), "Transfer CFT's suite numbers");
});
