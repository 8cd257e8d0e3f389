import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { test } from "tap";
import { configurationReference } from "../../scripts/configuration-reference.ts";
import { builtInOf } from "../../src/config/builtin.ts";
import { plan, renderPlan } from "../../src/config/diff.ts";
import { load, missingKeyFiles } from "../../src/config/load.ts";
import type { Configuration } from "../../src/config/model.ts";
import { keySchema, tables, validate } from "../../src/config/schemas.ts";
import { nearest } from "../../src/config/suggestion.ts";
import { substitute, variablesIn } from "../../src/config/symbols.ts";
import { formatDuration, parseDuration, parseSize, parseTimeOfDay } from "../../src/config/units.ts";
import { receiveVariables, sendVariables } from "../../src/config/variables.ts";
import { type Moment, scriptFor } from "../../src/engine/scripts/choose.ts";
import { verdictOf } from "../../src/engine/scripts/verdict.ts";
import { projectRoot } from "../../src/platform/root.ts";
import { ACME, certificate, ENVIRONMENT, edit, folder, MAIN, TODAY, write } from "./site.ts";

async function configurationOf(file: string): Promise<Configuration> {
  const result = await load(file, { environment: ENVIRONMENT, now: TODAY });
  if ("problems" in result) throw new Error(inspect(result.problems));
  return result.configuration;
}

const HUB = `#:schema ../schemas/cygnet.schema.json
include = ["partners.d"]
[cftparm]
part    = "HUB"
npart   = "O0999HUB"
rundir  = "var"
maxtrans = 64
allow_plain_secrets = true
[[cftnet]]
id     = "LOCAL"
host   = "127.0.0.1"
maxcnx = 100
allow  = ["127.0.0.0/8", "10.1.2.3", "::1"]
[[cftprot]]
id   = "OFTP"
type = "odette"
net  = "LOCAL"
sap  = 3305
srusize = 65535
scredit = 64
scomp   = 1
resync  = true
level   = [5, 4, 2, 1]
secauth = "allow"
[[cftprot]]
id   = "OFTPS"
type = "odette"
net  = "LOCAL"
sap  = 6619
ssl  = "TLS"
[[cftssl]]
id      = "TLS"
direct  = "server"
usercid = "hub"
verify  = "none"
version = ["1.2", "1.3"]
[[cftssl]]
id      = "TLS"
direct  = "client"
rootcid = ["demo-ca"]
verify  = "required"
[[pki]]
id    = "hub"
file  = "pki/hub.pem"
key   = "pki/hub.key"
usage = ["tls", "sign", "decrypt", "auth", "receipt"]
[[pki]]
id    = "demo-ca"
file  = "pki/hub.pem"
usage = ["ca"]
[[cftfolder]]
id      = "OUTBOX"
scandir = "outbox"
workdir = "work/outbox"
part    = "(0)"
idf     = "(1)"
method  = "move"
schedule = "*/2 * * * * *"
fileidledelay = 1
usefsevents   = true
[[cftsend]]
id     = "INVOIC"
nfname = "INVOIC.&FROOT"
fcode  = "binary"
frecfm = "U"
flrecl = 0
sign   = true
cipher = "04"
ackstate = "require"
[[cftrecv]]
id    = "DEFAULT"
fname = "inbox/&PART/&NFNAME"
[cftcat]
backend = "sqlite"
sx = "30d"
rx = 10
[cftlog]
fname  = "log/cygnet.log"
format = "V24"
maxsize = "10MB"
[admin]
socket = "control.sock"
`;

const PARTNER = `[[cftpart]]
id      = "ACME"
prot    = ["OFTPS", "OFTP"]
nspassw = "HUBPW"
nrpassw = "file:secrets/acme"
nrpart  = "O0999ACME"
omintime = "06:00"
omaxtime = "22:30:15"
imintime = "22000000"
[[cfttcp]]
id    = "ACME"
host  = ["127.0.0.1", "acme.example"]
retryw = 1
[[pki]]
id    = "acme-2026"
part  = "ACME"
file  = "pki/acme.pem"
`;

