/** File security between two gateways: every combination of services, signed responses, and what must never pass. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { edit, selfSigned } from "./extra.ts";
import { filesBelow, type Gateway, hashFile, octets, type SiteOptions, site, waitFor } from "./harness.ts";
import { experimental, pairwise, recvFlows, sendFlows } from "./secured.ts";

const certificate = (part: string, file = `pki/${part.toLowerCase()}.pem`) => `
[[pki]]
id = "theirs"
part = "${part}"
file = "${file}"
`;

const flow = (id: string, lines: string) => `[[cftsend]]\nid = "${id}"\nnfname = "${id}"\n${lines}\n`;

async function pair(
  t: Test,
  options: SiteOptions,
  sends: string,
  recvs = "",
): Promise<{ hub: Gateway; acme: Gateway }> {
  const both = await site(t, {
    prot: ["OFTP"],
    ...options,
    hub: { more: certificate("ACME") + sends, ...options.hub },
    acme: { more: certificate("HUB") + recvs, ...options.acme },
  });
  await Promise.all([both.hub.start(), both.acme.start()]);
  return both;
}

const acknowledged = (gateway: Gateway, count: number) => async () =>
  (await gateway.transfers({ direct: "send", state: "X" })).filter(({ ack }) => ack === "A").length === count;

const everything = "sign = true\nencrypt = true\ncompress = true\nsigned_eerp = true";
const records = 'frecfm = "V"\nflrecl = 80';
/** What lies beside the pairs: no envelope, nothing in it, and much in it. */
const OTHERS = [
  { id: "NONE", send: "", recv: "", local: Buffer.from("nothing is done") },
  { id: "RECEIPT", send: "signed_eerp = true", recv: "", local: Buffer.from("only the response is signed") },
  { id: "VRECEIPT", send: `signed_eerp = true\n${records}`, recv: "", local: Buffer.from("one\n\nthree\n") },
  { id: "EMPTY", send: everything, recv: "", local: Buffer.alloc(0) },
  { id: "LONG", send: everything, recv: "", local: octets(9, 3_000_000) },
  { id: "ZEROS", send: everything, recv: "", local: Buffer.alloc(30_000_000) },
];

test("every pair of format, services and suite: what arrives is what was sent, acknowledged", async (t) => {
  const rows = [...pairwise(), ...OTHERS];
  const options: SiteOptions = {
    ...{ prot: ["OFTP"], srusize: 9000, scredit: 5 },
    hub: { more: certificate("ACME") + sendFlows(rows) },
    acme: { more: certificate("HUB") + recvFlows(rows) },
  };
  const { hub, acme } = await site(t, options);
  for (const gateway of [hub, acme]) await edit(gateway, "cygnet.toml", experimental);
  await Promise.all([hub.start(), acme.start()]);
  for (const { id, local } of rows) await hub.drop(`${id}/file`, local);
  const progress = async () => (await hub.transfers({ direct: "send", state: "X" })).length;
  await waitFor("every file is acknowledged", acknowledged(hub, rows.length), { timeout: 40_000, progress });
  for (const { id, local } of rows) t.ok((await fs.readFile(acme.inbox(id))).equals(local), id);
  for (const gateway of [hub, acme]) {
    const left = async () => (await filesBelow(join(gateway.rundir, "work"))).length;
    await waitFor("no form is left behind", async () => (await left()) === 0);
    t.notMatch(gateway.log(), /PRIVATE KEY|internal error|CFTF70W/);
  }
  t.match(hub.messages("CFTF71I"), [/cannot be compressed.*IDF=LONG/], "what cannot be compressed is said");
});

test("an envelope is made before the partner is called, and is the one that every call sends", async (t) => {
  const { hub, acme } = await site(t, {
    ...{ prot: ["OFTP"], retryw: "1s" },
    hub: { more: certificate("ACME") + flow("X", everything) },
    acme: { more: certificate("HUB") },
  });
  await hub.start();
  await hub.drop("X/file", octets(4, 50_000));
  const forms = async () =>
    (await filesBelow(join(hub.rundir, "work"))).filter((name) => name.endsWith(".form"));
  await waitFor("it is sealed though nobody answers", async () => (await forms()).length === 1);
  const [sealed = ""] = await forms();
  const before = await hashFile(join(hub.rundir, "work", sealed));
  await waitFor("it waits for its partner", async () => (await hub.transfers({ state: "D" })).length === 1);
  await waitFor(
    "calls fail",
    () => hub.messages("CFTT57I").length === 0 && hub.messages("CFTT13I").length > 1,
  );
  t.equal(await hashFile(join(hub.rundir, "work", sealed)), before);
  await acme.start();
  await waitFor("it is acknowledged", acknowledged(hub, 1));
});

