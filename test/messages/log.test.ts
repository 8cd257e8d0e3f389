import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { type Test, test } from "tap";
import { type JournalOptions, type OpenJournal, openJournal } from "../../src/messages/logger.ts";
import { follow, parseLine, readLines } from "../../src/messages/reader.ts";
import { backupIndices, backupPath } from "../../src/messages/rotation.ts";

const TIME = new Date(2026, 10, 20, 9, 14, 5, 120).getTime();

/** Keeps what is written to it. */
class Sink extends Writable {
  text = "";
  isTTY = false;

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "cygnet-log-"));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

function journal(fname: string, options: Partial<JournalOptions> = {}): { log: OpenJournal; fallback: Sink } {
  const fallback = new Sink();
  const settings = {
    fname,
    format: "V24",
    level: "T",
    maxsize: 0,
    backups: 3,
    clock: { now: () => TIME },
  } as const;
  return { log: openJournal({ ...settings, strict: true, fallback, ...options }), fallback };
}

function started(log: OpenJournal, from: number, to: number): void {
  for (let n = from; n < to; n += 1)
    log.emit("CFTT57I", { idtu: n, part: "P", idf: "I", ids: 1, role: "requester" });
}

/** IDTU of every line in all files of the log, oldest first. */
async function numbers(fname: string): Promise<number[]> {
  const found: number[] = [];
  for (const index of [...(await backupIndices(fname)).reverse(), 0]) {
    for await (const line of readLines(backupPath(fname, index)))
      found.push(Number(parseLine(line)?.variables.idtu));
  }
  return found;
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index);
}

test("a burst of 20,000 lines, then close: nothing is lost, in one file or across rotations", async (t) => {
  const path = await folder(t);
  for (const [maxsize, backups] of [
    [0, 0],
    [100_000, 100],
  ] as const) {
    const fname = join(path, `${maxsize}`, "cygnet.log");
    const { log, fallback } = journal(fname, { maxsize, backups });
    started(log, 0, 20_000);
    await log.close();
    t.same(await numbers(fname), upTo(20_000), `every line once and in order, maxsize ${maxsize}`);
    const files = await readdir(dirname(fname));
    t.equal(files.length > 1, maxsize > 0, `${files.length} files`);
    for (const file of files) {
      const { size } = await stat(join(dirname(fname), file));
      t.ok(maxsize === 0 || size <= maxsize, `${file} has at most maxsize octets`);
    }
    t.equal(fallback.text, "");
    await log.close();
    log.emit("CFTE09I", {});
    t.match(fallback.text, /CFTE09I Stop complete\n$/, "what comes after close goes to standard error");
  }
});

test("rotation keeps as many old files as asked, the youngest", async (t) => {
  const fname = join(await folder(t), "cygnet.log");
  await writeFile(backupPath(fname, 7), "from a time with more backups\n");
  const { log } = journal(fname, { maxsize: 5_000, backups: 2 });
  started(log, 0, 1_000);
  await log.close();
  t.same(await backupIndices(fname), [1, 2]);
  const kept = await numbers(fname);
  t.same(kept, upTo(1_000).slice(-kept.length), "what is kept is the end, without holes");
});

test("a torn end, a file moved away, deleted or replaced cost no line", async (t) => {
  const path = await folder(t);
  const fname = join(path, "cygnet.log");
  await writeFile(fname, "2026-11-20 09:14:05.120 CFTT57I Transfer sta");
  const { log, fallback } = journal(fname);
  const lines = follow(fname, { from: "start", interval: 1 });
  started(log, 0, 1);
  await lines.next();
  t.match((await lines.next()).value, /IDTU=0 /, "the first line stands behind the torn one, on its own");
  await rename(fname, join(path, "kept"));
  started(log, 1, 2);
  t.match((await lines.next()).value, /IDTU=1 /, "the next goes to a new file, and a follower finds it");
  await rm(fname);
  started(log, 2, 3);
  t.match((await lines.next()).value, /IDTU=2 /, "and again");
  await rename(fname, join(path, "kept too"));
  await writeFile(fname, "");
  started(log, 3, 4);
  t.match((await lines.next()).value, /IDTU=3 /, "also when somebody made the new file");
  await lines.return(undefined);
  await log.close();
  t.match(await readFile(fname, "utf8"), /^.* <IDTU=3 .*\n$/, "which then holds the line");
  t.equal((await readFile(join(path, "kept"), "utf8")).split("\n").length, 3);
  t.equal(fallback.text, "");
});

