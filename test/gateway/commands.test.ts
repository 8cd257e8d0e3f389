/** Operator's commands on transfers between two real gateways: what each makes of a waiting, a running, an ended one. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "tap";
import { ended } from "./arrivals.ts";
import { Callee } from "./callee.ts";
import { CD, data, edit, eerp, type Raw, RTR, session, sfid, ssid, Throttle } from "./extra.ts";
import { type Gateway, hashFile, site, waitFor } from "./harness.ts";

const MiB = 1024 * 1024;

/** Waits until the only transfer of a name and direction is in a state, and gives it. */
async function until(gateway: Gateway, direct: "send" | "recv", name: string, state: RegExp) {
  // a file that is still coming is known by its dataset name only
  const find = async () =>
    (await gateway.transfer(direct, name)) ?? (await gateway.transfer(direct, name.toUpperCase()));
  await waitFor(`${direct} of ${name} to be ${state.source} at ${gateway.id}`, async () => {
    const found = await find();
    return found !== undefined && state.test(`${found.phase}${found.phasestep}`);
  });
  const found = await find();
  if (found === undefined) throw new Error(`${name} is gone`);
  return found;
}

test("waiting transfers: hold, keep, start, delete, by IDTU and by masks", async (t) => {
  const { hub, acme } = await site(t, { hub: { state: "noactive" } });
  await hub.start();
  const hash = await hub.drop("one.txt", { size: 5_000, seed: 1 });
  await hub.drop("two.txt", { size: 10, seed: 2 });
  await hub.drop("three.txt", { size: 10, seed: 3 });
  const one = await until(hub, "send", "one.txt", /TD/);
  for (const name of ["two.txt", "three.txt"]) await until(hub, "send", name, /TD/);

  const halted = await hub.cli("halt", one.idtu, "--text", "wait for Monday");
  t.match(halted, { status: 0, stdout: new RegExp(`^${one.idtu} to ACME \\(DEFAULT\\): state H$`, "m") });
  t.match(await hub.transfer("send", "one.txt"), {
    state: "H",
    diagi: 121,
    diagp: "OPER",
    diagc: "wait for Monday",
  });
  t.match(await hub.cli("halt", one.idtu), {
    status: 1,
    stderr: /is a send in state TH with DIAGI 121; halt applies to/,
  });

  const kept = await hub.cli("keep", "--part", "AC*", "--json");
  t.equal(kept.status, 0);
  t.same(
    kept.json.done.map(({ state, diagi }: { state: string; diagi: number }) => `${state} ${diagi}`),
    ["K 121", "K 121", "K 121"],
    "a mask means them all, the held one, too",
  );
  const none = await hub.cli("halt", "--part", "NOBODY");
  t.match(none, { status: 0, stdout: /no transfer is meant/ });
  t.match(await hub.cli("halt", "99999999"), { status: 1, stderr: /there is no transfer 99999999/ });

  const two = await hub.transfer("send", "two.txt");
  t.match(await hub.cli("delete", String(two?.idtu)), { status: 0, stdout: /deleted/ });
  t.match(hub.messages("CFTC07I"), [/STATE=T. DIRECT=send/]);
  t.equal(await hub.transfer("send", "two.txt"), undefined, "the record is gone");
  t.ok(existsSync(join(hub.rundir, "failed", "ACME", "two.txt")), "its file is not");

  await acme.start();
  await hub.configure({}, acme);
  await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
  t.match(await hub.cli("start", "--part", "*", "--state", "K"), { status: 0 });
  await waitFor("both to arrive", async () => ended(await hub.transfers(), 2));
  t.equal(await hashFile(acme.inbox("one.txt")), hash);
  t.notOk(existsSync(acme.inbox("two.txt")), "what was deleted never went");

  const filters: [Record<string, string>, string[]][] = [
    [{ part: "A?ME" }, ["one.txt", "three.txt"]],
    [{ part: "A[C]ME" }, []],
    [{ state: "X", ack: "A" }, ["one.txt", "three.txt"]],
    [{ diagi: "error" }, []],
    [{ diagi: "0" }, ["one.txt", "three.txt"]],
    [{ mode: "requester", phase: "X", phasestep: "X" }, ["one.txt", "three.txt"]],
    [{ mode: "server" }, []],
    [{ until: String(Date.now() - 3_600_000) }, []],
    [{ idf: "DEF*", direct: "send" }, ["one.txt", "three.txt"]],
  ];
  for (const [filter, names] of filters) {
    const found = (await hub.transfers(filter)).map(({ fname }) => fname.split("/").at(-1)).sort();
    t.same(found, names, `listcat ${JSON.stringify(filter)}`);
  }
  const sizes = async (sort: string) => (await hub.transfers({ sort })).map(({ filesize }) => filesize);
  t.same(await sizes("filesize"), [10, 5_000]);
  t.same(await sizes("-filesize"), [5_000, 10]);
  const full = await hub.cli("listcat", "--content", "full", "--sort", "-filesize");
  t.match(full.stdout, /OFTP/, "more columns");
});

