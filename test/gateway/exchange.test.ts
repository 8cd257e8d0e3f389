/** Two gateways as processes of their own exchange files: every promise of the straight case, from the outside. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Test, test } from "tap";
import type { TransferRecord } from "../../src/admin/record.ts";
import { capacity } from "../../src/oftp/wire/subrecords.ts";
import {
  filesBelow,
  freePorts,
  type Gateway,
  hashFile,
  hashTree,
  octets,
  partnerToml,
  type SideOptions,
  type SiteOptions,
  site,
  waitFor,
} from "./harness.ts";

const MiB = 1024 * 1024;

/** Drops files into an outbox and tells what is to arrive: name to SHA-256. */
async function dropAll(
  gateway: Gateway,
  sizes: readonly number[],
  seed: number,
): Promise<Map<string, string>> {
  const expected = new Map<string, string>();
  for (const [index, size] of sizes.entries()) {
    const name = `${gateway.id.toLowerCase()}-${String(index).padStart(3, "0")}-${size}.bin`;
    expected.set(name, await gateway.drop(name, { size, seed: seed + index }));
  }
  return expected;
}

const ended = (all: readonly TransferRecord[], count: number) =>
  all.length >= count && all.every(({ state, ack }) => state === "X" && ack === "A");

/** Waits until both sides have sent and received all, then checks contents, catalog, outbox and work folder. */
async function everythingArrived(
  t: Test,
  pairs: readonly { from: Gateway; to: Gateway; expected: Map<string, string> }[],
  timeout = 60_000,
): Promise<void> {
  for (const { from, to, expected } of pairs) {
    const count = expected.size;
    try {
      await waitFor(
        `${count} files from ${from.id} to ${to.id}`,
        async () =>
          ended(await from.transfers({ direct: "send" }), count) &&
          ended(await to.transfers({ direct: "recv" }), count),
        { timeout },
      );
    } catch (error) {
      const open = [
        ...(await from.transfers({ direct: "send" })),
        ...(await to.transfers({ direct: "recv" })),
      ].filter(({ state, ack }) => state !== "X" || ack !== "A");
      t.fail((error as Error).message, { open: open.slice(0, 5), count: open.length });
      throw error;
    }
    t.equal((await from.transfers({ direct: "send" })).length, count, `${from.id} sent ${count} files`);
    const received = await to.transfers({ direct: "recv" });
    t.equal(received.length, count, `${to.id} received ${count} files`);
    const wanted = Object.fromEntries([...expected].sort());
    t.same(
      Object.fromEntries(await hashTree(to.inbox())),
      wanted,
      `the inbox of ${to.id} holds each file once, equal`,
    );
    t.ok(
      received.every(
        ({ sha256, nfname, fname }) => expected.get(fname.split("/").at(-1) ?? nfname) === sha256,
      ),
      `the catalog of ${to.id} knows the SHA-256 of each`,
    );
  }
  for (const gateway of new Set(pairs.flatMap(({ from, to }) => [from, to]))) {
    t.same(await filesBelow(join(gateway.rundir, "outbox")), [], `the outbox of ${gateway.id} is empty`);
    await waitFor(`${gateway.id} to clear its work folder`, async () => {
      return (await filesBelow(join(gateway.rundir, "work"))).length === 0;
    });
  }
}

/** Sessions that a gateway opened or accepted, by IDS: how many files went and came in each. */
async function sessionsOf(gateway: Gateway): Promise<Map<string, { send: number; recv: number }>> {
  const direct = new Map((await gateway.transfers()).map((each) => [each.idtu, each.direct]));
  const sessions = new Map<string, { send: number; recv: number }>();
  for (const line of gateway.messages("CFTH56I")) {
    sessions.set(/IDS=(\d+)/.exec(line)?.[1] ?? "", { send: 0, recv: 0 });
  }
  for (const line of gateway.messages("CFTT58I")) {
    const session = sessions.get(/IDS=(\d+)/.exec(line)?.[1] ?? "");
    const way = direct.get(/IDTU=(\d+)/.exec(line)?.[1] ?? "");
    if (session && way) session[way] += 1;
  }
  return sessions;
}

const startBoth = ({ hub, acme }: { hub: Gateway; acme: Gateway }) =>
  Promise.all([hub.start(), acme.start()]);

/** Both ways at once: `sizes` from each side. */
async function exchange(t: Test, options: SiteOptions, sizes: readonly number[], seed: number) {
  const { hub, acme } = await site(t, options);
  const there = await dropAll(hub, sizes, seed);
  const back = await dropAll(acme, sizes, seed + 10_000);
  await startBoth({ hub, acme });
  await everythingArrived(t, [
    { from: hub, to: acme, expected: there },
    { from: acme, to: hub, expected: back },
  ]);
  return { hub, acme };
}

