import { readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import type { Transfer } from "../../src/catalog/catalog.ts";
import type { FileSystem } from "../../src/platform/filesystem.ts";
import { Power, RECEIVE, type Run, responseTo, SEND, sha256, World } from "./world.ts";

const CONTENT = "0123456789abcdef".repeat(200);

/** What a scenario is: a life that may end anywhere, the lives after it, and what must hold at the end. */
interface Scenario {
  prepare?(world: World): Promise<void>;
  /** From any state to the end; begins with recovery, as every start of the gateway does. */
  live(world: World, run: Run): Promise<void>;
  /** Between two lives, the world outside: throws when it sees what it must not. */
  outside?(world: World): void;
  check(world: World, run: Run): Promise<void>;
}

/** Power failures before and after every operation, a second one somewhere in the next life, then a calm one. */
async function everyCrash(make: () => Scenario): Promise<number> {
  for (let at = 1, crashes = 0; ; at += 1) {
    let died = false;
    for (const when of ["before", "after"] as const) {
      const scenario = make();
      const world = new World();
      const points: string[] = [];
      let calm: Run | undefined;
      try {
        await scenario.prepare?.(world);
        const second = 1 + ((at * 5 + (when === "after" ? 3 : 0)) % 13);
        for (const power of [new Power(at, when), new Power(second, when), new Power()]) {
          points.push(`${when} ${at}`);
          calm = await world.start(power);
          try {
            await scenario.live(world, calm);
          } catch (error) {
            if (!power.dead) throw error;
          }
          if (power.dead) points.push(power.log.at(-1) as string);
          died ||= power.dead && points.length <= 2;
          crashes += power.dead ? 1 : 0;
          scenario.outside?.(world);
        }
        await scenario.check(world, calm as Run);
      } catch (error) {
        throw new Error(`crash at ${points.join(", ")}: ${(error as Error).message}`, { cause: error });
      } finally {
        await world.end();
      }
    }
    if (!died) return crashes;
  }
}

function expectSame(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`found ${a}, wanted ${b}`);
}

test("claim: a crash anywhere leaves the file in the outbox or claimed under one record, and ends claimed once", async (t) => {
  const crashes = await everyCrash(() => ({
    async prepare(world) {
      await world.drop("a.txt", CONTENT);
    },
    async live(world, { spool }) {
      const recovery = await spool.recover();
      expectSame(recovery.troubles, []);
      expectSame(recovery.lost, []);
      for (const name of readdirSync(world.outbox)) {
        const candidate = await world.candidate(join(world.outbox, name));
        await spool.claim(candidate, SEND, { workdir: world.workdir, archive: "" });
      }
    },
    outside(world) {
      expectSame(Object.values(world.payloads()), [CONTENT]);
    },
    async check(world, { catalog, spool }) {
      const records = await catalog.list({});
      expectSame(records.length, 1);
      const send = (await catalog.claimSend("ACME", "me", 0)) as Transfer;
      expectSame(world.payloads(), { [`work/outbox/${send.idtu}`]: CONTENT });
      const outgoing = await spool.openOutgoing(send, 0);
      const buffer = Buffer.alloc(9999);
      expectSame(buffer.toString("latin1", 0, await outgoing.read(buffer)), CONTENT);
      expectSame(outgoing.digest(), sha256(CONTENT));
      await outgoing.close();
    },
  }));
  t.ok(crashes > 40, `${crashes} crashes`);
});

