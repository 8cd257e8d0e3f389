/** Three stations in a row: files from HUB to ACME and back go through RELAY, which has no part in them. */
import { existsSync, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { edit } from "./extra.ts";
import {
  filesBelow,
  type Gateway,
  gateways,
  hashFile,
  partnerToml,
  type SideOptions,
  waitFor,
} from "./harness.ts";

/** A station that is reached through RELAY only. */
const behind = (id: string, ours: string, more = "") => `
[[cftpart]]
id = "${id}"
prot = ["OFTP"]
nspart = "${ours}"
nrpart = "O0999${id}"
ipart = "RELAY"
${more}
[[pki]]
id = "theirs"
part = "${id}"
file = "pki/${id.toLowerCase()}.pem"
`;

const SECURE = `
[[cftsend]]
id = "SECURE"
sign = true
encrypt = true
compress = true
signed_eerp = true
`;

async function row(t: Test, options: SideOptions = {}, commut = "yes"): Promise<[Gateway, Gateway, Gateway]> {
  const [hub, relay, acme] = (await gateways(t, [
    ["HUB", "RELAY"],
    ["RELAY", "HUB"],
    ["ACME", "RELAY"],
  ])) as [Gateway, Gateway, Gateway];
  const quick = { retryw: "300ms", disctd: "500ms", ...options };
  await hub.configure({ ...quick, more: SECURE + behind("ACME", "O0999HUB") }, relay);
  await acme.configure({ ...quick, more: SECURE + behind("HUB", "O0999ACME") }, relay);
  await relay.configure(quick, hub);
  const names = { ours: "O0999RELAY", theirs: "O0999ACME", sends: "RELAYPW", expects: "ACMEPW" };
  await relay.write(
    "partners.d/acme.toml",
    partnerToml({ id: "ACME", ports: acme.ports, ...names, retryw: "300ms" }),
  );
  for (const name of ["hub", "acme"]) {
    await edit(relay, `partners.d/${name}.toml`, (text) =>
      text.replace("[[cftpart]]", `[[cftpart]]\ncommut = "${commut}"`),
    );
  }
  return [hub, relay, acme];
}

/** Drops files for a station that is no direct partner. */
async function dropFor(
  gateway: Gateway,
  part: string,
  names: readonly string[],
  size = 5_000,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const path = join("..", part, name);
    hashes.set(name, await gateway.drop(path, { size: size + index, seed: index }));
  }
  return hashes;
}

const acknowledged = (gateway: Gateway, count: number) => async () =>
  (await gateway.transfers({ direct: "send", state: "X", ack: "A" })).length === count;

async function arrived(t: Test, gateway: Gateway, from: string, files: ReadonlyMap<string, string>) {
  for (const [name, hash] of files) {
    const path = join(gateway.rundir, "inbox", from, name.split("/").at(-1) ?? "");
    t.equal(await hashFile(path), hash, `${gateway.id} has ${name}`);
  }
}

test("files and responses pass through, plain and secured, both ways", async (t) => {
  const [hub, relay, acme] = await row(t);
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  const there = await dropFor(hub, "ACME", ["a.txt", "b.txt", "SECURE/c.txt", "SECURE/d.txt"], 100_000);
  const back = await dropFor(acme, "HUB", ["e.txt", "SECURE/f.txt"]);
  await waitFor("HUB's files to be acknowledged", acknowledged(hub, 4));
  await waitFor("ACME's files to be acknowledged", acknowledged(acme, 2));
  await arrived(t, acme, "HUB", there);
  await arrived(t, hub, "ACME", back);
  t.same(acme.messages("CFTH79E").concat(hub.messages("CFTH79E")), [], "every signed receipt was good");

  const passed = await relay.transfers();
  t.equal(passed.length, 12, "two records for each file at RELAY");
  t.ok(
    passed.every(({ state, ack, idf }) => state === "X" && ack === "A" && idf === "COMMUT"),
    "all of them ended, acknowledged",
  );
  t.same(await filesBelow(join(relay.rundir, "inbox")), [], "nothing is delivered there");
  await waitFor(
    "RELAY to clear its work folder",
    async () => (await filesBelow(join(relay.rundir, "work"))).length === 0,
  );
  const [send] = await relay.transfers({ direct: "send" });
  const { pidtu } = (await relay.cli("display", String(send?.idtu), "--json")).json;
  t.match(
    await relay.transfers({ idtu: pidtu }),
    [{ direct: "recv" }],
    "a forwarded file names the record that it came in",
  );
  t.match(hub.messages("CFTT06W").join("\n"), /its files go by RELAY/);
});