test("a complete configuration means what it says, with Transfer CFT's units and defaults", async (t) => {
  const [own, acme] = [await certificate(), await certificate()];
  const { path: root, remove } = folder();
  t.teardown(remove);
  write(root, { "hub.toml": HUB, "partners.d/acme.toml": PARTNER, "secrets/acme": "ACMEPW\n" });
  write(root, { "pki/hub.pem": own.pem, "pki/hub.key": own.key, "pki/acme.pem": acme.pem });
  write(root, { "partners.d/notes.txt": "not = toml = at all", "partners.d/.draft.toml": "neither = " });
  const configuration = await configurationOf(join(root, "hub.toml"));
  const { cftpart, cftprot, cftnet, cfttcp, cftssl, cftsend, cftrecv, cftfolder, pki } = configuration;
  t.strictSame(configuration.files, [join(root, "hub.toml"), join(root, "partners.d/acme.toml")]);
  t.strictSame(configuration.includes, [join(root, "partners.d")]);
  const rundir = join(root, "var");
  const parm = {
    ...{ part: "HUB", npart: "O0999HUB", rundir, maxtrans: 64, default: "DEFAULT", default_idf: true },
    ...{ execsf: null, execrf: null, execsfa: null, execse: null, execre: null },
    ...{ exectimeout: 3_600_000, max_processing_scripts: 8, experimental_ciphers: false },
    ...{ allow_plain_secrets: true, disk_low: { percent: 5, octets: 2 ** 30 } },
    disk_alert: { percent: 2, octets: 256 * 2 ** 20 },
  };
  t.strictSame(configuration.cftparm, parm);
  t.strictSame(cftnet.get("LOCAL"), {
    ...{
      id: "LOCAL",
      host: ["127.0.0.1"],
      maxcnx: 100,
      maxcnx_host: 0,
      lockout: 10,
      lockout_max: 300_000,
      lockout_forget: 900_000,
      deny: [],
      keepalive: 60_000,
    },
    allow: ["127.0.0.0/8", "10.1.2.3/32", "::1/128"],
  });
  t.strictSame(cftprot.get("OFTPS"), {
    ...{ id: "OFTPS", type: "odette", net: "LOCAL", sap: 6619, ssl: "TLS", srusize: 65535, scredit: 64 },
    ...{ scomp: true, resync: true, restart: 5, level: [5], secauth: "allow", srin: "both", srout: "both" },
    ...{ rto: 260_000, disctc: 60_000, disctd: 20_000, discts: 65_000, disctr: 45_000 },
    ...{ exita: null, exitatimeout: 10_000, idf: "" },
  });
  t.strictSame(cftprot.get("OFTP")?.level, [5, 4, 2, 1]);
  const partner = cftpart.get("ACME");
  t.match(partner, {
    ...{ prot: ["OFTPS", "OFTP"], sap: [6619, 3305], nspart: "O0999HUB", nrpart: "O0999ACME" },
    ...{ sfidorig: "O0999HUB", sfiddest: "O0999ACME", idf: "", state: "activeboth", ssl: "", require: [] },
    outgoing: { from: 6 * 3600_000, to: (22 * 3600 + 30 * 60 + 15) * 1000 },
    incoming: { from: 22 * 3600_000, to: 24 * 3600_000 - 10 },
    security: { sign: false, encrypt: false, compress: false, signed_eerp: false, cipher: "04" },
  });
  t.equal(partner?.nspassw.reveal(), "HUBPW");
  t.equal(partner?.nrpassw.reveal(), "ACMEPW", "the newline at the end of a secret file is cut");
  t.strictSame(cfttcp.get("ACME"), {
    ...{ id: "ACME", host: ["127.0.0.1", "acme.example"], cnxin: 2, cnxout: 2, cnxinout: 4 },
    ...{ retryw: 60_000, retryn: 4, retrym: 12 },
    ...{ outgoing: { from: 0, to: 24 * 3600_000 - 10 }, incoming: { from: 0, to: 24 * 3600_000 - 10 } },
  });
  t.strictSame([...cftssl.keys()], ["TLS/server", "TLS/client"]);
  t.strictSame(cftssl.get("TLS/client")?.version, ["1.2", "1.3"]);
  t.strictSame(cftsend.get("INVOIC")?.security, { sign: true, cipher: "04" });
  t.strictSame(cftsend.get("DEFAULT"), {
    ...{ id: "DEFAULT", nfname: "&FROOT&(-.)FSUF", frecfm: "U", ackstate: "require", pri: 128, security: {} },
    ...{ flrecl: 0, fcode: "binary", ftype: "T", xlate: "", state: "disp" },
    ...{ duplicat: "", acktimeout: 0, mintime: null, maxtime: null, maxduration: 0, workingdir: "" },
    ...{ preexec: null, exec: null, ackexec: null, exece: null },
    ...{ fname: "", selfname: "", filenotfound: "abort", fdisp: "shr", faction: "none", archivefname: "" },
    ...{ serial: "", mindate: null, maxdate: null, fdelete: "", delete: false },
    ...{ prestate: "disp", pretimeout: 0, execsub: "subf", execsuba: "subf" },
    ...{ premindate: null, premintime: null, postmindate: null, postmintime: null },
    ...{ ackmindate: null, ackmintime: null },
    ...{ cycle: 0, tcycle: "day", cycdate: null, cyctime: null },
  });
  t.strictSame(cftrecv.get("DEFAULT"), {
    ...{ id: "DEFAULT", fname: "inbox/&PART/&NFNAME", ackmode: "auto", exec: null, exece: null },
    ...{
      fcode: "binary",
      ftype: "T",
      xlate: "",
      workingdir: "",
      fdisp: "both",
      faction: "",
      fdelete: "",
      rkerror: "delete",
    },
    ...{ fcheck: false, frecfm: "U", flrecl: 0 },
  });
  t.match(cftfolder.get("OUTBOX"), {
    ...{ scandir: join(rundir, "outbox"), workdir: join(rundir, "work/outbox"), archivedir: "" },
    ...{ part: "(0)", idf: "(1)", schedule: "*/2 * * * * *", fileidledelay: 1000, filesizemax: 0 },
  });
  t.strictSame(pki.get("acme-2026")?.usage, ["encrypt", "sign", "auth", "receipt"]);
  t.strictSame(pki.get("hub")?.key, join(root, "pki/hub.key"));
  t.strictSame(configuration.cftcat, {
    fname: join(rundir, "catalog.db"),
    sx: 30 * 86_400_000,
    rx: 864_000_000,
    sh: 0,
    st: 0,
    rh: 7 * 86_400_000,
    rkerror: "delete",
  });
  t.match(configuration.cftlog, { fname: join(rundir, "log/cygnet.log"), level: "I", maxsize: 10_000_000 });
  t.strictSame(configuration.admin, {
    ...{ socket: join(rundir, "control.sock"), listen: null, usercid: "", rootcid: [], allow: [], deny: [] },
    ...{ maxcnx: 64, maxcnx_host: 16, audit_maxsize: 10_000_000, audit_backup_count: 20 },
    audit: join(rundir, "log/audit.log"),
  });
  const shown =
    inspect(configuration, { depth: 20, showHidden: true }) + JSON.stringify([...cftpart.values()]);
  for (const secret of ["HUBPW", "ACMEPW"]) t.notMatch(shown, secret, "secrets are not shown");
});

