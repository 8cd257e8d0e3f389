import {
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import type { Transfer } from "../../src/catalog/catalog.ts";
import type { FileSystem, OpenFile } from "../../src/platform/filesystem.ts";
import { RECEIVE, responseTo, SEND, sha256, World } from "./world.ts";

const CONTENT = "0123456789abcdef".repeat(200);

function fresh(t: { teardown(end: () => unknown): void }): World {
  const world = new World();
  t.teardown(() => world.end());
  return world;
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** A disk on which one kind of operation fails while `failing.code` is set. */
function failingDisk(world: World, operation: keyof FileSystem | "write" | "sync", on = "") {
  const failing = { code: "" };
  world.around = (disk) => {
    const around = <T extends object>(target: T): T =>
      Object.fromEntries(
        Object.entries(target).map(([name, method]) => [
          name,
          async (...values: unknown[]) => {
            if (name === operation && failing.code !== "" && values.join(" ").includes(on)) {
              throw systemError(failing.code);
            }
            const result = await method(...values);
            return name === "open" ? around(result as OpenFile) : result;
          },
        ]),
      ) as T;
    return around(disk);
  };
  return failing;
}

/** A receive that is complete and waits for its delivery. */
async function received(
  { catalog, spool }: Awaited<ReturnType<World["start"]>>,
  dsn: string,
  content = CONTENT,
) {
  const { transfer } = await catalog.addReceive({ ...RECEIVE, dsn }, "me");
  const incoming = await spool.openIncoming(transfer, 0);
  await incoming.write([Buffer.from(content)]);
  await incoming.sync();
  await incoming.close();
  await catalog.update(transfer.idtu, { phase: "Y", phasestep: "C" });
  return (await catalog.get(transfer.idtu)) as Transfer;
}

test("a restart at any position gives the digest of the whole, and cuts what was behind it", async (t) => {
  const world = fresh(t);
  const run = await world.start();
  const { transfer } = await run.catalog.addReceive(RECEIVE, "me");
  const content = Buffer.alloc(700_000, "receive ");
  for (const position of [0, 1024, 262_144, 263_168, 699_392, 0]) {
    const first = await run.spool.openIncoming(transfer, 0);
    await Promise.all([
      first.write([content.subarray(0, 300_000)]),
      first.write([content.subarray(300_000)]),
    ]);
    t.equal(await first.sync(), 700_000);
    await first.close();
    const again = await run.spool.openIncoming(transfer, position);
    t.equal(again.length, position);
    t.equal(statSync(again.path).size, position, "what follows the position is gone");
    const rest = content.subarray(position);
    await again.write([rest.subarray(0, 10), new Uint8Array(0), rest.subarray(10)]);
    t.equal(await again.sync(), 700_000);
    t.equal(again.digest(), sha256(content), `from ${position}`);
    await again.close();
  }
  t.equal((await run.catalog.get(transfer.idtu))?.workfile, join(world.root, "work/recv", transfer.idtu));
  await t.rejects(run.spool.openIncoming(transfer, 700_416), { code: "CYG_SPOOL_SHORT" });

  const candidate = await world.drop("a.bin", content.toString("latin1"));
  const send = await run.spool.claim(candidate, SEND, { workdir: world.workdir, archive: "" });
  for (const position of [0, 1024, 524_288, 700_000]) {
    const outgoing = await run.spool.openOutgoing(send, position);
    const buffer = Buffer.alloc(65_536);
    let rest = 0;
    for (let count = -1; count !== 0; rest += count) {
      count = await outgoing.read(buffer);
      t.ok(buffer.subarray(0, count).equals(content.subarray(position + rest, position + rest + count)));
    }
    t.equal(rest, 700_000 - position);
    t.equal(outgoing.digest(), sha256(content), `sent from ${position}`);
    await outgoing.close();
  }
  writeFileSync(send.workfile, "longer than it was", { flag: "a" });
  await t.rejects(run.spool.openOutgoing(send, 0), { code: "CYG_SPOOL_CHANGED" });
  rmSync(send.workfile);
  await t.rejects(run.spool.openOutgoing(send, 0), { code: "CYG_SPOOL_GONE" });
});

test("an empty file is claimed, received and delivered like any other", async (t) => {
  const world = fresh(t);
  const run = await world.start();
  const send = await run.spool.claim(await world.drop("empty", ""), SEND, {
    workdir: world.workdir,
    archive: "",
  });
  const outgoing = await run.spool.openOutgoing(send, 0);
  t.equal(await outgoing.read(Buffer.alloc(10)), 0);
  t.equal(outgoing.digest(), sha256(""));
  await outgoing.close();
  const transfer = await received(run, "EMPTY", "");
  await run.spool.deliver(transfer, join(world.inbox, "empty"));
  t.equal(world.payloads()["inbox/ACME/empty"], "");
});

test("a file that vanished or changed before it was taken: T/K, DIAGI 110, and nothing is lost", async (t) => {
  const replace = (path: string): void => {
    writeFileSync(`${path}2`, "other");
    renameSync(`${path}2`, path);
  };
  const makeDirectory = (path: string): void => {
    rmSync(path);
    mkdirSync(path);
  };
  const rows: [string, (path: string) => void, string[]][] = [
    ["vanished", (path) => rmSync(path), []],
    ["replaced", replace, ["other"]],
    ["grown", (path) => writeFileSync(path, "more", { flag: "a" }), [`${CONTENT}more`]],
    ["touched", (path) => utimesSync(path, 1, 1), [CONTENT]],
    ["a directory now", makeDirectory, []],
  ];
  for (const [name, change, left] of rows) {
    for (const moment of ["before the record", "before the rename"] as const) {
      const world = fresh(t);
      if (moment === "before the rename") {
        world.around = (disk) => ({
          ...disk,
          rename: (from, to) => {
            change(from);
            return disk.rename(from, to);
          },
        });
      }
      const { catalog, spool } = await world.start();
      const candidate = await world.drop("a.txt", CONTENT);
      if (moment === "before the record") change(candidate.path);
      if (name === "a directory now" && moment === "before the rename") continue;
      const claimed = await spool.claim(candidate, SEND, { workdir: world.workdir, archive: "" });
      t.match(
        claimed,
        { phase: "T", phasestep: "K", diagi: 110, diagc: /a\.txt: the file/, workfile: "" },
        name,
      );
      t.same(await catalog.get(claimed.idtu), claimed);
      t.same(Object.values(world.payloads()), left, `${name} ${moment}: still in the outbox`);
      t.same(readdirSync(world.workdir), []);
      t.equal(await catalog.claimSend("ACME", "me", 0), undefined);
    }
  }
});

test("a refused claim waits under its one record, with the reason, until the system allows it", async (t) => {
  for (const [code, ours, diagi] of [
    ["EACCES", "CYG_SPOOL_DENIED", 115],
    ["ENOSPC", "CYG_SPOOL_FULL", 111],
    ["EXDEV", "CYG_SPOOL_DEVICE", 142],
    ["EIO", "CYG_SPOOL_IO", 100],
  ] as const) {
    for (const operation of ["rename", "syncDirectory"] as const) {
      const world = fresh(t);
      const failing = failingDisk(world, operation);
      const { catalog, spool } = await world.start();
      const candidate = await world.drop("a.txt", CONTENT);
      const to = { workdir: world.workdir, archive: "" };
      mkdirSync(world.workdir, { recursive: true });
      failing.code = code;
      for (let attempt = 0; attempt < 2; attempt += 1) {
        await t.rejects(spool.claim(candidate, SEND, to), { code: ours, message: /Taking .*a\.txt into/ });
      }
      const records = await catalog.list({});
      t.equal(records.length, 1, `${code} in ${operation}: one record`);
      t.match(records[0], { phase: "T", phasestep: "D", diagi, diagc: /Taking/ });
      t.equal(await catalog.claimSend("ACME", "me", 0), undefined, "not to be sent yet");
      t.same(Object.values(world.payloads()), [CONTENT]);
      failing.code = "";
      if (operation === "rename") await spool.claim(candidate, SEND, to);
      else t.match(await spool.recover(), { claimed: 1, troubles: [] });
      const claimed = await catalog.claimSend("ACME", "me", 0);
      t.match(claimed, { diagi: 0, diagc: "", idtu: records[0]?.idtu });
      t.same(world.payloads(), { [`work/outbox/${claimed?.idtu}`]: CONTENT });
    }
  }
});

test("one outbox file is claimed once, however many ask at the same time", async (t) => {
  const world = fresh(t);
  const { catalog, spool } = await world.start();
  const candidate = await world.drop("a.txt", CONTENT);
  const to = { workdir: world.workdir, archive: "" };
  const claims = await Promise.allSettled([1, 2, 3].map(() => spool.claim(candidate, SEND, to)));
  t.equal(claims.filter(({ status }) => status === "fulfilled").length, 1);
  t.match(
    claims.find(({ status }) => status === "rejected"),
    { reason: { code: "CYG_SPOOL_BUSY" } },
  );
  t.equal((await catalog.list({})).length, 1);
  const hold = { step: "K", diagi: 411, diagp: "", diagc: "forbidden" } as const;
  const held = await spool.claim(await world.drop("b.txt", CONTENT), SEND, { ...to, hold });
  t.match(held, { phasestep: "K", diagi: 411, diagc: "forbidden", workfile: join(world.workdir, held.idtu) });
});

test("a full disk while receiving: a clear error, and the synced part goes on later", async (t) => {
  for (const operation of ["write", "sync", "syncDirectory"] as const) {
    const world = fresh(t);
    const failing = failingDisk(world, operation);
    const { catalog, spool } = await world.start();
    const { transfer } = await catalog.addReceive(RECEIVE, "me");
    const first = await spool.openIncoming(transfer, 0);
    await first.write([Buffer.from(CONTENT.slice(0, 1024))]);
    await first.sync();
    await first.close();
    const second = await spool.openIncoming(transfer, 1024);
    failing.code = "ENOSPC";
    const failed = second.write([Buffer.from("garbage")]).then(() => second.sync());
    await t.rejects(failed, { code: "CYG_SPOOL_FULL", message: /make room/ }, operation);
    if (operation === "write")
      await t.rejects(second.sync(), { code: "CYG_SPOOL_FULL" }, "no sync after a hole");
    await second.close();
    failing.code = "";
    const third = await spool.openIncoming(transfer, 1024);
    await third.write([Buffer.from(CONTENT.slice(1024))]);
    await third.sync();
    t.equal(third.digest(), sha256(CONTENT));
    await third.close();
  }
});

test("deliver never overwrites: suffixes, then the IDTU; many at once get names of their own", async (t) => {
  const world = fresh(t);
  const run = await world.start();
  world.place("inbox/ACME/in.txt", "older");
  const transfers: Transfer[] = [];
  for (let at = 0; at < 10; at += 1) transfers.push(await received(run, `F${at}`, `content ${at}`));
  const target = join(world.inbox, "in.txt");
  const paths = await Promise.all(transfers.map((transfer) => run.spool.deliver(transfer, target)));
  t.equal(new Set(paths).size, 10);
  const found = world.payloads();
  t.equal(found["inbox/ACME/in.txt"], "older");
  for (const [at, path] of paths.entries()) {
    t.equal(found[path.slice(world.root.length + 1)], `content ${at}`);
    t.match(path, /in~([2-9]|\d{8})\.txt$/);
    const record = await run.catalog.get((transfers[at] as Transfer).idtu);
    t.match(record, { fname: path, workfile: "", spool: null, phase: "Y" });
    t.equal(await run.spool.deliver(transfers[at] as Transfer, target), path, "asked again: the same answer");
  }
  t.equal(Object.keys(found).length, 11);
});

test("a refused delivery keeps the payload and delivers it once when it is allowed", async (t) => {
  for (const [operation, on, code, ours] of [
    ["link", "", "EACCES", "CYG_SPOOL_DENIED"],
    ["link", "", "ENOSPC", "CYG_SPOOL_FULL"],
    ["makeDirectory", "inbox", "EACCES", "CYG_SPOOL_DENIED"],
    ["syncDirectory", "inbox", "EIO", "CYG_SPOOL_IO"],
    ["remove", "work", "EACCES", "CYG_SPOOL_DENIED"],
  ] as const) {
    const world = fresh(t);
    const failing = failingDisk(world, operation, on);
    const run = await world.start();
    const transfer = await received(run, "F");
    const target = join(world.inbox, "in.txt");
    failing.code = code;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await t.rejects(run.spool.deliver(transfer, target), { code: ours, message: /Delivering/ });
    }
    // The operator repairs the rights of the whole tree, which touches the work file.
    const { uid, gid } = statSync(transfer.workfile);
    chownSync(transfer.workfile, uid, gid);
    failing.code = "";
    t.equal(await run.spool.deliver(transfer, target), target, `${operation} ${code}`);
    t.same(world.payloads(), { "inbox/ACME/in.txt": CONTENT });
  }
});

test("settle and fail: archive or failed/<PART>, under the dropped name, nothing overwritten", async (t) => {
  const world = fresh(t);
  const { catalog, spool } = await world.start();
  const claim = async (name: string, content: string, archive: string) =>
    spool.claim(await world.drop(name, content), SEND, { workdir: world.workdir, archive });
  for (let at = 0; at < 3; at += 1) await spool.settle(await claim("a.txt", `archived ${at}`, world.archive));
  await spool.settle(await claim("b.txt", "deleted", ""));
  for (let at = 0; at < 2; at += 1) await spool.fail(await claim("a.txt", `failed ${at}`, world.archive));
  const linked = await world.drop("c.txt", "linked elsewhere too");
  linkSync(linked.path, join(world.root, "elsewhere"));
  await spool.settle(await spool.claim(linked, SEND, { workdir: world.workdir, archive: world.archive }));
  t.same(world.payloads(), {
    "archive/a.txt": "archived 0",
    "archive/a~2.txt": "archived 1",
    "archive/a~3.txt": "archived 2",
    "archive/c.txt": "linked elsewhere too",
    "failed/ACME/a.txt": "failed 0",
    "failed/ACME/a~2.txt": "failed 1",
    elsewhere: "linked elsewhere too",
  });
  for (const record of await catalog.list({})) t.match(record, { workfile: "", spool: null });
});

test("recover sorts what it finds: orphans go, lost files are named, one trouble does not stop the rest", async (t) => {
  const world = fresh(t);
  const failing = failingDisk(world, "rename", "stubborn");
  let run = await world.start();
  failing.code = "EACCES";
  const stubborn = await world.drop("stubborn.txt", "stays");
  await t.rejects(run.spool.claim(stubborn, SEND, { workdir: world.workdir, archive: "" }));
  const lost = await received(run, "LOST");
  rmSync(lost.workfile);
  const waiting = await received(run, "WAITING");
  const done = await received(run, "DONE");
  const fname = await run.spool.deliver(done, join(world.inbox, "done"));
  const half = (await run.catalog.addReceive({ ...RECEIVE, dsn: "HALF" }, "me")).transfer;
  await (await run.spool.openIncoming(half, 0)).close();
  world.place("work/recv/00004711", "no record");
  world.place("work/recv/notes", "not ours to remove");
  run = await world.start();
  const recovery = await run.spool.recover();
  t.match(recovery, {
    claimed: 0,
    lost: [{ idtu: lost.idtu }],
    undelivered: [{ idtu: waiting.idtu }],
    delivered: [{ idtu: done.idtu, fname }],
    troubles: [{ transfer: { fname: stubborn.path }, error: { code: "CYG_SPOOL_DENIED" } }],
  });
  t.same(Object.keys(world.payloads()).sort(), [
    "inbox/ACME/done",
    "outbox/ACME/stubborn.txt",
    `work/recv/${waiting.idtu}`,
    `work/recv/${half.idtu}`,
    "work/recv/notes",
  ]);
  for (const transfer of recovery.delivered)
    await run.catalog.finishReceive(transfer.idtu, {}, responseTo(transfer));
  failing.code = "";
  t.match(await run.spool.recover(), { claimed: 1, delivered: [], troubles: [] }, "tried again with success");
});