test("a destination that refuses is heard of at the origin: NERP passes back", async (t) => {
  const [hub, relay, acme] = await row(t);
  // ACME cannot verify: it has another certificate of HUB
  await edit(acme, "cygnet.toml", (text) =>
    text.replace('part = "HUB"\nfile = "pki/hub.pem"', 'part = "HUB"\nfile = "pki/relay.pem"'),
  );
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  await dropFor(hub, "ACME", ["SECURE/bad.txt"]);
  await waitFor("the refusal", async () => (await hub.transfers({ ack: "N" })).length === 1);
  t.match(await hub.transfers({ ack: "N" }), [{ state: "X", diagp: "NERP 31" }]);
  await waitFor(
    "RELAY to know that it was heard",
    async () => (await relay.transfers({ direct: "recv", ack: "N" })).length === 1,
  );
  t.ok(existsSync(join(hub.rundir, "failed", "ACME", "bad.txt")));
});

test("the station in the middle is killed again and again: every file once, every response", async (t) => {
  const [hub, relay, acme] = await row(t);
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  const names = Array.from({ length: 40 }, (_, index) => `${index % 4 === 0 ? "SECURE/" : ""}n${index}.txt`);
  const there = await dropFor(hub, "ACME", names, 20_000);
  for (let kill = 0; kill < 8; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150 + 130 * kill));
    await relay.kill();
    await relay.start();
  }
  await waitFor("all to be acknowledged", acknowledged(hub, 40), {
    timeout: 60_000,
    progress: async () => (await hub.transfers({ state: "X" })).length,
  });
  await arrived(t, acme, "HUB", there);
  t.equal((await filesBelow(join(acme.rundir, "inbox"))).length, 40, "none twice");
  await waitFor("RELAY to have passed every response", async () =>
    (await relay.transfers()).every(({ state, ack }) => state === "X" && ack === "A"),
  );
});

test("what is not to be forwarded is refused, and strangers are", async (t) => {
  const [hub, relay, acme] = await row(t, {}, "no");
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  await dropFor(hub, "ACME", ["no.txt"]);
  await waitFor("the refusal", async () => (await hub.transfers({ state: "H" })).length === 1);
  t.match(await hub.transfers(), [{ diagp: /^102/, diagc: /not forwarded/ }]);
  t.same(await relay.transfers(), [], "without a record there");
});

/** Writes down what it is told, then says what becomes of the file by its name. */
const DECIDES = `#!/bin/sh
echo "$1 to $2 by $CYGNET_IDF, $(wc -c < "$CYGNET_FNAME") octets" >> "$CYGNET_RUNTIMEDIR/asked"
case "$CYGNET_NFNAME" in
  NO*) echo "not today"; exit 23 ;;
  LATE*) test -e "$CYGNET_RUNTIMEDIR/now" || exit 126 ;;
  DIES*) test -e "$CYGNET_RUNTIMEDIR/now" || { : > "$CYGNET_RUNTIMEDIR/waits"; exec sleep 60; } ;;
esac
`;