test("held sends wait for the partner's call: with --state hold and by the flow", async (t) => {
  const { hub, acme } = await site(t, { hub: { more: '[[cftsend]]\nid = "PICKUP"\nstate = "hold"\n' } });
  await Promise.all([hub.start(), acme.start()]);
  const hash = await hub.drop("PICKUP/held.txt", { size: 3_000, seed: 1 });
  const file = join(hub.directory, "asked.txt");
  await hub.write("asked.txt", "by command");
  t.match(await hub.cli("send", file, "--part", "ACME", "--state", "hold"), { status: 0, stdout: /state H/ });
  t.match(await hub.cli("send", file, "--part", "ACME", "--state", "keep", "--nfname", "KEPT"), {
    status: 0,
    stdout: /state K/,
  });
  const held = await until(hub, "send", "held.txt", /TH/);
  t.match(held, { diagi: 0, diagp: "HOLD" });
  t.match(hub.messages("CFTT17I").join("\n"), new RegExp(`IDTU=${held.idtu} PART=ACME IDF=PICKUP`));

  // our own sessions leave it where it is
  await hub.drop("now.txt", { size: 10, seed: 2 });
  await waitFor(
    "the one that goes at once",
    async () => (await hub.transfer("send", "now.txt"))?.state === "X",
  );
  t.match(await hub.transfer("send", "held.txt"), { state: "H" }, "not sent in a session that we opened");

  t.match(await acme.cli("recv", "--part", "HUB"), { status: 0 });
  await waitFor("the held ones", async () => (await hub.transfers({ state: "X" })).length === 3);
  t.match(await hub.transfer("send", "held.txt"), { mode: "server", ack: "A" });
  t.equal(await hashFile(acme.inbox("held.txt")), hash);
  t.same((await hub.transfers({ state: "K" })).length, 1, "what is kept is not fetched");
});

test("recv gives the partner the turn: in the session that is open, else in the next", async (t) => {
  const { hub } = await site(t, { disctd: "300s" });
  const lines: Raw[] = [];
  const callee = await Callee.listen(async (raw) => {
    raw.send({ type: "SSRM", message: "ODETTE FTP READY " });
    await raw.expect("SSID");
    raw.send(ssid());
    lines.push(raw);
  });
  t.teardown(() => callee.close());
  await hub.write(
    "partners.d/shelf.toml",
    `[[cftpart]]\nid = "SHELF"\nprot = ["OFTP"]\nsap = [${callee.port}]\nnrpart = "O0999RAW"
[[cfttcp]]\nid = "SHELF"\nhost = "127.0.0.1"\ncnxinout = 1\n`,
  );
  await hub.start();
  const recv = async () =>
    t.match(await hub.cli("recv", "--part", "SHELF"), { status: 0, stdout: /the turn/ });
  const line = async (index: number): Promise<Raw> => {
    await waitFor("the call", () => lines.length > index);
    return lines[index] as Raw;
  };

  // a file of ours is under way: the turn follows it, in this session
  await hub.write("var/outbox/SHELF/ours.txt", "to the shelf");
  const first = await line(0);
  const ours = await first.expect("SFID");
  await recv();
  first.send({ type: "SFPA", acnt: 0n });
  await first.expect("DATA");
  await first.expect("EFID");
  first.send({ type: "EFPA", cd: false });
  await first.expect("CD");
  first.send(sfid());
  await first.expect("SFPA");
  first.buffer(data("x")).send({ type: "EFID", rcnt: 0n, ucnt: 1n });
  await first.expect("EFPA");
  first.send(CD);
  await first.expect("EERP");
  first.send(RTR);
  await first.expect("CD");
  first.send(eerp(ours));
  await first.expect("RTR");
  first.send(CD);
  await waitFor("the turn to be taken", () => hub.messages("CFTT83I").length === 1);

  // it has the turn, and may not give it back as it is: the session ends, the next one gives it
  await waitFor("the session to be idle", async () => (await hub.status()).sessions[0]?.state === "IDLESPCD");
  await recv();
  t.match(await first.expect("ESID"), { reas: 0 });
  first.socket.end();
  const second = await line(1);
  await second.expect("CD");
  second.send({ type: "ESID", reas: 0, reast: "" });
  await second.rest();

  // there may be one session only, and the partner has it: the call follows
  const theirs = await session(hub.ports.OFTP);
  await recv();
  await waitFor("the obstacle to be looked at", async () => (await hub.status()).sessions.length === 1);
  t.equal(callee.calls, 2);
  theirs.close();
  await (await line(2)).expect("CD");
  t.equal(hub.messages("CFTT83I").length, 1, "two turns that were not used");
  t.match(await hub.cli("recv", "--part", "NOBODY"), { status: 1, stderr: /partner NOBODY/ });
});

