/** What two gateways owe each other after an exchange: every file once, whole, acknowledged, and nothing left over. */
import { join } from "node:path";
import type { Test } from "tap";
import type { TransferRecord } from "../../src/admin/record.ts";
import { filesBelow, type Gateway, hashTree, type SiteOptions, site, waitFor } from "./harness.ts";

/** Files on their way from one gateway to the other: SHA-256 by the name that they will have there. */
export interface Expected {
  from: Gateway;
  to: Gateway;
  expected: ReadonlyMap<string, string>;
}

/** Drops files into an outbox and tells what is to arrive. Their names tell number and size. */
export async function dropAll(
  gateway: Gateway,
  sizes: readonly number[],
  seed: number,
  mark = "",
): Promise<Map<string, string>> {
  const expected = new Map<string, string>();
  for (const [index, size] of sizes.entries()) {
    const name = `${gateway.id.toLowerCase()}${mark}-${String(index).padStart(3, "0")}-${size}.bin`;
    expected.set(name, await gateway.drop(name, { size, seed: seed + index }));
  }
  return expected;
}

/** There are as many, and all have ended well. */
export function ended(all: readonly TransferRecord[], count: number): boolean {
  return all.length >= count && all.every(({ state, ack }) => state === "X" && ack === "A");
}

/** Waits until all sends and receives have ended well; a failure shows those that have not. */
export async function allEnded(t: Test, pairs: readonly Expected[], timeout: number): Promise<void> {
  for (const { from, to, expected } of pairs) {
    const both = async () =>
      [await from.transfers({ direct: "send" }), await to.transfers({ direct: "recv" })] as const;
    try {
      await waitFor(
        `${expected.size} files from ${from.id} to ${to.id}`,
        async () => (await both()).every((transfers) => ended(transfers, expected.size)),
        {
          timeout,
          every: 100,
          progress: async () => (await both()).flat().filter(({ state }) => state === "X").length,
        },
      );
    } catch (error) {
      const [sends, receives] = await both();
      const open = [...sends, ...receives].filter(({ state, ack }) => state !== "X" || ack !== "A");
      t.fail((error as Error).message, {
        sends: sends.length,
        receives: receives.length,
        unfinished: open.length,
        first: open.slice(0, 5),
      });
      throw error;
    }
    t.equal((await from.transfers({ direct: "send" })).length, expected.size, `${from.id} sent each once`);
    t.equal((await to.transfers({ direct: "recv" })).length, expected.size, `${to.id} received each once`);
  }
}

/** Nothing is left where files only pass through. */
export async function nothingLeft(t: Test, gateways: readonly Gateway[]): Promise<void> {
  for (const { id, rundir } of gateways) {
    t.same(await filesBelow(join(rundir, "outbox")), [], `the outbox of ${id} is empty`);
    t.same(await filesBelow(join(rundir, "failed")), [], `nothing failed at ${id}`);
    await waitFor(
      `${id} to clear its work folder`,
      async () => (await filesBelow(join(rundir, "work"))).length === 0,
    );
  }
}

/** Waits until both sides have sent and received all, then checks contents, catalog, outbox and work folder. */
export async function everythingArrived(
  t: Test,
  pairs: readonly Expected[],
  timeout = 60_000,
): Promise<void> {
  await allEnded(t, pairs, timeout);
  for (const { to, expected } of pairs) {
    const there = Object.fromEntries(await hashTree(to.inbox()));
    t.same(there, Object.fromEntries([...expected].sort()), `the inbox of ${to.id}: each file once, equal`);
    const received = await to.transfers({ direct: "recv" });
    t.ok(
      received.every(({ sha256, fname }) => expected.get(fname.split("/").at(-1) ?? "") === sha256),
      `the catalog of ${to.id} knows the SHA-256 of each`,
    );
  }
  await nothingLeft(t, [...new Set(pairs.flatMap(({ from, to }) => [from, to]))]);
}

/** Both ways at once: `sizes` from each side. */
export async function exchange(
  t: Test,
  options: SiteOptions,
  sizes: readonly number[],
  timeout = 60_000,
): Promise<{ hub: Gateway; acme: Gateway }> {
  const { hub, acme } = await site(t, options);
  const there = await dropAll(hub, sizes, 1);
  const back = await dropAll(acme, sizes, 10_001);
  await Promise.all([hub.start(), acme.start()]);
  const pairs = [
    { from: hub, to: acme, expected: there },
    { from: acme, to: hub, expected: back },
  ];
  await everythingArrived(t, pairs, timeout);
  return { hub, acme };
}
