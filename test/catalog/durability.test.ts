import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, type fdatasync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { test } from "tap";
import { GroupCommit } from "../../src/catalog/commit.ts";
import { Database } from "../../src/catalog/database.ts";
import { migrate, schemaVersion } from "../../src/catalog/migrate.ts";
import { MIGRATIONS } from "../../src/catalog/schema.ts";
import { openCatalog } from "../../src/catalog/sqlite.ts";
import { readCatalog } from "../../src/catalog/view.ts";
import { writeAheadLog } from "../../src/catalog/write-ahead-log.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { CygnetError } from "../../src/platform/errors.ts";

const SEND = {
  part: "ACME",
  idf: "I",
  fname: "/o/a",
  nfname: "a",
  dsn: "A",
  orig: "O",
  dest: "D",
  description: "",
  filesize: 1,
  pri: 0,
  ackstate: "require" as const,
  format: "U" as const,
  lrecl: 0,
  security: null,
  spool: { step: "claimed" as const, source: "/o/a", archive: "" },
};

/** A process that opens the catalog, adds sends without end and prints the IDTU of each that is durable. */
async function gatewayProcess(path: string) {
  const sqlite = new URL("../../src/catalog/sqlite.js", import.meta.url).href;
  const clock = new URL("../../src/platform/clock.js", import.meta.url).href;
  const program = `
    import { openCatalog } from ${JSON.stringify(sqlite)};
    import { systemClock } from ${JSON.stringify(clock)};
    import { writeSync } from "node:fs";
    const catalog = openCatalog(${JSON.stringify(path)}, systemClock);
    for (;;) writeSync(1, (await catalog.addSend(${JSON.stringify(SEND)})).idtu + "\\n");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  reader.on("line", (line) => lines.push(line));
  while (lines.length < 25) await once(reader, "line");
  return { child, lines, closed: once(reader, "close") };
}

test("a second process is refused, readers are not; what was answered survives SIGKILL", async (t) => {
  const path = `${t.testdir()}/catalog.db`;
  const { child, lines, closed } = await gatewayProcess(path);
  t.throws(() => openCatalog(path, systemClock), {
    code: "CYG_CATALOG_IN_USE",
    message: new RegExp(`in use by another gateway \\(process ${child.pid}\\)`),
  });
  const view = readCatalog(path);
  t.ok((await view.totals()).send.D, "a reader sees a running gateway's records");
  t.equal((await view.list({ limit: 5 })).length, 5);
  await view.close();
  child.kill("SIGKILL");
  await closed;
  const dead = readCatalog(path);
  const seen = await dead.list({ limit: 1_000_000 });
  await dead.close();
  const catalog = openCatalog(path, systemClock);
  for (const records of [seen, await catalog.list({ limit: 1_000_000 })]) {
    const durable = new Set(records.map(({ idtu }) => idtu));
    t.same(
      lines.filter((idtu) => !durable.has(idtu)),
      [],
      `${lines.length} answered, all there`,
    );
  }
  t.throws(() => openCatalog(path, systemClock), { code: "CYG_CATALOG_IN_USE" }, "nor twice in one process");
  await catalog.close();
  await openCatalog(path, systemClock).close();
  t.equal(statSync(path).mode & 0o007, 0, "nothing for others");
});

test("group commit: one transaction per turn, failures alone, order kept", async (t) => {
  const path = `${t.testdir()}/group.db`;
  const database = new Database(path);
  t.teardown(() => database.close());
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT NOT NULL CHECK (text <> 'bad'));");
  const commits = new GroupCommit(database);
  const add = (text: string) =>
    commits.change(() => {
      database.run("INSERT INTO note VALUES (?)", text);
      if (text === "late") throw new CygnetError("CYG_TEST", "after its insert");
      return text;
    });
  const other = new DatabaseSync(path);
  t.teardown(() => other.close());
  const visible = () =>
    other
      .prepare("SELECT text FROM note ORDER BY rowid")
      .all()
      .map((row) => row.text);
  const first = add("one");
  const results = Promise.allSettled([first, add("bad"), add("two"), add("late"), add("three")]);
  t.same(visible(), [], "nothing before the end of the turn");
  await first;
  t.same(visible(), ["one", "two", "three"], "all at once");
  t.same(
    (await results).map((result) => (result.status === "fulfilled" ? result.value : result.reason.code)),
    ["one", "CYG_CATALOG", "two", "CYG_TEST", "three"],
  );
  const waiting = add("four");
  commits.close();
  t.equal(await waiting, "four", "close commits what waits");
  await t.rejects(add("five"), { code: "CYG_CATALOG_CLOSED" });
});

test("disk full: the whole group is refused, nothing of it stands, and it goes on when there is room", async (t) => {
  const database = new Database(`${t.testdir()}/full.db`);
  t.teardown(() => database.close());
  database.exec("CREATE TABLE note (text TEXT); PRAGMA max_page_count = 20;");
  const commits = new GroupCommit(database);
  const add = (size: number) =>
    commits.change(() => database.run("INSERT INTO note VALUES (?)", "x".repeat(size)));
  const group = await Promise.allSettled([add(10), add(200_000), add(10)]);
  t.same(
    group.map((result) => result.status === "rejected" && result.reason.code),
    ["CYG_CATALOG_FULL", "CYG_CATALOG_FULL", "CYG_CATALOG_FULL"],
  );
  t.equal(database.row("SELECT count(*) AS n FROM note")?.n, 0);
  t.equal(await add(10), 1, "smaller things still fit");
  database.exec("PRAGMA max_page_count = 2000;");
  t.equal(await add(200_000), 1);
});

test("migrations: from every version to the last, once, all or nothing; a newer catalog is refused", async (t) => {
  const dir = t.testdir();
  const steps = [
    "CREATE TABLE one (a)",
    "CREATE TABLE two (a); INSERT INTO one VALUES (2)",
    "DROP TABLE one",
  ];
  for (let from = 0; from <= steps.length; from += 1) {
    const database = new Database(`${dir}/${from}.db`);
    migrate(database, steps.slice(0, from));
    migrate(database, steps);
    migrate(database, steps);
    t.equal(schemaVersion(database), 3, `from ${from}`);
    t.same(
      database.rows("SELECT name FROM sqlite_schema").map(({ name }) => name),
      ["two"],
    );
    database.close();
  }
  const broken = new Database(`${dir}/broken.db`);
  t.throws(() => migrate(broken, [steps[0] as string, "CREATE TABLE two (a); CREATE TABLE one (a)"]));
  t.equal(schemaVersion(broken), 1, "the step that failed left nothing");
  t.same(
    broken.rows("SELECT name FROM sqlite_schema").map(({ name }) => name),
    ["one"],
  );
  broken.close();

  const path = `${dir}/catalog.db`;
  await openCatalog(path, systemClock).close();
  const raw = new DatabaseSync(path);
  t.equal(raw.prepare("PRAGMA user_version").get()?.user_version, MIGRATIONS.length);
  raw.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  t.throws(() => openCatalog(path, systemClock), {
    code: "CYG_CATALOG_NEWER",
    message: /run the newer program/,
  });
  t.throws(() => readCatalog(path), { code: "CYG_CATALOG_NEWER" });
  raw.exec("PRAGMA user_version = 0");
  t.throws(() => readCatalog(path), { code: "CYG_CATALOG_OLDER", message: /start the gateway once/ });
  raw.close();
});

test("what is not a catalog is refused with its path and reason", (t) => {
  const dir = t.testdir({
    "garbage.db": "this is no database, and longer than a header of one hundred octets: ".repeat(9),
  });
  t.throws(() => openCatalog(`${dir}/garbage.db`, systemClock), {
    code: "CYG_CATALOG_DAMAGED",
    message: /garbage\.db/,
  });
  t.throws(() => readCatalog(`${dir}/garbage.db`), { code: "CYG_CATALOG_DAMAGED" });
  t.throws(() => readCatalog(`${dir}/none.db`), { code: "CYG_CATALOG_MISSING" });
  t.notOk(existsSync(`${dir}/none.db`));
  writeFileSync(`${dir}/file`, "");
  t.throws(() => openCatalog(`${dir}/file/catalog.db`, systemClock), { code: "CYG_CATALOG_OPEN" });
  t.end();
});

test("durable and applied: who waits for the disk, in which order, and what a failing disk makes of it", async (t) => {
  const path = `${t.testdir()}/synced.db`;
  const database = new Database(path);
  t.teardown(() => database.close());
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE note (text TEXT);");
  /** Syncs that are under way; the test lets them end. */
  const syncs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const commits = new GroupCommit(
    database,
    () => new Promise<void>((resolve, reject) => syncs.push({ resolve, reject })),
  );
  const told: string[] = [];
  const add = (text: string, surety?: "durable" | "applied") =>
    commits
      .change(() => database.run("INSERT INTO note VALUES (?)", text), surety)
      .then(
        () => told.push(text),
        (error) => told.push(`${text} ${error.code}`),
      );
  let commitsSeen = 0;
  commits.watch(() => {
    commitsSeen += 1;
  });
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const visible = () => database.rows("SELECT text FROM note").map(({ text }) => text);

  const first = add("a");
  await add("b", "applied");
  t.same([told, visible(), syncs.length], [["b"], ["a", "b"], 1], "applied at once, durable after the sync");
  const third = add("c");
  const settled = commits.settled().then(() => told.push("settled"));
  await turn();
  t.equal(syncs.length, 1, "one sync at a time");
  syncs[0]?.resolve();
  await first;
  await turn();
  t.same([told, commitsSeen], [["b", "a"], 1], "what was committed during a sync waits for the next");
  syncs[1]?.resolve();
  await Promise.all([third, settled]);
  t.same(told.slice(2).sort(), ["c", "settled"]);
  await commits.settled();
  t.equal(syncs.length, 2, "nothing is left to sync");

  const fourth = add("d");
  await turn();
  syncs[2]?.reject(Object.assign(new Error("EIO"), { errcode: 10 }));
  await fourth;
  t.same(
    [told.at(-1), visible().at(-1), commitsSeen],
    ["d CYG_CATALOG_WRITE", "d", 2],
    "seen, but not said to be safe",
  );
  const last = add("e", "applied");
  await last;
  const closing = commits.close();
  await turn();
  t.equal(syncs.length, 4, "closing waits for what was only applied, too");
  for (const { resolve } of syncs) resolve();
  await closing;
  await t.rejects(
    commits.change(() => 0),
    { code: "CYG_CATALOG_CLOSED" },
  );
});

test("a log that cannot be synced is written into the catalog itself; what then fails too is told", async (t) => {
  const path = `${t.testdir()}/log.db`;
  const database = new Database(path, { timeout: 20 });
  t.teardown(() => database.close());
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE note (text TEXT);");
  let broken = false;
  let asked = 0;
  const failing = ((_: number, done: (error: Error | null) => void) => {
    asked += 1;
    setImmediate(() => done(broken ? new Error("EIO") : null));
  }) as unknown as typeof fdatasync;
  const log = writeAheadLog(database, failing);
  t.teardown(() => log.close());
  const bare = () => {
    const other = new DatabaseSync(`${path}-copy`);
    const rows = other.prepare("SELECT count(*) AS n FROM note").get();
    other.close();
    return Number(rows?.n);
  };
  database.run("INSERT INTO note VALUES ('a')");
  await log.sync();
  broken = true;
  database.run("INSERT INTO note VALUES ('b')");
  await log.sync();
  copyFileSync(path, `${path}-copy`);
  t.equal(bare(), 2, "the file without its log has everything");
  const reader = new DatabaseSync(path);
  reader.exec("BEGIN");
  reader.prepare("SELECT * FROM note").all();
  database.run("INSERT INTO note VALUES ('c')");
  await t.rejects(
    log.sync(),
    /could not be synced/,
    "a reader keeps the log from being emptied: nobody is told that c is safe",
  );
  reader.exec("COMMIT");
  reader.close();
  await log.sync();
  t.equal(asked, 3, "a log in doubt is not asked again before it was begun anew");
  broken = false;
  database.run("INSERT INTO note VALUES ('d')");
  await log.sync();
  t.equal(asked, 4);
});
