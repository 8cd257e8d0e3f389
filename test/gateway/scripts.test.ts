/** Scripts of transfers: when they run, what they are told, and what their end makes of the transfer. */
import { existsSync, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { type Gateway, site, waitFor } from "./harness.ts";

/** Writes what it was told into a file of its own, then does what the line of the test says. */
const SCRIPT = (then: string) => `#!/bin/sh
{ echo "args $*"; env | grep ^CYGNET_ | sort; } >> "$CYGNET_RUNTIMEDIR/told-$CYGNET_CFTEVENT-$CYGNET_DIRECT"
${then}
`;

async function script(gateway: Gateway, name: string, then: string): Promise<void> {
  await gateway.write(`scripts/${name}`, SCRIPT(then));
  await fs.chmod(join(gateway.directory, "scripts", name), 0o755);
}

/** Adds keys to [cftparm]. */
async function parm(gateway: Gateway, keys: string): Promise<void> {
  const text = await fs.readFile(gateway.config, "utf8");
  await gateway.write("cygnet.toml", text.replace("[cftparm]", `[cftparm]\n${keys}`));
}

function told(gateway: Gateway, event: string, direct = "send"): Record<string, string> {
  const path = join(gateway.rundir, `told-${event}-${direct}`);
  if (!existsSync(path)) return {};
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.search(/[ =]/);
      return [line.slice(0, at).replace("CYGNET_", ""), line.slice(at + 1)];
    }),
  );
}

/** Runs of a script that have written down all that is looked at. */
function runs(gateway: Gateway, event: string, direct = "send"): number {
  const path = join(gateway.rundir, `told-${event}-${direct}`);
  if (!existsSync(path)) return 0;
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  const marks = ["args ", "CYGNET_PHASE=", "CYGNET_DIRECT="];
  return Math.min(...marks.map((mark) => lines.filter((line) => line.startsWith(mark)).length));
}

const state = async (gateway: Gateway, direct: "send" | "recv", name: string) => {
  const record = await gateway.transfer(direct, name);
  return record ? `${record.phase}${record.phasestep}${record.ack}` : "none";
};

async function becomes(
  t: Test,
  gateway: Gateway,
  direct: "send" | "recv",
  name: string,
  wanted: string | RegExp,
) {
  let last = "";
  await waitFor(`${name} to become ${wanted}`, async () => {
    last = await state(gateway, direct, name);
    return typeof wanted === "string" ? last === wanted : wanted.test(last);
  }).catch((error: unknown) => t.fail(`${String(error)}: it is ${last}`));
}