test("claim of a file that is replaced in the last moment: a crash anywhere, and the new one is claimed once", async (t) => {
  const crashes = await everyCrash(() => ({
    async prepare(world) {
      const { path } = await world.drop("a.txt", "older");
      let hasty = true;
      world.around = (disk) => ({
        ...disk,
        rename: (from, to) => {
          if (hasty) {
            writeFileSync(`${path}.tmp`, CONTENT);
            renameSync(`${path}.tmp`, path);
          }
          hasty = false;
          return disk.rename(from, to);
        },
      });
    },
    async live(world, { spool }) {
      expectSame((await spool.recover()).troubles, []);
      for (const name of readdirSync(world.outbox)) {
        const claim = async () =>
          spool.claim(await world.candidate(join(world.outbox, name)), SEND, {
            workdir: world.workdir,
            archive: "",
          });
        if ((await claim()).workfile === "") await claim();
      }
    },
    async check(world, { catalog }) {
      const send = (await catalog.claimSend("ACME", "me", 0)) as Transfer;
      expectSame(world.payloads(), { [`work/outbox/${send.idtu}`]: CONTENT });
      expectSame(send.filesize, CONTENT.length);
      const others = (await catalog.list({})).filter(({ idtu }) => idtu !== send.idtu);
      for (const { phasestep, diagi } of others) expectSame([phasestep, diagi], ["K", 110]);
    },
  }));
  t.ok(crashes > 60, `${crashes} crashes`);
});

/** A partner that offers one file until it is answered, and a consumer that takes what it sees in the inbox. */
function receiving(world: { answered: boolean; taken: string[] }, consumer: "none" | "moves" | "deletes") {
  return {
    async live(at: World, { catalog, spool }: Run): Promise<void> {
      await catalog.recover("me");
      const { delivered, undelivered, lost, troubles } = await spool.recover();
      expectSame(troubles, []);
      expectSame(lost, []);
      for (const transfer of delivered) await catalog.finishReceive(transfer.idtu, {}, responseTo(transfer));
      const deliver = async (transfer: Transfer): Promise<void> => {
        const fname = await spool.deliver(transfer, join(at.inbox, "in.txt"));
        await catalog.finishReceive(transfer.idtu, { fname }, responseTo(transfer));
      };
      for (const transfer of undelivered) await deliver(transfer);

      let { transfer, isNew } = await catalog.addReceive(RECEIVE, "me");
      if (transfer.phase !== "T") {
        world.answered = true;
        return;
      }
      if (!isNew) expectSame(await catalog.claimReceive(transfer.idtu, "me"), true);
      const position = transfer.bytes - (transfer.bytes % 1024);
      const incoming = await spool.openIncoming(transfer, position);
      await incoming.write([Buffer.from(CONTENT.slice(position, position + 1500))]);
      await catalog.update(transfer.idtu, { bytes: await incoming.sync() });
      await incoming.write([Buffer.from(CONTENT.slice(incoming.length))]);
      const bytes = await incoming.sync();
      const digest = incoming.digest();
      expectSame(digest, sha256(CONTENT));
      await incoming.close();
      await catalog.update(transfer.idtu, { phase: "Y", phasestep: "C", bytes, sha256: digest });
      world.answered = true;
      transfer = (await catalog.get(transfer.idtu)) as Transfer;
      await deliver(transfer);
    },
    outside(at: World): void {
      const inInbox = Object.entries(at.payloads()).filter(([path]) => /^inbox\/ACME\/[^.]/.test(path));
      for (const [path, content] of inInbox) {
        expectSame(content, CONTENT);
        if (consumer === "none") continue;
        world.taken.push(content);
        if (consumer === "moves")
          renameSync(join(at.root, path), join(at.root, `taken${world.taken.length}`));
        else removeLater(join(at.root, path));
      }
      const anywhere = Object.values(at.payloads()).includes(CONTENT) || world.taken.length > 0;
      if (world.answered && !anywhere) throw new Error("an answered file is lost");
    },
    async check(at: World, { catalog, spool }: Run): Promise<void> {
      expectSame(await spool.recover(), {
        claimed: 0,
        delivered: [],
        putAway: [],
        undelivered: [],
        lost: [],
        troubles: [],
      });
      const records = await catalog.list({});
      expectSame(records.length, 1);
      const [record] = records as [Transfer];
      expectSame([record.phase, record.workfile, record.spool], ["X", "", null]);
      expectSame((await catalog.totals()).responses, 1);
      const expected =
        consumer === "none"
          ? { "inbox/ACME/in.txt": CONTENT }
          : consumer === "moves"
            ? { taken1: CONTENT }
            : {};
      expectSame(at.payloads(), expected);
      if (consumer === "none") expectSame(record.fname, join(at.inbox, "in.txt"));
      else expectSame(world.taken.length, 1);
    },
  };
}

