import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { dial } from "../../src/net/dial.ts";
import type { NetError } from "../../src/net/failure.ts";
import { clientTls, serverTls, type TlsProfile } from "../../src/net/tls.ts";
import { type Issued, issue, revocationList, trust } from "./authority.ts";
import { open } from "./gate.ts";
import { client, server } from "./openssl.ts";
import { Recorder } from "./recorder.ts";

/** Everybody below an intermediate authority, and a list of revoked ones that can be changed. */
async function world(t: Test) {
  const folder = t.testdir();
  const ca = await issue(folder, "ca", { ca: true });
  const below = await issue(folder, "below", { ca: true, issuer: ca });
  const us = await issue(folder, "us", { issuer: below });
  const they = await issue(folder, "they", { issuer: below });
  const crl = join(folder, "now.crl");
  const revoked = async (...which: Issued[]) => copyFileSync(await revocationList(folder, below, which), crl);
  await revoked();
  const above = await revocationList(folder, ca, []);
  const profile: TlsProfile = {
    id: "TLS",
    material: us.material,
    roots: [ca.material],
    verify: "required",
    versions: [],
    ciphers: "",
    trust,
    cache: true,
    demands: { crl: "require", crlfiles: [crl, above] },
  };
  const show = ["-cert", they.certificate, "-key", they.key, "-cert_chain", below.certificate];
  return { folder, profile, show, they, revoked };
}

const KINDS = [
  { name: "TLS 1.3, tickets", args: ["-tls1_3"] },
  { name: "TLS 1.3, the other side without tickets of its own", args: ["-tls1_3", "-no_ticket"] },
  { name: "TLS 1.2, tickets", args: ["-tls1_2"] },
  { name: "TLS 1.2, session ids", args: ["-tls1_2", "-no_ticket"] },
];