test("the example hub and its partner load as they are", async (t) => {
  const { path: root, remove } = folder();
  t.teardown(remove);
  const example = join(projectRoot(), "test/config/example");
  for (const name of ["hub.toml", "partners.d/acme.toml"])
    write(root, { [name]: readFileSync(join(example, name)) });
  for (const name of ["hub", "acme", "demo-ca"]) {
    const { pem, key } = await certificate();
    write(root, { [`pki/${name}.pem`]: pem, [`pki/${name}.key`]: key });
  }
  const result = await load(join(root, "hub.toml"), { environment: {}, now: TODAY });
  const flow = { cftsend: new Map([["INVOIC", { security: { sign: true, encrypt: true, cipher: "04" } }]]) };
  t.match(result, { configuration: flow });
  t.strictSame(result.warnings, []);
});

test("the demonstration of etc/ loads once its keys exist, and names them until then", async (t) => {
  const { path: root, remove } = folder();
  t.teardown(remove);
  for (const name of ["etc/cygnet.toml", "etc/partners.d/loop.toml"]) {
    write(root, { [name]: readFileSync(join(projectRoot(), name)) });
  }
  const file = join(root, "etc/cygnet.toml");
  const before = await load(file);
  const codes = "problems" in before ? before.problems.map(({ code }) => code) : [];
  t.strictSame([...new Set(codes)], ["CYG_CONFIG_FILE_MISSING"]);
  const [wanted, ...more] = await missingKeyFiles(file);
  const pki = join(root, "var/pki");
  t.strictSame([wanted, more], [{ id: "demo", file: join(pki, "demo.pem"), key: join(pki, "demo.key") }, []]);
  const own = await certificate();
  write(root, { "var/pki/demo.pem": own.pem, "var/pki/demo.key": own.key });
  t.strictSame(await missingKeyFiles(file), []);
  const after = await load(file, { now: TODAY });
  t.match(after, { warnings: [], configuration: { cftparm: { rundir: join(root, "var") } } });
});

