import { test } from "tap";
import type { Catalog, NewReceive, NewSend, Transfer } from "../../src/catalog/catalog.ts";
import { takeSend } from "../../src/catalog/changes.ts";
import { Database } from "../../src/catalog/database.ts";
import { openCatalog } from "../../src/catalog/sqlite.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { systemClock } from "../../src/platform/clock.ts";

const DAY = 24 * 3600 * 1000;

/** A wall clock that stands until it is moved. */
function handClock(start = new Date(2026, 6, 15, 12, 30, 59).getTime()): Clock & { at: number } {
  return {
    at: start,
    now() {
      return this.at;
    },
    monotonic: () => 0,
    timer: systemClock.timer,
  };
}

function newSend(values: Partial<NewSend> = {}): NewSend {
  return {
    part: "ACME",
    idf: "INVOIC",
    fname: "/outbox/ACME/a.txt",
    nfname: "a.txt",
    dsn: "A.TXT",
    orig: "O-HUB",
    dest: "O-ACME",
    description: "Rechnung ü",
    filesize: 12,
    pri: 100,
    ackstate: "require",
    format: "U" as const,
    lrecl: 0,
    security: null,
    spool: { step: "claimed", source: "/outbox/ACME/a.txt", archive: "" },
    ...values,
  };
}

function newReceive(values: Partial<NewReceive> = {}): NewReceive {
  return {
    part: "ACME",
    idf: "DEFAULT",
    mode: "server",
    nfname: "../x",
    description: "",
    filesize: 5,
    format: "U",
    lrecl: 0,
    security: null,
    prot: "OFTP",
    via: "",
    workfolder: "/work/recv",
    dsn: "X",
    date: "20260715",
    time: "1200000001",
    orig: "O-ACME",
    dest: "O-HUB",
    ...values,
  };
}

const responseTo = (receive: Transfer, kind: "EERP" | "NERP" = "EERP") => ({
  kind,
  part: receive.part,
  idtu: receive.idtu,
  dsn: receive.dsn,
  date: receive.date,
  time: receive.time,
  orig: receive.orig,
  dest: receive.dest,
  reason: kind === "NERP" ? 13 : 0,
  text: "",
});

function fresh(t: { testdir(): string; teardown(end: () => unknown): void }, clock = handClock()) {
  const path = `${t.testdir()}/catalog.db`;
  const catalog = openCatalog(path, clock);
  t.teardown(() => catalog.close());
  return { path, catalog, clock };
}

test("a record comes back as it was written, before and after a restart", async (t) => {
  const { path, catalog, clock } = fresh(t);
  const send = await catalog.addSend(newSend());
  const { transfer: receive, isNew } = await catalog.addReceive(newReceive(), "me");
  t.ok(isNew);
  t.match(send, { idtu: "00000001", direct: "send", mode: "requester", phase: "T", phasestep: "D", ack: "" });
  t.match(receive, {
    idtu: "00000002",
    direct: "recv",
    mode: "server",
    phase: "T",
    phasestep: "C",
    prot: "OFTP",
  });
  t.match(send, newSend());
  const { workfolder, ...known } = newReceive();
  t.match(receive, { ...known, workfile: `${workfolder}/${receive.idtu}` });
  const changes = {
    phase: "Z" as const,
    phasestep: "H" as const,
    bytes: 2 ** 52,
    sha256: "ab".repeat(32),
    diagi: 435,
    diagp: "R",
    diagc: "ü",
    edate: 7,
    workfile: "/w/1",
    spool: {
      step: "deliver" as const,
      target: "/in/x",
      ctimeNs: "123456789012345678",
      ino: "9",
      part: "/in/.p",
    },
    tries: 3,
    retryAt: 99,
  };
  t.equal(await catalog.update(send.idtu, changes), true);
  t.same(await catalog.get(send.idtu), { ...send, ...changes });
  for (const none of ["99999999", "", "1", "0000000a"]) {
    t.equal(await catalog.update(none, { diagi: 1 }), false, `no record ${none}`);
    t.equal(await catalog.get(none), undefined);
  }
  await t.rejects(catalog.update(send.idtu, { dsn: "OTHER" } as object), { code: "CYG_CATALOG_FIELD" });
  await catalog.close();
  await t.rejects(catalog.update(send.idtu, { bytes: 1 }), { code: "CYG_CATALOG_CLOSED" });
  const again = openCatalog(path, clock);
  t.same(await again.get(send.idtu), { ...send, ...changes });
  await again.close();
});

