/** The command line, as a person and as a program meets it: every command, exit status and shape. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { encode } from "../../src/oftp/wire/codec.ts";
import { edit, Raw, ssid, Throttle } from "./extra.ts";
import { type CliResult, freePorts, type Gateway, hashFile, site, waitFor } from "./harness.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const NODE = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];

/** Any program, as a shell would run it. */
function sh(program: string, args: string[], cwd: string): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { cwd, env: { ...process.env, NO_COLOR: "", TERM: "xterm", COLUMNS: "100" } },
      (error, stdout, stderr) => {
        const status = typeof error?.code === "number" ? error.code : error ? -1 : 0;
        resolve({ status, stdout, stderr, json: undefined });
      },
    );
  });
}

/** Runs several commands, two at a time. */
async function each<T>(rows: readonly T[], run: (row: T) => Promise<void>): Promise<void> {
  const left = [...rows];
  const worker = async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) await run(row);
  };
  await Promise.all([worker(), worker()]);
}

const COMMANDS = [
  "run",
  "check",
  "reload",
  "status",
  "shut",
  "send",
  "recv",
  "halt",
  "keep",
  "start",
  "resume",
  "submit",
  "delete",
  "listcat",
  "display",
  "log",
  "explain",
];

/** The record of a transfer, as the contract has it. */
const RECORD = [
  "idtu",
  "part",
  "idf",
  "direct",
  "type",
  "mode",
  "state",
  "phase",
  "phasestep",
  "ack",
  "diagi",
  "diagp",
  "fname",
  "nfname",
  "filesize",
  "bytes",
  "sha256",
  "prot",
  "kdate",
  "bdate",
  "edate",
];

