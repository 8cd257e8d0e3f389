import { existsSync } from "node:fs";
import { test } from "tap";
import { site, waitFor, hashFile } from "./harness.ts";
test("smoke", async (t) => {
  const { hub, acme } = await site(t, { prot: ["OFTPS"] });
  await Promise.all([hub.start(), acme.start()]);
  const sha = await hub.drop("invoice.edi", { size: 5_000_000, seed: 1 });
  await waitFor("the file", () => existsSync(acme.inbox("invoice.edi")));
  t.equal(await hashFile(acme.inbox("invoice.edi")), sha);
  await waitFor("X", async () => (await hub.transfer("send", "invoice.edi"))?.ack === "A");
  console.log((await hub.cli("listcat", "--json")).json);
  console.log(hub.log());
});
