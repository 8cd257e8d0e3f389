/** Two gateways as processes of their own exchange files: every promise of the straight case, from the outside. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { TransferRecord } from "../../src/admin/record.ts";
import { ask } from "../../src/cli/client.ts";
import { capacity } from "../../src/oftp/wire/subrecords.ts";
import { dropAll, ended, everythingArrived, exchange } from "./arrivals.ts";
import {
  filesBelow,
  freePorts,
  type Gateway,
  hashFile,
  hashTree,
  octets,
  partnerToml,
  type SiteOptions,
  site,
  waitFor,
} from "./harness.ts";

const MiB = 1024 * 1024;

/** Sessions that a gateway opened or accepted, by IDS: how many files went and came in each. */
async function sessionsOf(gateway: Gateway): Promise<Map<string, { send: number; recv: number }>> {
  const direct = new Map((await gateway.transfers()).map((each) => [each.idtu, each.direct]));
  const sessions = new Map<string, { send: number; recv: number }>();
  for (const line of gateway.messages("CFTH56I")) {
    sessions.set(/IDS=(\d+)/.exec(line)?.[1] ?? "", { send: 0, recv: 0 });
  }
  for (const line of gateway.messages("CFTT58I")) {
    const session = sessions.get(/IDS=(\d+)/.exec(line)?.[1] ?? "");
    const way = direct.get(/IDTU=(\d+)/.exec(line)?.[1] ?? "");
    if (session && way) session[way] += 1;
  }
  return sessions;
}

const startBoth = ({ hub, acme }: { hub: Gateway; acme: Gateway }) =>
  Promise.all([hub.start(), acme.start()]);

const CREDIT = 16;
const FULL = capacity(65_535 - 1);
const MIXED = [
  ...[0, 1, 2, 62, 63, 64, 65, 126, 127, 128, 1023, 1024, 1025, 4096, 10_240, 65_534, 65_535, 65_536],
  ...[FULL - 1, FULL, FULL + 1, FULL * CREDIT - 1, FULL * CREDIT, FULL * CREDIT + 1, 2 * FULL * CREDIT],
  ...[3 * MiB, 100_000],
];
const mixed = (count: number) =>
  Array.from({ length: count }, (_, index) => MIXED[index % MIXED.length] as number);

for (const { name, options, sizes } of [
  { name: "in clear", options: { prot: ["OFTP"] }, sizes: [...mixed(199), 300 * MiB] },
  { name: "TLS 1.2", options: { prot: ["OFTPS"], version: ["1.2"] }, sizes: [...mixed(199), 300 * MiB] },
  { name: "TLS 1.3", options: { prot: ["OFTPS"], version: ["1.3"] }, sizes: mixed(40) },
] as const) {
  test(`${sizes.length} files of mixed sizes each way at once, ${name}`, async (t) => {
    const { hub, acme } = await exchange(t, { ...options, scredit: CREDIT } as SiteOptions, sizes);
    for (const gateway of [hub, acme]) {
      const sessions = await sessionsOf(gateway);
      // how many depends on how fast the files are claimed; far fewer than files they are
      const most = sizes.length / 4;
      t.ok(sessions.size <= most, `${gateway.id}: ${2 * sizes.length} files in ${sessions.size} sessions`);
    }
    // whoever calls first may carry the files of both
    const tls = [...hub.messages("CFTY14I"), ...hub.messages("CFTY15I")];
    if (name !== "in clear") t.match(tls.join("\n"), name.replace("TLS ", "TLSv"));
    else t.same(tls, []);
    for (const id of ["CFTT82E", "CFTH76W", "CFTH77E", "CFTC70E", "CFTF09E", "CFTH71W"]) {
      t.same([...hub.messages(id), ...acme.messages(id)], [], `no ${id}`);
    }
  });
}

