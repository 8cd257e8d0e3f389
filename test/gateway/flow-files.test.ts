/** What flows do with files: in the end, several at once, names that are taken, one after the other. */
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { test } from "tap";
import type { TransferRecord } from "../../src/admin/record.ts";
import { ask } from "../../src/cli/client.ts";
import { edit } from "./extra.ts";
import { filesBelow, type Gateway, site, waitFor } from "./harness.ts";

const QUICK = { disctd: "200ms", retryw: "200ms" };

/** A file below the gateway's rundir. */
async function put(gateway: Gateway, name: string, content = `content of ${name}`): Promise<string> {
  const path = join(gateway.rundir, name);
  await fs.mkdir(dirname(path), { recursive: true });
  await fs.writeFile(path, content);
  return path;
}

const flow = (id: string, ...lines: string[]) => `[[cftsend]]\nid = "${id}"\n${lines.join("\n")}\n`;

/** What `cygnet send` asks for, over the control socket, with its words; a process for each would take its time. */
async function send(hub: Gateway, ...words: string[]) {
  const body: Record<string, string> = { part: "ACME" };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (word.startsWith("--")) body[word.slice(2)] = words[++at] ?? "";
    else body.file = word;
  }
  try {
    const transfer = await ask<TransferRecord>(hub.socket, "POST", "/transfers", body);
    return { ...transfer, refusal: "" };
  } catch (error) {
    return { idtu: "", refusal: (error as Error).message };
  }
}

/** Everything about a transfer. */
const detail = (hub: Gateway, idtu: string) =>
  ask<Record<string, unknown>>(hub.socket, "GET", `/transfers/${idtu}`);

/** A command on a transfer: done, or why not. */
async function command(gateway: Gateway, action: string, ...idtus: string[]) {
  const refused: string[] = [];
  for (const idtu of idtus) {
    const outcome = await ask<{ refused: { reason: string }[] }>(
      gateway.socket,
      "POST",
      "/transfers/commands",
      {
        ...{ action, select: { idtu } },
      },
    );
    refused.push(...outcome.refused.map(({ reason }) => reason));
  }
  return refused.join("\n");
}

const record = async (hub: Gateway, idtu: string) => (await hub.transfers({ idtu }))[0];

async function ended(hub: Gateway, idtu: string) {
  await waitFor(`${idtu} to end`, async () => (await record(hub, idtu))?.state === "X");
  return record(hub, idtu);
}

/** The log has so many lines of a message, or one with these words. */
async function told(gateway: Gateway, id: string, what: number | RegExp) {
  await waitFor(`${id} ${what}`, () => {
    const lines = gateway.messages(id);
    return typeof what === "number" ? lines.length === what : lines.some((line) => what.test(line));
  });
}

test("what becomes of a file once it has been sent", async (t) => {
  const more = [
    flow("LEAVE"),
    flow("DELETE", 'faction = "delete"', 'fdisp = "check"'),
    flow("ERASE", 'faction = "erase"'),
    flow("KEEP", 'faction = "archive"', 'archivefname = "kept/&PART/&FROOT-sent&(-.)FSUF"'),
    flow("FOLDER", 'faction = "archive"', 'archivefname = "kept/folder/"'),
    flow("STUCK", 'faction = "archive"', 'archivefname = "blocked/&SFNAME"'),
  ].join("");
  const { hub, acme } = await site(t, { ...QUICK, hub: { more } });
  await Promise.all([hub.start(), acme.start()]);
  await put(hub, "blocked", "a file where a folder should be");

  const sent = async (idf: string, change?: (path: string) => Promise<void>) => {
    const path = await put(hub, `mine/${idf}.txt`);
    if (change) await acme.kill("SIGSTOP");
    const { idtu } = await send(hub, path, "--idf", idf);
    await change?.(path);
    if (change) await acme.kill("SIGCONT");
    await ended(hub, idtu);
    return { idtu, path };
  };
  const settled = (idtu: string) =>
    waitFor(`the file of ${idtu} to be put away`, async () => {
      return (await detail(hub, idtu)).workfile === "";
    });

  const left = await sent("LEAVE");
  t.ok(existsSync(left.path), "none");
  const deleted = await sent("DELETE");
  await settled(deleted.idtu);
  t.notOk(existsSync(deleted.path), "delete");
  await told(hub, "CFTT89I", /File put away: DELETE .*DELETE\.txt/);
  const erased = await sent("ERASE");
  await settled(erased.idtu);
  t.equal((await fs.stat(erased.path)).size, 0, "erase");
  const kept = await sent("KEEP");
  await settled(kept.idtu);
  t.notOk(existsSync(kept.path), "archive: it is not there any more");
  const archive = join(hub.rundir, "kept");
  t.equal(await fs.readFile(join(archive, "ACME", "KEEP-sent.txt"), "utf8"), "content of mine/KEEP.txt");

  const changed = await sent("DELETE", (path) => fs.appendFile(path, " and more"));
  await settled(changed.idtu);
  t.match(await fs.readFile(changed.path, "utf8"), / and more$/, "what was not sent is not deleted");
  await told(hub, "CFTT90W", /has changed since it was sent/);

  await hub.drop("FOLDER/dropped.txt", "dropped");
  await waitFor("the archive of the flow", () => existsSync(join(archive, "folder", "dropped.txt")));

  const stuck = await sent("STUCK");
  await waitFor("the message", () => hub.messages("CFTF51W").length > 0);
  t.match(await record(hub, stuck.idtu), { state: "X", ack: "A" }, "the transfer has ended all the same");
  await fs.rm(join(hub.rundir, "blocked"));
  await hub.kill();
  await hub.start();
  t.equal(
    await fs.readFile(join(hub.rundir, "blocked", "STUCK.txt"), "utf8"),
    "content of mine/STUCK.txt",
    "the next start archives what could not be archived before",
  );
  t.equal((await filesBelow(acme.inbox())).length, 7);
});