/** Removes a file when the file system's clock, which ticks in milliseconds, has moved on since its last change. */
function removeLater(path: string): void {
  const probe = `${path}.probe`;
  const { ctimeNs } = statSync(path, { bigint: true });
  do writeFileSync(probe, "");
  while (statSync(probe, { bigint: true }).ctimeNs <= ctimeNs);
  unlinkSync(probe);
  unlinkSync(path);
}

/** Another file system for the inbox: links into it fail unless they start there. */
function otherDevice(world: World): void {
  world.around = (disk: FileSystem): FileSystem => ({
    ...disk,
    link: async (from, to) => {
      const outside = (path: string): boolean => !/^\/(inbox|failed)\//.test(path.slice(world.root.length));
      if (outside(from) !== outside(to))
        throw Object.assign(new Error("EXDEV: cross-device link"), { code: "EXDEV" });
      return disk.link(from, to);
    },
  });
}

for (const [consumer, device] of [
  ["none", "same"],
  ["moves", "same"],
  ["deletes", "same"],
  ["none", "other"],
  ["deletes", "other"],
] as const) {
  test(`receive and deliver: a crash anywhere, inbox on the ${device} file system, consumer ${consumer}: whole, once`, async (t) => {
    const crashes = await everyCrash(() => {
      const scenario = receiving({ answered: false, taken: [] }, consumer);
      return {
        ...scenario,
        prepare: async (world) => {
          if (device === "other") otherDevice(world);
        },
      };
    });
    t.ok(crashes > 80, `${crashes} crashes`);
  });
}

for (const [name, end, archive, expected] of [
  ["settle with archive", "settle", "archive", { "archive/a.txt": "older", "archive/a~2.txt": CONTENT }],
  ["settle without archive", "settle", "", { "archive/a.txt": "older" }],
  ["fail", "fail", "archive", { "archive/a.txt": "older", "failed/ACME/a.txt": CONTENT }],
] as const) {
  test(`${name}: a crash anywhere, and the file is put away once`, async (t) => {
    const crashes = await everyCrash(() => ({
      async prepare(world) {
        world.place("archive/a.txt", "older");
        const { catalog, spool } = await world.start();
        const candidate = await world.drop("a.txt", CONTENT);
        const to = { workdir: world.workdir, archive: archive && world.archive };
        await spool.claim(candidate, SEND, to);
        await catalog.claimSend("ACME", "me", 0);
      },
      async live(_world, { catalog, spool }) {
        const recovery = await spool.recover();
        expectSame(recovery, {
          claimed: 0,
          delivered: [],
          putAway: [],
          undelivered: [],
          lost: [],
          troubles: [],
        });
        const send = (await catalog.get("00000001")) as Transfer;
        if (end === "settle") {
          await catalog.release(send.idtu, { phase: "X", phasestep: "X", ack: "A" });
          await spool.settle(send);
        } else {
          await catalog.release(send.idtu, { phase: "X", phasestep: "X", ack: "N" });
          await spool.fail(send);
        }
      },
      async check(world, { catalog }) {
        expectSame(world.payloads(), expected);
        const send = await catalog.get("00000001");
        expectSame([send?.workfile, send?.spool], ["", null]);
      },
    }));
    t.ok(crashes > 10, `${crashes} crashes`);
  });
}