test("key files outside rundir are never the gateway's to make", async (t) => {
  const { path: root, remove } = folder();
  t.teardown(remove);
  write(root, { "cygnet.toml": MAIN, "partners.d/acme.toml": ACME });
  t.strictSame(await missingKeyFiles(join(root, "cygnet.toml")), []);
});

/** Cut lines and appended text for the main file (m) and the partner's (a), and the plan that must come of it. */
const PLANS: {
  change: string;
  m?: Record<number, string>;
  mEnd?: string;
  a?: Record<number, string>;
  files?: Record<string, string>;
  lines: string[];
}[] = [
  { change: "nothing", lines: [] },
  { change: "a comment and the order of tables", m: { 3: '# hello\npart = "HUB"' }, lines: [] },
  {
    change: "partner opened to one side",
    a: { 4: 'nrpart = "O0999ACME"\nstate = "activereq"' },
    lines: ["changed cftpart ACME: at once", '  state: "activeboth" -> "activereq"'],
  },
  {
    change: "code and hours of a partner",
    a: { 4: 'nrpart = "O0999ACM2"\nomintime = "06:00"' },
    lines: [
      "changed cftpart ACME: from the next session or transfer on",
      '  nrpart: "O0999ACME" -> "O0999ACM2"',
      '  sfiddest: "O0999ACME" -> "O0999ACM2"',
      "  omintime: 00:00:00 -> 06:00:00",
    ],
  },
  {
    change: "password",
    a: { 5: 'nspassw = "env:IN"' },
    lines: ["changed cftpart ACME: from the next session or transfer on", "  nspassw: [secret] -> [secret]"],
  },
  {
    change: "retries",
    a: { 9: 'host = "127.0.0.1"\nretryw = "90s"' },
    lines: ["changed cfttcp ACME: at once", "  retryw: 1m -> 1m 30s"],
  },
  {
    change: "port",
    m: { 12: "sap = 3306" },
    lines: ["changed cftprot OFTP: re-opens the listener", "  sap: 3305 -> 3306"],
  },
  {
    change: "no port",
    m: { 12: "" },
    lines: ["changed cftprot OFTP: re-opens the listener", "  sap: 3305 -> none"],
  },
  {
    change: "TLS turned on, and with it a partner's default port",
    m: { 12: 'sap = 3305\nssl = "TLS"' },
    lines: [
      "changed cftprot OFTP: re-opens the listener",
      '  ssl: "" -> "TLS"',
      "  level: [5,4,2,1] -> [5]",
      "changed cftpart ACME: from the next session or transfer on",
      "  sap: [6619,3305] -> [6619,6619]",
    ],
  },
  {
    change: "buffer",
    m: { 12: "sap = 3305\nsrusize = 4096" },
    lines: ["changed cftprot OFTP: from the next session or transfer on", "  srusize: 65535 -> 4096"],
  },
  {
    change: "new flow",
    mEnd: '[[cftsend]]\nid = "NEW"\n',
    lines: ["added cftsend NEW: from the next session or transfer on"],
  },
  {
    change: "flow gone",
    m: { 41: "", 42: "" },
    lines: ["removed cftsend INVOIC: from the next session or transfer on"],
  },
  {
    change: "security of a flow",
    m: { 42: 'id = "INVOIC"\nsign = true' },
    lines: ["changed cftsend INVOIC: from the next session or transfer on", "  sign: none -> true"],
  },
  {
    change: "folder renamed",
    m: { 37: 'id = "BOX"' },
    lines: ["removed cftfolder OUTBOX: at once", "added cftfolder BOX: at once"],
  },
  { change: "new network", mEnd: '[[cftnet]]\nid = "N"\n', lines: ["added cftnet N: re-opens the listener"] },
  {
    change: "addresses allowed",
    m: { 7: 'host = "127.0.0.1"\nallow = ["10.0.0.0/8"]' },
    lines: ["changed cftnet LOCAL: at once", '  allow: [] -> ["10.0.0.0/8"]'],
  },
  {
    change: "control socket",
    mEnd: '[admin]\nsocket = "x.sock"\n',
    lines: ["changed admin: needs a restart", '  socket: "RUN/control.sock" -> "RUN/x.sock"'],
  },
  {
    change: "HTTP API and its users",
    mEnd: `[admin]\nlisten = "127.0.0.1:8443"\nusercid = "hub"\n[[apiuser]]\nid = "erp"\nrole = "read"\ntoken = "sha256:${"0".repeat(64)}"\n`,
    lines: [
      "changed admin: re-opens the listener",
      '  listen: none -> {"host":"127.0.0.1","port":8443}',
      '  usercid: "" -> "hub"',
      "added apiuser erp: at once",
    ],
  },
  {
    change: "catalog file and retention",
    mEnd: '[cftcat]\nfname = "x.db"\nsx = 1\n',
    lines: ["changed cftcat: needs a restart", '  fname: "RUN/catalog.db" -> "RUN/x.db"', "  sx: 30d -> 1d"],
  },
  {
    change: "log level",
    m: { 44: 'level = "W"' },
    lines: ["changed cftlog: at once", '  level: "I" -> "W"'],
  },
];

