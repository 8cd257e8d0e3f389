/** Certificates that follow others: by a rule, as replacements, and a changeover of keys between two gateways. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import {
  answered,
  done,
  exchange,
  fingerprintOf,
  logged,
  make,
  passes,
  pki,
  SEALED,
  SIGNED,
  SLOW,
  stateOf,
  theirs,
  transferOf,
} from "./handing-over.ts";
import { site, waitFor } from "./harness.ts";

test("renewal: what the key in use vouches for is taken at once, what it does not waits; refuse takes nothing", async (t) => {
  const both = await site(t, { prot: ["OFTP"], acme: { more: theirs("HUB") } });
  const { hub, acme } = both;
  const link = await make(hub, "link", "-CA", "hub.pem", "-CAkey", "hub.key");
  const stranger = await make(hub, "stranger");
  const more =
    pki("link", "pki/link.pem", { key: "pki/link.key" }) +
    pki("stranger", "pki/stranger.pem", { key: "pki/stranger.key" });
  await hub.configure({ prot: ["OFTP"], more }, acme);
  const partner = await fs.readFile(acme.partnerFile, "utf8");
  const rule = (words: string) =>
    fs.writeFile(acme.partnerFile, partner.replace(/^(id\s*=.*\n)/m, `$1certificates = ${words}\n`));
  await rule('["renewal"]');
  await Promise.all([hub.start(), acme.start()]);
  await answered(hub, await exchange(t, hub, "deliver", "--id", "link"), "A");
  await logged(acme, "CFTH92I", link);
  t.equal(await stateOf(t, acme, link), "active");
  const waits = await exchange(t, hub, "deliver", "--id", "stranger", "--replaces", "own");
  await logged(acme, "CFTH91W", stranger);
  t.match(await transferOf(hub, waits), { ack: "" });
  const asked = await exchange(t, hub, "request", "--id", "link");
  await logged(hub, "CFTH91W", await fingerprintOf(acme, "acme"));
  t.match(await transferOf(hub, asked), { ack: "A" });
  const session = (flow: string) =>
    / IDS=(\d+)/.exec(acme.messages("CFTT57I").find((line) => line.includes(`IDF=${flow}`)) ?? "")?.[1];
  const requests = acme.messages("CFTT57I").filter((line) => line.includes("IDF=CERT_REQUEST"));
  t.equal(requests.length, 1);
  const answer = (await acme.transfers({ direct: "send" })).map(({ idtu }) => idtu);
  t.equal(answer.length, 1, "answered by one certificate");
  const sent = acme.messages("CFTT57I").find((line) => line.includes(`IDTU=${answer[0]}`));
  t.equal(/ IDS=(\d+)/.exec(sent ?? "")?.[1], session("CERT_REQUEST"), "in the same session");
  await rule('["refuse"]');
  await done(t, acme, "reload");
  // a session keeps the rules that it began with
  await waitFor("the session to end", async () => (await acme.status()).sessions.length === 0, SLOW);
  const refused = await exchange(t, hub, "deliver", "--id", "link");
  await waitFor("it is held", async () => (await transferOf(hub, refused))?.state === "H", SLOW);
  t.match(await transferOf(hub, refused), { diagp: "101" }, "SFNA 01: the name is not taken here");
  await rule('["manual", "ca"]');
  const check = await acme.cli("check");
  t.equal(check.status, 2);
  t.match(check.stderr, /"manual" stands alone/);
});

test("ca: what a known authority has issued for the partner is taken at once, everything else waits", async (t) => {
  const authority = pki("authority", "pki/ca.pem", { usage: ["ca"] });
  const both = await site(t, { prot: ["OFTP"], acme: { more: authority } });
  const { hub, acme } = both;
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: join(hub.directory, "pki"), stdio: "pipe" });
  const root = [
    "-nodes",
    "-days",
    "20",
    "-subj",
    "/CN=Root",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  ];
  openssl("req", "-x509", "-newkey", "rsa:2048", ...root, "-keyout", "ca.key", "-out", "ca.pem");
  await fs.copyFile(join(hub.directory, "pki", "ca.pem"), join(acme.directory, "pki", "ca.pem"));
  let more = "";
  const rows = [
    { id: "issued", subject: "/serialNumber=O0999HUB/CN=hub", taken: true },
    { id: "nameless", subject: "/CN=hub by name only", taken: false },
    { id: "selfmade", subject: "/serialNumber=O0999HUB/CN=hub", taken: false },
  ];
  for (const { id, subject } of rows) {
    if (id === "selfmade") await make(hub, id, "-subj", subject);
    else {
      openssl(
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        subject,
        "-keyout",
        `${id}.key`,
        "-out",
        "csr",
      );
      await fs.writeFile(
        join(hub.directory, "pki", "extensions"),
        "keyUsage=critical,digitalSignature,keyEncipherment\nbasicConstraints=CA:FALSE\n",
      );
      const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-days", "9", "-extfile", "extensions"];
      openssl("x509", "-req", "-in", "csr", ...by, "-out", `${id}.pem`);
    }
    more += pki(id, `pki/${id}.pem`, { key: `pki/${id}.key`, usage: ["decrypt"] });
  }
  await hub.configure({ prot: ["OFTP"], more }, acme);
  const partner = await fs.readFile(acme.partnerFile, "utf8");
  const rule = 'certificates = ["ca"]\nrootcid = ["authority"]\n';
  await fs.writeFile(acme.partnerFile, partner.replace(/^(id\s*=.*\n)/m, `$1${rule}`));
  await Promise.all([hub.start(), acme.start()]);
  for (const { id, taken } of rows) {
    const fingerprint = await fingerprintOf(hub, id);
    const idtu = await exchange(t, hub, "deliver", "--id", id);
    await logged(acme, taken ? "CFTH92I" : "CFTH91W", fingerprint);
    if (taken) await answered(hub, idtu, "A");
    t.equal(await stateOf(t, acme, fingerprint), taken ? "active" : "pending", id);
  }
});

test("replace: once accepted, what came before proves nothing any more, also that of the configuration", async (t) => {
  const both = await site(t, { prot: ["OFTP"], acme: { more: theirs("HUB") } });
  const { hub, acme } = both;
  const fingerprint = await make(hub, "new");
  const own = (usage: string[]) => pki("new", "pki/new.pem", { key: "pki/new.key", usage });
  const decrypting = own(["decrypt"]);
  await hub.configure({ prot: ["OFTP"], more: SIGNED + decrypting }, acme);
  await Promise.all([hub.start(), acme.start()]);
  t.match(await passes(hub, "SIGNED"), { ack: "A" });
  const replace = await exchange(t, hub, "replace", "--id", "new");
  await logged(acme, "CFTH91W", fingerprint);
  t.match(await passes(hub, "SIGNED"), { ack: "A" }, "the old one counts until the new one is accepted");
  await done(t, acme, "pki", "accept", fingerprint);
  await answered(hub, replace, "A");
  t.match(
    acme.messages("CFTH95I").join(),
    await fingerprintOf(hub, "hub"),
    "and the log says which one went",
  );
  t.match(await passes(hub, "SIGNED"), { ack: "N", diagp: "NERP 31" }, "signed with the old key");
  await hub.configure({ prot: ["OFTP"], more: SIGNED + own(["sign", "decrypt"]) }, acme);
  await done(t, hub, "reload");
  t.match(await passes(hub, "SIGNED"), { ack: "A" }, "signed with the new one");
});

test("a changeover of keys under way: not one file fails", async (t) => {
  const both = await site(t, {
    prot: ["OFTP"],
    hub: { more: SEALED + theirs("ACME") },
    acme: { more: SEALED + theirs("HUB") },
  });
  const { hub, acme } = both;
  const fingerprint = await make(hub, "next");
  const configured = async (usage: string[], rest = "") => {
    const next = usage.length > 0 ? pki("next", "pki/next.pem", { key: "pki/next.key", usage }) : "";
    await hub.configure({ prot: ["OFTP"], more: SEALED + theirs("ACME") + next + rest }, acme);
    if (hub.running) await done(t, hub, "reload");
  };
  await configured([]);
  await Promise.all([hub.start(), acme.start()]);
  const traffic = async (when: string) => {
    for (const gateway of [hub, acme])
      t.match(await passes(gateway, "SEALED"), { ack: "A" }, `${gateway.id} ${when}`);
  };
  await traffic("before");
  // the new key opens before anybody seals for it
  await configured(["decrypt"]);
  const deliver = await exchange(t, hub, "deliver", "--id", "next");
  await logged(acme, "CFTH91W", fingerprint);
  await traffic("while the new certificate waits");
  await done(t, acme, "pki", "accept", fingerprint);
  await answered(hub, deliver, "A");
  await traffic("side by side");
  await configured(["sign", "decrypt", "auth", "receipt"]);
  await traffic("signed with the new key");
  // another one at once for everything: until the partner has taken it, the one before signs
  await make(hub, "late");
  const late = pki("late", "pki/late.pem", { key: "pki/late.key", usage: ["decrypt"] });
  await configured(["sign", "decrypt", "auth", "receipt"], late);
  const offered = await exchange(t, hub, "deliver", "--id", "late");
  await configured(["sign", "decrypt"], late.replace('["decrypt"]', '["sign", "receipt", "decrypt"]'));
  await traffic("while the newest is not answered yet");
  t.match(await transferOf(hub, offered), { ack: "" });
  const failed = (await hub.transfers())
    .concat(await acme.transfers())
    .filter(({ ack, diagi }) => ack === "N" || diagi !== 0);
  t.strictSame(failed, []);
});
