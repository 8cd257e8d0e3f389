/** Certificates exchanged over OFTP between two gateways: asked for, delivered, replaced, and a changeover of keys. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { filesBelow, type Gateway, octets, type SiteOptions, site, waitFor } from "./harness.ts";

const SLOW = { timeout: 60_000 };
const EVERYTHING = "sign = true\nencrypt = true\nsigned_eerp = true";
const SEALED = `[[cftsend]]\nid = "SEALED"\nnfname = "&FROOT"\n${EVERYTHING}\n`;
const SIGNED = `[[cftsend]]\nid = "SIGNED"\nnfname = "&FROOT"\nsign = true\n`;

/** What stands in the main file for a certificate. */
function pki(
  id: string,
  file: string,
  { part = "", key = "", usage }: { part?: string; key?: string; usage?: string[] },
) {
  const lines = [`id = "${id}"`, `file = "${file}"`, part && `part = "${part}"`, key && `key = "${key}"`];
  return `[[pki]]\n${[...lines, usage && `usage = ${JSON.stringify(usage)}`].filter(Boolean).join("\n")}\n`;
}
const theirs = (part: string) => pki("theirs", `pki/${part.toLowerCase()}.pem`, { part });

async function pair(t: Test, options: SiteOptions = {}): Promise<{ hub: Gateway; acme: Gateway }> {
  const both = await site(t, { prot: ["OFTP"], ...options });
  await Promise.all([both.hub.start(), both.acme.start()]);
  return both;
}

/** A key and a certificate in the folder of a gateway; its fingerprint. `more`: options of `openssl req`. */
async function make(gateway: Gateway, name: string, ...more: string[]): Promise<string> {
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: join(gateway.directory, "pki"), stdio: "pipe" });
  const made = ["-nodes", "-days", "20", "-subj", `/CN=Cygnet test ${gateway.id.toLowerCase()}`, ...more];
  if (more.includes("-CA")) {
    openssl(
      "req",
      "-new",
      "-newkey",
      "rsa:2048",
      ...made.slice(0, 1),
      ...made.slice(3, 5),
      "-keyout",
      `${name}.key`,
      "-out",
      "csr",
    );
    openssl("x509", "-req", "-in", "csr", ...more, "-days", "20", "-out", `${name}.pem`);
  } else
    openssl("req", "-x509", "-newkey", "rsa:2048", ...made, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  await fs.chmod(join(gateway.directory, "pki", `${name}.key`), 0o600);
  return fingerprintOf(gateway, name);
}

async function fingerprintOf(gateway: Gateway, name: string): Promise<string> {
  return new X509Certificate(await fs.readFile(join(gateway.directory, "pki", `${name}.pem`))).fingerprint256;
}

const done = async (t: Test, gateway: Gateway, ...args: string[]) => {
  const result = await gateway.cli(...args, "--json");
  t.equal(result.status, 0, `${args.join(" ")}: ${result.stderr}`);
  return result.json;
};

/** Hands a certificate over and gives the transfer. */
const exchange = async (t: Test, gateway: Gateway, kind: string, ...more: string[]) =>
  (await done(t, gateway, "pki", "exchange", kind, "--part", gateway.partner, ...more))[0].idtu as string;

const transferOf = async (gateway: Gateway, idtu: string) =>
  (await gateway.transfers()).find((each) => each.idtu === idtu);
const answered = (gateway: Gateway, idtu: string, ack: "A" | "N") =>
  waitFor(
    `${gateway.id}: ${ack} for ${idtu}`,
    async () => (await transferOf(gateway, idtu))?.ack === ack,
    SLOW,
  );
const logged = (gateway: Gateway, id: string, words: string) =>
  waitFor(`${gateway.id} logs ${id}`, () => gateway.messages(id).some((line) => line.includes(words)), SLOW);
const stateOf = async (t: Test, gateway: Gateway, fingerprint: string) => {
  const all = await done(t, gateway, "pki", "list", "--part", gateway.partner);
  return all.find(
    ({ sha256, source }: { sha256: string; source: string }) => sha256 === fingerprint && source === "store",
  )?.state;
};

/** Sends a file through a flow; resolves with its record when it has its response. */
let count = 0;
async function passes(gateway: Gateway, flow: string) {
  const name = `F${++count}`;
  await gateway.drop(`${flow}/${name}`, octets(count, 5_000));
  const find = () => gateway.transfer("send", name);
  await waitFor(
    `${gateway.id}: the response to ${name}`,
    async () => ((await find())?.ack ?? "") !== "",
    SLOW,
  );
  return find();
}