test("a plan names every change and what it needs; secrets stay secret", async (t) => {
  const own = await certificate();
  const { path: root, remove } = folder();
  t.teardown(remove);
  const file = join(root, "cygnet.toml");
  write(root, {
    "pki/hub.pem": own.pem,
    "pki/hub.key": own.key,
    "cygnet.toml": MAIN,
    "partners.d/acme.toml": ACME,
  });
  const before = await configurationOf(file);
  for (const { change, m, mEnd, a, lines } of PLANS) {
    write(root, { "cygnet.toml": edit(MAIN, m ?? {}, mEnd), "partners.d/acme.toml": edit(ACME, a ?? {}) });
    const changes = plan(before, await configurationOf(file));
    const found = renderPlan(changes).map((line) => line.replaceAll(join(root, "var"), "RUN"));
    t.strictSame(found, lines, change);
    t.notMatch(JSON.stringify(changes), /HUBPW|ACMEPW/, `${change}: no secret`);
  }
  const renewed = await certificate();
  write(root, {
    "pki/hub.pem": renewed.pem,
    "pki/hub.key": renewed.key,
    "cygnet.toml": MAIN,
    "partners.d/acme.toml": ACME,
  });
  const changes = plan(before, await configurationOf(file));
  const seen = changes.map(({ object, id, effect, keys }) => [
    object,
    id,
    effect,
    keys.map(({ key }) => key),
  ]);
  t.strictSame(
    seen,
    [
      ["pki", "hub", "new", ["file"]],
      ["pki", "ca", "new", ["file"]],
    ],
    "a certificate renewed in place",
  );
});