test("identity of sends (RFC 5024 section 1.5.2): unique whatever the clock does, also after a purge", async (t) => {
  const { path, catalog, clock } = fresh(t);
  const stamps: string[] = [];
  const add = async (target: Catalog): Promise<string> => {
    const { date, time, idtu } = await target.addSend(newSend());
    stamps.push(`${date} ${time}`);
    return idtu;
  };
  const first = await add(catalog);
  t.equal(stamps[0], "20260715 1230590001", "local time, counter from 0001");
  await add(catalog);
  t.equal(stamps[1], "20260715 1230590002");
  clock.at += 1000;
  await add(catalog);
  t.equal(stamps[2], "20260715 1231000001", "a new second counts anew");
  clock.at -= 1000;
  await add(catalog);
  t.equal(stamps[3], "20260715 1230590003", "the clock stepped back: the counter goes on");
  for (const { idtu } of await catalog.list({})) await catalog.update(idtu, { phase: "X", phasestep: "X" });
  t.equal(await catalog.purge({ sends: clock.at + 1, receives: 0 }), 4);
  await catalog.close();
  const again = openCatalog(path, clock);
  const last = await add(again);
  t.equal(stamps[4], "20260715 1230590004", "nor does a purge and a restart bring a stamp back");
  t.equal(last, "00000005", "nor an IDTU");
  t.not(last, first);
  const many = await Promise.all(Array.from({ length: 10_000 }, () => again.addSend(newSend({ dsn: "M" }))));
  t.equal(
    new Set(many.map(({ date, time }) => date + time)).size,
    10_000,
    "10,000 in one second are distinct",
  );
  t.equal(many.at(-1)?.time, "1231000006", "what does not fit into 9999 borrows from the next second");
  t.ok(many.every(({ time }) => /^\d{6}(?!0000)\d{4}$/.test(time)));
  await again.close();
});

test("a receive has one record for its identity", async (t) => {
  const { catalog } = fresh(t);
  const offers = await Promise.all(Array.from({ length: 20 }, () => catalog.addReceive(newReceive(), "me")));
  t.equal(offers.filter(({ isNew }) => isNew).length, 1);
  t.equal(new Set(offers.map(({ transfer }) => transfer.idtu)).size, 1);
  for (const other of [{ dsn: "Y" }, { date: "260715" }, { time: "120000" }, { orig: "O" }, { dest: "O" }]) {
    t.equal((await catalog.addReceive(newReceive(other), "me")).isNew, true, JSON.stringify(other));
  }
  const idtu = offers[0]?.transfer.idtu as string;
  t.equal(await catalog.claimReceive(idtu, "you"), false, "it is running");
  await catalog.release(idtu, { phasestep: "H", bytes: 1024 });
  const claims = await Promise.all(["a", "b", "c"].map((owner) => catalog.claimReceive(idtu, owner)));
  t.same(claims, [true, false, false]);
});

