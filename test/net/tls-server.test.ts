import { once } from "node:events";
import { test } from "tap";
import { type ServerTls, serverTls, type TlsProfile } from "../../src/net/tls.ts";
import { nameRule } from "../../src/pki/name-rule.ts";
import { keyPin } from "../../src/pki/pins.ts";
import { issue, revocationList, trust } from "./authority.ts";
import { open } from "./gate.ts";
import { client } from "./openssl.ts";

test("TLS server against openssl s_client: versions, suites, client certificates, and their messages", async (t) => {
  const folder = t.testdir();
  const ca = await issue(folder, "ca", { ca: true });
  const below = await issue(folder, "below", { ca: true, issuer: ca });
  const other = await issue(folder, "other", { ca: true });
  const server = await issue(folder, "hub", { issuer: below });
  const good = await issue(folder, "good", { issuer: ca });
  const deep = await issue(folder, "deep", { issuer: below });
  const expired = await issue(folder, "expired", { issuer: ca, days: -1 });
  const serverOnly = await issue(folder, "serveronly", { issuer: ca, usage: ["1.3.6.1.5.5.7.3.1"] as never });
  const nameless = await issue(folder, "nameless", { issuer: ca, nameless: true });
  const foreign = await issue(folder, "foreign", { issuer: other });
  const gone = await issue(folder, "gone", { issuer: ca });
  const crlfiles = [await revocationList(folder, ca, [gone])];
  const pin = ({ material }: typeof good) => keyPin(material.certificate);
  const show = (one: typeof good) => [
    "-cert",
    one.certificate,
    "-key",
    one.key,
    "-cert_chain",
    below.certificate,
  ];
  const base: TlsProfile = {
    id: "TLS",
    material: server.material,
    roots: [ca.material],
    verify: "none",
    versions: [],
    ciphers: "",
    trust,
  };

  type Good = {
    version: string;
    auth: "SERVER" | "BOTH";
    middle: string[];
    subject?: string;
    verified?: boolean;
    /** Id of the root, or its name where no [[pki]] stands for it. */
    root?: string;
  };
  type Bad = { id: "CFTY13E" | "CFTY30E"; cr: number; alert: string; pki?: string };
  const refusal = (cr: number, alert: string, pki?: string): Bad => ({
    id: "CFTY13E",
    cr,
    alert,
    ...(pki && { pki }),
  });
  const mutual: Good = { version: "TLSv1.3", auth: "BOTH", middle: ["CFTY22I"], verified: true };
  const asking = (demands: TlsProfile["demands"] & object, more: Partial<TlsProfile> = {}) => ({
    profile: { verify: "required" as const, demands, ...more },
  });
  const rows: { name: string; profile?: Partial<TlsProfile>; args: string[]; good?: Good; bad?: Bad }[] = [
    {
      name: "TLS 1.3, server certificate only",
      args: [],
      good: { version: "TLSv1.3", auth: "SERVER", middle: [] },
    },
    { name: "TLS 1.2", args: ["-tls1_2"], good: { version: "TLSv1.2", auth: "SERVER", middle: [] } },
    {
      name: "TLS 1.1 is refused (RFC 8996)",
      args: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
      bad: { id: "CFTY13E", cr: 70, alert: "protocol_version" },
    },
    {
      name: "a profile for 1.3 only refuses 1.2",
      profile: { versions: ["1.3"] },
      args: ["-tls1_2"],
      bad: { id: "CFTY13E", cr: 70, alert: "protocol_version" },
    },
    {
      name: "static RSA and CBC are not offered: no shared cipher",
      args: ["-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA256"],
      bad: { id: "CFTY13E", cr: 40, alert: "handshake_failure" },
    },
    {
      name: "a suite that the profile names is served",
      profile: { ciphers: "ECDHE-ECDSA-AES128-SHA256", versions: ["1.2"] },
      args: ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
      good: { version: "TLSv1.2", auth: "SERVER", middle: [] },
    },
    {
      name: "verify none does not ask for a certificate",
      args: show(good),
      good: { version: "TLSv1.3", auth: "SERVER", middle: [], subject: "" },
    },
    {
      name: "the client refuses us: its alert",
      args: ["-CAfile", other.certificate, "-verify_return_error"],
      bad: { id: "CFTY30E", cr: 48, alert: "unknown_ca" },
    },
    ...["-tls1_3", "-tls1_2"].flatMap((version) => {
      const name = version === "-tls1_3" ? "TLSv1.3" : "TLSv1.2";
      const required = { profile: { verify: "required" as const } };
      const optional = { profile: { verify: "optional" as const } };
      return [
        {
          ...required,
          name: `required, good certificate, ${name}`,
          args: [version, ...show(good)],
          good: {
            version: name,
            auth: "BOTH" as const,
            middle: ["CFTY22I"],
            subject: "CN=good",
            verified: true,
          },
        },
        {
          ...required,
          name: `required, certificate below an intermediate, ${name}`,
          args: [version, ...show(deep)],
          good: {
            version: name,
            auth: "BOTH" as const,
            middle: ["CFTY22I"],
            subject: "CN=deep",
            verified: true,
          },
        },
        {
          ...required,
          name: `required, none shown, ${name}`,
          args: [version],
          bad: refusal(116, "certificate_required"),
        },
        {
          ...required,
          name: `required, foreign root, ${name}`,
          args: [version, ...show(foreign)],
          bad: refusal(48, "unknown_ca", "PKI_ERR_CA_NOT_FOUND"),
        },
        {
          ...required,
          name: `required, expired, ${name}`,
          args: [version, ...show(expired)],
          bad: refusal(45, "certificate_expired", "PKI_ERR_CERT_EXPIRED"),
        },
        {
          ...required,
          name: `required, certificate not for clients, ${name}`,
          args: [version, ...show(serverOnly)],
          bad: refusal(43, "unsupported_certificate", "PKI_ERR_CERT_UNSUPPORTED"),
        },
        {
          ...optional,
          name: `optional, good certificate, ${name}`,
          args: [version, ...show(good)],
          good: {
            version: name,
            auth: "BOTH" as const,
            middle: ["CFTY22I"],
            subject: "CN=good",
            verified: true,
          },
        },
        {
          ...optional,
          name: `optional, none shown, ${name}`,
          args: [version],
          good: { version: name, auth: "SERVER" as const, middle: ["CFTY26I"], subject: "", verified: false },
        },
        {
          ...optional,
          name: `optional, foreign root: let in, but never as verified, ${name}`,
          args: [version, ...show(foreign)],
          good: {
            version: name,
            auth: "SERVER" as const,
            middle: ["CFTY17I", "CFTY26I"],
            subject: "CN=foreign",
            verified: false,
          },
        },
      ];
    }),
    {
      name: "a group of ours that the client has",
      profile: { groups: ["P-384"] },
      args: ["-groups", "X25519:P-384"],
      good: { version: "TLSv1.3", auth: "SERVER", middle: [] },
    },
    {
      name: "no group in common",
      profile: { groups: ["P-384"] },
      args: ["-groups", "X25519"],
      bad: refusal(40, "handshake_failure"),
    },
    {
      name: "a suite of TLS 1.3 that is not ours",
      profile: { ciphers: "TLS_AES_256_GCM_SHA384", versions: ["1.3"] },
      args: ["-ciphersuites", "TLS_AES_128_GCM_SHA256"],
      bad: refusal(40, "handshake_failure"),
    },
    { ...asking({ crl: "require", crlfiles }), name: "not revoked", args: show(good), good: mutual },
    {
      ...asking({ crl: "require", crlfiles }),
      name: "revoked",
      args: show(gone),
      bad: refusal(44, "certificate_revoked", "PKI_ERR_CERT_REVOKED"),
    },
    {
      ...asking({ crl: "require", crlfiles }, { verify: "optional" }),
      name: "revoked, optional: let in as nobody",
      args: show(gone),
      good: { version: "TLSv1.3", auth: "SERVER", middle: ["CFTY17I", "CFTY26I"], verified: false },
    },
    {
      ...asking({ crl: "prefer" }),
      name: "no list of revoked ones, which is preferred",
      args: show(good),
      good: { ...mutual, middle: ["CFTY16I", "CFTY22I"] },
    },
    {
      ...asking({ subject: nameRule('"/CN=good/" OR "/CN=better/"') }),
      name: "the name asked for",
      args: show(good),
      good: mutual,
    },
    {
      ...asking({ subject: nameRule('! "/CN=good/"') }),
      name: "another name",
      args: show(good),
      bad: refusal(49, "access_denied", "PKI_ERR_CERT_NOT_VALID"),
    },
    {
      ...asking({ depth: 1 }),
      name: "too far below its root",
      args: show(deep),
      bad: refusal(48, "unknown_ca", "PKI_ERR_CERT_BAD_CA"),
    },
    {
      ...asking({ pins: [pin(below)] }),
      name: "below a pinned authority that it brings along",
      args: show(deep),
      good: { ...mutual, subject: "CN=deep" },
    },
    {
      ...asking({ pins: [pin(foreign)] }, { roots: [] }),
      name: "a pinned key without a root",
      args: show(foreign),
      good: { ...mutual, subject: "CN=foreign", root: "CN=foreign" },
    },
    {
      ...asking({ pins: [pin(foreign)] }, { roots: [] }),
      name: "another key than the pinned one",
      args: show(good),
      bad: refusal(46, "certificate_unknown", "PKI_ERR_CERT_UNKNOWN"),
    },
    {
      ...asking({ pins: [pin(foreign)] }, { roots: [] }),
      name: "nothing shown where a pinned key is required",
      args: [],
      bad: refusal(116, "certificate_required", "PKI_ERR_CERT_NOT_FOUND"),
    },
    {
      ...asking({ keyext: false }),
      name: "keyext none takes a certificate for servers",
      args: show(serverOnly),
      good: { ...mutual, subject: "CN=serveronly" },
    },
    {
      ...asking({ keyext: false }),
      name: "keyext none does not take one from elsewhere",
      args: show(foreign),
      bad: refusal(48, "unknown_ca", "PKI_ERR_CA_NOT_FOUND"),
    },
    {
      name: "a certificate without a name",
      profile: { verify: "required" },
      args: show(nameless),
      good: { version: "TLSv1.3", auth: "BOTH", middle: ["CFTY22I"], subject: "", verified: true },
    },
    {
      name: "a certificate may be trusted by itself, without its authority",
      profile: { verify: "required", roots: [foreign.material] },
      args: show(foreign),
      good: {
        version: "TLSv1.3",
        auth: "BOTH",
        middle: ["CFTY22I"],
        subject: "CN=foreign",
        verified: true,
        root: "foreign",
      },
    },
  ];

  for (const row of rows) {
    await t.test(row.name, async (t) => {
      const profile = serverTls({ ...base, ...row.profile });
      const gate = await open(() => profile);
      t.teardown(() => gate.listener.drop());
      const tool = client(gate.port, ...row.args);
      const code = await tool.ended;
      const last = await gate.journal.until("CFTY12I", "CFTY13E", "CFTY30E");
      const ids = gate.journal.ids(last.ctx);
      if (row.good) {
        const { version, auth, middle, subject, verified } = row.good;
        t.match(tool.output(), /READY/);
        t.strictSame(ids, ["CFTY20I", "CFTY25I", "CFTY24I", ...middle, "CFTY15I", "CFTY12I"]);
        const facts = gate.connections[0]?.secure;
        t.match(facts, { version, auth, peerVerified: verified ?? false });
        if (subject !== undefined) t.equal(facts?.peerSubject, subject);
        t.equal(gate.connections[0]?.id, last.ctx, "CTX is the connection's id");
        t.match(gate.journal.find("CFTY15I"), { version, auth, prot: "OFTPS", ssl: "TLS" });
        t.match(gate.journal.find("CFTY24I"), { id: "hub", rootid: "ca" });
        if (verified) {
          t.match(gate.journal.find("CFTY22I"), { id: subject ?? "CN=good", rootid: row.good.root ?? "ca" });
        }
      } else {
        const why = row.bad?.pki ? ["CFTY18E"] : [];
        t.strictSame(ids, ["CFTY20I", "CFTY25I", ...why, row.bad?.id]);
        t.equal(gate.journal.find("CFTY18E")?.cr, row.bad?.pki);
        t.match(last, { cr: row.bad?.cr, alert: row.bad?.alert });
        t.equal(gate.connections.length, 0, "nothing was handed over");
        t.notMatch(tool.output(), /READY/);
        t.type(code, "number");
      }
      t.equal(gate.admission.counters.open, 0, "the seat is free again");
    });
  }
});

