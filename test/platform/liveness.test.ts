import { setImmediate as turn } from "node:timers/promises";
import { test } from "tap";
import { giveSignsOfLife } from "../../src/platform/liveness.ts";
import { ManualClock } from "../net/manual-clock.ts";

test("signs of life come while the loop turns and the probe answers", async (t) => {
  const clock = new ManualClock();
  const heard: string[] = [];
  let answer: () => Promise<unknown> = () => Promise.resolve();
  let asked = 0;
  const signs = giveSignsOfLife({
    every: 100,
    probe: () => {
      asked += 1;
      return answer();
    },
    alive: () => heard.push("alive"),
    failed: (error) => heard.push((error as Error).message),
    clock,
  });
  const pass = async (milliseconds: number) => {
    clock.advance(milliseconds);
    await turn();
    return heard.splice(0);
  };

  t.same(await pass(99), [], "none before its time");
  t.same(await pass(1), ["alive"]);
  t.same(await pass(100), ["alive"]);

  answer = () => Promise.reject(new Error("no disk"));
  t.same(await pass(100), ["no disk"], "a probe that fails gives no sign, and is told");
  t.same(await pass(100), [], "once");
  answer = () => {
    throw new Error("thrown");
  };
  t.same(await pass(100), [], "throwing is failing");
  answer = () => Promise.resolve();
  t.same(await pass(100), ["alive"], "it goes on when the probe answers again");
  answer = () => Promise.reject(new Error("again"));
  t.same(await pass(100), ["again"], "the next outage is told anew");

  let end = () => {};
  answer = () => new Promise<void>((resolve) => (end = resolve));
  const before = asked;
  for (let each = 0; each < 20; each++) t.same(await pass(100), [], "a probe that hangs gives no sign");
  t.equal(asked, before + 1, "and is asked once, not twenty times");
  answer = () => Promise.resolve();
  end();
  await turn();
  t.same(await pass(0), ["alive"], "its late answer counts");
  t.same(await pass(100), ["alive"]);

  signs.cancel();
  t.same(await pass(1000), [], "none after cancel");
});

test("a probe that answers after cancel gives no sign and asks for no other", async (t) => {
  const clock = new ManualClock();
  let end = () => {};
  let asked = 0;
  let heard = 0;
  const signs = giveSignsOfLife({
    every: 10,
    probe: () => {
      asked += 1;
      return new Promise<void>((resolve) => (end = resolve));
    },
    alive: () => (heard += 1),
    failed: () => (heard += 1),
    clock,
  });
  clock.advance(10);
  await turn();
  signs.cancel();
  end();
  await turn();
  clock.advance(1000);
  await turn();
  t.same([asked, heard], [1, 0]);
});