test("concurrent claims never give a record twice; priority, then age; never before retryAt", async (t) => {
  const { catalog } = fresh(t);
  for (let at = 0; at < 60; at += 1)
    await catalog.addSend(newSend({ pri: at % 3, part: at % 2 ? "A" : "B" }));
  const taken = await Promise.all(
    Array.from({ length: 100 }, (_, at) => catalog.claimSend(at % 2 ? "A" : "B", `owner${at}`, 1)),
  );
  const idtus = taken.flatMap((transfer) => transfer?.idtu ?? []);
  t.equal(idtus.length, 60);
  t.equal(new Set(idtus).size, 60);
  const order = taken.filter((transfer) => transfer?.part === "A").map((transfer) => transfer as Transfer);
  const sorted = [...order].sort((a, b) => b.pri - a.pri || Number(a.idtu) - Number(b.idtu));
  t.same(order, sorted);
  const [one, two] = order as [Transfer, Transfer];
  await catalog.release(one.idtu, { phasestep: "D", retryAt: 500 });
  t.equal(await catalog.claimSend("A", "me", 499), undefined);
  t.equal((await catalog.claimSend("A", "me", 500))?.idtu, one.idtu);
  await catalog.update(two.idtu, { phasestep: "D" });
  t.equal(await catalog.claimSend("A", "me", 500), undefined, "still owned: not given up by release");
  await t.rejects(catalog.release("99999999", {}), { code: "CYG_CATALOG_UNKNOWN" });
  const claiming = await catalog.addSend(
    newSend({
      part: "C",
      spool: { step: "claim", source: "/s", ino: "1", size: 1, mtimeMs: 1, archive: "", workdir: "/w" },
    }),
  );
  t.equal(await catalog.claimSend("C", "me", 1), undefined, "the spool has not taken the file yet");
  t.same(
    (await catalog.unfinishedSpool()).map(({ idtu }) => idtu),
    [claiming.idtu],
  );
  await catalog.update(claiming.idtu, { workfile: "/w/1", spool: newSend().spool });
  t.equal((await catalog.claimSend("C", "me", 1))?.idtu, claiming.idtu);
  const hold = { step: "K", diagi: 411, diagp: "P", diagc: "why" } as const;
  t.match(await catalog.addSend(newSend({ part: "D" }), hold), { phasestep: "K", diagi: 411, diagc: "why" });
  t.equal(await catalog.claimSend("D", "me", 1), undefined);
});

test("a send that needs an envelope is nobody's work before it has one", async (t) => {
  const { catalog } = fresh(t);
  const none = { sign: false, encrypt: false, compress: false, signedEerp: false, cipher: 4 };
  const add = (part: string, security: NewSend["security"], pri = 1) =>
    catalog.addSend(newSend({ part, security, pri }));
  const [first, urgent] = [
    await add("A", { ...none, sign: true }),
    await add("A", { ...none, encrypt: true }, 9),
  ];
  const later = await add("B", { ...none, compress: true });
  await catalog.update(later.idtu, { retryAt: 700 });
  const held = { step: "H", diagi: 1, diagp: "", diagc: "" } as const;
  await catalog.addSend(newSend({ part: "B", security: { ...none, sign: true } }), held);
  await add("C", { ...none, signedEerp: true });
  t.same(await catalog.work(500), { parts: ["C"], nextAt: 700 });
  t.equal(await catalog.claimSend("A", "me", 500), undefined);
  const claims = await Promise.all([1, 2, 3].map(() => catalog.claimUnsealed("me", 500)));
  t.same(
    claims.map((each) => each?.idtu),
    [urgent.idtu, first.idtu, undefined],
    "by priority, then age, each once",
  );
  t.match(claims[0], { phasestep: "C", tries: 0 });
  await catalog.update(urgent.idtu, { formsize: 0 });
  await catalog.release(urgent.idtu, { phasestep: "D" });
  await catalog.release(first.idtu, { phasestep: "D" });
  t.same((await catalog.work(500)).parts, ["A", "C"]);
  t.equal((await catalog.claimSend("A", "me", 500))?.idtu, urgent.idtu);
  t.equal(await catalog.claimSend("A", "me", 500), undefined);
  t.match(await catalog.claimUnsealed("me", 700), { idtu: first.idtu });
  t.match(await catalog.claimUnsealed("me", 700), { idtu: later.idtu });
  t.equal(await catalog.claimUnsealed("me", 9_999), undefined);
  t.equal((await catalog.recover("me")).sends, 3, "a crash gives what was being sealed back");
  t.match(await catalog.claimUnsealed("other", 700), { idtu: first.idtu });
});

