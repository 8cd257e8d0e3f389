/** A whole extract, read, translated, written, loaded: what the new configuration means is what the old one said. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { test } from "tap";
import { migrationReference } from "../../scripts/migration-reference.ts";
import { load } from "../../src/config/load.ts";
import type { Part } from "../../src/config/model.ts";
import { keySchema, tables } from "../../src/config/schemas.ts";
import { forbidden, networkFlow, receivedFlow } from "../../src/engine/flows.ts";
import { onlyRouted } from "../../src/engine/routing.ts";
import { type Extract, type Migration, migrate } from "../../src/migrate/migrate.ts";
import { parseExtract } from "../../src/migrate/parser.ts";
import { condense, countItems, type Item } from "../../src/migrate/report.ts";
import { KINDS } from "../../src/migrate/rules/kinds.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { certificate, folder, TODAY, write } from "../config/site.ts";

const KEYS = { tables: tables(), key: keySchema };
const FOLDER = join(projectRoot(), "test", "migrate", "extract");
const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const GOLDEN = join(FOLDER, "report.txt");
const extract = (file: string): Extract => ({ file, text: readFileSync(join(FOLDER, file), "utf8") });
const EXTRACTS = [extract("cft-extract.conf"), extract("changes.txt")];
/** Every password of the extracts. */
const PASSWORDS = [
  "pkipassword",
  "proxysecret",
  "OURPW",
  "THEIRPW",
  "LOSTPW",
  "hiddenlyon",
  "flowsecret",
  "Pa s",
  "topsecret",
  "key pass",
];

const one = (text: string) => migrate([{ file: "x", text }], KEYS);
const textOf = (result: Migration, path: string) =>
  result.files.find((file) => file.path === path)?.text ?? "";
const fateOf = ({ items }: Migration, object: string, parameter: string): Item =>
  items.find((item) => item.object === object && item.parameter === parameter) as Item;

function line({ file, line, object, parameter, fate, from, to, why }: Item): string {
  return [`${file}:${line}`, object, parameter, fate, from, to, why].join("\t").trimEnd();
}