test("each script runs at its moment, with variables as arguments and in the environment", async (t) => {
  const more = `
[[cftsend]]
id = "FLOW"
preexec = ["scripts/pre.sh", "&PART", "two words", "&(-<)(+>)IDF", "&WFNAME"]
exec    = "scripts/sent.sh &IDTU &DIAGI"
ackexec = ["scripts/ack.sh", "&TRTYPE"]
[[cftsend]]
id = "QUIET"
exec = "_NONE_"
`;
  const { hub, acme } = await site(t, { hub: { more }, prot: ["OFTP"] });
  await script(hub, "pre.sh", 'echo "more octets" >> "$4"; echo "from the script"; echo complaint >&2');
  await script(hub, "sent.sh", "exit 0");
  await script(hub, "ack.sh", "exit 0");
  await script(hub, "default.sh", "exit 0");
  await script(acme, "got.sh", 'cp "$1" "$CYGNET_RUNTIMEDIR/copy"');
  await parm(hub, 'execsf = ["scripts/default.sh", "a  b", "$(id);`id`"]\nexecsfa = "scripts/default.sh x"');
  await parm(acme, 'execrf = ["scripts/got.sh", "&FNAME"]');
  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("FLOW/ORDER.DAT", "octets\n");
  await becomes(t, hub, "send", "ORDER.DAT", "XXA");
  await becomes(t, acme, "recv", "ORDER.DAT", "XXA");
  const sent = await hub.transfer("send", "ORDER.DAT");
  const { idtu = "" } = sent ?? {};
  const pre = told(hub, "PREEXEC");
  t.equal(pre.args, `ACME two words <FLOW> ${pre.WFNAME}`, "each argument stays one");
  t.match(pre, {
    IDTU: idtu,
    PART: "ACME",
    IDF: "FLOW",
    PHASE: "A",
    PHASESTEP: "C",
    DIRECT: "send",
    FROOT: "ORDER",
  });
  t.match(pre, {
    NBC: "7",
    CFTNAME: "HUB",
    CFTEVENT: "PREEXEC",
    SPART: "HUB",
    RPART: "ACME",
    TRTYPE: "FILE",
  });
  t.equal(pre.RUNTIMEDIR, hub.rundir);
  t.match(pre.IDT, /^[A-L]\d{7}$/);
  t.equal(
    readFileSync(acme.inbox("ORDER.DAT"), "utf8"),
    "octets\nmore octets\n",
    "what the script made was sent",
  );
  t.match(told(hub, "EXEC"), { args: `${idtu} 0`, PHASE: "Y", PHASESTEP: "C" });
  t.equal(told(hub, "EXEC").SHA256, sent?.sha256);
  t.match(told(hub, "ACKEXEC"), { args: "REPLY", PHASE: "Z", ACK: "A" });
  const got = told(acme, "EXECRF", "recv");
  t.match(got, {
    args: acme.inbox("ORDER.DAT"),
    FNAME: acme.inbox("ORDER.DAT"),
    NIDF: "ORDER.DAT",
    SPART: "HUB",
  });
  t.equal(readFileSync(join(acme.rundir, "copy"), "utf8"), "octets\nmore octets\n");
  const output = hub.messages("CFTS81I").map((line) => line.replace(/^.{31} /, ""));
  t.match(
    output.sort().join("\n"),
    /Output of PREEXEC: complaint <IDTU=.*Output of PREEXEC: from the script/s,
  );
  t.equal(hub.messages("CFTS80I").length, 3, "three ended");
  t.equal(hub.messages("CFTS03I").length, 3, "of those that were begun");
  const environment = readFileSync(join(hub.rundir, "told-PREEXEC-send"), "utf8");
  t.notMatch(environment, /CYGNET_CONFIG|NODE_/, "nothing of our own environment");

  // the default serves flows that say nothing, and is suppressed by _NONE_
  await hub.drop("QUIET/NO.DAT", "x");
  await becomes(t, hub, "send", "NO.DAT", "XXA");
  t.equal(runs(hub, "EXECSF"), 0, "_NONE_");
  t.equal(runs(hub, "EXECSFA"), 1, "what is not suppressed runs");
  await hub.drop("YES.DAT", "x");
  await becomes(t, hub, "send", "YES.DAT", "XXA");
  t.equal(told(hub, "EXECSF").args, "a  b $(id);`id`", "no shell touches an argument");
  t.equal((await hub.cli("display", idtu, "--json")).json.script, "", "nothing is due any more");
});

