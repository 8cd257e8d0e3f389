/** One file to many partners, some of them down: CFTDEST between two gateways, one of which plays all the partners. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { edit } from "./extra.ts";
import { filesBelow, type Gateway, hashFile, type Ports, partnerToml, site, waitFor } from "./harness.ts";

const COUNT = 50;
const DOWN = 5;
const name = (index: number) => `P${String(index).padStart(2, "0")}`;
const names = Array.from({ length: COUNT }, (_, index) => name(index));

/** HUB with many partners, each of them a station of its own at ACME; the last ones are called where nobody listens. */
async function many(t: Test, more = ""): Promise<{ hub: Gateway; acme: Gateway }> {
  const quick = { retryw: "100ms", retryn: 1, retrym: 2 };
  const { hub, acme } = await site(t, { disctd: "100ms", hub: { more } });
  const nowhere: Ports = { OFTP: 9, OFTPS: 9 };
  for (const [index, id] of names.entries()) {
    const codes = { ours: `O0999HUB${id}`, theirs: `O0999${id}`, sends: "A", expects: "B" };
    const ports = index < COUNT - DOWN ? acme.ports : nowhere;
    await hub.write(`partners.d/${id}.toml`, partnerToml({ id, ports, ...codes, ...quick }));
    const back = { ours: `O0999${id}`, theirs: `O0999HUB${id}`, sends: "B", expects: "A" };
    await acme.write(`partners.d/${id}.toml`, partnerToml({ id: `H${id}`, ports: hub.ports, ...back }));
  }
  return { hub, acme };
}

const parent = async (hub: Gateway) => (await hub.transfers({ part: "DEALERS" }))[0];

test("a broadcast to 50 partners, 5 of them down, crashed in between, then all up", async (t) => {
  const { hub, acme } = await many(t, `[[cftdest]]\nid = "DEALERS"\npart = ${JSON.stringify(names)}\n`);
  await Promise.all([hub.start(), acme.start()]);
  const hash = await hub.drop(join("..", "DEALERS", "prices.csv"), { size: 30_000, seed: 1 });
  await waitFor("some children", async () => (await hub.transfers({ part: "P*" })).length > 5, { every: 5 });
  await hub.kill();
  await hub.start();
  await waitFor(
    "the partners that are up",
    async () => (await hub.transfers({ part: "P*", ack: "A" })).length === COUNT - DOWN,
    {
      progress: async () => (await hub.transfers({ part: "P*", state: "X" })).length,
    },
  );
  await waitFor("the parent to tell of the others", async () => (await parent(hub))?.state === "K");
  t.match(await parent(hub), { diagi: 200, diagp: "DIFFUS" });
  t.equal((await hub.transfers({ part: "P*" })).length, COUNT, "a child for each partner, none twice");
  await waitFor(
    "those that are down to stop",
    async () => (await hub.transfers({ part: "P*", state: "K", diagi: "405" })).length === DOWN,
  );

  for (const id of names.slice(COUNT - DOWN)) {
    await edit(hub, `partners.d/${id}.toml`, (text) => text.replace("[9]", `[${acme.ports.OFTP}]`));
  }
  await hub.cli("reload");
  t.match(await hub.cli("start", String((await parent(hub))?.idtu)), { status: 0 });
  await waitFor("all", async () => (await parent(hub))?.state === "X");
  t.match(await parent(hub), { ack: "A", diagi: 0 });
  for (const id of names)
    t.equal(await hashFile(join(acme.rundir, "inbox", `H${id}`, "prices.csv")), hash, id);
  await waitFor(
    "the work folder to be empty",
    async () => (await filesBelow(join(hub.rundir, "work"))).length === 0,
  );
  const idtu = String((await parent(hub))?.idtu);
  t.equal((await hub.transfers({ pidtu: idtu })).length, COUNT, "the children name their parent");
});

test("lists in a file: strangers abort, are left out, or stop the parent at the end", async (t) => {
  const { hub, acme } = await many(t, '[[cftdest]]\nid = "DEALERS"\nfname = "dealers.txt"\n');
  await hub.write("dealers.txt", "# ours\nP01\n\nNOBODY  left in May\nP02 # new\nP01\n");
  await Promise.all([hub.start(), acme.start()]);
  const file = join(hub.directory, "dealers.txt");
  const sent = async (nopart: string, generation: number) => {
    if (generation > 1) {
      const line = /^(nopart = .*\n)?fname = "dealers.txt"/m;
      await edit(hub, "cygnet.toml", (text) =>
        text.replace(line, `nopart = "${nopart}"\nfname = "dealers.txt"`),
      );
      await waitFor("the reload", async () => (await hub.status()).generation.number === generation);
    }
    const { json } = await hub.cli("send", file, "--part", "DEALERS", "--nfname", "LIST.&RPART", "--json");
    const record = async () => (await hub.transfers({ idtu: json.idtu }))[0];
    await waitFor(`${nopart} to come to its end`, async () =>
      ["K", "X"].includes((await record())?.state ?? ""),
    );
    const children = await hub.transfers({ pidtu: json.idtu });
    return { ...(await record()), children: children.map(({ part, nfname }) => `${part} ${nfname}`).sort() };
  };
  const both = ["P01 LIST.P01", "P02 LIST.P02"];
  t.match(await sent("abort", 1), { state: "K", diagi: 408, children: [] });
  t.match(await sent("ignore", 2), { state: "X", diagi: 0, ack: "A", children: both });
  t.match(await sent("continue", 3), { state: "K", diagi: 408, children: both });
  t.match(hub.messages("CFTT37I").join("\n"), /NOBODY is no partner/);
  t.ok(existsSync(file), "what was sent by command stays where it is");
  t.match(await hub.cli("send", file, "--part", "DEALERS", "--state", "hold"), {
    status: 1,
    stderr: /cftsend\.state/,
  });
  await edit(hub, "cygnet.toml", (text) => text.replace('fname = "dealers.txt"', 'fname = "gone.txt"'));
  await waitFor("the reload", async () => (await hub.status()).generation.number === 4);
  t.match(await sent("", 1), { state: "K", diagi: 132, diagc: /cannot be read/ });
  t.match(hub.messages("CFTT34E").join("\n"), /gone\.txt/);
});
