/** Odette datasheets (PDX): read, translated for review, and written again; hostile ones refused. */
import { execFile, execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Test, test } from "tap";
import { load } from "../../src/config/load.ts";
import type { Part } from "../../src/config/model.ts";
import { readDatasheet } from "../../src/datasheet/read.ts";
import { partnerToml } from "../../src/datasheet/to-toml.ts";
import { writeDatasheet } from "../../src/datasheet/write.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const NODE = [process.execPath, "--disable-warning=ExperimentalWarning"] as const;

const store = await mkdtemp(join(tmpdir(), "cyg-sheet-"));
process.once("exit", () => fs.rmSync(store, { recursive: true, force: true }));
function certificate(name: string, usage = "digitalSignature,keyEncipherment"): Buffer {
  const files = ["-keyout", join(store, `${name}.key`), "-out", join(store, `${name}.pem`)];
  const kind = ["-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", `/O=Coyote/CN=${name}`];
  execFileSync("openssl", ["req", "-x509", ...kind, "-addext", `keyUsage=${usage}`, ...files], {
    stdio: "pipe",
  });
  return new X509Certificate(fs.readFileSync(join(store, `${name}.pem`))).raw;
}
const [seal, sign, tls] = [
  certificate("seal", "keyEncipherment"),
  certificate("sign", "digitalSignature"),
  certificate("tls"),
];

