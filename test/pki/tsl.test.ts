/** Trust lists: what is signed counts, nothing else; what is older is refused; who is in accord becomes an anchor. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { SignedXml } from "xml-crypto";
import { load } from "../../src/config/load.ts";
import type { Configuration } from "../../src/config/model.ts";
import { TrustListReminder } from "../../src/engine/trust-list.ts";
import { loadMaterial } from "../../src/pki/material.ts";
import { anchorsOf, parseTrustList } from "../../src/pki/trust/tsl.ts";
import { importedList, storeList, trustListFile } from "../../src/pki/trust/tsl-store.ts";
import { CA, type Issued, SmallCa } from "./small-ca.ts";
import { ShiftedClock } from "./web.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";

interface Entry {
  name: string;
  chain: Issued[];
  status?: string;
  type?: string;
  /** What it was before. */
  history?: string;
}

function service({ name, chain, status = "inaccord", type = "CA/PKC", history = "" }: Entry): string {
  const der = chain.map(({ certificate }) => certificate.raw.toString("base64"));
  const ids = der.map((text) => `<DigitalId><X509Certificate>\n${text}\n</X509Certificate></DigitalId>`);
  return `<TSPService><ServiceInformation>
    <ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/${type}</ServiceTypeIdentifier>
    <ServiceName><Name xml:lang="de">Dienst</Name><Name xml:lang="en">${name}</Name></ServiceName>
    <ServiceDigitalIdentity>${ids.join("")}</ServiceDigitalIdentity>
    <ServiceStatus>http://uri.etsi.org/TrstSvc/Svcstatus/${status}</ServiceStatus>
    <StatusStartingTime>2026-01-01T00:00:00Z</StatusStartingTime>
  </ServiceInformation>${history}</TSPService>`;
}

function list(
  entries: readonly Entry[],
  wish: { sequence?: number; next?: string; issued?: string; id?: string } = {},
): string {
  const { sequence = 12, next = "2036-01-01T00:00:00Z", issued = "2026-01-01T00:00:00Z", id = "" } = wish;
  return `<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" TSLTag="http://uri.etsi.org/02231/TSLTag"${id && ` Id="${id}"`}>
 <SchemeInformation>
  <TSLVersionIdentifier>3</TSLVersionIdentifier>
  <TSLSequenceNumber>${sequence}</TSLSequenceNumber>
  <SchemeOperatorName><Name xml:lang="en">Example &amp; Sons</Name></SchemeOperatorName>
  <ListIssueDateTime>${issued}</ListIssueDateTime>
  <NextUpdate>${next && `<dateTime>${next}</dateTime>`}</NextUpdate>
 </SchemeInformation>
 <TrustServiceProviderList><TrustServiceProvider>
  <TSPInformation><TSPName><Name xml:lang="en">Provider</Name></TSPName></TSPInformation>
  <TSPServices>${entries.map(service).join("\n")}</TSPServices>
 </TrustServiceProvider></TrustServiceProviderList>
</TrustServiceStatusList>`;
}

function sign(
  xml: string,
  by: Issued,
  wish: { xpath?: string; method?: string; digest?: string } = {},
): string {
  const { xpath = "/*", method = RSA_SHA256, digest = SHA256 } = wish;
  const signer = new SignedXml({
    privateKey: readFileSync(by.key),
    publicCert: readFileSync(by.file),
    signatureAlgorithm: method as typeof RSA_SHA256,
    canonicalizationAlgorithm: C14N,
  });
  const whole = xpath === "/*" && !/ Id="/.test(xml);
  signer.addReference({
    xpath,
    digestAlgorithm: digest as typeof SHA256,
    transforms: [ENVELOPED, C14N],
    ...(whole ? { uri: "", isEmptyUri: true } : {}),
  });
  signer.computeSignature(xml, { prefix: "ds", location: { reference: "/*", action: "append" } });
  return signer.getSignedXml();
}