test("several files by one request, and files that are not there", async (t) => {
  const more = [
    flow("MASK", 'fname = "#reports/*.csv"', 'faction = "delete"'),
    flow("NAMED", 'fname = "#reports"', 'selfname = "names.txt"', 'nfname = "NAMED.&FROOT"'),
    flow("DATED", 'fname = "daily/&IDF-&SYSDATE.txt"'),
    flow("STRICT", 'fname = "#nowhere"'),
    flow("EASY", 'fname = "#nowhere"', 'filenotfound = "ignore"'),
    flow("EASYONE", 'fname = "missing.txt"', 'filenotfound = "ignore"'),
    flow("WITHIN", 'workingdir = "reports"'),
    flow("BARE"),
  ].join("");
  const { hub, acme } = await site(t, { ...QUICK, hub: { more } });
  await hub.start();
  const names = Array.from({ length: 12 }, (_, index) => `r${String(index).padStart(2, "0")}.csv`);
  for (const name of names) await put(hub, `reports/${name}`);
  await put(hub, "reports/.hidden.csv");
  await put(hub, "reports/notes.md");

  // the partner is down, and the gateway dies in between: each file once all the same
  const many = await send(hub, "--idf", "MASK");
  t.match(await record(hub, many.idtu), { phase: "T", phasestep: "H", diagp: "LIST_FI", part: "ACME" });
  await waitFor("the first", async () => (await hub.transfers({ pidtu: many.idtu })).length > 0, {
    every: 5,
  });
  await hub.kill();
  await Promise.all([hub.start(), acme.start()]);
  t.match(await ended(hub, many.idtu), { ack: "A", diagi: 0, diagc: "12 files" });
  const children = await hub.transfers({ pidtu: many.idtu });
  t.strictSame(children.map(({ nfname }) => nfname).sort(), names, "a child for each file, none twice");
  t.strictSame((await filesBelow(acme.inbox())).sort(), names);
  await waitFor("the files to go", async () => (await filesBelow(join(hub.rundir, "reports"))).length === 2);
  t.strictSame(await filesBelow(join(hub.rundir, "work")), [], "and nothing is left of the copies");

  await put(hub, "reports/a.csv");
  await put(hub, "reports/b.csv");
  await put(hub, "names.txt", "# of today\nb.csv\n\ngone.csv\n");
  const named = await send(hub, "--idf", "NAMED");
  await waitFor("the missing one", async () => (await record(hub, named.idtu))?.state === "K");
  t.match(await record(hub, named.idtu), { diagi: 200, diagp: "LIST_FI" }, "a child has stopped");
  const [gone] = await hub.transfers({ pidtu: named.idtu, diagi: "110" });
  t.match(gone, { phase: "T", phasestep: "H", fname: join(hub.rundir, "reports", "gone.csv") });
  await told(hub, "CFTF02E", /gone\.csv/);
  t.equal(await command(hub, "delete", gone?.idtu ?? ""), "");
  t.match(await ended(hub, named.idtu), { ack: "A" }, "the others are all there are now");
  t.ok(existsSync(acme.inbox("NAMED.b")));
  t.notOk(existsSync(acme.inbox("NAMED.a")), "the list does not name it");

  const today = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${today.getFullYear()}${two(today.getMonth() + 1)}${two(today.getDate())}`;
  await put(hub, `daily/DATED-${day}.txt`);
  const dated = await send(hub, "--idf", "DATED");
  await ended(hub, dated.idtu);
  t.match(await record(hub, dated.idtu), { state: "X", nfname: `DATED-${day}.txt` }, "variables in fname");

  const strict = await send(hub, "--idf", "STRICT");
  await waitFor("it to stop", async () => (await record(hub, strict.idtu))?.state === "K");
  t.match(await record(hub, strict.idtu), { diagi: 150, diagp: "LIST_FI", diagc: /cannot be read/ });
  await told(hub, "CFTT44E", 1);
  await put(hub, "nowhere/now.txt");
  t.equal(await command(hub, "start", strict.idtu), "");
  t.match(await ended(hub, strict.idtu), { diagi: 0, diagc: "1 files" }, "start looks anew");
  await fs.rm(join(hub.rundir, "nowhere"), { recursive: true });
  t.match(await ended(hub, (await send(hub, "--idf", "EASY")).idtu), { diagi: 150 });
  await told(hub, "CFTT44W", 1);
  const easy = await send(hub, "--idf", "EASYONE");
  t.match(await record(hub, easy.idtu), { state: "X", diagi: 110, diagp: "NO FILE" });
  await told(hub, "CFTF02W", 1);

  const reports = `#${relative(hub.directory, join(hub.rundir, "reports"))}/?.csv`;
  const { json: asked, status } = await hub.cli("send", "--part", "ACME", reports, "--wait", "--json");
  t.equal(status, 0);
  t.match(await record(hub, asked.idtu), { state: "X", diagc: "2 files" }, "# on the command line");
  t.match(await send(hub, "--idf", "BARE"), { refusal: /set its fname/ });
  t.match(await send(hub, "--idf", "WITHIN", join(hub.rundir, "names.txt")), { refusal: /145/ });
  t.match(await send(hub, join(hub.rundir, "missing.txt")), { refusal: /is not there/ });
  const outside = await send(hub, "--idf", "WITHIN", `#${hub.rundir}/names*`);
  await waitFor("it to stop", async () => (await record(hub, outside.idtu))?.state === "K");
  const [refused] = await hub.transfers({ pidtu: outside.idtu });
  t.match(refused, { phasestep: "K", diagi: 145 });
  await told(hub, "CFTF46E", 2);
  t.match(await command(hub, "submit", outside.idtu), /halt, keep, start and delete/);
  t.match(await hub.cli("display", outside.idtu), { status: 0, stdout: /generic +list/ });

  t.match(await send(hub, join(hub.rundir, "names.txt"), "--mindate", "tomorrow"), { refusal: /\+1/ });
  const path = await put(hub, "late.txt");
  const late = await send(hub, path, "--maxdate", "2020-01-01");
  t.match(late, { diagi: 414, phasestep: "K" }, "its day was over when it was asked for");
  await told(hub, "CFTT82E", /414/);
  const early = await send(hub, path, "--mindate", "+2", "--mintime", "06:00");
  const { retry } = await detail(hub, early.idtu);
  const then = new Date(today.getFullYear(), today.getMonth(), today.getDate() + 2, 6);
  t.equal(retry, then.toISOString());
});