test("what is sent opens with openssl, and its signature verifies there", async (t) => {
  // a partner without a certificate of ours refuses signed files: the sealed form waits at the sender
  const both = await site(t, { prot: ["OFTP"] });
  const { hub, acme } = both;
  const more = certificate("ACME") + flow("SEALED", "sign = true\nencrypt = true");
  await hub.configure({ prot: ["OFTP"], more }, acme);
  await Promise.all([hub.start(), acme.start()]);
  const content = octets(3, 100_000);
  await hub.drop("SEALED/file", content);
  await waitFor("it is refused", async () => (await hub.transfers({ state: "H" })).length === 1);
  const [held] = await hub.transfers();
  t.match(held, { diagp: "119" });
  const sealed = join(hub.rundir, "work", "outbox", `${held?.idtu}.form`);
  const pki = (name: string) => join(acme.directory, "pki", name);
  const at = (name: string) => join(acme.directory, name);
  const cms = (...args: string[]) =>
    execFileSync("openssl", ["cms", "-inform", "DER", ...args], { stdio: "ignore" });
  cms(
    "-decrypt",
    "-in",
    sealed,
    "-recip",
    pki("acme.pem"),
    "-inkey",
    pki("acme.key"),
    "-binary",
    "-out",
    at("signed"),
  );
  const trust = ["-nointern", "-certfile", pki("hub.pem"), "-CAfile", pki("hub.pem"), "-purpose", "any"];
  cms("-verify", "-binary", "-in", at("signed"), ...trust, "-out", at("plain"));
  t.ok((await fs.readFile(at("plain"))).equals(content));
  await acme.configure({ prot: ["OFTP"], more: certificate("HUB") }, hub);
  t.equal((await acme.cli("reload")).status, 0);
  t.equal((await hub.cli("start", held?.idtu ?? "")).status, 0);
  await waitFor("it is acknowledged after all", acknowledged(hub, 1));
});

test("a file of 60 MiB with all services; the sender is killed in the middle and sends the same envelope again", async (t) => {
  const { hub, acme } = await pair(t, { srusize: 4096, scredit: 4 }, flow("BIG", everything));
  const content = octets(5, 60 * 1024 * 1024);
  await hub.drop("BIG/file", content);
  await waitFor("data flows", async () => hub.messages("CFTT57I").length > 0, { timeout: 120_000 });
  await hub.kill("SIGKILL");
  await hub.start();
  await waitFor("it is acknowledged", acknowledged(hub, 1), { timeout: 60_000 });
  t.ok((await fs.readFile(acme.inbox("BIG"))).equals(content));
});

for (const { name, sender, receiver, lines, nerp } of [
  { name: "signed by somebody else", sender: false, receiver: true, lines: "sign = true", nerp: "31" },
  { name: "encrypted for somebody else", sender: true, receiver: false, lines: "encrypt = true", nerp: "33" },
] as const) {
  test(`${name}: nothing reaches the inbox, NERP ${nerp}, the file is kept in failed/`, async (t) => {
    const both = await site(t, { prot: ["OFTP"] });
    const { hub, acme } = both;
    const wrong = selfSigned(hub.directory, "stranger", "stranger");
    await hub.configure(
      { prot: ["OFTP"], more: certificate("ACME", sender ? wrong : undefined) + flow("X", lines) },
      acme,
    );
    await acme.configure({ prot: ["OFTP"], more: certificate("HUB", receiver ? wrong : undefined) }, hub);
    await Promise.all([hub.start(), acme.start()]);
    await hub.drop("X/file", "secret content");
    await waitFor("the response is negative", async () =>
      (await hub.transfers()).some(({ ack }) => ack === "N"),
    );
    t.match((await hub.transfers())[0], { state: "X", ack: "N", diagp: `NERP ${nerp}` });
    t.strictSame(await fs.readdir(acme.inbox()), [], "the inbox is empty");
    t.equal((await fs.readdir(join(acme.rundir, "failed", "HUB"))).length, 1, "what came is kept");
    const originals = () => filesBelow(join(hub.rundir, "failed", "ACME"));
    await waitFor("and so is the original", async () => (await originals()).length === 1);
  });
}