test("a claim for several partners takes the best of all of them, by steps in the index", async (t) => {
  const { catalog, path } = fresh(t);
  const add = (part: string, pri: number, more: Partial<NewSend> = {}) =>
    catalog.addSend(newSend({ part, pri, ...more }));
  const sends = [await add("A", 5), await add("B", 5), await add("C", 9), await add("D", 99)];
  const late = await add("A", 50);
  await catalog.update(late.idtu, { retryAt: 900 });
  const held = await catalog.addSend(newSend({ part: "B", pri: 80 }), {
    ...{ step: "H", diagi: 0, diagp: "HOLD", diagc: "" },
  });
  const claim = async (asked?: boolean) => (await catalog.claimSend(["A", "B", "C"], "me", 500, asked))?.idtu;
  const [a, b, c] = sends.map(({ idtu }) => idtu);
  t.same([await claim(), await claim(), await claim(), await claim()], [c, a, b, undefined]);
  t.same([await claim(true), await claim(true)], [held.idtu, undefined], "what is held goes last");
  t.equal(await catalog.claimSend([], "me", 500), undefined);
  const plans: string[] = [];
  const spy = new Database(path);
  const take = spy.row.bind(spy);
  spy.row = (sql, ...values) => {
    plans.push(...spy.rows(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => String(detail)));
    return take(sql, ...values);
  };
  takeSend(spy, ["A", "B"], "me", 500, true);
  spy.close();
  t.match(
    plans.join("; "),
    /SEARCH transfer USING INDEX send_waiting \(part=\?\).*SEARCH transfer USING INDEX send_held/,
  );
  t.notMatch(plans.join("; "), /SCAN transfer/);
});

test("work names partners with due sends or unclaimed responses, and the next retry", async (t) => {
  const { catalog } = fresh(t);
  t.same(await catalog.work(1000), { parts: [], nextAt: null });
  const later = await catalog.addSend(newSend({ part: "LATER" }));
  await catalog.update(later.idtu, { retryAt: 5000 });
  await catalog.addSend(newSend({ part: "NOW" }));
  await catalog.addSend(newSend({ part: "HELD" }), { step: "H", diagi: 1, diagp: "", diagc: "" });
  const { transfer } = await catalog.addReceive(newReceive({ part: "BACK" }), "me");
  await catalog.finishReceive(transfer.idtu, { fname: "/in/x" }, responseTo(transfer));
  t.same(await catalog.work(1000), { parts: ["NOW", "BACK"], nextAt: 5000 });
  t.same(await catalog.work(5000), { parts: ["LATER", "NOW", "BACK"], nextAt: null });
  const response = await catalog.claimResponse("BACK", "me");
  t.match(response, responseTo(transfer));
  t.same((await catalog.work(1000)).parts, ["NOW"]);
  t.same(await catalog.clock("NOW"), { part: "NOW", tries: 0, nextCallAt: 0, diagi: 0, reason: "" });
  const clock = { part: "NOW", tries: 2, nextCallAt: 77, diagi: 302, reason: "refused" };
  await catalog.setClock({ ...clock, tries: 1 });
  await catalog.setClock(clock);
  t.same(await catalog.clock("NOW"), clock);
});

