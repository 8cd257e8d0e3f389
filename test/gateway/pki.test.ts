/** Certificates as an operator handles them: `cygnet pki`, and a changeover between two running gateways. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { edit } from "./extra.ts";
import { type CliResult, type Gateway, octets, site, waitFor } from "./harness.ts";

const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
const flow = (id: string, lines: string) => `[[cftsend]]\nid = "${id}"\nnfname = "${id}"\n${lines}\n`;
const FLOWS =
  flow("SEALED", "sign = true\nencrypt = true") +
  flow("SIGNED", "sign = true") +
  flow("RECEIPT", "signed_eerp = true");

/** Runs a command that has to succeed. */
async function does(t: Test, gateway: Gateway, ...args: string[]): Promise<CliResult> {
  const result = await gateway.cli("pki", ...args);
  t.equal(result.status, 0, `pki ${args.join(" ")}: ${result.stderr}`);
  return result;
}

type Refused = [args: string[], status: number, words: RegExp];

/** Runs commands that have to fail, two at a time. */
async function refuses(t: Test, gateway: Gateway, rows: readonly Refused[]): Promise<void> {
  const left = [...rows];
  const worker = async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) {
      const [args, status, words] = row;
      const result = await gateway.cli("pki", ...args);
      t.equal(result.status, status, args.join(" "));
      t.match(result.stderr, words);
    }
  };
  await Promise.all([worker(), worker()]);
}

/** Sends one file and tells how it ended: `A`, or `N` and the NERP reason. */
async function exchange(from: Gateway, to: Gateway, idf: string, count: number): Promise<string> {
  const content = octets(count, 20_000);
  const ended = async () =>
    (await from.transfers({ direct: "send", state: "X" })).filter((one) => one.idf === idf);
  const before = (await ended()).length;
  await from.drop(`${idf}/file-${count}`, content);
  await waitFor(`${idf} ${count} has ended`, async () => (await ended()).length > before, {
    timeout: 60_000,
  });
  const [last] = await ended();
  if (last?.ack === "N") return last.diagp;
  const inbox = await fs.readdir(to.inbox());
  const arrived = await Promise.all(inbox.map((name) => fs.readFile(to.inbox(name))));
  return arrived.some((one) => one.equals(content)) ? "A" : "not in the inbox";
}

test("a changeover: old and new side by side, both directions, until the old one is retired", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"], more: FLOWS });
  await Promise.all([hub.start(), acme.start()]);
  const handOver = async (from: Gateway, id: string, to: Gateway, ...more: string[]): Promise<string> => {
    const file = join(to.directory, `${from.id}-${id}.pem`);
    await does(t, from, "export", id, "--out", file);
    const { json } = await does(t, to, "import", file, "--part", from.id, "--json", ...more);
    return json[0].sha256;
  };

  const hubs = await handOver(hub, "own", acme, "--accept");
  const old = await handOver(acme, "own", hub);
  t.match((await hub.status()).certificates, { pending: 1, problems: [] });
  await hub.drop("SEALED/first", "first");
  await waitFor(
    "it stops: nobody has accepted",
    async () => (await hub.transfers({ state: "K" })).length === 1,
  );
  const [stopped] = await hub.transfers();
  t.match(stopped, { diagi: 278, diagp: "SECURITY" });
  await does(t, hub, "accept", old.slice(0, 11), "--note", "called Mrs Lee");
  await waitFor("the log tells", () => hub.messages("CFTS78I").some((line) => line.includes("Mrs Lee")));
  t.equal((await hub.cli("start", stopped?.idtu ?? "")).status, 0);
  await waitFor(
    "it arrives",
    async () => (await hub.transfers({ state: "X" })).some(({ ack }) => ack === "A"),
    { timeout: 60_000 },
  );
  t.equal(await exchange(acme, hub, "SIGNED", 1), "A", "signed with the old key");

  // ACME makes a new key: from now on it signs with it, and opens with both
  await does(t, acme, "init", "new", "--days", "3000", "--write", "--inactive");
  await waitFor("ACME has taken it over", async () => (await acme.status()).generation.number === 2);
  t.equal(await exchange(acme, hub, "SIGNED", 10), "A", "it does not sign yet");
  await edit(acme, "partners.d/pki-new.toml", (text) => text.replace(/state .*\n/, ""));
  await waitFor("it signs now", async () => (await acme.status()).generation.number === 3);
  t.equal(await exchange(acme, hub, "SIGNED", 2), "NERP 31", "HUB does not know it yet");
  const fresh = await handOver(acme, "new", hub, "--accept");
  t.not(fresh, old);
  const { json: two } = await does(t, hub, "list", "--part", "ACME", "--state", "active", "--json");
  t.same(two.map(({ sha256 }: { sha256: string }) => sha256).sort(), [old, fresh].sort(), "side by side");
  t.equal(await exchange(acme, hub, "SIGNED", 3), "A", "signed with the new key");
  t.equal(await exchange(hub, acme, "SEALED", 4), "A", "sealed for the new key");
  await edit(acme, "partners.d/pki-new.toml", (text) => `${text}state = "inact"\n`);
  await waitFor(
    "ACME signs with the old key again",
    async () => (await acme.status()).generation.number === 4,
  );
  t.equal(await exchange(acme, hub, "SIGNED", 5), "A", "signatures with either verify");
  t.equal(await exchange(hub, acme, "SEALED", 6), "NERP 33", "sealed for the new key, which is out of use");
  await edit(acme, "partners.d/pki-new.toml", (text) => text.replace('state = "inact"\n', ""));
  await waitFor("both again", async () => (await acme.status()).generation.number === 5);
  await does(t, hub, "retire", fresh, "--part", "ACME");
  t.equal(await exchange(hub, acme, "SEALED", 7), "A", "sealed for the old key, which still opens");
  await does(t, hub, "accept", fresh);
  await does(t, hub, "retire", old);
  t.equal(await exchange(acme, hub, "SIGNED", 8), "A", "the new one goes on");
  await edit(acme, "partners.d/pki-new.toml", (text) => `${text}state = "inact"\n`);
  await waitFor("ACME signs with the old key", async () => (await acme.status()).generation.number === 6);
  t.equal(await exchange(acme, hub, "SIGNED", 9), "NERP 31", "which was retired");
  await does(t, acme, "retire", hubs);
  t.match(await acme.cli("check"), { status: 0 });
});