test("request, accepted by hand on both sides: answered by deliver, then files are sealed and signed with them", async (t) => {
  const { hub, acme } = await pair(t, { more: SEALED });
  const [ofHub, ofAcme] = [await fingerprintOf(hub, "hub"), await fingerprintOf(acme, "acme")];
  const request = await exchange(t, hub, "request");
  await logged(acme, "CFTH91W", ofHub);
  await waitFor("it has arrived", async () => (await transferOf(hub, request))?.state === "Z", SLOW);
  t.match(await transferOf(hub, request), {
    idf: "CERT_REQUEST",
    nfname: "ODETTE_CERTIFICATE_REQUEST",
    ack: "",
  });
  const [waiting] = await acme.transfers({ direct: "recv" });
  t.match(waiting, { idf: "CERT_REQUEST", phase: "Z", phasestep: "H", ack: "" });
  t.equal(await stateOf(t, acme, ofHub), "pending");
  t.equal((await acme.cli("end", waiting?.idtu ?? "")).status, 1, "nobody answers it without a decision");
  t.strictSame(await filesBelow(join(acme.rundir, "inbox")), [], "a certificate is no file for the inbox");

  // the gateway dies, and somebody decides while it is down
  await acme.kill("SIGKILL");
  await done(t, acme, "pki", "accept", ofHub.slice(0, 11));
  await acme.start();
  await answered(hub, request, "A");
  await logged(hub, "CFTH91W", ofAcme);
  t.equal(
    (await acme.transfers({ direct: "send" })).length,
    1,
    "one answer, although it was looked at twice",
  );
  await done(t, hub, "pki", "accept", ofAcme);
  const [deliver] = await acme.transfers({ direct: "send" });
  t.equal(deliver?.idf, "CERT_DELIVER");
  await answered(acme, deliver?.idtu ?? "", "A");

  t.match(await passes(hub, "SEALED"), { ack: "A" });
  t.match(await passes(acme, "SEALED"), { ack: "A" });
  for (const [gateway, partner, kind] of [
    [hub, "ACME", "request"],
    [acme, "HUB", "deliver"],
  ] as const) {
    await logged(gateway, "CFTH94I", "");
    const own = await done(t, gateway, "pki", "show", "own");
    t.match(
      own.handovers,
      [{ part: partner, kind, answer: "accepted" }],
      "what became of it stands beside it",
    );
  }
  t.match((await hub.cli("pki", "show", "own")).stdout, /requested from ACME \d{4}-\d\d-\d\d, accepted/);
  t.match((await hub.cli("pki", "list")).stdout, /ACME accepted/);

  // the same once more: nothing new, answered at once
  await answered(hub, await exchange(t, hub, "deliver"), "A");
  t.equal((await done(t, acme, "pki", "list", "--part", "HUB")).length, 1);
  t.strictSame(await filesBelow(join(acme.rundir, "work")), [], "no work file is left");
});

test("refused: the sender hears why, and the certificate goes on being refused until somebody thinks better of it", async (t) => {
  const { hub, acme } = await pair(t);
  const fingerprint = await fingerprintOf(hub, "hub");
  const first = await exchange(t, hub, "deliver");
  await logged(acme, "CFTH91W", fingerprint);
  const second = await exchange(t, hub, "deliver");
  await waitFor("both wait", async () => (await acme.transfers({ state: "Z" })).length === 2, SLOW);
  await done(t, acme, "pki", "refuse", fingerprint, "--note", "not before December");
  for (const idtu of [first, second]) {
    await answered(hub, idtu, "N");
    t.match(await transferOf(hub, idtu), { diagp: "NERP 34" });
    t.match((await transferOf(hub, idtu))?.diagc, "not before December");
  }
  await logged(hub, "CFTH94W", "not before December");
  t.match((await done(t, hub, "pki", "show", "own")).handovers, [{ answer: "refused" }]);
  await answered(hub, await exchange(t, hub, "deliver"), "N");
  await done(t, acme, "pki", "accept", fingerprint);
  await answered(hub, await exchange(t, hub, "deliver"), "A");
});

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

test("below level 5 a certificate stays here and says why", async (t) => {
  const { hub, acme } = await pair(t, { acme: { level: [4, 2, 1] } });
  const held = await exchange(t, hub, "deliver");
  await waitFor("it is held", async () => (await transferOf(hub, held))?.state === "H", SLOW);
  t.match((await transferOf(hub, held))?.diagc, /level 5.*this session has level 4/);
  t.strictSame(await acme.transfers(), [], "not even offered");
  const refused = await acme.cli("pki", "exchange", "deliver", "--part", "HUB");
  t.equal(refused.status, 1);
  t.match(refused.stderr, /level 5/);
  for (const [args, words] of [
    [["--part", "NOBODY"], /no partner NOBODY; known are ACME/],
    [
      ["--part", "ACME", "--id", "root"],
      /no \[\[pki\]\] of this site with a key has the id root; known are own/,
    ],
  ] as const) {
    const { status, stderr } = await hub.cli("pki", "exchange", "deliver", ...args);
    t.equal(status, 1);
    t.match(stderr, words);
  }
  t.equal((await hub.cli("pki", "exchange", "steal", "--part", "ACME")).status, 2);
});