test("the report of a whole extract", (t) => {
  const result = migrate(EXTRACTS, KEYS);
  const commands = new Set(
    EXTRACTS.flatMap(({ text }) => parseExtract(text).statements.map((each) => each.command)),
  );
  t.ok(
    [...commands].filter((name) => /^(CFT|PKI)/.test(name)).length >= 20,
    `kinds: ${[...commands].join(" ")}`,
  );
  const report = [
    ...condense(result.items).map(line),
    "",
    ...result.todo.map((todo) => `- ${todo}`),
    "",
  ].join("\n");
  if (process.env.CYGNET_GOLDEN === "write") writeFileSync(GOLDEN, report);
  t.equal(
    report,
    readFileSync(GOLDEN, "utf8"),
    "as test/migrate/extract/report.txt; CYGNET_GOLDEN=write rewrites it",
  );

  const seen = new Map<string, number>();
  for (const item of result.items) {
    const name = `${item.file}:${item.line} ${item.object} ${item.parameter}`;
    if (item.fate !== "problem") seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  t.strictSame(
    [...seen].filter(([, count]) => count > 1),
    [],
    "nothing is told twice",
  );
  for (const { file, text } of EXTRACTS) {
    for (const { command, parameters } of parseExtract(text).statements) {
      if (!KINDS.some((kind) => kind.command === command)) continue;
      for (const { name, line: at } of parameters) {
        const told = result.items.filter((item) => item.file === file && item.line === at);
        t.ok(
          told.some(({ parameter }) => parameter.startsWith(name.slice(0, 5))),
          `${file}:${at} ${name} is told`,
        );
      }
    }
  }
  t.end();
});

test("passwords are in their files and nowhere else", (t) => {
  const result = migrate(EXTRACTS, KEYS);
  const secrets = result.files.filter(({ secret }) => secret);
  t.strictSame(secrets.map(({ path, text }) => [path, text]).sort(), [
    ["secrets/acme.in", "THEIRPW\n"],
    ["secrets/acme.out", "OURPW\n"],
    ["secrets/besancon.key", "key pass\n"],
    ["secrets/broken.in", "LOSTPW\n"],
    ["secrets/nova.out", "Pa s\n"],
  ]);
  const open = JSON.stringify({ ...result, files: result.files.filter(({ secret }) => !secret) });
  for (const password of PASSWORDS) t.notOk(open.includes(password), `${password} is not shown`);

  const odd = one(
    "CFTPARM PART=X\nCFTNET ID=N\nCFTPROT ID=P TYPE=ODETTE NET=N\n" +
      "CFTPART ID=A PROT=P NSPASSW='#/etc/cft/pw', NRPASSW=muchtoolong1\nCFTCOM ID=C PASSWORD=hush1\n" +
      "CFTPART ID=A PROT=P NSPASSW='#/etc/cft/pw', NRPASSW=muchtoolong2\nCFTXYZ NSPASSW=hush2\nNRPASSW=hush3",
  );
  t.match(textOf(odd, "partners.d/a.toml"), /nspassw\s+= "file:\/etc\/cft\/pw"/, "a file stays where it is");
  t.match(textOf(odd, "partners.d/a.toml"), /nrpassw\s+= "file:secrets\/a.in"/, "the reference is there");
  t.strictSame(
    odd.files.filter(({ secret }) => secret),
    [],
    "and the check will ask for the file",
  );
  t.notMatch(JSON.stringify(odd), /muchtoolong|hush/, "no fault shows one");
  t.end();
});

test("the configuration loads and means what the extract said", async (t) => {
  const result = migrate(EXTRACTS, KEYS);
  const { path, remove } = folder();
  t.teardown(remove);
  write(path, Object.fromEntries(result.files.map((file) => [file.path, file.text])));
  const before = await load(join(path, "cygnet.toml"), { now: TODAY });
  if (!("problems" in before)) return t.fail("it loads without its certificates");
  t.strictSame(
    [...new Set(before.problems.map(({ code, key }) => `${code} ${key}`))].sort(),
    ["CYG_CONFIG_FILE_MISSING file", "CYG_CONFIG_FILE_MISSING key", "CYG_CONFIG_SECRET nrpassw"],
    "only files that the extract does not have are missing",
  );
  for (const { message } of before.problems) {
    const file = /\/((?:pki|secrets)\/[^:]+):/.exec(message)?.[1] ?? "?";
    t.ok(
      result.todo.some((todo) => todo.includes(file)),
      `${file} is on the list of things to do`,
    );
  }
  const { pem, key } = await certificate();
  const made = (name: string) => [`pki/${name}`, pem];
  write(path, {
    ...Object.fromEntries(["ca1.pem", "ca_2.der", "ca3.pem", "besancon.p12.pem"].map(made)),
    "pki/besancon.key": key,
    "secrets/giver_1.in": "GIVER\n",
  });
  const loaded = await load(join(path, "cygnet.toml"), { now: TODAY });
  if ("problems" in loaded) return t.fail(JSON.stringify(loaded.problems, null, 1));
  const { configuration: site } = loaded;
  t.match(site.cftparm, { part: "BESANCON", npart: "O0099BESANCON", maxtrans: 100 }, "UCONF's maxtrans wins");
  t.strictSame([...site.cftnet.keys()], ["NETEXT"]);
  t.match(site.cftnet.get("NETEXT"), { host: ["0.0.0.0", "::"], maxcnx: 128 });
  t.strictSame(
    [...site.cftprot.keys()].sort(),
    ["OFTP", "OFTPS"],
    "PeSIT and what CFTPARM does not load are gone",
  );
  t.match(site.cftprot.get("OFTP"), {
    sap: 3305,
    scredit: 32,
    disctd: 30_000,
    discts: 65_000,
    resync: true,
    ssl: "",
  });
  t.match(site.cftprot.get("OFTPS"), { sap: 6619, ssl: "TLS", level: [5, 4, 2, 1] });
  t.match(site.cftssl.get("TLS/server"), { usercid: "BESANCON", verify: "none", rootcid: ["CA1", "CA2"] });
  t.equal(site.cftssl.get("TLS/server")?.ciphlist, "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256");
  t.match(site.cftssl.get("TLS/client"), {
    verify: "required",
    rootcid: ["CA1", "CA2", "CA3"],
    ciphlist: "",
  });
  const acme = site.cftpart.get("ACME");
  t.match(acme, {
    prot: ["OFTPS", "OFTP"],
    sap: [6619, 3305],
    nspart: "O0099BESANCON",
    nrpart: "O0177ACME",
    idf: "INVOIC",
    state: "activeboth",
    outgoing: { from: 6 * 3600_000, to: 22.5 * 3600_000 },
    incoming: { from: 0, to: 86_399_990 },
  });
  t.strictSame([acme?.nspassw.reveal(), acme?.nrpassw.reveal()], ["OURPW", "THEIRPW"]);
  t.match(
    site.cfttcp.get("ACME"),
    { host: ["new.acme.example"], retryw: 120_000, cnxin: 4, cnxout: 3 },
    "the later one",
  );
  t.match(site.cftpart.get("GIVER_1"), { prot: ["OFTPS", "OFTP"], ssl: "GIVERTLS", ctrlpart: "ignore" });
  t.match([acme?.sauth, acme?.rauth, acme?.commut], ["NOTSECRET", "*", "yes"]);
  t.strictSame(site.cftauth.get("NOTSECRET"), { id: "NOTSECRET", idf: ["SALARY", "HR*"], deny: true });
  t.strictSame(site.cftauth.get("EDI"), { id: "EDI", idf: ["INVOIC", "DES_DV", "ORD*"], deny: false });
  t.match(site.cftpart.get("VAN"), { sauth: "EDI", rauth: "NOTNIGHT", commut: "server", ctrlpart: "rpart" });
  for (const id of ["FARAWAY", "GIVER_1"]) {
    const part = site.cftpart.get(id);
    t.ok(part && onlyRouted(site, part), `${id} is reached by way of ${part?.ipart} only`);
    t.equal(part?.state, "activeboth");
  }
  for (const [id, idf, direct, why] of FLOWS) {
    const part = site.cftpart.get(id);
    if (!part) return t.fail(`there is no ${id}`);
    t.equal(forbidden(site, part, idf, direct)?.message, why, `${direct} ${idf} with ${id}`);
  }
  for (const [id, dsn, idf] of RECEIVED) {
    const part = site.cftpart.get(id);
    t.match(
      part && receivedFlow(site, part, { idf: "" }, dsn),
      idf ? { idf } : { forbidden: { diagi: 434 } },
      `${dsn} of ${id}`,
    );
  }
  t.equal(networkFlow(site, acme as Part, "INVOIC"), "INVOIC-D97A");
  t.match(
    [...site.cftdest.values()],
    [
      { id: "DEALERS", part: ["ACME", "GIVER_1", "VAN"], nopart: "ignore" },
      { id: "BRANCHES", part: null, fname: join(path, "conf", "branches.txt"), nopart: "abort" },
    ],
  );
  t.equal(site.cftpart.get("NOVA")?.nspassw.reveal(), "Pa s", "blanks within a password stay");
  t.strictSame(site.cfttcp.get("NOVA")?.host, ["nova.example", "192.0.2.9"]);
  t.notOk(site.cftpart.has("LYON") || site.cfttcp.has("LYON"), "a PeSIT partner is not carried over");
  t.match(site.cftsend.get("DEFAULT"), { nfname: "&IDF", ackstate: "require" });
  t.match(
    site.cftsend.get("INVOIC"),
    { nfname: "&NIDF", frecfm: "V", flrecl: 512, pri: 200 },
    "CFTIDF names it",
  );
  t.match(site.cftxlate.get(site.cftsend.get("INVOIC")?.xlate ?? ""), {
    fcharset: "UTF-8",
    ncharset: "IBM1047",
  });
  t.match(site.cftsend.get("TEXTE"), { frecfm: "T", fcode: "ascii", xlate: "" });
  t.equal(site.cftsend.get("DELFOR")?.nfname, "&NIDF", "a flow that is only named has a template");
  t.match(site.cftsend.get("NIGHTLY"), {
    ...{ state: "hold", mintime: { at: 20 * 3600_000 }, maxtime: { after: 90 * 60_000 } },
    ...{ maxduration: 120 * 60_000, acktimeout: 3600_000, duplicat: "&PART.&IDF.&SFNAME" },
  });
  t.match(site.cftsend.get("SERIES"), { mintime: null, maxtime: null, duplicat: "" });
  t.equal(site.cftrecv.get("DES_DV")?.fname, site.cftrecv.get("DEFAULT")?.fname);
  t.equal(site.cftfolder.get("PRICES")?.part, "DEALERS");
  t.equal(site.cftparm.default_idf, false, "UCONF");
  t.equal(site.cftrecv.get("ORDERS")?.fname, "/srv/orders/&SYSDATE/&(-O-)IDTU.&FSUF");
  t.match(site.cftfolder.get("OUT"), {
    scandir: "/var/spool/cft/out",
    interval: 30_000,
    fileidledelay: 10_000,
    excludefilter: "*.bak",
    usefsevents: true,
    state: "active",
  });
  t.equal(site.cftfolder.get("WIN")?.state, "noactive", "a folder without its filter does not run");
  const [days, hours] = [86_400_000, 3_600_000];
  t.match(site.cftcat, { sx: 30 * days, rx: 5 * days, rh: 36 * hours, sh: 10 * days, st: 10 * days });
  t.match(site.cftlog, { format: "V24", backup_count: 7 });
});

/** Partner, flow, direction and the message with which it is refused. */
const FLOWS: readonly [part: string, idf: string, direct: "send" | "recv", message: string | undefined][] = [
  ["ACME", "SALARY", "send", "CFTT25E"],
  ["ACME", "HR-MAY", "send", "CFTT25E"],
  ["ACME", "INVOIC", "send", undefined],
  ["ACME", "SALARY", "recv", undefined],
  ["VAN", "ORDERS", "send", undefined],
  ["VAN", "DELFOR", "send", "CFTT25E"],
  ["VAN", "DEFAULT", "recv", "CFTT25E"],
  ["FARAWAY", "ORDERS", "recv", "CFTT25E"],
];

/** Partner, name on the line and the flow that it stands for; "" = none. */
const RECEIVED: readonly [part: string, dsn: string, idf: string][] = [
  ["VAN", "ORD.123", "ORDERS"],
  ["ACME", "ORD.123", ""],
  ["ACME", "DESADV", "DES_DV"],
  ["VAN", "PARMS", "PARMS"],
];

/** Object texts on top of a small site, what to expect of one parameter. */
const ROWS: readonly [name: string, text: string, object: string, parameter: string, Partial<Item>][] = [
  [
    "times of 1 to 8 digits",
    "CFTPART ID=A PROT=P OMINTIME=8 OMAXTIME=173015",
    "CFTPART A",
    "OMAXTIME",
    { to: 'cftpart.omaxtime = "17:30:15"' },
  ],
  ["no such time", "CFTPART ID=A PROT=P OMINTIME=2561", "CFTPART A", "OMINTIME", { fate: "without" }],
  [
    "beginning of a word",
    "CFTPART ID=A PROT=P STATE=NOACT",
    "CFTPART A",
    "STATE",
    { to: 'cftpart.state = "noactive"' },
  ],
  [
    "a word that does not exist",
    "CFTPART ID=A PROT=P STATE=ASLEEP",
    "CFTPART A",
    "STATE",
    { fate: "without", why: /activeboth/ as never },
  ],
  [
    "a number that is too large",
    "CFTTCP ID=B HOST=h RETRYN=99999",
    "CFTTCP B",
    "RETRYN",
    { fate: "without", why: /32767/ as never },
  ],
  [
    "other spelling",
    "CFTSEND ID=F DUPLICATE='&IDF'",
    "CFTSEND F",
    "DUPLICAT",
    { to: 'cftsend.duplicat = "&IDF"' },
  ],
  [
    "ports by name",
    "CFTPART ID=A PROT=P SAP=oftp",
    "CFTPART A",
    "SAP",
    { fate: "without", why: /service name/ as never },
  ],
  ["fewer ports than protocols", "CFTPART ID=A PROT=(P,Q) SAP=(1)", "CFTPART A", "SAP", { fate: "without" }],
  [
    "a code with small letters",
    'CFTPART ID=A PROT=P NRPART="o0013"',
    "CFTPART A",
    "NRPART",
    { fate: "without" },
  ],
  [
    "what Transfer CFT resolves itself",
    "CFTPART ID=A PROT=P NRPART=%env:NAME%",
    "CFTPART A",
    "NRPART",
    { fate: "without", why: /%env:NAME%/ as never },
  ],
  [
    "a profile for servers only",
    "CFTPART ID=A PROT=P SSL=S\nCFTSSL ID=S DIRECT=SERVER",
    "CFTPART A",
    "SSL",
    { fate: "without" },
  ],
  ["a flow without template", "CFTPART ID=A PROT=P IDF=NONE", "CFTPART A", "IDF", { fate: "without" }],
  [
    "a flow that is only received",
    "CFTPART ID=A PROT=P IDF=R\nCFTRECV ID=R",
    "CFTPART A",
    "IDF",
    { to: 'cftpart.idf = "R"' },
  ],
  [
    "a list that is not there",
    "CFTPART ID=A PROT=P SAUTH=L",
    "CFTPART A",
    "SAUTH",
    { fate: "changed", to: 'cftpart.sauth = "L"', why: /nothing passes/ as never },
  ],
  [
    "a list that Transfer CFT would have looked up",
    "CFTPART ID=A PROT=P SAUTH=%uconf:x%",
    "CFTPART A",
    "SAUTH",
    { fate: "without" },
  ],
  [
    "an intermediate that is left out",
    "CFTPART ID=A PROT=P IPART=V\nCFTPART ID=V PROT=X",
    "CFTPART A",
    "IPART",
    { fate: "without", why: /CFTPART V is left out/ as never },
  ],
  [
    "an intermediate behind another",
    "CFTPART ID=A PROT=P IPART=V\nCFTPART ID=V PROT=P IPART=B",
    "CFTPART A",
    "IPART",
    { fate: "without", why: /itself reached through B/ as never },
  ],
  ["its own intermediate", "CFTPART ID=A PROT=P IPART=A", "CFTPART A", "IPART", { fate: "without" }],
  [
    "never called, without an intermediate",
    "CFTPART ID=A PROT=P OMAXTIME=0 IPART=A",
    "CFTPART A",
    "OMAXTIME",
    { fate: "changed", to: 'cftpart.state = "activeserv"' },
  ],
  [
    "forwarding where Transfer CFT does not",
    "CFTPART ID=A PROT=P COMMUT=YES",
    "CFTPART A",
    "COMMUT",
    { fate: "changed", to: 'cftpart.commut = "no", the default' },
  ],
  [
    "forwarding by default",
    "CFTPART ID=A PROT=P\nCFTRECV ID=COMMUT",
    "CFTPART A",
    "COMMUT",
    { fate: "translated", to: 'cftpart.commut = "yes"' },
  ],
  [
    "forwarding to the intermediate",
    "CFTPART ID=A PROT=P COMMUT=PART",
    "CFTPART A",
    "COMMUT",
    { fate: "changed", to: 'cftpart.commut = "yes"' },
  ],
  [
    "forwarding by a script",
    "CFTPART ID=A PROT=P COMMUT=SERVER",
    "CFTPART A",
    "COMMUT",
    { fate: "changed", to: 'cftpart.commut = "server"' },
  ],
  ["no forwarding", "CFTPART ID=A PROT=P COMMUT=NO", "CFTPART A", "COMMUT", { fate: "translated" }],
  [
    "an id that only looks like a list of what is denied",
    "CFTAUTH ID=NÔT IDF=(A)",
    "CFTAUTH NÔT",
    "ID",
    { fate: "changed" },
  ],
  [
    "a network name that is a mask",
    "CFTIDF ID=F PART=B TYPE=SEND NIDF=F*",
    "CFTIDF F",
    "NIDF",
    { fate: "without" },
  ],
  [
    "a network name for partners by a mask",
    "CFTIDF ID=F PART=B* TYPE=RECV NIDF=F",
    "CFTIDF F",
    "",
    { fate: "without", why: /write one for each partner/ as never },
  ],
  [
    "a network name said twice",
    "CFTIDF ID=F PART=B TYPE=RECV NIDF=F\nCFTIDF ID=G PART=B TYPE=RECV NIDF=F",
    "CFTIDF G",
    "",
    { fate: "without", why: /CFTIDF F, x:\d+, says already/ as never },
  ],
  ["a list of nobody", "CFTDEST ID=L PART=(NONE)", "CFTDEST L", "", { fate: "without" }],
  ["a list with a partner's id", "CFTDEST ID=B PART=(B)", "CFTDEST B", "", { fate: "without" }],
  ["a list for relays", "CFTDEST ID=L PART=(B) FOR=COMMUT", "CFTDEST L", "", { fate: "without" }],
  ["a list in a file with variables", "CFTDEST ID=L FNAME='/l/&SPART'", "CFTDEST L", "", { fate: "without" }],
  [
    "a folder of a list that is gone",
    "CFTDEST ID=L PART=(NONE)\nCFTFOLDER ID=W SCANDIR=/a WORKDIR=/b PART=L",
    "CFTFOLDER W",
    "",
    { fate: "without", why: /CFTDEST L/ as never },
  ],
  [
    "a time of the day",
    "CFTSEND ID=F MAXTIME=18300000",
    "CFTSEND F",
    "MAXTIME",
    { to: 'cftsend.maxtime = "18:30"' },
  ],
  ["minutes", "CFTSEND ID=F MINTIME=+0090", "CFTSEND F", "MINTIME", { to: 'cftsend.mintime = "+90"' }],
  [
    "a last day that never comes",
    "CFTSEND ID=F MAXTIME=18300000 MAXDATE=99991231",
    "CFTSEND F",
    "MAXTIME",
    { fate: "changed", to: 'cftsend.maxtime = "", the default' },
  ],
  [
    "a time on another day",
    "CFTSEND ID=F MAXTIME=18300000 MAXDATE=+2",
    "CFTSEND F",
    "MAXTIME",
    { fate: "without", why: /MAXDATE/ as never },
  ],
  [
    "calls are not taken",
    "CFTPROT ID=R TYPE=ODETTE NET=N SAP=99 SRIN=NONE",
    "CFTPROT R",
    "SAP",
    { fate: "changed", to: "" },
  ],
  [
    "records of the local file",
    "CFTSEND ID=F FRECFM=F FLRECL=80",
    "CFTSEND F",
    "FLRECL",
    { to: 'cftsend.frecfm = "F", cftsend.flrecl = 80' },
  ],
  [
    "EBCDIC",
    "CFTSEND ID=F FCODE=ASCII NCODE=EBCDIC",
    "CFTSEND F",
    "NCODE",
    { fate: "without", why: /xlate/ as never },
  ],
  [
    "no such charset",
    "CFTSEND ID=F FCHARSET=CFT_X NCHARSET=UTF-8",
    "CFTSEND F",
    "FCHARSET",
    { fate: "without" },
  ],
  ["binary files", "CFTSEND ID=F FTYPE=B FCODE=BINARY", "CFTSEND F", "FCODE", { fate: "translated" }],
  [
    "a filter of another type",
    "CFTFOLDER ID=W SCANDIR=/a WORKDIR=/b FILTERTYPE=STRJCMP EXCLUDEFILTER=x",
    "CFTFOLDER W",
    "FILTERTYPE",
    { to: 'cftfolder.state = "noactive"' },
  ],
  [
    "levels without quotes",
    "CFTFOLDER ID=W SCANDIR=/a WORKDIR=/b PART=(1) IDF=(0)",
    "CFTFOLDER W",
    "IDF",
    { to: 'cftfolder.idf = "(0)"' },
  ],
  [
    "a folder of a partner that is gone",
    "CFTPART ID=A PROT=X\nCFTFOLDER ID=W SCANDIR=/a WORKDIR=/b PART=A",
    "CFTFOLDER W",
    "",
    { fate: "without", why: /partner is left out/ as never },
  ],
  [
    "a folder without its work folder",
    "CFTFOLDER ID=W SCANDIR=/a",
    "CFTFOLDER W",
    "",
    { fate: "without", why: /without workdir/ as never },
  ],
  [
    "a certificate that is not in use",
    "PKICER ID=C INAME=c.pem STATE=INACT",
    "PKICER C",
    "INAME",
    { fate: "without" },
  ],
  [
    "a key in PKCS#12",
    "PKICER ID=C INAME=/x/c.p12 IFORM=PKCS12",
    "PKICER C",
    "INAME",
    { to: 'pki.file = "pki/c.p12.pem"' },
  ],
  ["a relay's flow", "CFTRECV ID=COMMUT FNAME=x", "CFTRECV COMMUT", "FNAME", { fate: "without" }],
  ["given twice", "CFTTCP ID=B HOST=h CNXIN=1 CNXIN=2", "CFTTCP B", "CNXIN", { fate: "problem" }],
  [
    "an unknown parameter",
    "CFTTCP ID=B HOST=h CNXOT=1",
    "CFTTCP B",
    "CNXOT",
    { fate: "without", why: /did you mean "CNXOUT"/ as never },
  ],
  [
    "no partner for it",
    "CFTTCP ID=Z HOST=h",
    "CFTTCP Z",
    "HOST",
    { fate: "without", why: /no CFTPART Z/ as never },
  ],
];

test("single parameters", (t) => {
  const base =
    "CFTPARM ID=I PART=SITE\nCFTNET ID=N HOST=127.0.0.1\nCFTPROT ID=P TYPE=ODETTE NET=N SAP=1\n" +
    "CFTPROT ID=Q TYPE=ODETTE NET=N SAP=2\nCFTPROT ID=X TYPE=PESIT NET=N\nCFTPART ID=B PROT=P\n";
  for (const [name, text, object, parameter, expected] of ROWS) {
    t.match(fateOf(one(base + text), object, parameter), expected, name);
  }
  t.match(
    textOf(one(`${base}CFTAUTH ID=NÔT IDF=(A)`), "cygnet.toml"),
    /id\s+= "NOT"[^[]*\nidf\s+= \["A"\][^[]*\ndeny\s+= false/,
    "a list allows what it allowed, whatever its id has become",
  );
  const ids = one(
    `${base}CFTPART ID=A@1 PROT=P\nCFTPART ID=A#1 PROT=P\nCFTTCP ID=A#1 HOST=h\nCFTPART ID="a_1" PROT=P`,
  );
  const files = ids.files.map(({ path }) => path);
  t.strictSame(files, [
    "cygnet.toml",
    "partners.d/a_1.toml",
    "partners.d/a_1_2.toml",
    "partners.d/a_1_3.toml",
    "partners.d/b.toml",
  ]);
  t.match(
    textOf(ids, "partners.d/a_1_3.toml"),
    /\[\[cfttcp\]\]\nid\s+= "A_1_3"/,
    "references follow their ids",
  );
  t.match(textOf(ids, "partners.d/a_1.toml"), /id\s+= "a_1"/, "an id that may stay stays");
  t.strictSame(one("SEND PART=A\nLISTCAT").files, [], "commands alone make no configuration");
  t.match(
    textOf(one("CFTNET ID=N"), "cygnet.toml"),
    /\[cftparm\]\npart = "SITE"/,
    "without CFTPARM there is a site to fill in",
  );
  t.end();
});

test("every row of the rules is sound", (t) => {
  for (const { command, table, why, rows } of KINDS) {
    const names = rows.flatMap(({ parameter, also }) => [parameter, ...also]);
    t.equal(new Set(names).size, names.length, `${command}: each parameter once`);
    if (table === "")
      t.ok(why.length > 0 && (rows.length === 0 || rows.every((row) => row.heeded)), `${command}: why not`);
    for (const { parameter, key, convert, missing, heeded } of rows) {
      if (key === "" || convert === undefined) continue;
      t.ok(keySchema(table, key), `${command} ${parameter}: key ${key} exists`);
      t.notOk(heeded, `${command} ${parameter}: a key or heeded`);
      if (missing) t.ok(missing.why, `${command} ${parameter}: why its default`);
    }
  }
  t.end();
});

test("whatever an extract says, the files are TOML that the loader can read", async (t) => {
  const parameters = KINDS.flatMap(({ command, rows }) =>
    rows.map(({ parameter }) => [command, parameter] as const),
  );
  const word = fc.oneof(
    fc.constantFrom(
      "",
      "YES",
      "NO",
      "0",
      "1",
      "A",
      "B",
      "ODETTE",
      "SERVER",
      "CLIENT",
      "23595999",
      "*",
      "(0)",
      "F",
      "V",
      "T",
      "&IDF",
      "/x",
    ),
    fc.string({ maxLength: 12 }),
  );
  const value = fc.oneof(word, fc.array(word, { maxLength: 4 }));
  const quote = (text: string) => `"${text.replaceAll('"', '""').replace(/[\r\n]/g, " ")}"`;
  const written = fc.tuple(fc.constantFrom(...parameters), value).map(([[command, parameter], given]) => {
    const text = Array.isArray(given) ? `(${given.map(quote).join(",")})` : quote(given);
    return { command, text: `${parameter}=${text}` };
  });
  const objects = fc.array(
    fc.tuple(fc.array(written, { maxLength: 8 }), fc.constantFrom("A", "B", '"ü~x"')),
    { maxLength: 6 },
  );
  const { path, remove } = folder();
  t.teardown(remove);
  await fc.assert(
    fc.asyncProperty(objects, async (list) => {
      const text = list.map(
        ([given, id]) =>
          `${given[0]?.command ?? "CFTNET"} ID=${id}, ${given.map((each) => each.text).join(",\n")}`,
      );
      const result = one(
        `${text.join("\n")}\nCFTPARM PART=S\nCFTNET ID=A\nCFTPROT ID=A TYPE=ODETTE NET=A\nCFTPART ID=A PROT=A`,
      );
      write(path, Object.fromEntries(result.files.map((file) => [file.path, file.text])));
      const loaded = await load(join(path, "cygnet.toml"));
      const faults = "problems" in loaded ? loaded.problems : [];
      const broken = faults.filter(({ code }) => /SYNTAX|READ|UNKNOWN|DUPLICATE/.test(code));
      if (broken.length > 0) throw new Error(JSON.stringify(broken));
    }),
    { numRuns: 200 },
  );
  t.pass("200 extracts");
});

test("Coming from Transfer CFT is current", (t) => {
  const page = readFileSync(join(projectRoot(), "docs", "coming-from-transfer-cft.md"), "utf8");
  t.equal(page, migrationReference(page), '"npm run docs" makes it so');
  const help = execFileSync(process.execPath, [MAIN, "--help"], { encoding: "utf8" });
  const commands = [...help.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name);
  for (const [, name] of page.matchAll(/`cygnet ([\w-]+)/g))
    t.ok(commands.includes(name), `cygnet ${name} exists`);
  t.ok(commands.length > 10);
  t.end();
});

test("a large extract", (t) => {
  const partners = 3000;
  const part = (index: number) =>
    `CFTPART ID=P${index}, PROT=P, NRPART=O${index}, NSPASSW=X${index}, SSL=S${index}\n` +
    `CFTTCP ID=P${index}, HOST=h${index}.example\nCFTSSL ID=S${index}, DIRECT=CLIENT, ROOTCID=C${index}\nCFTSEND ID=F${index}\n`;
  const text = `CFTPARM PART=S\nCFTNET ID=N\nCFTPROT ID=P TYPE=ODETTE NET=N\n${Array.from({ length: partners }, (_, index) => part(index)).join("")}`;
  const began = performance.now();
  const result = one(text);
  t.equal(result.files.length, 2 * partners + 1);
  t.equal(countItems(result.items).problem, 0);
  t.ok(performance.now() - began < 60_000, "3000 partners in less than a minute");
  t.end();
});
