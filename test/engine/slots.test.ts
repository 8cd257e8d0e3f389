/** When sends may begin, and the times of cycles: against what a calendar says, also where clocks change. */
import { test } from "tap";
import type { Send } from "../../src/config/model.ts";
import { type Activation, type Day, parseActivation, parseDay } from "../../src/config/units.ts";
import { firstOf, nextOf, slotOf } from "../../src/engine/slot.ts";

process.env.TZ = "Europe/Berlin";

const at = (...parts: [number, number, number, number?, number?]) => {
  const [year, month, day, hour = 0, minute = 0] = parts;
  return new Date(year, month - 1, day, hour, minute).getTime();
};
const NOON = at(2026, 11, 20, 12);
const moment = (text: string) => parseActivation(text) ?? null;
const day = (text: string) => parseDay(text) ?? null;

test("days of requests", async (t) => {
  const rows: [text: string, found: Day | undefined][] = [
    ["2026-12-31", { on: [2026, 11, 31] }],
    ["20261231", { on: [2026, 11, 31] }],
    ["+0", { days: 0 }],
    ["+365", { days: 365 }],
    ["+366", undefined],
    ["2026-02-30", undefined],
    ["2026-13-01", undefined],
    ["tomorrow", undefined],
    ["", undefined],
  ];
  for (const [text, found] of rows) t.strictSame(parseDay(text), found, text);
});

test("slots", async (t) => {
  type Row = [
    mindate: string,
    mintime: string,
    maxdate: string,
    maxtime: string,
    from: number,
    until: number,
  ];
  const rows: Row[] = [
    ["", "", "", "", 0, 0],
    ["", "20:00", "", "", at(2026, 11, 20, 20), 0],
    ["", "08:00", "", "", at(2026, 11, 20, 8), 0],
    ["", "+90", "", "", NOON + 90 * 60_000, 0],
    ["+1", "", "", "", at(2026, 11, 21), 0],
    ["+1", "06:00", "", "", at(2026, 11, 21, 6), 0],
    ["2026-12-24", "+30", "", "", at(2026, 12, 24, 0, 30), 0],
    ["", "", "+0", "", 0, at(2026, 11, 21) - 1],
    ["", "", "2026-12-31", "", 0, at(2027, 1, 1) - 1],
    ["", "", "2026-12-31", "18:00", 0, at(2026, 12, 31, 18)],
    ["", "", "2020-01-01", "", 0, at(2020, 1, 2) - 1],
    // without a day, a time that is over is that of the next
    ["", "", "", "11:00", 0, at(2026, 11, 21, 11)],
    ["", "22:00", "", "05:00", at(2026, 11, 20, 22), at(2026, 11, 21, 5)],
    // the days on which clocks change have 23 and 25 hours
    ["2026-10-25", "06:00", "2026-10-25", "", at(2026, 10, 25, 6), at(2026, 10, 26) - 1],
    ["2027-03-28", "06:00", "2027-03-28", "", at(2027, 3, 28, 6), at(2027, 3, 29) - 1],
  ];
  for (const [mindate, mintime, maxdate, maxtime, retryAt, deadline] of rows) {
    const slot: {
      mindate: Day | null;
      mintime: Activation | null;
      maxdate: Day | null;
      maxtime: Activation | null;
    } = { mindate: day(mindate), mintime: moment(mintime), maxdate: day(maxdate), maxtime: moment(maxtime) };
    const name = JSON.stringify([mindate, mintime, maxdate, maxtime]);
    t.strictSame(slotOf(slot, NOON), { retryAt, deadline }, name);
  }
});

test("the first time of a cycle", async (t) => {
  const first = (cycdate: string, cyctime: number | null) =>
    firstOf({ cycdate: day(cycdate), cyctime }, NOON);
  t.equal(first("", null), NOON, "at once");
  t.equal(first("", 6 * 3600_000), at(2026, 11, 20, 6));
  t.equal(first("2026-12-01", null), at(2026, 12, 1));
  t.equal(first("2026-12-01", 6 * 3600_000), at(2026, 12, 1, 6));
});

test("the next time of a cycle: never passed over, never twice, at its time of the day", async (t) => {
  const periods: Send["tcycle"][] = ["min", "day", "month"];
  for (const period of periods) {
    for (const every of [1, 2, 7, 13, 1000]) {
      const first = at(2026, 1, 31, 2, 30);
      let now = first - 1;
      for (let count = 0; count < 40; count += 1) {
        const next = nextOf({ every, period }, first, now);
        if (next <= now) t.fail(`${every} ${period}: goes back`);
        // whenever it is asked for in between, it is the same one
        for (const between of [0, Math.floor((next - now - 1) / 2), next - now - 1]) {
          const asked = nextOf({ every, period }, first, now + between);
          if (asked !== next) t.fail(`${every} ${period}: ${new Date(asked)} instead of ${new Date(next)}`);
        }
        const date = new Date(next);
        if (period === "min") t.equal(next, first + count * every * 60_000);
        else if (period === "month") {
          const month = new Date(2026, count * every, 1);
          const last = new Date(month.getFullYear(), month.getMonth() + 1, 0).getDate();
          t.strictSame([date.getMonth(), date.getDate()], [month.getMonth(), Math.min(31, last)]);
        } else {
          const meant = new Date(2026, 0, 31 + count * every, 2, 30);
          t.equal(next, meant.getTime(), String(meant));
        }
        now = next;
      }
    }
  }
  const years = at(2036, 6, 1);
  t.equal(
    nextOf({ every: 1, period: "day" }, at(2026, 1, 1, 6), years),
    at(2036, 6, 1, 6),
    "after ten years down",
  );
  t.equal(nextOf({ every: 5, period: "min" }, at(2036, 6, 1), years), years + 300_000);
});