test("cygnet pki init: the key is ours alone, the certificate is what partners expect, nothing is overwritten", async (t) => {
  const { hub } = await site(t);
  const at = (name: string) => join(hub.rundir, "pki", name);
  const made = await does(
    t,
    hub,
    ...["init", "tls2", "--host", "oftp.example", "--host", "127.0.0.1", "--odette-id", "O0999HUB"],
    ...[
      "--org",
      "Hub & Söhne",
      "--country",
      "de",
      "--days",
      "400",
      "--key-size",
      "2048",
      "--usage",
      "tls,sign",
    ],
  );
  const certificate = new X509Certificate(readFileSync(at("tls2.pem")));
  t.match(made.stdout, certificate.fingerprint256);
  t.match(made.stdout, '[[pki]]\nid    = "tls2"\nfile  = "var/pki/tls2.pem"\nkey   = "var/pki/tls2.key"\n');
  t.match(made.stdout, 'usage = ["tls","sign"]');
  t.equal(statSync(at("tls2.key")).mode & 0o777, 0o600);
  t.equal(statSync(join(hub.rundir, "pki")).mode & 0o777, 0o700);
  const text = openssl(
    "x509",
    "-in",
    at("tls2.pem"),
    "-noout",
    "-text",
    "-nameopt",
    "utf8,sep_comma_plus",
  ).toString();
  for (const line of [
    /Subject: C=DE,O=Hub & Söhne,CN=oftp\.example,serialNumber=O0999HUB/,
    /Public-Key: \(2048 bit\)/,
    /Key Usage: critical\s+Digital Signature, Key Encipherment\n/,
    /TLS Web Server Authentication, TLS Web Client Authentication/,
    /DNS:oftp\.example, IP Address:127\.0\.0\.1/,
    /Basic Constraints: critical\s+CA:FALSE/,
  ]) {
    t.match(text, line);
  }
  for (const purpose of ["sslserver", "sslclient"]) {
    t.match(
      openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        "-CAfile",
        at("tls2.pem"),
        at("tls2.pem"),
      ).toString(),
      /: OK/,
    );
  }
  await hub.write(
    "partners.d/tls2.toml",
    `${made.stdout.slice(made.stdout.indexOf("[[pki]]"), made.stdout.indexOf("\n\nPaste"))}\n`,
  );
  t.match(await hub.cli("check"), { status: 0 }, "what was printed may be pasted");

  writeFileSync(join(hub.directory, "pass"), "open sesame\n", { mode: 0o600 });
  const locked = await does(t, hub, "init", "locked", "--write", "--password", "file:pass", "--json");
  t.match(readFileSync(at("locked.key"), "utf8"), /BEGIN ENCRYPTED PRIVATE KEY/);
  t.ok(createPrivateKey({ key: readFileSync(at("locked.key")), passphrase: "open sesame" }));
  t.equal(locked.json.written, join(hub.directory, "partners.d", "pki-locked.toml"));
  t.match(readFileSync(locked.json.written, "utf8"), 'keypassw = "file:pass"');
  t.match(await hub.cli("check"), { status: 0 });
  t.notMatch(locked.stdout, "open sesame");

  const before = readFileSync(at("tls2.key"), "utf8");
  const refused: Refused[] = [
    [["init", "tls2"], 1, /already a \[\[pki\]\] "tls2"/],
    [["init", "own"], 1, /already a \[\[pki\]\] "own"/],
    [["init", "../x"], 2, /is no id/],
    [["init", "a", "--csr", "--write"], 2, /import ANSWER --id a --write/],
    [["init", "a", "--key-size", "1024"], 2, /Allowed choices are 2048/],
    [["init", "a", "--usage", "everything"], 2, /for example: sign,encrypt/],
    [["init", "a", "--country", "DEU"], 2, /two letters/],
    [["init", "a", "--password", "plain"], 2, /takes a reference/],
    [["init", "a", "--password", "env:NO_SUCH_NAME"], 1, /no variable NO_SUCH_NAME/],
  ];
  await refuses(t, hub, refused);
  await fs.rm(join(hub.directory, "partners.d", "tls2.toml"));
  t.match(await hub.cli("pki", "init", "tls2"), {
    status: 1,
    stderr: /would be overwritten; nothing was made/,
  });
  t.equal(readFileSync(at("tls2.key"), "utf8"), before);
  t.notOk(existsSync(at("a.key")));
});