test("names that are taken: refused, stopped, waited for", async (t) => {
  const receive = (id: string, ...lines: string[]) => `[[cftrecv]]\nid = "${id}"\n${lines.join("\n")}\n`;
  const more = [
    receive("VERIFY", 'fname = "inbox/&PART/verify"', 'faction = "verify"'),
    receive("RENAME", 'fname = "inbox/&PART/rename"', 'faction = "rename"'),
    receive("RETRY", 'fname = "inbox/&PART/retry"', 'faction = "retryrename"'),
  ].join("");
  const ids = ["VERIFY", "RENAME", "RETRY"];
  const flows = ids.map((id) => flow(id, `nfname = "${id}"`)).join("");
  const { hub, acme } = await site(t, { ...QUICK, hub: { more: flows }, acme: { more } });
  await Promise.all([hub.start(), acme.start()]);
  const path = await put(hub, "one.txt", "the new one");
  for (const id of ids)
    await put(acme, `inbox/HUB/${id === "RETRY" ? "retry" : id.toLowerCase()}`, "the old one");

  const verify = await send(hub, path, "--idf", "VERIFY");
  await waitFor("the refusal", async () => (await record(hub, verify.idtu))?.state === "H");
  await told(acme, "CFTF22E", /127/);
  const renamed = await send(hub, path, "--idf", "RENAME");
  const there = async (id: string) => (await acme.transfers({ direct: "recv", idf: id }))[0];
  await waitFor("the file to stop", async () => (await there("RENAME"))?.phasestep === "K");
  t.match(await there("RENAME"), { phase: "Y", diagi: 137, ack: "" });
  t.match(await record(hub, renamed.idtu), { phase: "Z", phasestep: "H" }, "no response yet");
  const retried = await send(hub, path, "--idf", "RETRY");
  await waitFor("the first try", () => acme.messages("CFTF35W").length > 0);
  t.match(await there("RETRY"), { phase: "Y", diagi: 137 });
  for (const id of ids) t.equal(await fs.readFile(acme.inbox(id.toLowerCase()), "utf8"), "the old one");

  await fs.rm(acme.inbox("rename"));
  t.equal(await command(acme, "start", (await there("RENAME"))?.idtu ?? ""), "");
  t.match(await ended(hub, renamed.idtu), { ack: "A" });
  t.equal(await fs.readFile(acme.inbox("rename"), "utf8"), "the new one");
  await fs.rm(acme.inbox("retry"));
  await acme.kill();
  await acme.start();
  t.match(await ended(hub, retried.idtu), { ack: "A" }, "the next start tries again at once");
  t.equal(await fs.readFile(acme.inbox("retry"), "utf8"), "the new one");
});