test("an unwritable log never throws: lines go to standard error, one complaint for each outage", async (t) => {
  const path = await folder(t);
  await writeFile(join(path, "file"), "");
  const targets = [join(path, "file", "cygnet.log"), path, "/dev/full"];
  for (const fname of targets) {
    const { log, fallback } = journal(fname, { maxsize: 1000 });
    for (let n = 0; n < 5; n += 1) {
      started(log, n, n + 1);
      await turn();
    }
    await log.close();
    const ids = fallback.lines.map((line) => parseLine(line)?.id);
    t.same(ids, ["CFTH99W", ...Array(5).fill("CFTT57I")], `${fname}: ${fallback.lines[0]}`);
  }
  t.ok((await stat("/dev/full")).isCharacterDevice(), "a device is not rotated away");

  const fname = join(path, "blocked", "cygnet.log");
  await writeFile(join(path, "blocked"), "");
  const { log, fallback } = journal(fname);
  started(log, 0, 3);
  while (fallback.lines.length < 4) await turn();
  await rm(join(path, "blocked"));
  started(log, 3, 4);
  await log.close();
  const written = (await readFile(fname, "utf8")).split("\n");
  t.match(written[0], /IDTU=3 /, "the log goes on by itself");
  t.match(
    fallback.text + written[1],
    /CFTH99I Log file is written again <FILE=.* N=3>/,
    "and says what it misses",
  );
});

test("a rotation that is not possible leaves the log going on in its file", async (t) => {
  const fname = join(await folder(t), "cygnet.log");
  await mkdir(join(backupPath(fname, 1), "in the way"), { recursive: true });
  const { log, fallback } = journal(fname, { maxsize: 1_000, backups: 1 });
  started(log, 0, 100);
  await log.close();
  t.equal(fallback.text, "");
  t.equal((await readFile(fname, "utf8")).split("\n").length, 101);
});

test("a backlog beyond its bound leaves out information and trace, counts it, and never leaves out W, E, F", async (t) => {
  const fname = join(await folder(t), "cygnet.log");
  const { log } = journal(fname, { backlog: 100 });
  for (let n = 0; n < 1_000; n += 1) {
    started(log, n, n + 1);
    log.emit("CFTH75T", { ids: n, text: "SFID" });
    if (n % 2 === 0) log.emit("CFTR70W", { id: "OUT", file: `${n}`, name: "X" });
    if (n % 5 === 0) log.emit("CFTI01F", { text: `${n}` });
  }
  await log.close();
  const count = new Map<string, number>();
  let leftOut = 0;
  for await (const line of readLines(fname)) {
    const entry = parseLine(line);
    count.set(entry?.id ?? line, (count.get(entry?.id ?? line) ?? 0) + 1);
    if (entry?.id === "CFTH98W") leftOut += Number(entry.variables.n);
  }
  t.equal(count.get("CFTR70W"), 500);
  t.equal(count.get("CFTI01F"), 200);
  t.ok(leftOut > 0);
  t.equal(
    (count.get("CFTT57I") ?? 0) + (count.get("CFTH75T") ?? 0) + leftOut,
    2_000,
    "what is left out is counted",
  );
});

test("reconfigure: level, layout and file change at once, and no line is lost between", async (t) => {
  const path = await folder(t);
  const [first, second] = [join(path, "a.log"), join(path, "deeper", "b.log")];
  const { log } = journal(first, { level: "W" });
  started(log, 0, 5);
  log.emit("CFTI01F", { text: "seen" });
  log.reconfigure({ level: "I" });
  log.emit("CFTH75T", { ids: 1, text: "not seen" });
  started(log, 5, 105);
  log.reconfigure({ fname: second, format: "json" });
  started(log, 105, 205);
  log.reconfigure({ maxsize: 2_000, backups: 50 });
  started(log, 205, 305);
  await log.close();
  const old = (await readFile(first, "utf8")).split("\n").slice(0, -1);
  t.match(old[0], /CFTI01F Start failed: seen/);
  t.equal(old.length, 101);
  t.same(await numbers(second), upTo(305).slice(105));
  t.ok((await backupIndices(second)).length > 3, "the new maxsize counts");
  for await (const line of readLines(second)) t.equal(parseLine(line)?.layout, "json", line, { quiet: true });
});