test("scripts, jobs, accounting and notifications: where programs are, whose default serves, what a change shows", async (t) => {
  const own = await certificate();
  const { path: root, remove } = folder();
  t.teardown(remove);
  write(root, {
    "hub.toml": HUB,
    "partners.d/acme.toml": PARTNER,
    "secrets/acme": "ACMEPW\n",
    "secrets/hook": "k3y\n",
  });
  write(root, { "pki/hub.pem": own.pem, "pki/hub.key": own.key, "pki/acme.pem": own.pem });
  const before = await configurationOf(join(root, "hub.toml"));
  t.equal(before.cftaccnt, null);
  t.equal(before.smtp, null);
  const keys = 'execsf = "scripts/sent.sh &IDTU"\nexectimeout = "5m"\nmax_processing_scripts = 2\n';
  const more = `
[[cftsend]]
id = "NONE"
preexec = ["check", "a b", "&FNAME"]
exec = "_NONE_"
[[cftcron]]
id = "CLEAN"
time = "0 2 * * *"
exec = "/usr/bin/env  true"
[[cftcron]]
id = "CALL"
time = "0 0 2 * * *"
type = "cftutil"
exec = "recv --part ACME"
exectimeout = 0
[cftaccnt]
switch = "06:00"
[smtp]
host = "mail"
tls = "tls"
sender = "hub@example.com"
[[notify]]
id = "HOOK"
events = ["transfer-failed"]
url = "https://example.com/hook"
secret = "file:secrets/hook"
unreachable = 5
`;
  write(root, { "hub.toml": HUB.replace("maxtrans", `${keys}maxtrans`) + more });
  const after = await configurationOf(join(root, "hub.toml"));
  const sent = join(root, "scripts/sent.sh");
  t.match(after.cftparm, {
    execsf: [sent, "&IDTU"],
    execrf: null,
    exectimeout: 300_000,
    max_processing_scripts: 2,
  });
  t.match(after.cftsend.get("NONE"), { preexec: ["check", "a b", "&FNAME"], exec: [], ackexec: null });
  t.match(after.cftcron.get("CLEAN"), {
    exec: ["/usr/bin/env", "true"],
    exectimeout: 300_000,
    state: "active",
  });
  t.match(after.cftcron.get("CALL"), { exec: ["recv", "--part", "ACME"], exectimeout: 0 });
  const fname = join(root, "var/account/account.jsonl");
  t.strictSame(after.cftaccnt, { fname, maxsize: 100 * 1024 ** 2, switch: 6 * 3600_000, backup_count: 1000 });
  t.match(after.smtp, { port: 465, timeout: 30_000, user: "" });
  t.match(after.notify.get("HOOK"), {
    unreachable: 300_000,
    interval: 600_000,
    limit: 20,
    mail: [],
    part: [],
  });
  t.equal(after.notify.get("HOOK")?.secret.reveal(), "k3y");
  const chosen = (idf: string, moment: Moment, direct: "send" | "recv" = "send", dsn = "A.DAT") =>
    scriptFor(after, { direct, idf, dsn, part: "", via: "", prot: "" }, moment);
  t.strictSame(chosen("INVOIC", "exec"), { argv: [sent, "&IDTU"], event: "EXECSF" });
  t.strictSame(chosen("UNKNOWN", "exec"), { argv: [sent, "&IDTU"], event: "EXECSF" }, "the default flow");
  t.strictSame(chosen("NONE", "exec"), null);
  t.strictSame(chosen("NONE", "preexec"), { argv: ["check", "a b", "&FNAME"], event: "PREEXEC" });
  t.strictSame(chosen("INVOIC", "exec", "recv"), null);
  for (const dsn of ["ODETTE_CERTIFICATE_DELIVER", "OFTPCOMMUNICATIONSETUP"])
    t.strictSame(chosen("INVOIC", "exec", "send", dsn), null, `${dsn} is no application's`);
  const lines = renderPlan(plan(before, after));
  t.ok(lines.includes("added cftaccnt: at once"));
  t.ok(lines.includes("added notify HOOK: at once"));
  write(root, { "secrets/hook": "other\n" });
  const changed = renderPlan(plan(after, await configurationOf(join(root, "hub.toml"))));
  t.strictSame(changed, ["changed notify HOOK: at once", "  secret: [secret] -> [secret]"]);
});