test("a script's turn: oldest first, claimed once, moved only from where it is", async (t) => {
  const { catalog } = fresh(t);
  const claim: NewSend["spool"] = {
    step: "claim",
    source: "/s",
    ino: "1",
    size: 1,
    mtimeMs: 1,
    archive: "",
    workdir: "/w",
  };
  const unclaimed = await catalog.addSend(newSend({ script: "preexec", spool: claim }));
  t.match(unclaimed, { phase: "A", phasestep: "D", script: "preexec" });
  const first = await catalog.addSend(newSend({ script: "preexec" }));
  const second = await catalog.addSend(newSend({ script: "preexec" }));
  t.same(await catalog.work(1), { parts: [], nextAt: null }, "nothing is sent before its script");
  t.equal(await catalog.claimSend("ACME", "me", 1), undefined);
  t.equal(await catalog.scriptsWaiting(), 2, "the spool has not taken the first one yet");
  const claims = await Promise.all([1, 2, 3].map(() => catalog.claimScript("me", 1)));
  t.same(
    claims.map((taken) => taken?.idtu),
    [first.idtu, second.idtu, undefined],
  );
  t.match(claims[0], { phase: "A", phasestep: "C" });
  const [waits, runs] = [{ phase: "A", phasestep: "D" } as const, { phase: "A", phasestep: "C" } as const];
  t.equal(await catalog.advance(first.idtu, waits, { phase: "X", phasestep: "X" }), false, "it is elsewhere");
  t.equal((await catalog.get(first.idtu))?.phase, "A");
  const ready = { phase: "T", phasestep: "D", script: "" } as const;
  t.equal(await catalog.advance(first.idtu, runs, ready), true);
  t.equal(await catalog.advance(first.idtu, runs, ready), false, "once");
  t.equal((await catalog.claimSend("ACME", "me", 1))?.idtu, first.idtu, "its claim was given up");
  t.same(await catalog.recover("me"), { sends: 1, receives: 0, responses: 0, scripts: 1 });
  t.match(await catalog.get(second.idtu), { phase: "A", phasestep: "D" }, "it runs again");

  const { transfer } = await catalog.addReceive(newReceive(), "me");
  const delivered = { phase: "Y", phasestep: "D", script: "exec", fname: "/in/x" } as const;
  await catalog.finishReceive(transfer.idtu, delivered, responseTo(transfer));
  t.match(
    await catalog.get(transfer.idtu),
    { ...delivered, workfile: "" },
    "the response does not wait for it",
  );
  t.equal((await catalog.totals()).responses, 1);
  t.same(
    (await catalog.unfinishedSpool()).map(({ idtu }) => idtu),
    [unclaimed.idtu],
    "it was delivered",
  );
  const nerp = responseTo(transfer, "NERP");
  t.equal(await catalog.finishReceive(transfer.idtu, {}, nerp, { phase: "Y", phasestep: "C" }), false);
  t.match(await catalog.claimResponse("ACME", "me"), { kind: "EERP" }, "what came too late changes nothing");
  t.equal(await catalog.finishReceive(transfer.idtu, {}, nerp, { phase: "Y", phasestep: "D" }), true);
  t.match(await catalog.get(transfer.idtu), { phase: "X", phasestep: "X" });
});

