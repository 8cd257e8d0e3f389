/** Which certificate serves: owner, usage, state, validity and KeyUsage; what the configuration says about it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { load } from "../../src/config/load.ts";
import type { Configuration, Part } from "../../src/config/model.ts";
import { loadCredentials } from "../../src/engine/credentials.ts";
import { openStore, storeDirectory } from "../../src/pki/folder-store.ts";
import { forbids, keyUsageOf, permits } from "../../src/pki/key-usage.ts";
import type { CertificateState } from "../../src/pki/store.ts";
import { createTrust } from "../../src/pki/trust/create.ts";
import { USAGES, type Usage } from "../../src/pki/usage.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { bit, make } from "./certificates.ts";

const MAIN = `[cftparm]
part = "HUB"
npart = "O0999HUB"
rundir = "var"
allow_plain_secrets = true
[[cftnet]]
id = "LO"
host = "127.0.0.1"
[[cftprot]]
id = "OFTP"
type = "odette"
net = "LO"
sap = 3305
[admin]
socket = "/tmp/nobody-listens-here.sock"
`;
const partner = (id: string, more = "") => `[[cftpart]]
id = "${id}"
prot = ["OFTP"]
nrpart = "O0999${id}"
${more}
[[cfttcp]]
id = "${id}"
host = "127.0.0.1"
`;
const pki = (id: string, more = "") => `[[pki]]\nid = "${id}"\nfile = "${id}.pem"\n${more}\n`;

async function loaded(folder: string, text: string): Promise<Configuration> {
  writeFileSync(join(folder, "cygnet.toml"), text);
  const result = await load(join(folder, "cygnet.toml"));
  if ("problems" in result) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.configuration;
}

const names = (found: readonly { subject: string }[]) =>
  found.map(({ subject }) => subject.replace("CN=", ""));

test("KeyUsage: a use needs its bit, a certificate without the extension may be used for all", async (t) => {
  const folder = t.testdir();
  const signs: Usage[] = ["tls", "sign", "receipt"];
  const rows: [string, number | undefined, Usage[]][] = [
    ["none", undefined, [...USAGES]],
    ["everything", 0x1ff, [...USAGES]],
    ["odette", bit.digitalSignature | bit.keyEncipherment, [...USAGES]],
    ["signs", bit.digitalSignature, [...signs, "ca"]],
    ["promises", bit.nonRepudiation, ["sign", "receipt", "ca"]],
    ["unwraps", bit.keyEncipherment, ["tls", "decrypt", "encrypt", "auth", "ca"]],
    ["data", bit.dataEncipherment, ["decrypt", "encrypt", "auth", "ca"]],
    ["agrees", bit.keyAgreement, ["tls", "ca"]],
    ["authority", bit.keyCertSign | bit.cRLSign, ["ca"]],
  ];
  for (const [name, keyUsage, expected] of rows) {
    const certificate = await make(folder, name, keyUsage === undefined ? {} : { keyUsage });
    const permitted = USAGES.filter((usage) => permits(certificate, usage));
    t.strictSame([...permitted].sort(), [...expected].sort(), name);
    if (keyUsage === undefined) t.equal(keyUsageOf(certificate), null);
  }
  const authority = await make(folder, "ca", { keyUsage: bit.keyCertSign | bit.cRLSign });
  t.strictSame(keyUsageOf(authority), ["keyCertSign", "cRLSign"]);
  t.match(
    forbids(authority, "sign"),
    'its KeyUsage is keyCertSign, cRLSign; "sign" needs digitalSignature or nonRepudiation',
  );
});

test("several certificates at once: the newest that may be used stands first, the others follow", async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, "var"));
  for (const [name, options] of Object.entries({
    "own-old": { from: -300, to: 400 },
    "own-new": { from: -2, to: 200 },
    "own-out": { from: -1, to: 300 },
    "own-over": { from: -500, to: -1 },
    "own-soon": { from: 1, to: 500 },
    "own-sign": { from: -3, keyUsage: bit.digitalSignature },
    theirs: { from: -10 },
  })) {
    await make(folder, name, options);
  }
  execFileSync("openssl", [
    ...["pkcs12", "-export", "-passout", "pass:open", "-in", join(folder, "own-new.pem")],
    ...["-inkey", join(folder, "own-new.key"), "-out", join(folder, "own-new.p12")],
  ]);
  const key = (id: string, more = "") => pki(id, `key = "${id}.key"\n${more}`);
  const configuration = await loaded(
    folder,
    MAIN +
      partner("ACME") +
      partner("OTHER") +
      key("own-old") +
      '[[pki]]\nid = "own-new"\nfile = "own-new.p12"\nkeypassw = "open"\n' +
      key("own-out", 'state = "inact"') +
      key("own-over") +
      key("own-soon") +
      key("own-sign") +
      pki("theirs", 'part = "ACME"'),
  );
  const store = await openStore(storeDirectory(configuration.cftparm.rundir));
  const trust = createTrust({ cacheDirectory: join(folder, "revocation"), clock: systemClock });
  const credentials = await loadCredentials(configuration, { store, trust });
  const own = (usage: Usage) => names(credentials.own(usage).map(({ certificate }) => certificate));
  t.strictSame(own("sign"), ["own-new", "own-sign", "own-old"], "newest first; state and validity count");
  t.strictSame(own("decrypt"), ["own-new", "own-old"], "KeyUsage counts");
  t.strictSame(own("auth"), ["own-new", "own-old"]);
  t.strictSame(own("receipt"), ["own-new", "own-sign", "own-old"]);
  t.strictSame(own("encrypt"), [], "usage counts");
  const openers = names(credentials.openers().map(({ certificate }) => certificate));
  t.strictSame(openers, ["own-soon", "own-new", "own-old", "own-over"], "what was sealed before is opened");
  t.ok(credentials.own("sign").every(({ key, certificate }) => certificate.checkPrivateKey(key)));

  const [acme, other] = ["ACME", "OTHER"].map((id) => configuration.cftpart.get(id) as Part);
  const theirs = (usage: Usage, part = acme) => names(credentials.theirs(part as Part, usage));
  t.strictSame(theirs("sign"), ["theirs"], "the store is empty yet");
  const add = async (part: string, name: string, state: CertificateState, usage: Usage[], options = {}) =>
    store.add({
      part,
      certificate: await make(folder, name, options),
      usage,
      state,
      origin: "import",
      at: 1,
      idtu: "",
      note: "",
    });
  await add("ACME", "stored", "active", ["sign", "encrypt"], { from: -5 });
  await add("ACME", "signing", "active", ["sign"], { from: -4, keyUsage: bit.digitalSignature });
  await add("ACME", "mislabelled", "active", ["sign", "encrypt"], {
    from: -3,
    keyUsage: bit.digitalSignature,
  });
  await add("ACME", "waiting", "pending", ["sign", "encrypt"], { from: -2 });
  await add("ACME", "former", "retired", ["sign", "encrypt"], { from: -2 });
  await add("ACME", "stranger", "refused", ["sign", "encrypt"], { from: -2 });
  await add("ACME", "ended", "active", ["sign", "encrypt"], { from: -20, to: -1 });
  await add("OTHER", "others", "active", ["sign", "encrypt"], { from: -1 });
  t.strictSame(theirs("sign"), ["mislabelled", "signing", "stored", "theirs"], "at once, without a reload");
  t.strictSame(theirs("encrypt"), ["stored", "theirs"]);
  t.strictSame(theirs("receipt"), ["theirs"]);
  t.strictSame(theirs("sign", other), ["others"]);
  t.strictSame(own("sign").length, 3, "the store is for partners");
  const inUse = credentials.inUse().map(({ id, part }) => `${part} ${id}`.trim());
  t.ok(inUse.includes("own-over") && inUse.includes("own-soon") && !inUse.includes("own-out"));
  t.equal(inUse.filter((one) => one.startsWith("ACME ACME/")).length, 4, "of the store what is active");
});

test("what the configuration says about certificates is checked against what they say themselves", async (t) => {
  const folder = t.testdir();
  await make(folder, "hub");
  await make(folder, "ca", { ca: true, keyUsage: bit.keyCertSign });
  await make(folder, "signs", { keyUsage: bit.digitalSignature });
  const soon = await make(folder, "soon", { to: 20.5 });
  await make(folder, "later", { to: 31 });
  const tls = (more: string) => `[[cftssl]]\nid = "TLS"\ndirect = "client"\nverify = "required"\n${more}\n`;
  const own = pki("hub", 'key = "hub.key"');
  const PRINT = /SHA-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}/;
  const rows: [string, string, [string, string, RegExp][]][] = [
    [
      "a use that KeyUsage forbids",
      pki("signs", 'part = "ACME"\nusage = ["sign", "encrypt"]'),
      [["problem", "pki signs usage", /must not be used for "encrypt": its KeyUsage is digitalSignature/]],
    ],
    [
      "its fingerprint is shown",
      pki("signs", 'usage = ["decrypt"]'),
      [["problem", "pki signs usage", PRINT]],
    ],
    ["nothing said: what is permitted", pki("signs", 'part = "ACME"'), []],
    [
      "expires soon",
      pki("soon", 'part = "ACME"'),
      [["warning", "pki soon file", new RegExp(`${soon.fingerprint256}.* expires on .*, in 20 days`)]],
    ],
    ["expires soon, but is out of use", pki("soon", 'part = "ACME"\nstate = "inact"'), []],
    ["expires later", pki("later", 'part = "ACME"'), []],
    [
      "one root is out of use",
      own + pki("ca", 'state = "inact"') + tls('usercid = "hub"\nrootcid = ["hub", "ca"]'),
      [["warning", "cftssl TLS/client rootcid", /usage of pki "hub" does not name "ca"/]],
    ],
    [
      "our certificate is out of use in a profile",
      `${own}state = "inact"\n${pki("ca")}${tls('usercid = "hub"\nrootcid = ["ca"]')}`,
      [["problem", "cftssl TLS/client usercid", /pki "hub" is out of use/]],
    ],
    [
      "all roots are out of use",
      pki("ca", 'state = "inact"') + tls('rootcid = ["ca"]'),
      [["problem", "cftssl TLS/client rootcid", /nobody could be trusted/]],
    ],
    ["no such state", pki("ca", 'state = "on"'), [["problem", "pki ca state", /"act", "inact"/]]],
  ];
  for (const [about, more, expected] of rows) {
    writeFileSync(join(folder, "cygnet.toml"), MAIN + partner("ACME") + more);
    const result = await load(join(folder, "cygnet.toml"));
    const told = [
      ...("problems" in result ? result.problems : []).map((one) => ({ ...one, kind: "problem" })),
      ...result.warnings.map((one) => ({ ...one, kind: "warning" })),
    ];
    t.strictSame(
      told.map(({ kind, object, key }) => [kind, `${object} ${key}`]),
      expected.map((row) => row.slice(0, 2)),
      about,
    );
    for (const [index, [, , words]] of expected.entries()) t.match(told[index]?.message, words, about);
  }
});

test("what is demanded of a partner counts on the store", async (t) => {
  const folder = t.testdir();
  await make(folder, "hub");
  const store = await openStore(storeDirectory(join(folder, "var")));
  const certificate = await make(folder, "acme", { to: 10.5 });
  const demanding = partner("ACME", 'require = ["auth"]\nencrypt = true');
  writeFileSync(join(folder, "cygnet.toml"), MAIN + demanding + pki("hub", 'key = "hub.key"'));
  const check = async () => {
    const result = await load(join(folder, "cygnet.toml"));
    const told = (found: readonly { key: string }[]) => found.map(({ key }) => key);
    return { problems: "problems" in result ? told(result.problems) : [], warnings: told(result.warnings) };
  };
  t.strictSame(await check(), { problems: ["require"], warnings: ["encrypt"] }, "nothing is there");
  const entry = { part: "ACME", certificate, origin: "import", at: 1, idtu: "", note: "" } as const;
  const { fingerprint } = await store.add({ ...entry, usage: ["auth", "encrypt"], state: "pending" });
  const waiting = await check();
  t.strictSame(waiting, { problems: [], warnings: ["require", "encrypt"] }, "the gateway starts, it waits");
  await store.change({ part: "ACME", fingerprint }, { state: "active", note: "" });
  t.strictSame(await check(), { problems: [], warnings: ["id"] }, "it is in use, and ends in ten days");
  await store.change({ part: "ACME", fingerprint }, { state: "active", note: "", usage: ["sign"] });
  t.strictSame((await check()).warnings, ["id", "require", "encrypt"], "in use for something else");
  writeFileSync(join(folder, "var", "pki", "partners", "stray"), "");
  t.ok((await check()).warnings.includes("rundir"), "what is wrong in the store is told");
});
