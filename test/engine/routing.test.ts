/** Pure decisions of the engine: whom a file is for, which flow it belongs to, whether the flow is allowed. */
import { test } from "tap";
import type { Auth, Configuration, Idf, Part } from "../../src/config/model.ts";
import { forbidden, networkFlow, receivedFlow } from "../../src/engine/flows.ts";
import { addressed, carriedBy, carries, onlyRouted } from "../../src/engine/routing.ts";

const part = (id: string, values: Partial<Part> = {}): Part =>
  ({
    ...{ id, nspart: "O-US", nrpart: `O-${id}`, sfidorig: "O-US", sfiddest: `O-${id}`, idf: "" },
    ...{ ipart: "", commut: "no", ctrlpart: "all", sauth: "*", rauth: "*" },
    outgoing: { from: 0, to: 86_399_990 },
    ...values,
  }) as Part;

function world(parts: readonly Part[], values: Partial<Configuration> = {}): Configuration {
  return {
    cftparm: { part: "US", npart: "O-US", default: "DEFAULT", default_idf: true },
    cftpart: new Map(parts.map((each) => [each.id, each])),
    cfttcp: new Map([["HUB", {}]]),
    ...{ cftauth: new Map(), cftidf: new Map(), cftrecv: new Map() },
    ...values,
  } as unknown as Configuration;
}

test("whom a file request concerns: originator, destination, CTRLPART, COMMUT, substations", (t) => {
  const rows: [name: string, carrier: Partial<Part>, orig: string, dest: string, expected: unknown][] = [
    ["for us", {}, "O-HUB", "O-US", { part: "HUB", relay: null }],
    ["from a substation behind it", {}, "O-FAR", "O-US", { part: "FAR", relay: null }],
    ["for a substation of ours", {}, "O-HUB", "O-US-2", { part: "HUB", relay: null }],
    ["from a stranger", {}, "O-X", "O-US", 3],
    ["from a stranger, rpart", { ctrlpart: "rpart" }, "O-X", "O-US", { part: "HUB", relay: null }],
    ["from a stranger, spart", { ctrlpart: "spart" }, "O-X", "O-US", 3],
    ["for a stranger", {}, "O-HUB", "O-X", 2],
    ["for a stranger, spart", { ctrlpart: "spart" }, "O-HUB", "O-X", { part: "HUB", relay: null }],
    ["for a stranger, rpart", { ctrlpart: "rpart" }, "O-HUB", "O-X", 2],
    ["both strangers, ignore", { ctrlpart: "ignore" }, "O-X", "O-Y", { part: "HUB", relay: null }],
    ["for another partner, not forwarded", {}, "O-HUB", "O-END", 2],
    ["not even where nobody looks", { ctrlpart: "ignore" }, "O-HUB", "O-END", 2],
    ["for another partner, forwarded", { commut: "yes" }, "O-HUB", "O-END", { part: "HUB", relay: "END" }],
    ["of a substation, forwarded", { commut: "yes" }, "O-FAR", "O-END", { part: "FAR", relay: "END" }],
    ["back to where it came from", { commut: "yes" }, "O-HUB", "O-HUB", 2],
  ];
  for (const [name, values, orig, dest, expected] of rows) {
    const carrier = part("HUB", values);
    const far = part("FAR", { ipart: "HUB", sfidorig: "O-US-2" });
    const result = addressed(world([carrier, far, part("END")]), carrier, { orig, dest });
    const found =
      "part" in result ? { part: result.part.id, relay: result.relay?.id ?? null } : result.reason;
    t.strictSame(found, expected, name);
  }
  const hub = part("HUB");
  const far = part("FAR", { ipart: "HUB" });
  const all = world([hub, far, part("END")]);
  t.strictSame(
    carriedBy(all, hub).map(({ id }) => id),
    ["HUB", "FAR"],
  );
  t.ok(
    carries(all, hub, "FAR") &&
      carries(all, hub, "HUB") &&
      !carries(all, hub, "END") &&
      !carries(all, null, "HUB"),
  );
  t.ok(onlyRouted(all, far), "no cfttcp");
  t.notOk(onlyRouted(all, hub), "no intermediate partner");
  const shut = part("HUB", { ipart: "END", outgoing: { from: 0, to: 0 } });
  t.ok(onlyRouted(world([shut]), shut), "a window of nothing");
  t.end();
});