test("what is noted beside a transfer's own way: only what is wanted, once, until it is done", async (t) => {
  const { catalog, clock } = fresh(t);
  const all = ["exece", "ackexec", "accnt"] as const;
  const noted = async () =>
    (await catalog.aftermath(all, 0, 100)).map(({ kind, transfer }) => `${kind} ${Number(transfer.idtu)}`);
  const [failed, ended] = [{ phasestep: "K", diagi: 405 } as const, { phase: "X", phasestep: "X" } as const];
  const silent = await catalog.addSend(newSend());
  await catalog.update(silent.idtu, failed);
  await catalog.update(silent.idtu, ended);
  t.same(await noted(), [], "nobody wants anything");

  await catalog.want(all);
  let changes = 0;
  catalog.watch(() => {
    changes += 1;
  });
  const one = await catalog.addSend(newSend());
  await catalog.update(one.idtu, failed);
  t.same(await noted(), ["exece 2"]);
  t.ok(changes >= 2, "who watches hears of it");
  await catalog.update(one.idtu, { ...failed, phasestep: "H" });
  t.same(await noted(), ["exece 2"], "once, while it is not done");
  await catalog.addSend(newSend(), { step: "K", diagi: 278, diagp: "", diagc: "" });
  t.same(await noted(), ["exece 2", "exece 3"], "also what never could begin");
  await catalog.settleAftermath((await catalog.aftermath(["exece"], 0, 100)).map(({ id }) => id));
  const two = await catalog.addSend(newSend());
  await catalog.update(two.idtu, { phasestep: "H", diagi: 121 });
  t.same(await noted(), [], "what an operator has held is no error");
  await catalog.update(two.idtu, { ...ended, diagi: 0, ack: "A" });
  await catalog.update(two.idtu, { ...ended, ack: "A" });
  t.same(await noted(), ["accnt 4"], "its response came before its end");
  await catalog.update(one.idtu, { ...ended, diagi: 0 });
  await catalog.update(one.idtu, { ack: "N", ...ended });
  t.same(await noted(), ["accnt 4", "accnt 2", "ackexec 2"], "a late response");
  const { transfer } = await catalog.addReceive(newReceive(), "me");
  await catalog.finishReceive(transfer.idtu, { diagi: 142 }, responseTo(transfer, "NERP"));
  t.same((await noted()).slice(3).sort(), ["accnt 5", "exece 5"], "a file that was not delivered");
  const [first] = await catalog.aftermath(["accnt"], 0, 1);
  t.equal((await catalog.aftermath(["accnt"], first?.id ?? 0, 100)).length, 2, "those behind one");
  t.equal(await catalog.purge({ sends: clock.at + DAY, receives: 0 }), 1, "what is noted is not purged");
  await catalog.want(["accnt"]);
  t.same(await noted(), ["accnt 4", "accnt 2", "accnt 5"], "what nobody wants any more is dropped");
  await catalog.settleAftermath((await catalog.aftermath(all, 0, 100)).map(({ id }) => id));
  t.equal(await catalog.purge({ sends: clock.at + DAY, receives: 0 }), 2);
});

test("a response goes out once: claimed, given back, sent; its kind becomes the receive's ack", async (t) => {
  const { catalog, clock } = fresh(t);
  for (const [kind, ack] of [["EERP", "A"] as const, ["NERP", "N"] as const]) {
    const { transfer } = await catalog.addReceive(newReceive({ dsn: kind }), "me");
    await catalog.update(transfer.idtu, { phase: "Y", phasestep: "C", workfile: "/w" });
    await catalog.finishReceive(transfer.idtu, { fname: "/in/x" }, responseTo(transfer, kind));
    t.match(await catalog.get(transfer.idtu), {
      phase: "X",
      phasestep: "X",
      ack: "",
      workfile: "",
      edate: clock.at,
    });
    t.equal((await catalog.totals()).responses, 1);
    const claims = await Promise.all([1, 2].map(() => catalog.claimResponse("ACME", "me")));
    const response = claims[0] as NonNullable<(typeof claims)[0]>;
    t.equal(claims[1], undefined);
    await catalog.releaseResponse(response.id);
    t.same(await catalog.claimResponse("ACME", "me"), response);
    t.equal(await catalog.purge({ sends: 0, receives: clock.at + DAY }), 0, "not yet sent: never purged");
    await catalog.responseSent(response.id);
    t.equal((await catalog.get(transfer.idtu))?.ack, ack);
    t.equal((await catalog.totals()).responses, 0);
    await catalog.finishReceive(transfer.idtu, {}, responseTo(transfer, kind));
    t.equal(
      (await catalog.claimResponse("ACME", "me"))?.id,
      response.id,
      "asked again: queued again, not doubled",
    );
    await catalog.responseSent(response.id);
    t.equal(await catalog.purge({ sends: 0, receives: clock.at + DAY }), 1);
  }
  await t.rejects(catalog.responseSent(4711), { code: "CYG_CATALOG_UNKNOWN" });
});