test("the script of the flow says what is forwarded: on, back to its originator, later", async (t) => {
  const [hub, relay, acme] = await row(t, {}, "server");
  await edit(relay, "cygnet.toml", (text) =>
    text.replace('fname = "inbox/', 'exec = ["./decides.sh", "&SPART", "&RPART"]\nfname = "inbox/'),
  );
  await relay.write("decides.sh", DECIDES);
  await fs.chmod(join(relay.directory, "decides.sh"), 0o755);
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  const sent = await dropFor(hub, "ACME", ["on.txt", "SECURE/sealed.txt"], 3_000);
  await waitFor("what goes on", acknowledged(hub, 2));
  await arrived(t, acme, "HUB", sent);
  t.match(readFileSync(join(relay.rundir, "asked"), "utf8"), /^HUB to ACME by COMMUT, 3000 octets$/m);
  const received = async (name: string) =>
    (await relay.transfers({ direct: "recv" })).find(({ nfname }) => nfname.startsWith(name));
  await waitFor("its end at RELAY", async () => (await received("ON"))?.state === "X");
  t.match(await received("ON"), { idf: "COMMUT", ack: "A", diagi: 0, diagp: "" });

  await dropFor(hub, "ACME", ["no.txt"]);
  await waitFor("the refusal", async () => (await hub.transfers({ ack: "N" })).length === 1);
  t.match(await hub.transfers({ ack: "N" }), [{ state: "X", diagp: "NERP 23" }]);
  t.match(await received("NO"), { state: "X", diagi: 155, diagp: "NERP 23", diagc: "not today" });
  t.equal((await filesBelow(join(relay.rundir, "failed"))).length, 1, "what was turned back is kept");

  // no verdict: it waits for an operator, who has three ways
  await dropFor(hub, "ACME", ["late1.txt", "late2.txt", "late3.txt"]);
  const stuck = () => relay.transfers({ direct: "recv", phase: "Y", phasestep: "K" });
  await waitFor("three without a verdict", async () => (await stuck()).length === 3);
  const idtu = async (name: string) => String((await received(name))?.idtu);
  t.match(await relay.cli("end", await idtu("LATE1")), { status: 0 });
  t.match(await relay.cli("end", await idtu("LATE2"), "--reject", "34", "--text", "no"), { status: 0 });
  await relay.write("var/now", "");
  t.match(await relay.cli("start", await idtu("LATE3")), { status: 0 });
  await waitFor("all to have their response", async () => (await hub.transfers({ state: "X" })).length === 6);
  t.equal((await hub.transfers({ ack: "N" })).length, 2);
  t.match(await received("LATE2"), { diagp: "NERP 34", diagc: "no" });

  // a crash while the script runs: it runs again
  await fs.rm(join(relay.rundir, "now"));
  const last = await dropFor(hub, "ACME", ["dies.txt"]);
  await waitFor("the script", () => existsSync(join(relay.rundir, "waits")));
  await relay.kill();
  await relay.write("var/now", "");
  await relay.start();
  await waitFor("the last one", acknowledged(hub, 5));
  await arrived(t, acme, "HUB", last);
  t.equal((await filesBelow(join(acme.rundir, "inbox"))).length, 5, "none twice, none that was turned back");
});

test("a call of the intermediate partner fetches what is held for those behind it", async (t) => {
  const [hub, relay, acme] = await row(t);
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  await hub.write("held.txt", "for ACME, when it is fetched");
  const file = join(hub.directory, "held.txt");
  t.match(await hub.cli("send", file, "--part", "ACME", "--state", "hold"), { status: 0 });
  t.match(await relay.cli("recv", "--part", "HUB"), { status: 0 });
  await waitFor("its way through", acknowledged(hub, 1));
  t.match(await hub.transfers(), [{ part: "ACME", mode: "server" }], "in the session that RELAY opened");
  t.equal((await filesBelow(join(acme.rundir, "inbox"))).length, 1);
});

test("an intermediate partner stands in for a direct way that fails", async (t) => {
  const [hub, relay, acme] = await row(t);
  // HUB has a direct way to ACME, where nobody answers
  await edit(hub, "cygnet.toml", (text) =>
    text
      .replace('prot = ["OFTP"]\nnspart', 'prot = ["OFTP"]\nsap = [9]\nnspart')
      .concat('\n[[cfttcp]]\nid = "ACME"\nhost = "127.0.0.1"\nretryw = "1h"\n'),
  );
  await Promise.all([hub.start(), relay.start(), acme.start()]);
  const there = await dropFor(hub, "ACME", ["around.txt"]);
  await waitFor("its acknowledgement", acknowledged(hub, 1));
  await arrived(t, acme, "HUB", there);
  t.match(hub.messages("CFTH10E").join("\n"), /PART=ACME/, "the direct way was tried first");
});