test("the flow of a name, and the name of a flow", (t) => {
  const idf = (id: string, nidf: string, partner = "", type: Idf["type"] = "recv"): [string, Idf] => [
    `${id}/${partner}/${type}/${nidf}`,
    { id, nidf, part: partner, type },
  ];
  const hub = part("HUB", { idf: "OWN" });
  const all = world([hub], {
    cftidf: new Map([
      idf("ANY", "IN*"),
      idf("LONGER", "INV*"),
      idf("EXACT", "INVOICE"),
      idf("MINE", "IN?", "HUB"),
      idf("OTHERS", "INX", "END"),
      idf("SENT", "GENERAL", "", "send"),
      idf("SENT", "FORHUB", "HUB", "send"),
    ]),
    cftrecv: new Map([["NAMED", {}]]) as never,
  });
  const PLAIN = { idf: "" };
  t.strictSame(receivedFlow(all, hub, { idf: "&5NIDF" }, "NAMED.2026"), { idf: "NAMED" }, "cftprot.idf");
  t.strictSame(receivedFlow(all, hub, { idf: "&5NIDF" }, "INVOICE"), { idf: "EXACT" }, "cftidf comes first");
  t.strictSame(receivedFlow(all, hub, { idf: "&3NIDF" }, "NAMED"), { idf: "NAMED" }, "else the name itself");
  const rows: [dsn: string, idf: string][] = [
    ["INVOICE", "EXACT"],
    ["INVOICES", "LONGER"],
    ["INTERNAL", "ANY"],
    ["INX", "MINE"],
    ["NAMED", "NAMED"],
    ["FORHUB", "OWN"],
    ["", "OWN"],
  ];
  for (const [dsn, expected] of rows)
    t.strictSame(receivedFlow(all, hub, PLAIN, dsn), { idf: expected }, dsn);
  t.strictSame(receivedFlow(all, part("END"), PLAIN, "NOTHING"), { idf: "DEFAULT" });
  const strict = world([hub], { cftparm: { default: "DEFAULT", default_idf: false } as never });
  t.match(receivedFlow(strict, hub, PLAIN, "NOTHING"), { forbidden: { diagi: 434, message: "CFTT64E" } });
  t.equal(networkFlow(all, hub, "SENT"), "FORHUB");
  t.equal(networkFlow(all, part("END"), "SENT"), "GENERAL");
  t.equal(networkFlow(all, hub, "UNMAPPED"), "UNMAPPED");
  t.end();
});

test("lists of flows: everything, allowed, denied, missing", (t) => {
  const list = (id: string, deny: boolean, ...idf: string[]): [string, Auth] => [id, { id, idf, deny }];
  const all = world([], {
    cftauth: new Map([list("EDI", false, "INVOIC", "ORD*"), list("NOTSECRET", true, "SECR?T", "X*")]),
  });
  const rows: [list: string, idf: string, message: string | undefined][] = [
    ["*", "ANYTHING", undefined],
    ["EDI", "INVOIC", undefined],
    ["EDI", "ORDERS", undefined],
    ["EDI", "INVOICE", "CFTT25E"],
    ["NOTSECRET", "SECRET", "CFTT25E"],
    ["NOTSECRET", "XX", "CFTT25E"],
    ["NOTSECRET", "SECREET", undefined],
    ["GONE", "INVOIC", "CFTT18E"],
  ];
  for (const [id, idf, message] of rows) {
    const partner = part("HUB", { sauth: id, rauth: id });
    t.equal(forbidden(all, partner, idf, "send")?.message, message, `${idf} by ${id}`);
    t.equal(forbidden(all, partner, idf, "recv")?.message, message);
    if (message) {
      t.equal(forbidden(all, partner, idf, "send")?.diagi, 411);
      t.equal(forbidden(all, partner, idf, "recv")?.diagi, 413);
    }
  }
  t.end();
});