test("commands that jobs can carry out, and what exit codes say", (t) => {
  t.strictSame(builtInOf(["send", "-p", "ACME", "--idf=X", "--nfname", "N", "a b"]), {
    ...{ name: "send", part: "ACME", idf: "X", nfname: "N", file: "a b" },
  });
  t.strictSame(builtInOf(["send", "-p", "ACME"]), { name: "send", part: "ACME" }, "what its flow says");
  t.strictSame(builtInOf(["purge"]), { name: "purge" });
  for (const words of [[], ["toString"], ["send", "x"], ["send", "-p", "A", "x", "y"], ["recv"]]) {
    t.throws(() => builtInOf(words), { code: "CYG_JOB_COMMAND" }, words.join(" "));
  }
  for (const words of [
    ["purge", "now"],
    ["reload", "-p", "A"],
    ["recv", "-p"],
    ["recv", "-p", "A", "--force"],
  ]) {
    t.throws(() => builtInOf(words), { code: "CYG_JOB_COMMAND" }, words.join(" "));
  }
  for (const [code, reason] of [
    [0, 0],
    [1, 34],
    [3, 34],
    [10, 34],
    [11, 11],
    [17, 34],
    [23, 23],
    [34, 34],
    [36, 36],
    [37, 34],
  ] as const)
    t.equal(verdictOf(code), reason, `exit ${code}`);
  for (const [code, reason] of [
    [50, 50],
    [90, 90],
    [99, 99],
    [100, 34],
    [126, null],
    [127, null],
    [128, 34],
    [137, null],
  ] as const)
    t.equal(verdictOf(code), reason, `exit ${code}`);
  t.end();
});

const VALUES = {
  PART: "Acme",
  IDF: "INVOIC",
  FROOT: "order_2026_11",
  FSUF: "",
  NUM: "42  ",
  P: ")",
  CUT: "a__c",
};

/** Template and result; undefined: CYG_SYMBOL. */
const SYMBOLS: [template: string, result: string | undefined][] = [
  ["", ""],
  ["plain", "plain"],
  ["&PART", "Acme"],
  ["&part", "Acme"],
  ["a/&PART/b", "a/Acme/b"],
  ["&PART&IDF", "AcmeINVOIC"],
  ["&NUM", "42"],
  ["&+PART&-PART", "ACMEacme"],
  ["&(-.)FSUF", ""],
  ["&(-.)PART", ".Acme"],
  ["&(+.)PART", "Acme."],
  ["&(-[)(+])PART", "[Acme]"],
  ["&(=none)FSUF", "none"],
  ["&(=none)PART", "Acme"],
  ["&(-x)(+y)(=&PART)FSUF", "Acme"],
  ["&(-&IDF-)PART", "INVOIC-Acme"],
  ["&(-(a&))PART", "(a)Acme"],
  ["&(=&(-<)(+>)IDF)FSUF", "<INVOIC>"],
  ["&3IDF", "INV"],
  ["&8IDF|", "INVOIC  |"],
  ["&<8IDF|", "INVOIC  |"],
  ["&>8IDF|", "  INVOIC|"],
  ["&:8IDF|", "INVOIC|"],
  ["&>+:8PART|", "ACME|"],
  ["&3.IDF", "VOIC"],
  ["&2.3IDF", "NVO"],
  ["&9.IDF", ""],
  ["&(-x)9.IDF", ""],
  ["&0IDF", "INVOIC"],
  ["&0.0IDF", "INVOIC"],
  ["&0.2IDF", "IN"],
  ["&4FSUF|", "    |"],
  ["&%_2FROOT", "2026"],
  ["&%_.2FROOT", "order_2026"],
  ["&%_2.FROOT", "2026_11"],
  ["&%_2.3FROOT", "2026_11"],
  ["&%_9FROOT", ""],
  ["&%_2CUT", ""],
  ["&%_3CUT", "c"],
  ["&2%_1FROOT", "or"],
  ["&.PART", "&PART"],
  ["A&.&PART", undefined],
  ["&NOBODY", undefined],
  ["&(=&NOBODY)FSUF", undefined],
  ["a&", undefined],
  ["& PART", undefined],
  ["&(-x", undefined],
  ["&(xPART", undefined],
  ["&%", undefined],
];

