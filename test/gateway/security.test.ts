/** File security between two gateways: every combination of services, signed responses, and what must never pass. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Test, test } from "tap";
import { selfSigned } from "./extra.ts";
import { type Gateway, octets, type SiteOptions, site, waitFor } from "./harness.ts";

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

interface Row {
  id: string;
  lines: string;
  content: Buffer;
  recv?: string;
}

const ROWS: Row[] = [];
for (let bits = 0; bits < 16; bits++) {
  const [sign, encrypt, compress, receipt] = [1, 2, 4, 8].map((bit) => (bits & bit) !== 0);
  const lines = `sign = ${sign}\nencrypt = ${encrypt}\ncompress = ${compress}\nsigned_eerp = ${receipt}`;
  const content = Buffer.concat([octets(bits, 70_000), Buffer.alloc(50_000, "all alike ")]);
  ROWS.push({ id: `C${bits}`, lines, content });
}
const everything = "sign = true\nencrypt = true\ncompress = true\nsigned_eerp = true";
for (const suite of ["01", "02", "03", "04", "05", "06"]) {
  ROWS.push({ id: `S${suite}`, lines: `${everything}\ncipher = "${suite}"`, content: octets(7, 4096) });
}
ROWS.push({ id: "EMPTY", lines: everything, content: Buffer.alloc(0) });
ROWS.push({ id: "F", lines: `${everything}\nfrecfm = "F"\nflrecl = 80`, content: Buffer.alloc(8000, "F80") });
ROWS.push({
  id: "V",
  lines: `${everything}\nfrecfm = "V"\nflrecl = 80`,
  content: Buffer.from("one\n\nthree\n"),
});
ROWS.push({
  id: "VV",
  lines: `${everything}\nfrecfm = "V"\nflrecl = 80\nftype = "V"`,
  content: Buffer.from("\0\x03abc\0\0"),
  recv: 'ftype = "V"',
});
ROWS.push({
  id: "VP",
  lines: 'signed_eerp = true\nfrecfm = "V"\nflrecl = 80',
  content: Buffer.from("one\n\nthree\n"),
});
ROWS.push({
  id: "T",
  lines: `${everything}\nfrecfm = "T"\nfcode = "ascii"`,
  content: Buffer.from("one\ntwo\n"),
  recv: 'fcode = "ascii"',
});

test("all combinations of services, all suites, all formats: what arrives is what was sent, acknowledged", async (t) => {
  const sends = ROWS.map(({ id, lines }) => flow(id, lines)).join("");
  const recvs = ROWS.map(({ id, recv = "" }) => `[[cftrecv]]\nid = "${id}"\n${recv}\n`).join("");
  const { hub, acme } = await pair(t, { srusize: 9000, scredit: 5 }, sends, recvs);
  for (const { id, content } of ROWS) await hub.drop(`${id}/file`, content);
  await waitFor("every file is acknowledged", acknowledged(hub, ROWS.length), { timeout: 120_000 });
  for (const { id, content } of ROWS) t.ok((await fs.readFile(acme.inbox(id))).equals(content), id);
  for (const gateway of [hub, acme]) {
    const left = async () =>
      (await fs.readdir(join(gateway.rundir, "work"), { recursive: true, withFileTypes: true })).filter(
        (entry) => entry.isFile(),
      );
    await waitFor("no form is left behind", async () => (await left()).length === 0);
    t.notMatch(gateway.log(), /PRIVATE KEY|internal error/);
  }
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
    t.equal((await fs.readdir(join(hub.rundir, "failed", "ACME"))).length, 1, "and so is the original");
  });
}

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