test("a script that fails stops the phase, its error script tells, and start runs it again", async (t) => {
  const more = `
[[cftsend]]
id = "PRE"
preexec = "scripts/fussy.sh"
[[cftsend]]
id = "POST"
exec = "scripts/fussy.sh"
[[cftsend]]
id = "ACK"
ackexec = "scripts/fussy.sh"
[[cftsend]]
id = "GONE"
preexec = "scripts/nowhere.sh"
[[cftsend]]
id = "SLOW"
preexec = ["scripts/slow.sh", "&IDTU"]
[[cftsend]]
id = "DEAD"
preexec = "scripts/dead.sh"
[[cftsend]]
id = "EATS"
preexec = ["rm", "&WFNAME"]
[[cftsend]]
id = "ODD"
preexec = "scripts/odd.sh"
`;
  const { hub, acme } = await site(t, { hub: { more }, prot: ["OFTP"] });
  await script(hub, "fussy.sh", 'echo first; echo "segment 12 is wrong"; echo; test -e mended || exit 3');
  await script(hub, "slow.sh", "sleep 600 & echo $! > slow.pid; sleep 600");
  await script(hub, "dead.sh", "kill -9 $$");
  await script(hub, "error.sh", "exit 7");
  await hub.write("scripts/odd.sh", "#!/no/such/interpreter\n");
  await fs.chmod(join(hub.directory, "scripts/odd.sh"), 0o755);
  await parm(hub, 'execse = ["scripts/error.sh", "&DIAGI", "&DIAGP", "&DIAGC"]\nexectimeout = "3s"');
  const checked = await hub.cli("check");
  t.match(
    checked.stdout + checked.stderr,
    /nowhere\.sh does not exist/,
    "a missing script is told beforehand",
  );
  await Promise.all([hub.start(), acme.start()]);
  const flows = { PRE: "A", POST: "Y", ACK: "Z" };
  for (const flow of Object.keys(flows)) await hub.drop(`${flow}/${flow}.DAT`, flow);
  for (const [flow, phase] of Object.entries(flows)) {
    // the response of POST comes before, during or after its script
    await becomes(t, hub, "send", `${flow}.DAT`, new RegExp(`^${phase}K`));
    const record = await hub.transfer("send", `${flow}.DAT`);
    t.match(record, { diagi: 155, diagp: "EXIT 3", diagc: "segment 12 is wrong" }, `${flow}: the diagnosis`);
  }
  t.notOk(existsSync(acme.inbox("PRE.DAT")), "what its script refused was not sent");
  await waitFor("the error scripts", () => runs(hub, "EXECSE") === 3);
  t.equal(told(hub, "EXECSE").args, "155 EXIT 3 segment 12 is wrong");
  await waitFor("its own failure to be told", () => hub.messages("CFTS80E").length === 6);
  t.equal(runs(hub, "EXECSE"), 3, "an error script that fails calls no other");

  await hub.write("var/mended", "");
  for (const flow of Object.keys(flows)) {
    const { idtu = "" } = (await hub.transfer("send", `${flow}.DAT`)) ?? {};
    t.equal((await hub.cli("start", idtu)).status, 0, `${flow}: start`);
    await becomes(t, hub, "send", `${flow}.DAT`, "XXA");
  }
  await waitFor("the file", () => existsSync(acme.inbox("PRE.DAT")));

  for (const [flow, diagp, message] of [
    ["GONE", "NO EXEC", "CFTS02E"],
    ["ODD", "NO EXEC", "CFTS11E"],
    ["DEAD", "SIGKILL", "CFTS80E"],
    ["SLOW", "TIMEOUT", "CFTS80E"],
    ["EATS", "NO FILE", "CFTS80I"],
  ] as const) {
    const before = hub.messages(message).length;
    await hub.drop(`${flow}/${flow}.DAT`, flow);
    await becomes(t, hub, "send", `${flow}.DAT`, "AK");
    t.match(await hub.transfer("send", `${flow}.DAT`), { diagi: flow === "EATS" ? 104 : 155, diagp }, flow);
    await waitFor(`${flow}: ${message}`, () => hub.messages(message).length > before);
  }
  const pid = Number(readFileSync(join(hub.rundir, "slow.pid"), "utf8"));
  await waitFor("what the slow script had started to be gone", () => !alive(pid));
});

