/** Backup and restore: under load nothing is lost and nothing comes twice; what is wrong is refused before anything is touched. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Test, test } from "tap";
import { allEnded } from "./arrivals.ts";
import { Gateway, hashTree, site, waitFor } from "./harness.ts";

/** The same gateway in another place; not there yet. */
function reborn(t: Test, { id, partner, directory, ports }: Gateway, name: string): Gateway {
  const gateway = new Gateway(id, partner, join(dirname(directory), name), ports);
  mkdirSync(gateway.directory);
  t.teardown(() => gateway.kill("SIGKILL"));
  return gateway;
}

/** Every file below a folder with size, mode and content. */
async function tree(directory: string): Promise<string[]> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return Promise.all(
    files.map(async (name) => {
      const hash = createHash("sha256").update(await fs.readFile(join(directory, name)));
      return `${name} ${statSync(join(directory, name)).mode} ${hash.digest("hex")}`;
    }),
  );
}

test("a backup in the middle of an exchange: the restored gateway loses nothing and sends nothing twice", async (t) => {
  const load = { prot: ["OFTPS"] as const, disctd: "300ms", retryw: "300ms", srusize: 4096, scredit: 8 };
  const { hub, acme } = await site(t, load);
  await Promise.all([hub.start(), acme.start()]);
  const wanted = { hub: new Map<string, string>(), acme: new Map<string, string>() };
  let number = 0;
  const drop = async (count: number, size: number) => {
    for (let each = 0; each < count; each += 1) {
      const name = `file-${++number}.bin`;
      wanted.acme.set(name, await hub.drop(name, { size: size + number, seed: number }));
      wanted.hub.set(name, await acme.drop(name, { size: size + number, seed: 100_000 + number }));
    }
  };
  await drop(2, 6_000_000);
  await drop(60, 3_000);
  await waitFor(
    "the exchange to be under way",
    () => existsSync(acme.inbox()) && readdirSync(acme.inbox()).length > 10,
  );
  const before = { hub: new Map(wanted.hub), acme: new Map(wanted.acme) };
  const file = join(hub.directory, "hub.tar.gz");
  const loading = drop(60, 3_000);
  const made = await hub.cli("backup", file, "--with-secrets", "--json");
  t.match(made, { status: 0, json: { secrets: true, left: [] } }, made.stderr);
  t.equal(statSync(file).mode & 0o777, 0o600, "for its owner alone");
  t.comment(`${made.json.files} files, ${made.json.size} octets`);
  await loading;
  await waitFor("some more", () => readdirSync(acme.inbox()).length > 40);
  await hub.kill("SIGKILL");
  const lostInbox = await hashTree(hub.inbox());
  t.same(
    readdirSync(join(hub.rundir, "work")).filter((name) => name.startsWith(".backup")),
    [],
  );

  const again = reborn(t, hub, "hub-again");
  const restored = await again.cli("restore", file, "--json");
  t.match(restored, { status: 0, json: { site: "HUB", rundir: again.rundir, outside: [] } }, restored.stderr);
  for (const name of ["cygnet.toml", "partners.d/acme.toml", "pki/hub.key"]) {
    t.same(
      await fs.readFile(join(again.directory, name)),
      await fs.readFile(join(hub.directory, name)),
      name,
    );
    t.equal(statSync(join(again.directory, name)).mode, statSync(join(hub.directory, name)).mode);
  }
  await again.start();
  const settled = async () => {
    const open = [...(await again.transfers()), ...(await acme.transfers())].filter(({ state }) =>
      "DC".includes(state),
    );
    return open.length === 0;
  };
  await waitFor("all that can go to have gone", settled, { timeout: 120_000, every: 200 });
  // an operator has looked: what never arrived goes back into the outbox
  const inbox = await hashTree(acme.inbox());
  const apart: string[] = restored.json.apart;
  const unsent = apart.filter((path) => !inbox.has(path.slice(path.lastIndexOf("/") + 1)));
  t.comment(`${apart.length} set apart, ${unsent.length} of them unsent`);
  for (const path of unsent) await fs.rename(path, again.outbox(path.slice(path.lastIndexOf("/") + 1)));
  await waitFor(
    "the rest",
    async () => (await hashTree(acme.inbox())).size >= inbox.size + unsent.length && (await settled()),
  );

  const arrived = [...(await hashTree(acme.inbox()))];
  const here = [...lostInbox, ...(await hashTree(again.inbox()))];
  for (const [direction, expected, found] of [
    ["sent", before.acme, arrived],
    ["received", before.hub, here],
  ] as const) {
    const times = new Map<string, number>();
    for (const [, hash] of found) times.set(hash, (times.get(hash) ?? 0) + 1);
    t.same(
      [...times].filter(([, count]) => count > 1),
      [],
      `nothing that was ${direction} is there twice`,
    );
    const lost = [...expected].filter(([, hash]) => !times.has(hash));
    t.same(
      lost.map(([name]) => name),
      [],
      `nothing of what was there before the backup and was to be ${direction} is lost`,
    );
  }
  const twice = (await again.transfers({ direct: "send" })).filter(
    ({ state }) => state === "K" || state === "H",
  );
  t.ok(
    twice.every(({ diagc }) => /received before|duplicate/i.test(diagc)),
    "the partner recognises what it had",
  );
});