test("findSend: exact, and short as OFTP 1.2 and 1.3 compare, the oldest unacknowledged first", async (t) => {
  const { catalog, clock } = fresh(t);
  const sends: Transfer[] = [];
  for (let at = 0; at < 3; at += 1) sends.push(await catalog.addSend(newSend()));
  clock.at += 1000;
  const next = await catalog.addSend(newSend());
  const [one, two] = sends as [Transfer, Transfer];
  const shortKey = { ...one, date: one.date.slice(2), time: one.time.slice(0, 6) };
  const rows: [string, Partial<Transfer>, boolean, string | undefined][] = [
    ["exact", two, false, two.idtu],
    ["exact, counter differs", { ...two, time: "1230599999" }, false, undefined],
    ["exact, another originator", { ...two, orig: "O-ACME", dest: "O-HUB" }, false, undefined],
    ["exact with a short key", shortKey, false, undefined],
    ["short", shortKey, true, one.idtu],
    ["short, with century and counter 0000", { ...one, time: "1230590000" }, true, one.idtu],
    ["short, wrong century", { ...shortKey, date: "19260715" }, true, one.idtu],
    ["short, next second", { ...next, time: next.time.slice(0, 6) }, true, next.idtu],
    ["short, another second", { ...shortKey, time: "123058" }, true, undefined],
    ["short, another name", { ...shortKey, dsn: "B" }, true, undefined],
  ];
  for (const [name, key, short, idtu] of rows) {
    t.equal((await catalog.findSend(key as Transfer, short))?.idtu, idtu, name);
  }
  await catalog.update(one.idtu, { ack: "A" });
  t.equal((await catalog.findSend(shortKey, true))?.idtu, two.idtu, "the acknowledged one comes last");
  for (const { idtu } of sends) await catalog.update(idtu, { ack: "A" });
  t.equal(
    (await catalog.findSend(shortKey, true))?.idtu,
    one.idtu,
    "a repeated response still finds its file",
  );
});

test("list by every filter and combination agrees with filtering all records; totals agree too", async (t) => {
  const { catalog, clock } = fresh(t);
  const states = [
    ["T", "D"],
    ["T", "H"],
    ["T", "C"],
    ["T", "K"],
    ["A", "D"],
    ["Y", "C"],
    ["Z", "H"],
    ["X", "X"],
  ] as const;
  for (let at = 0; at < 96; at += 1) {
    clock.at += at % 5 === 0 ? -3000 : 1000;
    const part = at % 3 ? "A" : "B";
    const idf = at % 4 ? "I" : "J";
    const { idtu } =
      at % 2
        ? await catalog.addSend(newSend({ part, idf }))
        : (await catalog.addReceive(newReceive({ part, idf, dsn: `${at}` }), "me")).transfer;
    const [phase, phasestep] = states[Math.floor(at / 2) % states.length] as (typeof states)[number];
    await catalog.update(idtu, { phase, phasestep });
  }
  const all = await catalog.list({ limit: 1000 });
  t.equal(all.length, 96);
  const stateOf = (transfer: Transfer): string =>
    transfer.phase === "T" ? transfer.phasestep : transfer.phase;
  const middle = all[40]?.kdate as number;
  const filters = [{}];
  for (const [key, values] of Object.entries({
    part: ["A", "NONE"],
    idf: ["J"],
    direct: ["send", "recv"],
    state: ["D", "Z", "X", "A"],
    since: [middle],
    idtu: ["00000007"],
  })) {
    for (const filter of [...filters]) for (const value of values) filters.push({ ...filter, [key]: value });
  }
  for (const filter of filters as Record<string, unknown>[]) {
    const expected = all.filter((transfer) =>
      Object.entries(filter).every(([key, value]) => {
        if (key === "since") return transfer.kdate >= (value as number);
        return (key === "state" ? stateOf(transfer) : transfer[key as keyof Transfer]) === value;
      }),
    );
    const found = await catalog.list({ ...filter, limit: 1000 });
    if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, JSON.stringify(filter));
  }
  t.equal(filters.length, 360);
  const newest = [...all].sort((a, b) => b.kdate - a.kdate || Number(b.idtu) - Number(a.idtu));
  t.same(all, newest, "newest first");
  t.same(await catalog.list({ limit: 5 }), newest.slice(0, 5));
  for (const direct of ["send", "recv"] as const) {
    const counts: Record<string, number> = {};
    for (const transfer of all.filter((one) => one.direct === direct)) {
      counts[stateOf(transfer)] = (counts[stateOf(transfer)] ?? 0) + 1;
    }
    t.same((await catalog.totals())[direct], counts);
  }
});