test("symbolic variables: justification, case, prefix, suffix, alternate, slice, field", (t) => {
  for (const [template, result] of SYMBOLS) {
    if (result === undefined) t.throws(() => substitute(template, VALUES), { code: "CYG_SYMBOL" }, template);
    else t.equal(substitute(template, VALUES), result, template);
  }
  const names = variablesIn("&PART/&(-&idf)(=&P)FSUF&.LITERAL").map(({ name, at }) => `${name}@${at}`);
  t.strictSame(names, ["PART@0", "FSUF@6", "IDF@9", "P@16"]);
  const facts = {
    ...{ site: "HUB", part: { id: "ACME", nspart: "O0999HUB", nrpart: "O0999ACME" }, idf: "INVOIC" },
    ...{
      nidf: "INVOICES",
      name: "order.1.edi",
      fileDate: new Date(2026, 10, 5, 7, 8, 9, 120),
      now: new Date(2026, 1, 1),
    },
  };
  const template = "&FROOT|&FSUF|&SPART|&RPART|&NRPART|&NIDF|&FDATE|&FTIME|&FYEAR|&SYSQQ|&SYSDAY";
  const sent = substitute(template, sendVariables(facts));
  t.equal(sent, "order.1|edi|HUB|ACME|O0999ACME|INVOICES|20261105|07080912|26|032|0");
  const received = { ...facts, name: "README", nfname: "README", idtu: "A0000001" };
  t.equal(
    substitute("&SPART&RPART&FROOT&(-.)FSUF&IDTU", receiveVariables(received)),
    "ACMEHUBREADMEA0000001",
  );
  t.end();
});

test("units: durations in the key's unit or their own, sizes, times of day, near words", (t) => {
  const durations = [
    [90, "s", 90_000],
    [1, "min", 60_000],
    [30, "d", 2_592_000_000],
    ["500ms", "min", 500],
    ["1.5h", "s", 5_400_000],
    ["7", "s", 7000],
  ] as const;
  for (const [value, unit, result] of durations)
    t.equal(parseDuration(value, unit), result, `${value} ${unit}`);
  t.equal(formatDuration(93_784_005), "1d 2h 3m 4s 5ms");
  const sizes = [
    ["10MB", 1e7],
    ["10 MiB", 10_485_760],
    ["1k", 1000],
    [5, 5],
  ] as const;
  for (const [value, result] of sizes) t.equal(parseSize(value), result, `${value}`);
  const times = [
    ["23:59", 86_340_000],
    ["23595999", 86_399_990],
    ["24:00", undefined],
    ["0:00", undefined],
    ["12:60", undefined],
  ] as const;
  for (const [value, result] of times) t.equal(parseTimeOfDay(value), result, value);
  t.equal(nearest("nrprat", ["npart", "nrpart"]), "nrpart");
  t.equal(nearest("xyzzy", ["npart", "nrpart"]), undefined);
  t.end();
});

test("schemas: every key has a meaning, a reload effect, examples that are valid; the manual is current", (t) => {
  const words = {
    now: "at once",
    new: "next session or transfer",
    listen: "re-opens the listener",
    restart: "needs a restart",
  };
  for (const [table, schema] of tables()) {
    t.type(words[schema["x-reload"]], "string", `${table}: effect`);
    for (const key of Object.keys(schema.properties)) {
      const full = keySchema(table, key);
      const effect = full?.["x-reload"];
      const needed = schema.required.includes(key);
      t.ok(
        effect && full?.description?.includes(words[effect]),
        `${table}.${key}: the description tells the effect`,
      );
      t.ok(full?.examples?.length, `${table}.${key}: an example`);
      for (const example of full?.examples ?? []) {
        const needs = schema.required.map((name) => [name, keySchema(table, name)?.examples?.[0]]);
        const object = { ...Object.fromEntries(needs), [key]: example };
        const faults = validate({ [table]: schema["x-single"] ? object : [object] });
        t.strictSame(
          faults.map(({ message }) => message),
          [],
          `${table}.${key}: ${inspect(example)} is valid`,
        );
      }
      t.equal(
        full?.default !== undefined || full?.["x-default"] !== undefined,
        !needed,
        `${table}.${key}: default or required`,
      );
    }
  }
  const page = readFileSync(join(projectRoot(), "docs", "configuration.md"), "utf8");
  t.equal(page, configurationReference(), 'docs/configuration.md is current: "npm run docs" makes it so');
  t.end();
});