test("both directions and many files in one session; the partner that may not call is served by it", async (t) => {
  const hubSays = { state: "noactive" } as const;
  const { hub, acme } = await site(t, { hub: hubSays, acme: { state: "activeserv" } });
  const there = await dropAll(hub, mixed(20), 1);
  const back = await dropAll(acme, mixed(20), 10_001);
  await startBoth({ hub, acme });
  // nobody calls before every file waits: however slow the disk, one session finds them all
  await waitFor("every file to be claimed", async () =>
    (await Promise.all([hub, acme].map((each) => each.transfers({ state: "D" })))).every(
      (waiting) => waiting.length === 20,
    ),
  );
  await hub.configure({}, acme);
  t.match(await ask(hub.socket, "POST", "/reload"), { accepted: true });
  await everythingArrived(t, [
    { from: hub, to: acme, expected: there },
    { from: acme, to: hub, expected: back },
  ]);
  for (const gateway of [hub, acme]) {
    t.same([...(await sessionsOf(gateway)).values()], [{ send: 20, recv: 20 }], `${gateway.id}: one session`);
  }
});

const SMALL = [0, 1, 63, 64, 127, 128, 1024, 20_000];
const combinations: { name: string; options: SiteOptions; sizes?: readonly number[] }[] = [
  { name: "buffer 128, credit 1", options: { srusize: 128, scredit: 1 } },
  {
    name: "buffer 128 against 99999, credit 999 against 2",
    options: { hub: { srusize: 128, scredit: 999 }, acme: { srusize: 99_999, scredit: 2 } },
    sizes: [...SMALL, MiB],
  },
  {
    name: "buffer 99999, credit 999",
    options: { srusize: 99_999, scredit: 999 },
    sizes: [...SMALL, 20 * MiB],
  },
  { name: "no compression on one side", options: { acme: { scomp: 0 } } },
  { name: "no restart", options: { resync: false } },
  { name: "level 4", options: { level: [4] } },
  { name: "level 2", options: { level: [2] } },
  { name: "level 1", options: { level: [1] } },
  { name: "level 1 asked by a caller of level 5", options: { acme: { level: [1] } } },
  { name: "a caller that only sends", options: { srout: "sender" } },
  {
    name: "one side never more than a receiver as caller",
    options: { acme: { srout: "receiver" } },
  },
  { name: "one side takes nothing from callers", options: { hub: { srin: "sender" } } },
];
test("both ways with every kind of session: each takes effect with the next one", async (t) => {
  const { hub, acme } = await site(t, { disctd: "200ms" });
  await startBoth({ hub, acme });
  const there = { from: hub, to: acme, expected: new Map<string, string>() };
  const back = { from: acme, to: hub, expected: new Map<string, string>() };
  const opened = () => [hub, acme].map((gateway) => gateway.messages("CFTH56I"));
  for (const [index, { name, options, sizes = SMALL }] of combinations.entries()) {
    await t.test(name, async (t) => {
      const { hub: onlyHub, acme: onlyAcme, ...both } = options;
      await waitFor("the sessions before to end", async () =>
        (await Promise.all([hub.status(), acme.status()])).every(({ sessions }) => sessions.length === 0),
      );
      const before = opened();
      await hub.configure({ disctd: "200ms", ...both, ...onlyHub }, acme);
      await acme.configure({ disctd: "200ms", ...both, ...onlyAcme }, hub);
      for (const gateway of [hub, acme]) {
        t.match(await ask(gateway.socket, "POST", "/reload"), { accepted: true });
      }
      const level = both.level?.[0] ?? onlyAcme?.level?.[0] ?? 5;
      for (const { from, expected } of [there, back]) {
        const dropped = await dropAll(from, sizes, 100 * index, `-${index}`);
        // below level 5 the names travel as dataset names, in capitals
        for (const [file, sha256] of dropped) expected.set(level === 5 ? file : file.toUpperCase(), sha256);
      }
      await everythingArrived(t, [there, back]);
      const ends = opened().flatMap((lines, side) => lines.slice(before[side]?.length));
      t.ok(ends.length > 0 && ends.length / 2 < 2 * sizes.length, `${ends.length / 2} sessions`);
      t.same(
        ends.filter((line) => !line.includes(`level ${level}`)),
        [],
        `level ${level} was agreed`,
      );
    });
  }
});