/** A document as a partner's product would write it: with prefix, everything that the schema has in it. */
const document = (changes: (text: string) => string = (text) => text) =>
  Buffer.from(
    changes(`<?xml version="1.0" encoding="utf-8"?>
<ocs:OftpCommunicationSetup version="1.2" docid="0b8f4ab0-6a3a-4a58-9d2c-0d9d4a6f1e11" docdate="2026-11-01T08:00:00Z"
    validfrom="2026-12-01T00:00:00Z" xmlns:ocs="http://www.odette.org/OFTPCommunicationSetup/1.2">
  <ocs:StationInformation>
    <ocs:DUNS>314986117</ocs:DUNS>
    <ocs:Name>Coyote &amp; Söhne – EDI</ocs:Name>
    <ocs:CompanyInfo>
      <ocs:Name>Coyote KG</ocs:Name><ocs:AddressLine>Canyon 1</ocs:AddressLine>
      <ocs:City>Yuma</ocs:City><ocs:ZIPCode>85364</ocs:ZIPCode><ocs:Country>US</ocs:Country>
    </ocs:CompanyInfo>
    <ocs:IssuerIDCode>O0177COYOTE000001</ocs:IssuerIDCode>
    <ocs:Contacts><ocs:Contact>
      <ocs:Name>Hot line
[[pki]]</ocs:Name><ocs:Phone>+1 928 555 0100</ocs:Phone><ocs:Email>edi@coyote.example</ocs:Email>
    </ocs:Contact></ocs:Contacts>
  </ocs:StationInformation>
  <ocs:InboundCommunicationSettings>
    <ocs:InboundConnectionSettings type="TCP">
      <ocs:ServerHost>oftp.coyote.example</ocs:ServerHost><ocs:ServerPort>3306</ocs:ServerPort>
    </ocs:InboundConnectionSettings>
    <ocs:InboundConnectionSettings type="TLS">
      <ocs:TLSVersion>TLSv1.2</ocs:TLSVersion><ocs:TLSVersion>TLSv1.3</ocs:TLSVersion>
      <ocs:ServerHost>oftp.coyote.example</ocs:ServerHost><ocs:ServerPort>6620</ocs:ServerPort>
      <ocs:CertificateRef>tls</ocs:CertificateRef><ocs:TLSClientAuth usage="optional"/>
    </ocs:InboundConnectionSettings>
    <ocs:InboundConnectionSettings>
      <ocs:ServerHost>192.0.2.7</ocs:ServerHost><ocs:ServerPort>6621</ocs:ServerPort>
    </ocs:InboundConnectionSettings>
  </ocs:InboundCommunicationSettings>
  <ocs:OutboundCommunicationSettings>
    <ocs:OutboundConnectionSettings type="TLS">
      <ocs:OutboundIP>192.0.2.8</ocs:OutboundIP>
      <ocs:TLSClientAuth usage="preferred"><ocs:CertificateRef>tls</ocs:CertificateRef></ocs:TLSClientAuth>
    </ocs:OutboundConnectionSettings>
  </ocs:OutboundCommunicationSettings>
  <ocs:CipherSetting>
    <ocs:PrimaryCipher>07</ocs:PrimaryCipher><ocs:AlternateCipher>06</ocs:AlternateCipher><ocs:AlternateCipher>04</ocs:AlternateCipher>
  </ocs:CipherSetting>
  <ocs:SessionSettings>
    <ocs:OdetteIDCodeSSID>O0177COYOTE000001</ocs:OdetteIDCodeSSID>
    <ocs:MinimumProtocolReleaseLevel>4</ocs:MinimumProtocolReleaseLevel>
    <ocs:MaximumProtocolReleaseLevel>5</ocs:MaximumProtocolReleaseLevel>
    <ocs:Password>MEEPMEEP</ocs:Password>
    <ocs:SecureAuthentication usage="optional"><ocs:CertificateRef>seal</ocs:CertificateRef></ocs:SecureAuthentication>
  </ocs:SessionSettings>
  <ocs:OutboundFileSettings>
    <ocs:FileSignature usage="required"><ocs:CertificateRef>sign</ocs:CertificateRef></ocs:FileSignature>
    <ocs:FileEncryption usage="optional"/><ocs:FileCompression usage="preferred"/><ocs:EERPSignature usage="optional"/>
  </ocs:OutboundFileSettings>
  <ocs:InboundFileSettings>
    <ocs:FileSignature usage="forbidden"/>
    <ocs:FileEncryption usage="required"><ocs:CertificateRef>seal</ocs:CertificateRef></ocs:FileEncryption>
    <ocs:FileCompression usage="preferred"/>
    <ocs:EERPSignature usage="optional"><ocs:CertificateRef>sign</ocs:CertificateRef></ocs:EERPSignature>
  </ocs:InboundFileSettings>
  <ocs:InboundDsnList>
    <ocs:dsn><ocs:pattern>^INV\\d+$</ocs:pattern><ocs:fileFormat>V</ocs:fileFormat><ocs:maximumRecordSize>80</ocs:maximumRecordSize><ocs:descriptionShort>invoices</ocs:descriptionShort></ocs:dsn>
  </ocs:InboundDsnList>
  <ocs:SubStations>
    <ocs:SubStationInformation><ocs:Name>CAD</ocs:Name><ocs:OdetteIDCodeSFID>O0177COYOTE000CAD</ocs:OdetteIDCodeSFID></ocs:SubStationInformation>
    <ocs:SubStationInformation><ocs:Name>EDI</ocs:Name><ocs:OdetteIDCodeSFID>O0177COYOTE000EDI</ocs:OdetteIDCodeSFID></ocs:SubStationInformation>
  </ocs:SubStations>
  <ocs:Certificates>
    <ocs:Certificate name="seal"><ocs:SubjectName>CN=seal</ocs:SubjectName><ocs:X509Certificate>${seal.toString("base64")}</ocs:X509Certificate></ocs:Certificate>
    <ocs:Certificate name="sign"><ocs:SubjectName>CN=sign</ocs:SubjectName><ocs:X509Certificate>${sign.toString("base64")}</ocs:X509Certificate></ocs:Certificate>
    <ocs:Certificate name="tls"><ocs:SubjectName>CN=tls</ocs:SubjectName><ocs:X509Certificate>${tls.toString("base64")}</ocs:X509Certificate><ocs:X509CACertificate>${sign.toString("base64")}</ocs:X509CACertificate></ocs:Certificate>
  </ocs:Certificates>
</ocs:OftpCommunicationSetup>
`),
  );