test("a certificate is replaced while a session runs: the session goes on, the next caller sees the new one", async (t) => {
  const folder = t.testdir();
  const before = await issue(folder, "before");
  const after = await issue(folder, "after");
  const profile = (one: typeof before): ServerTls =>
    serverTls({
      id: "TLS",
      material: one.material,
      roots: [],
      verify: "none",
      versions: [],
      ciphers: "",
      trust,
    });
  let current = profile(before);
  const gate = await open(
    () => current,
    ({ stream }) => {
      stream.write("READY\n");
      stream.on("data", (data) => stream.write(`echo ${data}`));
    },
  );
  t.teardown(() => gate.listener.drop());
  const running = client(gate.port, "-CAfile", before.certificate, "-verify_return_error");
  await running.says(/READY/);
  current = profile(after);
  const next = client(gate.port, "-CAfile", after.certificate, "-verify_return_error");
  await next.says(/READY/);
  t.match(next.output(), /subject=CN = after/);
  t.match(running.output(), /subject=CN = before/);
  running.write("still here\n");
  await running.says(/echo still here/);
  gate.listener.close();
  running.write("after the port closed\n");
  await running.says(/echo after the port closed/);
  const ended = gate.connections.map(({ stream }) => once(stream, "close"));
  await Promise.all([running.stop(), next.stop(), ...ended]);
  t.equal(gate.journal.ids().filter((id) => id === "CFTY12I").length, 2);
});

test("TLS 1.2 renegotiation is refused and the line lives on", async (t) => {
  const hub = await issue(t.testdir(), "hub");
  const tls = serverTls({
    id: "TLS",
    material: hub.material,
    roots: [],
    verify: "none",
    versions: [],
    ciphers: "",
    trust,
  });
  const gate = await open(
    () => tls,
    ({ stream }) => {
      stream.write("READY\n");
      stream.on("data", (data) => stream.write(`echo ${data}`));
    },
  );
  t.teardown(() => gate.listener.drop());
  const tool = openRenegotiating(gate.port);
  await tool.says(/READY/);
  tool.write("R\n");
  await tool.says(/RENEGOTIATING/);
  const handshakes = gate.journal.ids().filter((id) => id === "CFTY15I").length;
  await Promise.race([tool.says(/no renegotiation/i), tool.ended]);
  t.equal(handshakes, 1);
  t.match(tool.output(), /no renegotiation/i);
  await tool.stop();
});

/** Without -ign_eof, which would take the letter R as data. */
function openRenegotiating(port: number) {
  return client(port, "-no_ign_eof", "-tls1_2");
}