for (const device of ["same", "other"] as const) {
  test(`a receive that is given up, ${device} file system: a crash anywhere, and it never counts as delivered`, async (t) => {
    const crashes = await everyCrash(() => ({
      async prepare(world) {
        if (device === "other") otherDevice(world);
        const { catalog, spool } = await world.start();
        const { transfer } = await catalog.addReceive(RECEIVE, "me");
        const incoming = await spool.openIncoming(transfer, 0);
        await incoming.write([Buffer.from(CONTENT)]);
        const bytes = await incoming.sync();
        await incoming.close();
        await catalog.update(transfer.idtu, { phase: "Y", phasestep: "C", bytes });
      },
      async live(world, { catalog, spool }) {
        const { delivered, putAway, undelivered, lost, troubles } = await spool.recover();
        expectSame([delivered, lost, troubles], [[], [], []]);
        const refuse = async (transfer: Transfer) => {
          const no = { ...responseTo(transfer), kind: "NERP", reason: 34 } as const;
          await catalog.finishReceive(transfer.idtu, {}, no);
        };
        for (const transfer of putAway) await refuse(transfer);
        for (const transfer of undelivered) {
          await catalog.update(transfer.idtu, { fname: join(world.inbox, "in.txt") });
          await spool.fail(transfer);
          await refuse(transfer);
        }
      },
      async check(world, { catalog }) {
        expectSame(world.payloads(), { "failed/ACME/in.txt": CONTENT });
        const receive = await catalog.get("00000001");
        expectSame([receive?.phase, receive?.workfile, receive?.spool], ["X", "", null]);
        expectSame((await catalog.claimResponse("ACME", "me"))?.kind, "NERP");
      },
    }));
    t.ok(crashes > 10, `${crashes} crashes`);
  });
}

const OLDER = { "archive/b.txt": "older" };

for (const [name, action, archive, changed, expected] of [
  ["delete", "delete", "", false, {}],
  ["erase", "erase", "", false, { "mine/a.txt": "" }],
  ["archive under another name", "delete", "archive", false, { ...OLDER, "archive/b~2.txt": CONTENT }],
  ["delete what has changed", "delete", "", true, { "mine/a.txt": "changed" }],
  [
    "archive what has changed",
    "delete",
    "archive",
    true,
    { ...OLDER, "archive/b~2.txt": CONTENT, "mine/a.txt": "changed" },
  ],
] as const) {
  test(`a copy that was sent, ${name}: a crash anywhere, and the file that it is of is done with once`, async (t) => {
    const crashes = await everyCrash(() => ({
      async prepare(world) {
        world.place("mine/a.txt", CONTENT);
        world.place("work/submit/a.txt", CONTENT);
        if (archive !== "") world.place("archive/b.txt", "older");
      },
      async live(world, { catalog, spool }) {
        await catalog.recover("me");
        expectSame((await spool.recover()).troubles, []);
        if ((await catalog.list({})).length === 0) {
          const path = join(world.root, "mine", "a.txt");
          const { ino, size, mtimeMs } = await world.candidate(path);
          const candidate = await world.candidate(join(world.root, "work", "submit", "a.txt"));
          const to = {
            workdir: world.workdir,
            fname: path,
            archive: archive && world.archive,
            name: "b.txt",
          };
          const original = { path, ino: String(ino), size, mtimeMs, action };
          await spool.claim(candidate, SEND, { ...to, original });
        }
        const send =
          (await catalog.claimSend("ACME", "me", 0)) ?? ((await catalog.get("00000001")) as Transfer);
        expectSame(send.fname, join(world.root, "mine", "a.txt"));
        if (send.phase === "T" && changed) world.place("mine/a.txt", "changed");
        await catalog.release(send.idtu, { phase: "X", phasestep: "X", ack: "A" });
        await spool.settle(send);
      },
      outside(world) {
        // until it is archived it is somewhere, whatever was done to the file itself
        const contents = Object.values(world.payloads());
        if (archive !== "" && !contents.includes(CONTENT)) throw new Error("the file is gone");
      },
      async check(world, { catalog }) {
        const found = world.payloads();
        for (const [path, content] of Object.entries(expected))
          expectSame([path, found[path]], [path, content]);
        expectSame(Object.keys(found).length, Object.keys(expected).length);
        expectSame((await catalog.list({})).length, 1);
      },
    }));
    t.ok(crashes > 30, `${crashes} crashes`);
  });
}