test("running transfers are cut, held, and go on; deleted they go", async (t) => {
  const { hub, acme } = await site(t, { retryw: "300ms", disctd: "200ms", srusize: 4096, scredit: 4 });
  const line = await Throttle.before(acme.ports.OFTP, 2 * MiB);
  t.teardown(() => line.close());
  await edit(hub, "partners.d/acme.toml", (text) => text.replace(`[${acme.ports.OFTP}]`, `[${line.port}]`));
  await Promise.all([hub.start(), acme.start()]);
  const size = 12 * MiB;
  const running = async (direct: "send" | "recv", gateway: Gateway, name: string) => {
    await waitFor(`${name} to move`, async () =>
      (await gateway.status()).sessions.some(({ bytes }) => (bytes ?? 0) > MiB / 2),
    );
    return until(gateway, direct, name, /TC/);
  };

  await t.test("halted by the sender, started again: it goes on from where it was", async (t) => {
    const hash = await hub.drop("sent.bin", { size, seed: 1 });
    const { idtu } = await running("send", hub, "sent.bin");
    t.match(await hub.cli("halt", idtu), { status: 0, stdout: /state H/ });
    t.match(await hub.transfer("send", "sent.bin"), { state: "H", diagi: 121 });
    await until(acme, "recv", "sent.bin", /TH/);
    t.ok(hub.messages("CFTT62E").length > 0, "CFTT62E says so");
    t.match(await hub.cli("start", idtu), { status: 0 });
    await until(hub, "send", "sent.bin", /XX/);
    t.ok(hub.messages("CFTT96I").length > 0, "restarted, not from the beginning");
    t.equal(await hashFile(acme.inbox("sent.bin")), hash);
  });

  await t.test("kept by the receiver: refused until it is started", async (t) => {
    const hash = await hub.drop("kept.bin", { size, seed: 2 });
    const { idtu } = await running("recv", acme, "kept.bin");
    t.match(await acme.cli("keep", idtu), { status: 0, stdout: /state K/ });
    const refused = () => hub.messages("CFTT71E").some((text) => /stopped by an operator/.test(text));
    await waitFor("the refusal", refused);
    t.match(await acme.transfer("recv", "KEPT.BIN"), { state: "K" });
    t.match(await acme.cli("start", idtu), { status: 0, stdout: /state H/ });
    await until(hub, "send", "kept.bin", /XX/);
    t.equal(await hashFile(acme.inbox("kept.bin")), hash);
  });

  await t.test("deleted by the sender: cut, gone, its file kept aside", async (t) => {
    const hash = await hub.drop("gone.bin", { size, seed: 3 });
    const { idtu } = await running("send", hub, "gone.bin");
    t.match(await hub.cli("delete", idtu), { status: 0, stdout: /deleted/ });
    t.equal(await hub.transfer("send", "gone.bin"), undefined);
    t.equal(await hashFile(join(hub.rundir, "failed", "ACME", "gone.bin")), hash);
    const half = await until(acme, "recv", "gone.bin", /TH/);
    t.match(await acme.cli("delete", half.idtu), { status: 0 });
    t.same(await readdir(join(acme.rundir, "work", "recv")), [], "half-received octets go with the record");
    t.notOk(existsSync(acme.inbox("gone.bin")));
  });

  await t.test("an ended one is only a record", async (t) => {
    const [{ idtu } = { idtu: "" }] = await acme.transfers({ direct: "recv", state: "X" });
    for (const action of ["halt", "keep", "start", "resume"]) {
      t.match(await acme.cli(action, idtu), { status: 1, stderr: /is a recv in state XX/ }, action);
    }
    t.match(await acme.cli("delete", idtu), { status: 0 });
    t.ok((await readdir(acme.inbox())).length > 0, "the delivered file is not touched");
  });
});