test("a caller that may not send what waits leaves retryw between its calls", async (t) => {
  const options = { retryw: "500ms", hub: { state: "activeserv" }, acme: { srout: "receiver" } } as const;
  const { hub, acme } = await site(t, options);
  await startBoth({ hub, acme });
  await acme.drop("waits.bin", "until HUB calls");
  await waitFor("the second call", () => acme.messages("CFTT13I").length >= 3);
  const [first, , third] = acme.messages("CFTT13I").map((line) => Date.parse(`${line.slice(0, 23)}Z`));
  t.ok((third as number) - (first as number) >= 900, "two pauses between three calls");
  t.match(await acme.transfers(), [{ state: "D" }]);
});

for (const scomp of [1, 0] as const) {
  test(`runs of one octet cross the line ${scomp ? "compressed" : "as they are"} and arrive equal`, async (t) => {
    const { hub, acme } = await site(t, { scomp, acme: { state: "activeserv" } });
    const line = await metered(t, acme.ports.OFTP);
    const partner = await fs.readFile(hub.partnerFile, "utf8");
    await fs.writeFile(hub.partnerFile, partner.replace(String(acme.ports.OFTP), String(line.port)));
    await startBoth({ hub, acme });
    const content = Buffer.concat([Buffer.alloc(200_000, 0x41), octets(1, 1000), Buffer.alloc(50_000)]);
    const expected = new Map([["runs.bin", await hub.drop("runs.bin", content)]]);
    await everythingArrived(t, [{ from: hub, to: acme, expected }]);
    const crossed = line.octets();
    if (scomp) t.ok(crossed < 15_000, `${crossed} octets on the line for ${content.length}`);
    else t.ok(crossed > content.length, `${crossed} octets on the line for ${content.length}`);
  });
}