test("recover gives up what a dead owner held, and only that", async (t) => {
  const { catalog } = fresh(t);
  const [mine, other] = [await catalog.addSend(newSend()), await catalog.addSend(newSend({ part: "B" }))];
  await catalog.claimSend("ACME", "me", 1);
  await catalog.claimSend("B", "you", 1);
  const { transfer: half } = await catalog.addReceive(newReceive({ dsn: "HALF" }), "me");
  const { transfer: full } = await catalog.addReceive(newReceive({ dsn: "FULL" }), "me");
  await catalog.update(full.idtu, { phase: "Y", phasestep: "C" });
  const { transfer: done } = await catalog.addReceive(newReceive({ dsn: "DONE" }), "me");
  await catalog.finishReceive(done.idtu, {}, responseTo(done));
  await catalog.claimResponse("ACME", "me");
  t.same(await catalog.recover("me"), { sends: 1, receives: 1, responses: 1, scripts: 0 });
  t.match(await catalog.get(mine.idtu), { phase: "T", phasestep: "D" });
  t.match(await catalog.get(other.idtu), { phase: "T", phasestep: "C" });
  t.match(await catalog.get(half.idtu), { phase: "T", phasestep: "H" });
  t.match(await catalog.get(full.idtu), { phase: "Y", phasestep: "C" });
  t.same(
    (await catalog.unfinishedSpool()).map(({ idtu }) => idtu),
    [full.idtu],
  );
  t.equal((await catalog.claimSend("ACME", "new", 1))?.idtu, mine.idtu);
  t.equal(await catalog.claimReceive(half.idtu, "new"), true);
  t.equal((await catalog.claimResponse("ACME", "new"))?.idtu, done.idtu);
});

test("purge deletes ended records of its age only", async (t) => {
  const { catalog, clock } = fresh(t);
  const add = async (changes: Parameters<Catalog["update"]>[1]): Promise<string> => {
    const { idtu } = await catalog.addSend(newSend());
    await catalog.update(idtu, changes);
    return idtu;
  };
  const kept = [
    await add({}),
    await add({ phase: "Z", phasestep: "H", edate: 1 }),
    await add({ phase: "T", phasestep: "K", edate: 1 }),
    await add({ phase: "X", phasestep: "X", edate: clock.at }),
    await add({ phase: "X", phasestep: "X", edate: 1, workfile: "/w/not-settled" }),
  ];
  for (let at = 0; at < 1200; at += 1) void add({ phase: "X", phasestep: "X", edate: 1 });
  await add({ phase: "X", phasestep: "X", edate: 1 });
  const unsettled = await catalog.unfinishedSpool();
  t.same(
    unsettled.map(({ idtu }) => idtu),
    kept.slice(-1),
  );
  t.equal(await catalog.purge({ sends: clock.at, receives: clock.at }), 1201);
  t.same((await catalog.list({ limit: 9999 })).map(({ idtu }) => idtu).sort(), kept);
});