test("one after the other, and cycles", async (t) => {
  const series = (serial: string) => flow(`S${serial}`, `serial = "${serial}"`, 'nfname = "&FROOT"');
  const cycle = flow(
    "HOURLY",
    'fname = "tick.txt"',
    "cycle = 60",
    'tcycle = "min"',
    'nfname = "TICK.&SYSTIME"',
  );
  const more = `${series("Y")}${series("X")}${cycle}`;
  const { hub, acme } = await site(t, { ...QUICK, hub: { more }, acme: manual() });
  await Promise.all([hub.start(), acme.start()]);
  for (const serial of ["Y", "X"]) {
    const first = await send(hub, await put(hub, `${serial}1.txt`), "--idf", `S${serial}`, "--state", "keep");
    const second = await send(hub, await put(hub, `${serial}2.txt`), "--idf", `S${serial}`);
    const third = await send(hub, await put(hub, `${serial}3.txt`));
    t.match(await ended(hub, third.idtu), { ack: "A" }, "what is no part of the series passes it");
    t.match(await record(hub, second.idtu), { state: "D", bdate: null }, "the first holds it up");
    t.equal(await command(hub, "start", first.idtu), "");
    await waitFor("the first", async () => (await record(hub, first.idtu))?.bdate !== null);
    if (serial === "X") {
      const received = async () => (await acme.transfers({ direct: "recv", idf: "X1" }))[0];
      await waitFor("its data", async () => (await received())?.phase === "Z");
      await waitFor("its end here", async () => (await record(hub, first.idtu))?.phase === "Z");
      t.match(await record(hub, second.idtu), { state: "D", bdate: null }, "its response is to come first");
      t.match(await acme.cli("end", (await received())?.idtu ?? ""), { status: 0 });
    }
    t.match(await ended(hub, second.idtu), { ack: "A" });
  }

  await put(hub, "tick.txt");
  const cycled = await send(hub, "--idf", "HOURLY");
  await waitFor("its first turn", async () => (await hub.transfers({ pidtu: cycled.idtu })).length === 1);
  t.match(await record(hub, cycled.idtu), { phase: "T", phasestep: "H", diagp: "MIN CYC", diagi: 0 });
  const next = async () => (await hub.status()).cycles[0]?.next ?? "";
  const planned = await next();
  const wait = Date.parse(planned) - Date.now();
  t.ok(wait > 50 * 60_000 && wait <= 60 * 60_000, "an hour from the first");
  await hub.kill();
  await hub.start();
  t.equal(await next(), planned, "a crash changes nothing");
  t.match((await hub.cli("status")).stdout, /cycle +\d{8} ACME HOURLY every 60 min, next/);
  t.equal(await command(hub, "start", cycled.idtu), "");
  await waitFor("a turn at once", async () => (await hub.transfers({ pidtu: cycled.idtu })).length === 2);
  t.equal(await next(), planned, "out of turn: the next one stays");
  t.equal(await command(hub, "halt", cycled.idtu), "");
  t.match(await record(hub, cycled.idtu), { phasestep: "H", diagi: 121 });
  t.match((await hub.cli("status")).stdout, /every 60 min, stopped/);
  await edit(hub, "cygnet.toml", (text) => text.replace("cycle = 60\n", ""));
  await waitFor("the reload", async () => (await hub.status()).generation.number === 2);
  t.equal(await command(hub, "delete", cycled.idtu), "");
  t.strictSame((await hub.status()).cycles, []);
});

