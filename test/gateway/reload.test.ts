/** Hot reload, seen from outside: a running transfer is not disturbed, and an edit counts whole or not at all. */
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { Status } from "../../src/admin/status.ts";
import { ensureSelfSigned } from "../../src/pki/generate.ts";
import { accepts, callerToml, certificateOf, edit, Raw, Throttle } from "./extra.ts";
import { freePorts, type Gateway, hashFile, site, waitFor } from "./harness.ts";

type Plan = Status["generation"]["plan"];

/** Waits for the generation that follows, and gives its plan as `change object id key key`. */
async function next(gateway: Gateway, action: () => Promise<unknown>): Promise<string[]> {
  const { number } = (await gateway.status()).generation;
  await action();
  await waitFor(`generation ${number + 1}`, async () => {
    const { generation } = await gateway.status();
    if (generation.rejected.length > 0) throw new Error(generation.rejected.join("\n"));
    return generation.number > number;
  });
  const { generation } = await gateway.status();
  if (generation.number !== number + 1) throw new Error(`generation ${generation.number} follows ${number}`);
  return inWords(generation.plan);
}

const inWords = (plan: Plan) =>
  plan.map(({ change, object, id, keys }) => [change, object, id, ...keys.map(({ key }) => key)].join(" "));

/** A protocol of ours, for the end of the main file. */
const prot = (id: string, sap: number, more = "") =>
  `\n[[cftprot]]\nid = "${id}"\ntype = "odette"\nnet = "LOCAL"\nsap = ${sap}\n${more}\n`;

async function answersInClear(port: number): Promise<boolean> {
  const raw = await Raw.connect(port);
  const greeting = await raw.next();
  raw.close();
  return greeting?.type === "SSRM";
}

