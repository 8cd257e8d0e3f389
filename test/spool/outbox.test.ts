import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "tap";
import { type Clock, systemClock } from "../../src/platform/clock.ts";
import { type FileSystem, systemFileSystem } from "../../src/platform/filesystem.ts";
import { type OutboxRules, Sightings, scanOutbox } from "../../src/spool/outbox.ts";

const IDLE = 5000;

/** Wall and monotonic time, moved by hand from the machine's present. */
function handClock(): Clock & { wall: number; mono: number; pass(milliseconds: number): void } {
  return {
    wall: Date.now(),
    mono: 1_000_000,
    now() {
      return this.wall;
    },
    monotonic() {
      return this.mono;
    },
    pass(milliseconds) {
      this.wall += milliseconds;
      this.mono += milliseconds;
    },
    timer: systemClock.timer,
  };
}

function folder(
  t: { testdir(): string },
  values: Partial<OutboxRules> = {},
  disk: FileSystem = systemFileSystem,
) {
  const rules: OutboxRules = {
    scandir: t.testdir(),
    part: "(0)",
    idf: "(1)",
    fileidledelay: IDLE,
    filecount: 0,
    filesizemin: 0,
    filesizemax: 0,
    includefilter: "",
    excludefilter: "",
    ...values,
  };
  const clock = handClock();
  const sightings = new Sightings();
  const put = (name: string, content = "x", age?: number): string => {
    const path = join(rules.scandir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (age !== undefined) utimesSync(path, new Date(clock.wall - age), new Date(clock.wall - age));
    return path;
  };
  const scan = async () => {
    const isPart = (name: string): boolean => ["ACME", "BETA"].includes(name);
    const result = await scanOutbox(disk, clock, rules, isPart, sightings);
    const short = (path: string): string => path.slice(rules.scandir.length + 1);
    return {
      ...result,
      names: result.ready.map(({ candidate }) => short(candidate.path)),
      unknown: result.unknown.map(short),
    };
  };
  return { rules, clock, sightings, put, scan };
}

test("which partner and flow a file belongs to; what is left alone", async (t) => {
  const rows: [Partial<OutboxRules>, Record<string, [string, string] | "unknown" | "ignored">][] = [
    [
      {},
      {
        "ACME/a": ["ACME", ""],
        "ACME/INVOIC/b": ["ACME", "INVOIC"],
        "ACME/INVOIC/deep/c": ["ACME", "INVOIC"],
        "BETA/d": ["BETA", ""],
        "STRANGER/e": "unknown",
        "STRANGER/INVOIC/f": "unknown",
        g: "unknown",
        "ACME/.h": "ignored",
        "ACME/.dir/h": "ignored",
        "ACME/i.tmp": "ignored",
        "ACME/j.PART": "ignored",
        "ACME/k.filepart": "ignored",
      },
    ],
    [
      { part: "ACME", idf: "(0)" },
      { a: ["ACME", ""], "INVOIC/b": ["ACME", "INVOIC"] },
    ],
    [
      { part: "ACME", idf: "ORDERS" },
      { a: ["ACME", "ORDERS"], "x/y/b": ["ACME", "ORDERS"] },
    ],
    [{ part: "NOBODY" }, { a: "unknown" }],
    [
      { part: "ACME", includefilter: "*.edi", excludefilter: "x*" },
      { "a.edi": ["ACME", ""], "a.txt": "ignored", "x.edi": "ignored" },
    ],
    [
      { part: "ACME", filesizemin: 2, filesizemax: 3 },
      { one: "ignored", two: ["ACME", ""], three: ["ACME", ""], four: "ignored" },
    ],
  ];
  const sizes: Record<string, number> = { one: 1, two: 2, three: 3, four: 4 };
  for (const [index, [rules, files]] of rows.entries()) {
    await t.test(`row ${index}`, async (t) => {
      const { put, scan, rules: all } = folder(t, rules);
      for (const name of Object.keys(files)) put(name, "x".repeat(sizes[name] ?? 1), 2 * IDLE);
      symlinkSync("/etc/passwd", join(all.scandir, "link"));
      const { ready, unknown } = await scan();
      const found: typeof files = {};
      for (const { candidate, part, idf } of ready) {
        found[candidate.path.slice(all.scandir.length + 1)] = [part, idf];
      }
      for (const name of unknown) found[name] = "unknown";
      const expected = Object.fromEntries(Object.entries(files).filter(([, kind]) => kind !== "ignored"));
      t.same(found, expected);
    });
  }
});

test("a file is ready when size and mtime have been still for the delay, by the monotonic clock", async (t) => {
  const { put, scan, clock } = folder(t);
  const path = put("ACME/a", "1");
  t.match(await scan(), { names: [], waiting: IDLE });
  clock.pass(IDLE - 1);
  t.match(await scan(), { names: [], waiting: 1 });
  writeFileSync(path, "12");
  clock.pass(1);
  t.match(await scan(), { names: [], waiting: IDLE }, "it grew: the delay begins anew");
  clock.wall -= 30 * 24 * 3600 * 1000;
  clock.mono += IDLE;
  const { ready, waiting } = await scan();
  t.match(
    ready,
    [{ candidate: { path, size: 2 }, part: "ACME" }],
    "a wall clock a month back does not block",
  );
  t.equal(waiting, null);
  clock.wall += 60 * 24 * 3600 * 1000;
  put("ACME/b", "1");
  t.same((await scan()).names, ["ACME/a"], "nor does a step forward hasten a file just written");
});

test("a file renamed in is ready at first sight", async (t) => {
  const { put, scan, clock, rules } = folder(t);
  const made = put("ACME/.a", "1", 2 * IDLE);
  renameSync(made, join(rules.scandir, "ACME/a"));
  t.same((await scan()).names, ["ACME/a"]);
  t.same((await scan()).names, ["ACME/a"], "and stays so until it is taken");
  renameSync(put("ACME/.b", "1", IDLE / 2), join(rules.scandir, "ACME/b"));
  t.match(await scan(), { names: ["ACME/a"], waiting: IDLE }, "a young one waits");
  renameSync(put("ACME/.b2", "12", 2 * IDLE), join(rules.scandir, "ACME/b"));
  t.same((await scan()).names.sort(), ["ACME/a", "ACME/b"], "one that replaced a younger file does not");
  clock.pass(1);
  utimesSync(join(rules.scandir, "ACME/a"), new Date(0), new Date(1));
  t.same((await scan()).names, ["ACME/b"], "one that was touched in its place waits again");
});

test("oldest first, at most filecount; postponed files wait; memory forgets what is gone", async (t) => {
  const { put, scan, clock, sightings } = folder(t, { filecount: 2 });
  for (let age = 1; age <= 5; age += 1) put(`ACME/${age}`, "x", IDLE * age);
  t.match(await scan(), { names: ["ACME/5", "ACME/4"], waiting: 1 });
  const five = (await scan()).ready[0]?.candidate.path as string;
  sightings.postpone(five, clock.mono + 60_000);
  t.same((await scan()).names, ["ACME/4", "ACME/3"]);
  clock.pass(60_000);
  t.same((await scan()).names, ["ACME/5", "ACME/4"]);
  rmSync(dirname(five), { recursive: true });
  t.match(await scan(), { names: [], waiting: null });
  t.equal(sightings.seen.size + sightings.postponed.size, 0);
});

test("what cannot be read is reported; a file that goes meanwhile is not an error", async (t) => {
  const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  const gone = Object.assign(new Error("ENOENT: gone"), { code: "ENOENT" });
  const disk: FileSystem = {
    ...systemFileSystem,
    list: async (path) => {
      if (path.endsWith("BETA")) throw denied;
      return systemFileSystem.list(path);
    },
    status: async (path) => {
      if (path.endsWith("gone")) throw gone;
      if (path.endsWith("denied")) throw denied;
      return systemFileSystem.status(path);
    },
  };
  const { put, scan, rules } = folder(t, {}, disk);
  for (const name of ["ACME/a", "ACME/gone", "ACME/denied", "BETA/b"]) put(name, "x", 2 * IDLE);
  const result = await scan();
  t.same(result.names, ["ACME/a"]);
  t.same(result.unreadable.map(({ path, error }) => [path.slice(rules.scandir.length + 1), error]).sort(), [
    ["ACME/denied", denied],
    ["BETA", denied],
  ]);
  chmodSync(rules.scandir, 0o755);
  rmSync(rules.scandir, { recursive: true });
  await t.rejects(scan(), { code: "CYG_SPOOL_GONE", message: /Scanning/ });
});