for (const { name, args } of KINDS) {
  test(`as server: a caller takes its session up again, and is judged again: ${name}`, async (t) => {
    const { folder, profile, show, they, revoked } = await world(t);
    let tls = serverTls(profile);
    const gate = await open(() => tls);
    t.teardown(() => gate.listener.drop());
    const session = join(folder, "session");
    /** One call; gives what openssl said of the session, and our lines. */
    const call = async (...more: string[]) => {
      gate.journal.entries.length = 0;
      const tool = client(gate.port, ...args, ...show, ...more);
      await tool.ended;
      const last = await gate.journal.until("CFTY12I", "CFTY13E");
      return { output: tool.output(), ids: gate.journal.ids(last.ctx), last };
    };
    const good = ["CFTY20I", "CFTY25I", "CFTY24I", "CFTY22I", "CFTY15I", "CFTY12I"];

    const first = await call("-sess_out", session);
    t.match(first.output, /READY/);
    t.strictSame(first.ids, good);
    t.equal(gate.journal.find("CFTY15I")?.resumed, undefined);

    const second = await call("-sess_in", session);
    t.match(second.output, /^Reused/m);
    t.strictSame(second.ids, good);
    t.match(gate.journal.find("CFTY15I"), { auth: "BOTH", resumed: "yes" });
    t.match(
      gate.journal.find("CFTY22I"),
      { id: "CN=they", rootid: "ca" },
      "the way to the root is remembered",
    );
    t.equal(gate.connections[1]?.secure?.peerChain.length, 2);

    await revoked(they);
    const third = await call("-sess_in", session);
    t.notMatch(third.output, /READY/);
    t.strictSame(third.ids, ["CFTY20I", "CFTY25I", "CFTY18E", "CFTY13E"]);
    t.match(gate.journal.find("CFTY18E"), { cr: "PKI_ERR_CERT_REVOKED" });
    t.match(third.last, { cr: 44, alert: "certificate_revoked" });

    await revoked();
    tls = serverTls(profile);
    const fourth = await call("-sess_in", session);
    t.match(fourth.output, /^New/m, "another profile, even of the same name, knows no old session");
    t.strictSame(fourth.ids, good);

    tls = serverTls({ ...profile, cache: false });
    await call("-sess_out", session);
    const fifth = await call("-sess_in", session);
    t.match(fifth.output, /^New/m, "without cache every session is a new one");
    t.strictSame(fifth.ids, good);
  });

  test(`as client: we take a session up again, and judge the server again: ${name}`, async (t) => {
    const { folder, profile, show, they, revoked } = await world(t);
    const asks = ["-Verify", "3", "-CAfile", join(folder, "ca.pem")];
    const tool = await server(...args, ...show, ...asks);
    t.teardown(() => tool.stop());
    let tls = clientTls(profile);
    const call = async () => {
      const journal = new Recorder();
      const options = { host: "127.0.0.1", port: tool.port, timeout: 20_000, keepalive: 0, part: "ACME" };
      const connection = await dial({ ...options, tls, journal }).catch((error: NetError) => error);
      if (connection instanceof Error) return { error: connection, journal, facts: null };
      const heard = once(connection.stream, "data");
      tool.write("READY\n");
      await heard; // tickets come in front of it
      const closed = once(connection.stream, "close");
      connection.stream.end(); // a server forgets a session that did not end in good order
      await closed;
      return { error: null, journal, facts: connection.secure };
    };
    const good = ["CFTY19I", "CFTY21I", "CFTY23I", "CFTY14I", "CFTY11I"];

    const first = await call();
    t.match(first.facts, { resumed: false, auth: "BOTH" });
    t.strictSame(first.journal.ids(), good);
    for (const round of ["second", "third"]) {
      const next = await call();
      t.match(next.facts, { resumed: true, auth: "BOTH", peerVerified: true, peerRoot: "ca" }, round);
      t.equal(next.facts?.peerChain.length, first.facts?.peerChain.length);
      t.strictSame(next.journal.ids(), good);
      t.match(next.journal.find("CFTY14I"), { resumed: "yes" });
    }

    await revoked(they);
    const refused = await call();
    t.match(refused.error, { code: "CYG_TLS_REFUSED", diagi: 260, diagp: "PKI 44" });
    t.strictSame(refused.journal.ids(), ["CFTY19I", "CFTY18E", "CFTY13E"]);

    await revoked();
    t.match((await call()).facts, { resumed: false }, "a session that was refused is not offered again");
    tls = clientTls({ ...profile, cache: false });
    await call();
    t.match((await call()).facts, { resumed: false }, "without cache none is offered");
  });
}

test("between two gateways each ticket serves once: a full handshake, then two that are taken up again", async (t) => {
  const { profile } = await world(t);
  const answering = serverTls(profile);
  const gate = await open(() => answering);
  t.teardown(() => gate.listener.drop());
  const tls = clientTls({ ...profile, versions: ["1.3"] });
  const seen: unknown[] = [];
  for (let round = 0; round < 6; round++) {
    const options = { host: "127.0.0.1", port: gate.port, timeout: 20_000, keepalive: 0, part: "ACME" };
    const { stream, secure } = await dial({ ...options, tls, journal: new Recorder() });
    seen.push(secure?.resumed);
    stream.resume(); // READY, and the tickets in front of it
    await once(stream, "close");
  }
  t.strictSame(seen, [false, true, true, false, true, true]);
});

test("a caller that showed no certificate proves none by taking its session up again", async (t) => {
  const { folder, profile } = await world(t);
  const tls = serverTls({ ...profile, verify: "optional" });
  const strict = serverTls({ ...profile });
  let current = tls;
  const gate = await open(() => current);
  t.teardown(() => gate.listener.drop());
  const session = join(folder, "session");
  for (const version of ["-tls1_2", "-tls1_3"]) {
    current = tls;
    await client(gate.port, version, "-sess_out", session).ended;
    const again = client(gate.port, version, "-sess_in", session);
    await again.ended;
    t.match(again.output(), /^Reused/m);
    t.match(gate.connections.at(-1)?.secure, { resumed: true, peerVerified: false, auth: "SERVER" });
    current = strict;
    const before = gate.connections.length;
    await client(gate.port, version, "-sess_in", session).ended;
    t.equal(gate.connections.length, before, "a profile that asks for more does not know the session");
  }
});