test("everything changes while 300 MiB come in, and the transfer notices nothing", {
  timeout: 600_000,
}, async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"] });
  const throttle = await Throttle.before(hub.ports.OFTPS, 15_000_000);
  t.teardown(() => throttle.close());
  await edit(acme, "partners.d/hub.toml", (text) =>
    text.replace(`[${hub.ports.OFTPS}]`, `[${throttle.port}]`),
  );
  await Promise.all([hub.start(), acme.start()]);
  const [extra, moved, secure, own] = (await freePorts(4)) as [number, number, number, number];
  const sha256 = await acme.drop("LARGE.DAT", { size: 300 * 1024 * 1024, seed: 1 });
  await waitFor("the transfer to run", async () =>
    (await hub.status()).sessions.some(({ bytes }) => (bytes ?? 0) > 0),
  );
  const { ids, idtu } = (await hub.status()).sessions.find((session) => session.idtu !== null) ?? {};

  let before = 0;
  /** After each step: the same session carries the same transfer, and it has moved on. */
  const undisturbed = async (t: Test, what: string) => {
    await waitFor(`progress after ${what}`, async () => {
      const running = (await hub.status()).sessions.find((session) => session.ids === ids);
      if (running?.idtu !== idtu) throw new Error(`the transfer does not run any more after ${what}`);
      return (running?.bytes ?? 0) > before;
    });
    before = (await hub.status()).sessions.find((session) => session.ids === ids)?.bytes ?? 0;
    t.pass(`${what}: ${Math.round(before / 1024 / 1024)} MiB are in`);
  };
  const main = (change: (text: string) => string) => next(hub, () => edit(hub, "cygnet.toml", change));

  await t.test("a partner", async (t) => {
    // ACME's view of it first: a second identity of HUB
    const theirs = callerToml("TWIN", ["OFTP"], 'nspart = "O0999AC2"').replace('nspassw = "HUBPW"\n', "");
    t.same(await next(acme, () => acme.write("partners.d/twin.toml", theirs)), ["added cftpart TWIN"]);
    const twin = `[[cftpart]]
id = "TWIN"
prot = ["OFTP"]
sap = [${acme.ports.OFTP}]
nspart = "O0999TWIN"
nspassw = "TWINPW"
nrpart = "O0999AC2"
[[cfttcp]]
id = "TWIN"
host = "127.0.0.1"
retryw = "1s"
`;
    const added = await next(hub, () => hub.write("partners.d/twin.toml", twin));
    t.same(added, ["added cftpart TWIN", "added cfttcp TWIN"]);
    const outbox = join(hub.rundir, "outbox", "TWIN");
    t.ok(existsSync(outbox), "its outbox appears by itself");
    const arrived = (name: string) => existsSync(join(acme.rundir, "inbox", "TWIN", name));
    await fs.writeFile(join(outbox, "first.txt"), "first");
    await waitFor("the first file", () => arrived("first.txt"));
    await undisturbed(t, "adding a partner");
    const idle = async () => (await hub.status()).sessions.every(({ part }) => part !== "TWIN");
    await waitFor("its session to end, which would take the next file along", idle);

    const changed = await next(hub, () =>
      edit(hub, "partners.d/twin.toml", (text) => text.replace("nspart", 'state = "noactive"\nnspart')),
    );
    t.same(changed, ["changed cftpart TWIN state"]);
    await fs.writeFile(join(outbox, "second.txt"), "second");
    await waitFor(
      "the second file to be claimed",
      async () => (await hub.transfers({ part: "TWIN" })).length === 2,
    );
    t.notOk(arrived("second.txt"), "an inactive partner is not called");
    await next(hub, () =>
      edit(hub, "partners.d/twin.toml", (text) => text.replace("noactive", "activeboth")),
    );
    await waitFor("the second file", () => arrived("second.txt"));
    await undisturbed(t, "changing a partner");

    const removed = await next(hub, () => fs.rm(join(hub.directory, "partners.d/twin.toml")));
    t.same(removed, ["removed cftpart TWIN", "removed cfttcp TWIN"]);
    await fs.writeFile(join(outbox, "third.txt"), "third");
    await waitFor("a word about the third file", () =>
      hub.messages("CFTR70W").some((line) => line.includes("third.txt")),
    );
    t.ok(existsSync(join(outbox, "third.txt")), "the file of a partner that is gone stays where it is");
    await undisturbed(t, "removing a partner");
  });

  await t.test("a listener", async (t) => {
    t.same(await main((text) => text + prot("EXTRA", extra)), ["added cftprot EXTRA"]);
    t.ok(await answersInClear(extra), "the new port answers");
    await undisturbed(t, "adding a listener");
    t.same(await main((text) => text.replace(`sap = ${extra}`, `sap = ${moved}`)), [
      "changed cftprot EXTRA sap",
    ]);
    t.same([await answersInClear(moved), await accepts(extra)], [true, false], "the port has moved");
    await undisturbed(t, "moving a listener");
    t.same(await main((text) => text.replace(prot("EXTRA", moved), "")), ["removed cftprot EXTRA"]);
    t.notOk(await accepts(moved), "the port is closed");
    await undisturbed(t, "removing a listener");
    await main((text) => text.replace(`sap  = ${hub.ports.OFTPS}`, `sap  = ${secure}`));
    t.same([(await certificateOf(secure)) !== null, await accepts(hub.ports.OFTPS)], [true, false]);
    await undisturbed(t, "moving the listener that the transfer came in by");

    t.equal(await certificateOf(hub.ports.OFTP), null);
    const turned = await main((text) =>
      text.replace(`sap  = ${hub.ports.OFTP}`, `sap  = ${hub.ports.OFTP}\nssl = "TLS"`),
    );
    t.same(turned, ["changed cftprot OFTP ssl"]);
    t.equal(
      await certificateOf(hub.ports.OFTP),
      await certificateOf(secure),
      "a port in clear has become TLS",
    );
    await main((text) => text.replace(`sap  = ${hub.ports.OFTP}\nssl = "TLS"`, `sap  = ${hub.ports.OFTP}`));
    t.ok(await answersInClear(hub.ports.OFTP), "and clear again");
    await undisturbed(t, "switching a port to TLS and back");
  });

  await t.test("a folder", async (t) => {
    const folder = `
[[cftfolder]]
id = "SECOND"
scandir = "elsewhere"
workdir = "work/second"
part = "ACME"
idf = "DEFAULT"
fileidledelay = "100ms"
usefsevents = true
`;
    t.same(await main((text) => text + folder), ["added cftfolder SECOND"]);
    const file = join(hub.rundir, "elsewhere", "from-elsewhere.txt");
    await fs.writeFile(file, "elsewhere");
    await waitFor("the file from the new folder", () => existsSync(acme.inbox("from-elsewhere.txt")));
    t.same(await main((text) => text.replace(folder, "")), ["removed cftfolder SECOND"]);
    await fs.writeFile(file, "again");
    await fs.writeFile(hub.outbox("after.txt"), "after");
    await waitFor("a later file from another folder", () => existsSync(acme.inbox("after.txt")));
    t.ok(existsSync(file), "nobody looks into the folder that is gone");
    await undisturbed(t, "adding and removing a folder");
  });

  await t.test("certificates", async (t) => {
    const old = await certificateOf(secure);
    const make = async (name: string) => {
      const paths = {
        certificate: join(hub.directory, "pki", `${name}.pem`),
        key: join(hub.directory, "pki", `${name}.key`),
      };
      await ensureSelfSigned(paths, { commonName: name, hosts: ["127.0.0.1"], days: 2 });
      return paths;
    };
    const renewed = await make("renewed");
    const samePath = await next(hub, async () => {
      await fs.rename(renewed.key, join(hub.directory, "pki/hub.key"));
      await fs.rename(renewed.certificate, join(hub.directory, "pki/hub.pem"));
      await hub.kill("SIGHUP");
    });
    t.same(samePath, ["changed pki own file"]);
    const second = await certificateOf(secure);
    t.not(second, old, "callers see the certificate that was put under the same name");
    await undisturbed(t, "renewing a certificate");
    await make("other");
    await main((text) =>
      `${text}\n[[pki]]\nid = "other"\nfile = "pki/other.pem"\nkey = "pki/other.key"\n`.replace(
        'usercid = "own"',
        'usercid = "other"',
      ),
    );
    const third = await certificateOf(secure);
    t.ok(third !== null && third !== second && third !== old, "callers see the certificate of another id");
    await undisturbed(t, "naming another certificate");
  });

  await t.test("limits, retries, log level, schedule", async (t) => {
    const plan = await main((text) =>
      text
        .replace("maxcnx = 100", "maxcnx = 90")
        .replace("maxtrans = 64", "maxtrans = 63")
        .replace('level  = "I"', 'level  = "T"')
        .replace('"* * * * * *"', '"0 0 3 1 1 *"')
        .replace("usefsevents   = true", "usefsevents   = false"),
    );
    t.same(
      plan,
      [
        "changed cftparm  maxtrans",
        "changed cftnet LOCAL maxcnx",
        "changed cftfolder OUTBOX schedule usefsevents",
        "changed cftlog  level",
      ].sort((a, b) => plan.indexOf(a) - plan.indexOf(b)),
    );
    await answersInClear(hub.ports.OFTP);
    await waitFor("a trace of the next session", () => hub.messages("CFTH75T").length > 0);
    const retried = await next(hub, () =>
      edit(hub, "partners.d/acme.toml", (text) =>
        text.replace('retryw = "1s"', 'retryw = "2s"').replace("cnxin  = 4", "cnxin  = 3"),
      ),
    );
    t.same(retried, ["changed cfttcp ACME cnxin retryw"]);
    await fs.writeFile(hub.outbox("unseen.txt"), "unseen");
    // that nothing happens cannot be awaited: longer than the old schedule and the idle delay
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    t.ok(existsSync(hub.outbox("unseen.txt")), "the next look is on New Year's Day");
    await main((text) => text.replace('"0 0 3 1 1 *"', '"* * * * * *"'));
    await waitFor("the file of the old schedule", () => existsSync(acme.inbox("unseen.txt")));
    await undisturbed(t, "changing limits, retries, log level and schedule");
    await next(acme, () => edit(acme, "cygnet.toml", (text) => text.replace('level  = "I"', 'level  = "W"')));
    await undisturbed(t, "changing the other side");
  });

  await t.test("the partner of the running session goes, and comes back", async (t) => {
    const file = join(hub.directory, "partners.d/acme.toml");
    const text = await fs.readFile(file, "utf8");
    t.same(await next(hub, () => fs.rm(file)), ["removed cftpart ACME", "removed cfttcp ACME"]);
    await undisturbed(t, "removing the partner itself");
    await next(hub, () => hub.write("partners.d/acme.toml", text));
    await undisturbed(t, "adding it again");
  });

  await t.test("the generation, by status, check --plan and reload", async (t) => {
    const { number } = (await hub.status()).generation;
    const idle = await hub.cli("reload", "--json");
    t.match(
      { status: idle.status, json: idle.json },
      { status: 0, json: { accepted: true, generation: number, plan: [] } },
    );
    await hub.kill("SIGHUP");
    // the plan is made from the file that the running gateway would read; its own eyes may be quicker
    const free = await hub.cli("check", "--plan");
    t.match(free, { status: 0, stdout: /nothing would change/ });
    await next(hub, () => edit(hub, "cygnet.toml", (text) => text + prot("OWN", own)));
    const status = await hub.cli("status", "--json");
    t.match(status.json.generation, {
      number: number + 1,
      rejected: [],
      plan: [{ change: "added", object: "cftprot", id: "OWN" }],
    });
    t.match((await hub.cli("status")).stdout, new RegExp(`generation ${number + 1} since`));
    await undisturbed(t, "asking about it");
  });

  throttle.rate = Number.POSITIVE_INFINITY;
  await waitFor("the large file", () => existsSync(hub.inbox("LARGE.DAT")), { timeout: 60_000 });
  t.equal(await hashFile(hub.inbox("LARGE.DAT")), sha256, "every octet is right");
  await waitFor("its response", async () => (await acme.transfer("send", "LARGE.DAT"))?.ack === "A");
  t.match(await acme.transfer("send", "LARGE.DAT"), { state: "X", ack: "A", sha256 });
  const lines = hub.messages("CFTT53I").filter((line) => line.includes(`IDTU=${idtu} `));
  t.equal(lines.length, 1, "it was taken up once");
  t.same([...hub.messages("CFTT96I"), ...acme.messages("CFTT96I")], [], "nothing was restarted");
  t.same([...hub.messages("CFTH77E"), ...hub.messages("CFTT82E")], []);
});