test("discard: a crash anywhere leaves no work file behind", async (t) => {
  const crashes = await everyCrash(() => ({
    async live(world, { catalog, spool }) {
      await spool.recover();
      const { transfer } = await catalog.addReceive(RECEIVE, "me");
      const incoming = await spool.openIncoming(transfer, 0);
      await incoming.write([Buffer.from(CONTENT)]);
      await incoming.close();
      await spool.discard(transfer);
      expectSame(world.payloads(), {});
    },
    async check(world, { catalog }) {
      expectSame(world.payloads(), {});
      expectSame((await catalog.get("00000001"))?.workfile, "");
    },
  }));
  t.ok(crashes > 15, `${crashes} crashes`);
});

test("the harness sees a loss: without recovery an answered file stays undelivered", async (t) => {
  await t.rejects(
    everyCrash(() => {
      const scenario = receiving({ answered: false, taken: [] }, "none");
      return {
        ...scenario,
        live: (world, run) =>
          scenario.live(world, {
            ...run,
            spool: {
              ...run.spool,
              recover: async () => ({
                claimed: 0,
                delivered: [],
                putAway: [],
                undelivered: [],
                lost: [],
                troubles: [],
              }),
            },
          }),
      };
    }),
    { message: /^crash at / },
  );
});

test("order of the steps on the disk: what must be durable is synced before what depends on it", async (t) => {
  const world = new World();
  t.teardown(() => world.end());
  const { power, catalog, spool } = await world.start();
  const candidate = await world.drop("a.txt", CONTENT);
  const inOrder = (...steps: string[]): void => {
    let at = -1;
    for (const step of steps) {
      const next = power.log.indexOf(step.replaceAll("~", world.root), at + 1);
      t.ok(next > at, step);
      at = next;
    }
  };
  const { idtu } = await spool.claim(candidate, SEND, { workdir: world.workdir, archive: world.archive });
  inOrder(
    "catalog.addSend ",
    `disk.rename ~/outbox/ACME/a.txt`,
    "disk.syncDirectory ~/work/outbox",
    "disk.syncDirectory ~/outbox/ACME",
    `catalog.update ${idtu} claimed`,
  );
  power.log.length = 0;
  const { transfer } = await catalog.addReceive(RECEIVE, "me");
  const incoming = await spool.openIncoming(transfer, 0);
  await incoming.write([Buffer.from(CONTENT)]);
  await incoming.sync();
  const work = incoming.path.replace(world.root, "~");
  inOrder(
    "disk.makeDirectory ~/work/recv",
    "disk.syncDirectory ~/work",
    `disk.open ${work}`,
    `file ${work}.write `,
    `file ${work}.sync `,
    "disk.syncDirectory ~/work/recv",
  );
  await incoming.close();
  await catalog.update(transfer.idtu, { phase: "Y", phasestep: "C" });
  power.log.length = 0;
  await spool.deliver(transfer, join(world.inbox, "in.txt"));
  inOrder(
    "disk.makeDirectory ~/inbox/ACME",
    "disk.syncDirectory ~",
    "disk.syncDirectory ~/inbox",
    `catalog.update ${transfer.idtu} deliver`,
    `disk.link ${work}`,
    "disk.syncDirectory ~/inbox/ACME",
    `disk.remove ${work}`,
    `catalog.update ${transfer.idtu}`,
  );
  t.equal(readFileSync(join(world.inbox, "in.txt"), "latin1"), CONTENT);
});
