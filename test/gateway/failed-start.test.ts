/** A gateway that does not come up says why in its log: which object, and that it was the end. */
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "tap";
import { edit } from "./extra.ts";
import { site } from "./harness.ts";

test("a port that is taken, an address of another machine, a catalog that is none", async (t) => {
  const { hub } = await site(t);
  const other = createServer().listen(hub.ports.OFTP, "127.0.0.1");
  await once(other, "listening");
  t.teardown(() => other.close());
  await t.rejects(hub.start(), /ended at its start/);
  t.match(hub.messages("CFTI22F"), [/Protocol not available: .*the port is taken.* <PROT=OFTP>/]);
  t.match(hub.messages("CFTI01F"), [/Start failed: .*the port is taken.* <CODE=CYG_NET_BIND>/]);

  await edit(hub, "cygnet.toml", (text) => text.replace('host   = "127.0.0.1"', 'host   = "203.0.113.7"'));
  await t.rejects(hub.start(), /ended at its start/);
  t.match(hub.messages("CFTI21F"), [/Network resource not available: .*no such address.* <NET=LOCAL>/]);

  await edit(hub, "cygnet.toml", (text) => `${text}\n[cftcat]\nfname = "log"\n`);
  await t.rejects(hub.start(), /ended at its start/);
  t.match(hub.messages("CFTI01F").at(-1), /CODE=CYG_CATALOG/);
  t.equal(hub.messages("CFTI01F").length, 3);
  t.equal(hub.messages("CFTI14I").length, 0);
});
