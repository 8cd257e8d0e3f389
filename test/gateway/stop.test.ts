/**
 * A stop with sessions open: both ends may say the last word (ESID 05) at the same moment, and a partner may not close
 * after it. Neither may keep the gateway for the time that transfers have to finish.
 */
import { test } from "tap";
import { callerToml, Raw } from "./extra.ts";
import { type Gateway, site, waitFor } from "./harness.ts";

/** Less than the 32 s that running transfers and good-byes have together, far more than a slow machine needs. */
const SOON = 29_000;

const open = (gateway: Gateway, count: number) =>
  waitFor("the sessions", async () => {
    const { sessions } = await gateway.status();
    return sessions.length === count && sessions.every(({ state }) => /^IDLE(SP|LI)/.test(state));
  });

const responded = (gateway: Gateway, count: number) =>
  waitFor("the response", async () => {
    return (
      (await gateway.transfers({ direct: "send" })).filter(({ state }) => state === "X").length === count
    );
  });

async function stop(...gateways: Gateway[]): Promise<number> {
  const begun = performance.now();
  await Promise.all(gateways.map((gateway) => gateway.kill("SIGTERM")));
  return performance.now() - begun;
}

/** A partner object that is this gateway itself, and the one by which it is recognised. */
function mirror(port: number): string {
  const side = (id: string, ours: string, theirs: string, sap: string) =>
    `[[cftpart]]\nid = "${id}"\nprot = ["OFTP"]\n${sap}nspart = "O0999${ours}"\nnrpart = "O0999${theirs}"\n`;
  const calls = side("THERE", "M1", "M2", `sap = [${port}]\n`);
  return `${calls}[[cfttcp]]\nid = "THERE"\nhost = "127.0.0.1"\n\n${side("HERE", "M2", "M1", "")}`;
}

test("a stop does not wait for a partner's close", { timeout: 240_000 }, async (t) => {
  const { hub, acme } = await site(t, { disctd: "300s" });
  await hub.write("partners.d/mirror.toml", mirror(hub.ports.OFTP));
  await hub.write("partners.d/raw.toml", callerToml("RAW", ["OFTP"]));

  await hub.start();
  // who has had its response keeps the session for disctd
  await hub.write("var/outbox/THERE/one.dat", "one");
  await responded(hub, 1);
  await open(hub, 2);
  t.ok((await stop(hub)) < SOON, "which is the gateway itself");
  t.equal((await hub.exited()).code, 0);
  t.equal(hub.messages("CFTT52I").length, 2, "both ends have closed");

  await Promise.all([hub.start(), acme.start()]);
  await hub.drop("two.dat", "two");
  await responded(hub, 2);
  await Promise.all([open(hub, 1), open(acme, 1)]);
  t.ok((await stop(hub, acme)) < SOON, "which stops at the same moment");

  await hub.start();
  const raw = await Raw.connect(hub.ports.OFTP);
  await raw.open();
  await open(hub, 1);
  t.ok((await stop(hub)) < SOON, "which hears the last word and does nothing");
  t.match(await raw.next(), { type: "ESID", reas: 5 });
  raw.close();
});
