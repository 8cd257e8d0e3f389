/**
 * The answer to a file is lost with its line, the file is offered again, and before that offer has its answer the
 * end-to-end response comes in another session (RFC 5024 sections 4.3.6 and 5.3.3): what the response says is the end.
 */
import { join } from "node:path";
import { test } from "tap";
import { callerToml, drained, eerp, nerp, offered, type Raw, session } from "./extra.ts";
import { filesBelow, site, waitFor } from "./harness.ts";

const LIMITS = '[[cfttcp]]\nid = "RAW"\nhost = "127.0.0.1"\ncnxin = 4\nretryw = "50ms"\n';

/** What becomes of the second offer. */
const ENDS = {
  "the second offer is a duplicate": async (raw: Raw) => {
    raw.send({ type: "SFNA", reas: 13, rrtr: false, reast: "" });
    raw.send({ type: "CD" });
  },
  "the second offer is refused for now": async (raw: Raw) => {
    raw.send({ type: "SFNA", reas: 99, rrtr: true, reast: "" });
  },
  "the second offer is taken": async (raw: Raw) => {
    raw.send({ type: "SFPA", acnt: 0n });
    while ((await raw.next())?.type === "DATA") raw.send({ type: "CDT" });
    raw.send({ type: "EFPA", cd: false });
  },
  "the second line breaks": async () => {},
};

for (const [name, end] of Object.entries(ENDS)) {
  for (const [kind, respond, ack, place] of [
    ["EERP", eerp, "A", null],
    ["NERP", nerp, "N", "failed"],
  ] as const) {
    test(`${kind} overtakes the retry, and ${name}`, async (t) => {
      const { hub } = await site(t, { prot: ["OFTP"] });
      await hub.write("partners.d/raw.toml", callerToml("RAW", ["OFTP"], 'state = "activeserv"') + LIMITS);
      await hub.start();
      const port = hub.ports.OFTP;
      await hub.write("var/outbox/RAW/ORDER.DAT", "0123456789".repeat(30));
      const state = async () => (await hub.transfers({ part: "RAW", direct: "send" }))[0];
      await waitFor("the file to be claimed", () => hub.messages("CFTR12I").length === 1);
      const first = await drained(port);
      first.raw.close();
      await waitFor("the line to be lost", async () => (await state())?.state === "D");
      await waitFor("the retry to be due", async () => (await hub.status()).sessions.length === 0);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const second = await offered(port);
      t.equal(second.file.dsn, first.file.dsn, "the file is offered again");
      const third = await session(port);
      third.send(respond(first.file));
      await third.expect("RTR");
      third.close();
      await end(second.raw);
      second.raw.socket.end();
      await waitFor("the end", async () => (await state())?.state === "X");
      t.match(await state(), { state: "X", ack });
      await waitFor("no session", async () => (await hub.status()).sessions.length === 0);
      t.match(await state(), { state: "X", ack, diagi: ack === "A" ? 0 : 730 });
      const left = async (below: string) => filesBelow(join(hub.rundir, below)).catch(() => []);
      await waitFor("the work folder to be empty", async () => (await left("work")).length === 0);
      t.same((await left("failed")).length, place === null ? 0 : 1, "only a rejected file is kept");
      t.same(hub.messages("CFTH77E"), [], "no internal error");
    });
  }
}