const CREDIT = 16;
const FULL = capacity(65_535 - 1);
const MIXED = [
  ...[0, 1, 2, 62, 63, 64, 65, 126, 127, 128, 1023, 1024, 1025, 4096, 10_240, 65_534, 65_535, 65_536],
  ...[FULL - 1, FULL, FULL + 1, FULL * CREDIT - 1, FULL * CREDIT, FULL * CREDIT + 1, 2 * FULL * CREDIT],
  ...[3 * MiB, 100_000],
];
const mixed = (count: number) =>
  Array.from({ length: count }, (_, index) => MIXED[index % MIXED.length] as number);

for (const { name, options, sizes } of [
  { name: "in clear", options: { prot: ["OFTP"] }, sizes: [...mixed(199), 300 * MiB] },
  { name: "TLS 1.2", options: { prot: ["OFTPS"], version: ["1.2"] }, sizes: [...mixed(199), 300 * MiB] },
  { name: "TLS 1.3", options: { prot: ["OFTPS"], version: ["1.3"] }, sizes: mixed(40) },
] as const) {
  test(`${sizes.length} files of mixed sizes each way at once, ${name}`, async (t) => {
    const { hub, acme } = await exchange(t, { ...options, scredit: CREDIT } as SiteOptions, sizes, 1);
    for (const gateway of [hub, acme]) {
      const sessions = await sessionsOf(gateway);
      t.ok(sessions.size <= 6, `${gateway.id}: ${2 * sizes.length} files in ${sessions.size} sessions`);
    }
    const tls = hub.messages("CFTY14I");
    if (name !== "in clear") t.match(tls.join("\n"), name.replace("TLS ", "TLSv"));
    else t.same(tls, []);
    for (const id of ["CFTT82E", "CFTH76W", "CFTH77E", "CFTC70E", "CFTF09E", "CFTH71W"]) {
      t.same([...hub.messages(id), ...acme.messages(id)], [], `no ${id}`);
    }
  });
}

test("both directions and many files in one session; the partner that may not call is served by it", async (t) => {
  const { hub, acme } = await exchange(t, { acme: { state: "activeserv" } }, mixed(20), 2);
  for (const gateway of [hub, acme]) {
    t.same([...(await sessionsOf(gateway)).values()], [{ send: 20, recv: 20 }], `${gateway.id}: one session`);
  }
});

const SMALL = [0, 1, 63, 64, 127, 128, 1024, 20_000];
const combinations: { name: string; options: SiteOptions; sizes?: readonly number[] }[] = [
  { name: "buffer 128, credit 1", options: { srusize: 128, scredit: 1 } },
  {
    name: "buffer 128 against 99999, credit 999 against 2",
    options: { hub: { srusize: 128, scredit: 999 }, acme: { srusize: 99_999, scredit: 2 } },
    sizes: [...SMALL, MiB],
  },
  {
    name: "buffer 99999, credit 999",
    options: { srusize: 99_999, scredit: 999 },
    sizes: [...SMALL, 20 * MiB],
  },
  { name: "no compression on one side", options: { acme: { scomp: 0 } } },
  { name: "no restart", options: { resync: false } },
  { name: "level 4", options: { level: [4] } },
  { name: "level 2", options: { level: [2] } },
  { name: "level 1", options: { level: [1] } },
  { name: "level 1 asked by a caller of level 5", options: { acme: { level: [1] } } },
  { name: "a caller that only sends", options: { srout: "sender" } },
  {
    name: "one side is never more than a sender, the other never more than a receiver, as caller",
    options: { hub: { srout: "sender" }, acme: { srout: "receiver", state: "activeserv" } },
  },
  { name: "one side takes nothing from callers", options: { hub: { srin: "sender" } } },
];
for (const { name, options, sizes = SMALL } of combinations) {
  test(`both ways with ${name}`, async (t) => {
    const { hub, acme } = await exchange(t, options, sizes, 3);
    const level = options.level?.[0] ?? options.acme?.level?.[0] ?? 5;
    const opened = [...hub.messages("CFTH56I"), ...acme.messages("CFTH56I")];
    t.ok(
      opened.every((line) => line.includes(`level ${level}`)),
      `level ${level} was agreed`,
    );
    t.ok(opened.length <= 8, `${opened.length} ends of sessions`);
  });
}

for (const scomp of [1, 0] as const) {
  test(`runs of one octet are ${scomp ? "" : "not "}compressed in the buffers and arrive equal`, async (t) => {
    const { hub, acme } = await site(t, { scomp, disctd: "200ms" });
    await startBoth({ hub, acme });
    const content = Buffer.concat([Buffer.alloc(200_000, 0x41), octets(1, 1000), Buffer.alloc(50_000)]);
    const sha256 = await hub.drop("runs.bin", content);
    await everythingArrived(t, [{ from: hub, to: acme, expected: new Map([["runs.bin", sha256]]) }]);
  });
}