test("changeover: with a new key and a new certificate that only one side has, all of them serve or nothing gets through", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTP"] });
  // newer than the ones that both sides have
  const [key, theirs] = [
    selfSigned(hub.directory, "next", "next"),
    selfSigned(hub.directory, "later", "later"),
  ];
  const renewed = `[[pki]]\nid = "next"\nfile = "${key}"\nkey = "${key.replace("pem", "key")}"\n`;
  const known = `${certificate("ACME")}[[pki]]\nid = "later"\npart = "ACME"\nfile = "${theirs}"\n`;
  const send = [
    flow("SIGN", "sign = true"),
    flow("ENCRYPT", "encrypt = true"),
    flow("RECEIPT", "signed_eerp = true"),
  ];
  await hub.configure({ prot: ["OFTP"], more: renewed + known + send.join("") }, acme);
  await acme.configure({ prot: ["OFTP"], more: renewed + certificate("HUB") }, hub);
  await Promise.all([hub.start(), acme.start()]);
  const outcomes = async () =>
    (await hub.transfers()).map(({ idf, ack, diagp }) => `${idf} ${ack} ${diagp}`).sort();
  for (const name of ["SIGN", "ENCRYPT", "RECEIPT"]) await hub.drop(`${name}/file`, "content");
  await waitFor("two are refused, and one response is not proved", async () => {
    const proofs = hub.messages("CFTH79E").length;
    return proofs === 1 && (await hub.transfers({ state: "X" })).length === 2;
  });
  t.strictSame(await outcomes(), ["ENCRYPT N NERP 33", "RECEIPT  RECEIPT", "SIGN N NERP 31"]);
  for (const gateway of [hub, acme]) {
    const file = gateway.partnerFile.slice(gateway.directory.length + 1);
    await edit(gateway, file, (text) => text.replace("[[cftpart]]", '[[cftpart]]\nchangeover = "all"'));
    t.equal((await gateway.cli("reload")).status, 0);
  }
  for (const name of ["SIGN", "ENCRYPT", "RECEIPT"]) await hub.drop(`${name}/again`, "content");
  await waitFor("all are acknowledged", acknowledged(hub, 3));
});

test("a response that should be signed and is signed by somebody else never counts", async (t) => {
  const both = await site(t, { prot: ["OFTP"] });
  const { hub, acme } = both;
  const wrong = selfSigned(hub.directory, "stranger", "stranger");
  const more = certificate("ACME", wrong) + flow("R", "signed_eerp = true");
  await hub.configure({ prot: ["OFTP"], more }, acme);
  await acme.configure({ prot: ["OFTP"], more: certificate("HUB") }, hub);
  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("R/file", "content");
  await waitFor("the response came", () => hub.messages("CFTH79E").length > 0);
  t.match((await hub.transfers())[0], { state: "Z", ack: "" });
});

test("what is asked for and cannot be done stops here: no certificate, or a protocol level without file security", async (t) => {
  const { hub } = await pair(t, { hub: { more: flow("E", "encrypt = true") } }, "");
  await hub.drop("E/file", "content");
  await waitFor("it stops", async () => (await hub.transfers({ state: "K" })).length === 1);
  const [stopped] = await hub.transfers();
  t.match(stopped, { diagi: 278, diagp: "SECURITY" });
  const old = await pair(t, { level: [4] }, flow("E", "encrypt = true"));
  await old.hub.drop("E/file", "content");
  await waitFor("it is held", async () => (await old.hub.transfers({ state: "H" })).length === 1);
  t.strictSame(await old.acme.transfers(), [], "not even offered");
});

test("require: an unsigned or unencrypted file is refused with SFNA 20 and 17", async (t) => {
  const { hub, acme } = await pair(t, {}, flow("PLAIN", "") + flow("SIGNED", "sign = true"));
  const file = acme.partnerFile;
  const partner = await fs.readFile(file, "utf8");
  await fs.writeFile(file, partner.replace(/^(id\s*=.*\n)/m, '$1require = ["sign", "encrypt"]\n'));
  t.equal((await acme.cli("reload")).status, 0);
  await hub.drop("PLAIN/file", "content");
  await hub.drop("SIGNED/file", "content");
  await waitFor("both are held", async () => (await hub.transfers({ state: "H" })).length === 2);
  const codes = (await hub.transfers()).map(({ idf, diagp }) => `${idf} ${diagp}`).sort();
  t.strictSame(codes, ["PLAIN 117", "SIGNED 117"]);
});
