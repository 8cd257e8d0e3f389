import { test } from "tap";
import { fill, filters } from "../../bench/catalog.ts";
import type { Transfer, TransferFilter } from "../../src/catalog/catalog.ts";
import { Database, type Row } from "../../src/catalog/database.ts";
import { isSlow, listTransfers } from "../../src/catalog/list.ts";
import { cursorOf, directionsOf, SORT_KEYS } from "../../src/catalog/order.ts";
import { openCatalog } from "../../src/catalog/sqlite.ts";
import { systemClock } from "../../src/platform/clock.ts";

/** Says of every query how SQLite goes about it. */
class Explaining extends Database {
  readonly plans: string[] = [];

  override rows(sql: string, ...values: Parameters<Database["rows"]>[1][]): Row[] {
    for (const { detail } of super.rows(`EXPLAIN QUERY PLAN ${sql}`, ...values))
      this.plans.push(String(detail));
    return super.rows(sql, ...values);
  }
}

const RECORDS = 1_200;

function matches(mask: string, id: string): boolean {
  const pattern = mask.replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(id);
}

/** The list as its description says, by looking at every record. */
function naive(all: readonly Transfer[], filter: TransferFilter): Transfer[] {
  const { idtu, part, idf, direct, state, phase, phasestep, diagi, ack, mode, since, until } = filter;
  const found = all.filter(
    (each) =>
      (idtu === undefined || each.idtu === idtu) &&
      (part === undefined || matches(part, each.part)) &&
      (idf === undefined || matches(idf, each.idf)) &&
      (direct === undefined || each.direct === direct) &&
      (state === undefined || (each.phase === "T" ? each.phasestep : each.phase) === state) &&
      (phase === undefined || each.phase === phase) &&
      (phasestep === undefined || each.phasestep === phasestep) &&
      (diagi === undefined || (diagi === "error" ? each.diagi !== 0 : each.diagi === diagi)) &&
      (ack === undefined || each.ack === ack) &&
      (mode === undefined || each.mode === mode) &&
      (since === undefined || each.kdate >= since) &&
      (until === undefined || each.kdate < until),
  );
  const { key, way, idWay } = directionsOf(filter.sort);
  const compare = (a: unknown, b: unknown): number => {
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? -1 : 1;
    return (a as string | number) < (b as string | number) ? -1 : 1;
  };
  return found.sort(
    (a, b) =>
      compare(a[key], b[key]) * (way === "ASC" ? 1 : -1) ||
      compare(a.idtu, b.idtu) * (idWay === "ASC" ? 1 : -1),
  );
}

test("every filter in every order gives the same as looking at every record, page by page", async (t) => {
  const path = `${t.testdir()}/catalog.db`;
  await fill(path, RECORDS);
  const catalog = openCatalog(path, systemClock);
  t.teardown(() => catalog.close());
  for (const [at, phase] of (["Y", "Z", "A"] as const).entries()) {
    for (let each = 1; each <= 5; each++) {
      const idtu = String(at * 50 + each).padStart(8, "0");
      await catalog.update(idtu, { phase, phasestep: each === 1 ? "K" : "D", edate: null });
    }
  }
  const all = await catalog.list({ limit: RECORDS * 2 });
  t.equal(all.length, RECORDS);
  // three orders for each filter; each order for many filters
  const wanted = Object.values(filters(Date.now())).flatMap((filter, at) => [
    filter,
    { ...filter, direct: "send" as const },
    ...[0, 3, 7].flatMap((step) => {
      const sort = SORT_KEYS[(at + step) % SORT_KEYS.length] as (typeof SORT_KEYS)[number];
      return [
        { ...filter, sort },
        { ...filter, direct: "recv" as const, sort: `-${sort}` as const },
      ];
    }),
  ]);
  for (const filter of wanted) {
    const expected = naive(all, filter).map(({ idtu }) => idtu);
    const pages: Transfer[] = [];
    for (const limit of [7, 40, RECORDS]) {
      const last = pages.at(-1);
      const after = last && { after: cursorOf(last, filter.sort) };
      pages.push(...(await catalog.list({ ...filter, ...after, limit })));
    }
    const found = pages.map(({ idtu }) => idtu);
    if (found.join() !== expected.join()) t.same(found, expected, JSON.stringify(filter));
  }
  await t.rejects(catalog.list({ sort: "fname", after: "x" }), { code: "CYG_REQUEST_CURSOR" }, "also aside");
});

test("no page of a list looks at every record or sorts them, whatever is asked", async (t) => {
  const path = `${t.testdir()}/catalog.db`;
  await fill(path, RECORDS);
  const database = new Explaining(path);
  t.teardown(() => database.close());
  const slow: string[] = [];
  for (const [name, filter] of Object.entries(filters(Date.now()))) {
    for (const direct of ["send", undefined] as const) {
      const asked: TransferFilter = direct === undefined ? filter : { ...filter, direct };
      database.plans.length = 0;
      const page = listTransfers(database, asked);
      const [first] = page;
      if (first) listTransfers(database, { ...asked, after: cursorOf(first, asked.sort) });
      if (isSlow(asked)) {
        slow.push(name);
        continue;
      }
      const whole = database.plans.filter((step) =>
        /^SCAN transfer(?! USING| *$)|^SCAN transfer$/.test(step),
      );
      t.same(whole, [], `${name}: no scan`);
      // of several arms only their first records are sorted, and of what few records have, all
      const few = /mask|phasestep|sort (-?edate|-?diagi|-?part|-?idf)|partner, sort/.test(name);
      const sorts = database.plans.filter((step) => step === "USE TEMP B-TREE FOR ORDER BY");
      if (!few && direct === "send") t.same(sorts, [], `${name}: in the order of an index`);
      // by date and by number in all the records only where most of them are wanted
      const wide = database.plans.some((step) => /transfer_date \(direct=\?\)/.test(step));
      t.notOk(
        wide && /state [^X]|phase|diagi|error|ack|part|idf|edate/.test(name),
        `${name}: a narrow index`,
      );
    }
  }
  t.same([...new Set(slow)].sort(), [
    "sort -bdate",
    "sort -filesize",
    "sort -fname",
    "sort -idf",
    "sort -part",
    "sort -pri",
    "sort bdate",
    "sort filesize",
    "sort fname",
    "sort idf",
    "sort part",
    "sort pri",
  ]);
});