test("an edit that is wrong changes nothing and says why", { timeout: 600_000 }, async (t) => {
  const { hub, acme } = await site(t, {});
  const [free, taken] = (await freePorts(2)) as [number, number];
  // its own place: it must be found also when the file says another rundir
  const socket = join(hub.rundir, "control.sock");
  await edit(hub, "cygnet.toml", (text) => `${text}\n[admin]\nsocket = "${socket}"\n`);
  await Promise.all([hub.start(), acme.start()]);
  const stranger = createServer().listen(taken, "127.0.0.1");
  t.teardown(() => stranger.close());
  const good = await fs.readFile(hub.config, "utf8");
  const partner = await fs.readFile(hub.partnerFile, "utf8");
  const sockets = await hub.status();

  const rows: {
    what: string;
    main?: (text: string) => string;
    part?: (text: string) => string;
    reasons: RegExp[];
    places?: boolean;
  }[] = [
    {
      what: "a syntax error",
      main: (text) => text.replace("[[cftnet]]", "[[cftnet]"),
      reasons: [/cygnet\.toml:\d+:\d+: .*not TOML/],
    },
    {
      what: "mistakes in two files",
      main: (text) => text.replace("maxcnx =", "maxcxn =").replace("[[cftfolder]]", "[[cftfolders]]"),
      part: (text) => text.replace("cnxin  = 4", 'cnxin  = "many"').replace('"O0999ACME"', '"o0999acme"'),
      reasons: [
        /cygnet\.toml:\d+:\d+: cftnet LOCAL: maxcxn: .*maxcnx/,
        /cygnet\.toml:\d+:\d+: .*cftfolders.*cftfolder/,
        /acme\.toml:\d+:\d+: cfttcp ACME: cnxin: /,
        /acme\.toml:\d+:\d+: cftpart ACME: nrpart: /,
      ],
    },
    {
      what: "a certificate that is not there",
      main: (text) => text.replace("pki/hub.pem", "pki/gone.pem"),
      reasons: [/cygnet\.toml:\d+:\d+: pki own: file: .*gone\.pem: there is no such file/],
    },
    {
      what: "a directory that is not there",
      main: (text) => text.replace('["partners.d"]', '["partners.d", "gone.d"]'),
      reasons: [/cygnet\.toml:1:\d+: .*gone\.d.*no such directory/],
    },
    {
      what: "a port of another process, behind one that is free",
      main: (text) => text + prot("FREE", free) + prot("TAKEN", taken),
      reasons: [new RegExp(`cannot listen on 127\\.0\\.0\\.1:${taken}: the port is taken`)],
      places: false,
    },
    {
      what: "another rundir",
      main: (text) => text.replace('rundir  = "var"', 'rundir  = "other"'),
      reasons: [/cftparm.*restart/, /rundir: .*var.*other/],
      places: false,
    },
    {
      what: "ciphers that do not exist",
      main: (text) => text.replace('usercid = "own"', 'usercid = "own"\nciphlist = "NONSENSE"'),
      reasons: [/NONSENSE|cipher/i],
      places: false,
    },
    {
      what: "a key of another certificate",
      main: (text) => text.replace("pki/hub.key", "pki/acme.key"),
      reasons: [/cygnet\.toml:\d+:\d+: pki own: key: /],
    },
    { what: "an empty file", main: () => "\n", reasons: [/cftparm: .*the site is missing/] },
  ];
  for (const { what, main, part, reasons, places = true } of rows) {
    const { number } = (await hub.status()).generation;
    const told = hub.messages("CFTS85W").length;
    const faults = hub.messages("CFTS70E").length;
    if (main) await hub.write("cygnet.toml", main(good));
    if (part) await hub.write("partners.d/acme.toml", part(partner));
    const { status, stderr, stdout } = await hub.cli("reload");
    t.equal(status, 2, `${what}: reload exits 2`);
    t.equal(stdout, "", `${what}: nothing on stdout`);
    for (const reason of reasons) t.match(stderr, reason, `${what}: reload says why`);
    t.equal((await hub.status()).generation.number, number, `${what}: the generation stays`);
    const json = await hub.cli("reload", "--json");
    t.equal(json.status, 2);
    t.equal(json.json.accepted, false);
    for (const reason of reasons)
      t.ok(
        json.json.reasons.some((text: string) => reason.test(text)),
        `${what}: in JSON too`,
      );
    await waitFor("the log to tell", () => hub.messages("CFTS85W").length > told);
    if (places) t.ok(hub.messages("CFTS70E").length > faults, `${what}: CFTS70E for each fault`);
    const shown = await hub.cli("status");
    t.equal(shown.status, 0, `${what}: status works: ${shown.stderr}`);
    t.match(shown.stdout, /last reload REJECTED/, `${what}: status shows it`);
    t.notOk(await accepts(free), `${what}: no port of it is open`);
    const listed = await hub.cli("listcat");
    t.equal(listed.status, 0, `${what}: listcat works`);
    await hub.write("partners.d/acme.toml", partner);
    await hub.write("cygnet.toml", good);
    const { status: again } = await hub.cli("reload");
    t.equal(again, 0, `${what}: mended`);
    t.same(
      (await hub.status()).generation,
      { ...sockets.generation, rejected: [] },
      "nothing has changed in the end",
    );
  }
  t.same((await hub.status()).listeners, sockets.listeners);
  const sha256 = await acme.drop("well.dat", { size: 100_000, seed: 2 });
  await waitFor("a file after all that", () => existsSync(hub.inbox("well.dat")));
  t.equal(await hashFile(hub.inbox("well.dat")), sha256);
});

