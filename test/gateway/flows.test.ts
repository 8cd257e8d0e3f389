/** Flows and partners under Transfer CFT's rules, between two gateways: CFTIDF, CFTAUTH, ACT and INACT. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { edit } from "./extra.ts";
import { type Gateway, site, waitFor } from "./harness.ts";

const generation = (gateway: Gateway, number: number) =>
  waitFor(
    `generation ${number} of ${gateway.id}`,
    async () => (await gateway.status()).generation.number === number,
  );

const send = (gateway: Gateway, name: string, state: string) =>
  waitFor(`${name} in state ${state}`, async () => (await gateway.transfer("send", name))?.state === state);

test("flows: names on the line, default flow, allow and deny lists", async (t) => {
  const flows = `
[[cftsend]]
id = "INVOIC"
nfname = "&NIDF"

[[cftsend]]
id = "SECRET"

[[cftidf]]
id = "INVOIC"
type = "send"
nidf = "RECHNUNG"

[[cftauth]]
id = "NOTSECRET"
idf = ["SECR*"]
`;
  const taking = `
[[cftrecv]]
id = "BILLS"
fname = "inbox/bills/&NFNAME"

[[cftrecv]]
id = "PRIVATE"

[[cftidf]]
id = "BILLS"
part = "HUB"
nidf = "RECHN*"

[[cftidf]]
id = "PRIVATE"
nidf = "PRIVATE"

[[cftauth]]
id = "EDI"
idf = ["BILLS", "DEFAULT"]
`;
  const { hub, acme } = await site(t, { hub: { more: flows }, acme: { more: taking } });
  await edit(hub, "partners.d/acme.toml", (text) =>
    text.replace("[[cftpart]]", '[[cftpart]]\nsauth = "NOTSECRET"'),
  );
  await edit(acme, "partners.d/hub.toml", (text) =>
    text.replace("[[cftpart]]", '[[cftpart]]\nrauth = "EDI"'),
  );
  await Promise.all([hub.start(), acme.start()]);

  await hub.drop("INVOIC/one.xml", "an invoice");
  await send(hub, "one.xml", "X");
  t.ok(existsSync(join(acme.rundir, "inbox", "bills", "RECHNUNG")), "one name here, another flow there");
  t.match(await acme.transfer("recv", "RECHNUNG"), { idf: "BILLS" });

  await hub.drop("SECRET/two.txt", "not for ACME");
  await send(hub, "two.txt", "K");
  t.match(await hub.transfer("send", "two.txt"), { diagi: 411, diagp: "SAUTH" });
  t.match(await hub.cli("start", String((await hub.transfer("send", "two.txt"))?.idtu)), {
    status: 1,
    stderr: /cannot be started: sauth of ACME \(cftauth NOTSECRET\) denies flow SECRET/,
  });

  await hub.drop("PRIVATE", "ACME does not take it");
  await send(hub, "PRIVATE", "H");
  t.match(await hub.transfer("send", "PRIVATE"), { diagi: 904 });
  t.match(acme.messages("CFTT25E").join("\n"), /PART=HUB .*IDF=PRIVATE.*DIAGI=413/);
  t.same(await acme.transfers({ idf: "PRIVATE" }), [], "a refusal leaves no record");

  await edit(acme, "cygnet.toml", (text) => text.replace("[cftparm]", "[cftparm]\ndefault_idf = false"));
  await generation(acme, 2);
  // a session keeps the configuration that it began with
  await waitFor("the session to end", async () => (await acme.status()).sessions.length === 0);
  await hub.drop("stranger.txt", "no flow there");
  await send(hub, "stranger.txt", "H");
  t.match(acme.messages("CFTT64E").join("\n"), /DIAGI=434/);
  t.same(await acme.transfers({ state: "K" }), []);

  await edit(hub, "cygnet.toml", (text) => text.replace('idf = ["SECR*"]', 'idf = ["OTHER"]'));
  await generation(hub, 2);
  t.match(await hub.cli("start", String((await hub.transfer("send", "two.txt"))?.idtu)), { status: 0 });
});

test("act and inact: partners and folders, over a restart, until the configuration speaks", async (t) => {
  const { hub, acme } = await site(t, { retryw: "200ms" });
  await Promise.all([hub.start(), acme.start()]);
  const stateOf = async () => (await hub.status()).partners.find(({ id }) => id === "ACME")?.state;

  t.match(await hub.cli("inact", "ACME"), { status: 0, stdout: "part ACME: noactive\n" });
  await hub.drop("waits.txt", "content");
  await send(hub, "waits.txt", "D");
  t.match(await hub.cli("inact", "ACME", "--mode", "server"), {
    status: 0,
    stdout: "part ACME: activereq\n",
  });
  await send(hub, "waits.txt", "X");

  t.match(await hub.cli("inact", "ACME"), { status: 0 });
  await hub.drop("later.txt", "content");
  await send(hub, "later.txt", "D");
  const said = async () => (await hub.transfer("send", "later.txt"))?.diagi === 430;
  await waitFor("the record to say why it waits", said);
  await hub.kill("SIGTERM");
  await hub.start();
  t.equal(await stateOf(), "noactive", "an order outlives the process");
  await acme.cli("recv", "--part", "HUB");
  await waitFor("the refusal", () => hub.messages("CFTT46W").length > 0);
  t.match(hub.messages("CFTH22E").join("\n"), /DIAGI=430/);
  t.match(await hub.cli("act", "ACME", "--json"), { status: 0, json: { kind: "part", state: "activeboth" } });
  await send(hub, "later.txt", "X");

  t.match(await hub.cli("inact", "ACME"), { status: 0 });
  await edit(hub, "partners.d/acme.toml", (text) => text.replace('"activeboth"', '"activereq"'));
  await generation(hub, 2);
  t.equal(await stateOf(), "activereq", "the configuration has spoken since");

  t.match(await hub.cli("inact", "OUTBOX"), { status: 0, stdout: "folder OUTBOX: noactive\n" });
  await hub.drop("left.txt", "content");
  t.match((await hub.status()).folders, [{ id: "OUTBOX", state: "noactive" }]);
  t.match(await hub.cli("act", "OUTBOX"), { status: 0 });
  await send(hub, "left.txt", "X");
  t.match(await hub.cli("act", "NOBODY"), {
    status: 1,
    stderr: /there is no NOBODY; partners are ACME, folders are OUTBOX, jobs are none/,
  });
});

test("inact --force cuts and holds what runs; act and start let it go on", async (t) => {
  const { hub, acme } = await site(t, { retryw: "200ms", srusize: 128, scredit: 1 });
  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("big.bin", { size: 30_000_000, seed: 1 });
  await send(hub, "big.bin", "C");
  t.match(await hub.cli("inact", "ACME", "--force"), { status: 0 });
  t.match(await hub.transfer("send", "big.bin"), { state: "H", diagi: 121, diagc: "the partner was closed" });
  t.same((await hub.status()).sessions, [], "no session is left");
});

test("responses go back with the turn of the session that brought the files: nobody calls for them", async (t) => {
  const { hub, acme } = await site(t);
  await Promise.all([hub.start(), acme.start()]);
  const names = Array.from({ length: 20 }, (_, index) => `TURN${index}.DAT`);
  for (const [seed, name] of names.entries()) await hub.drop(name, { size: 1_000, seed });
  await waitFor("every response", async () => {
    const sent = await hub.transfers({ direct: "send" });
    return sent.filter(({ state, ack }) => state === "X" && ack === "A").length === names.length;
  });
  t.strictSame(acme.messages("CFTT13I"), []);
});
