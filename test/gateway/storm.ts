/**
 * A storm: two gateways exchange files both ways while one or the other is killed at random moments. Files are taken
 * out of the inboxes as they appear, so that a second delivery would be seen, and each is hashed the moment it is
 * visible: its name carries the beginning of the hash that it must have.
 */
import { existsSync, watch } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { Test } from "tap";
import { allEnded, nothingLeft } from "./arrivals.ts";
import { fill, type Gateway, hashFile, type SiteOptions, site, waitFor } from "./harness.ts";

export interface Storm {
  /** Repeats the same storm, as far as two processes let themselves be repeated. */
  seed: number;
  kills: number;
  /** Files from each side. */
  small: number;
  large: number;
  /** Longest wait for the rest after the last kill, ms. */
  calm: number;
  options: SiteOptions;
}

const MiB = 1024 * 1024;

/** Numbers in [0, 1) that are the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Takes files out of an inbox as they appear. */
class Consumer {
  /** SHA-256 by name, of what was taken. */
  readonly taken = new Map<string, string>();
  readonly wrong: string[] = [];
  readonly #inbox: string;
  readonly #aside: string;
  #stopped = false;
  #wake: () => void = () => {};
  readonly #running: Promise<void>;

  constructor(inbox: string, aside: string) {
    this.#inbox = inbox;
    this.#aside = aside;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    await fs.mkdir(this.#inbox, { recursive: true });
    await fs.mkdir(this.#aside, { recursive: true });
    const watcher = watch(this.#inbox, () => this.#wake());
    while (!this.#stopped) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const names = await fs.readdir(this.#inbox);
      for (const name of names) await this.#take(name);
      if (names.length === 0) await changed;
    }
    watcher.close();
  }

  async #take(name: string): Promise<void> {
    const path = join(this.#inbox, name);
    const hash = await hashFile(path);
    const [, wanted] = /^.*-([0-9a-f]{16})\.bin$/.exec(name) ?? [];
    if (wanted === undefined) this.wrong.push(`${name} is not a name that was sent`);
    else if (!hash.startsWith(wanted)) this.wrong.push(`${name} had the hash ${hash} when it appeared`);
    if (this.taken.has(name)) this.wrong.push(`${name} was delivered a second time`);
    this.taken.set(name, hash);
    await fs.rename(path, join(this.#aside, `${this.taken.size}`));
    await fs.unlink(join(this.#aside, `${this.taken.size}`));
  }
}

/** Drops one file under a name that tells its hash. */
async function dropNamed(
  gateway: Gateway,
  index: number,
  size: number,
  seed: number,
  into: Map<string, string>,
) {
  const aside = gateway.outbox(`.next-${index}`);
  const sha256 = await fill(aside, { size, seed });
  const name = `${gateway.id}-${index}-${sha256.slice(0, 16)}.bin`;
  into.set(name, sha256);
  await fs.rename(aside, gateway.outbox(name));
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs a storm and checks that everything arrived once and whole and was acknowledged. */
export async function storm(t: Test, { seed, kills, small, large, calm, options }: Storm): Promise<void> {
  t.comment(`seed ${seed}: CYGNET_CRASH_SEED=${seed} repeats it`);
  const random = chance(seed);
  const { hub, acme } = await site(t, { retryw: "200ms", disctd: "300ms", ...options });
  const sides = [
    { from: hub, to: acme, expected: new Map<string, string>() },
    { from: acme, to: hub, expected: new Map<string, string>() },
  ] as const;
  for (const { from } of sides) await fs.mkdir(from.outbox(), { recursive: true });
  const consumers = new Map(
    [hub, acme].map((gateway) => [gateway, new Consumer(gateway.inbox(), join(gateway.directory, "taken"))]),
  );
  t.teardown(() => Promise.all([...consumers.values()].map((consumer) => consumer.stop())));
  await Promise.all([hub.start(), acme.start()]);

  const begun = performance.now();
  const sizes = [
    ...Array.from({ length: small }, () => Math.floor(random() ** 2 * 200_000)),
    ...Array.from({ length: large }, () => Math.floor((20 + random() * 40) * MiB)),
  ].sort(() => random() - 0.5);
  let dropped = 0;
  let early = 0;
  for (let kill = 1; kill <= kills; kill += 1) {
    const due = Math.ceil((sizes.length * kill) / kills);
    for (; dropped < due; dropped += 1) {
      for (const [side, { from, expected }] of sides.entries()) {
        await dropNamed(from, dropped, sizes[dropped] as number, seed + 2 * dropped + side, expected);
      }
    }
    const victim = random() < 0.5 ? hub : acme;
    await pause(20 + random() * 700);
    await victim.kill("SIGKILL");
    if (random() < 0.25) {
      // once more while it starts and recovers, which it must survive as well
      early += 1;
      const starting = victim.start().catch(() => {});
      await pause(100 + random() * 400);
      await victim.kill("SIGKILL");
      await starting;
    }
    await victim.start();
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  t.comment(`${kills + early} kills in ${seconds} s, ${sizes.length} files each way`);
  await allEnded(t, sides, calm);

  for (const { from, to, expected } of sides) {
    const consumer = consumers.get(to) as Consumer;
    await waitFor(`the last file from ${from.id} to be taken`, () => consumer.taken.size >= expected.size);
    await consumer.stop();
    t.same(consumer.wrong, [], `nothing partial, foreign or twice in the inbox of ${to.id}`);
    const taken = Object.fromEntries([...consumer.taken].sort());
    t.same(taken, Object.fromEntries([...expected].sort()), `every file from ${from.id} to ${to.id}`);
    t.notOk(existsSync(join(from.rundir, "failed", to.id)), `nothing failed at ${from.id}`);
  }
  await nothingLeft(t, [hub, acme]);
  const underWay = sides.flatMap(({ from }) => from.messages("CFTC08I"));
  t.ok(underWay.length > kills / 10, `${underWay.length} restarts found work under way`);
  for (const gateway of [hub, acme]) {
    for (const id of ["CFTH77E", "CFTC70E"]) t.same(gateway.messages(id), [], `no ${id} at ${gateway.id}`);
  }
}