/** A site with a protocol over TLS and one in clear, and a key of its own. */
async function site(t: Test): Promise<{ directory: string; config: string; cli: typeof cli }> {
  const directory = await mkdtemp(join(tmpdir(), "cyg-sheet-site-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const config = join(directory, "cygnet.toml");
  await fs.promises.mkdir(join(directory, "partners.d"));
  for (const name of ["tls.key", "tls.pem"]) await cp(join(store, name), join(directory, name));
  await writeFile(
    config,
    `include = ["partners.d"]
[cftparm]
part = "HUB"
npart = "O0999HUB"
rundir = "var"
[[cftnet]]
id = "NET"
host = "127.0.0.1"
[[cftprot]]
id = "CLEAR"
type = "odette"
net = "NET"
[[cftprot]]
id = "SECURE"
type = "odette"
net = "NET"
sap = 6619
ssl = "TLS"
level = [5, 4]
[[cftssl]]
id = "TLS"
direct = "client"
rootcid = ["root"]
[[cftssl]]
id = "TLS"
direct = "server"
usercid = "own"
verify = "none"
[[pki]]
id = "own"
file = "tls.pem"
key = "tls.key"
[[pki]]
id = "root"
file = "tls.pem"
usage = ["ca"]
`,
  );
  const cli = (...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> => {
    const [node, ...flags] = NODE;
    return new Promise((resolve) => {
      execFile(
        node,
        [...flags, MAIN, ...args, "--config", config],
        { cwd: directory },
        (error, stdout, stderr) =>
          resolve({ status: typeof error?.code === "number" ? error.code : error ? 1 : 0, stdout, stderr }),
      );
    });
  };
  return { directory, config, cli };
}

const plain = (part: Part | undefined) =>
  part && { ...part, nrpassw: part.nrpassw.reveal(), nspassw: part.nspassw.reveal() };

test("import: a file for review that passes check, and means what the datasheet says", async (t) => {
  const { directory, config, cli } = await site(t);
  await writeFile(join(directory, "sheet.xml"), document());
  const imported = await cli("partner", "import", "sheet.xml", "--id", "COYOTE");
  t.equal(imported.status, 0, imported.stderr);
  const toml = await readFile(join(directory, "coyote.toml"), "utf8");
  t.notMatch(toml, "MEEPMEEP", "the password stands elsewhere");
  const secret = join(directory, "coyote.files", "nrpassw");
  t.equal((await fs.promises.stat(secret)).mode & 0o777, 0o600);
  for (const words of [
    /Hot line \[\[pki\]\], \+1 928 555 0100/,
    /substation EDI, O0177COYOTE000EDI/,
    /Another TLS port.*192\.0\.2\.7:6621/,
    /in force from 2026-12-01/,
    /\^INV\\d\+\$, format V 80: invoices/,
    /other cipher suites: 07, 04/,
    /calls over TLS from 192\.0\.2\.8/,
  ]) {
    t.match(toml, words, "what has no counterpart stands as a comment");
  }
  t.equal(
    (await cli("partner", "import", "sheet.xml", "--id", "COYOTE")).status,
    1,
    "nothing is overwritten",
  );
  await fs.promises.rename(join(directory, "coyote.toml"), join(directory, "partners.d", "coyote.toml"));
  const check = await cli("check");
  t.equal(check.status, 0, check.stderr);
  const result = await load(config);
  if (!("configuration" in result)) throw new Error("not loaded");
  const { cftpart, cfttcp, pki } = result.configuration;
  t.match(plain(cftpart.get("COYOTE")), {
    prot: ["SECURE", "CLEAR"],
    sap: [6620, 3306],
    level: [5, 4],
    nrpart: "O0177COYOTE000001",
    sfiddest: "O0177COYOTE000CAD",
    nrpassw: "MEEPMEEP",
    security: { sign: false, encrypt: true, compress: true, signed_eerp: false, cipher: "06" },
    require: ["sign"],
  });
  t.strictSame(cfttcp.get("COYOTE")?.host, ["oftp.coyote.example", "192.0.2.7"]);
  const theirs = [...pki.values()].filter(({ part }) => part === "COYOTE").map(({ usage }) => usage);
  t.strictSame(
    theirs,
    [
      ["encrypt", "auth"],
      ["sign", "receipt"],
    ],
    "each for what it is named for",
  );

  const exported = await cli("partner", "export", "COYOTE");
  t.equal(exported.status, 0, exported.stderr);
  const again = partnerToml(readDatasheet(Buffer.from(exported.stdout)), {
    id: "COYOTE",
    tls: ["SECURE"],
    clear: ["CLEAR"],
    experimental: false,
    reference: (name) => `coyote.files/${name}`,
  });
  const keys = (text: string) =>
    text
      .split("\n")
      .filter((line) => /^[a-z_]+ = |^\[/.test(line))
      .map((line) => line.replace(/\s+#.*$/, ""));
  t.strictSame(keys(again.toml), keys(toml), "there and back: the same configuration");
  t.strictSame(
    again.files.map(({ content }) => content.toString()).sort(),
    fs
      .readdirSync(join(directory, "coyote.files"))
      .map((name) => fs.readFileSync(join(directory, "coyote.files", name), "utf8"))
      .sort(),
  );

  const own = await cli(
    "partner",
    "export",
    "COYOTE",
    "--own",
    "--host",
    "oftp.hub.example",
    "--out",
    "own.xml",
  );
  t.equal(own.status, 0, own.stderr);
  const sheet = readDatasheet(await readFile(join(directory, "own.xml")));
  t.match(sheet, {
    inbound: [{ type: "TLS", host: "oftp.hub.example", port: 6619 }],
    session: { ssid: "O0999HUB", minimum: 4, maximum: 5 },
    outboundFiles: { encryption: { usage: "preferred" } },
    inboundFiles: { signature: { usage: "required" }, encryption: { certificates: ["own"] } },
  });
  t.strictSame(
    sheet.certificates.map(({ name }) => name),
    ["own"],
    "certificates, no authority of others",
  );
  t.notMatch(await readFile(join(directory, "own.xml"), "utf8"), "PRIVATE");
  t.equal((await cli("partner", "export", "NOBODY")).status, 1);
});

test("reading and writing: nothing is lost on the way", async (t) => {
  const sheet = readDatasheet(document());
  const written = readDatasheet(Buffer.from(writeDatasheet(sheet)));
  // the parts of an address become lines
  t.strictSame({ ...written, version: "1.2" }, sheet);
  const latin1 = Buffer.from(
    document((text) => text.replace('"utf-8"', '"ISO-8859-1"').replace("–", "-")).toString("utf8"),
    "latin1",
  );
  t.equal(readDatasheet(latin1).station.name, "Coyote & Söhne - EDI");
  const older = document((text) =>
    text.replace('Setup/1.2">', 'Setup">').replace('version="1.2"', 'version="1.0"'),
  );
  t.equal(readDatasheet(older).version, "1.0");
});

test("hostile and wrong documents are refused with what is wrong; small ones are enough", async (t) => {
  const deep = `${"<a>".repeat(200_000)}`;
  for (const [name, content, code, words] of [
    ["nothing", Buffer.alloc(0), "CYG_XML", /./],
    ["no XML", Buffer.from("UNB+UNOA"), "CYG_XML", /./],
    ["cut off", document().subarray(0, 3000), "CYG_XML", /./],
    [
      "an entity",
      document((text) =>
        text.replace("<ocs:Oftp", '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><ocs:Oftp'),
      ),
      "CYG_XML",
      /document type/,
    ],
    [
      "billions of laughs",
      Buffer.from('<!DOCTYPE a [<!ENTITY b "&c;&c;">]><a>&b;</a>'),
      "CYG_XML",
      /document type/,
    ],
    ["an undefined entity", document((text) => text.replace("Yuma", "&yuma;")), "CYG_XML", /./],
    ["2 MiB", Buffer.alloc(2 * 1024 * 1024, " "), "CYG_XML", /octets/],
    ["deep", Buffer.from(deep), "CYG_XML", /deep/],
    ["wide", Buffer.from(`<a>${"<b/>".repeat(200_000)}</a>`), "CYG_XML", /elements/],
    ["comments without end", Buffer.from("<!--".repeat(250_000)), "CYG_XML", /./],
    ["UTF-16", Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a/>'), "CYG_XML", /UTF-16/],
    ["no UTF-8", Buffer.from("<a>\xff</a>", "latin1"), "CYG_XML", /UTF-8/],
    ["something else", Buffer.from("<a/>"), "CYG_DATASHEET", /OftpCommunicationSetup/],
    [
      "another namespace",
      document((text) => text.replace("www.odette.org", "odette.example")),
      "CYG_DATASHEET",
      /namespace/,
    ],
    ["a port", document((text) => text.replace(">6620<", ">66200<")), "CYG_DATASHEET", /66200/],
    ["a host", document((text) => text.replace("192.0.2.7", "x; rm -rf /")), "CYG_DATASHEET", /no host/],
    [
      "a code",
      document((text) => text.replace("O0177COYOTE000CAD", "o0177_cad")),
      "CYG_DATASHEET",
      /no code/,
    ],
    ["a usage", document((text) => text.replace('"forbidden"', '"never"')), "CYG_DATASHEET", /"never"/],
    [
      "a level",
      document((text) => text.replace(">4</ocs:Min", ">3</ocs:Min")),
      "CYG_DATASHEET",
      /none of 1, 2, 4/,
    ],
    [
      "a certificate",
      document((text) => text.replace(seal.toString("base64"), "AAAA")),
      "CYG_DATASHEET",
      /"seal" cannot be read/,
    ],
    [
      "a name",
      document((text) => text.replace("<ocs:CertificateRef>sign", "<ocs:CertificateRef>none")),
      "CYG_DATASHEET",
      /"none" is named/,
    ],
    [
      "a password",
      document((text) => text.replace("MEEPMEEP", "MEEPMEEPM")),
      "CYG_DATASHEET",
      /8 characters/,
    ],
    [
      "nearly everything",
      document((text) => text.replace(/<ocs:StationInformation>.*<\/ocs:SessionSettings>/s, "")),
      "CYG_DATASHEET",
      /OdetteIDCodeSSID/,
    ],
  ] as const) {
    const begun = performance.now();
    t.throws(() => readDatasheet(content), { code, message: words }, name);
    t.ok(performance.now() - begun < 5_000, `${name}: soon`);
  }
  const least = Buffer.from(`<OftpCommunicationSetup xmlns="http://www.odette.org/OFTPCommunicationSetup/1.2">
    <StationInformation><Name>x</Name></StationInformation>
    <SessionSettings><OdetteIDCodeSSID>O0177X</OdetteIDCodeSSID></SessionSettings></OftpCommunicationSetup>`);
  const local = {
    id: "X",
    tls: ["SECURE"],
    clear: ["CLEAR"],
    experimental: false,
    reference: (name: string) => name,
  };
  const { toml, files } = partnerToml(readDatasheet(least), local);
  t.match(toml, 'prot = ["SECURE"]');
  t.strictSame(files, []);
  const wishes = readDatasheet(document((text) => text));
  for (const [experimental, cipher] of [
    [false, "06"],
    [true, "07"],
  ] as const) {
    t.match(
      partnerToml(wishes, { ...local, experimental }).toml,
      `cipher = "${cipher}"`,
      "one that is spoken",
    );
  }
  const calledInClear = readDatasheet(document((text) => text.replace(/type="TCP">/, 'type="TLS">')));
  t.throws(
    () => partnerToml(calledInClear, { ...local, tls: [] }),
    { code: "CYG_DATASHEET" },
    "no way to it",
  );
});