test("resume offers what was halted to the partner's call", async (t) => {
  const { hub, acme } = await site(t, { hub: { state: "activeserv" } });
  await hub.start();
  await hub.drop("held.txt", "content");
  const { idtu } = await until(hub, "send", "held.txt", /TD/);
  t.match(await hub.cli("resume", idtu), { status: 1, stderr: /resume applies to TH with a DIAGI/ });
  t.match(await hub.cli("halt", idtu), { status: 0 });
  t.match(await hub.cli("resume", idtu), { status: 0, stdout: /state H/ });
  await acme.start();
  t.match(await acme.cli("recv", "--part", "HUB"), { status: 0 });
  await until(hub, "send", "held.txt", /XX/);
});

test("duplicates, slots, responses that do not come, transfers that run too long, records of old", async (t) => {
  const flow = (id: string, lines: string) => `[[cftsend]]\nid = "${id}"\n${lines}\n`;
  const more = [
    flow("ONCE", 'duplicat = "&IDF.&SFNAME"'),
    flow("LATER", 'mintime = "+60"'),
    flow("MISSED", 'maxtime = "+0"'),
    flow("ANSWER", 'acktimeout = "1s"'),
    flow("SHORT", 'maxduration = "1s"'),
    "[cftcat]\n",
  ].join("\n");
  const { hub, acme } = await site(t, {
    retryw: "300ms",
    hub: { more },
    acme: { more: '[[cftrecv]]\nid = "ANSWER.TXT"\nackmode = "manual"\n' },
  });
  await Promise.all([hub.start(), acme.start()]);

  await hub.drop("ONCE/one.txt", "content");
  await until(hub, "send", "one.txt", /XX/);
  await hub.write("one.txt", "again");
  const again = await hub.cli(
    "send",
    join(hub.directory, "one.txt"),
    "--part",
    "ACME",
    "--idf",
    "ONCE",
    "--json",
  );
  t.match(again, {
    status: 1,
    json: { state: "K", diagi: 432, diagp: "DUPLICAT", diagc: /^the same as \d{8}$/ },
  });

  await hub.drop("LATER/later.txt", "content");
  const later = await until(hub, "send", "later.txt", /TD/);
  await hub.drop("MISSED/missed.txt", "content");
  await hub.drop("ANSWER/answer.txt", "content");
  t.match(await until(hub, "send", "missed.txt", /TK/), { diagi: 414, diagp: "OUT TIME" });
  t.match(await until(hub, "send", "answer.txt", /ZK/), { diagi: 244, diagp: "ACKTIMEOUT" });
  const received = await until(acme, "recv", "answer.txt", /ZH/);
  t.match(await acme.cli("end", received.idtu), { status: 0 });
  t.match(await until(hub, "send", "answer.txt", /XX/), { ack: "A" }, "a late response still counts");
  t.match(await hub.transfer("send", "later.txt"), { state: "D" }, "not before its time");
  t.match(await hub.cli("start", later.idtu), { status: 0 });
  await until(hub, "send", "later.txt", /XX/);

  const line = await Throttle.before(acme.ports.OFTP, 300_000);
  t.teardown(() => line.close());
  await edit(hub, "partners.d/acme.toml", (text) => text.replace(`[${acme.ports.OFTP}]`, `[${line.port}]`));
  await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
  await waitFor("the line to be free", async () => (await hub.status()).sessions.length === 0);
  await hub.drop("SHORT/short.bin", { size: 12 * MiB, seed: 1 });
  t.match(await until(hub, "send", "short.bin", /TK/), {
    diagi: 121,
    diagc: "it ran longer than maxduration",
  });

  await edit(hub, "cygnet.toml", (text) => text.replace("[cftcat]", '[cftcat]\nsh = "1ms"'));
  await waitFor("the reload", async () => (await hub.status()).generation.number === 3);
  await hub.kill("SIGTERM");
  await hub.start();
  await waitFor("what nobody wants to go", async () => (await hub.transfers({ state: "K" })).length === 0);
  t.ok(existsSync(join(hub.rundir, "failed", "ACME", "short.bin")), "its file is kept");
});