test("cygnet pki init --csr: an authority's answer goes beside its key, and a renewed one takes its place", async (t) => {
  const { hub } = await site(t);
  const at = (name: string) => join(hub.rundir, "pki", name);
  const temporary = (name: string) => join(hub.directory, name);
  const { json } = await does(t, hub, "init", "ca", "--csr", "--cn", "hub", "--host", "h.example", "--json");
  t.same(json, { id: "ca", key: at("ca.key"), request: at("ca.csr") });
  t.match(openssl("req", "-in", json.request, "-noout", "-verify", "-text").toString(), /DNS:h\.example/);
  openssl(
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Authority", "-days", "99"],
    ...["-keyout", temporary("root.key"), "-out", temporary("root.pem")],
  );
  const sign = (name: string, days: string) => {
    openssl(
      ...["x509", "-req", "-in", json.request, "-CA", temporary("root.pem"), "-CAkey", temporary("root.key")],
      ...["-CAcreateserial", "-copy_extensions", "copy", "-days", days, "-out", temporary(`${name}.pem`)],
    );
    const both = ["-certfile", temporary("root.pem"), "-certfile", temporary(`${name}.pem`)];
    openssl("crl2pkcs7", "-nocrl", ...both, "-outform", "DER", "-out", temporary(`${name}.p7b`));
    return new X509Certificate(readFileSync(temporary(`${name}.pem`)));
  };
  const first = sign("first", "50");
  const wrong = await hub.cli("pki", "import", temporary("root.pem"), "--id", "ca");
  t.match(wrong, { status: 1, stderr: /none of its certificates \(CN=Authority\) belongs to the key/ });
  t.match(await hub.cli("pki", "import", temporary("first.p7b"), "--id", "none"), {
    status: 1,
    stderr: /no \[\[pki\]\] "none".* and no key .*pki init none --csr/,
  });
  t.notOk(existsSync(at("ca.pem")));
  const taken = await does(t, hub, "import", temporary("first.p7b"), "--id", "ca", "--write", "--json");
  t.match(taken.json, { sha256: first.fingerprint256, chain: 2, previous: null });
  t.equal(readFileSync(at("ca.pem"), "utf8").match(/BEGIN CERTIFICATE/g)?.length, 2, "with its issuer");
  t.match(await hub.cli("check"), { status: 0 });

  await hub.start();
  const second = sign("second", "90");
  const renewed = await does(t, hub, "import", temporary("second.pem"), "--id", "ca", "--json");
  t.equal(renewed.json.sha256, second.fingerprint256);
  t.equal(new X509Certificate(readFileSync(renewed.json.previous)).fingerprint256, first.fingerprint256);
  t.equal((await hub.status()).generation.number, 2, "the running gateway has taken it over");
  t.match(await does(t, hub, "show", "ca", "--json"), { json: { sha256: second.fingerprint256, own: true } });
  t.match((await does(t, hub, "import", temporary("second.pem"), "--id", "ca", "--json")).json, {
    previous: null,
  });

  const both = Buffer.concat([readFileSync(at("ca.key")), readFileSync(at("ca.pem"))]);
  writeFileSync(at("ca.pem"), both);
  const guarded = await hub.cli("pki", "import", temporary("first.pem"), "--id", "ca");
  t.match(guarded, { status: 1, stderr: /holds the key as well/ });
  t.ok(readFileSync(at("ca.pem")).equals(both), "a key is never lost");
});