test("a list is read as its signer signed it, and not at all when anything was changed", async (t) => {
  const ca = new SmallCa(t.testdir());
  const rsa = { newkey: "rsa:2048" };
  const [signer, thief] = [ca.issue("signer", rsa), ca.issue("thief", rsa)];
  const root = ca.issue("root", { extensions: CA });
  const issuing = ca.issue("issuing", { issuer: root, extensions: CA });
  const [second, gone, stamps] = ["second", "gone", "stamps"].map((name) =>
    ca.issue(name, { extensions: CA }),
  ) as [Issued, Issued, Issued];
  const entries: Entry[] = [
    { name: "chain", chain: [root, issuing] },
    { name: "second", chain: [second] },
    {
      name: "gone",
      chain: [gone],
      status: "revoked",
      history:
        "<ServiceHistory><ServiceHistoryInstance><ServiceStatus>http://uri.etsi.org/TrstSvc/Svcstatus/inaccord</ServiceStatus></ServiceHistoryInstance></ServiceHistory>",
    },
    { name: "stamps", chain: [stamps], type: "TSA" },
  ];
  const signers = [thief.certificate, signer.certificate];
  const genuine = sign(list(entries), signer);
  for (const [how, text] of [
    ["as a whole", genuine],
    ["by its Id", sign(list(entries, { id: "tsl" }), signer)],
    [
      "with PSS",
      sign(list(entries), signer, { method: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" }),
    ],
    ["with comments in it", genuine.replace("<SchemeInformation>", "<SchemeInformation><!-- not signed -->")],
  ] as const) {
    const read = parseTrustList(text, signers);
    t.match(
      read,
      { sequence: 12, operator: "Example & Sons", issued: Date.parse("2026-01-01T00:00:00Z") },
      how,
    );
    t.equal(read.signer.fingerprint256, signer.certificate.fingerprint256, how);
    const names = anchorsOf(read).map(({ subject }) => subject.split("\n")[0]);
    t.strictSame(
      names,
      ["CN=issuing", "CN=second"],
      `${how}: who issues, not who stands above, not who is out of accord`,
    );
    t.strictSame(read.services.map(({ name, provider }) => `${name} of ${provider}`)[0], "chain of Provider");
  }

  const evil = list([{ name: "evil", chain: [thief] }], { sequence: 99 });
  const signature = /<ds:Signature[\s\S]*<\/ds:Signature>/.exec(genuine)?.[0] ?? "";
  const inner = (text: string) => text.replace(/^<\?xml[^>]*>\s*/, "");
  const byId = inner(sign(list(entries, { id: "tsl" }), signer));
  const bySignature = /<ds:Signature[\s\S]*<\/ds:Signature>/.exec(byId)?.[0] ?? "";
  const bad: [string, string][] = [
    ["not signed", list(entries)],
    ["signature removed", genuine.replace(signature, "")],
    ["signed by somebody else, whose certificate stands in it", sign(list(entries), thief)],
    ["status changed", genuine.replace("Svcstatus/revoked", "Svcstatus/inaccord")],
    ["sequence number changed", genuine.replace(">12<", ">13<")],
    ["digest changed", genuine.replace(/(<ds:DigestValue>)./, "$1_")],
    ["signature value changed", genuine.replace(/(<ds:SignatureValue>)./, (_, tag) => `${tag}_`)],
    [
      "another list with the signature of this one",
      evil.replace("</TrustServiceStatusList>", `${signature}</TrustServiceStatusList>`),
    ],
    [
      "the genuine list wrapped into another",
      evil.replace("</TrustServiceStatusList>", `<Object>${byId}</Object></TrustServiceStatusList>`),
    ],
    [
      "the genuine list beside its signature",
      evil.replace(
        "</TrustServiceStatusList>",
        `${bySignature}<Object>${byId.replace(bySignature, "")}</Object></TrustServiceStatusList>`,
      ),
    ],
    [
      "two elements with the signed Id",
      byId.replace("<SchemeInformation>", '<Object Id="tsl"/><SchemeInformation>'),
    ],
    [
      "only a part is signed",
      sign(list(entries).replace("<SchemeInformation>", '<SchemeInformation Id="part">'), signer, {
        xpath: "//*[local-name(.)='SchemeInformation']",
      }),
    ],
    ["two signatures", genuine.replace(signature, `${signature}${signature}`)],
    [
      "a service hidden inside the signature",
      genuine.replace(
        "</ds:Signature>",
        `<ds:Object>${service({ name: "evil", chain: [thief] })}</ds:Object></ds:Signature>`,
      ),
    ],
    [
      "signed with SHA-1",
      sign(list(entries), signer, { method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1" }),
    ],
    ["digest by SHA-1", sign(list(entries), signer, { digest: "http://www.w3.org/2000/09/xmldsig#sha1" })],
    ["a document type", genuine.replace("?>", '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>')],
    ["an entity", genuine.replace("Provider<", "&e;<")],
    ["not well-formed", genuine.slice(0, -10)],
    ["no XML", "nonsense"],
    ["nothing", ""],
    ["something else, rightly signed", sign("<Other><SchemeInformation/></Other>", signer)],
    ["no sequence number", sign(list(entries).replace(">12<", "><"), signer)],
    [
      "a certificate that is none",
      sign(list(entries).replace(/<X509Certificate>[^<]*/, "<X509Certificate>AAAA"), signer),
    ],
  ];
  for (const [how, text] of bad) {
    let got: unknown;
    try {
      got = anchorsOf(parseTrustList(text, [signer.certificate])).map(
        ({ subject }) => subject.split("\n")[0],
      );
    } catch (error) {
      t.match(
        (error as { code?: string }).code,
        /^CYG_(TSL_FORMAT|XML_SYNTAX|XML_SIGNATURE)$/,
        `${how}: ${error}`,
      );
      continue;
    }
    // content of the signature itself is not signed, and not looked at
    t.equal(how, "a service hidden inside the signature");
    t.strictSame(got, ["CN=issuing", "CN=second"], how);
  }
  t.throws(() => parseTrustList(genuine, []), { code: "CYG_XML_SIGNATURE" });
});

test("the store: older lists are refused, what is kept is whole, and the command line does it", async (t) => {
  // a short path: a control socket's must not have more than 107 octets
  const ca = new SmallCa(mkdtempSync(join(tmpdir(), "cyg-tsl-")));
  t.teardown(() => rmSync(ca.folder, { recursive: true, force: true }));
  const rundir = ca.at("var");
  const signer = ca.issue("signer", { newkey: "rsa:2048" });
  const [one, two] = ["one", "two"].map((name) => ca.issue(name, { extensions: CA })) as [Issued, Issued];
  const now = Date.parse("2026-06-01T00:00:00Z");
  const put = async (entries: Entry[], wish: Parameters<typeof list>[1]) => {
    const text = sign(list(entries, wish), signer);
    await storeList(rundir, parseTrustList(text, [signer.certificate]), text, now);
  };
  t.equal(await importedList(rundir), null);
  await put([{ name: "one", chain: [one] }], { sequence: 5 });
  t.match(await importedList(rundir), {
    sequence: 5,
    operator: "Example & Sons",
    imported: now,
    nextUpdate: Date.parse("2036-01-01"),
  });
  await put(
    [
      { name: "one", chain: [one] },
      { name: "two", chain: [two] },
    ],
    { sequence: 6, next: "" },
  );
  t.match(await importedList(rundir), {
    sequence: 6,
    nextUpdate: null,
    signer: signer.certificate.fingerprint256,
  });
  const { all } = await loadMaterial({ id: "@tsl", file: trustListFile(rundir) });
  t.strictSame(
    all.map(({ fingerprint256 }) => fingerprint256),
    [one, two].map(({ certificate }) => certificate.fingerprint256),
  );
  const before = readFileSync(trustListFile(rundir), "utf8");
  await t.rejects(put([{ name: "one", chain: [one] }], { sequence: 5 }), { code: "CYG_TSL_OLD" });
  await t.rejects(put([{ name: "one", chain: [one], status: "expired" }], { sequence: 7 }), {
    code: "CYG_TSL_EMPTY",
  });
  await t.rejects(put([{ name: "one", chain: [one] }], { sequence: 7, issued: "2026-06-03T00:00:00Z" }), {
    code: "CYG_TSL_OLD",
  });
  t.equal(readFileSync(trustListFile(rundir), "utf8"), before, "refused: nothing has changed");
  await put([{ name: "two", chain: [two] }], { sequence: 6 });

  const config = ca.at("cygnet.toml");
  const toml = (more: string) => `[cftparm]
part = "O0999HUB"
rundir = "var"
[[cftnet]]
id = "LOCAL"
host = "127.0.0.1"
[[cftprot]]
id = "OFTP"
type = "odette"
net = "LOCAL"
[[cftpart]]
id = "O0999ACME"
prot = ["OFTP"]
${more}`;
  writeFileSync(config, toml('rootcid = ["@tsl"]'));
  const cli = (...args: string[]) =>
    new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
      const options = ["--disable-warning=ExperimentalWarning", MAIN, ...args, "--config", config];
      execFile(process.execPath, options, (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  const file = (name: string, text: string) => {
    writeFileSync(ca.at(name), text);
    return ca.at(name);
  };
  const [older, newer, late] = [
    file("older.xml", sign(list([{ name: "one", chain: [one] }], { sequence: 2 }), signer)),
    file("newer.xml", sign(list([{ name: "one", chain: [one] }], { sequence: 20 }), signer)),
    file(
      "late.xml",
      sign(list([{ name: "one", chain: [one] }], { sequence: 21, next: "2026-02-01T00:00:00Z" }), signer),
    ),
  ];
  t.match(await cli("pki", "tsl", "import", older, "--signer", signer.file), {
    status: 1,
    stderr: /number 6 is in force/,
  });
  t.match(await cli("pki", "tsl", "import", newer, "--signer", one.file), {
    status: 1,
    stderr: /not signed by the signer/,
  });
  t.match(await cli("pki", "tsl", "import", newer), { status: 2, stderr: /--signer/ });
  t.match(await cli("pki", "tsl", "import", newer, "--signer", signer.file), {
    status: 0,
    stdout: /trust list 20.*1 authorities/,
  });
  const shown = await cli("pki", "tsl", "show", "--json");
  t.match(JSON.parse(shown.stdout), { sequence: 20, authorities: [{ subject: "CN=one, O=Example" }] });
  const loaded = await load(config);
  t.ok(
    "configuration" in loaded && loaded.configuration.pki.get("@tsl")?.usage.includes("ca"),
    JSON.stringify(loaded),
  );

  t.match(await cli("pki", "tsl", "import", late, "--signer", signer.file), {
    status: 0,
    stderr: /successor of trust list 21 was due on 2026-02-01/,
  });
  t.match(await cli("pki", "tsl", "show"), { status: 0, stdout: /CN=one/, stderr: /was due/ });
  t.match((await load(config)).warnings, [{ key: "rootcid", message: /trust list 21 was due/ }]);
  const said: unknown[] = [];
  const clock = new ShiftedClock();
  const reminder = new TrustListReminder({ emit: (...message) => said.push(message) }, clock);
  const { configuration } = (await load(config)) as { configuration: Configuration };
  for (const [hours, count] of [
    [1, 0],
    [25, 1],
    [26, 1],
    [50, 2],
  ] as const) {
    clock.shift = hours * 3_600_000;
    await reminder.look(configuration);
    t.equal(said.length, count, `after ${hours} hours`);
  }
  t.match(said[0], ["CFTS76W", { text: /trust list 21 was due/ }]);
  writeFileSync(trustListFile(rundir), "damaged");
  t.match(await load(config), { problems: [{ key: "rootcid", message: /damaged/ }] });
  writeFileSync(config, toml('rootcid = ["@tsl"]').replace('"var"', '"elsewhere"'));
  t.match(await load(config), {
    problems: [{ key: "rootcid", code: "CYG_CONFIG_REFERENCE", message: /none was imported/ }],
  });
  t.match(await cli("pki", "tsl", "show"), { status: 1, stderr: /no trust list has been imported/ });
  t.equal(dirname(trustListFile(rundir)), join(rundir, "pki", "tsl"));
});