/** True for a process that runs; a zombie does not. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a script's exit code is the end-to-end response", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"], acme: { more: "" } });
  // the file says with which code the script ends
  await script(acme, "judge.sh", 'echo "the file says no"; . "$1"');
  const text = await fs.readFile(acme.config, "utf8");
  const flow = '[[cftrecv]]\nid    = "DEFAULT"\nackmode = "script"\nexec = ["scripts/judge.sh", "&FNAME"]';
  await acme.write("cygnet.toml", text.replace('[[cftrecv]]\nid    = "DEFAULT"', flow));
  await script(hub, "ack.sh", "exit 0");
  await parm(hub, 'execsfa = ["scripts/ack.sh", "&TRTYPE", "&DIAGP", "&DIAGC"]');
  await Promise.all([hub.start(), acme.start()]);
  const cases = [
    ["GOOD.DAT", "exit 0", "A", ""],
    ["BAD.DAT", "exit 1", "N", "NERP 34"],
    ["WRONG.DAT", "exit 3", "N", "NERP 34"],
    ["TWICE.DAT", "exit 23", "N", "NERP 23"],
  ] as const;
  for (const [name, content] of cases) await hub.drop(name, content);
  for (const [name, , ack, diagp] of cases) {
    await becomes(t, hub, "send", name, `XX${ack}`);
    await becomes(t, acme, "recv", name, `XX${ack}`);
    t.match(await hub.transfer("send", name), { diagp, diagc: ack === "N" ? "the file says no" : "" }, name);
    t.ok(existsSync(acme.inbox(name)), `${name}: it is in the inbox whatever the verdict`);
  }
  await waitFor("the scripts of the responses", () => runs(hub, "ACKEXEC") + runs(hub, "EXECSFA") === 4);
  const answers = readFileSync(join(hub.rundir, "told-EXECSFA-send"), "utf8");
  t.match(answers, /args NACK NERP 23 the file says no/);
  t.match(answers, /args REPLY/);

  // no verdict: the phase stops, and an operator can give the response
  await hub.drop("KILLED.DAT", "kill -9 $$");
  await becomes(t, acme, "recv", "KILLED.DAT", "YK");
  t.equal(await state(hub, "send", "KILLED.DAT"), "ZH", "no response yet");
  const { idtu = "" } = (await acme.transfer("recv", "KILLED.DAT")) ?? {};
  t.equal((await acme.cli("end", idtu, "--reject", "34", "--text", "not today")).status, 0);
  await becomes(t, hub, "send", "KILLED.DAT", "XXN");
  await becomes(t, acme, "recv", "KILLED.DAT", "XXN");
  t.equal((await acme.cli("end", idtu)).status, 1, "once only");
});

test("a script delays no response of its file, and runs again after a stop or a crash", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"] });
  await script(acme, "long.sh", "echo $$ > long.pid; test -e quick && exit 0; sleep 600 & wait");
  await parm(acme, 'execrf = "scripts/long.sh"\nmax_processing_scripts = 1');
  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("ONE.DAT", "1");
  await hub.drop("TWO.DAT", "2");
  for (const name of ["ONE.DAT", "TWO.DAT"]) await becomes(t, hub, "send", name, "XXA");
  await waitFor("one script to run", async () => (await acme.status()).scripts.running === 1);
  const states = await Promise.all(["ONE.DAT", "TWO.DAT"].map((name) => state(acme, "recv", name)));
  t.same(states.map((each) => each.slice(0, 2)).sort(), ["YC", "YD"], "one runs, one waits");
  const pidOf = () => {
    const path = join(acme.rundir, "long.pid");
    return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  };
  await waitFor("its process id", () => pidOf() > 0);
  const pid = pidOf();

  t.equal((await acme.cli("shut", "--fast")).status, 0);
  await acme.exited();
  await waitFor("the script to have gone with the gateway", () => !alive(pid));
  t.equal(acme.messages("CFTS80W").length, 1, "it says that it runs again");
  await acme.start();
  await waitFor("the script to run again", () => runs(acme, "EXECRF", "recv") === 2);
  await waitFor("its new process id", () => pidOf() > 0 && pidOf() !== pid);
  const again = pidOf();

  await acme.kill("SIGKILL");
  t.ok(alive(again), "a crash leaves it");
  process.kill(-again, "SIGKILL");
  await acme.write("var/quick", "");
  await acme.start();
  for (const name of ["ONE.DAT", "TWO.DAT"]) await becomes(t, acme, "recv", name, "XXA");
  t.equal(runs(acme, "EXECRF", "recv"), 4, "each at least once, the interrupted ones again");
});

test("a response that comes late, a delivery that fails, and a response by hand while the script runs", async (t) => {
  const late = '[[cftsend]]\nid = "LATE"\nackstate = "ignore"\nackexec = ["scripts/ack.sh", "&TRTYPE"]\n';
  const more = `
[[cftxlate]]
id = "ASCII"
fcharset = "us-ascii"
ncharset = "utf-8"
[[cftrecv]]
id = "ODD.DAT"
xlate = "ASCII"
[[cftrecv]]
id = "HAND.DAT"
ackmode = "manual"
exec = ["scripts/hand.sh"]
`;
  const { hub, acme } = await site(t, { prot: ["OFTP"], hub: { more: late }, acme: { more } });
  await script(hub, "ack.sh", "exit 0");
  await script(acme, "error.sh", "exit 0");
  await script(acme, "hand.sh", "echo $$ > hand.pid; while ! test -e go; do sleep 0.1; done");
  await parm(acme, 'execre = ["scripts/error.sh", "&DIAGI", "&NFNAME"]');
  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("LATE/LATE.DAT", "x");
  await becomes(t, hub, "send", "LATE.DAT", "XXA");
  await waitFor("the script of the response", () => runs(hub, "ACKEXEC") === 1);
  t.equal(told(hub, "ACKEXEC").args, "REPLY");

  await hub.drop("ODD.DAT", "é");
  await becomes(t, hub, "send", "ODD.DAT", "XXN");
  await waitFor("the error script of the receive", () => runs(acme, "EXECRE", "recv") === 1);
  t.match(told(acme, "EXECRE", "recv"), { args: "142 ODD.DAT", PHASE: "X", DIRECT: "recv" });

  await hub.drop("HAND.DAT", "x");
  await becomes(t, acme, "recv", "HAND.DAT", "YC");
  await waitFor("the script", () => existsSync(join(acme.rundir, "hand.pid")));
  const { idtu = "" } = (await acme.transfer("recv", "HAND.DAT")) ?? {};
  t.equal((await acme.cli("end", idtu)).status, 0, "the script need not have ended");
  await becomes(t, hub, "send", "HAND.DAT", "XXA");
  await becomes(t, acme, "recv", "HAND.DAT", "YCA");
  await acme.write("var/go", "");
  await becomes(t, acme, "recv", "HAND.DAT", "XXA");
});

test("commands on transfers whose script is due, runs, or has failed", async (t) => {
  const more = `
[[cftsend]]
id = "SLOW"
preexec = "scripts/slow.sh"
[[cftsend]]
id = "HELD"
state = "hold"
preexec = "scripts/quick.sh"
[[cftsend]]
id = "TWICE"
exec = "scripts/quick.sh"
[[cftsend]]
id = "ACK"
ackexec = "scripts/fussy.sh"
`;
  const { hub, acme } = await site(t, { hub: { more }, prot: ["OFTP"] });
  await script(hub, "slow.sh", "echo $$ > slow.pid; test -e quick || { sleep 600 & wait; }");
  await script(hub, "quick.sh", "exit 0");
  await script(hub, "fussy.sh", "exit 1");
  await Promise.all([hub.start(), acme.start()]);
  const idtuOf = async (name: string) => (await hub.transfer("send", name))?.idtu ?? "";
  const pidOf = () => {
    const path = join(hub.rundir, "slow.pid");
    return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  };

  await hub.drop("SLOW/SLOW.DAT", "x");
  await becomes(t, hub, "send", "SLOW.DAT", "AC");
  for (const [command, then] of [
    ["halt", "AH"],
    ["keep", "AK"],
  ] as const) {
    const before = pidOf();
    await waitFor("its process", () => pidOf() > 0 && (command === "halt" || alive(pidOf())));
    t.equal((await hub.cli(command, await idtuOf("SLOW.DAT"), "--text", "not now")).status, 0, command);
    t.match(await hub.transfer("send", "SLOW.DAT"), { diagi: 121, diagp: "OPER", diagc: "not now" });
    t.equal(await state(hub, "send", "SLOW.DAT"), then);
    await waitFor(`${command} to end the script`, () => !alive(pidOf()));
    if (command === "keep") break;
    t.equal((await hub.cli("start", await idtuOf("SLOW.DAT"))).status, 0, "start");
    await waitFor("it to run again", () => pidOf() !== before && alive(pidOf()));
  }
  t.equal((await hub.cli("end", await idtuOf("SLOW.DAT"))).status, 0, "end: it counts as done");
  await becomes(t, hub, "send", "SLOW.DAT", "XXA");

  await hub.drop("HELD/HELD.DAT", "x");
  await becomes(t, hub, "send", "HELD.DAT", "TH");
  t.match(await hub.transfer("send", "HELD.DAT"), { diagi: 0, diagp: "HOLD" }, "held after its script");
  t.equal((await hub.cli("start", await idtuOf("HELD.DAT"))).status, 0);
  await becomes(t, hub, "send", "HELD.DAT", "XXA");

  await hub.drop("TWICE/TWICE.DAT", "x");
  await becomes(t, hub, "send", "TWICE.DAT", "XXA");
  t.equal(runs(hub, "EXEC"), 1);
  t.equal((await hub.cli("submit", await idtuOf("TWICE.DAT"))).status, 0, "submit of an ended transfer");
  await waitFor("its script to run again", () => runs(hub, "EXEC") === 2);
  t.equal(await state(hub, "send", "TWICE.DAT"), "XXA", "beside the record");
  const nothing = await hub.cli("submit", await idtuOf("HELD.DAT"));
  t.match(nothing, { status: 1, stderr: /no script that could run again/ });

  await hub.drop("ACK/ACK.DAT", "x");
  await becomes(t, hub, "send", "ACK.DAT", "ZKA");
  t.equal((await hub.cli("start", await idtuOf("ACK.DAT"))).status, 0, "a script in Z runs again, too");
  await waitFor("its second run", () => runs(hub, "ACKEXEC") === 2);
  await becomes(t, hub, "send", "ACK.DAT", "ZKA");
  t.equal((await hub.cli("delete", await idtuOf("ACK.DAT"))).status, 0);
  t.equal(await state(hub, "send", "ACK.DAT"), "none");
});