test("strict: unknown ids and missing variables throw; otherwise they are logged", async (t) => {
  const fname = join(await folder(t), "cygnet.log");
  const { log } = journal(fname, { strict: true });
  t.throws(() => log.emit("CFTZ99E"), { code: "CYG_MESSAGE_UNKNOWN", message: /CFTZ99E/ });
  t.throws(() => log.emit("CFTT57I", { part: "P", idf: undefined, idtu: 1 }), {
    code: "CYG_MESSAGE_VARIABLES",
    message: /CFTT57I lacks its variables idf, ids, role/,
  });
  await log.close();
  const { log: lenient } = journal(fname, { strict: false });
  lenient.emit("CFTZ99E", { part: "P" });
  lenient.emit("CFTN02I", { net: "N" });
  await lenient.close();
  const text = await readFile(fname, "utf8");
  t.match(text, /CFTH97E Message outside the catalogue: CFTZ99E <PART=P>\n/);
  t.match(text, /CFTN02I Protocol is listening <NET=N PROT="">\n/);
});

test("console: plain lines in a pipe, colour on a terminal, and its end does not end the log", async (t) => {
  const fname = join(await folder(t), "cygnet.log");
  const pipe = new Sink();
  const terminal = Object.assign(new Sink(), { isTTY: true });
  const broken = new PassThrough();
  for (const stream of [pipe, terminal, broken]) {
    const { log, fallback } = journal(fname, { console: stream, format: "json", level: "I" });
    log.emit("CFTI01F", { text: "no \u001b[2J port" });
    log.emit("CFTH75T", { ids: 1, text: "below the level" });
    if (stream === broken) {
      broken.destroy(new Error("EPIPE"));
      while (!broken.closed) await turn();
    }
    started(log, 0, 1);
    await log.close();
    t.equal(fallback.text, "");
    t.equal(stream.listenerCount("error"), 0, "no listener is left behind");
  }
  t.equal(
    pipe.text,
    "2026-11-20 09:14:05.120 CFTI01F Start failed: no \\u001b[2J port\n" +
      "2026-11-20 09:14:05.120 CFTT57I Transfer started as requester <IDTU=0 PART=P IDF=I IDS=1>\n",
  );
  const [fatal = ""] = terminal.lines;
  t.ok(
    fatal.startsWith("\u001b[1;31m2026-") && fatal.endsWith("port\u001b[0m"),
    "a fatal error is bold and red",
  );
  t.match(terminal.lines[1], /^2026.*CFTT57I.*>$/, "information is not coloured");
  t.equal((await numbers(fname)).length, 6, "the file has every line of all three");
});

test("follow: a file that is not there yet, bursts across many rotations, and the end", async (t) => {
  const fname = join(await folder(t), "later", "cygnet.log");
  const ending = new AbortController();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const line of follow(fname, { from: "start", interval: 1, signal: ending.signal })) {
      seen.push(Number(parseLine(line)?.variables.idtu));
      if (seen.length === 6_000) ending.abort();
    }
  })();
  for (let n = 0; n < 20; n += 1) await turn();
  const { log } = journal(fname, { maxsize: 10_000, backups: 200 }); // several files before the first look
  for (let n = 0; n < 6_000; n += 500) {
    started(log, n, n + 500);
    while (seen.length < n) await turn();
  }
  await reading;
  await log.close();
  t.same(seen, upTo(6_000), "every line once and in order");
  t.ok((await backupIndices(fname)).length > 20, "over more than 20 files");
});

test("follow: begins at the end unless asked, waits for whole lines, and begins anew in a file cut short", async (t) => {
  const fname = join(await folder(t), "cygnet.log");
  await writeFile(fname, "old\n");
  const end = follow(fname, { interval: 1 });
  let begun: string | undefined;
  const first = end.next().then(({ value }) => {
    begun = value;
  });
  for (; begun === undefined; await turn()) await appendFile(fname, "later\n");
  await first;
  t.equal(begun, "later", "not what was there before");
  await end.return(undefined);

  await writeFile(fname, "old, and longer than what comes later\n");
  const lines = follow(fname, { from: "start", interval: 1 });
  t.equal((await lines.next()).value, "old, and longer than what comes later");
  const cut = lines.next();
  await appendFile(fname, Buffer.from("Gr\u00fc\u00dfe ").subarray(0, 3)); // in the middle of a character
  for (let n = 0; n < 20; n += 1) await turn();
  await appendFile(
    fname,
    Buffer.concat([Buffer.from("Gr\u00fc\u00dfe").subarray(3), Buffer.from("\nnext\n")]),
  );
  t.equal((await cut).value, "Gr\u00fc\u00dfe");
  t.equal((await lines.next()).value, "next");
  await writeFile(fname, "new\n");
  t.equal((await lines.next()).value, "new");
  await lines.return(undefined);
  const unreadable = follow(join(fname, "below a file"), { interval: 1 });
  await t.rejects(unreadable.next(), { code: "ENOTDIR" });
  const gone = readLines(join(fname, "..", "nothing"));
  await t.rejects(gone.next(), { code: "ENOENT" });
});