test("help and wrong usage", { timeout: 600_000 }, async (t) => {
  const folder = t.testdir({});
  const cygnet = (...args: string[]) => sh(NODE[0] as string, [...NODE.slice(1), ...args], folder);
  const all = await cygnet("--help");
  t.equal(all.status, 0);
  for (const command of COMMANDS)
    t.match(all.stdout, new RegExp(`^  ${command} `, "m"), `${command} is in the list`);
  await each(COMMANDS, async (command) => {
    const { status, stdout, stderr } = await cygnet(command, "--help");
    t.same([status, stderr], [0, ""], `${command} --help`);
    t.match(stdout, new RegExp(`^Usage: cygnet ${command} `), `${command}: usage`);
    for (const word of ["--config", "--json", "Exit status: 0 done, 1 not done"]) {
      t.ok(stdout.includes(word), `${command} --help tells of ${word}`);
    }
  });
  t.match(await cygnet("--version"), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  const wrong = [
    [],
    ["nonsense"],
    ["status", "--bogus"],
    ["status", "extra"],
    ["send"],
    ["send", "file"],
    ["recv"],
    ["display"],
    ["start"],
    ["halt", "--state", "D"],
    ["delete"],
    ["explain"],
    ["check", "--config"],
    ["log", "--level", "Z"],
    ["listcat", "--state", "Q"],
    ["listcat", "--direct", "up"],
    ["listcat", "--limit", "0"],
    ["listcat", "--since", "yore"],
  ];
  await each(wrong, async (args) => {
    const { status, stdout, stderr } = await cygnet(...args);
    t.equal(status, 2, `cygnet ${args.join(" ")} exits 2`);
    t.equal(stdout, "", "nothing on stdout");
    t.match(stderr, args.length === 0 ? /Usage: cygnet/ : /error: /, "the reason is on stderr");
  });
  t.match((await cygnet("statsu")).stderr, /Did you mean status/);
  await each(["CFTT75E", "ESID 04"], async (code) => {
    const { status, stdout } = await cygnet("explain", ...code.split(" "));
    t.equal(status, 0, `explain ${code}`);
    t.match(stdout, /means .*\n.*do /s);
  });
  t.match(await cygnet("explain", "CFTT99Z"), { status: 1, stdout: "", stderr: /is not known/ });
  const unknown = await cygnet("explain", "CFTT75X", "--json");
  t.equal(unknown.status, 1);
  t.match(JSON.parse(unknown.stdout), { code: "CFTT75X", matches: [], suggestions: ["CFTT75E"] });
});

test("check shows every error with its place", { timeout: 600_000 }, async (t) => {
  const { hub } = await site(t, {});
  t.match(await hub.cli("check"), { status: 0, stdout: /is good: 1 partners?, 2 protocols, 1 folders?/ });
  t.match((await hub.cli("check", "--json")).json, { ok: true, problems: [] });
  await edit(hub, "cygnet.toml", (text) =>
    text
      .replace("maxcnx = 100", 'maxcnx = "lots"')
      .replace("[cftlog]", "[cftlogg]")
      .replace('"TLS"\n\n', '"TSL"\n\n'),
  );
  await edit(hub, "partners.d/acme.toml", (text) => text.replace("state ", "stat "));
  const { status, stdout, stderr } = await hub.cli("check");
  t.same([status, stdout], [2, ""]);
  const lines = stderr.trim().split("\n");
  const last = lines.pop() ?? "";
  t.ok(lines.length >= 3, "all at once");
  for (const line of lines) t.match(line, /^[\w./-]+\.toml:\d+:\d+: /, "file:line:column");
  t.match(last, new RegExp(`${lines.length} errors in the configuration`));
  for (const what of [
    /cftnet LOCAL: maxcnx: .*"lots"/,
    /cftlogg.*cftlog/,
    /acme\.toml:\d+:\d+: cftpart ACME: stat: .*state/,
  ])
    t.match(stderr, what);
  const json = await hub.cli("check", "--json");
  t.equal(json.status, 2);
  t.equal(json.json.ok, false);
  t.equal(json.json.problems.length, lines.length);
  for (const problem of json.json.problems) {
    t.match(problem, {
      file: String,
      line: Number,
      column: Number,
      object: String,
      key: String,
      code: /^CYG_/,
      message: String,
    });
  }
  t.match(
    await hub.cli("run"),
    { status: 2, stderr: /cftnet LOCAL: maxcnx/ },
    "it does not start with it either",
  );
  await fs.rm(hub.config);
  t.match(await hub.cli("check"), { status: 2, stderr: /no such file/ });
  t.notOk(existsSync(hub.socket));
});

test("with a gateway, without one, and with one that was killed", { timeout: 600_000 }, async (t) => {
  const { hub, acme } = await site(t, { logLevel: "T" });
  const said: string[] = [];
  const cli = async (...args: string[]) => {
    // the log in JSON is a line for each message, which is no JSON text as a whole
    const lines = args[0] === "log";
    const result = lines
      ? await sh(NODE[0] as string, [...NODE.slice(1), ...args, "--config", hub.config], hub.directory)
      : await hub.cli(...args);
    said.push(result.stdout, result.stderr);
    return result;
  };
  const file = join(hub.directory, "report.txt");
  await fs.writeFile(file, "the report");

  const needing = [
    ["status"],
    ["reload"],
    ["shut"],
    ["send", file, "--part", "ACME"],
    ["recv", "--part", "ACME"],
    ["start", "00000001"],
  ];
  const absent = async (commands: string[][]) => {
    await each(commands, async (args) => {
      const result = await cli(...args);
      t.match(result, { status: 1, stdout: "" }, `${args[0]} without a gateway`);
      t.match(
        result.stderr,
        /^cygnet: no gateway is running \(nobody listens on .*control\.sock\); start it with "cygnet run"\n$/,
      );
    });
  };
  await absent(needing);
  t.match(await cli("listcat"), { status: 1, stderr: /There is no catalog at .*catalog\.db/ });
  t.match(await cli("display", "00000001"), { status: 1, stderr: /There is no catalog/ });
  t.match(await cli("log"), { status: 1, stderr: /there is no log at/ });

  await Promise.all([hub.start(), acme.start()]);
  t.equal((await fs.stat(hub.socket)).mode & 0o7777, 0o660, "the control socket is for user and group");
  t.match(await cli("listcat"), { status: 0, stdout: "" }, "an empty catalog prints nothing into a pipe");
  t.same((await cli("listcat", "--json")).json, []);
  const follower = spawn(NODE[0] as string, [...NODE.slice(1), "log", "-f", "--config", hub.config]);
  let followed = "";
  follower.stdout.on("data", (chunk) => {
    followed += chunk;
  });
  t.teardown(() => follower.kill());
  await waitFor("log -f to show what is there", () => followed.includes("CFTI14I"));

  await t.test("send", async (t) => {
    const sent = await cli("send", file, "--part", "ACME", "--wait", "--json");
    t.match(sent, {
      status: 0,
      stderr: "",
      json: {
        state: "X",
        ack: "A",
        part: "ACME",
        direct: "send",
        mode: "requester",
        nfname: "report.txt",
        filesize: 10,
      },
    });
    t.ok(existsSync(file), "the file itself stays");
    t.equal(await fs.readFile(acme.inbox("report.txt"), "utf8"), "the report");
    const named = await cli("send", "report.txt", "-p", "ACME", "-n", "OTHER.&FROOT", "--wait");
    t.match(named, { status: 0, stdout: /^\d+ to ACME \(DEFAULT\): state X, ack A\n$/ });
    t.ok(existsSync(acme.inbox("OTHER.report")));
    t.match(await cli("send", "report.txt", "-p", "ACME"), {
      status: 0,
      stdout: /to ACME \(DEFAULT\): state [DCZX]/,
    });
    t.match(await cli("send", "gone.txt", "--part", "ACME", "--wait"), {
      status: 1,
      stdout: "",
      stderr: /gone\.txt cannot be read/,
    });
    t.match(await cli("send", hub.directory, "--part", "ACME"), { status: 1, stderr: /is not a file/ });
    t.match(await cli("send", file, "--part", "NOBODY"), {
      status: 1,
      stderr: /there is no partner NOBODY; known are ACME/,
    });
    // a file that the partner refuses for good waits for an operator
    const generation = async (number: number) =>
      waitFor("ACME to take the edit over", async () => (await acme.status()).generation.number === number);
    const mended = await edit(acme, "partners.d/hub.toml", (text) =>
      text.replace("state ", 'require = ["sign"]\nstate '),
    );
    await generation(2);
    const held = await cli("send", file, "--part", "ACME", "--idf", "OTHER", "--wait");
    t.match(held, {
      status: 1,
      stdout: /^\d+ to ACME \(OTHER\): state H\n$/,
      stderr: /signed.*\(DIAGI \d+\)/,
    });
    const [{ idtu }] = (await cli("listcat", "--state", "H", "--json")).json;
    await acme.write("partners.d/hub.toml", mended);
    await generation(3);
    t.match(await cli("start", idtu), { status: 0, stdout: /state D/ });
    t.match(await cli("recv", "--part", "NOBODY"), { status: 1, stderr: /there is no partner NOBODY/ });
    t.match(await cli("start", "99999999"), { status: 1, stderr: /there is no transfer 99999999/ });
    t.ok((await fs.readdir(join(hub.rundir, "work", "submit"))).length === 0, "no copy is left over");
  });

  await t.test("listcat and display", async (t) => {
    await waitFor("all to end", async () => (await hub.transfers({ state: "X" })).length === 4);
    const { json } = await cli("listcat", "--json");
    t.equal(json.length, 4);
    for (const record of json) t.same(Object.keys(record), RECORD, "the keys of the contract, in its order");
    for (const { kdate, bdate, edate, state } of json) {
      for (const date of state === "X" ? [kdate, bdate, edate] : [kdate])
        t.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    t.same(
      json
        .map(({ idtu }: { idtu: string }) => idtu)
        .toSorted()
        .toReversed(),
      json.map(({ idtu }: { idtu: string }) => idtu),
      "newest first",
    );
    t.equal((await cli("listcat", "--state", "X", "--json")).json.length, 4);
    t.equal((await cli("listcat", "--idf", "OTHER", "--json")).json.length, 1);
    t.equal((await cli("listcat", "--direct", "recv", "--json")).json.length, 0);
    t.equal((await cli("listcat", "--part", "NOBODY", "--json")).json.length, 0);
    t.equal((await cli("listcat", "--limit", "2", "--json")).json.length, 2);
    t.equal((await cli("listcat", "--since", "1h", "--json")).json.length, 4);
    t.equal((await cli("listcat", "--since", "2099-01-01", "--json")).json.length, 0);
    const piped = (await cli("listcat")).stdout.trimEnd().split("\n");
    t.equal(piped.length, 4, "one plain line each");
    for (const line of piped) t.equal(line.split("\t").length, 10, "cells behind tabs");
    const terminal = await sh(
      "script",
      ["-qec", [...NODE, "listcat", "--config", hub.config].join(" "), "/dev/null"],
      hub.directory,
    );
    t.match(terminal.stdout, /IDTU +DIRECT +PART +IDF +STATE/, "titles on a terminal");
    t.ok(terminal.stdout.includes("\u001b[32m"), "and colour");
    t.equal(
      (
        await sh(
          "sh",
          ["-c", `${[...NODE, "listcat", "--config", hub.config].join(" ")} | head -n 1`],
          hub.directory,
        )
      ).stderr,
      "",
      "a reader that has had enough",
    );
    const { idtu } = json[0];
    const detail = await cli("display", idtu, "--json");
    t.match(detail, {
      status: 0,
      json: { idtu, part: "ACME", dsn: String, orig: "O0999HUB", dest: "O0999ACME", tries: Number },
    });
    t.match((await cli("display", idtu)).stdout, new RegExp(`^idtu +${idtu}$`, "m"));
    t.match(await cli("display", "99999999"), { status: 1, stdout: "", stderr: /no transfer 99999999/ });
    t.match(await cli("start", idtu), {
      status: 1,
      stderr: /is a send in state XX; start applies to .*TH, TK/,
    });
  });

  await t.test("log", async (t) => {
    const [{ idtu }] = (await cli("listcat", "--state", "X", "--limit", "1", "--json")).json;
    await waitFor(
      "log -f to show the transfer",
      () => followed.includes(`IDTU=${idtu}`) && followed.includes("CFTT58I"),
    );
    const lines = async (...args: string[]) => (await cli("log", ...args)).stdout.trimEnd().split("\n");
    const everything = await lines();
    t.ok(
      everything.every((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} CFT[A-Z]\d\d[TIWEF] /.test(line)),
      "layout V24",
    );
    const one = await lines("--idtu", idtu);
    t.ok(one.length > 3 && one.every((line) => line.includes(`IDTU=${idtu}`)), "only this transfer");
    t.ok(
      (await lines("--level", "I")).every((line) => !/CFT[A-Z]\d\dT/.test(line)),
      "no trace above T",
    );
    t.ok((await lines("--part", "ACME")).every((line) => line.includes("ACME")));
    for (const line of await lines("--json", "--idtu", idtu))
      t.match(JSON.parse(line), { time: String, severity: /[TIWEF]/, id: /^CFT/, variables: { idtu } });
    t.equal(new Set(followed.split("\n")).size, followed.split("\n").length, "log -f shows each line once");
    follower.kill("SIGINT");
  });

  await t.test("status", async (t) => {
    const { json, status } = await cli("status", "--json");
    t.equal(status, 0);
    t.match(json, {
      part: "HUB",
      pid: hub.pid,
      state: "running",
      generation: { number: 1, plan: [], rejected: [] },
      listeners: [
        { prot: "OFTP", address: "127.0.0.1", port: hub.ports.OFTP, secure: false },
        { prot: "OFTPS", port: hub.ports.OFTPS, secure: true },
      ],
      folders: [{ id: "OUTBOX", state: "active" }],
      transfers: { send: { X: 4 }, recv: {}, responses: 0 },
    });
    t.match((await cli("status")).stdout, /^site +HUB, running since .*, process \d+$/m);
  });

  await t.test("a second gateway on the same rundir is refused, the first goes on", async (t) => {
    t.match(await cli("run"), {
      status: 1,
      stderr: new RegExp(`in use by another gateway \\(process ${hub.pid}\\): stop that one first`),
    });
    const [other, more] = await freePorts(2);
    const text = await fs.readFile(hub.config, "utf8");
    const second = join(hub.directory, "second.toml");
    const ports = text
      .replace(String(hub.ports.OFTP), String(other))
      .replace(String(hub.ports.OFTPS), String(more));
    await fs.writeFile(second, `${ports}\n[cftcat]\nfname = "second.db"\n`);
    const refused = await sh(NODE[0] as string, [...NODE.slice(1), "run", "--config", second], hub.directory);
    t.equal(refused.status, 1);
    t.match(refused.stderr, /A gateway already listens on .*control\.sock: stop it first/);
    await fs.rm(second);
    t.equal((await cli("status", "--json")).json.pid, hub.pid);
  });

  await t.test("after SIGKILL the files still tell, and the next start replaces the socket", async (t) => {
    const before = (await cli("listcat", "--json")).json;
    await hub.kill("SIGKILL");
    t.ok(existsSync(hub.socket), "the socket of the dead is still there");
    await absent([["status"], ["reload"], ["shut"]]);
    t.same((await cli("listcat", "--json")).json, before, "listcat reads the catalog itself");
    t.match(await cli("display", before[0].idtu), { status: 0 });
    t.match(await cli("display", "99999999"), { status: 1 });
    t.match(await cli("log", "--level", "I"), { status: 0, stdout: /CFTI14I/ });
    await hub.start();
    t.equal((await cli("status")).status, 0);
    t.equal((await fs.stat(hub.socket)).mode & 0o7777, 0o660);
  });

  await t.test("passwords are nowhere", async (t) => {
    // the partner's, wrong and in a command that cannot be read
    const planted = encode(ssid({ code: "O0999ACME", pswd: "PLANTED1" }), 5);
    for (const octets of [planted, planted.subarray(0, 50), Buffer.concat([planted, planted])]) {
      const raw = await Raw.connect(hub.ports.OFTP);
      await raw.expect("SSRM");
      raw.buffer(octets);
      await raw.outcome();
    }
    await edit(hub, "partners.d/acme.toml", (text) => text.replace('"HUBPW"', '"PLANTED2"'));
    const changed = await cli("reload", "--json");
    await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
    t.equal(changed.status, 0);
    t.match((await cli("status", "--json")).json.generation.plan, [
      { keys: [{ key: "nspassw", from: "[secret]", to: "[secret]" }] },
    ]);
    await cli("send", file, "--part", "ACME");
    await waitFor("the refusal", () => acme.messages("CFTT19E").length > 0);
    await edit(hub, "partners.d/acme.toml", (text) => text.replace('"PLANTED2"', '["PLANTED3"]'));
    t.equal((await cli("reload")).status, 2);
    await edit(hub, "partners.d/acme.toml", (text) => text.replace('["PLANTED3"]', '"PLANTED4-IS-TOO-LONG"'));
    t.equal((await cli("reload")).status, 2);
    await cli("check");
    await edit(hub, "partners.d/acme.toml", (text) => text.replace('"PLANTED4-IS-TOO-LONG"', '"HUBPW"'));
    t.equal((await cli("reload")).status, 0);
    for (const args of [["status", "--json"], ["listcat", "--json"], ["log"], ["log", "--json"]])
      await cli(...args);
    t.match(hub.log(), /CFTH75T/, "the trace is on");
    const console = await fs.readFile(hub.console, "utf8");
    for (const [where, text] of Object.entries({
      output: said.join("\n"),
      log: hub.log(),
      acme: acme.log(),
      console,
    })) {
      const found = /.*(HUBPW|ACMEPW|PLANTED).*/.exec(text)?.[0];
      t.equal(found, undefined, `no password in ${where}`);
    }
  });
});

test("shut lets a transfer finish, shut --fast cuts it and it resumes", { timeout: 600_000 }, async (t) => {
  const { hub, acme } = await site(t, {});
  const slow = 12_000_000;
  const throttle = await Throttle.before(acme.ports.OFTP, slow);
  t.teardown(() => throttle.close());
  await edit(hub, "partners.d/acme.toml", (text) =>
    text.replace(`[${acme.ports.OFTP}]`, `[${throttle.port}]`),
  );
  await Promise.all([hub.start(), acme.start()]);
  const underWay = (gateway: Gateway, octets: number) =>
    waitFor(`${octets} octets`, async () =>
      (await gateway.status()).sessions.some(({ bytes }) => (bytes ?? 0) > octets),
    );

  const first = await hub.drop("first.dat", { size: 20 * 1024 * 1024, seed: 1 });
  await underWay(hub, 1_000_000);
  t.match(await hub.cli("shut"), { status: 0, stdout: "the gateway has stopped\n", stderr: "" });
  t.same(await hub.exited(), { code: 0, signal: null });
  t.notOk(existsSync(hub.socket), "the control socket is gone");
  await waitFor("the first file", () => existsSync(acme.inbox("first.dat")));
  t.equal(await hashFile(acme.inbox("first.dat")), first, "shut waited for the file");
  t.match((await hub.cli("shut")).status, 1, "there is nothing to stop");

  await hub.start();
  const second = await hub.drop("second.dat", { size: 200 * 1024 * 1024, seed: 2 });
  await underWay(acme, 10_000_000);
  const began = performance.now();
  t.match(await hub.cli("shut", "--fast", "--json"), { status: 0, json: { stopped: true } });
  t.ok(performance.now() - began < 5_000, "at once");
  t.same(await hub.exited(), { code: 0, signal: null });
  const [cut] = (await hub.cli("listcat", "--direct", "send", "--limit", "1", "--json")).json;
  t.match(cut, { nfname: "second.dat", state: "D" }, "it waits");
  t.notOk(existsSync(acme.inbox("second.dat")), "nothing partial is seen");

  await hub.start();
  await waitFor("the restart", () => hub.messages("CFTT96I").length > 0);
  t.match(
    hub.messages("CFTT96I")[0],
    new RegExp(`IDTU=${cut.idtu} .*POS=[1-9]`),
    "it goes on where it was cut",
  );
  // a graceful stop under way can be hurried
  const graceful = hub.cli("shut");
  await waitFor("the stop", async () => (await hub.status()).state === "stopping");
  t.equal((await hub.cli("shut", "--fast")).status, 0);
  t.equal((await graceful).status, 0);
  // the socket is gone a moment before the process is
  t.same(await hub.exited(), { code: 0, signal: null });

  throttle.rate = Number.POSITIVE_INFINITY;
  await hub.start();
  await waitFor("the second file", () => existsSync(acme.inbox("second.dat")));
  t.equal(await hashFile(acme.inbox("second.dat")), second);
  await waitFor("its response", async () => (await hub.transfer("send", "second.dat"))?.state === "X");
  t.notOk(existsSync(acme.inbox("second~2.dat")), "delivered once");
  await hub.kill("SIGTERM");
  t.same(await hub.exited(), { code: 0, signal: null }, "SIGTERM stops it in good order");
});