test("cygnet pki import, list, show, export, accept, refuse, retire: a partner's certificates", async (t) => {
  const { hub } = await site(t);
  const at = (name: string) => join(hub.directory, name);
  const make = (name: string, ...more: string[]) => {
    openssl(
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", `/O=Acme/CN=${name}`],
      ...["-keyout", at(`${name}.key`), "-out", at(`${name}.pem`), ...more],
    );
    return new X509Certificate(readFileSync(at(`${name}.pem`)));
  };
  const one = make("one", "-days", "20");
  const two = make("two", "-days", "400");
  const signs = make("signs", "-days", "400", "-addext", "keyUsage=critical,digitalSignature");
  openssl("x509", "-in", at("one.pem"), "-outform", "DER", "-out", at("one.der"));
  openssl(
    "crl2pkcs7",
    "-nocrl",
    "-certfile",
    at("one.pem"),
    "-certfile",
    at("two.pem"),
    "-out",
    at("both.p7b"),
  );
  openssl(
    ...["pkcs12", "-export", "-in", at("two.pem"), "-inkey", at("two.key")],
    ...["-passout", "pass:open", "-out", at("two.p12")],
  );
  writeFileSync(at("pass"), "open", { mode: 0o600 });
  const states = async () => {
    const { json } = await does(t, hub, "list", "--part", "ACME", "--json");
    return Object.fromEntries(
      json.map((row: { subject: string; state: string }) => [row.subject, row.state]),
    );
  };

  const refused: Refused[] = [
    [["import", at("one.pem")], 2, /name the owner/],
    [["import", at("one.pem"), "--part", "ACME", "--id", "own"], 2, /name the owner/],
    [["import", at("one.pem"), "--part", "ACNE"], 1, /no partner "ACNE" \(did you mean "ACME"\?\)/],
    [["import", at("none.pem"), "--part", "ACME"], 1, /none\.pem does not exist/],
    [["import", at("one.key"), "--part", "ACME"], 1, /holds no certificate but PRIVATE KEY/],
    [["import", at("two.p12"), "--part", "ACME"], 1, /encrypted and has no password/],
    [
      ["import", at("signs.pem"), "--part", "ACME", "--usage", "sign,encrypt"],
      1,
      /must not be used for "encrypt"/,
    ],
    [["accept", "0123456789"], 1, /there is no certificate "0123456789"/],
    [["accept", "own"], 1, /"own" is a \[\[pki\]\]; .* state = "act"/],
    [["show", "abc"], 1, /at least eight digits/],
    [["list", "--state", "on"], 2, /Allowed choices/],
    [["export", "own", "--der", "--chain"], 2, /choose --der or --chain/],
    [["nonsense"], 2, /unknown command/],
  ];
  await refuses(t, hub, refused);
  t.same(await states(), {}, "nothing of it left a trace");

  // no gateway runs: the next start knows it
  const waiting = await does(t, hub, "import", at("one.der"), "--part", "ACME");
  t.match(waiting.stdout, one.fingerprint256, "to be compared");
  t.match(waiting.stdout, /cygnet pki accept [0-9a-f]{16} --part ACME/);
  await hub.start();
  t.match((await hub.status()).certificates, { pending: 1 });
  const known = await does(t, hub, "import", at("both.p7b"), "--part", "ACME", "--json", "--note", "by mail");
  t.match(known.json, [{ sha256: one.fingerprint256 }, { sha256: two.fingerprint256 }]);
  t.same(await states(), { "O=Acme, CN=one": "pending", "O=Acme, CN=two": "pending" });
  const taken = await does(
    t,
    hub,
    "import",
    at("two.p12"),
    "--part",
    "ACME",
    "--accept",
    "--password",
    "file:pass",
  );
  t.match(taken.stderr, /private key in it is left where it is/);
  t.match(await states(), { "O=Acme, CN=two": "active" }, "a person's word about what was waiting");
  const narrow = await does(t, hub, "import", at("signs.pem"), "--part", "ACME", "--json");
  t.same(narrow.json[0].usage, ["sign", "receipt"], "what its KeyUsage permits");

  const prefix = one.fingerprint256.slice(0, 11).toLowerCase();
  await does(t, hub, "refuse", prefix);
  t.match(await hub.cli("pki", "retire", prefix), { status: 1, stderr: /is refused; "cygnet pki refuse"/ });
  t.match(await hub.cli("pki", "refuse", two.fingerprint256), {
    status: 1,
    stderr: /is active; "cygnet pki retire"/,
  });
  await does(t, hub, "retire", two.fingerprint256.replaceAll(":", "").slice(0, 8));
  t.same(await states(), {
    "O=Acme, CN=one": "refused",
    "O=Acme, CN=two": "retired",
    "O=Acme, CN=signs": "pending",
  });
  await does(t, hub, "accept", prefix, "--part", "ACME", "--note", "on second thoughts");
  t.match(await does(t, hub, "show", prefix, "--json"), {
    json: {
      state: "active",
      note: "on second thoughts",
      days: 19,
      key: "RSA 2048",
      sha1: one.fingerprint,
      own: false,
    },
  });
  const { stdout } = await does(t, hub, "show", prefix);
  for (const words of [
    one.fingerprint256,
    one.fingerprint,
    one.serialNumber,
    "19 days left",
    "on second thoughts",
  ]) {
    t.ok(stdout.includes(words), words);
  }
  const ending = await does(t, hub, "list", "--part", "ACME", "--expiring", "30", "--json");
  t.match(ending.json, [{ sha256: one.fingerprint256 }]);
  t.equal(ending.json.length, 1);
  t.match(await hub.cli("check"), { status: 0, stderr: new RegExp(`${one.fingerprint256}.* in 19 days`) });
  const { certificates } = await hub.status();
  t.match(certificates, { next: { part: "ACME", fingerprint: one.fingerprint256, days: 19 } });
  t.match(certificates, { expired: [], pending: 1 });
  t.match((await hub.cli("status")).stdout, /certificate ACME\/[0-9a-f]{8} .* 19 days left/);
  await waitFor("the log warns", () =>
    hub.messages("CFTS79W").some((line) => line.includes(one.fingerprint256)),
  );
  t.match(hub.messages("CFTS78I").join("\n"), /active \(was refused\): on second thoughts/);

  const own = readFileSync(join(hub.directory, "pki", "hub.pem"), "utf8");
  const exported = await does(t, hub, "export", "own", "--chain");
  t.equal(exported.stdout, new X509Certificate(own).toString());
  await does(t, hub, "export", prefix, "--der", "--out", at("out.der"));
  t.ok(readFileSync(at("out.der")).equals(readFileSync(at("one.der"))));
  t.match(await hub.cli("pki", "export", prefix, "--out", at("out.der")), {
    status: 1,
    stderr: /there already/,
  });

  // the same certificate for two partners is two decisions
  await edit(
    hub,
    "partners.d/acme.toml",
    (text) => `${text}\n${text.replaceAll('"ACME"', '"BETA"').replace("O0999ACME", "O0999BETA")}`,
  );
  await does(t, hub, "import", at("signs.pem"), "--part", "BETA");
  const both = await hub.cli("pki", "accept", signs.fingerprint256);
  t.match(both, { status: 1, stderr: /stands for 2 certificates; .*--part/ });
  await does(t, hub, "accept", signs.fingerprint256, "--part", "BETA");
  t.match(await states(), { "O=Acme, CN=signs": "pending" });

  // a broken configuration may be the very reason for an import
  const good = await edit(hub, "partners.d/acme.toml", (text) => text.replace("prot ", "prat "));
  const despite = await hub.cli("pki", "import", at("signs.pem"), "--part", "ACME", "--accept");
  t.match(despite, { status: 0, stderr: /has errors/ });
  await hub.write("partners.d/acme.toml", good);
  t.match(await states(), { "O=Acme, CN=signs": "active" });
});