test("of a stopped gateway everything comes back; what is wrong is refused before anything is touched", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"], disctd: "200ms", retryw: "300ms" });
  t.match(await hub.cli("backup", join(hub.directory, "x")), { status: 1, stderr: /there is no catalog/ });
  await hub.start();
  // nobody is there to take them
  const sent = new Map([["waits.bin", await hub.drop("waits.bin", { size: 5000, seed: 1 })]]);
  await waitFor("its claim", async () => (await hub.transfer("send", "waits.bin"))?.state === "D");
  t.match(await hub.cli("restore", "x", "--force"), { status: 1, stderr: /a gateway runs on/ });
  await hub.kill("SIGTERM");
  sent.set("later.bin", await hub.drop("later.bin", { size: 100, seed: 2 }));
  await hub.write("secrets/own.key", "-----BEGIN PRIVATE KEY-----\n");

  const plain = join(hub.directory, "plain.tar.gz");
  t.match(await hub.cli("backup", plain), {
    status: 1,
    stderr: /passwords stand in the configuration itself \(cftpart ACME nspassw/,
  });
  t.notOk(existsSync(plain));
  const partner = await fs.readFile(hub.partnerFile, "utf8");
  const reference = partner
    .replace('nspassw = "HUBPW"', 'nspassw = "file:secrets/out"')
    .replace('nrpassw = "ACMEPW"', 'nrpassw = "file:secrets/in"');
  await hub.write("partners.d/acme.toml", reference);
  await hub.write("secrets/out", "HUBPW\n");
  await hub.write("secrets/in", "ACMEPW\n");
  const bare = await hub.cli("backup", plain, "--json");
  t.match(bare, { status: 0, json: { secrets: false } }, bare.stderr);
  t.same(bare.json.left.map((text: string) => text.replace(hub.directory, "")).sort(), [
    "/pki/hub.key: a key or password",
    "/secrets/in: a key or password",
    "/secrets/out: a key or password",
  ]);
  const listed = execFileSync("tar", ["tzf", plain], { encoding: "utf8" });
  t.match(listed, /^manifest\.json\n/, "it is an ordinary archive");
  t.notMatch(listed, /secrets|hub\.key/);

  const [certificate, key] = [join(hub.directory, "safe.pem"), join(hub.directory, "safe.key")];
  const request = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    key,
    "-out",
    certificate,
    "-subj",
    "/CN=safe",
  ];
  execFileSync("openssl", request, { stdio: "ignore" });
  const folder = join(hub.directory, "backups");
  await fs.mkdir(folder);
  for (const day of ["20200101T000000", "20200102T000000"])
    await fs.writeFile(join(folder, `cygnet-HUB-${day}.tar.gz`), "");
  await fs.writeFile(join(folder, "cygnet-OTHER-20200101T000000.tar.gz"), "");
  const made = await hub.cli("backup", folder, "--recipient", certificate, "--keep", "2", "--json");
  t.match(made, { status: 0, json: { secrets: true, left: [], removed: [/20200101T000000/] } }, made.stderr);
  t.equal(readdirSync(folder).length, 3, "another site's are left alone");
  const { file } = made.json;
  const opened = execFileSync(
    "openssl",
    ["cms", "-decrypt", "-inform", "DER", "-in", file, "-recip", certificate, "-inkey", key],
    { maxBuffer: 1e8 },
  );
  t.match(
    execFileSync("tar", ["tz"], { input: opened, encoding: "utf8" }),
    /secrets\/out/,
    "OpenSSL opens it as well",
  );

  const again = reborn(t, hub, "again");
  const untouched = () =>
    t.same(
      readdirSync(again.directory, { recursive: true }).filter((name) => name !== "var"),
      [],
    );
  const octets = await fs.readFile(file);
  const broken = join(hub.directory, "broken");
  const openers = ["--recipient", certificate, "--key", key];
  for (const [what, content, args, expected] of [
    ["no key", octets, [], /is encrypted: name the recipient/],
    ["cut short", octets.subarray(0, octets.length - 100), openers, /.*/],
    [
      "a wrong octet",
      Buffer.concat([
        octets.subarray(0, 3000),
        Buffer.from([0x55 ^ (octets[3000] ?? 0)]),
        octets.subarray(3001),
      ]),
      openers,
      /.*/,
    ],
    [
      "a wrong octet in clear",
      Buffer.concat([
        opened.subarray(0, 2000),
        Buffer.from([0x55 ^ (opened[2000] ?? 0)]),
        opened.subarray(2001),
      ]),
      [],
      /damaged/,
    ],
    ["something else", Buffer.from("hello"), [], /damaged|no backup/],
    ["half a pair", octets, ["--key", key], /belong together/],
  ] as const) {
    await fs.writeFile(broken, content);
    const { status, stderr } = await again.cli("restore", broken, ...args);
    t.ok(status > 0, what);
    t.match(stderr, expected, what);
    untouched();
  }

  const unpacked = join(hub.directory, "unpacked");
  await fs.mkdir(unpacked);
  execFileSync("tar", ["xz", "-C", unpacked], { input: opened });
  const manifest = JSON.parse(await fs.readFile(join(unpacked, "manifest.json"), "utf8"));
  const [first] = manifest.files;
  const named = (changes: object) => ({
    ...manifest,
    files: [{ ...first, ...changes }, ...manifest.files.slice(1)],
  });
  for (const [what, hostile, expected] of [
    ["a path out of the folder", named({ path: `/../../../../../..${hub.directory}/stolen` }), /no backup/],
    ["a relative path", named({ path: "stolen" }), /no backup/],
    ["a file that runs as its owner", named({ mode: 0o4755 }), /no backup/],
    ["another size", named({ size: first.size + 1 }), /its list says/],
    ["a configuration elsewhere", { ...manifest, main: "../elsewhere.toml" }, /no backup/],
    ["no list", { ...manifest, files: {} }, /no backup/],
  ] as const) {
    await fs.writeFile(join(unpacked, "manifest.json"), JSON.stringify(hostile));
    execFileSync("tar", ["czf", broken, "-C", unpacked, "manifest.json", "files"]);
    t.match(await again.cli("restore", broken), { status: 1, stderr: expected }, what);
    untouched();
  }
  t.notOk(existsSync(join(hub.directory, "stolen")));

  t.match(await again.cli("restore", file, ...openers), { status: 0, stdout: /HUB as of .* is restored/ });
  const [there, back] = await Promise.all([
    tree(join(hub.directory, "secrets")),
    tree(join(again.directory, "secrets")),
  ]);
  t.same(
    back,
    there.filter((line) => !line.startsWith("own.key")),
    "what the configuration names, and no more",
  );
  t.ok(existsSync(again.outbox("later.bin")), "an outbox that nobody can have sent is back in its place");
  t.match(await again.cli("restore", file, ...openers), {
    status: 1,
    stderr: /var is not empty.*--force moves aside/s,
  });
  const before = await tree(again.directory);
  t.match(await again.cli("restore", broken, "--force"), { status: 1 });
  t.same(
    await tree(again.directory),
    before,
    "a backup that is no good changes nothing, whatever was forced",
  );
  await fs.writeFile(again.outbox("mine.bin"), "a file that was there");
  const forced = await again.cli("restore", file, ...openers, "--force", "--json");
  t.match(forced, { status: 0, json: { aside: /before-restore-/ } }, forced.stderr);
  t.ok(existsSync(join(forced.json.aside, "outbox", "ACME", "mine.bin")), "what was there is kept");
  t.match(readdirSync(again.directory).join(), /cygnet\.toml\.before-restore-/);
  const [catalog, work] = ["catalog.db", "work"].map((name) => join(again.rundir, name));
  await fs.rename(catalog as string, `${catalog}.away`);
  await fs.rename(work as string, `${work}.away`);
  t.match(
    await again.cli("restore", file, ...openers, "--force"),
    { status: 1, stderr: /no gateway has worked there/ },
    "a folder of somebody else is left alone, whatever was forced",
  );
  await fs.rename(`${catalog}.away`, catalog as string);
  await fs.rename(`${work}.away`, work as string);

  await fs.writeFile(join(again.rundir, ".restoring"), "");
  await t.rejects(again.start(), /a restore into .* was cut off/);
  await fs.rm(join(again.rundir, ".restoring"));
  await acme.start();
  await again.start();
  await allEnded(t, [{ from: again, to: acme, expected: sent }], 60_000);
  const idtus = (await again.transfers()).map(({ idtu }) => Number(idtu));
  t.ok(Math.max(...idtus) > 10_000, "numbers that the old gateway may have given out are left free");
});