/** A port where something other than a gateway answers. */
async function answering(t: Test, answer: (caller: Socket) => void): Promise<number> {
  const callers = new Set<Socket>();
  const server = createServer((caller) => {
    callers.add(caller.on("error", () => {}));
    answer(caller);
  });
  t.teardown(() => {
    for (const caller of callers) caller.destroy();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** A line to a port that counts the octets of the caller. */
async function metered(t: Test, target: number): Promise<{ port: number; octets(): number }> {
  let count = 0;
  const port = await answering(t, (caller) => {
    const called = connect(target, "127.0.0.1").on("error", () => caller.destroy());
    caller.on("data", (chunk) => {
      count += chunk.length;
    });
    caller.on("close", () => called.destroy());
    caller.pipe(called).pipe(caller);
  });
  return { port, octets: () => count };
}

test("the response comes in a later session when the file could not be delivered in the first", async (t) => {
  const { hub, acme } = await site(t, { disctd: "200ms" });
  await acme.start();
  await fs.rm(acme.inbox(), { recursive: true });
  await fs.writeFile(acme.inbox(), "a file where the inbox should be");
  await hub.start();
  const expected = new Map([["late.bin", await hub.drop("late.bin", { size: 100_000, seed: 4 })]]);
  await waitFor("phase Z", async () => (await hub.transfer("send", "late.bin"))?.state === "Z");
  t.equal((await acme.transfers())[0]?.state, "Y", "received, not delivered");
  t.match((await hub.cli("listcat", "--state", "Z")).stdout, "late.bin");
  await acme.kill("SIGKILL");
  await waitFor("the first session to end", async () => (await hub.status()).sessions.length === 0);
  t.match((await acme.cli("listcat", "--json")).json, [{ state: "Y", ack: "" }], "read without a gateway");
  await fs.rm(acme.inbox());
  await acme.start();
  await everythingArrived(t, [{ from: hub, to: acme, expected }]);
  const sessions = await sessionsOf(hub);
  t.equal(sessions.size, 2, "one session for the file, one for the response");
  t.match(hub.messages("CFTT59I").join(), [...sessions.keys()][1]);
});

test("a delivery that fails is repeated without a restart", async (t) => {
  const { hub, acme } = await site(t, { disctd: "200ms" });
  await acme.start();
  await fs.rm(acme.inbox(), { recursive: true });
  await fs.writeFile(acme.inbox(), "");
  await hub.start();
  const expected = new Map([["late.bin", await hub.drop("late.bin", { size: 1000, seed: 4 })]]);
  await waitFor("the failure", () => acme.messages("CFTF25E").length > 0);
  await fs.rm(acme.inbox());
  await everythingArrived(t, [{ from: hub, to: acme, expected }]);
  t.match(acme.messages("CFTF35W")[0], /PART=HUB .*TIME=\d{4}-/, "it says when it is tried again");
  t.match(acme.messages("CFTF33I"), [/late\.bin/], "and that it went in the end");
  const ours = await hub.transfer("send", "late.bin");
  const step = /(CFTT\d\d[A-Z]) .*IDTU=(\d+)/;
  const course = hub
    .log()
    .split("\n")
    .map((line) => step.exec(line))
    .filter((found) => found?.[2] === ours?.idtu)
    .map((found) => found?.[1])
    // the response and what follows it come when they come
    .filter((id) => id !== "CFTT59I" && id !== "CFTT89I");
  const sending = ["CFTT53I", "CFTT55I", "CFTT86I", "CFTT57I", "CFTT58I", "CFTT56I", "CFTT54I", "CFTT88I"];
  t.same(course, sending, "the course of a transfer in Transfer CFT's order");
});

test("inactive partner: the call is refused, nothing is recorded there, the send waits until it is active", async (t) => {
  const { hub, acme } = await site(t, { retryw: "100ms", acme: { state: "noactive" }, hub: { restart: 2 } });
  await startBoth({ hub, acme });
  const sha256 = await hub.drop("patient.bin", { size: 1000, seed: 5 });
  await waitFor("more refusals than `restart`", () => hub.messages("CFTH11E").length > 3);
  t.match(hub.log(), /CFTH11E .*ESID 08/);
  t.match(acme.log(), /CFTT46W .*PART=HUB/);
  t.match(acme.log(), /CFTH22E .*DIAGI=430/);
  t.match(await hub.transfer("send", "patient.bin"), { state: "D" });
  t.same(await acme.transfers(), []);
  await acme.configure({ retryw: "100ms" }, hub);
  await everythingArrived(t, [{ from: hub, to: acme, expected: new Map([["patient.bin", sha256]]) }]);
});

const refusals = [
  {
    name: "wrong password",
    options: { hub: { sends: "GUESS", restart: 2 } },
    there: [/CFTT19E .*PART=HUB/, /CFTH22E .*DIAGI=403/],
    here: [/CFTH13E .*DIAGP=204/, /CFTH11E .*ESID 04/, /CFTT08E/],
  },
  {
    name: "unknown code",
    options: { hub: { code: "O0999NOBODY", restart: 2 } },
    // its originator is in the record for ever, and stays unknown
    lasting: true,
    there: [/CFTT15E .*O0999NOBODY/, /CFTH22E .*DIAGI=409/],
    here: [/CFTH11E .*ESID 03/, /CFTT08E/],
  },
] as const;
for (const { name, options, there, here, ...rest } of refusals) {
  test(`${name}: the session is refused, nothing is recorded there, the send stops after its restarts`, async (t) => {
    const { hub, acme } = await site(t, { ...(options as SiteOptions), retryw: "100ms" });
    await startBoth({ hub, acme });
    const sha256 = await hub.drop("secret.bin", { size: 1000, seed: 5 });
    await waitFor("state K", async () => (await hub.transfer("send", "secret.bin"))?.state === "K");
    t.match(await hub.transfer("send", "secret.bin"), { diagi: 406, diagp: "MAXRST", ack: "" });
    t.equal(hub.messages("CFTH11E").length, 2, "as often as restart says");
    for (const pattern of here) t.match(hub.log(), pattern);
    for (const pattern of there) t.match(acme.log(), pattern);
    t.same(await acme.transfers(), [], "no record of a refused call");
    t.notMatch(hub.log() + acme.log(), /GUESS|HUBPW|ACMEPW/, "no password in a log");

    await hub.configure({ retryw: "100ms" }, acme);
    await acme.configure({ retryw: "100ms" }, hub);
    for (const gateway of [hub, acme]) t.match(await gateway.cli("reload"), { status: 0 });
    const { idtu } = (await hub.transfer("send", "secret.bin")) as TransferRecord;
    t.match(await hub.cli("start", idtu), { status: 0 }, "an operator starts it again");
    if ("lasting" in rest) {
      await waitFor("the refusal", async () => (await hub.transfer("send", "secret.bin"))?.state === "H");
      t.match(await hub.transfer("send", "secret.bin"), { diagi: 909, diagp: "103" });
      return;
    }
    await everythingArrived(t, [{ from: hub, to: acme, expected: new Map([["secret.bin", sha256]]) }]);
  });
}

test("TLS with a root that did not sign: DIAGI 260, CFTY13E here and CFTY30E or CFTY13E there", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"], retryw: "100ms", hub: { root: "hub", retrym: 2 } });
  await startBoth({ hub, acme });
  const sha256 = await hub.drop("secret.bin", { size: 1000, seed: 5 });
  await waitFor("state K", async () => (await hub.transfer("send", "secret.bin"))?.state === "K");
  t.match(await hub.transfer("send", "secret.bin"), { diagi: 260, diagp: /^PKI \d+$/, diagc: /certificate/ });
  t.equal(hub.messages("CFTT13I").length, 1, "it is not tried again");
  await waitFor("the log to say so", () => /CFTH10E .*DIAGI=260 DIAGP="PKI \d+"/.test(hub.log()));
  t.match(hub.log(), /CFTY13E/);
  t.match(acme.log(), /CFTY(13|30)E/);
  t.same(await acme.transfers(), []);
  await hub.configure({ prot: ["OFTPS"] }, acme);
  t.match(await hub.cli("reload"), { status: 0 });
  const { idtu } = (await hub.transfer("send", "secret.bin")) as TransferRecord;
  t.match(await hub.cli("start", idtu), { status: 0 });
  await everythingArrived(t, [{ from: hub, to: acme, expected: new Map([["secret.bin", sha256]]) }]);
});

test("TLS first, then clear: the second protocol serves when the first port is closed", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS", "OFTP"] });
  const [closed] = await freePorts(1);
  const partner = await fs.readFile(hub.partnerFile, "utf8");
  await fs.writeFile(hub.partnerFile, partner.replace(String(acme.ports.OFTPS), String(closed)));
  await startBoth({ hub, acme });
  const expected = new Map([["one.bin", await hub.drop("one.bin", { size: 1000, seed: 6 })]]);
  await everythingArrived(t, [{ from: hub, to: acme, expected }]);
  t.match(await hub.transfers(), [{ prot: "OFTP" }]);
});

test("a partner that is down is called again and again; others that are down delay nobody", async (t) => {
  // a broken line is no refusal: it does not count towards restart
  const { hub, acme } = await site(t, { retryw: "300ms", restart: 2 });
  const [closed] = await freePorts(1);
  const held = new Set<Socket>();
  const silent = await answering(t, (socket) => held.add(socket));
  const cutting = await answering(t, (socket) => socket.destroy());
  for (const [id, at] of [
    ["DOWN", closed],
    ["SILENT", silent],
    ["CUT", cutting],
  ] as const) {
    const ports = { OFTP: at as number, OFTPS: at as number };
    const names = { ours: "O0999HUB", theirs: `O0999${id}`, sends: "HUBPW", expects: `${id}PW` };
    await hub.write(
      `partners.d/${id.toLowerCase()}.toml`,
      partnerToml({ id, ports, ...names, retryw: "300ms" }),
    );
  }
  await hub.start();
  const lost = join(hub.rundir, "outbox");
  for (const id of ["DOWN", "SILENT", "CUT"]) {
    for (const name of ["a", "b"]) await fs.writeFile(join(lost, id, name), "x");
  }
  const expected = new Map([["up.bin", await hub.drop("up.bin", { size: 1000, seed: 6 })]]);
  await waitFor("three failures with those that do not even take the call", async () => {
    const { partners } = await hub.status();
    return partners.every(({ id, failures }) => id === "SILENT" || failures >= 3);
  });
  await waitFor("a call to the silent one", () => held.size > 0);
  t.match(await hub.transfer("send", "up.bin"), { state: "D", ack: "" }, "it waits");
  t.match(hub.messages("CFTH10E")[0], /DIAGI=302/);
  await acme.start();
  await waitFor("the file that ACME could not have before", () => existsSync(acme.inbox("up.bin")), {
    timeout: 5000,
  });
  t.equal(await hashFile(acme.inbox("up.bin")), expected.get("up.bin"));
  t.match(
    (await hub.transfers()).filter(({ part }) => part !== "ACME").map(({ state }) => state),
    ["D", "D", "D", "D", "D", "D"],
  );
  const asked = performance.now();
  await hub.kill("SIGTERM");
  t.ok(performance.now() - asked < 15_000, "a call that nobody answers delays no stop");
});

test("send: --wait ends with the response, without it at once; wrong use says why", async (t) => {
  const { hub, acme } = await site(t, { acme: { disctd: "200ms" } });
  await hub.start();
  const file = join(hub.directory, "report.txt");
  await fs.writeFile(file, "ten octets");
  const waiting = await hub.cli("send", "--part", "ACME", "--json", file);
  t.match(
    waiting,
    { status: 0, json: { state: "D", fname: file } },
    "nobody answers yet, and it does not wait",
  );
  const settled = hub.cli("send", "--part", "ACME", "--nfname", "OTHER.NAME", "--wait", "--json", file);
  await acme.start();
  t.match(await settled, { status: 0, json: { state: "X", ack: "A", nfname: "OTHER.NAME", filesize: 10 } });
  await waitFor("both", async () => ended(await acme.transfers(), 2));
  t.same([...(await hashTree(acme.inbox())).keys()], ["OTHER.NAME", "report.txt"]);
  t.equal(await fs.readFile(file, "utf8"), "ten octets", "the file itself stays");
  for (const [args, status, words] of [
    [["send", "--part", "NOBODY", file], 1, "NOBODY"],
    [["send", "--part", "ACME", `${file}.not`], 1, "cannot be read"],
    [["send", "--part", "ACME", hub.directory], 1, "not a file"],
    [["send", file], 2, "--part"],
    [["start", "99999999"], 1, "99999999"],
  ] as const) {
    const result = await hub.cli(...args);
    t.equal(result.status, status, args.join(" "));
    t.match(result.stderr, words);
  }
  await hub.kill("SIGTERM");
  t.match(await hub.exited(), { code: 0 }, "SIGTERM ends it in good order");
  t.match(await hub.cli("send", "--part", "ACME", file), { status: 1, stderr: /no gateway is running/ });
  t.match((await hub.cli("listcat", "--json")).json.length, 2, "the catalog can be read all the same");
});

for (const { name, fault } of [
  { name: "the receiver is killed", fault: async ({ acme }: Pair) => restarted(acme) },
  { name: "the sender is killed", fault: async ({ hub }: Pair) => restarted(hub) },
  { name: "the receiver hangs until the sender's rto has passed", fault: hung },
]) {
  test(`300 MiB, and ${name} in the middle: it goes on where it was and is equal`, async (t) => {
    const options = { prot: ["OFTPS"], srusize: 4096, scredit: 32, rto: "2s", retryw: "200ms" } as const;
    const { hub, acme } = await site(t, options);
    await startBoth({ hub, acme });
    const expected = new Map([["big.bin", await hub.drop("big.bin", { size: 300 * MiB, seed: 7 })]]);
    await waitFor("half of it", async () => beyond(150 * MiB, await acme.status()), { every: 5 });
    await fault({ hub, acme });
    await everythingArrived(t, [{ from: hub, to: acme, expected }]);
    for (const gateway of [hub, acme]) {
      const position = Number(/POS=(\d+)/.exec(gateway.messages("CFTT96I").join("\n"))?.[1]);
      t.ok(position > 0, `${gateway.id} goes on at ${position}`);
      t.equal(position % 1024, 0);
    }
  });
}

/** Records as they are in a local file: without ends in format F, lines of many lengths in V. */
const RECORDS: Readonly<Record<"F" | "V", (index: number) => string>> = {
  F: (index) => String(index).padStart(79, "-"),
  V: (index) => `${String(index)}${"v".repeat((index * 7919) % 117)}\n`,
};

for (const format of ["F", "V"] as const) {
  test(`records of format ${format}, and the sender is killed in the middle: it goes on at the record where it was`, async (t) => {
    const lrecl = format === "F" ? 79 : 200;
    const more = `\n[[cftsend]]\nid = "RECORDS"\nfrecfm = "${format}"\nflrecl = ${lrecl}\nnfname = "&FROOT"\n`;
    const options = { prot: ["OFTP"], srusize: 1024, scredit: 2, retryw: "200ms" } as const;
    const { hub, acme } = await site(t, { ...options, hub: { more } });
    await startBoth({ hub, acme });
    const content = Array.from({ length: 600_000 }, (_, index) => RECORDS[format](index)).join("");
    const expected = new Map([["records", await hub.drop("RECORDS/records", content)]]);
    await waitFor("some of it", async () => beyond(5 * MiB, await acme.status()), { every: 5 });
    await restarted(hub);
    await everythingArrived(t, [{ from: hub, to: acme, expected }]);
    for (const gateway of [hub, acme]) {
      t.match(gateway.messages("CFTT96I"), [/POS=[1-9]/], `${gateway.id} goes on in the middle`);
      t.same(gateway.messages("CFTT78E"), [], "the counts agree");
    }
  });
}

type Pair = { hub: Gateway; acme: Gateway };

const beyond = (octets: number, { sessions }: Awaited<ReturnType<Gateway["status"]>>) =>
  sessions.some(({ bytes }) => (bytes ?? 0) > octets);

async function restarted(gateway: Gateway): Promise<void> {
  await gateway.kill("SIGKILL");
  await gateway.start();
}

async function hung({ hub, acme }: Pair): Promise<void> {
  await acme.kill("SIGSTOP");
  await waitFor("the sender to lose patience", () => hub.messages("CFTH78W").length > 0);
  await acme.kill("SIGCONT");
}

test("a flow that asks for a signature without a key for it stops, and its file is never sent", async (t) => {
  const more = '\n[[cftsend]]\nid = "SIGNED"\nnfname = "&FROOT"\nsign = true\n';
  const { hub, acme } = await site(t, { hub: { more } });
  const main = await fs.readFile(hub.config, "utf8");
  await fs.writeFile(hub.config, main.replace(/^key +=.*$/m, '$&\nusage = ["tls"]'));
  await startBoth({ hub, acme });
  await hub.drop("SIGNED/contract.pdf", "to be signed");
  const expected = new Map([["plain.txt", await hub.drop("plain.txt", "goes as it is")]]);
  await waitFor("the other file", async () => (await hub.transfer("send", "plain.txt"))?.state === "X");
  await waitFor("state K", async () => (await hub.transfer("send", "contract.pdf"))?.state === "K");
  const contract = (await hub.transfer("send", "contract.pdf")) as TransferRecord;
  t.match(contract, { idf: "SIGNED", diagi: 278, diagc: /sign/, bytes: 0 });
  const started = await hub.cli("start", contract.idtu);
  t.match(started, { status: 1, stderr: /sign/ }, "nor can it be started");
  const { status, stderr } = await hub.cli("send", "--part", "ACME", "--idf", "SIGNED", "--wait", hub.config);
  t.match({ status, stderr }, { status: 1, stderr: /sign/ });
  t.same(Object.fromEntries(await hashTree(acme.inbox())), Object.fromEntries(expected));
  t.equal((await acme.transfers()).length, 1);
  const kept = (await hub.cli("display", contract.idtu, "--json")).json.workfile;
  t.equal(await fs.readFile(kept, "utf8"), "to be signed", "the file is kept");
});

test("names are data: they arrive as they are or as safe names, and nothing is overwritten", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"] });
  const long = `${"long-".repeat(48)}end.txt`;
  const names: [name: string, delivered: string | RegExp][] = [
    ["with space.txt", "with space.txt"],
    ["Übergröße ß €.txt", "Übergröße ß €.txt"],
    ["日本語.dat", "日本語.dat"],
    [long, /^long-.*~[0-9a-f]{12}\.txt$/],
    ["$(touch pwned); `rm -rf x` & 'y'.txt", "$(touch pwned); `rm -rf x` & 'y'.txt"],
    ["-rf", "-rf"],
    ["pipe|star*question?.txt", "pipe%7Cstar%2Aquestion%3F.txt"],
    ["line\nbreak\ttab\u001b[31m.txt", "line%0Abreak%09tab%1B[31m.txt"],
    ["percent%20.txt", "percent%2520.txt"],
    ["back\\slash.txt", "back%5Cslash.txt"],
    ["NUL.txt", "%4EUL.txt"],
    ["trailing dot.", "trailing dot"],
    ["no-extension", "no-extension"],
    ["UPPER.TXT", "UPPER.TXT"],
    ["upper.txt", "upper.txt"],
    ["a.tar.gz", "a.tar.gz"],
  ];
  const sent = new Map<string, string | RegExp>();
  for (const [index, [name, delivered]] of names.entries()) {
    sent.set(await hub.drop(name, `content ${index}`), delivered);
  }
  await startBoth({ hub, acme });
  await waitFor("all", async () => ended(await acme.transfers(), names.length));
  const arrived = await hashTree(acme.inbox());
  t.equal(arrived.size, names.length);
  for (const [name, sha256] of arrived) t.match(name, sent.get(sha256) ?? "(nothing expected)");

  for (let round = 2; round <= 3; round += 1) {
    const sha256 = await hub.drop("with space.txt", `round ${round}`);
    await waitFor(`round ${round}`, async () => ended(await acme.transfers(), names.length + round - 1));
    const after = await hashTree(acme.inbox());
    t.equal(after.get(`with space~${round}.txt`), sha256, "the same name again gets a suffix");
    for (const [name, hash] of arrived) t.equal(after.get(name), hash);
  }
  t.same(await filesBelow(join(hub.rundir, "outbox")), []);
  t.notOk(existsSync(join(hub.directory, "pwned")) || existsSync(join(acme.directory, "pwned")));
  t.notOk((hub.log() + acme.log()).includes("\u001b"), "no control character in a log");
});