test("files are seen however they are saved", { timeout: 600_000 }, async (t) => {
  const { hub } = await site(t, {});
  await hub.start();
  const count = async () => (await hub.status()).networks[0]?.net;
  t.equal(await count(), "LOCAL");
  const good = await fs.readFile(hub.config, "utf8");
  const withLimit = (limit: number) => good.replace("maxtrans = 64", `maxtrans = ${limit}`);
  const limitPlan = ["changed cftparm  maxtrans"];

  t.same(
    await next(hub, () => hub.write("cygnet.toml", withLimit(10))),
    limitPlan,
    "renamed over the old one",
  );
  t.same(await next(hub, () => fs.writeFile(hub.config, withLimit(11))), limitPlan, "written in place");
  t.same(
    await next(hub, async () => {
      await fs.rename(hub.config, `${hub.config}~`);
      await fs.writeFile(hub.config, withLimit(12));
    }),
    limitPlan,
    "the old one moved aside first",
  );

  const { number } = (await hub.status()).generation;
  await fs.writeFile(hub.config, withLimit(13).slice(0, 700));
  await waitFor(
    "half a file to be rejected",
    async () => (await hub.status()).generation.rejected.length > 0,
  );
  t.equal((await hub.status()).generation.number, number);
  await fs.writeFile(hub.config, withLimit(13));
  await waitFor("the whole file", async () => (await hub.status()).generation.number > number);
  t.same((await hub.status()).generation.rejected, [], "an accepted file takes the rejection away");

  const quick = (await hub.status()).generation.number;
  for (let limit = 20; limit < 40; limit++) await fs.writeFile(hub.config, withLimit(limit));
  await waitFor("the last of many", async () =>
    JSON.stringify((await hub.status()).generation.plan).includes("39"),
  );
  t.ok((await hub.status()).generation.number <= quick + 3, "a burst is one change, not twenty");

  const before = (await hub.status()).generation.number;
  await fs.rm(hub.config);
  await waitFor("the loss to be seen", async () =>
    (await hub.status()).generation.rejected.some((reason) => /no such file/.test(reason)),
  );
  t.equal((await hub.cli("status")).status, 0, "status works without the file");
  t.equal((await hub.cli("reload")).status, 2);
  await fs.writeFile(hub.config, withLimit(50));
  await waitFor("the file to be back", async () => (await hub.status()).generation.number > before);

  const added = await next(hub, () => hub.write("partners.d/new.toml", callerToml("NEW")));
  t.same(added, ["added cftpart NEW"], "a new file in an include directory");
  await fs.writeFile(join(hub.directory, "partners.d/.hidden.toml"), "nonsense");
  await fs.writeFile(join(hub.directory, "partners.d/new.toml~"), "nonsense");
  t.same(await next(hub, () => fs.rm(join(hub.directory, "partners.d/new.toml"))), ["removed cftpart NEW"]);

  await hub.write("more.d/.keep", "");
  await hub.write("cygnet.toml", withLimit(50).replace('["partners.d"]', '["partners.d", "more.d"]'));
  t.equal((await hub.cli("reload")).status, 0, "an include directory that is empty changes nothing");
  const later = await next(hub, () => hub.write("more.d/later.toml", callerToml("LATER")));
  t.same(later, ["added cftpart LATER"], "what comes into it later is seen");
});