test("files that go with their records, and scripts of several files", async (t) => {
  const note = (name: string) => `exec = ["/bin/sh", "-c", "echo $CYGNET_IDTU >> ${name}"]`;
  const more = [
    flow("FORGET", "delete = true"),
    flow("TAKE", 'fdelete = "X"'),
    flow("ALL", 'fdelete = "*"', 'state = "keep"'),
    flow("EACH", 'fname = "#several"', note("each.txt")),
    flow("ONCE", 'fname = "#several"', note("once.txt"), 'execsub = "list"'),
    flow("WAITS", 'preexec = ["/bin/true"]', 'prestate = "hold"'),
    flow("SLOW", 'preexec = ["/bin/sleep", "600"]', 'pretimeout = "1s"'),
  ].join("");
  const receive = '[[cftrecv]]\nid = "TAKEN"\nfdelete = "X"\n';
  const { hub, acme } = await site(t, { ...QUICK, hub: { more }, acme: { more: receive } });
  await Promise.all([hub.start(), acme.start()]);

  const forgotten = await send(hub, await put(hub, "forgotten.txt"), "--idf", "FORGET");
  await waitFor("its record to go", async () => (await record(hub, forgotten.idtu)) === undefined);
  await told(hub, "CFTC07I", new RegExp(forgotten.idtu));
  t.ok(existsSync(acme.inbox("forgotten.txt")));
  t.ok(existsSync(join(hub.rundir, "forgotten.txt")), "the record alone");

  const taken = await put(hub, "TAKEN");
  const changed = await put(hub, "changed.txt", "one");
  const [first, second] = [
    await send(hub, taken, "--idf", "TAKE"),
    await send(hub, changed, "--idf", "TAKE"),
  ];
  await Promise.all([ended(hub, first.idtu), ended(hub, second.idtu)]);
  await fs.writeFile(changed, "two");
  t.equal(await command(hub, "delete", first.idtu, second.idtu), "");
  t.notOk(existsSync(taken), "it goes with its record");
  t.equal(await fs.readFile(changed, "utf8"), "two", "another one does not");
  await told(hub, "CFTT35W", /another file has that name .*changed\.txt/);
  const [received] = await acme.transfers({ direct: "recv", idf: "TAKEN" });
  t.equal(await command(acme, "delete", received?.idtu ?? ""), "");
  t.notOk(existsSync(acme.inbox("TAKEN")), "and so does what was delivered");
  const unsent = await send(hub, await put(hub, "unsent.txt"), "--idf", "ALL");
  t.equal(await command(hub, "delete", unsent.idtu), "");
  t.strictSame(await filesBelow(join(hub.rundir, "failed")), [], "nothing is kept of it");
  t.strictSame(await filesBelow(join(hub.rundir, "work")), []);
  t.ok(existsSync(join(hub.rundir, "unsent.txt")), "the file was not sent, and stays");

  for (const name of ["a", "b", "c"]) await put(hub, `several/${name}`);
  const lines = async (name: string) =>
    (await fs.readFile(join(hub.directory, "var", name), "utf8")).trim().split("\n");
  const each = await send(hub, "--idf", "EACH");
  await ended(hub, each.idtu);
  const children = (await hub.transfers({ pidtu: each.idtu })).map(({ idtu }) => idtu);
  t.strictSame((await lines("each.txt")).sort(), children.sort(), "each transfer runs it");
  const once = await send(hub, "--idf", "ONCE");
  t.match(await ended(hub, once.idtu), { ack: "A", diagc: "3 files" });
  t.strictSame(await lines("once.txt"), [once.idtu], "the request runs it, once");

  const waits = await send(hub, await put(hub, "waits.txt"), "--idf", "WAITS");
  t.match(await record(hub, waits.idtu), { phase: "A", phasestep: "H", diagi: 0 });
  t.equal(await command(hub, "start", waits.idtu), "");
  await ended(hub, waits.idtu);
  const slow = await send(hub, await put(hub, "slow.txt"), "--idf", "SLOW");
  await waitFor("it to stop", async () => (await record(hub, slow.idtu))?.phasestep === "K");
  t.match(await record(hub, slow.idtu), { phase: "A", diagi: 121, diagc: /pretimeout/ });
});

/** A partner whose responses somebody gives. */
function manual() {
  return { more: '[[cftrecv]]\nid = "X1"\nackmode = "manual"\n' };
}
