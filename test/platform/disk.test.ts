import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { syncDirectory } from "../../src/platform/directory-sync.ts";
import { type FileSystem, systemFileSystem } from "../../src/platform/filesystem.ts";
import { nearFileSystem } from "../../src/platform/near-disk.ts";

/** What a disk makes of a life of a file: results and the codes of errors. */
async function life(disk: FileSystem, folder: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const attempt = async (step: Promise<unknown>): Promise<void> => {
    seen.push(
      await step.then(
        (value) => value ?? "done",
        (error) => error.code,
      ),
    );
  };
  const a = join(folder, "a");
  const b = join(folder, "b");
  await attempt(disk.status(a));
  const file = await disk.open(a, "create");
  await attempt(disk.open(a, "create"));
  await file.write([Buffer.from("one "), Buffer.alloc(0), Buffer.from("two")], 0);
  await file.write([Buffer.alloc(70_000, 120), Buffer.alloc(70_000, 121)], 7);
  await file.sync();
  const part = Buffer.alloc(9);
  seen.push(await file.read(part, 0), part.toString());
  const much = Buffer.alloc(100_000);
  seen.push(await file.read(much, 70_000), await file.read(much, 140_000), much.toString("latin1", 0, 8));
  await file.truncate(5);
  await file.close();
  const { size, kind, nlink } = await disk.status(a);
  seen.push(size, kind, nlink);
  await attempt(disk.link(a, b));
  await attempt(disk.link(a, b));
  await attempt(disk.rename(b, join(folder, "c")));
  await attempt(disk.rename(b, a));
  await attempt(disk.remove(a));
  await attempt(disk.remove(a));
  await attempt(disk.open(a, "read"));
  const again = await disk.open(join(folder, "c"), "update");
  await again.write([Buffer.from("ONE")], 0);
  await again.close();
  seen.push(readFileSync(join(folder, "c"), "latin1"));
  seen.push(Object.keys(await disk.space(folder)).sort());
  return seen;
}

test("the near disk does everything as the system's disk does, near and far", async (t) => {
  const dir = t.testdir({ plain: {}, near: {}, far: {} });
  const expected = await life(systemFileSystem, join(dir, "plain"));
  const disk = nearFileSystem(dir);
  // a directory is near once that was found out
  await disk.status(join(dir, "near", "x")).catch(() => undefined);
  await systemFileSystem.status(dir);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(await life(disk, join(dir, "near")), expected);
  t.same(await life(nearFileSystem("/proc"), join(dir, "far")), expected, "on another file system");
});

test("syncs of a directory are shared, and each comes after what was asked for it", async (t) => {
  const dir = t.testdir({ a: {} });
  const all: Promise<void>[] = [];
  for (let at = 0; at < 50; at++) {
    writeFileSync(join(dir, "a", `${at}`), "");
    all.push(syncDirectory(join(dir, "a")));
  }
  t.equal(new Set(all).size, 2, "one that is under way, and one for all who came since");
  await Promise.all(all);
  const later = syncDirectory(join(dir, "a"));
  t.notOk(all.includes(later), "a new one once they are over");
  await later;
  await t.rejects(syncDirectory(join(dir, "none")), { code: "ENOENT" });
  renameSync(join(dir, "a"), join(dir, "b"));
  const gone = [syncDirectory(join(dir, "a")), syncDirectory(join(dir, "a"))];
  t.same(
    (await Promise.allSettled(gone)).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  mkdirSync(join(dir, "a"));
  await syncDirectory(join(dir, "a"));
});
